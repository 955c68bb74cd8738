//! What the store answers with.

use std::collections::BTreeMap;

use serde::Serialize;
use tieout_domain::code::Code;
use tieout_domain::port::{Observed, Order};
use tieout_domain::{
    Amount, Currency, Document, Fingerprint, Key, Money, Outcome, RemoteId, Side, State, Timestamp,
};

use crate::facts::{Fact, MapStatus, RecordRef, RunId};

/// What the mirror knows of a record without reading the record itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The version last seen.
    pub version: String,
    /// The fingerprint of the document last seen.
    pub fingerprint: Fingerprint,
    /// Whether it exists no more.
    pub gone: bool,
}

/// A record as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mirrored {
    /// Whose.
    pub side: Side,
    /// The record.
    pub observed: Observed,
    /// Its document's fingerprint.
    pub fingerprint: Fingerprint,
    /// What it would be matched by.
    pub match_key: String,
    /// Whether it exists no more.
    pub gone: bool,
}

impl Mirrored {
    /// Its name.
    #[must_use]
    pub fn record(&self) -> RecordRef {
        RecordRef {
            side: self.side,
            kind: self.observed.document.kind(),
            id: self.observed.id.clone(),
        }
    }
}

/// A bill or credit of the ledger, and what bears its mark on the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedBill {
    /// Whose it is in the ledger.
    pub ledger_vendor: RemoteId,
    /// The document.
    pub ledger: RecordRef,
    /// Whose it is on the platform.
    pub platform_vendor: RemoteId,
    /// What bears the mark.
    pub platform: RecordRef,
    /// In which currency that is.
    pub currency: Option<Currency>,
}

/// The sum of a kind of records in one currency. Exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CurrencyTotal {
    /// The currency; `None` for records that are worth nothing.
    pub currency: Option<Currency>,
    /// How many.
    pub count: u64,
    /// What they are worth.
    pub amount: Amount,
    /// What of that is open.
    pub open: Amount,
}

/// The sums of a kind of records that exist.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// How many there are.
    pub count: u64,
    /// By currency, in the order of their codes.
    pub by_currency: Vec<CurrencyTotal>,
}

/// A record and its counterpart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Which flow.
    pub flow: String,
    /// From.
    pub record: RecordRef,
    /// Which of the record's counterparts.
    pub role: String,
    /// To.
    pub target: RecordRef,
    /// The key under which the target was made, where known.
    pub key: Option<Key>,
    /// `applied`, `adopted`, or by what it was found.
    pub how: String,
    /// The document last agreed on, in the target's terms.
    pub applied: Option<Document>,
    /// Whether the applied document was read back as written.
    pub confirmed: bool,
    /// What was read back instead, if it was not.
    pub drift: Option<String>,
    /// The entry that said so last.
    pub seq: u64,
}

/// A record's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Which flow.
    pub flow: String,
    /// Which record.
    pub record: RecordRef,
    /// The state and its reason.
    pub outcome: Outcome,
    /// What people call it.
    pub label: String,
    /// What it is worth.
    pub amount: Option<Money>,
    /// Since when state and code are these.
    pub since: Timestamp,
    /// When it was last said.
    pub at: Timestamp,
    /// The entry that said it last.
    pub seq: u64,
}

/// Which items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemFilter {
    /// Of this flow only.
    pub flow: Option<String>,
    /// In these states only; all if empty.
    pub states: Vec<State>,
    /// With this code only.
    pub code: Option<Code>,
    /// Of this group only.
    pub group: Option<String>,
}

/// What waits for a person, by cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExceptionGroup {
    /// Which flow.
    pub flow: String,
    /// The state.
    pub state: State,
    /// Why.
    pub code: Option<Code>,
    /// What the records share; empty where each is its own cause.
    pub group: String,
    /// The cause of the oldest.
    pub cause: String,
    /// How many records.
    pub count: u64,
    /// What they are worth, by currency.
    pub amounts: Vec<Money>,
    /// Since when the oldest is so.
    pub oldest: Timestamp,
    /// The oldest records' labels, at most [`SAMPLE_MAX`].
    pub labels: Vec<String>,
    /// The same records.
    pub records: Vec<RecordRef>,
}

/// How many records a group of exceptions names.
pub const SAMPLE_MAX: usize = 5;

/// A mapping of an account, a dimension or a funding account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MapEntry {
    /// `account`, `department`, `class`, `location`, `funding`.
    pub kind: String,
    /// From.
    pub from: RemoteId,
    /// To.
    pub to: Option<RemoteId>,
    /// How sure.
    pub status: MapStatus,
    /// What people call the one.
    pub label_from: String,
    /// What people call the other.
    pub label_to: String,
    /// Why it is thought so.
    pub why: String,
    /// Who said so.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The entry that said so.
    pub seq: u64,
}

/// How far an open write has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteStatus {
    /// Decided, certainly not sent.
    Intended,
    /// Perhaps sent; nobody has said yet what became of it.
    Attempted,
    /// Sent, and nobody knows what became of it.
    Unknown,
}

/// A write whose outcome is still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenWrite {
    /// Its id.
    pub write: u64,
    /// Which flow.
    pub flow: String,
    /// On account of which record.
    pub record: RecordRef,
    /// Which of the record's counterparts.
    pub role: String,
    /// The write.
    pub order: Order,
    /// How far it has come.
    pub status: WriteStatus,
    /// When it was last attempted, by the far side's own clock where its time was known then.
    pub attempted_at: Option<Timestamp>,
    /// How often.
    pub attempts: u32,
    /// The entry of the history that told of the first attempt.
    pub first_attempt: Option<u64>,
}

/// A person's decision about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Which flow.
    pub flow: String,
    /// Which record.
    pub record: RecordRef,
    /// What.
    pub decision: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The entry that says so.
    pub seq: u64,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// What set it off.
    pub trigger: String,
    /// Which flows.
    pub flows: Vec<String>,
    /// Who.
    pub actor: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended, if it did.
    pub ended: Option<Timestamp>,
    /// `running` until it ends, then `done`, `exceptions`, `failed`, or `killed` where its process ended before it.
    pub status: String,
    /// Each flow's population by state at its end.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// HTTP requests by system.
    pub calls: BTreeMap<String, u64>,
    /// Why it failed.
    pub cause: String,
    /// Whether it did only a part of what its flows do: single records, a plan, an import.
    #[serde(skip)]
    pub limited: bool,
}

/// An entry of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Whose history.
    pub chain: String,
    /// Its number: 1, 2, 3, … without a gap.
    pub seq: u64,
    /// When, to the microsecond.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// In which run.
    pub run: Option<RunId>,
    /// About which record.
    pub record: Option<RecordRef>,
    /// What happened. Erased personal values read `[erased]`.
    pub fact: Fact,
    /// Whether its personal values were erased.
    pub erased: bool,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// What [`Store::verify`](crate::Store::verify) found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verification {
    /// Each chain's length and last hash: note them elsewhere, and nobody can rewrite the whole of it.
    pub chains: Vec<ChainHead>,
    /// The first thing found wrong with each chain, and with the state beside it. Empty: all agrees.
    pub faults: Vec<VerificationFault>,
}

impl Verification {
    /// Whether all agrees.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainHead {
    /// Whose.
    pub chain: String,
    /// How many entries.
    pub entries: u64,
    /// How many of them had personal values that were erased.
    pub erased: u64,
    /// The hash of the last one.
    pub hash: String,
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerificationFault {
    /// Whose chain.
    pub chain: String,
    /// The first bad entry, where it is an entry.
    pub seq: Option<u64>,
    /// What is wrong.
    pub cause: String,
}
