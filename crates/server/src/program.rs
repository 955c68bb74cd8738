//! What the face asks of the program that put it together: whatever needs a system, the configuration or a run.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;
use tieout_desk::DeskError;
use tieout_desk::preferences::Standing;
use tieout_desk::tie_out::{Made, Scope};
use tieout_domain::{ConnectionName, Date, RecordRef, Timestamp};
use tieout_engine::Plan;
use tieout_store::CredentialRow;

/// A connection as it is configured.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// Its name.
    pub name: ConnectionName,
    /// Its pair: `netsuite-bill`.
    pub pair: String,
    /// Whether it runs at all: `disconnect` switches it off.
    pub enabled: bool,
    /// The ledger's name for people: `NetSuite`.
    pub ledger: String,
    /// The platform's name for people: `BILL`.
    pub platform: String,
    /// The company's time zone: days and times are shown in it.
    pub time_zone: TimeZone,
    /// When it runs, in the words of the configuration.
    pub schedule: Option<String>,
    /// The flows that it has, in their order.
    pub flows: Vec<String>,
    /// When it runs next, as far as that is known.
    pub next_run: Option<Timestamp>,
    /// Whether a run is on.
    pub running: bool,
}

/// A run that somebody asks for.
#[derive(Debug, Clone, Default)]
pub struct SyncAsked {
    /// Only these flows; all if none is named.
    pub flows: Vec<String>,
    /// Only these records, and what they depend on.
    pub only: Vec<String>,
    /// Read everything again.
    pub whole: bool,
    /// What set it off, as the history keeps it: `user:NAME`, `token:NAME`.
    pub by: String,
}

/// A credential, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CredentialInfo {
    /// What is kept of it in the clear.
    #[serde(flatten)]
    pub row: CredentialRow,
    /// Which connections use it.
    pub used_by: Vec<ConnectionName>,
    /// The last day on which it is good, where that is known.
    pub expires: Option<Date>,
    /// How many days that is from today; below zero after it.
    pub days_left: Option<i64>,
}

/// Whatever needs a system, the configuration or a run.
#[async_trait]
pub trait Program: Send + Sync {
    /// All connections, by name.
    fn connections(&self) -> Vec<ConnectionInfo>;

    /// Asks for a run. One that is on already is joined; it is enough that this returns for the run to come.
    ///
    /// # Errors
    /// An unknown or disconnected connection, an unknown flow.
    async fn sync(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<(), DeskError>;

    /// What a run would do; nothing is written.
    ///
    /// # Errors
    /// As for [`sync`](Self::sync); a side that can't be read.
    async fn plan(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<Plan, DeskError>;

    /// Every preference of a connection, in the order of the catalogue.
    ///
    /// # Errors
    /// An unknown connection.
    fn preferences(&self, connection: &ConnectionName) -> Result<Vec<Standing>, DeskError>;

    /// Changes preferences, all or none; null puts the default back.
    ///
    /// # Errors
    /// An unknown preference, a value that it can't have, a configuration that can't be written.
    async fn change_preferences(
        &self,
        connection: &ConnectionName,
        values: BTreeMap<String, Value>,
        by: &str,
    ) -> Result<(), DeskError>;

    /// All credentials by name, without their values.
    ///
    /// # Errors
    /// The store's and the vault's.
    async fn credentials(&self) -> Result<Vec<CredentialInfo>, DeskError>;

    /// Reads both sides' lists and suggests a mapping for whatever has none; gives how many are without a confirmed
    /// one.
    ///
    /// # Errors
    /// A run is on; a side can't be read.
    async fn propose_mappings(&self, connection: &ConnectionName) -> Result<usize, DeskError>;

    /// Reads both sides and makes a tie-out.
    ///
    /// # Errors
    /// A month or currency that isn't there; a side can't be read.
    async fn tie_out(&self, connection: &ConnectionName, scope: &Scope) -> Result<Made, DeskError>;
    /// A person has paused a connection: whatever held its writes back for a while doesn't let them go on.
    ///
    /// # Errors
    /// What a database can answer.
    async fn stays_paused(&self, connection: &ConnectionName) -> Result<(), DeskError>;

    /// Where a person finds a record in the service's own pages, if that is known.
    fn address(&self, connection: &ConnectionName, record: &RecordRef) -> Option<String>;

    /// Why no new work can be taken on; empty while all is well.
    async fn not_ready(&self) -> Vec<String>;
}
