//! What a ledger can tell of its control accounts: the ground that a tie-out stands on.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::port::PageToken;
use crate::{Amount, Currency, Date, Fault, Key, RemoteId};

/// A question that was asked, word by word, for the evidence of a tie-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The query or address, exactly as sent.
    pub query: String,
    /// The system's own time when it answered, as it said it; empty if it doesn't.
    pub server_time: String,
}

/// An answer, with the question.
#[derive(Debug, Clone)]
pub struct Told<T> {
    /// The question.
    pub asked: Asked,
    /// The rows.
    pub rows: Vec<T>,
    /// Where to go on; `None` on the last page.
    pub next: Option<PageToken>,
}

/// What posting lines on one account come to, by currency of the transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The account.
    pub account: RemoteId,
    /// The currency of the transactions.
    pub currency: Currency,
    /// In that currency; debit is positive, as the ledger counts.
    pub amount: Amount,
    /// The same in base currency.
    pub base: Amount,
    /// How many lines.
    pub lines: u64,
}

/// What happened on the accounts in one span of posting periods, by type of transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// What kind of transaction.
    pub kind: PostingKind,
    /// The currency of the transactions.
    pub currency: Currency,
    /// What their lines on the accounts come to; debit is positive.
    pub amount: Amount,
    /// How many transactions.
    pub count: u64,
}

/// What kind of transaction stands behind a posting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostingKind {
    /// A vendor bill.
    Bill,
    /// A vendor credit.
    VendorCredit,
    /// A vendor payment.
    Payment,
    /// A journal entry.
    Journal,
    /// A revaluation of foreign currency.
    Revaluation,
    /// Another one, in the ledger's own word.
    Other(String),
}

/// A posting on a control or clearing account: one transaction's lines there, added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The transaction.
    pub id: RemoteId,
    /// What kind.
    pub kind: PostingKind,
    /// The account.
    pub account: RemoteId,
    /// Its number: the vendor's for a bill.
    pub number: String,
    /// The external id, if it was made under a key.
    pub external_id: Option<Key>,
    /// The vendor; `None` for a line without one.
    pub vendor: Option<RemoteId>,
    /// The vendor's name, where the ledger shows it beside the posting.
    pub vendor_name: String,
    /// Day of the transaction.
    pub date: Date,
    /// When it is due.
    pub due: Option<Date>,
    /// Last day of its posting period.
    pub period_end: Date,
    /// Currency of the transaction.
    pub currency: Currency,
    /// What it comes to on the account; debit is positive.
    pub amount: Amount,
    /// What of it was not applied to, or by, anything posted up to the asked day; debit is positive. The same
    /// as `amount` where nothing can be applied.
    pub open: Amount,
    /// Memo.
    pub memo: String,
}

/// By what a transaction belongs to the time up to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// By its posting period: what the general ledger goes by.
    Period,
    /// By its own day: what the usual aging report goes by (fact F2).
    Day,
}

/// Reads a ledger's control accounts.
///
/// All of it is of posting lines of the primary accounting book, within the connection's part of the account.
#[async_trait]
pub trait Subledger: Send + Sync {
    /// Payables control accounts of the connection: those that were named, or all that the ledger has.
    ///
    /// # Errors
    /// A [`Fault`] of the read.
    async fn payables_accounts(&self) -> Result<Vec<(RemoteId, String)>, Fault>;

    /// What the accounts come to at the end of the day: by period, at the end of the last posting period that
    /// ends on or before it.
    ///
    /// # Errors
    /// See [`payables_accounts`](Self::payables_accounts).
    async fn balances(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
    ) -> Result<Told<Balance>, Fault>;

    /// What happened on the accounts between the two days, both included: by period, in those that end between
    /// them; only lines with a vendor.
    ///
    /// # Errors
    /// See [`payables_accounts`](Self::payables_accounts).
    async fn movements(
        &self,
        accounts: &[RemoteId],
        from: Date,
        until: Date,
        basis: Basis,
    ) -> Result<Told<Movement>, Fault>;

    /// A page of vendors' documents on the accounts of which something is open at the end of the day.
    ///
    /// # Errors
    /// See [`payables_accounts`](Self::payables_accounts).
    async fn open_items(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
        token: Option<&PageToken>,
    ) -> Result<Told<Posting>, Fault>;

    /// What the open items come to by currency, added up by the ledger itself: a count and a sum to
    /// hold against the rows.
    ///
    /// # Errors
    /// See [`payables_accounts`](Self::payables_accounts).
    async fn open_totals(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
    ) -> Result<Told<Movement>, Fault>;

    /// A page of lines on the accounts up to the day that no vendor stands behind.
    ///
    /// # Errors
    /// See [`payables_accounts`](Self::payables_accounts).
    async fn loose_lines(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
        token: Option<&PageToken>,
    ) -> Result<Told<Posting>, Fault>;

    /// A page of all postings on the accounts up to the day: for clearing accounts.
    ///
    /// # Errors
    /// See [`payables_accounts`](Self::payables_accounts).
    async fn postings(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
        token: Option<&PageToken>,
    ) -> Result<Told<Posting>, Fault>;
}
