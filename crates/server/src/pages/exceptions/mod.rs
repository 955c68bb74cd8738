//! The exceptions inbox: what waits for a person, grouped by cause over all connections.

mod cause;
mod decide;
mod link;

use axum::Router;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::exceptions::{self, Cause, Topic};
use tieout_domain::code::Code;
use tieout_domain::{Kind, RemoteId, State as Standing, Timestamp};

use super::parts::{
    self, Address, Cell, Column, Table, amount, badge, csv_asked, filter, notice, time,
};
use super::{Layout, PageError, page};
use crate::app::App;
use crate::people::Person;
use crate::program::ConnectionInfo;
use crate::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/exceptions", get(inbox))
        .route("/exceptions/{connection}/cause", get(cause::show))
        .route("/exceptions/{connection}/link", get(link::show))
        .route("/exceptions/{connection}/decide", post(decide::decide))
}

/// Which part of the inbox.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    /// `hold` for what resolves by itself.
    #[serde(default)]
    tab: String,
    /// Only of this connection.
    #[serde(default)]
    connection: String,
    csv: Option<String>,
    /// Which page; the first if nothing is said, or nothing that is a number.
    #[serde(default)]
    page: String,
}

impl Asked {
    fn holds(&self) -> bool {
        self.tab == "hold"
    }

    /// The inbox, or its other part, narrowed as this one is.
    fn address(&self, holds: bool) -> Address {
        Address::of(["exceptions"])
            .with("tab", if holds { "hold" } else { "" })
            .with("connection", &self.connection)
    }

    fn page(&self) -> usize {
        self.page.parse().map_or(1, |page: usize| page.max(1))
    }
}

/// How many causes a page shows, each of one connection.
const SHOWN: usize = 100;

/// What was done, for the page that an act leads back to.
#[derive(Debug, Default, Deserialize)]
struct Done {
    done: Option<String>,
    n: Option<u64>,
}

impl Done {
    fn show(&self) -> Markup {
        let texts = [
            ("retry", "{n} will be looked at again by the next run."),
            (
                "ignore",
                "{n} are left alone from now on. They stay in the counts as SKIPPED.",
            ),
            ("create", "{n} will be created by the next run."),
            (
                "accept",
                "{n} are accepted as they are. The next run goes on with them.",
            ),
            ("link", "Linked. The next run goes on from there."),
        ];
        notice::done(self.done.as_deref(), self.n, &texts)
    }
}

/// Where a cause is, and the mapping that its records wait for.
struct Source<'a> {
    connection: &'a ConnectionInfo,
    mapping: Option<(Kind, RemoteId)>,
}

/// The causes of one page, each with its topic: a topic of many connections goes on over the next pages.
async fn shown<'a>(
    view: &View,
    topics: &'a [Topic<&'a ConnectionInfo>],
    from: usize,
) -> Result<Vec<(&'a Topic<&'a ConnectionInfo>, Vec<(Source<'a>, &'a Cause)>)>, PageError> {
    let mut shown = Vec::new();
    let (mut skip, mut left) = (from, SHOWN);
    for topic in topics {
        let mut causes = Vec::new();
        for (connection, cause) in topic.causes.iter().skip(skip).take(left) {
            let store = view.store.connection(&connection.name)?;
            let mapping = exceptions::mapping(&store, cause).await?;
            let source = Source {
                connection,
                mapping,
            };
            causes.push((source, cause));
        }
        skip = skip.saturating_sub(topic.causes.len());
        left -= causes.len();
        if !causes.is_empty() {
            shown.push((topic, causes));
        }
    }
    Ok(shown)
}

async fn inbox(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
    Query(done): Query<Done>,
) -> Result<Response, PageError> {
    let holds = asked.holds();
    let mut connections = view.program.connections();
    if !asked.connection.is_empty() {
        connections.retain(|it| it.name.as_str() == asked.connection);
        if connections.is_empty() {
            return Err(PageError::Missing);
        }
    }
    let mut found = view.store.causes(holds).await?;
    let mut causes = Vec::new();
    for connection in &connections {
        for cause in found.remove(&connection.name).unwrap_or_default() {
            if holds == (cause.state == Standing::Hold) {
                causes.push((connection, cause));
            }
        }
    }
    let topics = exceptions::topics(causes);
    let here = asked.address(holds);
    let (rows, groups) = (
        topics.iter().map(|topic| topic.causes.len()).sum::<usize>(),
        topics.len() as u64,
    );
    let records = topics.iter().map(Topic::count).sum();
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&whole(&topics)]) {
        return Ok(csv);
    }
    let page_number = asked.page();
    let from = (page_number - 1).saturating_mul(SHOWN);
    let shown = shown(&view, &topics, from).await?;
    let first = (page_number > 1).then_some(&here);
    let next = (from.saturating_add(SHOWN) < rows)
        .then(|| here.clone().with("page", &(page_number + 1).to_string()));
    let tabs = [
        (asked.address(false), "For a person", !holds),
        (asked.address(true), "Resolves by itself", holds),
    ];
    let everywhere = Asked::default().address(holds);
    let content = html! {
        (done.show())
        (parts::tabs("Exceptions", &tabs))
        @if let [one] = connections.as_slice() && !asked.connection.is_empty() {
            p.soft { "Only of " a href=(Address::connection(&one.name)) { (one.name) } ". " a href=(everywhere) { "Exceptions of all connections" } }
        }
        @if topics.is_empty() { (nothing(&connections, holds)) }
        @else {
            p.soft {
                (amount::count(records, "record")) " in "
                (amount::count(groups, "cause")) ". Put a cause right, and everything that waits for it goes on. "
                a href=(here.clone().with("csv", "exceptions")) download { "All of it as CSV" }
            }
            @for (topic, causes) in &shown { (section(topic, causes, view.clock.now(), holds)) }
            (filter::pages(first, next.as_ref()))
        }
    };
    let layout = Layout {
        title: "Exceptions",
        person: &person,
        place: "/exceptions",
    };
    Ok(page(&layout, &content).into_response())
}

/// Where a cause's records are.
fn address_of(connection: &ConnectionInfo, cause: &Cause) -> Address {
    cause::address(
        connection,
        &exceptions::Named {
            code: cause.code.clone(),
            group: cause.group.clone(),
            holds: cause.state == Standing::Hold,
        },
    )
}

fn section(
    topic: &Topic<&ConnectionInfo>,
    causes: &[(Source<'_>, &Cause)],
    now: Timestamp,
    holds: bool,
) -> Markup {
    let name = topic.code.as_ref().map_or("other", Code::as_str);
    let heading = format!("cause-{name}");
    html! {
        section.topic {
            h2 id=(heading) { (title(topic.code.as_ref())) " " (badge::state(topic.state)) }
            p.soft {
                (amount::count(topic.count(), "record"))
                @for money in topic.amounts() { ", " (amount::money(money)) }
                @if let Some(oldest) = topic.oldest() { ", the oldest since " (time::ago(oldest, now)) }
                ". " code { (name) }
            }
            @if let Some(code) = &topic.code { (notice::remedy(code)) }
            figure.table {
                table.stacks role="table" aria-labelledby=(heading) {
                    thead role="rowgroup" {
                        tr role="row" {
                            @for column in COLUMNS { th scope="col" role="columnheader" { (column) } }
                            th scope="col" role="columnheader" { span.visually-hidden { "Actions" } }
                        }
                    }
                    tbody role="rowgroup" {
                        @for (source, cause) in causes { (row(source, cause, now, holds)) }
                    }
                }
            }
        }
    }
}

const COLUMNS: [&str; 5] = ["Connection", "Cause", "Records", "Money at stake", "Oldest"];

fn row(source: &Source<'_>, cause: &Cause, now: Timestamp, holds: bool) -> Markup {
    let connection = source.connection;
    let there = address_of(connection, cause);
    let [name, what, records, money, oldest] = COLUMNS;
    html! {
        tr role="row" {
            td role="cell" data-label=(name) {
                div { a href=(Address::connection(&connection.name)) { (connection.name) } }
            }
            td role="cell" data-label=(what) {
                div { (cause.first().map_or("", |group| group.cause.as_str())) @if cause.count() > 1 { span.soft { " and others" } } }
            }
            td.end role="cell" data-label=(records) { div { a href=(there) { (amount::grouped(cause.count())) } } }
            td.end role="cell" data-label=(money) { div { (amount::sums(&cause.amounts())) } }
            td role="cell" data-label=(oldest) {
                div {
                    @if let Some(group) = cause.first() {
                        (time::moment(group.oldest, &connection.time_zone)) br; span.soft { (time::ago(group.oldest, now)) }
                    }
                }
            }
            td.tool role="cell" { div { (acts(source, &there, holds)) } }
        }
    }
}

/// The ways on from a cause: to its records, and to the mapping where it is one that is missing.
fn acts(source: &Source<'_>, there: &Address, holds: bool) -> Markup {
    html! {
        @if let Some((kind, from)) = &source.mapping {
            a href=(super::mappings::row_address(&source.connection.name, *kind, from)) { "Map it" } " · "
        }
        a href=(there) { @if holds { "Show" } @else { "Decide" } }
    }
}

/// What people call a code: its page's title.
fn title(code: Option<&Code>) -> String {
    let page = code.and_then(Code::page);
    let title = page.map_or("Without a code", |page| page.title());
    let mut letters = title.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// All causes in one table, as CSV.
fn whole(topics: &[Topic<&ConnectionInfo>]) -> Table {
    let columns = [
        "Connection",
        "State",
        "Code",
        "What",
        "Cause",
        "Records",
        "Money at stake",
        "Oldest",
        "Fix",
        "Who",
    ];
    let mut table = Table::new("exceptions", "Exceptions", columns.map(Column::text));
    for topic in topics {
        let page = topic.code.as_ref().and_then(Code::page);
        for (connection, cause) in &topic.causes {
            let Some(first) = cause.first() else { continue };
            table.row([
                Cell::text(connection.name.as_str()),
                Cell::text(cause.state.as_str()),
                Cell::text(topic.code.as_ref().map_or("", Code::as_str)),
                Cell::text(page.map_or("", |page| page.title())),
                Cell::text(first.cause.as_str()),
                Cell::text(cause.count().to_string()),
                Cell::sums(&cause.amounts()),
                Cell::text(time::plain(first.oldest, &connection.time_zone)),
                Cell::text(page.map(|page| page.fix()).unwrap_or_default()),
                Cell::text(page.map_or("", |page| page.who())),
            ]);
        }
    }
    table
}

/// More connections than these are not told one by one.
const NAMED_MAX: usize = 10;

/// Why there is nothing.
fn nothing(connections: &[ConnectionInfo], holds: bool) -> Markup {
    let names: Vec<_> = connections.iter().map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        let why = " There is no connection yet: an administrator makes the first one with `tieout connect`.";
        return notice::empty("Nothing waits.", why);
    }
    let what = if holds {
        "Nothing waits for something that resolves by itself."
    } else {
        "Nothing waits for a person."
    };
    let whose = if names.len() > NAMED_MAX {
        "each connection".to_owned()
    } else {
        names.join(", ")
    };
    let why = format!(" The last run of {whose} left everything agreed, or left out by a rule.");
    notice::empty(what, &why)
}
