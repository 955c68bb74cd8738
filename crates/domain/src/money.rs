//! Exact money: a decimal with a currency. No binary float touches an amount.

use std::fmt;
use std::iter::Sum;
use std::ops::Neg;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is no amount or currency, or two amounts can't be joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is no decimal number, or has more digits than 28.
    #[error("`{0}` is no exact decimal number of at most 28 digits")]
    NotAnAmount(String),
    /// The text is no ISO 4217 code.
    #[error("`{0}` is no ISO 4217 currency code; write three letters such as USD")]
    NotACurrency(String),
    /// Two currencies were mixed.
    #[error("{0} and {1} can't be added: amounts of two currencies are never mixed")]
    Mixed(Currency, Currency),
    /// The result has more digits than can be held exactly.
    #[error("the amount is too large to be held exactly")]
    Overflow,
}

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The United States dollar, BILL's own currency.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// The three-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the point of its smallest unit: 2 for USD, 0 for JPY.
    #[must_use]
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(&text.trim().to_ascii_uppercase())
            .map(Self)
            .ok_or_else(|| MoneyError::NotACurrency(text.to_owned()))
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// An exact decimal inside a document that states its currency once. Serialised as text.
///
/// Equal amounts are equal whatever their trailing zeros, and print without losing the ones that the
/// currency demands: `Money` does the printing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(Decimal);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// One: the quantity of what is sold once.
    pub const ONE: Self = Self(Decimal::ONE);

    /// The amount of this decimal.
    #[must_use]
    pub fn new(decimal: Decimal) -> Self {
        Self(decimal.normalize())
    }

    /// The decimal.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Whether it is above zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0.is_sign_positive() && !self.0.is_zero()
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// The sum, exactly.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        // The library's own sum is rounded where it has more digits than can be held.
        let scale = self.0.scale().max(other.0.scale());
        let digits = |decimal: Decimal| {
            let factor = 10_i128.checked_pow(scale - decimal.scale())?;
            decimal.mantissa().checked_mul(factor)
        };
        let sum = digits(self.0)
            .zip(digits(other.0))
            .and_then(|(a, b)| exactly(a.checked_add(b)?, scale))
            .ok_or(MoneyError::Overflow)?;
        Ok(Self(sum))
    }

    /// The difference, exactly.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(-other)
    }

    /// The sum of all, exactly.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn total(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    /// With a currency.
    #[must_use]
    pub fn of(self, currency: Currency) -> Money {
        Money {
            amount: self,
            currency,
        }
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// Sums that can't overflow in practice: at most 10^20 in absolute value is assumed for reports.
impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |a, b| Self::new(a.0.saturating_add(b.0)))
    }
}

impl FromStr for Amount {
    type Err = MoneyError;

    /// Reads `100.10`, `-1234.5`, `.5`, `1e2` and `-1.2E7` exactly, and refuses what would be rounded.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let text = text.trim();
        let refused = || MoneyError::NotAnAmount(text.to_owned());
        let decimal = match text.find(['e', 'E']) {
            None => Decimal::from_str_exact(text).map_err(|_| refused())?,
            Some(at) => {
                let mantissa = Decimal::from_str_exact(&text[..at]).map_err(|_| refused())?;
                let exponent: i32 = text[at + 1..].parse().map_err(|_| refused())?;
                scale(mantissa, exponent).ok_or_else(refused)?
            }
        };
        Ok(Self::new(decimal))
    }
}

/// `mantissa × 10^exponent`, or nothing if that can't be held exactly.
fn scale(mantissa: Decimal, exponent: i32) -> Option<Decimal> {
    let mantissa = mantissa.normalize();
    if mantissa.is_zero() {
        return Some(Decimal::ZERO);
    }
    let scale = i32::try_from(mantissa.scale())
        .ok()?
        .checked_sub(exponent)?;
    if scale >= 0 {
        return Decimal::try_from_i128_with_scale(mantissa.mantissa(), u32::try_from(scale).ok()?)
            .ok();
    }
    let factor = 10_i128.checked_pow(u32::try_from(-scale).ok()?)?;
    Decimal::try_from_i128_with_scale(mantissa.mantissa().checked_mul(factor)?, 0).ok()
}

/// `digits × 10^-scale` without trailing zeros, or nothing if that can't be held exactly.
fn exactly(mut digits: i128, mut scale: u32) -> Option<Decimal> {
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(digits, scale).ok()
}

impl From<Decimal> for Amount {
    fn from(decimal: Decimal) -> Self {
        Self::new(decimal)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// An amount in a currency: what people see.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

impl Money {
    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] for two currencies, [`MoneyError::Overflow`] beyond 28 digits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        Ok(self.amount.plus(other.amount)?.of(self.currency))
    }
}

impl fmt::Display for Money {
    /// `1,234.50 USD`: at least the currency's digits, never fewer than the amount has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = self.amount.decimal();
        let digits = (self.currency.digits()).max(decimal.normalize().scale()) as usize;
        let plain = format!("{:.*}", digits, decimal.abs());
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if self.amount.is_negative() { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        f.pad(&format!(
            "{sign}{grouped}{point}{fraction} {}",
            self.currency
        ))
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        for (text, expected) in [
            ("100.10", "100.1"),
            ("-1234.5", "-1234.5"),
            (".5", "0.5"),
            ("1e2", "100"),
            ("-1.2E7", "-12000000"),
            ("1234567890123456.78", "1234567890123456.78"),
            ("0.00", "0"),
        ] {
            assert_eq!(
                text.parse::<Amount>().unwrap().to_string(),
                expected,
                "{text}"
            );
        }
        for text in [
            "",
            "abc",
            "1,000.00",
            "1e99",
            "123456789012345678901234567890.5",
            "NaN",
            "1e",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn money_prints_with_the_digits_of_its_currency() {
        let usd = |text: &str| {
            text.parse::<Amount>()
                .unwrap()
                .of(Currency::USD)
                .to_string()
        };
        assert_eq!(usd("1234567.5"), "1,234,567.50 USD");
        assert_eq!(usd("-0.005"), "-0.005 USD");
        assert_eq!(
            "999"
                .parse::<Amount>()
                .unwrap()
                .of("JPY".parse().unwrap())
                .to_string(),
            "999 JPY"
        );
    }

    #[test]
    fn a_sum_is_exact_or_refused() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let (large, small) = (amount("-12000000"), amount("1e-28"));
        assert_eq!(large.plus(small), Err(MoneyError::Overflow));
        let most = amount("79228162514264337593543950335");
        assert_eq!(most.plus(amount("0.5")), Err(MoneyError::Overflow));
        assert_eq!(most.plus(-most), Ok(Amount::ZERO));
        assert_eq!(amount("0.1").plus(amount("0.90")), Ok(amount("1")));
    }

    #[test]
    fn two_currencies_are_never_added() {
        let euro: Currency = "eur".parse().unwrap();
        let sum = Amount::ZERO.of(Currency::USD).plus(Amount::ZERO.of(euro));
        assert_eq!(sum, Err(MoneyError::Mixed(Currency::USD, euro)));
    }
}
