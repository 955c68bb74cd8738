//! Lines in the other side's terms, to the cent.

use tieout_domain::code::Code;
use tieout_domain::document::{SalesLine, SalesLineKind};
use tieout_domain::{Amount, Kind, Outcome, RemoteId, Side, State, WaitsFor};

use super::This;

/// The lines as they are to be written. A platform without credit notes knows neither items nor taxes: there a line is a
/// line.
pub(super) fn wanted(this: &This<'_>) -> Result<Vec<SalesLine>, Outcome> {
    let lines = this.paper.lines;
    let sum = Amount::total(lines.iter().map(|line| line.amount)).unwrap_or_default();
    if sum != this.paper.total {
        let cause = format!(
            "{}: its lines come to {sum}, its total is {}",
            this.label(),
            this.paper.total
        );
        let code = Code::new("total-mismatch");
        return Err(Outcome::because(State::Blocked, code, cause));
    }
    let there = this.record.side.other();
    lines
        .iter()
        .filter(|line| !line.amount.is_zero() || line.line_kind == SalesLineKind::Item)
        .map(|line| {
            Ok(SalesLine {
                id: None,
                line_kind: if this.is_by_invoice() {
                    SalesLineKind::Item
                } else {
                    line.line_kind
                },
                item: match there {
                    Side::Platform => on_platform(this, line),
                    Side::Ledger => Some(in_ledger(this, line)?),
                },
                department: None,
                class: None,
                location: None,
                ..line.clone()
            })
        })
        .collect()
}

/// A platform's line needs no item: its name tells what was sold.
fn on_platform(this: &This<'_>, line: &SalesLine) -> Option<RemoteId> {
    let item = line.item.as_ref()?;
    this.books.maps.confirmed(Kind::Item, item).cloned()
}

/// The ledger books by items: the mapped one, else the one that stands for all lines of its kind.
fn in_ledger(this: &This<'_>, line: &SalesLine) -> Result<RemoteId, Outcome> {
    let preferences = &this.books.preferences.receivables;
    let (stands_for, code, what) = match line.line_kind {
        SalesLineKind::Tax => (
            &preferences.tax_item,
            Code::new("tax-item-missing"),
            "taxes",
        ),
        SalesLineKind::Discount => (
            &preferences.discount_item,
            Code::new("discount-item-missing"),
            "discounts",
        ),
        SalesLineKind::Item | SalesLineKind::Shipping => {
            if let Some(item) = &line.item
                && let Some(mapped) = this.books.maps.back(Kind::Item, item)
            {
                return Ok(mapped.clone());
            }
            let code = Code::new("item-missing");
            (&preferences.default_item, code, "lines without an item")
        }
    };
    if !stands_for.trim().is_empty() {
        return Ok(RemoteId::from(stands_for.trim()));
    }
    let mappable = line.item.as_ref();
    let mappable = mappable.filter(|_| line.line_kind == SalesLineKind::Item);
    let called = mappable.map_or_else(String::new, |item| {
        format!("item {item} is not mapped, and ")
    });
    let cause = format!(
        "{}: line {} of {}: {called}no item of the ledger stands for {what}",
        this.label(),
        line.name,
        line.amount
    );
    let group = code.as_str().to_owned();
    let outcome = Outcome::because(State::Blocked, code, cause).grouped(group);
    Err(match mappable {
        Some(item) => outcome.until(WaitsFor::Map("item".to_owned(), item.clone())),
        None => outcome,
    })
}
