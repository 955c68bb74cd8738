//! Money received: customer payments, and refunds of them.

use serde::{Deserialize, Serialize};

use crate::{Amount, Currency, Date, Key, Marker, RemoteId};

/// A payment by a customer. On a platform it may move no cash at all: there, applying a credit is a payment of 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerPayment {
    /// Customer; `None` for a receipt that nobody has identified yet.
    pub customer: Option<RemoteId>,
    /// Check number or reference.
    pub number: String,
    /// Date: a plain day (scenario 135).
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// Cash received.
    pub total: Amount,
    /// What of the cash is not applied to anything (scenario 182).
    pub unapplied: Amount,
    /// What it is used for.
    pub uses: Vec<PaymentUse>,
    /// How the money came.
    pub method: ReceiptMethod,
    /// Where it stands.
    pub status: ReceiptStatus,
    /// The charge behind it, where the platform took the money itself.
    pub charge: Option<Charge>,
    /// Where the ledger keeps the money; `None` on a platform.
    pub kept_in: Option<KeptIn>,
    /// The receivables account it relieves.
    pub receivables_account: Option<RemoteId>,
    /// Subsidiary; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// Posting period.
    pub period: Option<RemoteId>,
    /// Memo or notes.
    pub memo: String,
    /// tieout's mark on the platform's copy.
    pub marker: Option<Marker>,
    /// The external id on the ledger's copy.
    pub external_id: Option<Key>,
}

impl CustomerPayment {
    /// `check 1001`, `ACH 2026-06-12`.
    #[must_use]
    pub fn label(&self) -> String {
        if self.number.is_empty() {
            format!("{} {}", self.method.as_str(), self.date)
        } else {
            self.number.clone()
        }
    }
}

/// What a part of a payment is used for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentUse {
    /// What for.
    pub of: UseOf,
    /// How much.
    pub amount: Amount,
}

/// What money or credit is used for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UseOf {
    /// Cash onto an invoice.
    Invoice(RemoteId),
    /// A credit memo onto an invoice: no cash.
    CreditMemo {
        /// The credit memo.
        credit: RemoteId,
        /// The invoice.
        invoice: RemoteId,
    },
    /// Cash kept as the customer's credit (scenario 182).
    Credit,
    /// The customer's kept credit onto an invoice: no cash.
    KeptCredit {
        /// The invoice.
        invoice: RemoteId,
    },
    /// Cash for a surcharge: income of its own, never the invoice's (scenario 183).
    ConvenienceFee,
    /// Cash onto a line of a journal entry: how a reversal in the ledger takes a payment back from its invoices.
    JournalEntry {
        /// The entry.
        entry: RemoteId,
        /// Its line.
        line: Option<u32>,
    },
    /// Cash as a deposit on an estimate.
    Estimate(RemoteId),
    /// Something this program doesn't know, in the platform's own word.
    Other(String),
}

impl UseOf {
    /// The invoice it lowers, if it lowers one.
    #[must_use]
    pub fn invoice(&self) -> Option<&RemoteId> {
        match self {
            Self::Invoice(invoice)
            | Self::CreditMemo { invoice, .. }
            | Self::KeptCredit { invoice } => Some(invoice),
            Self::Credit
            | Self::ConvenienceFee
            | Self::JournalEntry { .. }
            | Self::Estimate(_)
            | Self::Other(_) => None,
        }
    }

    /// Whether cash is used, and not a credit that was there before.
    #[must_use]
    pub fn is_cash(&self) -> bool {
        !matches!(self, Self::CreditMemo { .. } | Self::KeptCredit { .. })
    }
}

/// How money comes in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptMethod {
    /// ACH.
    Ach,
    /// Check.
    Check,
    /// Credit card.
    Card,
    /// Cash.
    Cash,
    /// Wire transfer.
    Wire,
    /// Direct debit.
    DirectDebit,
    /// PayPal.
    PayPal,
    /// Another way, in the system's own word.
    Other(String),
}

impl ReceiptMethod {
    /// The word people use.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ach => "ACH",
            Self::Check => "check",
            Self::Card => "card",
            Self::Cash => "cash",
            Self::Wire => "wire",
            Self::DirectDebit => "direct debit",
            Self::PayPal => "PayPal",
            Self::Other(word) => word,
        }
    }
}

/// Where a customer payment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptStatus {
    /// The money is on its way and may still fail.
    Pending,
    /// Received.
    Received,
    /// Received, and part of a deposit in the ledger.
    Deposited,
    /// Waits for approval in the ledger.
    PendingApproval,
    /// It failed.
    Failed,
    /// Voided.
    Voided,
    /// A word this program doesn't know: never received.
    Other(String),
}

/// Money that the platform took itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The charge.
    pub id: RemoteId,
    /// Who moved the money.
    pub gateway: String,
    /// What of it was paid back.
    pub refunds: Vec<ChargeRefund>,
    /// Whether the customer disputes it (scenario 189).
    pub disputed: bool,
}

/// A part of a charge that was paid back (scenario 190).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRefund {
    /// The refund.
    pub id: RemoteId,
    /// How much.
    pub amount: Amount,
    /// The day.
    pub date: Date,
    /// Whether it went through.
    pub succeeded: bool,
}

/// Where the ledger keeps money that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptIn {
    /// Undeposited funds, until a deposit takes it to the bank.
    UndepositedFunds,
    /// A bank or clearing account at once.
    Account(RemoteId),
}

/// A customer refund of the ledger: money that went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRefund {
    /// Customer.
    pub customer: RemoteId,
    /// Its number.
    pub number: String,
    /// Date.
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// Cash paid back.
    pub total: Amount,
    /// The payments, deposits or credit memos that it pays back.
    pub applications: Vec<super::Application>,
    /// How the money went.
    pub method: ReceiptMethod,
    /// The account it was taken from.
    pub account: Option<RemoteId>,
    /// The receivables account.
    pub receivables_account: Option<RemoteId>,
    /// Subsidiary; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// Posting period.
    pub period: Option<RemoteId>,
    /// Memo.
    pub memo: String,
    /// Whether it was voided.
    pub voided: bool,
    /// The external id on the ledger's copy.
    pub external_id: Option<Key>,
}
