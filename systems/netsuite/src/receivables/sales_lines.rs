//! Lines of invoices and credit memos.

use tieout_domain::Amount;
use tieout_domain::document::{SalesLine, SalesLineKind};

use crate::lines::Lines;
use crate::suiteql::{Row, Unreadable};

/// The lines as people entered them: what adds to the total is positive, on an invoice as on a credit memo. The
/// ledger's own lines are debit-positive, so that an invoice's are turned round (README §Receivables).
pub(super) fn sales_lines(lines: &Lines, invoice: bool) -> Result<Vec<SalesLine>, Unreadable> {
    lines
        .entered()
        .filter_map(|row| match row.amount("amount") {
            // A line of words only.
            Ok(None) => None,
            Ok(Some(amount)) => Some(line(row, if invoice { -amount } else { amount })),
            Err(unreadable) => Some(Err(unreadable)),
        })
        .collect()
}

fn line(row: &Row, amount: Amount) -> Result<SalesLine, Unreadable> {
    let (quantity, rate) = counted(row.amount("quantity")?, row.amount("rate")?, amount);
    let name = row.string("itemname");
    Ok(SalesLine {
        id: row.id("line"),
        line_kind: kind(row),
        item: row.id("item"),
        name,
        description: row.string("memo"),
        quantity,
        rate,
        amount,
        department: row.id("department"),
        class: row.id("class"),
        location: row.id("location"),
    })
}

fn kind(row: &Row) -> SalesLineKind {
    match row.text("itemtype") {
        _ if row.flag("taxline") => SalesLineKind::Tax,
        "Discount" => SalesLineKind::Discount,
        "ShipItem" => SalesLineKind::Shipping,
        _ => SalesLineKind::Item,
    }
}

/// Quantity and rate so that their product has the amount's sign: over there a sale's quantity may come below zero
/// (assumed). A line that isn't counted is one of its amount.
fn counted(quantity: Option<Amount>, rate: Option<Amount>, amount: Amount) -> (Amount, Amount) {
    let one = Amount::new(1.into());
    match (quantity.filter(|quantity| !quantity.is_zero()), rate) {
        (Some(quantity), Some(rate)) if !rate.is_zero() => {
            let count = quantity.abs();
            let same = rate.is_negative() == amount.is_negative();
            (if same { count } else { -count }, rate)
        }
        (Some(quantity), _) if amount.is_zero() => (quantity.abs(), Amount::ZERO),
        _ => (one, amount),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::row;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn a_discount_and_a_tax_are_lines_of_the_total() {
        let lines = Lines::of(vec![
            row(&[("line", "0"), ("mainline", "T"), ("amount", "23.65")]),
            row(&[
                ("line", "1"),
                ("mainline", "F"),
                ("amount", "-31.5"),
                ("quantity", "-3"),
                ("rate", "10.5"),
                ("itemtype", "Service"),
                ("item", "9"),
                ("itemname", "Advice"),
            ]),
            row(&[
                ("line", "2"),
                ("mainline", "F"),
                ("amount", "10"),
                ("rate", "-10"),
                ("itemtype", "Discount"),
                ("item", "11"),
            ]),
            row(&[
                ("line", "3"),
                ("mainline", "F"),
                ("amount", "-2.15"),
                ("taxline", "T"),
            ]),
            row(&[("line", "4"), ("mainline", "F"), ("memo", "words only")]),
        ]);
        let read = sales_lines(&lines, true).unwrap();
        let kinds: Vec<SalesLineKind> = read.iter().map(|line| line.line_kind).collect();
        assert_eq!(
            kinds,
            [
                SalesLineKind::Item,
                SalesLineKind::Discount,
                SalesLineKind::Tax
            ]
        );
        let total = Amount::total(read.iter().map(|line| line.amount)).unwrap();
        assert_eq!(total, amount("23.65"));
        assert_eq!(
            (read[0].quantity, read[0].rate),
            (amount("3"), amount("10.5"))
        );
        assert_eq!(
            (read[1].quantity, read[1].rate),
            (amount("1"), amount("-10"))
        );
        assert_eq!(read[0].name, "Advice");
    }

    proptest! {
        #[test]
        fn quantity_times_rate_never_has_the_wrong_sign(
            quantity in -50_i64..50, rate in -5000_i64..5000, amount in -100_000_i64..100_000,
        ) {
            let of = |cents: i64| Some(Amount::new(rust_decimal::Decimal::new(cents, 2)));
            let amount = of(amount).unwrap();
            let (quantity, rate) = counted(of(quantity), of(rate), amount);
            prop_assert!(!quantity.is_zero());
            if !amount.is_zero() && !rate.is_zero() {
                let below = quantity.is_negative() != rate.is_negative();
                prop_assert_eq!(below, amount.is_negative());
            }
        }
    }
}
