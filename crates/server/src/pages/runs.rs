//! Runs, and one run record by record.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::{cost, run, story};
use tieout_domain::State as RecordState;
use tieout_domain::code::Code;
use tieout_store::{ConnectionStore, Entry, RunRow};

use super::parts::filter::{self, Field};
use super::parts::{Address, Cell, Column, Table, badge, crumbs, csv_asked, facts, notice, time};
use super::{Layout, PageError, bare_page, page};
use crate::people::Person;
use crate::program::ConnectionInfo;
use crate::view::View;

/// How many runs of each connection are shown at first, and how many more at each asking.
const STEP: u32 = 50;

/// How many are shown at most: who wants more wants the evidence pack.
const MOST: u32 = 1000;

/// How many entries of a run are on one page, and how many in its CSV.
const ENTRIES: u32 = 200;
const ENTRIES_CSV: u32 = 20_000;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    connection: String,
    #[serde(default)]
    status: String,
    rows: Option<u32>,
    after: Option<u64>,
    csv: Option<String>,
}

/// A table of runs.
pub(super) fn table(id: &'static str, title: &str, with_connection: bool) -> Table {
    let mut columns = vec![
        Column::text("Started"),
        Column::text("Status"),
        Column::person("Set off by"),
        Column::number("Seconds"),
        Column::number("Records"),
        Column::number("Waiting"),
        Column::number("Calls"),
        Column::sentence("What went wrong, and what to do"),
    ];
    if with_connection {
        columns.insert(1, Column::text("Connection"));
    }
    Table::new(id, title, columns)
}

/// A run as a row of it.
pub(super) fn row(
    info: &ConnectionInfo,
    run: &RunRow,
    codes: &[Code],
    with_connection: bool,
) -> Vec<Cell> {
    let zone = &info.time_zone;
    let address = Address::of(["runs", run.id.as_str()]);
    let states = || run.counts.values().flat_map(|states| states.iter());
    let waits = |state: &str| {
        let state = state.parse::<RecordState>();
        state.is_ok_and(RecordState::needs_a_person)
    };
    let waiting = states()
        .filter(|(state, _)| waits(state))
        .map(|(_, count)| count);
    let mut cells = vec![
        Cell::shown(
            html! { a href=(address) { (time::moment(run.started, zone)) } },
            time::plain(run.started, zone),
        ),
        Cell::shown(badge::run(&run.status), run.status.as_str()),
        Cell::text(format!("{} ({})", run.trigger, run.actor)),
        Cell::shown(html! { span.number { (seconds(run)) } }, seconds(run)),
        Cell::number(states().map(|(_, count)| count).sum()),
        Cell::number(waiting.sum()),
        Cell::number(run.calls.values().sum()),
        Cell::shown(wrong(run, codes), run.cause.as_str()),
    ];
    if with_connection {
        cells.insert(
            1,
            Cell::link(&Address::connection(&info.name), info.name.as_str()),
        );
    }
    cells
}

fn seconds(run: &RunRow) -> String {
    run::seconds(run)
        .map(|seconds| format!("{seconds:.1}"))
        .unwrap_or_default()
}

/// What went wrong, and the remedy for each of its codes.
fn wrong(run: &RunRow, codes: &[Code]) -> Markup {
    html! {
        @if !run.cause.is_empty() {
            (run.cause)
            @for code in codes { (notice::remedy(code)) }
        }
    }
}

/// The list.
pub(super) async fn list(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let rows = asked.rows.unwrap_or(STEP).clamp(1, MOST);
    let here = Address::of(["runs"])
        .with("connection", &asked.connection)
        .with("status", &asked.status);
    let connections = view.program.connections();
    let names = connections
        .iter()
        .map(|info| info.name.to_string())
        .collect();
    let mut found = Vec::new();
    let mut more = false;
    for info in &connections {
        if !asked.connection.is_empty() && info.name.as_str() != asked.connection {
            continue;
        }
        let store = view.store.connection(&info.name)?;
        let runs = store.runs(rows).await?;
        more |= runs.len() == rows as usize && rows < MOST;
        for run in runs {
            if asked.status.is_empty() || run.status == asked.status {
                found.push((info, store.clone(), run));
            }
        }
    }
    found.sort_by_key(|(_, _, run)| std::cmp::Reverse(run.started));
    let mut table = table("runs", "Runs", true).or_empty(
        "No runs",
        "Nothing has run yet, or nothing that this list is narrowed to.",
    );
    for (info, store, run) in &found {
        let codes = if run.cause.is_empty() {
            Vec::new()
        } else {
            run::codes(store, &run.id).await?
        };
        table.row(row(info, run, &codes, true));
    }
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
        return Ok(csv);
    }
    let fields = [
        Field::Choice {
            name: "connection",
            label: "Connection",
            value: &asked.connection,
            choices: names,
        },
        Field::Choice {
            name: "status",
            label: "Status",
            value: &asked.status,
            choices: ["done", "exceptions", "failed", "running"]
                .map(str::to_owned)
                .to_vec(),
        },
    ];
    let next = more.then(|| {
        here.clone()
            .with("rows", &(rows + STEP).min(MOST).to_string())
    });
    let content = html! {
        (filter::filter(&Address::of(["runs"]), &fields, "Narrow"))
        (table.show(&here.with("rows", &rows.to_string())))
        @if let Some(next) = next { nav.pages aria-label="Pages" { a href=(next) { "Show earlier runs" } } }
    };
    let layout = Layout {
        title: "Runs",
        person: &person,
        place: "/runs",
    };
    Ok(page(&layout, &content).into_response())
}

/// The run of this id, in whichever connection.
async fn found(
    view: &View,
    id: &str,
) -> Result<(ConnectionInfo, ConnectionStore, RunRow), PageError> {
    for info in view.program.connections() {
        let store = view.store.connection(&info.name)?;
        if let Some(run) = run::find(&store, id).await? {
            return Ok((info, store, run));
        }
    }
    Err(PageError::Missing)
}

/// One run, record by record.
pub(super) async fn show(
    view: View,
    person: Person,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (info, store, run) = found(&view, &id).await?;
    let here = Address::of(["runs", run.id.as_str()]);
    let after = asked.after.unwrap_or_default();
    let rows = if asked.csv.is_some() {
        ENTRIES_CSV
    } else {
        ENTRIES
    };
    let entries = store.run_facts(&run.id, after, rows).await?;
    let records = records(&info, &entries);
    let counts = counts(&run);
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&records, &counts]) {
        return Ok(csv);
    }
    let codes = run::codes(&store, &run.id).await?;
    let first = (after > 0).then(|| here.clone());
    let next = (entries.len() == rows as usize)
        .then(|| entries.last())
        .flatten()
        .map(|last| here.clone().with("after", &last.seq.to_string()));
    let on = run.ended.is_none();
    let content = html! {
        (crumbs(&[(Address::of(["runs"]), "Runs")]))
        div #run data-refresh=[on.then_some("3")] {
            div.lead { h1 { "Run of " (info.name) } (badge::run(&run.status)) }
            (facts(about(&info, &run)))
            @if !run.cause.is_empty() {
                div.notice.bad { p { (run.cause) } @for code in &codes { (notice::remedy(code)) } }
            }
            (counts.show(&here))
            (records.show(&here))
        }
        (filter::pages(first.as_ref(), next.as_ref()))
    };
    let title = format!("Run of {}", info.name);
    let layout = Layout {
        title: &title,
        person: &person,
        place: "/runs",
    };
    Ok(bare_page(&layout, &content).into_response())
}

fn about<'a>(info: &ConnectionInfo, run: &RunRow) -> Vec<(&'a str, Markup)> {
    let zone = &info.time_zone;
    let calls = cost::calls(&run.calls, &info.allowances);
    let mut told = vec![
        ("Run", html! { span.id { (run.id) } }),
        (
            "Connection",
            html! { a href=(Address::connection(&info.name)) { (info.name) } },
        ),
        ("Set off by", html! { (run.trigger) " (" (run.actor) ")" }),
        ("Flows", html! { (run.flows.join(", ")) }),
        ("Started", time::precise(run.started, zone)),
    ];
    if let Some(ended) = run.ended {
        told.push((
            "Ended",
            html! { (time::precise(ended, zone)) ", after " (seconds(run)) " seconds" },
        ));
        told.push(("Calls", html! { (calls) }));
    }
    told
}

/// Each flow's records by state at the end of the run.
fn counts(run: &RunRow) -> Table {
    let states = RecordState::ALL.map(|state| Column::number(state.as_str()));
    let columns = [Column::text("Flow")].into_iter().chain(states);
    let mut table = Table::new("counts", "Records at its end", columns).or_empty(
        "Not counted yet",
        "The records are counted when the run ends.",
    );
    for (flow, counts) in &run.counts {
        let count = |state: RecordState| counts.get(state.as_str()).copied().unwrap_or_default();
        let cells = RecordState::ALL.map(|state| Cell::number(count(state)));
        table.row([Cell::text(flow.as_str())].into_iter().chain(cells));
    }
    table
}

/// What the run said, entry by entry.
fn records(info: &ConnectionInfo, entries: &[Entry]) -> Table {
    let columns = [
        Column::text("When"),
        Column::text("Record"),
        Column::text("What"),
    ];
    let mut table = Table::new("records", "Record by record", columns).or_empty(
        "Nothing was to be done",
        "Both sides read as they did before: no record was written, and none changed its state.",
    );
    for entry in entries {
        // What says nothing about a record is told above.
        if story::sentence(entry).is_none() {
            continue;
        }
        table.row([
            Cell::shown(
                time::precise(entry.at, &info.time_zone),
                time::plain(entry.at, &info.time_zone),
            ),
            entry.record.as_ref().map_or_else(
                || Cell::text(""),
                |record| Cell::link(&Address::record(&info.name, record), record.to_string()),
            ),
            Cell::text(story::words(entry).trim()),
        ]);
    }
    table
}
