//! Amounts and currencies.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::json::Json;

/// An amount as the service prints it: a JSON number with its cents.
pub(crate) fn number(amount: Decimal) -> Json {
    let mut amount = amount;
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    Json::from(amount)
}

/// Half away from zero, to the cent: how quantity × price and exchanged amounts are rounded.
pub(crate) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// Whether an amount has fractions of a cent.
pub(crate) fn has_fractions_of_a_cent(amount: Decimal) -> bool {
    amount.normalize().scale() > 2
}

/// US dollars for one unit of a currency, unless the control panel has set another rate: fixed, so that runs can be
/// repeated.
pub(crate) fn usual_dollars_for_one(currency: &str) -> Decimal {
    let (units, scale) = match currency {
        "USD" => (1, 0),
        "EUR" => (108, 2),
        "GBP" => (127, 2),
        "CAD" => (73, 2),
        "AUD" => (66, 2),
        "CHF" => (112, 2),
        "JPY" => (67, 4),
        "MXN" => (55, 3),
        _ => (5, 1),
    };
    Decimal::new(units, scale)
}
