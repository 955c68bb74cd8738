//! What one currency is worth in another.

use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Serialize};

use crate::{Amount, Currency, MoneyError};

/// What a unit of a document's currency is worth in base currency, as one side tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRate {
    /// Units of the base currency for one of the document's.
    rate: Amount,
    /// The base currency.
    base: Currency,
}

impl ExchangeRate {
    /// The rate, if it is one: above zero.
    #[must_use]
    pub fn new(rate: Amount, base: Currency) -> Option<Self> {
        rate.is_positive().then_some(Self { rate, base })
    }

    /// Units of the base currency for one of the document's.
    #[must_use]
    pub fn rate(self) -> Amount {
        self.rate
    }

    /// The base currency.
    #[must_use]
    pub fn base(self) -> Currency {
        self.base
    }

    /// What an amount is worth in base currency, to its smallest unit; a half goes away from zero, as both sides
    /// round.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn worth(self, amount: Amount) -> Result<Amount, MoneyError> {
        let product = amount.decimal().checked_mul(self.rate.decimal());
        let product = product.ok_or(MoneyError::Overflow)?;
        let half_away = RoundingStrategy::MidpointAwayFromZero;
        let digits = self.base.digits();
        Ok(Amount::new(
            product.round_dp_with_strategy(digits, half_away),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn worth(rate: &str, base: &str, of: &str) -> Amount {
        let rate = ExchangeRate::new(amount(rate), base.parse().unwrap());
        rate.unwrap().worth(amount(of)).unwrap()
    }

    #[test]
    fn what_an_amount_is_worth_is_rounded_to_the_base_currencys_smallest_unit() {
        assert_eq!(worth("0.73", "USD", "200"), amount("146"));
        assert_eq!(worth("1.08505", "USD", "100"), amount("108.51"));
        assert_eq!(worth("1.08505", "USD", "-100"), amount("-108.51"));
        assert_eq!(worth("149.5", "JPY", "1.01"), amount("151"));
    }

    #[test]
    fn nothing_and_less_is_no_rate() {
        for rate in ["0", "-0.5"] {
            assert_eq!(ExchangeRate::new(amount(rate), Currency::USD), None);
        }
    }

    #[test]
    fn what_cannot_be_held_is_said() {
        let rate = ExchangeRate::new(amount("1000000"), Currency::USD).unwrap();
        let all = amount("79228162514264337593543950335");
        assert_eq!(rate.worth(all), Err(MoneyError::Overflow));
    }
}
