//! What a ledger can tell of its control accounts: the ground that a tie-out stands on.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::port::PageToken;
use crate::{Amount, Currency, Date, Fault, Key, Kind, RemoteId};

/// Which of the ledger's two books of open items: what the company owes, or what it is owed.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Book {
    /// What the company owes its vendors.
    #[default]
    Payables,
    /// What its customers owe the company.
    Receivables,
}

impl Book {
    /// The word, as in `locked for payables`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payables => "payables",
            Self::Receivables => "receivables",
        }
    }

    /// The word as a heading begins with it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Payables => "Payables",
            Self::Receivables => "Receivables",
        }
    }

    /// Whom it is owed to, or by: `vendor` or `customer`.
    #[must_use]
    pub fn party(self) -> &'static str {
        match self {
            Self::Payables => "vendor",
            Self::Receivables => "customer",
        }
    }

    /// The same at the head of a column.
    #[must_use]
    pub fn party_title(self) -> &'static str {
        match self {
            Self::Payables => "Vendor",
            Self::Receivables => "Customer",
        }
    }

    /// A debit as this book counts it: what is owed is positive.
    #[must_use]
    pub fn owed(self, debit: Amount) -> Amount {
        match self {
            Self::Payables => -debit,
            Self::Receivables => debit,
        }
    }
}

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
    /// An invoice to a customer.
    Invoice,
    /// A credit memo to a customer.
    CreditMemo,
    /// A payment by a customer.
    CustomerPayment,
    /// Money paid back to a customer.
    CustomerRefund,
    /// A deposit at the bank.
    Deposit,
    /// A journal entry.
    Journal,
    /// A revaluation of foreign currency.
    Revaluation,
    /// Another one, in the ledger's own word.
    Other(String),
}

impl PostingKind {
    /// The kind of record behind it. What is never read as a record of its own stands as a journal entry.
    #[must_use]
    pub fn record(&self) -> Kind {
        match self {
            Self::Bill => Kind::Bill,
            Self::VendorCredit => Kind::VendorCredit,
            Self::Payment => Kind::Payment,
            Self::Invoice => Kind::Invoice,
            Self::CreditMemo => Kind::CreditMemo,
            Self::CustomerPayment => Kind::CustomerPayment,
            Self::CustomerRefund => Kind::CustomerRefund,
            Self::Deposit => Kind::Deposit,
            Self::Journal | Self::Revaluation | Self::Other(_) => Kind::Journal,
        }
    }
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
    /// The vendor, or the customer of a receivable; `None` for a line without one.
    pub party: Option<RemoteId>,
    /// Their name, where the ledger shows it beside the posting.
    pub party_name: String,
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
    /// The deposit that had taken it off the account by then: of a payment among undeposited funds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<RemoteId>,
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

/// Reads the control accounts of one of a ledger's books.
///
/// All of it is of posting lines of the primary accounting book, within the connection's part of the account.
#[async_trait]
pub trait Subledger: Send + Sync {
    /// Whose control accounts these are. Sends nothing.
    fn book(&self) -> Book;

    /// The book's control accounts of the connection: those that were named, or all that the ledger has.
    ///
    /// # Errors
    /// A [`Fault`] of the read.
    async fn control_accounts(&self) -> Result<Vec<(RemoteId, String)>, Fault>;

    /// Where money that customers paid waits for a deposit; nothing where the ledger keeps no such account.
    ///
    /// # Errors
    /// See [`control_accounts`](Self::control_accounts).
    async fn undeposited_funds(&self) -> Result<Vec<(RemoteId, String)>, Fault>;

    /// What the accounts come to at the end of the day: by period, at the end of the last posting period that
    /// ends on or before it.
    ///
    /// # Errors
    /// See [`control_accounts`](Self::control_accounts).
    async fn balances(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
    ) -> Result<Told<Balance>, Fault>;

    /// What happened on the accounts between the two days, both included: by period, in those that end between
    /// them; only lines with a vendor or a customer.
    ///
    /// # Errors
    /// See [`control_accounts`](Self::control_accounts).
    async fn movements(
        &self,
        accounts: &[RemoteId],
        from: Date,
        until: Date,
        basis: Basis,
    ) -> Result<Told<Movement>, Fault>;

    /// A page of vendors' or customers' documents on the accounts of which something is open at the end of the day.
    ///
    /// # Errors
    /// See [`control_accounts`](Self::control_accounts).
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
    /// See [`control_accounts`](Self::control_accounts).
    async fn open_totals(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
    ) -> Result<Told<Movement>, Fault>;

    /// A page of lines on the accounts up to the day that no vendor or customer stands behind.
    ///
    /// # Errors
    /// See [`control_accounts`](Self::control_accounts).
    async fn loose_lines(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
        token: Option<&PageToken>,
    ) -> Result<Told<Posting>, Fault>;

    /// A page of all postings on the accounts up to the day: for clearing accounts, and for undeposited funds, whose
    /// payments name the deposit that has taken them.
    ///
    /// # Errors
    /// See [`control_accounts`](Self::control_accounts).
    async fn postings(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
        token: Option<&PageToken>,
    ) -> Result<Told<Posting>, Fault>;
}
