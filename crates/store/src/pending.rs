#![allow(missing_docs, clippy::todo, unused_variables, clippy::unused_async)]
use crate::*;
use secrecy::SecretString;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tieout_domain::port::Mark;
use tieout_domain::{Clock, ConnectionName, Kind, RemoteId, Side, State, Timestamp};

type Result<T> = std::result::Result<T, StoreError>;

#[derive(Clone)]
pub struct Store {}
impl Store {
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Store> { todo!() }
    pub fn connection(&self, name: &ConnectionName) -> ConnectionStore { todo!() }
    pub fn installation(&self) -> InstallationStore { todo!() }
    pub async fn connections(&self) -> Result<Vec<ConnectionName>> { todo!() }
    pub async fn verify(&self) -> Result<Verification> { todo!() }
    /// Derives the key and holds it against what is sealed already.
    pub async fn vault(&self, source: &KeySource) -> Result<Vault> { todo!() }
    pub fn credentials(&self) -> Credentials { todo!() }
    pub fn kept(&self, vault: &Vault) -> Kept { todo!() }
}

#[derive(Clone)]
pub struct InstallationStore {}
impl InstallationStore {
    pub async fn commit(&self, actor: &str, facts: Vec<Fact>) -> Result<Vec<u64>> { todo!() }
    pub async fn entries_after(&self, seq: u64, limit: u32) -> Result<Vec<Entry>> { todo!() }
}

#[derive(Clone)]
pub struct ConnectionStore {}
impl ConnectionStore {
    pub fn name(&self) -> &ConnectionName { todo!() }
    pub async fn commit(&self, commit: Commit) -> Result<Vec<u64>> { todo!() }

    pub async fn known(&self, side: Side, kind: Kind, ids: &[RemoteId]) -> Result<HashMap<RemoteId, Known>> { todo!() }
    pub async fn records(&self, side: Side, kind: Kind, ids: &[RemoteId]) -> Result<HashMap<RemoteId, Mirrored>> { todo!() }
    /// Those that exist (not gone) and have one of these match keys.
    pub async fn records_matching(&self, side: Side, kind: Kind, match_keys: &[String]) -> Result<Vec<Mirrored>> { todo!() }
    /// In the order of their ids, gone ones included.
    pub async fn records_page(&self, side: Side, kind: Kind, after: Option<&RemoteId>, limit: u32) -> Result<Vec<Mirrored>> { todo!() }
    pub async fn find(&self, text: &str, limit: u32) -> Result<Vec<(RecordRef, Mirrored)>> { todo!() }
    pub async fn totals(&self, side: Side, kind: Kind) -> Result<Totals> { todo!() }

    pub async fn links(&self, flow: &str, records: &[RecordRef]) -> Result<Vec<Link>> { todo!() }
    pub async fn links_to(&self, targets: &[RecordRef]) -> Result<Vec<Link>> { todo!() }
    /// `after`: record and role of the last one seen.
    pub async fn links_page(&self, flow: &str, after: Option<(&RecordRef, &str)>, limit: u32) -> Result<Vec<Link>> { todo!() }
    pub async fn items(&self, flow: &str, records: &[RecordRef]) -> Result<HashMap<RecordRef, Item>> { todo!() }
    /// `after`: flow and record of the last one seen.
    pub async fn items_page(&self, filter: &ItemFilter, after: Option<(&str, &RecordRef)>, limit: u32) -> Result<Vec<Item>> { todo!() }
    pub async fn counts(&self) -> Result<BTreeMap<String, [u64; 8]>> { todo!() }
    /// BLOCKED, CONFLICT and ORPHAN; HOLD as well on request.
    pub async fn exceptions(&self, holds: bool) -> Result<Vec<ExceptionGroup>> { todo!() }
    pub async fn maps(&self) -> Result<Vec<MapEntry>> { todo!() }
    pub async fn decisions(&self, flow: &str, records: &[RecordRef]) -> Result<HashMap<RecordRef, Decision>> { todo!() }
    pub async fn open_writes(&self) -> Result<Vec<OpenWrite>> { todo!() }

    pub async fn due_page(&self, flow: &str, after: Option<&RecordRef>, limit: u32) -> Result<Vec<RecordRef>> { todo!() }
    pub async fn due_count(&self, flow: &str) -> Result<u64> { todo!() }
    /// Every item of the flow becomes due; says how many were not yet.
    pub async fn mark_all_due(&self, flow: &str) -> Result<u64> { todo!() }
    /// Every mirrored record of this kind that exists becomes due in the flow.
    pub async fn mark_records_due(&self, flow: &str, side: Side, kind: Kind) -> Result<u64> { todo!() }
    pub async fn mark(&self, side: Side, kind: Kind) -> Result<Option<Mark>> { todo!() }

    pub async fn runs(&self, limit: u32) -> Result<Vec<RunRow>> { todo!() }
    pub async fn run(&self, id: &RunId) -> Result<Option<RunRow>> { todo!() }
    pub async fn run_facts(&self, id: &RunId, after: u64, limit: u32) -> Result<Vec<Entry>> { todo!() }
    pub async fn history(&self, record: &RecordRef) -> Result<Vec<Entry>> { todo!() }
    pub async fn entries_after(&self, seq: u64, limit: u32) -> Result<Vec<Entry>> { todo!() }
    /// Erases the personal values of these records from history, state and mirror; returns from how many entries.
    pub async fn erase(&self, records: &[RecordRef], actor: &str, reason: &str) -> Result<u64> { todo!() }

    pub async fn lease(&self, holder: &str, ttl: Duration) -> Result<Lease> { todo!() }
}

pub struct Lease { pub fence: u64 }
impl Lease {
    /// Extends it by its time to live from now; `Fenced` if it has passed to somebody else.
    pub async fn renew(&self) -> Result<()> { todo!() }
    pub async fn set_run(&self, run: &RunId) -> Result<()> { todo!() }
    pub async fn release(self) -> Result<()> { todo!() }
    /// Until when it is good, as of the last renewal.
    pub fn until(&self) -> Timestamp { todo!() }
}

#[derive(Debug, Clone)]
pub struct CredentialRow { pub name: String, pub kind: String, pub version: u64, pub set_at: Timestamp, pub set_by: String }
#[derive(Clone)]
pub struct Credentials {}
impl Credentials {
    pub async fn set(&self, vault: &Vault, name: &str, kind: &str, secret: SecretString, actor: &str) -> Result<u64> { todo!() }
    /// The kind and the secret JSON.
    pub async fn get(&self, vault: &Vault, name: &str) -> Result<(CredentialRow, SecretString)> { todo!() }
    pub async fn list(&self) -> Result<Vec<CredentialRow>> { todo!() }
    pub async fn remove(&self, name: &str, actor: &str) -> Result<()> { todo!() }
}

/// Sealed sessions, tokens and probe results.
#[derive(Clone)]
pub struct Kept {}
impl Kept {
    pub async fn get(&self, name: &str) -> Result<Option<SecretString>> { todo!() }
    pub async fn put(&self, name: &str, value: &SecretString, expires: Option<Timestamp>) -> Result<()> { todo!() }
    pub async fn remove(&self, name: &str) -> Result<()> { todo!() }
}
