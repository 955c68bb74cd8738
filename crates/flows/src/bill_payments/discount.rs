//! Early-payment discounts (scenario 85).
//!
//! The platform knows no terms: whoever keeps a discount there pays less. So a payment that leaves just the
//! offered discount open, on a day on which it may be taken, has taken it; any other one is a partial payment.

use tieout_domain::Amount;
use tieout_domain::document::{Bill, Payment};

use crate::preferences::{Discounts, Transactions};

/// The discount that a payment of the platform takes with what it relieves a bill of the ledger of; 0 if none.
pub(super) fn taken(
    payment: &Payment,
    bill: &Bill,
    relieved: Amount,
    preferences: &Transactions,
) -> Amount {
    let Some(offered) = &bill.discount else {
        return Amount::ZERO;
    };
    let in_time = payment.date <= offered.until;
    let short_by_it = bill.open.minus(relieved) == Ok(offered.amount);
    if preferences.discounts == Discounts::Terms && in_time && short_by_it {
        offered.amount
    } else {
        Amount::ZERO
    }
}
