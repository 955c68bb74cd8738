//! What a flow is.

use tieout_domain::port::{Action, Observed};
use tieout_domain::{Document, Key, Kind, Marker, Outcome, RecordRef, RemoteId, Side};

use crate::Books;

/// A rule that carries one kind of record from one side to the other.
pub trait Flow: Send + Sync {
    /// Its name: `accounts`, `bills`, …
    fn name(&self) -> &'static str;

    /// The records it looks at: each of them has one state in this flow, unless the verdict is
    /// [`Verdict::Elsewhere`].
    fn population(&self) -> &'static [(Side, Kind)];

    /// What kinds it writes, and where: a run of this flow alone must be able to.
    fn writes(&self) -> &'static [(Side, Kind)];

    /// The lists whose records people map for it, in the order in which they are asked about.
    fn maps(&self) -> &'static [Kind] {
        &[]
    }

    /// The codes under which a record is on HOLD until it is changed itself, or another one is: no date, period or
    /// setting frees it.
    fn held_by_records(&self) -> &'static [&'static str] {
        &[]
    }

    /// What must be loaded into the books to decide on this record. Called again after each loading until it
    /// asks for nothing new, so that one need may follow from another (the payment's bill, the bill's vendor).
    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need>;

    /// Decides. The books hold everything that `needs` asked for; what is not there does not exist.
    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict;
}

/// The record that a flow looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Which record.
    pub record: &'a RecordRef,
    /// As it was last seen.
    pub observed: &'a Observed,
    /// Whether it no longer exists on its side.
    pub gone: bool,
}

/// Something to be loaded into the books.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The mirror of a record on either side.
    Record(RecordRef),
    /// What a flow (by name) has linked a record to.
    Links(&'static str, RecordRef),
    /// Which records, of any flow, are linked to this target.
    LinkedTo(RecordRef),
    /// All records of a side and kind whose [`match_key`](crate::matching) is this.
    Matching(Side, Kind, String),
    /// The platform's records that bear this mark.
    Marked(Marker),
    /// The records of a side and kind that were made under this key.
    Keyed(Side, Kind, Key),
    /// The bills and credits of this vendor, of either side, whose mark is on the platform.
    MarkedBills(RecordRef),
    /// Whether any record waits for this: `link:vendors:ledger/vendor/12`, `map:account:58` (the form of
    /// [`tieout_domain::WaitsFor`]).
    Waiting(String),
    /// Whether a record waits to be read again, because a write or another record's change has touched it since.
    Outdated(RecordRef),
    /// What people decided about a record of this flow.
    Decisions(&'static str, RecordRef),
}

/// What is to become of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is no part of this flow's population: another record stands for it.
    Elsewhere,
    /// Nothing to write: this is its state.
    Rest(Outcome),
    /// The record already exists over there: link it without writing, then look again.
    Adopt {
        /// What it is linked to.
        target: RecordRef,
        /// The link's role: empty for the record's own counterpart.
        role: String,
        /// How it was recognised, for the history: `marker`, `number and amount`, `name and address`.
        how: &'static str,
        /// The key under which it is known from now on.
        key: Option<Key>,
    },
    /// Something must be written; once it is applied the record is looked at again.
    Write(Box<Step>),
}

/// One write on one side.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Step {
    /// Where.
    pub side: Side,
    /// What to do.
    pub action: Action,
    /// The role of the link that a creation makes: empty for the record's own counterpart, `reversal`, a
    /// payables account's id where a payment is split.
    pub role: String,
    /// The record to change; `None` for a creation.
    pub target: Option<RemoteId>,
    /// What to write, in that side's terms.
    pub document: Document,
    /// What was there when this was decided; `None` for a creation.
    pub expect: Option<Document>,
    /// The event's idempotency key. The same event always has the same; an amendment's carries what it
    /// amends to, so that two amendments differ.
    pub key: Key,
    /// Why, in a few words, for plan and history.
    pub because: String,
}
