//! Payments of vendor bills.

use serde::{Deserialize, Serialize};

use crate::{Amount, Currency, Date, Key, Money, RemoteId};

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Vendor.
    pub vendor: RemoteId,
    /// Check number in the ledger; the platform's transaction number there.
    pub number: String,
    /// Process date: a plain day (scenario 135).
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// Cash: what leaves the account. Credits used are not part of it (scenario 49), nor discounts.
    pub total: Amount,
    /// What was taken from the company's account for it, where that is another currency (scenario 102).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funded: Option<Money>,
    /// What it pays.
    pub applications: Vec<Application>,
    /// How.
    pub method: Method,
    /// Where it stands, in tieout's words.
    pub status: PaymentStatus,
    /// Whether it was made outside the platform and only recorded there.
    pub outside: bool,
    /// The reference that was recorded with an outside payment.
    pub reference: String,
    /// Where the money comes from on the platform.
    pub funding: Option<Funding>,
    /// The check's number, once it is known.
    pub check_number: String,
    /// Trace or confirmation number.
    pub confirmation: String,
    /// The last four digits of a card, and no more (scenario 101).
    pub card_last4: String,
    /// The day it cleared, once it has.
    pub cleared: Option<Date>,
    /// Its void, once one was asked for.
    pub void: Option<Void>,
    /// The cash account in the ledger.
    pub account: Option<RemoteId>,
    /// The payables account it relieves.
    pub payables_account: Option<RemoteId>,
    /// Subsidiary; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// Posting period.
    pub period: Option<RemoteId>,
    /// Department, where the ledger demands one (scenario 163).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<RemoteId>,
    /// Class, where the ledger demands one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<RemoteId>,
    /// Location, where the ledger demands one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<RemoteId>,
    /// Memo.
    pub memo: String,
    /// Whether it is posted: a payment that waits for approval in the ledger isn't (scenario 149).
    pub posted: bool,
    /// The external id on the ledger's copy.
    pub external_id: Option<Key>,
}

impl Payment {
    /// `ACH 2026-06-12`, `check 1001`.
    #[must_use]
    pub fn label(&self) -> String {
        if !self.check_number.is_empty() {
            format!("check {}", self.check_number)
        } else if !self.number.is_empty() {
            self.number.clone()
        } else {
            format!("{} {}", self.method.as_str(), self.date)
        }
    }
}

/// What of a payment or credit goes to which document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// The bill, or in a reversal the journal entry.
    pub document: RemoteId,
    /// The line of the document, where it is not the whole: a journal's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Cash applied.
    pub amount: Amount,
    /// The early-payment discount that was taken with it: it relieves the document beside the cash
    /// (scenario 85).
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub discount: Amount,
    /// Credits used together with the cash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<CreditUse>,
}

/// For serde, which gives a reference.
fn is_nothing(amount: &Amount) -> bool {
    amount.is_zero()
}

/// A credit used in a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditUse {
    /// The credit.
    pub credit: RemoteId,
    /// How much of it.
    pub amount: Amount,
}

/// Where money comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funding {
    /// The platform's type word: `BANK_ACCOUNT`, `CARD_ACCOUNT`, `WALLET`, `AP_CARD`.
    pub funding_kind: String,
    /// The funding account.
    pub id: RemoteId,
}

/// How money moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// ACH.
    Ach,
    /// Check.
    Check,
    /// Virtual card.
    VirtualCard,
    /// International wire or local transfer abroad.
    International,
    /// RPPS.
    Rpps,
    /// Wallet.
    Wallet,
    /// Made outside the platform.
    Offline,
    /// Another way, in the system's own word.
    Other(String),
}

impl Method {
    /// The word people use.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ach => "ACH",
            Self::Check => "check",
            Self::VirtualCard => "virtual card",
            Self::International => "international",
            Self::Rpps => "RPPS",
            Self::Wallet => "wallet",
            Self::Offline => "outside",
            Self::Other(word) => word,
        }
    }
}

/// Where a payment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentStatus {
    /// Waits for approval on the platform.
    Approving,
    /// Scheduled: may still be cancelled.
    Scheduled,
    /// The money is being taken.
    Funding,
    /// Processed, sent or delivered: the vendor is being paid.
    Processed,
    /// Cleared. Not final for ACH (fact F15).
    Cleared,
    /// The disbursement is held.
    OnHold,
    /// A cancellation or void is under way.
    VoidPending,
    /// Cancelled while it was scheduled.
    Canceled,
    /// Voided.
    Voided,
    /// The funding failed and the payment was voided.
    FundingFailedVoided,
    /// The funding failed but the vendor was paid: the payer owes the platform.
    FundingFailedOwed,
    /// The disbursement failed or came back; the money is at the platform.
    Returned,
    /// A check about to expire.
    Expiring,
    /// Turned over to the state: can't be voided.
    Escheated,
    /// Voided in the ledger.
    LedgerVoided,
    /// A word this program doesn't know: never paid (scenario 118).
    Other(String),
}

/// The void of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// What kind was asked for.
    pub void_kind: VoidKind,
    /// Whether the platform has accepted it.
    pub accepted: bool,
    /// Whether the platform has rejected it: the check was cashed (scenario 112).
    pub rejected: bool,
}

/// What a void leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VoidKind {
    /// The bills are unpaid again.
    Credit,
    /// A new payment replaces it: nothing to book (scenario 109).
    Reissue,
    /// A word this program doesn't know.
    Other(String),
}
