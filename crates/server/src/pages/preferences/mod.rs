//! A connection's preferences: each with its value and where that comes from, and the versions there were.

mod first_sync;
mod versions;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use tieout_desk::approval;
use tieout_desk::first_sync::{ALL, YES, is_asked_by};
use tieout_desk::preferences::{Standing, concerns, plain, unfit};
use tieout_domain::Book;
use tieout_domain::code::Code;
use tieout_flows::preferences::{Entry, Shape};

use self::first_sync::{ANSWER, LATER};
use super::approvals::ASKED;
use super::fields::Fields;
use super::parts::badge::{Tone, badge};
use super::parts::{self, Address, Cell, Column, Table, csv_asked, form, notice};
use super::{Layout, PageError, accounts, allowed, bare_page, connect, named, page_under};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// What stands before a preference's name in the form.
const PREFIX: &str = "preference.";

/// What stands before a preference's name where a form tells what its value was when it was shown.
const SHOWN: &str = "shown.";

/// The field that tells where a form leads back to, and its values for the page on which two systems are connected and
/// for *Set Up Accounts*.
pub(super) const BACK: &str = "back";
pub(super) const TO_CONNECT: &str = "connect";
pub(super) const TO_ACCOUNTS: &str = "accounts";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connections/{name}/preferences", get(show).post(change))
        .route(
            "/connections/{name}/preferences/back",
            post(versions::go_back),
        )
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

/// The name of a preference's field in a form that leads here.
pub(super) fn field_name(key: &str) -> String {
    format!("{PREFIX}{key}")
}

/// What a preference's value is while its field is shown, as a field of the form: it tells what a person has changed
/// from what somebody else has meanwhile.
pub(super) fn shown(key: &str, value: &str) -> Markup {
    let name = format!("{SHOWN}{key}");
    html! { input type="hidden" name=(name) value=(value); }
}

/// The yes to the first sync, as a field of the form.
pub(super) fn yes() -> Markup {
    let name = format!("{PREFIX}{YES}");
    html! { input type="hidden" name=(name) value=(ALL); }
}

/// Which of the ledger's books a connection deals with.
pub(super) fn book(connection: &ConnectionInfo) -> Book {
    if connection.flows.iter().any(|flow| flow == "bills") {
        Book::Payables
    } else {
        Book::Receivables
    }
}

/// The preferences that a connection has a use for: receivables' are not those of a payables pair.
pub(super) fn lines(view: &View, connection: &ConnectionInfo) -> Result<Vec<Standing>, PageError> {
    let mut lines = view.program.preferences(&connection.name)?;
    lines.retain(|line| concerns(book(connection), line.entry.key));
    Ok(lines)
}

async fn show(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, _) = named(&view, &name)?;
    let lines = lines(&view, &connection)?;
    let told = view.store.versions(&connection.name).await?;
    let (values, history) = (table(&lines), versions::history(&connection, &told));
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
        (notice::done(asked.done.as_deref(), asked.n, &texts))
        @if person.may(Role::Admin) { (editor(&person, &here, &lines)) }
        @else {
            p.soft { "Changing preferences takes the role of an admin." }
            (values.show(&here))
        }
        (history.show(&here))
        @if person.may(Role::Admin) && !told.is_empty() { (versions::back(&person, &connection, &lines, &told)?) }
    };
    let layout = Layout {
        title: &format!("{}: preferences", connection.name),
        person: &person,
        place: "/",
    };
    Ok(page_under(
        &parts::crumbs(&[(
            Address::connection(&connection.name),
            connection.name.as_str(),
        )]),
        &layout,
        &content,
    )
    .into_response())
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

fn field(line: &Standing) -> Markup {
    field_with(line, &typed(&line.value))
}

/// A preference's field, with this in it.
fn field_with(Standing { entry, value, from }: &Standing, text: &str) -> Markup {
    let name = format!("{PREFIX}{}", entry.key);
    let help = format!("{}-help", entry.key);
    let default = plain(&entry.default);
    let now = typed(value);
    let value = text;
    html! {
        div.field {
            (shown(entry.key, &now))
            label for=(entry.key) { (short(entry.key)) }
            @match entry.shape {
                Shape::Switch => { (choice(entry, &name, &help, &["true", "false"], value)) },
                Shape::Choice(words) => { (choice(entry, &name, &help, words, value)) },
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

async fn change(
    view: View,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let (connection, _) = allowed(&view, &person, &name, Role::Admin)?;
    let given: BTreeMap<&str, &str> = fields.with_prefix(PREFIX).collect();
    let shown: BTreeMap<&str, &str> = fields.with_prefix(SHOWN).collect();
    let lines = lines(&view, &connection)?;
    let mut asked = Asking::default();
    for line in &lines {
        let Standing { entry, value, .. } = line;
        let Some(text) = given.get(entry.key) else {
            continue;
        };
        let shown = shown.get(entry.key);
        // A form carries all of its fields along. What the person left as it was shown is not theirs to change: somebody
        // else may have, meanwhile.
        if shown == Some(text) {
            continue;
        }
        let wanted = entry.read(text).map_err(|error| unfit(&error))?;
        if wanted == *value {
            continue;
        }
        asked.typed.push((line, text));
        if let Some(shown) = shown.filter(|shown| shown.trim() != typed(value).trim()) {
            asked.meanwhile.push((line, shown));
        }
        asked.changed.insert(entry.key.to_owned(), wanted);
    }
    let (here, done) = match fields.get(BACK) {
        TO_CONNECT => (connect::address(&connection.name), "preferences"),
        TO_ACCOUNTS => (accounts::address(&connection), "changed"),
        _ => (address(&connection), "changed"),
    };
    if asked.changed.is_empty() {
        return Ok(Redirect::to(&here.with("done", "nothing").to_string()).into_response());
    }
    if !asked.meanwhile.is_empty() {
        let page = conflict(&person, &connection, &asked, fields.get(BACK));
        return Ok((StatusCode::CONFLICT, page).into_response());
    }
    let way = Way {
        later: fields.get(ANSWER) == LATER,
        back: fields.get(BACK),
        why: "",
        done: here
            .with("done", done)
            .with("n", &asked.changed.len().to_string()),
    };
    put(&view, &person, &connection, &lines, asked.changed, way).await
}

/// What a person asks for on a form.
#[derive(Default)]
struct Asking<'a> {
    /// The new values.
    changed: BTreeMap<String, Value>,
    /// What was typed for each.
    typed: Vec<(&'a Standing, &'a str)>,
    /// Those that somebody else has changed since they were shown, with what was shown.
    meanwhile: Vec<(&'a Standing, &'a str)>,
}

/// Two people have changed the same: nothing is done, and what was typed is asked about once more.
fn conflict(
    person: &Person,
    connection: &ConnectionInfo,
    asked: &Asking<'_>,
    back: &str,
) -> Markup {
    let here = address(connection);
    let code = Code::new("version-changed");
    let was = |text: &str| {
        if text.is_empty() {
            plain(&Value::Null)
        } else {
            text.to_owned()
        }
    };
    let content = html! {
        (parts::crumbs(&[
            (Address::connection(&connection.name), connection.name.as_str()),
            (here.clone(), "Preferences"),
        ]))
        h1 { (capital(code.page().map_or("", |page| page.title()))) }
        (notice::notice(Tone::Bad, &html! {
            p { "Nothing was saved. Since this page was shown to you, somebody else has changed what you changed too:" }
            ul { @for (line, shown) in &asked.meanwhile {
                li { code { (line.entry.key) } ": " (was(shown)) " → " strong { (plain(&line.value)) } }
            } }
        }))
        form.preferences method="post" action=(here) {
            (form::token(person))
            @if !back.is_empty() { input type="hidden" name=(BACK) value=(back); }
            p { "What you typed:" }
            @for (line, text) in &asked.typed { (field_with(line, text)) }
            button.main type="submit" { "Save it all the same" }
        }
        p { a href=(here) { "Leave it as it is now" } }
    };
    let layout = Layout {
        title: &format!("{}: preferences", connection.name),
        person,
        place: "/",
    };
    bare_page(&layout, &content)
}

/// How preferences come to be changed on a page.
struct Way<'a> {
    /// The first sync was asked about, and is to wait.
    later: bool,
    /// The form's [`BACK`].
    back: &'a str,
    /// Why, for who approves it.
    why: &'a str,
    /// Where it leads when it is done.
    done: Address,
}

/// Changes preferences, however a person came to ask for it: the first sync is asked about before, and what takes two
/// people waits for the second.
async fn put(
    view: &View,
    person: &Person,
    connection: &ConnectionInfo,
    lines: &[Standing],
    changed: BTreeMap<String, Value>,
    way: Way<'_>,
) -> Result<Response, PageError> {
    if is_asked_by(&changed, &said(lines)) && !way.later {
        let carried = carried(lines, &changed, way.back);
        return first_sync::question(view, person, connection, &carried).await;
    }
    let by = person.actor();
    if let Some(proposal) = view.preferences_for_two(&connection.name, &changed).await? {
        let subject: Vec<&str> = changed.keys().map(String::as_str).collect();
        let subject = subject.join(", ");
        let store = view.store.connection(&connection.name)?;
        let what = ("preference", subject.as_str());
        approval::request(&store, what, &proposal, way.why, person.by(&by)).await?;
        return Ok(Redirect::to(ASKED).into_response());
    }
    view.program
        .change_preferences(&connection.name, changed, &by)
        .await?;
    Ok(Redirect::to(&way.done.to_string()).into_response())
}

/// What was said of the first sync so far.
fn said(lines: &[Standing]) -> Value {
    let said = lines.iter().find(|line| line.entry.key == YES);
    said.map_or(Value::Null, |line| line.value.clone())
}

/// What is to be changed, as fields of a form that asks something before; the answer to what it asks is not among them.
fn carried(lines: &[Standing], changed: &BTreeMap<String, Value>, back: &str) -> Markup {
    let lines = lines.iter().filter(|line| line.entry.key != YES);
    let carried = lines.filter_map(|line| Some((line, changed.get(line.entry.key)?)));
    html! {
        @for (line, wanted) in carried {
            input type="hidden" name=(field_name(line.entry.key)) value=(typed(wanted));
            (shown(line.entry.key, &typed(&line.value)))
        }
        @if !back.is_empty() { input type="hidden" name=(BACK) value=(back); }
    }
}
