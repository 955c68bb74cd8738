//! Records: finding one by whatever a person knows of it, and everything that is known of it, on both sides.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::compare::{self, Field, Told};
use tieout_desk::record::{self, Life};
use tieout_desk::story;
use tieout_domain::{RecordRef, Side};
use tieout_store::{ConnectionStore, Item, Link, Mirrored};

use super::named;
use super::parts::{Address, Cell, Column, Table, badge, crumbs, csv_asked, filter, notice, time};
use super::{Layout, PageError, bare_page, page};
use crate::people::Person;
use crate::program::ConnectionInfo;
use crate::view::View;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    csv: Option<String>,
}

/// A side's name in this connection.
fn side_name(info: &ConnectionInfo, side: Side) -> &str {
    match side {
        Side::Ledger => &info.ledger,
        Side::Platform => &info.platform,
    }
}

/// The search over all connections.
pub(super) async fn search(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let here = Address::of(["records"]).with("q", &asked.q);
    let table = found(&view, &asked.q).await?;
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
        return Ok(csv);
    }
    let fields = [filter::Field::Text {
        name: "q",
        label: "Number, name, id or external id, of either side",
        value: &asked.q,
    }];
    let content = html! {
        (filter::filter(&Address::of(["records"]), &fields, "Find"))
        @if asked.q.trim().is_empty() {
            (notice::empty("What are you looking for?", "An invoice number or the beginning of one, a vendor's name, an id of NetSuite or of the platform."))
        } @else { (table.show(&here)) }
    };
    let layout = Layout {
        title: "Records",
        person: &person,
        place: "/records",
    };
    Ok(page(&layout, &content).into_response())
}

async fn found(view: &View, text: &str) -> Result<Table, PageError> {
    let columns = [
        Column::text("Record"),
        Column::text("Kind"),
        Column::text("In"),
        Column::text("Connection"),
        Column::text("Date"),
        Column::money("Amount"),
        Column::text("State"),
        Column::text("Id"),
    ];
    let mut table = Table::new("found", "Found", columns).or_empty(
        "Nothing is called that",
        "What was never read by a sync is not known here: look whether the connection has synced, and whether the record is in its scope.",
    );
    if text.trim().is_empty() {
        return Ok(table);
    }
    for info in view.program.connections() {
        let store = view.store.connection(&info.name)?;
        for record in record::find(&store, text).await? {
            let now = seen(&store, &record).await?;
            let items = items(&store, &record).await?;
            table.row(row(&info, &record, now.as_ref(), items.first()));
        }
    }
    Ok(table)
}

fn row(
    info: &ConnectionInfo,
    record: &RecordRef,
    now: Option<&Mirrored>,
    item: Option<&Item>,
) -> Vec<Cell> {
    let document = now.map(|now| &now.observed.document);
    let label = document.map_or_else(|| record.to_string(), tieout_domain::Document::label);
    let date = document.and_then(tieout_domain::Document::date);
    vec![
        Cell::link(&Address::record(&info.name, record), label),
        Cell::text(record.kind.as_str()),
        Cell::text(side_name(info, record.side)),
        Cell::text(info.name.as_str()),
        Cell::text(date.map(|date| date.to_string()).unwrap_or_default()),
        Cell::money(document.and_then(tieout_domain::Document::amount)),
        item.map_or_else(
            || Cell::text(""),
            |item| Cell::shown(badge::outcome(&item.outcome), item.outcome.to_string()),
        ),
        Cell::shown(html! { span.id { (record.id) } }, record.id.as_str()),
    ]
}

async fn seen(store: &ConnectionStore, record: &RecordRef) -> Result<Option<Mirrored>, PageError> {
    let ids = [record.id.clone()];
    let mut found = store.records(record.side, record.kind, &ids).await?;
    Ok(found.remove(&record.id))
}

/// Where a record stands, in each flow that has it.
async fn items(store: &ConnectionStore, record: &RecordRef) -> Result<Vec<Item>, PageError> {
    let one = std::slice::from_ref(record);
    let mut found = Vec::new();
    for flow in record::flow_names() {
        found.extend(store.items(flow, one).await?.into_values());
    }
    Ok(found)
}

/// Everything that is known of a record.
pub(super) async fn show(
    view: View,
    person: Person,
    Path((connection, side, kind, id)): Path<(String, String, String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (info, store) = named(&view, &connection)?;
    let text = format!("{side}/{kind}/{id}");
    let record: RecordRef = text.parse().map_err(|_| PageError::Missing)?;
    if record::find(&store, &text).await?.is_empty() {
        return Err(PageError::Missing);
    }
    let here = Address::record(&info.name, &record);
    let life = record::life(&store, record).await?;
    let sides = Sides::of(&store, &life).await?;
    let fields = fields_table(&info, &sides);
    let lines = [
        lines_table(&info, &sides, Side::Ledger),
        lines_table(&info, &sides, Side::Platform),
    ];
    let pays = pays_table(&info, &sides);
    let tables = [&fields, &lines[0], &lines[1], &pays];
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &tables) {
        return Ok(csv);
    }
    let label = life.now.as_ref().map_or_else(
        || life.record.to_string(),
        |now| now.observed.document.label(),
    );
    let title = format!("{} {label}", name_of(life.record.kind.as_str()));
    let content = html! {
        (crumbs(&[(Address::of(["records"]), "Records"), (Address::connection(&info.name), &connection)]))
        div.lead {
            h1 { (title) }
            div { @for item in &life.items { (badge::outcome(&item.outcome)) " " } }
        }
        @for item in life.items.iter().filter(|item| !item.outcome.cause.is_empty()) { (standing(&info, item)) }
        (elsewhere(&view, &info, &sides))
        (acts(&person, &info, &life))
        (fields.show(&here))
        @for table in &lines { @if !table.is_empty() { (table.show(&here)) } }
        @if !pays.is_empty() { (pays.show(&here)) }
        (links(&info, &life.links))
        (timeline(&info, &life))
    };
    let layout = Layout {
        title: &title,
        person: &person,
        place: "/records",
    };
    Ok(bare_page(&layout, &content).into_response())
}

/// `Vendor credit` for `vendor-credit`.
fn name_of(kind: &str) -> String {
    let text = kind.replace('-', " ");
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// The record and its counterpart, each with what it says.
struct Sides {
    ledger: Option<(RecordRef, Mirrored, Told)>,
    platform: Option<(RecordRef, Mirrored, Told)>,
}

impl Sides {
    async fn of(store: &ConnectionStore, life: &Life) -> Result<Self, PageError> {
        let mut sides = Self {
            ledger: None,
            platform: None,
        };
        // The counterpart is of the same kind; a reversal's journal entry is told below, by its link.
        let others = life
            .links
            .iter()
            .flat_map(|link| [&link.record, &link.target]);
        let others = others.filter(|other| other.kind == life.record.kind);
        for record in std::iter::once(&life.record).chain(others) {
            let place = match record.side {
                Side::Ledger => &mut sides.ledger,
                Side::Platform => &mut sides.platform,
            };
            if place.is_some() {
                continue;
            }
            if let Some(now) = seen(store, record).await? {
                let told = compare::told(store, record.side, &now.observed.document).await?;
                *place = Some((record.clone(), now, told));
            }
        }
        Ok(sides)
    }

    fn side(&self, side: Side) -> Option<&(RecordRef, Mirrored, Told)> {
        match side {
            Side::Ledger => self.ledger.as_ref(),
            Side::Platform => self.platform.as_ref(),
        }
    }

    fn fields(&self) -> Vec<Field> {
        let told = |side| self.side(side).map(|(_, _, told)| told);
        compare::beside(told(Side::Ledger), told(Side::Platform))
    }
}

/// Why it stands so, and what to do.
fn standing(info: &ConnectionInfo, item: &Item) -> Markup {
    let tone = badge::tone(item.outcome.state);
    notice::notice(
        tone,
        &html! {
            p { (item.outcome.cause) }
            @if let Some(code) = &item.outcome.code { (notice::remedy(code)) }
            p.soft { "In the flow " (item.flow) ", since " (time::moment(item.since, &info.time_zone)) }
        },
    )
}

/// The way to both services' own pages.
fn elsewhere(view: &View, info: &ConnectionInfo, sides: &Sides) -> Markup {
    let known: Vec<(&str, String)> = [Side::Ledger, Side::Platform]
        .into_iter()
        .filter_map(|side| {
            let (record, _, _) = sides.side(side)?;
            let address = view.program.address(&info.name, record)?;
            Some((side_name(info, side), address))
        })
        .collect();
    html! {
        @if !known.is_empty() {
            p { @for (name, address) in &known { a href=(address) rel="noreferrer" { "Open in " (name) " ↗" } " " } }
        }
    }
}

/// What may be done: what waits for a person is decided where its cause is.
fn acts(person: &Person, info: &ConnectionInfo, life: &Life) -> Markup {
    let waits = life
        .items
        .iter()
        .any(|item| item.outcome.state.needs_a_person());
    let address = Address::of(["exceptions"]).with("connection", info.name.as_str());
    html! {
        @if waits && person.may(crate::people::Role::Operator) {
            p.acts { a.button href=(address) { "Decide about it among the exceptions" } }
        }
    }
}

fn fields_table(info: &ConnectionInfo, sides: &Sides) -> Table {
    let columns = [
        Column::text("Field"),
        Column::text(info.ledger.clone()),
        Column::text(info.platform.clone()),
    ];
    let gone = |side| {
        let gone = sides.side(side).is_some_and(|(_, now, _)| now.gone);
        let missing = sides.side(side).is_none();
        match (gone, missing) {
            (true, _) => format!("deleted in {}", side_name(info, side)),
            (_, true) => format!("not in {}", side_name(info, side)),
            _ => String::new(),
        }
    };
    let notes: Vec<String> = [Side::Ledger, Side::Platform]
        .into_iter()
        .map(gone)
        .filter(|note| !note.is_empty())
        .collect();
    let mut table = Table::new("fields", "Both sides", columns)
        .note(notes.join(", "))
        .or_empty(
            "Not read yet",
            "What it says is known once a sync has read it.",
        );
    let id = |side| {
        sides.side(side).map_or_else(
            || Cell::text(""),
            |(record, _, _)| Cell::shown(html! { span.id { (record.id) } }, record.id.as_str()),
        )
    };
    let fields = sides.fields();
    if !fields.is_empty() {
        table.row([Cell::text("Id"), id(Side::Ledger), id(Side::Platform)]);
    }
    for field in fields {
        let cell = |text: String| {
            let cell = Cell::text(text);
            if field.differs {
                cell.differing()
            } else {
                cell
            }
        };
        table.row([
            Cell::text(field.name),
            cell(field.ledger.clone()),
            cell(field.platform.clone()),
        ]);
    }
    table
}

fn lines_table(info: &ConnectionInfo, sides: &Sides, side: Side) -> Table {
    let (id, place) = match side {
        Side::Ledger => ("ledger-lines", side_name(info, Side::Ledger)),
        Side::Platform => ("platform-lines", side_name(info, Side::Platform)),
    };
    let columns = [
        Column::text("Account"),
        Column::text("Department, class, location"),
        Column::text("Memo"),
        Column::money("Amount"),
    ];
    let mut table = Table::new(id, format!("Lines in {place}"), columns);
    let lines = sides.side(side).map(|(_, _, told)| &told.lines);
    for line in lines.into_iter().flatten() {
        table.row([
            Cell::text(line.account.as_str()),
            Cell::text(line.dimensions.as_str()),
            Cell::text(line.memo.as_str()),
            Cell::money(Some(line.amount)),
        ]);
    }
    table
}

fn pays_table(info: &ConnectionInfo, sides: &Sides) -> Table {
    let columns = [
        Column::text("In"),
        Column::text("Goes to"),
        Column::money("Amount"),
    ];
    let mut table = Table::new("pays", "What it pays", columns);
    for side in [Side::Ledger, Side::Platform] {
        let pays = sides.side(side).map(|(_, _, told)| &told.pays);
        for paid in pays.into_iter().flatten() {
            table.row([
                Cell::text(side_name(info, side)),
                Cell::link(
                    &Address::record(&info.name, &paid.record),
                    paid.label.as_str(),
                ),
                Cell::money(Some(paid.amount)),
            ]);
        }
    }
    table
}

fn links(info: &ConnectionInfo, links: &[Link]) -> Markup {
    let to =
        |record: &RecordRef| html! { a.id href=(Address::record(&info.name, record)) { (record) } };
    html! {
        @if !links.is_empty() {
            section {
                h2 { "Links" }
                ul {
                    @for link in links {
                        li {
                            (to(&link.target)) " stands for " (to(&link.record))
                            @if !link.role.is_empty() { " (" (link.role) ")" }
                            span.soft { ", " (how(link)) ", in the flow " (link.flow) @if link.confirmed { ", read back as written" } }
                            @if let Some(drift) = &link.drift { " " (badge::badge(badge::Tone::Bad, "drifted")) " " (drift) }
                        }
                    }
                }
            }
        }
    }
}

/// How a counterpart was come by.
fn how(link: &Link) -> String {
    match link.how.as_str() {
        "applied" => "made by tieout".to_owned(),
        "adopted" => "was there already".to_owned(),
        other => format!("found by {other}"),
    }
}

/// Its life, the oldest first.
fn timeline(info: &ConnectionInfo, life: &Life) -> Markup {
    html! {
        section {
            h2 { "Timeline" }
            @if life.history.is_empty() {
                (notice::empty("Nothing has happened to it", "It was read, and nothing was decided or written on its account."))
            } @else {
                ol.timeline {
                    @for entry in &life.history {
                        @if story::sentence(entry).is_some() {
                            li {
                                div.when {
                                    (time::precise(entry.at, &info.time_zone)) ", by " (entry.actor)
                                    @if let Some(run) = &entry.run { ", " a href=(Address::of(["runs", run.as_str()])) { "run" } }
                                    ", entry " (entry.seq)
                                }
                                (story::words(entry).trim())
                                @let changes = story::changed(entry);
                                @if !changes.is_empty() { ul { @for change in &changes { li { (change) } } } }
                            }
                        }
                    }
                }
            }
        }
    }
}
