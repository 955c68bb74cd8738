//! Lines of invoices: a description, a whole quantity, and what the line comes to (README §Lines).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tieout_domain::Amount;
use tieout_domain::document::{SalesLine, SalesLineKind};
use tieout_kit::wire::Exact;

use crate::wire::text;

/// The words for lines that are not sold: the service knows no kinds of lines.
const KINDS: [(SalesLineKind, &str); 3] = [
    (SalesLineKind::Discount, "Discount"),
    (SalesLineKind::Tax, "Tax"),
    (SalesLineKind::Shipping, "Shipping"),
];
/// The most digits of a price behind the point.
const PRICE_DIGITS_MAX: u32 = 8;
/// What is sold and has no words.
const UNNAMED: &str = "Item";

/// A line as the service shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LineShown {
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default)]
    quantity: Option<Exact>,
    amount: Exact,
}

impl LineShown {
    pub(crate) fn line(&self) -> SalesLine {
        let (line_kind, description) = parted(&self.description);
        let quantity = self.quantity.map_or(Amount::ONE, |quantity| quantity.0);
        let amount = self.amount.0;
        let rate = amount.decimal().checked_div(quantity.decimal());
        // A quotient that doesn't end is no price.
        let rate = rate.filter(|rate| rate.normalize().scale() <= PRICE_DIGITS_MAX);
        SalesLine {
            id: None,
            line_kind,
            item: None,
            name: String::new(),
            description: description.to_owned(),
            quantity,
            rate: rate.map_or(amount, Amount::new),
            amount,
            department: None,
            class: None,
            location: None,
        }
    }
}

/// The kind of a line and its own words, by how its description begins.
fn parted(description: &str) -> (SalesLineKind, &str) {
    let description = description.trim();
    for (kind, word) in KINDS {
        let Some(rest) = description.strip_prefix(word) else {
            continue;
        };
        if rest.is_empty() {
            return (kind, rest);
        }
        if let Some(rest) = rest.strip_prefix(": ") {
            return (kind, rest);
        }
    }
    (SalesLineKind::Item, description)
}

/// A line as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LineWritten {
    description: String,
    /// A whole number of at least one.
    quantity: u64,
    amount: Exact,
}

impl LineWritten {
    pub(crate) fn new(line: &SalesLine) -> Self {
        let words = words(line);
        let (quantity, description) = match whole(line.quantity) {
            Some(quantity) => (quantity, words),
            None => (1, format!("{words} (quantity {})", line.quantity)),
        };
        Self {
            description,
            quantity,
            amount: Exact(line.amount),
        }
    }
}

/// What stands for the line on the customer's invoice.
fn words(line: &SalesLine) -> String {
    let (name, description) = (line.name.trim(), line.description.trim());
    let own = match (name, description) {
        (name, "") => name.to_owned(),
        ("", description) => description.to_owned(),
        (name, description) if name == description => name.to_owned(),
        (name, description) => format!("{name}: {description}"),
    };
    let kind = KINDS.iter().find(|(kind, _)| *kind == line.line_kind);
    match (kind, own.is_empty()) {
        (Some((_, word)), true) => (*word).to_owned(),
        (Some((_, word)), false) => format!("{word}: {own}"),
        (None, true) => UNNAMED.to_owned(),
        // What is sold must not look like what isn't.
        (None, false) if parted(&own).0 != SalesLineKind::Item => format!("{UNNAMED}: {own}"),
        (None, false) => own,
    }
}

/// A quantity that the service can hold.
fn whole(quantity: Amount) -> Option<u64> {
    let decimal = quantity.decimal();
    let holds = decimal.fract().is_zero() && decimal >= Decimal::ONE;
    holds.then(|| u64::try_from(decimal.trunc()).ok()).flatten()
}

/// Lines in a form that compares.
pub(crate) fn written(lines: &[SalesLine]) -> Vec<LineWritten> {
    lines.iter().map(LineWritten::new).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(kind: SalesLineKind, name: &str, quantity: &str, amount: &str) -> SalesLine {
        let amount: Amount = amount.parse().unwrap();
        SalesLine {
            id: None,
            line_kind: kind,
            item: Some("7".into()),
            name: name.to_owned(),
            description: String::new(),
            quantity: quantity.parse().unwrap(),
            rate: amount,
            amount,
            department: None,
            class: None,
            location: None,
        }
    }

    fn json(line: &SalesLine) -> String {
        serde_json::to_string(&LineWritten::new(line)).unwrap()
    }

    #[test]
    fn a_line_that_the_service_has_no_words_for_tells_it_in_its_description() {
        use SalesLineKind::{Discount, Item, Shipping, Tax};
        for (line, wanted) in [
            (
                line(Item, "Chair", "2", "199.90"),
                r#"{"description":"Chair","quantity":2,"amount":199.9}"#,
            ),
            (
                line(Item, "Work", "2.5", "250"),
                r#"{"description":"Work (quantity 2.5)","quantity":1,"amount":250}"#,
            ),
            (
                line(Item, "", "-1", "-5"),
                r#"{"description":"Item (quantity -1)","quantity":1,"amount":-5}"#,
            ),
            (
                line(Item, "Tax: advice", "1", "9"),
                r#"{"description":"Item: Tax: advice","quantity":1,"amount":9}"#,
            ),
            (
                line(Tax, "CA 8%", "1", "0.01"),
                r#"{"description":"Tax: CA 8%","quantity":1,"amount":0.01}"#,
            ),
            (
                line(Discount, "", "1", "-0.1"),
                r#"{"description":"Discount","quantity":1,"amount":-0.1}"#,
            ),
            (
                line(Shipping, "", "0", "12"),
                r#"{"description":"Shipping (quantity 0)","quantity":1,"amount":12}"#,
            ),
        ] {
            assert_eq!(json(&line), wanted);
        }
    }

    #[test]
    fn a_price_is_told_where_it_is_exact() {
        let shown: LineShown =
            serde_json::from_str(r#"{"description":null,"quantity":3,"amount":10}"#).unwrap();
        assert_eq!(shown.line().rate, shown.line().amount);
        let shown: LineShown = serde_json::from_str(r#"{"quantity":4,"amount":10}"#).unwrap();
        assert_eq!(shown.line().rate.to_string(), "2.5");
    }

    proptest! {
        /// What was written reads as what would be written again, to the last digit: nothing is amended without end.
        #[test]
        fn lines_come_back_as_they_were_written(
            kind in prop::sample::select(vec![
                SalesLineKind::Item, SalesLineKind::Discount, SalesLineKind::Tax, SalesLineKind::Shipping,
            ]),
            name in "(Item|Tax|Discount|Shipping|Chair)?(: )?[a-z (]{0,8}",
            cents in -1_000_000_000_000_i64..1_000_000_000_000,
            tenths in -30_i64..300,
        ) {
            let quantity = Decimal::new(tenths, 1).to_string();
            let written = line(kind, &name, &quantity, &Decimal::new(cents, 2).to_string());
            let json = json(&written);
            let shown: LineShown = serde_json::from_str(&json).unwrap();
            let read = shown.line();
            prop_assert_eq!(read.amount, written.amount);
            prop_assert_eq!(LineWritten::new(&read), LineWritten::new(&written), "{}", json);
        }
    }
}
