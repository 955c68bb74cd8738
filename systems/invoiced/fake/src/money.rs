//! Amounts and currencies.

use rust_decimal::{Decimal, RoundingStrategy};
use tieout_domain::Currency;

use crate::json::Json;

/// An amount as the service prints it: a JSON number in major units, without needless zeros.
pub(crate) fn number(amount: Decimal) -> Json {
    Json::from(amount.normalize())
}

/// Rounds to the currency's smallest unit, half away from zero.
pub(crate) fn rounded(amount: Decimal, currency: &str) -> Decimal {
    let digits = currency.parse::<Currency>().map_or(2, Currency::digits);
    amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

/// Whether an amount has parts of the currency's smallest unit.
pub(crate) fn is_too_fine(amount: Decimal, currency: &str) -> bool {
    rounded(amount, currency) != amount
}

/// The amount in a field; zero where there is none.
pub(crate) fn amount(fields: &Json, name: &str) -> Decimal {
    fields.number(name).unwrap_or_default()
}
