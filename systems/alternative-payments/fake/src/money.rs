//! Amounts in dollars.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::json::Json;
use crate::problem::Problem;

/// The largest amount that is taken, so that sums of many stay exact.
const MOST: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// An amount as the service prints it: a JSON number without needless zeros.
pub(crate) fn number(amount: Decimal) -> Json {
    Json::from(amount.normalize())
}

/// Rounds to the cent, half away from zero.
pub(crate) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// The amount in a field of a body: a number in whole cents.
pub(crate) fn amount(body: &Json, field: &'static str) -> Result<Decimal, Problem> {
    let found = body.number(field).filter(|amount| amount.abs() <= MOST);
    let wrong = || Problem::field(field, format!("{field} must be a number"));
    let amount = found.ok_or_else(wrong)?;
    if cents(amount) != amount {
        let message = format!("{field} must have two decimals at most");
        return Err(Problem::field(field, message));
    }
    Ok(amount)
}
