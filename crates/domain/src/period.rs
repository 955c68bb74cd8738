//! Posting periods.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::RemoteId;
use crate::subledger::Book;

/// Whether a posting period accepts postings. Locked is not closed (fact F3): a role may post into a
/// locked period, nobody into a closed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodState {
    /// Accepts postings.
    Open,
    /// Locked for this kind of posting.
    Locked,
    /// Closed.
    Closed,
}

/// A posting period of the ledger: a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The ledger's id for it.
    pub id: RemoteId,
    /// For example `Jun 2026`.
    pub name: String,
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
    /// Whether payables can be posted to it.
    pub payables: PeriodState,
    /// Whether receivables can be posted to it.
    pub receivables: PeriodState,
    /// Whether applications without effect on the general ledger may still be made in it when closed.
    pub non_ledger_changes: bool,
}

impl Period {
    /// Whether the day lies in it.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.start <= day && day <= self.end
    }

    /// Whether a book can be posted to it: each is locked by itself.
    #[must_use]
    pub fn state_of(&self, book: Book) -> PeriodState {
        match book {
            Book::Payables => self.payables,
            Book::Receivables => self.receivables,
        }
    }

    /// Whether a book is open in it.
    #[must_use]
    pub fn is_open(&self, book: Book) -> bool {
        self.state_of(book) == PeriodState::Open
    }
}
