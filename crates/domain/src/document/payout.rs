//! Payouts: what a platform received for the company, and pays out in sums of its own.

use serde::{Deserialize, Serialize};

use crate::{Amount, Currency, Date, RemoteId};

/// A payout: one line on the company's bank statement (scenario 184).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// What people call it; empty where the platform has no word but its id.
    pub number: String,
    /// The day on which it arrives: a plain day.
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// What it is made of, fees among it: the sum is the total.
    pub parts: Vec<PayoutPart>,
    /// What arrives on the bank account.
    pub total: Amount,
    /// Where it stands.
    pub status: PayoutStatus,
}

impl Payout {
    /// The payments in it.
    pub fn payments(&self) -> impl Iterator<Item = (&RemoteId, Amount)> {
        self.parts.iter().filter_map(|part| match &part.of {
            PartOf::Payment(id) => Some((id, part.amount)),
            _ => None,
        })
    }
}

/// A part of a payout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PayoutPart {
    /// What it is.
    pub of: PartOf,
    /// What it adds to the payout; negative for what is taken off.
    pub amount: Amount,
    /// The platform's own words for it; may be empty.
    pub memo: String,
}

/// What a part of a payout is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartOf {
    /// A customer's payment.
    Payment(RemoteId),
    /// Money that went back to a customer (scenario 190).
    Refund {
        /// The payment that was refunded, where the platform tells.
        payment: Option<RemoteId>,
    },
    /// A payment that failed or was returned after it had been paid out (scenario 188).
    Failure {
        /// The payment.
        payment: Option<RemoteId>,
    },
    /// A payment that the customer disputes (scenario 189).
    Chargeback {
        /// The payment.
        payment: Option<RemoteId>,
    },
    /// A dispute that was won: the money comes back.
    ChargebackWon {
        /// The payment.
        payment: Option<RemoteId>,
    },
    /// What the platform takes for its work.
    Fee,
    /// What the platform takes for a dispute.
    DisputeFee,
    /// A correction by the platform.
    Adjustment,
    /// Something this program doesn't know, in the platform's own word.
    Other(String),
}

/// Where a payout stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayoutStatus {
    /// It is being put together, or on its way.
    UnderWay,
    /// It has arrived.
    Paid,
    /// It did not arrive.
    Failed,
    /// It was called off.
    Canceled,
    /// A word this program doesn't know. Never taken for paid.
    Other(String),
}
