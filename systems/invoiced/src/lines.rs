//! Lines of invoices and credit memos: what is sold, and the taxes and discounts that stand beside it and on the lines
//! themselves (README §Lines).

use serde::{Deserialize, Serialize};
use tieout_domain::document::{SalesLine, SalesLineKind};
use tieout_domain::{Amount, RemoteId};
use tieout_kit::wire::Exact;

use crate::wire::{Id, list, reference, text};

/// The word for a line of shipping: the service knows none of its own, and takes any.
const SHIPPING: &str = "shipping";

/// A line as Invoiced shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LineShown {
    #[serde(default, deserialize_with = "reference")]
    id: Option<RemoteId>,
    #[serde(default, deserialize_with = "reference")]
    catalog_item: Option<RemoteId>,
    #[serde(default, rename = "type", deserialize_with = "text")]
    sort: String,
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default)]
    quantity: Option<Exact>,
    #[serde(default)]
    unit_cost: Option<Exact>,
    #[serde(default)]
    amount: Option<Exact>,
    #[serde(default, deserialize_with = "list")]
    discounts: Vec<PartShown>,
    #[serde(default, deserialize_with = "list")]
    taxes: Vec<PartShown>,
}

/// A tax or a discount, of a line or of the whole.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PartShown {
    #[serde(default, deserialize_with = "reference")]
    id: Option<RemoteId>,
    amount: Exact,
    #[serde(default, deserialize_with = "reference")]
    coupon: Option<RemoteId>,
    #[serde(default, deserialize_with = "reference")]
    tax_rate: Option<RemoteId>,
}

impl LineShown {
    fn line(&self) -> Result<SalesLine, String> {
        let one = Amount::new(1.into());
        let quantity = self.quantity.map_or(one, |quantity| quantity.0);
        let amount = match (self.amount, self.unit_cost) {
            (Some(amount), _) => amount.0,
            (None, Some(price)) => times(quantity, price.0)
                .ok_or("a line's `quantity` times `unit_cost` is too large")?,
            (None, None) => return Err(format!("line `{}` has no `amount`", self.name)),
        };
        let shipping = self.sort.eq_ignore_ascii_case(SHIPPING);
        Ok(SalesLine {
            id: self.id.clone(),
            line_kind: if shipping {
                SalesLineKind::Shipping
            } else {
                SalesLineKind::Item
            },
            item: self.catalog_item.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            quantity,
            rate: self.unit_cost.map_or(amount, |price| price.0),
            amount,
            department: None,
            class: None,
            location: None,
        })
    }
}

impl PartShown {
    fn line(&self, line_kind: SalesLineKind) -> SalesLine {
        let discount = line_kind == SalesLineKind::Discount;
        let amount = if discount {
            -self.amount.0
        } else {
            self.amount.0
        };
        SalesLine {
            id: self.id.clone(),
            line_kind,
            item: if discount {
                self.coupon.clone()
            } else {
                self.tax_rate.clone()
            },
            name: String::new(),
            description: String::new(),
            quantity: Amount::new(1.into()),
            rate: amount,
            amount,
            department: None,
            class: None,
            location: None,
        }
    }
}

/// The product, exactly.
fn times(a: Amount, b: Amount) -> Option<Amount> {
    a.decimal().checked_mul(b.decimal()).map(Amount::new)
}

/// All lines in one row: each line is followed by its own discounts and taxes, and those of the whole come last.
pub(crate) fn lines(
    items: &[LineShown],
    discounts: &[PartShown],
    taxes: &[PartShown],
) -> Result<Vec<SalesLine>, String> {
    let mut lines = Vec::new();
    let parts = |discounts: &[PartShown], taxes: &[PartShown], lines: &mut Vec<SalesLine>| {
        lines.extend(
            discounts
                .iter()
                .map(|part| part.line(SalesLineKind::Discount)),
        );
        lines.extend(taxes.iter().map(|part| part.line(SalesLineKind::Tax)));
    };
    for item in items {
        lines.push(item.line()?);
        parts(&item.discounts, &item.taxes, &mut lines);
    }
    parts(discounts, taxes, &mut lines);
    Ok(lines)
}

/// A line as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LineWritten<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<IdOf<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog_item: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    sort: Option<&'static str>,
    name: &'a str,
    description: &'a str,
    quantity: Exact,
    unit_cost: Exact,
}

/// An id that compares as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IdOf<'a>(&'a RemoteId);

impl Serialize for IdOf<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Id(self.0).serialize(serializer)
    }
}

/// A tax or a discount as it is written: its amount and nothing that could be worked out anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct PartWritten {
    amount: Exact,
}

/// The three lists that the lines are written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LinesWritten<'a> {
    pub(crate) items: Vec<LineWritten<'a>>,
    pub(crate) discounts: Vec<PartWritten>,
    pub(crate) taxes: Vec<PartWritten>,
}

impl<'a> LinesWritten<'a> {
    /// Sorts the lines into the lists. The lines that remain of what is there keep their ids.
    pub(crate) fn new(wanted: &'a [SalesLine], there: &'a [SalesLine]) -> Self {
        let mut written = Self {
            items: Vec::new(),
            discounts: Vec::new(),
            taxes: Vec::new(),
        };
        for line in wanted {
            match line.line_kind {
                _ if is_sold(line) => written.items.push(LineWritten::new(line)),
                SalesLineKind::Discount => written.discounts.push(part(-line.amount)),
                _ => written.taxes.push(part(line.amount)),
            }
        }
        written.discounts.retain(|part| !part.amount.0.is_zero());
        written.taxes.retain(|part| !part.amount.0.is_zero());
        written.keep_ids(there);
        written
    }

    /// Equal content first, then in order.
    fn keep_ids(&mut self, there: &'a [SalesLine]) {
        let mut free: Vec<(&RemoteId, LineWritten<'_>)> = there
            .iter()
            .filter(|line| is_sold(line))
            .filter_map(|line| Some((line.id.as_ref()?, LineWritten::new(line))))
            .collect();
        for alike in [true, false] {
            for item in self.items.iter_mut().filter(|item| item.id.is_none()) {
                let fits = |there: &(&RemoteId, LineWritten<'_>)| !alike || there.1 == *item;
                if let Some(at) = free.iter().position(fits) {
                    item.id = Some(IdOf(free.remove(at).0));
                }
            }
        }
    }
}

/// Whether a line is written among what is sold. A discount that adds to the total is none over there.
fn is_sold(line: &SalesLine) -> bool {
    match line.line_kind {
        SalesLineKind::Item | SalesLineKind::Shipping => true,
        SalesLineKind::Discount => line.amount.is_positive(),
        SalesLineKind::Tax => false,
    }
}

fn part(amount: Amount) -> PartWritten {
    PartWritten {
        amount: Exact(amount),
    }
}

impl<'a> LineWritten<'a> {
    /// The service works out what a line adds from quantity and price. Where the ledger rounded that product, or has
    /// none, the amount is written as the price of one: the total must come out to the cent.
    fn new(line: &'a SalesLine) -> Self {
        let exact = times(line.quantity, line.rate) == Some(line.amount);
        let (quantity, unit_cost) = if exact {
            (line.quantity, line.rate)
        } else {
            (Amount::new(1.into()), line.amount)
        };
        Self {
            id: None,
            catalog_item: line.item.as_ref().map(RemoteId::as_str),
            sort: (line.line_kind == SalesLineKind::Shipping).then_some(SHIPPING),
            name: line.name.trim(),
            description: line.description.trim(),
            quantity: Exact(quantity),
            unit_cost: Exact(unit_cost),
        }
    }
}

/// Lines in a form that compares: what is sold in an order of its own, taxes and discounts by their sums, wherever they
/// stand.
pub(crate) fn projected(lines: &[SalesLine]) -> serde_json::Value {
    let mut sold: Vec<String> = lines
        .iter()
        .filter(|line| is_sold(line))
        .map(|line| {
            let line = LineWritten::new(line);
            let (quantity, price) = (line.quantity.0, line.unit_cost.0);
            serde_json::json!([
                line.catalog_item,
                line.sort,
                line.name,
                line.description,
                quantity,
                price
            ])
            .to_string()
        })
        .collect();
    sold.sort();
    let sum = |kind: SalesLineKind| {
        let parts = lines
            .iter()
            .filter(|line| line.line_kind == kind && !is_sold(line));
        Amount::total(parts.map(|line| line.amount)).ok()
    };
    serde_json::json!([sold, sum(SalesLineKind::Discount), sum(SalesLineKind::Tax)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn line(line_kind: SalesLineKind, quantity: &str, rate: &str, total: &str) -> SalesLine {
        SalesLine {
            id: None,
            line_kind,
            item: None,
            name: "Copy paper".to_owned(),
            description: String::new(),
            quantity: amount(quantity),
            rate: amount(rate),
            amount: amount(total),
            department: None,
            class: None,
            location: None,
        }
    }

    #[test]
    fn taxes_and_discounts_of_lines_and_of_the_whole_are_all_lines() {
        let items: Vec<LineShown> = serde_json::from_str(
            r#"[{"id":8,"catalog_item":"paper","type":"product","name":"Copy paper","quantity":2,"unit_cost":45.10,
                "amount":90.20,"discounts":[{"id":1,"amount":5,"coupon":{"id":"summer"}}],
                "taxes":[{"id":2,"amount":"3.85","tax_rate":"vat"}],"metadata":[]},
               {"id":9,"type":"shipping","name":"Freight","unit_cost":10}]"#,
        )
        .unwrap();
        let taxes: Vec<PartShown> =
            serde_json::from_str(r#"[{"amount":1.15,"tax_rate":null}]"#).unwrap();
        let lines = lines(&items, &[], &taxes).unwrap();
        let sum = Amount::total(lines.iter().map(|line| line.amount)).unwrap();
        assert_eq!(sum, amount("100.20"));
        let kinds: Vec<_> = lines.iter().map(|line| line.line_kind).collect();
        use SalesLineKind::{Discount, Item, Shipping, Tax};
        assert_eq!(kinds, [Item, Discount, Tax, Shipping, Tax]);
        assert_eq!(lines[1].item, Some("summer".into()));
        assert_eq!(lines[2].item, Some("vat".into()));
        assert_eq!(lines[3].quantity, amount("1"));
        let nothing: Vec<LineShown> = serde_json::from_str(r#"[{"name":"Gift"}]"#).unwrap();
        assert!(
            super::lines(&nothing, &[], &[])
                .unwrap_err()
                .contains("Gift")
        );
    }

    #[test]
    fn a_rounded_product_is_written_as_the_price_of_one() {
        let written = |quantity, rate, total| {
            let line = line(SalesLineKind::Item, quantity, rate, total);
            let written = LineWritten::new(&line);
            (
                written.quantity.0.to_string(),
                written.unit_cost.0.to_string(),
            )
        };
        assert_eq!(
            written("3", "0.335", "1.01"),
            ("1".to_owned(), "1.01".to_owned())
        );
        assert_eq!(
            written("3", "0.50", "1.50"),
            ("3".to_owned(), "0.5".to_owned())
        );
        assert_eq!(written("0", "0", "12"), ("1".to_owned(), "12".to_owned()));
    }

    #[test]
    fn lines_that_remain_keep_their_ids() {
        let named = |name: &str, id: Option<&str>| SalesLine {
            name: name.to_owned(),
            id: id.map(RemoteId::from),
            ..line(SalesLineKind::Item, "1", "5", "5")
        };
        let there = [named("a", Some("1")), named("b", Some("2"))];
        let wanted = [named("b", None), named("c", None), named("d", None)];
        let written = LinesWritten::new(&wanted, &there);
        let ids: Vec<_> = written
            .items
            .iter()
            .map(|item| item.id.map(|id| id.0.as_str()))
            .collect();
        assert_eq!(ids, [Some("2"), Some("1"), None]);
    }

    proptest! {
        /// What is written adds up to what is wanted, to the last digit, whatever the lines.
        #[test]
        fn what_is_written_adds_up_to_the_lines(
            parts in proptest::collection::vec((0_u8..4, -500_i64..500, -9_i64..9, -50_000_i64..50_000), 0..8),
        ) {
            use rust_decimal::Decimal;
            let lines: Vec<SalesLine> = parts
                .iter()
                .map(|(kind, quantity, rate, total)| {
                    let kind = [SalesLineKind::Item, SalesLineKind::Discount, SalesLineKind::Tax,
                        SalesLineKind::Shipping][usize::from(*kind)];
                    let cents = |number: i64, scale| Amount::new(Decimal::new(number, scale));
                    SalesLine {
                        quantity: cents(*quantity, 1),
                        rate: cents(*rate, 1),
                        amount: cents(*total, 2),
                        ..line(kind, "1", "1", "1")
                    }
                })
                .collect();
            let written = LinesWritten::new(&lines, &[]);
            let sold = written.items.iter().map(|item| times(item.quantity.0, item.unit_cost.0).unwrap());
            let taxes = written.taxes.iter().map(|part| part.amount.0);
            let discounts = written.discounts.iter().map(|part| -part.amount.0);
            prop_assert!(written.discounts.iter().all(|part| part.amount.0.is_positive()));
            prop_assert_eq!(
                Amount::total(sold.chain(taxes).chain(discounts)),
                Amount::total(lines.iter().map(|line| line.amount))
            );
        }
    }
}
