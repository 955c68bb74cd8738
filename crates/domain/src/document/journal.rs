//! Journal entries: what a reversal is made of.

use serde::{Deserialize, Serialize};

use crate::{Amount, Currency, Date, Key, Money, RemoteId};

/// A journal entry. Debits equal credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Its number; empty before it is written.
    pub number: String,
    /// Date; also decides the posting period.
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// What its debits come to in base currency, where that is another one and a reversal has to come to what it reverses;
    /// `None` where the ledger takes its own rate of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funded: Option<Money>,
    /// Subsidiary; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// Department of every line, where the ledger demands one (scenario 163).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<RemoteId>,
    /// Class of every line, where the ledger demands one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<RemoteId>,
    /// Location of every line, where the ledger demands one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<RemoteId>,
    /// Memo.
    pub memo: String,
    /// Lines.
    pub lines: Vec<JournalLine>,
    /// The external id.
    pub external_id: Option<Key>,
}

/// A line of a journal entry: exactly one of debit and credit is not zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// Account.
    pub account: RemoteId,
    /// Debit.
    pub debit: Amount,
    /// Credit.
    pub credit: Amount,
    /// The vendor or customer it concerns: makes a line on the payables or receivables account an open item of theirs.
    pub vendor: Option<RemoteId>,
    /// Memo.
    pub memo: String,
    /// The line's number in the ledger, once it is known: what an application names.
    pub line: Option<u32>,
}
