//! Invoices to customers.

use serde::{Deserialize, Serialize};

use crate::{Amount, Currency, Date, Key, Marker, RemoteId};

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Customer.
    pub customer: RemoteId,
    /// The number that the customer sees. Unique on a platform.
    pub number: String,
    /// Date of the invoice.
    pub date: Date,
    /// When it is due.
    pub due: Option<Date>,
    /// Payment terms, by the side's own id.
    pub terms: Option<RemoteId>,
    /// Currency.
    pub currency: Currency,
    /// The receivables account it is booked to.
    pub receivables_account: Option<RemoteId>,
    /// Subsidiary; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// Posting period.
    pub period: Option<RemoteId>,
    /// Lines in their order, taxes and discounts among them: their sum is the total.
    pub lines: Vec<SalesLine>,
    /// What the customer owes in all.
    pub total: Amount,
    /// What is still open on this side. A voided invoice may still show a balance: the status decides.
    pub open: Amount,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// Memo or notes.
    pub memo: String,
    /// The customer's purchase order; empty if none.
    pub purchase_order: String,
    /// tieout's mark on the platform's copy: whose invoice it is.
    pub marker: Option<Marker>,
    /// The external id on the ledger's copy.
    pub external_id: Option<Key>,
}

/// A line of an invoice or a credit memo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesLine {
    /// The line's own id, where the system gives one that lasts.
    pub id: Option<RemoteId>,
    /// What kind of line.
    pub line_kind: SalesLineKind,
    /// The item sold, or the one that stands for a tax or a discount; `None` on a platform's free line.
    pub item: Option<RemoteId>,
    /// What the line is called.
    pub name: String,
    /// Description.
    pub description: String,
    /// How many; an exact decimal.
    pub quantity: Amount,
    /// Price of one.
    pub rate: Amount,
    /// What the line adds to the total; negative for a discount.
    pub amount: Amount,
    /// Department.
    pub department: Option<RemoteId>,
    /// Class.
    pub class: Option<RemoteId>,
    /// Location.
    pub location: Option<RemoteId>,
}

/// What kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SalesLineKind {
    /// Something sold.
    Item,
    /// A discount: its amount is negative.
    Discount,
    /// Tax.
    Tax,
    /// Shipping and handling.
    Shipping,
}

/// Where an invoice or a credit memo stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvoiceStatus {
    /// A draft: nobody owes it yet (scenario 197).
    Draft,
    /// Waits for approval in the ledger (scenario 197).
    PendingApproval,
    /// Rejected in the ledger.
    Rejected,
    /// Open: wholly or partly unpaid.
    Open,
    /// Open, and a payment of it is under way.
    PaymentPending,
    /// Paid in full; a credit memo: applied in full.
    Paid,
    /// Closed as bad debt: never taken for paid (scenario 199).
    WrittenOff,
    /// Voided.
    Voided,
    /// A word this program doesn't know. Never taken for paid.
    Other(String),
}

/// A credit memo: what a platform calls a credit note. Its amounts are positive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditMemo {
    /// Customer.
    pub customer: RemoteId,
    /// Its number.
    pub number: String,
    /// Date.
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// The receivables account it is booked to.
    pub receivables_account: Option<RemoteId>,
    /// Subsidiary; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// Posting period.
    pub period: Option<RemoteId>,
    /// Lines; their sum is the total.
    pub lines: Vec<SalesLine>,
    /// The credit.
    pub total: Amount,
    /// What is not applied yet (scenario 179).
    pub open: Amount,
    /// What is applied to which invoices, as far as the side tells it with the credit: a platform tells it with
    /// payments instead.
    pub applications: Vec<super::Application>,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// Memo or notes.
    pub memo: String,
    /// tieout's mark on the platform's copy.
    pub marker: Option<Marker>,
    /// The external id on the ledger's copy.
    pub external_id: Option<Key>,
}
