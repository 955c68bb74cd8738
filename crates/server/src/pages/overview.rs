//! The overview: all connections, what flows, what is stuck, and what it is worth.

use axum::extract::Query;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::health::{Health, health};
use tieout_desk::pause;
use tieout_domain::{State as RecordState, Timestamp};

use super::parts::badge::{Tone, badge};
use super::parts::form::{self, Act};
use super::parts::{Address, Cell, Column, Table, csv_asked, facts, notice, time};
use super::{Layout, PageError, bare_page, connect, days, nodes, standing};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
    csv: Option<String>,
}

/// The words of what was done.
const DONE: [(&str, &str); 2] = [
    ("paused", "All remote writes are paused."),
    ("resumed", "Remote writes go on."),
];

/// The page.
pub(super) async fn show(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let here = Address::of([]);
    let mut all = Vec::new();
    for info in view.program.connections() {
        let health = health(&view.store.connection(&info.name)?).await?;
        all.push((info, health));
    }
    let table = states(&all);
    let nodes = match view.whole() {
        Ok(store) => nodes::table(&store.nodes().await?),
        Err(_) => None,
    };
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
        return Ok(csv);
    }
    let stops = view.store.stops().await?;
    let paused = pause::is_paused(&stops, None);
    let now = view.clock.now();
    let content = html! {
        div.lead {
            h1 { "Overview" }
            div.acts { (connecting(&view, &person)) @if !all.is_empty() && view.is_whole() { (switch(&person, paused)) } }
        }
        (notice::done(asked.done.as_deref(), None, &DONE))
        @for stop in &stops { (notice::notice(Tone::Bad, &html! { p { (sentence(&stop.to_string())) } })) }
        @if all.is_empty() {
            (notice::empty("No connection yet", " An administrator connects two systems here, or with `tieout connect`: it asks for what it needs, checks it, and shows what would happen before anything is written."))
        } @else {
            ul.tiles { @for (info, health) in &all { li { (tile(&person, info, health, now)) } } }
            (days::runs(&view, &all).await?)
            (table.show(&here))
        }
        @if let Some(nodes) = nodes.filter(|_| person.may(Role::Operator)) { (nodes.show(&here)) }
    };
    let layout = Layout {
        title: "Overview",
        person: &person,
        place: "/",
    };
    Ok(bare_page(&layout, &content).into_response())
}

/// A sentence begins with a capital letter.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

fn switch(person: &Person, paused: bool) -> Markup {
    if !person.may(Role::Operator) {
        return html! {};
    }
    let act = if paused {
        Act {
            name: "Resume all",
            means: "Remote writes of all connections go on with their next sync; those that are paused by themselves stay paused.",
            action: Address::of(["resume"]),
            fields: form::reason("resume-all", true),
            danger: false,
        }
    } else {
        Act {
            name: "Pause all",
            means: "Stops all remote writes of all connections at once. Reading goes on.",
            action: Address::of(["pause"]),
            fields: form::reason("pause-all", false),
            danger: true,
        }
    };
    form::act(person, &act)
}

/// Connecting two systems, for those who may.
fn connecting(view: &View, person: &Person) -> Markup {
    html! {
        @if person.may(Role::Admin) && view.program.connects().is_some() {
            a.button href=(connect::start_address()) { "Connect two systems" }
        }
    }
}

fn tile(person: &Person, info: &ConnectionInfo, health: &Health, now: Timestamp) -> Markup {
    let (tone, word) = standing::word(info, health);
    html! {
        article class={ "tile " (tone.class()) } {
            div.head {
                h2 { a href=(Address::connection(&info.name)) { (info.name) } }
                (badge(tone, word))
            }
            p.stuck { (standing::stuck(info, health)) }
            (standing::counts(health))
            (facts(when(info, health, now)))
            div.acts { (standing::acts(person, info, health)) }
        }
    }
}

/// When it ran, when it runs next, and what was signed.
fn when<'a>(info: &ConnectionInfo, health: &Health, now: Timestamp) -> Vec<(&'a str, Markup)> {
    let zone = &info.time_zone;
    let mut told = vec![("Between", html! { (info.ledger) " and " (info.platform) })];
    if let Some(initial) = health.initial.as_ref().filter(|it| it.is_pending()) {
        told.push(("Initial sync", standing::initial(initial)));
    }
    let last = health.runs.iter().find(|run| run.ended.is_some());
    if let Some((run, ended)) = last.and_then(|run| Some((run, run.ended?))) {
        let address = Address::of(["runs", run.id.as_str()]);
        told.push((
            "Last sync",
            html! { a href=(address) { (time::ago(ended, now)) } ", " (time::moment(ended, zone)) },
        ));
    }
    told.push(("Next sync", next(info, now)));
    if let Some(signed) = &health.signed {
        told.push(("Tie-out", standing::signed(signed)));
    }
    told
}

/// When it runs next.
pub(super) fn next(info: &ConnectionInfo, now: Timestamp) -> Markup {
    html! {
        @if let Some(next) = info.next_run {
            (time::ago(next, now)) ", " (time::moment(next, &info.time_zone))
        } @else if let Some(schedule) = &info.schedule {
            (schedule)
        } @else {
            "when somebody asks: it has no schedule"
        }
    }
}

/// Each flow's records by state.
fn states(all: &[(ConnectionInfo, Health)]) -> Table {
    let columns = [Column::text("Connection"), Column::text("Flow")];
    let states = RecordState::ALL.map(|state| Column::number(state.as_str()));
    let columns = columns
        .into_iter()
        .chain(states)
        .chain([Column::text("Last success")]);
    let mut table = Table::new("states", "Records by flow and state", columns)
        .or_empty("No records yet", "Nothing has been synced.");
    for (info, health) in all {
        for (flow, counts) in &health.counts {
            let mut cells = vec![
                Cell::link(&Address::connection(&info.name), info.name.as_str()),
                Cell::text(flow.as_str()),
            ];
            cells.extend(counts.iter().map(|count| Cell::number(*count)));
            let last = health.last_successes.get(flow);
            cells
                .push(last.map_or_else(|| Cell::text(""), |at| Cell::moment(*at, &info.time_zone)));
            table.row(cells);
        }
    }
    table
}
