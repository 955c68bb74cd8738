//! Vendor bills.

use serde::{Deserialize, Serialize};

use crate::{Amount, Currency, Date, ExchangeRate, Key, Marker, RemoteId};

/// A vendor bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Vendor.
    pub vendor: RemoteId,
    /// The vendor's invoice number, byte for byte (scenario 72). Empty if there is none.
    pub number: String,
    /// The ledger's own document number; empty on a platform.
    pub transaction_number: String,
    /// Date of the invoice.
    pub date: Date,
    /// When it is due.
    pub due: Option<Date>,
    /// The discount that its terms offer for paying early; of the ledger's bills only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Discount>,
    /// Currency.
    pub currency: Currency,
    /// What its currency is worth in base currency on this side. `None` in base currency, in what is written, and
    /// where the side doesn't tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange_rate: Option<ExchangeRate>,
    /// The payables account it is booked to.
    pub payables_account: Option<RemoteId>,
    /// Subsidiary; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// Posting period.
    pub period: Option<RemoteId>,
    /// Lines, in their order.
    pub lines: Vec<Line>,
    /// What is payable: the sum of the lines.
    pub total: Amount,
    /// What is still open on this side.
    pub open: Amount,
    /// What payments under way will take (platform only).
    pub scheduled: Amount,
    /// Where it stands.
    pub status: BillStatus,
    /// Where its approval stands on this side.
    pub approval: Approval,
    /// Memo.
    pub memo: String,
    /// The purchase order it came from; empty if none.
    pub purchase_order: String,
    /// The ledger's hold on paying it (scenario 29).
    pub payment_hold: bool,
    /// tieout's mark on the platform's copy: whose bill it is (scenarios 222, 226).
    pub marker: Option<Marker>,
    /// The external id on the ledger's copy.
    pub external_id: Option<Key>,
}

/// What may be kept of a bill that is paid early (scenario 85).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    /// How much, in the bill's currency.
    pub amount: Amount,
    /// The last day on which it may be taken.
    pub until: Date,
}

/// A line of a bill or a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The line's own id, where the system gives one that lasts.
    pub id: Option<RemoteId>,
    /// What kind of line.
    pub line_kind: LineKind,
    /// The account it is booked to.
    pub account: Option<RemoteId>,
    /// Amount; negative lines are kept (scenario 43).
    pub amount: Amount,
    /// Memo.
    pub memo: String,
    /// Department.
    pub department: Option<RemoteId>,
    /// Class.
    pub class: Option<RemoteId>,
    /// Location.
    pub location: Option<RemoteId>,
}

/// What kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// Booked to an account directly.
    Expense,
    /// An item's purchase, booked to the item's account.
    Item,
    /// Tax.
    Tax,
}

/// Where a bill stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BillStatus {
    /// Open: wholly or partly unpaid.
    Open,
    /// Paid in full.
    Paid,
    /// Not yet approved in the ledger: not in accounts payable (fact F1).
    PendingApproval,
    /// Rejected in the ledger.
    Rejected,
    /// Cancelled.
    Cancelled,
    /// Voided: zeroed in the ledger.
    Voided,
    /// Archived on the platform.
    Archived,
    /// A word this program doesn't know. Never taken for paid.
    Other(String),
}

/// Where an approval stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// No approver is assigned.
    Unassigned,
    /// Waits for approvers.
    Pending,
    /// Approved.
    Approved,
    /// Denied or rejected.
    Denied,
    /// A word this program doesn't know.
    Other(String),
}
