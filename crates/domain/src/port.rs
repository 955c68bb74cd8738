//! The ports: what a system can read and write, and how it answers.
//!
//! Capabilities are values: a system that can't write bills has no writer for them in its [`Ports`], so
//! "not implemented" can't happen at run time. Reads come in pages, writes in batches; a write answers for
//! each of its orders, chosen by what the engine must do next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::check::{Check, RefusedSignIn};
use crate::code::Code;
use crate::other_sync::OtherSync;
use crate::subledger::Subledger;
use crate::{Document, Fault, Fingerprint, Key, Kind, Period, RemoteId, SystemId};

/// A record as one side showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The system's id for it.
    pub id: RemoteId,
    /// The system's own mark of this version (its time of last change), opaque.
    pub version: String,
    /// When the system says it was made, where it says so.
    pub created: Option<Timestamp>,
    /// The record.
    pub document: Document,
}

impl Observed {
    /// The fingerprint of its content; the version is no part of it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.document)
    }
}

/// How much to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What changed since the mark.
    Changes,
    /// Everything: the first read, and the one that looks behind what changes may have missed.
    Whole,
}

/// Where a read goes on: an opaque text of the system's own, good within one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageToken(pub String);

/// Up to where a finished read has seen everything: an opaque text of the system's own, taken from the
/// system's clock and never from ours. Kept from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub String);

/// One page of a read.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The records on it.
    pub records: Vec<Observed>,
    /// Records that no longer exist, as far as the system tells.
    pub gone: Vec<RemoteId>,
    /// Records that are there but could not be read, and why: one bad record never hides the others on its
    /// page, and is never taken for absent.
    pub unreadable: Vec<(RemoteId, String)>,
    /// Where to go on; `None` on the last page.
    pub next: Option<PageToken>,
    /// The mark to keep once the whole read is done. Any page may carry it; the engine keeps the last one
    /// it was given, and only when the read is complete.
    pub mark: Option<Mark>,
    /// For a system that lists the newest first: this page reaches back to what the last finished read had
    /// seen, so that the read may end here if every record on it is known in this version.
    pub may_stop: bool,
}

/// Reads one kind of record.
#[async_trait]
pub trait Read: Send + Sync {
    /// The next page of what changed since `mark` (everything if there is none, or at [`Depth::Whole`]).
    ///
    /// # Errors
    /// A [`Fault`]; `Unknown` can't come of a read.
    async fn page(
        &self,
        depth: Depth,
        mark: Option<&Mark>,
        token: Option<&PageToken>,
    ) -> Result<Page, Fault>;

    /// These records, now. Those that don't exist are absent from the answer.
    ///
    /// # Errors
    /// See [`page`](Read::page).
    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault>;

    /// How many records a page has at most.
    fn page_max(&self) -> usize {
        100
    }
}

/// What to do to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Make it.
    Create,
    /// Change it to the given document.
    Amend,
    /// Put it away: archive, inactivate.
    Archive,
    /// Take it out of the archive.
    Restore,
    /// Void it (a payment).
    Void,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Amend,
        Self::Archive,
        Self::Restore,
        Self::Void,
    ];

    /// The word in the store and in plans.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Amend => "amend",
            Self::Archive => "archive",
            Self::Restore => "restore",
            Self::Void => "void",
        }
    }
}

/// One write: what, under which key, to which record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The event's idempotency key.
    pub key: Key,
    /// What to do.
    pub action: Action,
    /// Which record; `None` for a creation.
    pub target: Option<RemoteId>,
    /// The document to write, in the target's terms.
    pub document: Document,
    /// What was there when this was decided: a write is refused if a person has changed it since. `None`
    /// for a creation.
    pub expect: Option<Document>,
    /// The bytes of what is sent, for a kind that is a file. They are fetched right before they are sent, and no part
    /// of the journal.
    #[serde(skip)]
    pub file: Option<Arc<File>>,
}

/// A file of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// What it is: `application/pdf`.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Proof that a write was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The record's id.
    pub id: RemoteId,
    /// The record as the service showed it in its answer, if it did.
    pub observed: Option<Observed>,
    /// Whether it had been there already: the look-up in the same attempt found it under the same key.
    pub adopted: bool,
}

/// What became of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every answer is the large one, and answers live in short batches"
)]
pub enum Answer {
    /// Applied.
    Applied(Receipt),
    /// Not applied, or not known to be: the fault says which.
    Failed(Fault),
}

/// Answers of a service that says that two orders made one record: which of them it is can't be told, so both
/// are unknown. Orders that name their record don't come here.
#[must_use]
pub fn told_apart(mut answers: Vec<Answer>) -> Vec<Answer> {
    let mut seen: BTreeMap<RemoteId, Vec<usize>> = BTreeMap::new();
    for (at, answer) in answers.iter().enumerate() {
        if let Answer::Applied(receipt) = answer {
            seen.entry(receipt.id.clone()).or_default().push(at);
        }
    }
    for (id, places) in seen.into_iter().filter(|(_, places)| places.len() > 1) {
        for at in places {
            answers[at] = Answer::Failed(Fault::Unknown {
                cause: format!("the service answered for more than one order with record `{id}`"),
            });
        }
    }
    answers
}

/// Writes one kind of record.
#[async_trait]
pub trait Write: Send + Sync {
    /// The most orders that one call takes, for each action; at least 1. A batch is of one action.
    fn bulk_max(&self, action: Action) -> usize;

    /// Whether this is done to such records at all: a service may make invoices and never change them.
    fn takes(&self, _action: Action) -> bool {
        true
    }

    /// Whether a write under the same key can be repeated without a second effect: an upsert by external
    /// id can, a plain creation can't.
    fn repeatable(&self, action: Action) -> bool;

    /// How long an unanswered write may still be running over there: before that, a look-up that finds
    /// nothing proves nothing.
    fn settle(&self) -> Duration;

    /// Carries out a batch of one action and answers for each order, in their order. An all-or-nothing bulk
    /// call that is refused is narrowed to the orders at fault by the system itself. The number of answers
    /// is the number of orders.
    async fn write(&self, orders: &[Order]) -> Vec<Answer>;

    /// Records that may be what these orders made at or after `since`: by external id where the system has
    /// one, else everything made in that window that could be it. The caller judges.
    ///
    /// # Errors
    /// A [`Fault`] of the read.
    async fn candidates(&self, orders: &[Order], since: Timestamp) -> Result<Vec<Observed>, Fault>;
}

/// What a check of a system's side found out about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What the account calls itself: company or organization name.
    pub name: String,
    /// Its id over there.
    pub id: String,
    /// What else is worth showing, label and value: role, environment, subsidiary.
    pub details: Vec<(String, String)>,
}

/// Something that a side's table in the configuration may name, as the account itself lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The key of the table: `subsidiary`, `organization`.
    pub setting: &'static str,
    /// The value to write there.
    pub value: String,
    /// What the account calls it.
    pub name: String,
}

/// Questions about a side as a whole.
#[async_trait]
pub trait Whole: Send + Sync {
    /// Signs in and reads one record.
    ///
    /// # Errors
    /// The [`Fault`] that tells why not.
    async fn ping(&self) -> Result<Identity, Fault>;

    /// Checks everything about this side that can be wrong, and tells one cause from another, with evidence
    /// (scenarios 201 to 205, 209, 218 to 221). Never in a way that could lock anyone out: a sign-in that was
    /// refused is not repeated.
    async fn examine(&self) -> Vec<Check> {
        match self.ping().await {
            Ok(identity) => vec![Check::ok(
                Code::new("sign-in"),
                format!("signed in to {} ({})", identity.name, identity.id),
            )],
            Err(fault) => vec![Check::failed(&fault)],
        }
    }

    /// What a connection can be narrowed down to, as the account lists it: the subsidiaries of a ledger, the
    /// organizations that a user of the platform reaches. Answers too where the table names none yet; empty
    /// where there is nothing to choose from (scenario 202).
    ///
    /// # Errors
    /// A [`Fault`] of the sign-in or the read.
    async fn choices(&self) -> Result<Vec<Choice>, Fault> {
        Ok(Vec::new())
    }

    /// The preferences of another sync between the same systems, as this side keeps them: one record for each
    /// subsidiary that it serves, or that of this connection's alone. Empty where there are none to be seen.
    ///
    /// # Errors
    /// A [`Fault`] of the read.
    async fn other_syncs(&self) -> Result<Vec<OtherSync>, Fault> {
        Ok(Vec::new())
    }

    /// Whether it is real money: `production`, `sandbox`, or what else the system knows. Sends nothing. `None`
    /// where the settings don't tell.
    fn environment(&self) -> Option<&'static str> {
        None
    }

    /// The sign-ins to this account that were refused lately, newest first, where the system shows them to
    /// whoever is signed in; empty where it doesn't.
    ///
    /// # Errors
    /// A [`Fault`] of the read.
    async fn refused_sign_ins(&self) -> Result<Vec<RefusedSignIn>, Fault> {
        Ok(Vec::new())
    }

    /// How often this side's credential was refused within the last half-hour, counted over all processes that share
    /// the store. Sends nothing. Services lock who is refused too often: whoever is about to sign in looks here first
    /// (scenario 205).
    async fn refusals(&self) -> usize {
        0
    }

    /// Names the cause of this side's own refused sign-in by what another sign-in to the same account has
    /// [seen](Self::refused_sign_ins). Sends nothing. `None` where nothing there is about it.
    fn explain_refusal(&self, _seen: &[RefusedSignIn]) -> Option<Check> {
        None
    }

    /// Whether another program keeps the same two sides in agreement, with the evidence: two of them fight, and
    /// make everything twice (scenario 249). What it made before `since` says nothing of now; where nobody said when
    /// it was stopped, what it made lately counts. `None` where nothing speaks for it.
    ///
    /// # Errors
    /// A [`Fault`] of the read.
    async fn other_sync(&self, _since: Option<Timestamp>) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    /// Posting periods, for a ledger; empty for a platform.
    ///
    /// # Errors
    /// A [`Fault`] of the read.
    async fn periods(&self) -> Result<Vec<Period>, Fault>;

    /// The system's own time at a moment of this process's [`uptime`](crate::Clock::uptime), as its answers
    /// have told it; `None` before the first one. Whether an unanswered write may still be running over there
    /// is a matter of its clock, not of ours.
    fn time_at(&self, _uptime: Duration) -> Option<Timestamp> {
        None
    }

    /// A run begins: what was kept for the readers of an earlier run to share is forgotten, so that this run
    /// sees what has happened since. Sends nothing.
    fn run_begins(&self) {}
}

/// Hands out the ledger's files.
#[async_trait]
pub trait Files: Send + Sync {
    /// An invoice as PDF, as the ledger prints it now.
    ///
    /// # Errors
    /// A [`Fault`] of the read; `Refused` where the ledger can't print.
    async fn invoice_pdf(&self, invoice: &RemoteId) -> Result<File, Fault>;

    /// A file of its cabinet, as it was listed: these bytes, by their SHA-256, or none.
    ///
    /// # Errors
    /// A [`Fault`] of the read; `Later` where it has changed since it was listed.
    async fn file(&self, file: &RemoteId, sha256: &str) -> Result<File, Fault>;
}

/// What rules must know of a platform, besides its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ways {
    /// Whether customers and invoices that began there belong into the ledger too.
    pub originates: bool,
    /// Whether it has credit notes of its own. One that has none is told by invoice what was settled elsewhere.
    pub credit_notes: bool,
    /// Whether it pays out what it received in sums of its own, each a deposit in the ledger.
    pub pays_out: bool,
    /// Whether it shows invoices as PDF, where it takes them.
    pub shows_pdfs: bool,
    /// Whether its invoices tell what of them is open. Where they don't, an unpaid one shows all of its total.
    pub tells_open: bool,
}

impl Ways {
    /// Of a ledger, and of a platform that has nothing of the kind.
    pub const NONE: Self = Self {
        originates: false,
        credit_notes: false,
        pays_out: false,
        shows_pdfs: false,
        tells_open: true,
    };

    /// All there are, together: for whoever asks for every flow.
    pub const ALL: Self = Self {
        originates: true,
        credit_notes: true,
        pays_out: true,
        shows_pdfs: true,
        tells_open: true,
    };
}

/// All that a connected system offers: readers and writers by kind.
#[derive(Clone)]
pub struct Ports {
    /// Which system.
    pub system: SystemId,
    /// Questions about the whole.
    pub whole: Arc<dyn Whole>,
    /// Readers.
    pub read: BTreeMap<Kind, Arc<dyn Read>>,
    /// Writers.
    pub write: BTreeMap<Kind, Arc<dyn Write>>,
    /// Its control accounts, for a ledger.
    pub subledger: Option<Arc<dyn Subledger>>,
    /// Its files, for a ledger that can hand them out.
    pub files: Option<Arc<dyn Files>>,
    /// What rules must know of it, for a platform.
    pub ways: Ways,
    /// How many calls may be under way at once.
    pub in_flight_max: usize,
    /// The first part of keys derived from this system's ids: `ns`, `bill`.
    pub key_prefix: &'static str,
    /// The account or organization id: the second part of keys.
    pub account: String,
    /// The subsidiary, or whatever narrows the account to this connection.
    pub subsidiary: Option<RemoteId>,
}

impl Ports {
    /// What can't be done to this side's records: there is no writer for the kind, or none for the action.
    #[must_use]
    pub fn lacks(&self) -> BTreeSet<(Kind, Action)> {
        let all = Kind::ALL.into_iter();
        let all = all.flat_map(|kind| Action::ALL.map(|action| (kind, action)));
        all.filter(|(kind, action)| {
            let writer = self.write.get(kind);
            !writer.is_some_and(|writer| writer.takes(*action))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_for_two_orders_is_known_of_neither() {
        let applied = |id: &str| {
            Answer::Applied(Receipt {
                id: id.into(),
                observed: None,
                adopted: false,
            })
        };
        let told = told_apart(vec![applied("7"), applied("8"), applied("7")]);
        assert_eq!(told[1], applied("8"));
        for at in [0, 2] {
            let Answer::Failed(Fault::Unknown { cause }) = &told[at] else {
                panic!("{told:?}")
            };
            assert!(cause.contains("`7`"), "{cause}");
        }
    }
}
