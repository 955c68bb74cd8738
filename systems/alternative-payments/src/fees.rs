//! Fees of payments and payouts (README §Payments, §Payouts).

use serde::Deserialize;
use tieout_domain::{Amount, MoneyError};
use tieout_kit::wire::Exact;

use crate::wire::text;

/// A fee as the service shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FeeShown {
    pub(crate) amount: Exact,
    #[serde(default)]
    covered_by_customer: Option<bool>,
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, rename = "type", deserialize_with = "text")]
    sort: String,
}

impl FeeShown {
    /// Whether the customer paid it on top.
    pub(crate) fn is_covered(&self) -> bool {
        self.covered_by_customer == Some(true)
    }

    /// The service's own words for it.
    pub(crate) fn words(&self) -> &str {
        match self.name.trim() {
            "" => self.sort.trim(),
            name => name,
        }
    }
}

/// What the customer paid on top.
pub(crate) fn covered(fees: &[FeeShown]) -> Result<Amount, MoneyError> {
    let covered = fees.iter().filter(|fee| fee.is_covered());
    Amount::total(covered.map(|fee| fee.amount.0))
}
