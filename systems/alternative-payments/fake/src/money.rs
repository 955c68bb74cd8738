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

/// Whether an amount is one of whole cents that can be calculated with.
pub(crate) fn is_sane(amount: Decimal) -> bool {
    amount.abs() <= MOST && cents(amount) == amount
}

/// The amount in a field of a body: a number in whole cents.
pub(crate) fn amount(body: &Json, field: &'static str) -> Result<Decimal, Problem> {
    let wrong = || {
        let message = format!("{field} must be a number with two decimals at most");
        Problem::field(field, message)
    };
    let found = body.number(field).filter(|amount| is_sane(*amount));
    found.ok_or_else(wrong)
}
