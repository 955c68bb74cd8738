//! The words of the history: what can be said to have happened, and how it is handed in.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::port::{Mark, Observed, Order};
use tieout_domain::{Document, Key, Kind, Money, Outcome, RemoteId, Side, TenantName, Timestamp};

use crate::people::{ApprovalDecision, Role, Scope, TokenChange, UserChange};

pub use tieout_domain::RecordRef;

/// The id of a run: opaque, unique within the store; whoever starts the run chooses it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// The run of this id.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A record that a flow must look at again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Due {
    /// Which flow.
    pub flow: String,
    /// Which record.
    pub record: RecordRef,
}

/// A record that has been looked at, as it was due then.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settled {
    /// Which flow, which record.
    pub due: Due,
    /// The stamp with which it was due ([`due_page`](crate::ConnectionStore::due_page)). If it has been made
    /// due again since, by a person or a webhook, it stays due.
    pub stamp: u64,
}

/// What a pull saw of one record. Goes into the mirror, which is a cache and has no history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "the large ones are the common ones"
)]
pub enum RecordChange {
    /// It looks like this.
    Seen {
        /// Whose record.
        side: Side,
        /// The record.
        observed: Observed,
        /// What it would be matched by with the other side's (a flow's own text; empty for none).
        match_key: String,
    },
    /// It exists no more.
    Gone {
        /// Whose record.
        side: Side,
        /// What kind.
        kind: Kind,
        /// Its id.
        id: RemoteId,
    },
}

/// Everything that becomes true at once: one transaction.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The fence of the lease under which this was decided; an older one than the present is refused.
    /// `None` for what needs no lease: a person's decision, a mark from a webhook.
    pub fence: Option<u64>,
    /// Who: `engine`, or the name of a user.
    pub actor: String,
    /// In which run.
    pub run: Option<RunId>,
    /// What happened: each becomes one entry of the history and is folded into the state.
    pub facts: Vec<Fact>,
    /// What a pull saw.
    pub records: Vec<RecordChange>,
    /// Up to where finished reads have seen everything. They commit with the data they cover.
    pub marks: Vec<(Side, Kind, Mark)>,
    /// Records to look at again.
    pub due: Vec<Due>,
    /// What items may wait for and has changed, in the form of [`WaitsFor`](tieout_domain::WaitsFor): they
    /// become due.
    pub wakes: Vec<String>,
    /// Records that have been looked at. Taken off before `due`, and before what the facts make due.
    pub settled: Vec<Settled>,
    /// Texts that a fact of this commit signs: kept under their SHA-256 ([`frozen_name`](crate::frozen_name)).
    pub frozen: Vec<String>,
    /// What is to be known from run to run, by name.
    pub remember: Vec<(String, String)>,
}

/// How sure a mapping is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapStatus {
    /// Proposed; nothing rests on it.
    Suggested,
    /// A person, or an exact match that a person asked for, says so.
    Confirmed,
    /// The counterpart is to be made.
    Create,
    /// Taken back.
    Removed,
}

impl MapStatus {
    /// The word in the store and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::Confirmed => "confirmed",
            Self::Create => "create",
            Self::Removed => "removed",
        }
    }
}

impl FromStr for MapStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [
            Self::Suggested,
            Self::Confirmed,
            Self::Create,
            Self::Removed,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| format!("`{text}` is no status of a mapping"))
    }
}

/// Something that happened: one entry of the history.
///
/// The state of the store (links, items, writes, maps, runs, decisions) is nothing but a fold of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", content = "is", rename_all = "kebab-case")]
#[allow(
    clippy::large_enum_variant,
    reason = "the large ones are the common ones"
)]
pub enum Fact {
    /// A run began; its id is the commit's.
    RunStarted {
        /// What set it off: `schedule`, `command`, `webhook`.
        trigger: String,
        /// Which flows.
        flows: Vec<String>,
        /// Whether it does only a part of what these flows do: single records, a plan, an import. Its end says nothing
        /// of the rest.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        limited: bool,
    },
    /// The run ended; its id is the commit's.
    RunEnded {
        /// `done`, `exceptions`, `failed`, or `killed`.
        status: String,
        /// Each flow's population by state.
        flows: BTreeMap<String, BTreeMap<String, u64>>,
        /// HTTP requests by system.
        calls: BTreeMap<String, u64>,
        /// Why it failed, or empty.
        cause: String,
        /// The codes of what went wrong, each once.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        codes: Vec<Code>,
    },
    /// A write was decided. Its entry's number is the write's id from here on.
    Intended {
        /// Which flow.
        flow: String,
        /// On account of which record.
        record: RecordRef,
        /// Which of the record's counterparts: most have one, a reversed payment has more.
        role: String,
        /// The write.
        order: Order,
        /// What for, in words.
        because: String,
    },
    /// These writes are about to be sent: from here on they may have been applied.
    Attempted {
        /// Their ids.
        writes: Vec<u64>,
        /// The far side's own time then, if it is known: the time that its settling is counted by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        there: Option<Timestamp>,
    },
    /// A write was applied: links the record to the target and closes the write.
    Applied {
        /// Its id.
        write: u64,
        /// What was made or changed.
        target: RecordRef,
        /// Whether it had been there already.
        adopted: bool,
    },
    /// Nobody knows whether it was applied. The write stays open until somebody has looked.
    Unknown {
        /// Its id.
        write: u64,
        /// What happened.
        cause: String,
    },
    /// It was certainly not applied; it will be decided anew. Closes the write.
    Later {
        /// Its id.
        write: u64,
        /// Why.
        code: Code,
        /// Why, in words.
        cause: String,
    },
    /// The other side declined. Closes the write.
    Refused {
        /// Its id.
        write: u64,
        /// Why.
        code: Code,
        /// The field at fault, where one was named.
        field: Option<String>,
        /// Why, in its words.
        cause: String,
    },
    /// It was certainly not applied and is no longer wanted. Closes the write.
    Abandoned {
        /// Its id.
        write: u64,
        /// Why.
        cause: String,
    },
    /// A link was found or made without a write.
    Linked {
        /// Which flow.
        flow: String,
        /// From.
        record: RecordRef,
        /// Which of its counterparts.
        role: String,
        /// To.
        target: RecordRef,
        /// The key under which the target was made, where known.
        key: Option<Key>,
        /// By what it was found: `marker`, `external-id`, `match`, a person.
        how: String,
        /// The document last agreed on, in the target's terms, where known.
        applied: Option<Document>,
    },
    /// A link was taken back.
    Unlinked {
        /// Which flow.
        flow: String,
        /// From.
        record: RecordRef,
        /// Which of its counterparts.
        role: String,
        /// Why.
        cause: String,
    },
    /// A record's state.
    Stated {
        /// Which flow.
        flow: String,
        /// Which record.
        record: RecordRef,
        /// The state and its reason.
        outcome: Outcome,
        /// What people call the record.
        label: String,
        /// What it is worth.
        amount: Option<Money>,
    },
    /// The record leaves the flow's population.
    Forgotten {
        /// Which flow.
        flow: String,
        /// Which record.
        record: RecordRef,
    },
    /// A mapping of an account, a dimension or a funding account.
    Mapped {
        /// `account`, `department`, `class`, `location`, `funding`.
        kind: String,
        /// From.
        from: RemoteId,
        /// To; `None` where it is to be made, or is taken back.
        to: Option<RemoteId>,
        /// How sure.
        status: MapStatus,
        /// What people call the one.
        label_from: String,
        /// What people call the other.
        label_to: String,
        /// Why it is thought so.
        why: String,
    },
    /// The applied document was read back and is as written (habit: pair assertions).
    Confirmed {
        /// Which flow.
        flow: String,
        /// Which record.
        record: RecordRef,
        /// Which of its counterparts.
        role: String,
    },
    /// The applied document was read back and is not as written.
    Drifted {
        /// Which flow.
        flow: String,
        /// Which record.
        record: RecordRef,
        /// Which of its counterparts.
        role: String,
        /// Both values.
        cause: String,
    },
    /// A person decided about a record. The latest decision counts; an empty one takes it back.
    Decided {
        /// Which flow.
        flow: String,
        /// Which record.
        record: RecordRef,
        /// `ignore`, `link RECORD`, `accept CODE`, …: the flows' words. Empty: nothing is decided any more.
        decision: String,
        /// Why, in the person's words.
        reason: String,
    },
    /// A person stops all remote writes: of this connection, or on the installation's chain of all.
    Paused {
        /// Why, in the person's words; may be empty.
        reason: String,
    },
    /// A person lets them go on.
    Resumed {
        /// Why, in the person's words.
        reason: String,
    },
    /// The history lacks what was done, or may: no remote write until the links are rebuilt and a person
    /// releases the connection (scenario 225).
    RecoveryNeeded {
        /// By what it was noticed.
        cause: String,
    },
    /// A person ends the recovery.
    Released {
        /// Why, in the person's words.
        reason: String,
    },
    /// Personal values of a record were erased from the history (scenario 247).
    Erased {
        /// Which record.
        record: RecordRef,
        /// From how many entries.
        entries: u64,
        /// On whose demand.
        reason: String,
    },
    /// The name and mail of somebody who was a user were erased from the history (scenario 247). On the installation's
    /// chain.
    UserErased {
        /// What they signed in with.
        user: String,
        /// From how many entries.
        entries: u64,
    },
    /// A person signed a report: what it says is kept under its hash, and what it was made of beside it.
    Signed {
        /// What sort of report: `tie-out`.
        report: String,
        /// Which period: `2026-06`.
        period: String,
        /// Which currency.
        currency: String,
        /// As what: `preparer` or `reviewer`.
        role: String,
        /// What it came to.
        status: String,
        /// The report's SHA-256.
        sha256: String,
        /// The SHA-256 of what it was made of.
        extract: String,
        /// What the person said.
        comment: String,
    },
    /// A sealed credential was set or removed. On the installation's chain.
    Credential {
        /// Its name.
        name: String,
        /// Its kind.
        kind: String,
        /// `set` or `removed`.
        change: String,
    },
    /// A preference was changed.
    Preference {
        /// Whose.
        connection: String,
        /// Which.
        name: String,
        /// Its value before.
        before: String,
        /// Its value since.
        after: String,
    },
    /// A user was added, changed or removed. Says all of what they are since, and never what proves it. On the
    /// installation's chain.
    User {
        /// What they sign in with.
        user: String,
        /// What happened to them.
        change: UserChange,
        /// What people call them.
        name: String,
        /// Their mail address; empty for none.
        email: String,
        /// What they may do.
        role: Role,
        /// Who they are for the identity provider.
        subject: Option<String>,
        /// Whether they are kept from signing in.
        disabled: bool,
        /// Until when they are a user at all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// The tenants whose connections alone they see and touch; everything if none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tenants: Vec<TenantName>,
    },
    /// A token of the API was made or revoked. On the installation's chain.
    Token {
        /// Its name.
        token: String,
        /// Whose.
        user: String,
        /// What happened to it.
        change: TokenChange,
        /// What it may do.
        scope: Scope,
        /// Until when it is good.
        expires: Option<Timestamp>,
        /// The tenants whose connections alone it is good for; all that its owner reaches if none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tenants: Vec<TenantName>,
    },
    /// A person asks for what another must approve. Its entry's number is the request's id from here on.
    ApprovalAsked {
        /// What sort of thing: `mapping`, `replay`, `sign-off`.
        what: String,
        /// What exactly: one request for it is open at a time.
        subject: String,
        /// What will be done, in the words of who does it then.
        proposal: serde_json::Value,
        /// Who asks: the person, also where a token of theirs was used.
        user: String,
        /// Why, in the person's words.
        reason: String,
    },
    /// Another person says yes or no to a request, or who asked takes it back.
    ApprovalDecided {
        /// Its id.
        request: u64,
        /// Yes or no.
        decision: ApprovalDecision,
        /// Who decides.
        user: String,
        /// Why, in the person's words; may be empty.
        reason: String,
    },
    /// An import came to its end. What became of each record is told by its runs.
    Imported {
        /// Which list: `customers`, `invoices`.
        list: String,
        /// Who had asked for it.
        asked_by: String,
        /// The runs that it took, in their order.
        runs: Vec<RunId>,
        /// How many records came to what.
        counts: BTreeMap<String, u64>,
    },
    /// A connection was taken out of the store with its whole history. On the installation's chain: what is left to
    /// show that it was there, and how far it went.
    HistoryDeleted {
        /// Which.
        connection: String,
        /// Whose it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<TenantName>,
        /// How many entries its history had.
        entries: u64,
        /// The hash of the last one, by which an export of it is known.
        hash: String,
        /// How many rows of each table went with it.
        rows: BTreeMap<String, u64>,
        /// On whose demand, in the person's words.
        reason: String,
    },
    /// Anything else worth keeping.
    Note {
        /// The words.
        text: String,
    },
}

impl Fact {
    /// The fact's word, as in the history.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "run-started",
            Self::RunEnded { .. } => "run-ended",
            Self::Intended { .. } => "intended",
            Self::Attempted { .. } => "attempted",
            Self::Applied { .. } => "applied",
            Self::Unknown { .. } => "unknown",
            Self::Later { .. } => "later",
            Self::Refused { .. } => "refused",
            Self::Abandoned { .. } => "abandoned",
            Self::Linked { .. } => "linked",
            Self::Unlinked { .. } => "unlinked",
            Self::Stated { .. } => "stated",
            Self::Forgotten { .. } => "forgotten",
            Self::Mapped { .. } => "mapped",
            Self::Confirmed { .. } => "confirmed",
            Self::Drifted { .. } => "drifted",
            Self::Decided { .. } => "decided",
            Self::Paused { .. } => "paused",
            Self::Resumed { .. } => "resumed",
            Self::RecoveryNeeded { .. } => "recovery-needed",
            Self::Released { .. } => "released",
            Self::Erased { .. } => "erased",
            Self::UserErased { .. } => "user-erased",
            Self::Signed { .. } => "signed",
            Self::Credential { .. } => "credential",
            Self::Preference { .. } => "preference",
            Self::User { .. } => "user",
            Self::Token { .. } => "token",
            Self::ApprovalAsked { .. } => "approval-asked",
            Self::ApprovalDecided { .. } => "approval-decided",
            Self::Imported { .. } => "imported",
            Self::HistoryDeleted { .. } => "history-deleted",
            Self::Note { .. } => "note",
        }
    }

    /// The flow and the record that it names itself. What it says about a write is about the write's record.
    #[must_use]
    pub fn subject(&self) -> (Option<&str>, Option<&RecordRef>) {
        match self {
            Self::Intended { flow, record, .. }
            | Self::Linked { flow, record, .. }
            | Self::Unlinked { flow, record, .. }
            | Self::Stated { flow, record, .. }
            | Self::Forgotten { flow, record }
            | Self::Confirmed { flow, record, .. }
            | Self::Drifted { flow, record, .. }
            | Self::Decided { flow, record, .. } => (Some(flow), Some(record)),
            Self::Erased { record, .. } => (None, Some(record)),
            _ => (None, None),
        }
    }

    /// The one write that it tells the outcome of.
    #[must_use]
    pub fn write(&self) -> Option<u64> {
        match self {
            Self::Applied { write, .. }
            | Self::Unknown { write, .. }
            | Self::Later { write, .. }
            | Self::Refused { write, .. }
            | Self::Abandoned { write, .. } => Some(*write),
            _ => None,
        }
    }
}
