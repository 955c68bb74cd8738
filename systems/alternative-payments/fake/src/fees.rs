//! What the service keeps of a payment.

use rust_decimal::Decimal;

use crate::json::Json;
use crate::money::{cents, number};

/// What a dispute costs.
pub(crate) const DISPUTE: Decimal = Decimal::from_parts(1500, 0, 0, false, 2);

/// How a customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// By card: it succeeds at once.
    Card,
    /// By a debit of a bank account: it takes days.
    BankDebit,
}

impl Method {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::BankDebit => "standard_ach",
        }
    }

    /// The method of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::Card, Self::BankDebit]
            .into_iter()
            .find(|method| method.name() == name)
    }

    /// What it costs: cards 2.9 % and 0.30, bank debits 0.8 % and 5.00 at most.
    pub(crate) fn price(self, amount: Decimal) -> Decimal {
        match self {
            Self::Card => cents(amount * Decimal::new(29, 3)) + Decimal::new(30, 2),
            Self::BankDebit => cents(amount * Decimal::new(8, 3)).min(Decimal::from(5)),
        }
    }

    fn fee_name(self) -> &'static str {
        match self {
            Self::Card => "Card processing fee",
            Self::BankDebit => "ACH processing fee",
        }
    }
}

/// A fee for the way of paying.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fee {
    pub(crate) amount: Decimal,
    /// Whether the customer pays it on top.
    pub(crate) covered: bool,
    name: &'static str,
}

impl Fee {
    /// The fee of a payment by a method.
    pub(crate) fn new(method: Method, amount: Decimal, covered: bool) -> Self {
        Self {
            amount,
            covered,
            name: method.fee_name(),
        }
    }

    /// As a payment has it.
    pub(crate) fn of_payment(&self) -> Json {
        self.show("FT_METHOD")
    }

    /// As a payout has it.
    pub(crate) fn of_payout(&self) -> Json {
        self.show("method")
    }

    fn show(&self, kind: &'static str) -> Json {
        Json::whole([
            ("amount", number(self.amount)),
            ("covered_by_customer", self.covered.into()),
            ("name", self.name.into()),
            ("type", kind.into()),
        ])
    }
}

/// The sum of the fees that the customer covers, or of those that it doesn't.
pub(crate) fn sum<'a>(fees: impl IntoIterator<Item = &'a Fee>, covered: bool) -> Decimal {
    let fees = fees.into_iter().filter(|fee| fee.covered == covered);
    fees.map(|fee| fee.amount).sum()
}

/// The fees with those of one name and payer as one.
pub(crate) fn together<'a>(fees: impl IntoIterator<Item = &'a Fee>) -> Vec<Fee> {
    let mut together: Vec<Fee> = Vec::new();
    for fee in fees {
        let same = |other: &&mut Fee| (other.name, other.covered) == (fee.name, fee.covered);
        match together.iter_mut().find(same) {
            Some(there) => there.amount += fee.amount,
            None => together.push(fee.clone()),
        }
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_has_its_price_rounded_to_the_cent() {
        let price =
            |method: Method, amount: &str| method.price(amount.parse().unwrap()).to_string();
        assert_eq!(price(Method::Card, "100"), "3.20");
        assert_eq!(price(Method::Card, "12.35"), "0.66");
        assert_eq!(price(Method::BankDebit, "100"), "0.80");
        assert_eq!(price(Method::BankDebit, "10000"), "5");
        assert_eq!(DISPUTE.to_string(), "15.00");
    }
}
