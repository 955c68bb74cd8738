//! The differences of a report: each with its cause, its documents, and who looks after it.

use maud::{Markup, html};
use tieout_domain::RecordRef;
use tieout_flows::tie_out::{Document, Gravity, Item, Report};

use super::super::parts::badge::{Tone, badge};
use super::super::parts::{Address, Cell, Column, Table, amount, form};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;

/// The form that the boxes of the table belong to.
const FORM: &str = "own";

/// All differences, the graver and larger ones first.
pub(super) fn table(connection: &ConnectionInfo, report: &Report, frozen: bool) -> Table {
    let mut table = Table::new(
        "differences",
        "Differences, item by item",
        [
            Column::act(""),
            Column::text("Category"),
            Column::text("Vendor"),
            Column::text("Ledger"),
            Column::text("Platform"),
            Column::text("Day"),
            Column::number("Days old"),
            Column::sentence("Cause"),
            Column::text("Owner"),
            Column::money("Difference"),
        ],
    )
    .or_empty("No difference.", " The two sides agree to the cent.");
    for item in &report.items {
        let category = format!("{} {}", item.category.code(), item.category.title());
        let clears = item
            .clears_by
            .map(|day| format!(" Expected to clear by {day}."));
        let cause = format!("{}{}", item.cause, clears.unwrap_or_default());
        table.row([
            Cell::shown(chosen(item, frozen), ""),
            Cell::shown(
                html! { strong { (item.category.code()) } " " (item.category.title()) br; (gravity(item)) },
                category,
            ),
            Cell::text(item.vendor.as_str()),
            document(connection, report, item.ledger.as_ref()),
            document(connection, report, item.platform.as_ref()),
            Cell::text(item.date.to_string()),
            Cell::text(item.age_days.to_string()),
            Cell::text(cause),
            owner(item),
            Cell::money(Some(item.amount.of(report.currency))),
        ]);
    }
    table
}

fn gravity(item: &Item) -> Markup {
    let gravity = item.category.gravity();
    let tone = match gravity {
        Gravity::Critical | Gravity::Error => Tone::Bad,
        Gravity::Timing => Tone::Wait,
        Gravity::Scope | Gravity::Valuation | Gravity::Review => Tone::Quiet,
    };
    badge(tone, gravity.as_str())
}

fn document(connection: &ConnectionInfo, report: &Report, document: Option<&Document>) -> Cell {
    let Some(document) = document else {
        return Cell::text("none");
    };
    let money = document.amount.of(report.currency);
    let shown = html! {
        a href=(Address::record(&connection.name, &document.record)) {
            (if document.label.is_empty() { document.record.id.as_str() } else { document.label.as_str() })
        }
        br; (amount::money(money))
    };
    let plain = format!("{} {} {money}", document.record, document.label);
    Cell::shown(shown, plain)
}

/// The record under which a difference is owned.
fn record(item: &Item) -> Option<&RecordRef> {
    let document = item.ledger.as_ref().or(item.platform.as_ref())?;
    Some(&document.record)
}

fn chosen(item: &Item, frozen: bool) -> Markup {
    html! {
        @if let (false, Some(record)) = (frozen, record(item)) {
            input type="checkbox" name="record" value=(record) form=(FORM)
                aria-label={ "Choose " (item.category.code()) " " (record) };
        }
    }
}

fn owner(item: &Item) -> Cell {
    if item.is_owned() {
        let text = format!("{}: {}", item.owner, item.comment);
        let shown = html! { strong { (item.owner) } br; (item.comment) };
        return Cell::shown(shown, text);
    }
    match item.category.gravity() {
        Gravity::Critical | Gravity::Error => Cell::shown(badge(Tone::Bad, "nobody"), "nobody"),
        _ => Cell::text(""),
    }
}

/// Taking the chosen differences on.
pub(super) fn own(
    person: &Person,
    connection: &ConnectionInfo,
    month: &str,
    report: &Report,
) -> Markup {
    let action = Address::of(["tie-out", connection.name.as_str(), "own"]);
    html! {
        @if person.may(Role::Operator) && !report.items.is_empty() {
            form.decide id=(FORM) method="post" action=(action) {
                h2 { "Take differences on" }
                p { "Somebody looks after those that are checked above. An error without an owner keeps the books NOT TIED." }
                (form::token(person))
                input type="hidden" name="period" value=(month);
                input type="hidden" name="currency" value=(report.currency);
                (form::text("own-owner", "owner", "Who looks after it", &person.name, true))
                (form::text("own-comment", "comment", "What there is to say of it", "", true))
                button.main type="submit" { "Take them on" }
            }
        }
    }
}
