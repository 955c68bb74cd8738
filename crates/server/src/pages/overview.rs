//! The overview: all connections, what flows, what is stuck, and what it is worth.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::health::Health;
use tieout_desk::pause;
use tieout_domain::{State as RecordState, Timestamp};

use super::parts::badge::{Tone, badge};
use super::parts::form::{self, Act};
use super::parts::{Address, Cell, Column, Table, amount, csv_asked, facts, filter, notice, time};
use super::{Layout, PageError, bare_page, connect, days, nodes, standing};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// How many connections a page shows.
const SHOWN: usize = 50;
/// How many are asked about at once for a CSV file, which has them all.
const AT_ONCE: usize = 250;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
    csv: Option<String>,
    /// A part of the name.
    #[serde(default)]
    name: String,
    /// A standing, in the words of its badge.
    #[serde(default)]
    standing: String,
    /// Which page; the first if nothing is said, or nothing that is a number.
    #[serde(default)]
    page: String,
}

impl Asked {
    fn page(&self) -> usize {
        self.page.parse().map_or(1, |page: usize| page.max(1))
    }

    fn narrows(&self) -> bool {
        !self.name.trim().is_empty() || !self.standing.is_empty()
    }

    /// The address of the list, without its pages.
    fn address(&self) -> Address {
        Address::of([])
            .with("name", self.name.trim())
            .with("standing", &self.standing)
    }
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
    let list = List::of(&view, &asked).await?;
    let nodes = match view.whole() {
        Ok(store) => nodes::table(&store.nodes().await?),
        Err(_) => None,
    };
    if asked.csv.is_some() {
        let mut table = states();
        for some in list.chosen.chunks(AT_ONCE) {
            add_states(&mut table, &with_health(&view, some).await?);
        }
        if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
            return Ok(csv);
        }
    }
    let at = (asked.page() - 1)
        .saturating_mul(SHOWN)
        .min(list.chosen.len());
    let end = list.chosen.len().min(at + SHOWN);
    let here = asked.address();
    let first = (asked.page() > 1).then_some(&here);
    let next = (end < list.chosen.len())
        .then(|| here.clone().with("page", &(asked.page() + 1).to_string()));
    let shown = with_health(&view, &list.chosen[at..end]).await?;
    let infos = &list.chosen[at..end];
    let mut table = states();
    add_states(&mut table, &shown);
    let stops = view.store.stops().await?;
    let paused = pause::is_paused(&stops, None);
    let now = view.clock.now();
    let content = html! {
        div.lead {
            h1 { "Overview" }
            div.acts { (connecting(&view, &person)) @if list.total > 0 && view.is_whole() { (switch(&person, paused)) } }
        }
        (notice::done(asked.done.as_deref(), None, &DONE))
        @for stop in &stops { (notice::notice(Tone::Bad, &html! { p { (sentence(&stop.to_string())) } })) }
        @if list.total == 0 {
            (notice::empty("No connection yet", " An administrator connects two systems here, or with `tieout connect`: it asks for what it needs, checks it, and shows what would happen before anything is written."))
        } @else {
            @if list.total > 1 { (sums(&list, &asked)) }
            @if shown.is_empty() {
                (notice::empty("No connection stands so", " None of those that you see has this in its name and stands like that."))
            } @else {
                ul.tiles { @for (info, health) in &shown { li { (tile(&view, &person, info, health, now)) } } }
                (filter::pages(first, next.as_ref()))
                (days::runs(&view, infos).await?)
                (table.show(&here))
            }
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

/// The connections that somebody reaches.
struct List {
    /// How many there are.
    total: usize,
    /// How many stand how: over all of them, whatever is asked for.
    standings: Vec<((Tone, &'static str), u64)>,
    /// Those that are asked for: what needs somebody first, then by name.
    chosen: Vec<ConnectionInfo>,
}

impl List {
    async fn of(view: &View, asked: &Asked) -> Result<Self, PageError> {
        let glances = view.store.glances().await?;
        let all = view.program.connections();
        let total = all.len();
        let mut standings: BTreeMap<&str, (usize, Tone, u64)> = BTreeMap::new();
        let mut chosen = Vec::new();
        let name = asked.name.trim().to_lowercase();
        for info in all {
            let standing = glances.standing(&info.name);
            let (tone, word) = standing::word(&info, standing);
            let rank = rank(word, glances.stuck(&info.name));
            standings.entry(word).or_insert((rank, tone, 0)).2 += 1;
            let named = info.name.as_str().to_lowercase().contains(&name);
            if named && (asked.standing.is_empty() || asked.standing == word) {
                chosen.push((rank, info));
            }
        }
        chosen.sort_by(|(a, left), (b, right)| (a, &left.name).cmp(&(b, &right.name)));
        let mut standings: Vec<_> = standings.into_iter().collect();
        standings.sort_by_key(|(word, (_, _, _))| rank(word, 0));
        let sum = |(word, (_, tone, count))| ((tone, word), count);
        Ok(Self {
            total,
            standings: standings.into_iter().map(sum).collect(),
            chosen: chosen.into_iter().map(|(_, info)| info).collect(),
        })
    }
}

/// What needs somebody, the most pressing first; nobody is needed for the rest.
const PRESSING: [&str; 4] = ["in recovery", "last sync failed", "paused", "exceptions"];

fn rank(word: &str, stuck: u64) -> usize {
    let pressing = PRESSING.iter().position(|pressing| *pressing == word);
    let rest = match word {
        "disconnected" => PRESSING.len(),
        // While a run is on, or the first one is not through, what waits waits all the same.
        _ if stuck > 0 => PRESSING.len() - 1,
        _ => PRESSING.len(),
    };
    pressing.unwrap_or(rest)
}

/// These connections with how they are, in their order.
async fn with_health(
    view: &View,
    infos: &[ConnectionInfo],
) -> Result<Vec<(ConnectionInfo, Health)>, PageError> {
    let names: Vec<_> = infos.iter().map(|info| info.name.clone()).collect();
    let mut healths = view.store.healths(&names).await?;
    let mut with = |info: &ConnectionInfo| Some((info.clone(), healths.remove(&info.name)?));
    Ok(infos.iter().filter_map(&mut with).collect())
}

/// How many stand how, and the way to those; and what the list is narrowed by.
fn sums(list: &List, asked: &Asked) -> Markup {
    let words = list.standings.iter().map(|((_, word), _)| *word);
    let fields = [
        filter::Field::Text {
            name: "name",
            label: "Name",
            value: &asked.name,
        },
        filter::Field::Choice {
            name: "standing",
            label: "Standing",
            value: &asked.standing,
            choices: words.map(str::to_owned).collect(),
        },
    ];
    html! {
        ul.counts aria-label="Connections by standing" {
            @for ((tone, word), count) in &list.standings {
                li { a href=(Address::of([]).with("standing", word)) { (badge(*tone, word)) } " " span.number { (amount::grouped(*count)) } }
            }
        }
        (filter::filter(&Address::of([]), &fields, "Show"))
        @if asked.narrows() {
            p.soft {
                (amount::grouped(list.chosen.len() as u64)) " of " (amount::count(list.total as u64, "connection")) ". "
                a href=(Address::of([])) { "Show all" }
            }
        }
    }
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

fn tile(
    view: &View,
    person: &Person,
    info: &ConnectionInfo,
    health: &Health,
    now: Timestamp,
) -> Markup {
    let (tone, word) = standing::word(info, health.standing());
    html! {
        article class={ "tile " (tone.class()) } {
            div.head {
                h2 { a href=(Address::connection(&info.name)) { (info.name) } }
                (badge(tone, word))
            }
            p.stuck { (standing::stuck(info, health)) }
            (standing::counts(health))
            (facts(when(info, health, now)))
            div.acts { (standing::acts(person, info, health, view.is_new(&health.stops))) }
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
fn states() -> Table {
    let columns = [Column::text("Connection"), Column::text("Flow")];
    let states = RecordState::ALL.map(|state| Column::number(state.as_str()));
    let columns = columns
        .into_iter()
        .chain(states)
        .chain([Column::text("Last success")]);
    Table::new("states", "Records by flow and state", columns)
        .or_empty("No records yet", "Nothing has been synced.")
}

fn add_states(table: &mut Table, some: &[(ConnectionInfo, Health)]) {
    for (info, health) in some {
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
}
