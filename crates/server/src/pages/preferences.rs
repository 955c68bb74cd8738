//! A connection's preferences: each with its value and where that comes from, and the versions there were.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use tieout_desk::preferences::{Standing, Version, at, plain, unfit, versions};
use tieout_domain::code::Code;
use tieout_flows::Preferences;
use tieout_flows::preferences::{Entry, Shape};

use super::fields::Fields;
use super::parts::badge::{Tone, badge};
use super::parts::form::Act;
use super::parts::{self, Address, Cell, Column, Table, csv_asked, form, notice};
use super::{Layout, PageError, allowed, connect, named, page};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;

/// What stands before a preference's name in the form.
const PREFIX: &str = "preference.";

/// The field that tells where a form leads back to, and its value for the page on which two systems are connected.
pub(super) const BACK: &str = "back";
pub(super) const TO_CONNECT: &str = "connect";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connections/{name}/preferences", get(show).post(change))
        .route("/connections/{name}/preferences/back", post(go_back))
}

/// What is asked of the page.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    csv: Option<String>,
    done: Option<String>,
    n: Option<u64>,
}

/// A connection's preferences.
pub(super) fn address(connection: &ConnectionInfo) -> Address {
    Address::of(["connections", connection.name.as_str(), "preferences"])
}

/// The preferences that a connection has a use for: receivables' are not those of a payables pair.
pub(super) fn lines(app: &App, connection: &ConnectionInfo) -> Result<Vec<Standing>, PageError> {
    let payables = connection.flows.iter().any(|flow| flow == "bills");
    let mut lines = app.program.preferences(&connection.name)?;
    lines.retain(|line| !(payables && line.entry.key.starts_with("receivables.")));
    Ok(lines)
}

async fn show(
    State(app): State<App>,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, _) = named(&app, &name)?;
    let lines = lines(&app, &connection)?;
    let versions = versions(&app.store, connection.name.as_str()).await?;
    let (values, history) = (table(&lines), history(&connection, &versions));
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&values, &history]) {
        return Ok(csv);
    }
    let here = address(&connection);
    let texts = [
        ("changed", "{n} changed. The next run goes by it."),
        ("nothing", "Nothing was different, so nothing was changed."),
        (
            "back",
            "{n} put back as they were. That is a version of its own; the next run goes by it.",
        ),
    ];
    let content = html! {
        (parts::crumbs(&[(Address::connection(&connection.name), connection.name.as_str())]))
        (notice::done(asked.done.as_deref(), asked.n, &texts))
        @if person.may(Role::Admin) { (editor(&person, &here, &lines)) }
        @else {
            p.soft { "Changing preferences takes the role of an admin." }
            (values.show(&here))
        }
        (history.show(&here))
        @if person.may(Role::Admin) && !versions.is_empty() { (back(&person, &connection, &lines, &versions)?) }
    };
    let layout = Layout {
        title: &format!("{}: preferences", connection.name),
        person: &person,
        place: "/",
    };
    Ok(page(&layout, &content).into_response())
}

fn table(lines: &[Standing]) -> Table {
    let columns = ["Preference", "Value", "From", "Default", "What it does"];
    let mut table = Table::new("preferences", "Preferences", columns.map(Column::text));
    for Standing { entry, value, from } in lines {
        table.row([
            Cell::text(entry.key),
            Cell::text(plain(value)),
            Cell::text(from.as_str()),
            Cell::text(plain(&entry.default)),
            Cell::text(entry.about),
        ]);
    }
    table
}

/// One form, under the three headings that users of BILL's own sync know.
fn editor(person: &Person, here: &Address, lines: &[Standing]) -> Markup {
    let mut headings: Vec<&str> = lines.iter().map(|line| line.entry.heading).collect();
    headings.dedup();
    html! {
        form.preferences method="post" action=(here) {
            (form::token(person))
            @for heading in headings {
                fieldset {
                    legend { h2 { (heading) } }
                    @for line in lines.iter().filter(|line| line.entry.heading == heading) { (field(line)) }
                }
            }
            button.main type="submit" { "Save what is changed" }
        }
    }
}

/// A preference that is asked for in a sentence of its own.
pub(super) fn asked(line: &Standing, question: &str) -> Markup {
    html! { p { (notice::prose(question)) @if !question.ends_with('?') { "." } } (field(line)) }
}

fn field(Standing { entry, value, from }: &Standing) -> Markup {
    let name = format!("{PREFIX}{}", entry.key);
    let help = format!("{}-help", entry.key);
    let default = plain(&entry.default);
    let value = typed(value);
    html! {
        div.field {
            label for=(entry.key) { (short(entry.key)) }
            @match entry.shape {
                Shape::Switch => { (choice(entry, &name, &help, &["true", "false"], &value)) },
                Shape::Choice(words) => { (choice(entry, &name, &help, words, &value)) },
                Shape::Day => { input type="date" id=(entry.key) name=(name) value=(value) aria-describedby=(help); },
                _ => { input type="text" id=(entry.key) name=(name) value=(value) aria-describedby=(help) autocomplete="off"; },
            }
            span.hint id=(help) {
                (entry.about) " " (capital(&entry.allowed())) ". "
                @if from == "default" { "The default." }
                @else { (badge(Tone::Quiet, from)) " The default is " (default) "." }
            }
        }
    }
}

fn choice(entry: &Entry, name: &str, help: &str, words: &[&str], value: &str) -> Markup {
    html! {
        select id=(entry.key) name=(name) aria-describedby=(help) {
            @for word in words { option value=(word) selected[*word == value] { (word) } }
        }
    }
}

/// A key without its heading, as words: `payment account`.
fn short(key: &str) -> String {
    let (_, name) = key.split_once('.').unwrap_or(("", key));
    capital(&name.replace('_', " "))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A value as a person types it.
fn typed(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(typed).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn history(connection: &ConnectionInfo, versions: &[Version]) -> Table {
    let mut table = Table::new(
        "versions",
        "Versions",
        [
            Column::number("Version"),
            Column::text("When"),
            Column::text("Who"),
            Column::text("Preference"),
            Column::text("Before"),
            Column::text("Since"),
        ],
    )
    .or_empty("Nothing was changed since the connection was made.", "");
    for (number, version) in (1..).zip(versions).collect::<Vec<_>>().into_iter().rev() {
        for (key, before, after) in &version.changes {
            table.row([
                Cell::number(number),
                Cell::moment(version.at, &connection.time_zone),
                Cell::text(version.actor.as_str()),
                Cell::text(key.as_str()),
                Cell::text(before.as_str()),
                Cell::text(after.as_str()),
            ]);
        }
    }
    table
}

/// What would differ at an earlier version: key, value now, value then.
fn differing<'a>(
    connection: &ConnectionInfo,
    lines: &'a [Standing],
    versions: &[Version],
    version: usize,
) -> Result<Vec<(&'a Standing, Value)>, PageError> {
    let mut now = Preferences::default();
    for Standing { entry, value, .. } in lines {
        now.set_value(entry.key, value.clone())
            .map_err(|error| unfit(&error))?;
    }
    let then = at(&now, versions, connection.name.as_str(), version)?;
    let differing = lines.iter().filter_map(|line| {
        let value = then.get(line.entry.key).ok()?;
        (value != line.value).then_some((line, value))
    });
    Ok(differing.collect())
}

/// Going back: each earlier version, with what would change.
fn back(
    person: &Person,
    connection: &ConnectionInfo,
    lines: &[Standing],
    versions: &[Version],
) -> Result<Markup, PageError> {
    let action = Address::of([
        "connections",
        connection.name.as_str(),
        "preferences",
        "back",
    ]);
    let mut earlier = Vec::new();
    for version in (0..versions.len()).rev() {
        earlier.push((version, differing(connection, lines, versions, version)?));
    }
    Ok(html! {
        h2 { "Go back to an earlier version" }
        @for (version, differing) in earlier.iter().filter(|(_, differing)| !differing.is_empty()) {
            (form::act(person, &Act {
                name: &match version {
                    0 => "Back to before the first change".to_owned(),
                    version => format!("Back to version {version}"),
                },
                means: "Puts these values back. It becomes a version of its own, and what was posted stays as it is.",
                action: action.clone(),
                fields: html! {
                    input type="hidden" name="version" value=(version);
                    ul { @for (line, then) in differing { li { (line.entry.key) ": " (plain(&line.value)) " → " strong { (plain(then)) } } } }
                },
                danger: false,
            }))
        }
    })
}

/// Puts the values of an earlier version back.
async fn go_back(
    State(app): State<App>,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, _) = allowed(&app, &person, &name, Role::Admin)?;
    let version = fields.get("version").parse().map_err(|_| {
        let cause = format!("`{}` is no version", fields.get("version"));
        PageError::usage(Code::new("usage"), cause)
    })?;
    let lines = lines(&app, &connection)?;
    let versions = versions(&app.store, connection.name.as_str()).await?;
    let differing = differing(&connection, &lines, &versions, version)?;
    let values: BTreeMap<_, _> = differing
        .into_iter()
        .map(|(line, then)| (line.entry.key.to_owned(), then))
        .collect();
    let count = values.len();
    if count > 0 {
        let by = person.actor();
        app.program
            .change_preferences(&connection.name, values, &by)
            .await?;
    }
    let here = address(&connection);
    let back = here.with("done", "back").with("n", &count.to_string());
    Ok(Redirect::to(&back.to_string()))
}

async fn change(
    State(app): State<App>,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, _) = allowed(&app, &person, &name, Role::Admin)?;
    let given: BTreeMap<&str, &str> = fields.with_prefix(PREFIX).collect();
    let mut changed = BTreeMap::new();
    for Standing { entry, value, .. } in lines(&app, &connection)? {
        let Some(text) = given.get(entry.key) else {
            continue;
        };
        let wanted = entry.read(text).map_err(|error| unfit(&error))?;
        if wanted != value {
            changed.insert(entry.key.to_owned(), wanted);
        }
    }
    let count = changed.len();
    let to_connect = fields.get(BACK) == TO_CONNECT;
    let here = if to_connect {
        connect::address(&connection.name)
    } else {
        address(&connection)
    };
    if count == 0 {
        return Ok(Redirect::to(&here.with("done", "nothing").to_string()));
    }
    let by = person.actor();
    app.program
        .change_preferences(&connection.name, changed, &by)
        .await?;
    let done = if to_connect { "preferences" } else { "changed" };
    let back = here.with("done", done).with("n", &count.to_string());
    Ok(Redirect::to(&back.to_string()))
}
