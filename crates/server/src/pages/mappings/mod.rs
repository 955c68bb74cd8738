//! Mappings: what the ledger has, what the platform has, and which stands for which.

mod act;
mod preview;
mod row;

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::mapping::{self, Party, Row, Use};
use tieout_domain::{ConnectionName, Kind, RemoteId};
use tieout_store::MapStatus;

use super::parts::badge::{Tone, badge};
use super::parts::{self, Address, Cell, Column, Table, amount, csv_asked, form, notice, time};
use super::{Layout, PageError, named, page, page_under};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/mappings", get(index))
        .route("/mappings/{connection}", get(show))
        .route("/mappings/{connection}/preview", get(preview::show))
        .route("/mappings/{connection}/propose", post(act::propose))
        .route("/mappings/{connection}/confirm", post(act::confirm))
        .route("/mappings/{connection}/set", post(act::set))
        .route("/mappings/{connection}/{kind}/{from}", get(row::show))
}

/// The form that the boxes of the table belong to.
const FORM: &str = "confirm";

/// What is asked of a connection's mappings.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    kind: String,
    csv: Option<String>,
    done: Option<String>,
    n: Option<u64>,
    /// How many of what was to be confirmed were left out.
    left: Option<u64>,
}

/// That mappings were not confirmed because they lead elsewhere by now.
pub(super) fn left_out(left: Option<u64>) -> Markup {
    html! {
        @if let Some(left) = left.filter(|left| *left > 0) {
            (notice::notice(Tone::Wait, &html! {
                p { (left) " left out: what was suggested has changed since it was shown to you. Look at it again." }
            }))
        }
    }
}

/// What was done, after an act.
const DONE: [(&str, &str); 4] = [
    (
        "proposed",
        "Both sides were read. {n} are without a confirmed mapping.",
    ),
    (
        "confirmed",
        "{n} confirmed. What waited for them goes on with the next run.",
    ),
    (
        "set",
        "The mapping is set. What waited for it goes on with the next run.",
    ),
    ("removed", "The mapping is taken back."),
];

/// A connection's mappings of a kind.
pub(super) fn address(connection: &ConnectionName, kind: Kind) -> Address {
    Address::of(["mappings", connection.as_str()]).with("kind", kind.as_str())
}

/// The page of one mapping.
pub(super) fn row_address(connection: &ConnectionName, kind: Kind, from: &RemoteId) -> Address {
    Address::of([
        "mappings",
        connection.as_str(),
        kind.as_str(),
        from.as_str(),
    ])
}

/// What people call a kind, in the plural.
pub(super) fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Account => "Accounts",
        Kind::Department => "Departments",
        Kind::Class => "Classes",
        Kind::Location => "Locations",
        Kind::Item => "Items",
        Kind::Terms => "Payment terms",
        _ => "Funding accounts",
    }
}

/// The two sides' names for people, in the direction of a mapping.
fn sides(connection: &ConnectionInfo, kind: Kind) -> (&str, &str) {
    match kind {
        Kind::FundingAccount => (&connection.platform, &connection.ledger),
        _ => (&connection.ledger, &connection.platform),
    }
}

/// What people map in a connection.
pub(super) fn kinds(connection: &ConnectionInfo) -> Vec<Kind> {
    mapping::kinds(&connection.flows)
}

/// The list that a connection's mappings begin with.
pub(super) fn first_kind(connection: &ConnectionInfo) -> Kind {
    kinds(connection).first().copied().unwrap_or(Kind::Account)
}

/// All connections, with what is still open in each.
async fn index(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let connections = view.program.connections();
    // A column for each list that any of them maps.
    let mut columns: Vec<Kind> = mapping::all_kinds();
    columns.retain(|kind| connections.iter().any(|it| kinds(it).contains(kind)));
    let headings = columns.iter().map(|kind| Column::text(title(*kind)));
    let mut table = Table::new(
        "connections",
        "Mappings by connection",
        [Column::text("Connection")].into_iter().chain(headings),
    )
    .note("confirmed of all")
    .or_empty(
        "No connection yet.",
        " An administrator connects the first two systems from the overview.",
    );
    for connection in &connections {
        let store = view.store.connection(&connection.name)?;
        let mapped = kinds(connection);
        let first = address(&connection.name, first_kind(connection));
        let mut cells = vec![Cell::link(&first, connection.name.as_str())];
        for &kind in &columns {
            if !mapped.contains(&kind) {
                cells.push(Cell::text(""));
                continue;
            }
            let (rows, _) = mapping::table(&store, kind).await?;
            let open = rows.iter().filter(|row| row.is_open()).count();
            let text = format!("{} of {}", rows.len() - open, rows.len());
            cells.push(if rows.is_empty() {
                Cell::text("none there")
            } else {
                Cell::link(&address(&connection.name, kind), text)
            });
        }
        table.row(cells);
    }
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
        return Ok(csv);
    }
    let here = Address::of(["mappings"]);
    let layout = Layout {
        title: "Mappings",
        person: &person,
        place: "/mappings",
    };
    Ok(page(&layout, &table.show(&here)).into_response())
}

async fn show(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, store) = named(&view, &connection)?;
    let kind = match asked.kind.as_str() {
        "" => first_kind(&connection),
        named => mapping::known_kind(&connection.flows, named)?,
    };
    let (rows, targets) = mapping::table(&store, kind).await?;
    let uses = mapping::uses(&store, kind).await?;
    let here = address(&connection.name, kind);
    let table = table(&person, &connection, kind, &rows, &uses);
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
        return Ok(csv);
    }
    let tabs: Vec<_> = kinds(&connection)
        .into_iter()
        .map(|other| {
            let there = address(&connection.name, other);
            (there, title(other), other == kind)
        })
        .collect();
    let suggested = rows.iter().filter(|row| is_suggested(row)).count();
    let content = html! {
        (notice::done(asked.done.as_deref(), asked.n, &DONE))
        (left_out(asked.left))
        (parts::tabs("Kinds", &tabs))
        @if person.may(Role::Operator) { (propose(&person, &connection, kind)) }
        (table.show(&here))
        @if suggested > 0 { (confirm(&person, &connection, kind, suggested)) }
        (unmatched(&connection, kind, &rows, &targets))
    };
    let layout = Layout {
        title: &format!("{}: {}", connection.name, title(kind)),
        person: &person,
        place: "/mappings",
    };
    Ok(page_under(
        &parts::crumbs(&[(Address::of(["mappings"]), "Mappings")]),
        &layout,
        &content,
    )
    .into_response())
}

fn is_suggested(row: &Row) -> bool {
    row.entry
        .as_ref()
        .is_some_and(|entry| entry.status == MapStatus::Suggested)
}

fn table(
    person: &Person,
    connection: &ConnectionInfo,
    kind: Kind,
    rows: &[Row],
    uses: &HashMap<RemoteId, Use>,
) -> Table {
    let mut columns = vec![
        Column::act(""),
        Column::text("From"),
        Column::text("To"),
        Column::text("Status"),
        Column::text("Why"),
    ];
    columns.extend(
        match kind {
            Kind::FundingAccount => ["Payments", "Paid from it"],
            Kind::Item | Kind::Terms => ["Open invoices", "Open in them"],
            _ => ["Open bills", "Open in them"],
        }
        .map(Column::number),
    );
    columns.extend([Column::person("By"), Column::act("")]);
    let (from, to) = sides(connection, kind);
    let mut table = Table::new("mappings", title(kind), columns)
        .note(format!("{from} to {to}"))
        .or_empty(
            format!("{from} shows none."),
            " The company keeps none, or no run has read them yet: read both sides.",
        );
    let none = Use::default();
    for row in rows {
        let used = uses.get(&row.from.id).unwrap_or(&none);
        let there = row_address(&connection.name, kind, &row.from.id);
        let (tone, word) = status(row);
        let mut cells = vec![
            Cell::shown(chosen(person, row), ""),
            Cell::shown(
                html! { a href=(there) { (row.from.label()) } (inactive(&row.from)) },
                row.from.label(),
            ),
            target(row),
            Cell::shown(badge(tone, word), word),
            Cell::text(row.entry.as_ref().map_or("", |entry| entry.why.as_str())),
        ];
        cells.extend([Cell::number(used.count), Cell::sums(&used.amounts())]);
        cells.push(said_by(connection, row));
        cells.push(Cell::shown(html! { a href=(there) { "Change" } }, ""));
        table.row(cells);
    }
    table
}

fn inactive(party: &Party) -> Markup {
    html! { @if party.inactive { " " (badge(Tone::Quiet, "inactive")) } }
}

fn target(row: &Row) -> Cell {
    match (&row.to, &row.entry) {
        (Some(to), _) => Cell::shown(html! { (to.label()) (inactive(to)) }, to.label()),
        (None, Some(entry)) if !entry.label_to.is_empty() => {
            Cell::text(format!("{} (not there any more)", entry.label_to))
        }
        _ => Cell::text(""),
    }
}

/// How sure a mapping is, in a word.
fn status(row: &Row) -> (Tone, &'static str) {
    match row.entry.as_ref().map(|entry| entry.status) {
        Some(MapStatus::Confirmed) => (Tone::Good, "confirmed"),
        Some(MapStatus::Create) => (Tone::Wait, "to be created"),
        Some(MapStatus::Suggested) => (Tone::Wait, "suggested"),
        Some(MapStatus::Removed) => (Tone::Bad, "taken back"),
        None => (Tone::Bad, "not mapped"),
    }
}

fn said_by(connection: &ConnectionInfo, row: &Row) -> Cell {
    let Some(entry) = &row.entry else {
        return Cell::text("");
    };
    let shown = html! { (entry.actor) br; (time::moment(entry.at, &connection.time_zone)) };
    let plain = format!(
        "{}, {}",
        entry.actor,
        time::plain(entry.at, &connection.time_zone)
    );
    Cell::shown(shown, plain)
}

fn chosen(person: &Person, row: &Row) -> Markup {
    html! {
        @if is_suggested(row) && person.may(Role::Approver) {
            input type="checkbox" name="from" value=(row.from.id) form=(FORM) aria-label={ "Choose " (row.from.label()) };
        }
    }
}

pub(super) fn propose(person: &Person, connection: &ConnectionInfo, kind: Kind) -> Markup {
    let action = Address::of(["mappings", connection.name.as_str(), "propose"]);
    let field = html! { input type="hidden" name="kind" value=(kind); };
    form::button(person, &action, &field, "Read both sides and suggest")
}

/// Confirming what is suggested goes by way of what it touches.
fn confirm(person: &Person, connection: &ConnectionInfo, kind: Kind, suggested: usize) -> Markup {
    let action = Address::of(["mappings", connection.name.as_str(), "preview"]);
    html! {
        @if person.may(Role::Approver) {
            form id=(FORM) method="get" action=(action) {
                input type="hidden" name="kind" value=(kind);
                (form::check("all", "yes", &format!("All {} that are suggested", amount::grouped(suggested as u64)), false))
                button.main type="submit" { "See what confirming touches" }
            }
        } @else {
            p.soft { "Confirming takes the role of an approver." }
        }
    }
}

/// What the other side has that nothing leads to.
fn unmatched(connection: &ConnectionInfo, kind: Kind, rows: &[Row], targets: &[Party]) -> Markup {
    let led_to = |party: &&Party| {
        let mut to = rows.iter().filter_map(|row| row.to.as_ref());
        to.all(|to| to.id != party.id)
    };
    let left: Vec<_> = targets.iter().filter(led_to).collect();
    let (_, to) = sides(connection, kind);
    html! {
        @if !left.is_empty() && kind != Kind::FundingAccount {
            details {
                summary { (amount::grouped(left.len() as u64)) " of " (to) " that nothing leads to" }
                ul { @for party in left { li { (party.label()) } } }
            }
        }
    }
}
