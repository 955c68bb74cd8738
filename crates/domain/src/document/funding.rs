//! Accounts that the platform takes money from.

use serde::{Deserialize, Serialize};

use crate::RemoteId;

/// A funding account of the platform. Only what identifies it to a person is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingAccount {
    /// Its name, with at most the last four digits.
    pub name: String,
    /// The platform's type word: `BANK_ACCOUNT`, `CARD_ACCOUNT`, …
    pub funding_kind: String,
    /// The platform's account of the chart it is tied to, where it is.
    pub account: Option<RemoteId>,
    /// Whether it can be paid from.
    pub usable: bool,
}
