//! Imports: a whole list of the ledger goes to the platform, once. Asked for here, done in the background, and told
//! record by record.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::import::{self, Came, Ended, Import, Row, Standing};
use tieout_domain::code::Code;
use tieout_domain::{Kind, RecordRef};
use tieout_store::ConnectionStore;

use super::parts::badge::{Tone, badge};
use super::parts::form::{self, Act};
use super::parts::{self, Address, Cell, Column, Table, amount, csv_asked, notice, time};
use super::{Layout, PageError, allowed, bare_page, named, page};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connections/{name}/imports", get(list).post(start))
        .route("/connections/{name}/imports/abandon", post(abandon))
        .route("/connections/{name}/imports/{import}", get(show))
}

/// So many records of a long result are on the page; all are in the CSV.
const SHOWN: usize = 500;

/// The words of what was done.
const DONE: [(&str, &str); 2] = [
    (
        "asked",
        "The import begins in the background. You may leave this page: its result comes by mail too.",
    ),
    (
        "abandoned",
        "Nobody goes on with that import. What it has made stays.",
    ),
];

/// The imports of a connection.
pub(super) fn address(connection: &ConnectionInfo) -> Address {
    Address::of(["connections", connection.name.as_str(), "imports"])
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    csv: Option<String>,
    done: Option<String>,
}

/// The list that a form names.
#[derive(Debug, Deserialize)]
struct Named {
    list: String,
}

/// What a list is called, for people.
fn title(list: Import) -> &'static str {
    match list {
        Import::Customers => "All customers",
        Import::Invoices => "Outstanding invoices",
    }
}

/// What can be imported here, and how far that is which was asked for. Nothing where there is nothing to import.
pub(super) async fn panel(
    person: &Person,
    connection: &ConnectionInfo,
    store: &ConnectionStore,
) -> Result<Markup, PageError> {
    let offered = import::offered(&connection.flows);
    if offered.is_empty() || !connection.enabled {
        return Ok(html! {});
    }
    let pending = import::pending(store).await?;
    let on = !pending.is_empty();
    Ok(html! {
        section.panel #import data-refresh=[on.then_some("3")] {
            div.head { h2 { "Import from " (connection.ledger) } a href=(address(connection)) { "All imports" } }
            @for list in offered {
                @match pending.iter().find(|it| it.import == list) {
                    Some(standing) => { (how_far(connection, standing)) },
                    None => { @if person.may(Role::Operator) { (begin(person, connection, list)) } },
                }
            }
        }
    })
}

fn begin(person: &Person, connection: &ConnectionInfo, list: Import) -> Markup {
    let means = match list {
        Import::Customers => "Every customer goes over, also those without an invoice.",
        Import::Invoices => "Every open invoice goes over, with its customer.",
    };
    let means = format!(
        "{means} What is there already is linked and not made again. Nobody is mailed, reminded or charged, and nothing is written to {}.",
        connection.ledger
    );
    let name = format!("Import: {}", title(list).to_lowercase());
    form::act(
        person,
        &Act {
            name: &name,
            means: &means,
            action: address(connection),
            fields: html! { input type="hidden" name="list" value=(list); },
            danger: false,
        },
    )
}

/// How far an import is that has not come to its end.
fn how_far(connection: &ConnectionInfo, standing: &Standing) -> Markup {
    html! {
        p {
            strong { (title(standing.import)) } " "
            @if standing.runs.is_empty() { (badge(Tone::Wait, "begins in a moment")) }
            @else if let Some(total) = standing.total {
                (amount::grouped(standing.done)) " of " (amount::grouped(total))
                @if standing.brought > 0 { ", " (amount::count(standing.brought, "customer")) " brought along" }
            } @else { (badge(Tone::Wait, "reading")) }
            span.soft { " asked for by " (standing.by) ", " (time::moment(standing.asked, &connection.time_zone)) }
        }
        @if let Some(total) = standing.total { progress value=(standing.done) max=(total) aria-label=(title(standing.import)) {} }
    }
}

async fn list(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, store) = named(&view, &name)?;
    if import::offered(&connection.flows).is_empty() {
        return Err(PageError::Missing);
    }
    let ended = ended(&connection, &store).await?;
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&ended]) {
        return Ok(csv);
    }
    let pending = import::pending(&store).await?;
    let on = !pending.is_empty();
    let content = html! {
        (parts::crumbs(&[(Address::connection(&connection.name), connection.name.as_str())]))
        (notice::done(asked.done.as_deref(), None, &DONE))
        h1 { "Imports" }
        (panel(&person, &connection, &store).await?)
        div #ended data-refresh=[on.then_some("5")] { (ended.show(&address(&connection))) }
        @if person.may(Role::Operator) { @for one in &pending { (give_up(&person, &connection, one)) } }
    };
    let layout = Layout {
        title: &format!("{}: imports", connection.name),
        person: &person,
        place: "/",
    };
    Ok(bare_page(&layout, &content).into_response())
}

fn give_up(person: &Person, connection: &ConnectionInfo, standing: &Standing) -> Markup {
    let name = format!("Give up the import of {}", standing.import);
    form::act(
        person,
        &Act {
            name: &name,
            means: "Nobody goes on with it. What it has made stays.",
            action: Address::of([
                "connections",
                connection.name.as_str(),
                "imports",
                "abandon",
            ]),
            fields: html! { input type="hidden" name="list" value=(standing.import); },
            danger: true,
        },
    )
}

/// Those that have come to their end, the latest first.
async fn ended(connection: &ConnectionInfo, store: &ConnectionStore) -> Result<Table, PageError> {
    let counts = Came::ALL.map(|came| Column::number(word(came)));
    let columns = [
        Column::text("Ended"),
        Column::text("List"),
        Column::text("Asked for by"),
    ];
    let mut table = Table::new(
        "imports",
        "Imports that have ended",
        columns.into_iter().chain(counts),
    )
    .or_empty(
        "None yet.",
        " What was imported is told here, record by record.",
    );
    for one in import::ended_after(store, 0).await?.iter().rev() {
        let zone = &connection.time_zone;
        let there = result_address(connection, one);
        let mut cells = vec![
            Cell::shown(
                html! { a href=(there) { (time::moment(one.at, zone)) } },
                time::plain(one.at, zone),
            ),
            Cell::text(title(one.list)),
            Cell::text(one.asked_by.as_str()),
        ];
        let count = |came: Came| one.counts.get(came.as_str()).copied().unwrap_or_default();
        cells.extend(Came::ALL.map(|came| Cell::number(count(came))));
        table.row(cells);
    }
    Ok(table)
}

fn result_address(connection: &ConnectionInfo, ended: &Ended) -> Address {
    let import = ended.seq.to_string();
    Address::of(["connections", connection.name.as_str(), "imports", &import])
}

/// What became of a record, for people.
fn word(came: Came) -> &'static str {
    match came {
        Came::Made => "Made",
        Came::Linked => "Linked",
        Came::Present => "There before",
        Came::Skipped => "Skipped",
        Came::Waiting => "Waiting",
    }
}

fn tone(came: Came) -> Tone {
    match came {
        Came::Made | Came::Linked => Tone::Good,
        Came::Present | Came::Skipped => Tone::Quiet,
        Came::Waiting => Tone::Bad,
    }
}

async fn show(
    view: View,
    person: Person,
    Path((name, import)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, store) = named(&view, &name)?;
    let seq = import.parse().map_err(|_| PageError::Missing)?;
    let ended = import::find(&store, seq).await?.ok_or(PageError::Missing)?;
    let rows = import::rows(&store, &ended).await?;
    if asked.csv.is_some() {
        let all = records(&view, &connection, &rows);
        if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&all]) {
            return Ok(csv);
        }
    }
    // What a person has to look at comes first.
    let shown: Vec<&Row> = rows.iter().rev().take(SHOWN).collect();
    let here = result_address(&connection, &ended);
    let content = html! {
        (parts::crumbs(&[
            (Address::connection(&connection.name), connection.name.as_str()),
            (address(&connection), "Imports"),
        ]))
        h1 { "Import of " (ended.list) }
        p { (import::summary(&ended.counts)) ". Asked for by " (ended.asked_by) ", ended " (time::moment(ended.at, &connection.time_zone)) "." }
        ul { @for run in &ended.runs { li { a href=(Address::of(["runs", run.as_str()])) { "The run that did it" } } } }
        (records(&view, &connection, shown).show(&here))
        @if rows.len() > SHOWN {
            p.soft { "The first " (SHOWN) " of " (amount::grouped(rows.len() as u64)) "; all are in the CSV." }
        }
    };
    let layout = Layout {
        title: &format!("{}: import of {}", connection.name, ended.list),
        person: &person,
        place: "/",
    };
    Ok(page(&layout, &content).into_response())
}

/// Record by record, with the way to both sides.
fn records<'a>(
    view: &View,
    connection: &ConnectionInfo,
    rows: impl IntoIterator<Item = &'a Row>,
) -> Table {
    let columns = [
        Column::text("Result"),
        Column::text("Record"),
        Column::text("What"),
        Column::money("Amount"),
        Column::text(connection.ledger.clone()),
        Column::text(connection.platform.clone()),
        Column::text("Why"),
        Column::text("What to do"),
    ];
    let mut table = Table::new("records", "Record by record", columns)
        .or_empty("The list is empty.", " The ledger shows no record of it.");
    let there = |record: Option<&RecordRef>| match record {
        Some(record) => outside(view, connection, record),
        None => Cell::text(""),
    };
    for row in rows {
        let page = row.code.as_ref().and_then(Code::page);
        let fix = page.filter(|_| row.came == Came::Waiting);
        let fix = fix.map(|page| page.fix()).unwrap_or_default();
        let what = if row.record.kind == Kind::Customer {
            "customer"
        } else {
            "invoice"
        };
        table.row([
            Cell::shown(badge(tone(row.came), word(row.came)), row.came.as_str()),
            Cell::link(
                &Address::record(&connection.name, &row.record),
                row.label.as_str(),
            ),
            Cell::text(what),
            Cell::money(row.amount),
            there(Some(&row.record)),
            there(row.target.as_ref()),
            Cell::text(row.cause.as_str()),
            Cell::shown(notice::prose(&fix), fix.as_str()),
        ]);
    }
    table
}

/// A record in its service's own pages, where that has them.
fn outside(view: &View, connection: &ConnectionInfo, record: &RecordRef) -> Cell {
    let id = record.id.as_str();
    match view.program.address(&connection.name, record) {
        Some(address) => Cell::shown(
            html! { a href=(address) rel="noreferrer" target="_blank" { (id) } },
            address.as_str(),
        ),
        None => Cell::text(id),
    }
}

async fn start(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Form(asked): Form<Named>,
) -> Result<Redirect, PageError> {
    let (connection, store) = allowed(&view, &person, &name, Role::Operator)?;
    refuse_disconnected(&connection)?;
    let (flows, by) = (&connection.flows, person.actor());
    import::ask(&store, flows, &asked.list, &by, view.clock.now()).await?;
    let back = address(&connection).with("done", "asked");
    Ok(Redirect::to(&back.to_string()))
}

fn refuse_disconnected(connection: &ConnectionInfo) -> Result<(), PageError> {
    if connection.enabled {
        return Ok(());
    }
    let cause = format!("`{}` is disconnected", connection.name);
    Err(PageError::usage(Code::new("disconnected"), cause))
}

async fn abandon(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Form(asked): Form<Named>,
) -> Result<Redirect, PageError> {
    let (connection, store) = allowed(&view, &person, &name, Role::Operator)?;
    let list = asked.list.parse();
    let list = list.map_err(|cause: String| PageError::usage(Code::new("usage"), cause))?;
    import::abandon(&store, list, &person.actor()).await?;
    let back = address(&connection).with("done", "abandoned");
    Ok(Redirect::to(&back.to_string()))
}
