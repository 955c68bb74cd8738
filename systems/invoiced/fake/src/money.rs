//! Amounts and currencies.

use rust_decimal::{Decimal, RoundingStrategy};
use tieout_domain::Currency;

use crate::json::Json;

/// The largest figure that is taken, so that products and sums of many stay exact.
const MOST: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// Whether a figure is one that can be calculated with: below a million millions.
pub(crate) fn is_sane(figure: Decimal) -> bool {
    figure.abs() <= MOST
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_millions_is_the_most() {
        assert_eq!(MOST.to_string(), "1000000000000");
    }

    #[test]
    fn amounts_are_rounded_to_the_currency_s_smallest_unit() {
        let amount = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(rounded(amount("1.005"), "usd"), amount("1.01"));
        assert_eq!(rounded(amount("100.5"), "jpy"), amount("101"));
        assert_eq!(number(amount("100.00")).to_text(), "100");
    }
}
