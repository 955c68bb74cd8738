//! The records of one cause, and what a person can decide about them.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::exceptions::{self, Named, Row, Seen};
use tieout_domain::code::Code;
use tieout_domain::{RecordRef, Timestamp};

use super::super::parts::{
    self, Address, Cell, Column, Table, amount, csv_asked, filter, form, notice, time,
};
use super::super::{Layout, PageError, mappings, named, page_under};
use super::decide::{self, RULINGS};
use super::{Done, title};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// How many records a page shows, and a CSV file has.
const SHOWN: u32 = 100;
const CSV_MAX: u32 = 100_000;

/// The form that the boxes of the table belong to.
const FORM: &str = "decide";

/// Which cause, and from where on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    code: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    tab: String,
    /// The flow and the record after which the page begins.
    #[serde(default)]
    flow: String,
    after: Option<String>,
    csv: Option<String>,
}

/// The page of a cause.
pub(super) fn address(connection: &ConnectionInfo, cause: &Named) -> Address {
    Address::of(["exceptions", connection.name.as_str(), "cause"])
        .with("code", cause.code.as_ref().map_or("", Code::as_str))
        .with("group", &cause.group)
        .with("tab", if cause.holds { "hold" } else { "" })
}

pub(super) async fn show(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    Query(asked): Query<Asked>,
    Query(done): Query<Done>,
) -> Result<Response, PageError> {
    let (connection, store) = named(&view, &connection)?;
    let cause = Named {
        code: (!asked.code.is_empty()).then(|| Code::from_text(asked.code.clone())),
        group: asked.group.clone(),
        holds: asked.tab == "hold",
    };
    let after: Option<RecordRef> = asked.after.as_deref().and_then(|text| text.parse().ok());
    let from = after.as_ref().map(|record| (asked.flow.as_str(), record));
    let here = address(&connection, &cause);
    if asked.csv.is_some() {
        let rows = exceptions::rows(&store, &cause, None, CSV_MAX).await?;
        let table = table(&connection, &cause, &rows, view.clock.now());
        return csv_asked(asked.csv.as_deref(), &[&table]).ok_or(PageError::Missing);
    }
    let mut rows = exceptions::rows(&store, &cause, from, SHOWN + 1).await?;
    let more = rows.len() > SHOWN as usize;
    rows.truncate(SHOWN as usize);
    let next = rows.last().filter(|_| more).map(|last| {
        let record = last.item.record.to_string();
        here.clone()
            .with("flow", &last.item.flow)
            .with("after", &record)
    });
    let first = from.map(|_| &here);
    let table = table(&connection, &cause, &rows, view.clock.now());
    let content = html! {
        (done.show())
        @if let Some(code) = &cause.code { (notice::remedy(code)) }
        @if let Some((kind, from)) = mapping(&rows) {
            p { a.button href=(mappings::row_address(&connection.name, *kind, from)) { "To the mapping" } }
        }
        (table.show(&here))
        (filter::pages(first, next.as_ref()))
        @if !cause.holds && !rows.is_empty() { (decision(&person, &connection, &cause, &rows, more)) }
    };
    let layout = Layout {
        title: &format!("{}: {}", connection.name, title(cause.code.as_ref())),
        person: &person,
        place: "/exceptions",
    };
    Ok(page_under(
        &parts::crumbs(&[(Address::of(["exceptions"]), "Exceptions")]),
        &layout,
        &content,
    )
    .into_response())
}

/// The one mapping that all rows wait for.
fn mapping(rows: &[Row]) -> Option<&(tieout_domain::Kind, tieout_domain::RemoteId)> {
    let first = rows.first()?.mapping.as_ref()?;
    let same = |row: &Row| row.mapping.as_ref() == Some(first);
    rows.iter().all(same).then_some(first)
}

fn table(connection: &ConnectionInfo, cause: &Named, rows: &[Row], now: Timestamp) -> Table {
    let mut table = Table::new(
        "records",
        "Records",
        [
            Column::act(""),
            Column::text("Document"),
            Column::text("Vendor"),
            Column::money("Amount"),
            Column::text(LEDGER),
            Column::text(PLATFORM),
            Column::sentence("Cause"),
            Column::text("Since"),
            Column::number("Attempts"),
            Column::text("Decided"),
            Column::act(""),
        ],
    )
    .note(format!("{} and {}", connection.ledger, connection.platform))
    .or_empty(
        "Nothing waits for this cause any more.",
        " It was put right, or somebody has decided.",
    );
    let zone = &connection.time_zone;
    for row in rows {
        let item = &row.item;
        let (ledger, platform) = sides(row);
        let since = html! { (time::moment(item.since, zone)) br; span.soft { (time::ago(item.since, now)) } };
        table.row([
            Cell::shown(chosen(row, cause.holds), ""),
            Cell::shown(
                html! {
                    a href=(Address::record(&connection.name, &item.record)) { (item.label) }
                    br; span.soft { (item.flow) }
                },
                item.label.as_str(),
            ),
            Cell::text(row.vendor.as_str()),
            Cell::money(item.amount),
            ledger,
            platform,
            Cell::text(item.outcome.cause.as_str()),
            Cell::shown(since, time::plain(item.since, zone)),
            Cell::number(row.attempts),
            decided(row),
            Cell::shown(ways(connection, row, cause.holds), ""),
        ]);
    }
    table
}

/// The names of the columns with both sides' values.
const LEDGER: &str = "In the ledger";
const PLATFORM: &str = "On the platform";

/// Both sides' values; marked where they differ.
fn sides(row: &Row) -> (Cell, Cell) {
    let worth = |seen: &Option<Seen>| seen.as_ref().map(|seen| (seen.amount, seen.open));
    let differ = row.ledger.is_some()
        && row.platform.is_some()
        && worth(&row.ledger) != worth(&row.platform);
    let cell = |seen: Option<&Seen>| {
        let cell = seen.map_or_else(|| Cell::text("not there"), value);
        if differ { cell.differing() } else { cell }
    };
    (cell(row.ledger.as_ref()), cell(row.platform.as_ref()))
}

fn value(seen: &Seen) -> Cell {
    let mut words = vec![seen.label.clone()];
    if let Some(amount) = seen.amount {
        words.push(amount.to_string());
    }
    if let Some(open) = seen.open {
        words.push(format!("{open} open"));
    }
    if seen.gone {
        words.push("gone".to_owned());
    }
    Cell::text(words.join(", "))
}

fn chosen(row: &Row, holds: bool) -> Markup {
    let label = format!("Choose {}", row.item.label);
    html! {
        @if !holds {
            input type="checkbox" name="record" value=(row.item.record) form=(FORM) aria-label=(label);
        }
    }
}

fn decided(row: &Row) -> Cell {
    match &row.decision {
        Some(decision) => Cell::text(format!(
            "{} by {}: {}",
            decision.decision, decision.actor, decision.reason
        )),
        None => Cell::text(""),
    }
}

fn ways(connection: &ConnectionInfo, row: &Row, holds: bool) -> Markup {
    html! {
        @if let Some((kind, from)) = &row.mapping {
            a href=(mappings::row_address(&connection.name, *kind, from)) { "Map" }
        } @else if !holds && decide::can_be_linked(&row.item.flow) {
            a href=(super::link::address(connection, &row.item)) { "Link to…" }
        }
        @if row.attempts > 0 && !holds {
            " "
            a href=(super::super::replay::address(&connection.name, &row.item.record)) { "Replay" }
        }
    }
}

/// What the person can decide about the chosen records, or about all.
fn decision(
    person: &Person,
    connection: &ConnectionInfo,
    cause: &Named,
    rows: &[Row],
    more: bool,
) -> Markup {
    let action = Address::of(["exceptions", connection.name.as_str(), "decide"]);
    let fits = |ruling: &&decide::Choice| rows.iter().any(|row| ruling.fits(&row.item.flow));
    let all = if more {
        format!("All records of this cause, beyond the {SHOWN} shown too")
    } else {
        format!(
            "All {} of this cause",
            amount::count(rows.len() as u64, "record")
        )
    };
    html! {
        @if person.may(Role::Operator) {
            form.decide id=(FORM) method="post" action=(action) {
                h2 { "Decide" }
                (form::token(person))
                input type="hidden" name="code" value=(cause.code.as_ref().map_or("", Code::as_str));
                input type="hidden" name="group" value=(cause.group);
                p { "About the records that are checked above, or:" }
                (form::check("all", "yes", &all, false))
                (form::reason("decide-reason", true))
                ul.choices {
                    @for choice in RULINGS.iter().filter(fits) {
                        li {
                            button type="submit" name="ruling" value=(choice.word) disabled[!person.may(choice.ruling.role())] { (choice.label) }
                            " " (choice.means)
                            @if !person.may(choice.ruling.role()) { span.soft { " Your role doesn't allow it: ask an " (choice.ruling.role()) "." } }
                        }
                    }
                }
            }
        } @else {
            p.soft { "You may read this. Deciding takes the role of an operator." }
        }
    }
}
