//! The audit log: what happened and who did it, the newest first; and the check of the chain.

use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::history::{self, Checked};
use tieout_desk::story;
use tieout_domain::Timestamp;
use tieout_store::{Entry, EntryFilter};

use super::named;
use super::parts::badge::{Tone, badge};
use super::parts::filter::{self, Field};
use super::parts::{Address, Cell, Column, Table, amount, csv_asked, form, notice, time};
use super::{Layout, PageError, bare_page};
use crate::people::Person;
use crate::view::View;

/// How many entries are on one page, and how many in the CSV.
const ROWS: u32 = 100;
const ROWS_CSV: u32 = 20_000;

/// What people call the history of users, credentials and preferences.
const INSTALLATION: &str = "installation";

/// What the address asks for.
#[derive(Debug, Default, Clone, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    connection: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    before: Option<u64>,
    done: Option<String>,
    n: Option<u64>,
    csv: Option<String>,
}

impl Asked {
    /// The list's own address, at its first page.
    fn address(&self) -> Address {
        Address::of(["audit"])
            .with("connection", &self.connection)
            .with("actor", &self.actor)
            .with("kind", &self.kind)
            .with("from", &self.from)
            .with("until", &self.until)
    }

    fn filter(&self, zone: &TimeZone) -> EntryFilter {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let day = |text: &str, after: i64| -> Option<Timestamp> {
            let day: Date = text.trim().parse().ok()?;
            let day = day.saturating_add(after.days());
            Some(day.to_zoned(zone.clone()).ok()?.timestamp())
        };
        EntryFilter {
            actor: text(&self.actor),
            word: text(&self.kind),
            run: None,
            from: day(&self.from, 0),
            // The day that is named belongs to it.
            until: day(&self.until, 1),
        }
    }
}

/// The words of what was done.
const DONE: [(&str, &str); 2] = [
    (
        "good",
        "All histories were checked: {n} entries, and all agree.",
    ),
    (
        "bad",
        "All histories were checked. Not all agrees: see below.",
    ),
];

/// The page.
pub(super) async fn show(
    view: View,
    person: Person,
    Query(mut asked): Query<Asked>,
) -> Result<Response, PageError> {
    let connections = view.program.connections();
    let mut chains: Vec<String> = connections.iter().map(|it| it.name.to_string()).collect();
    if view.is_whole() {
        chains.push(INSTALLATION.to_owned());
    }
    if let Some(first) = chains.first().filter(|_| asked.connection.is_empty()) {
        asked.connection = first.clone();
    }
    let (zone, entries) = entries(&view, &asked).await?;
    let table = table(&asked.connection, &zone, &entries);
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
        return Ok(csv);
    }
    let here = asked.address();
    let next = (entries.len() == ROWS as usize)
        .then(|| entries.last())
        .flatten()
        .map(|last| here.clone().with("before", &last.seq.to_string()));
    let first = asked.before.is_some().then(|| here.clone());
    let checked = view.store.last_check().await?;
    let content = html! {
        div.lead {
            h1 { "Audit log" }
            @if view.is_whole() { (form::button(&person, &Address::of(["audit", "check"]), &html! {}, "Check the chain")) }
        }
        (notice::done(asked.done.as_deref(), asked.n, &DONE))
        @if view.is_whole() { (check(checked.as_ref(), &zone)) }
        (narrowing(&asked, chains))
        (table.show(&here))
        (filter::pages(first.as_ref(), next.as_ref()))
    };
    let layout = Layout {
        title: "Audit log",
        person: &person,
        place: "/audit",
    };
    Ok(bare_page(&layout, &content).into_response())
}

/// The entries that are asked for, and the zone that their times are shown in.
async fn entries(view: &View, asked: &Asked) -> Result<(TimeZone, Vec<Entry>), PageError> {
    let rows = if asked.csv.is_some() { ROWS_CSV } else { ROWS };
    if asked.connection == INSTALLATION {
        let zone = TimeZone::UTC;
        let store = view.whole()?.installation();
        let found = store
            .newest(&asked.filter(&zone), asked.before, rows)
            .await?;
        return Ok((zone, found));
    }
    let (info, store) = named(view, &asked.connection)?;
    let zone = info.time_zone;
    let found = store
        .newest(&asked.filter(&zone), asked.before, rows)
        .await?;
    Ok((zone, found))
}

fn narrowing(asked: &Asked, chains: Vec<String>) -> Markup {
    let fields = [
        Field::Choice {
            name: "connection",
            label: "History of",
            value: &asked.connection,
            choices: chains,
        },
        Field::Text {
            name: "actor",
            label: "Who",
            value: &asked.actor,
        },
        Field::Choice {
            name: "kind",
            label: "What",
            value: &asked.kind,
            choices: history::WORDS.map(str::to_owned).to_vec(),
        },
        Field::Day {
            name: "from",
            label: "From",
            value: &asked.from,
        },
        Field::Day {
            name: "until",
            label: "Until",
            value: &asked.until,
        },
    ];
    filter::filter(&Address::of(["audit"]), &fields, "Narrow")
}

/// When the chain was checked last, and what it came to.
fn check(checked: Option<&Checked>, zone: &TimeZone) -> Markup {
    html! {
        @match checked {
            None => p.soft { "The chain was never checked from here. Each entry carries the hash of the one before it: a check reads them all and folds the state anew." },
            Some(checked) if checked.faults.is_empty() => p {
                (badge(Tone::Good, "chain verified")) " "
                span.soft { (amount::count(checked.entries, "entry")) ", " (time::moment(checked.at, zone)) ", by " (checked.actor) }
            },
            Some(checked) => (notice::notice(Tone::Bad, &html! {
                p { "The check of " (time::moment(checked.at, zone)) " found what doesn't agree:" }
                ul { @for fault in &checked.faults { li { (fault) } } }
            })),
        }
    }
}

fn table(chain: &str, zone: &TimeZone, entries: &[Entry]) -> Table {
    let columns = [
        Column::number("Entry"),
        Column::text("When"),
        Column::person("Who"),
        Column::text("What"),
        Column::sentence("Words"),
        Column::text("Record"),
        Column::text("Hash"),
    ];
    let mut table = Table::new("audit", "Entries", columns)
        .note("the newest first")
        .or_empty(
            "No entries",
            "Nothing was said here, or nothing that this list is narrowed to.",
        );
    for entry in entries {
        let record = entry.record.as_ref().map(|record| {
            let address = Address::of([
                "records",
                chain,
                record.side.as_str(),
                record.kind.as_str(),
                record.id.as_str(),
            ]);
            Cell::link(&address, record.to_string())
        });
        table.row([
            Cell::number(entry.seq),
            Cell::shown(time::precise(entry.at, zone), time::plain(entry.at, zone)),
            Cell::text(entry.actor.as_str()),
            Cell::text(entry.fact.word()),
            Cell::text(story::words(entry).trim()),
            record.unwrap_or_else(|| Cell::text("")),
            Cell::shown(
                html! { span.id title=(entry.hash) { (entry.hash.get(..12).unwrap_or_default()) } },
                entry.hash.as_str(),
            ),
        ]);
    }
    table
}

/// Checks all histories.
pub(super) async fn verify(view: View, person: Person) -> Result<Redirect, PageError> {
    let checked = history::check(view.whole()?, &person.actor(), view.clock.now()).await?;
    let word = if checked.faults.is_empty() {
        "good"
    } else {
        "bad"
    };
    let address = Address::of(["audit"])
        .with("done", word)
        .with("n", &checked.entries.to_string());
    Ok(Redirect::to(&address.to_string()))
}
