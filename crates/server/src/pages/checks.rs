//! Checking a connection: everything that can be wrong with it, which it is, and who can put it right.

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::checks::{self, Looked};
use tieout_domain::check::Status;

use super::fields::Fields;
use super::parts::badge::{Tone, badge};
use super::parts::{self, Address, Cell, Column, Table, csv_asked, form, notice, time};
use super::{Layout, PageError, allowed, named, page_under};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/connections/{name}/checks", get(show).post(look))
}

/// What is asked of the page.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    csv: Option<String>,
    done: Option<String>,
    n: Option<u64>,
}

/// A connection's checks.
pub(super) fn address(connection: &ConnectionInfo) -> Address {
    Address::of(["connections", connection.name.as_str(), "checks"])
}

async fn show(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, _) = named(&view, &name)?;
    let looked = checks::kept(&view.store.connection(&connection.name)?).await?;
    let table = looked.as_ref().map(table);
    if let (Some(table), Some(_)) = (&table, &asked.csv) {
        return csv_asked(asked.csv.as_deref(), &[table]).ok_or(PageError::Missing);
    }
    let here = address(&connection);
    let texts = [("checked", "Both sides were looked at.")];
    let content = html! {
        (notice::done(asked.done.as_deref(), asked.n, &texts))
        @if person.may(Role::Operator) { (form::button(&person, &here, &html! {}, "Check the connection now")) }
        @if let (Some(looked), Some(table)) = (&looked, &table) {
            p.soft { "Checked " (time::moment(looked.at, &connection.time_zone)) " by " (looked.by) "." }
            (table.show(&here))
        } @else { (nothing()) }
    };
    let layout = Layout {
        title: &format!("{}: checks", connection.name),
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

fn nothing() -> Markup {
    let why = " A check signs in on both sides once, reads what runs need, and writes nothing.";
    notice::empty("Nobody has checked it here yet.", why)
}

fn table(looked: &Looked) -> Table {
    let columns = ["Status", "System", "What was seen", "Fix", "Who", "Code"];
    let mut table = Table::new("checks", "Checks", columns.map(Column::text));
    let mut checks: Vec<_> = looked.checks.iter().collect();
    // What is wrong comes first.
    checks.sort_by_key(|(_, check)| std::cmp::Reverse(check.status));
    for (system, check) in checks {
        let (tone, word) = match check.status {
            Status::Ok => (Tone::Good, "ok"),
            Status::Note => (Tone::Quiet, "note"),
            Status::Warning => (Tone::Wait, "warning"),
            Status::Failed => (Tone::Bad, "failed"),
        };
        table.row([
            Cell::shown(badge(tone, word), word),
            Cell::text(system.as_str()),
            Cell::text(check.cause.as_str()),
            Cell::text(check.fix.as_str()),
            Cell::text(check.who.as_str()),
            Cell::shown(html! { code { (check.code) } }, check.code.as_str()),
        ]);
    }
    table
}

async fn look(
    view: View,
    person: Person,
    Path(name): Path<String>,
    _: Fields,
) -> Result<Redirect, PageError> {
    let (connection, _) = allowed(&view, &person, &name, Role::Operator)?;
    let looked = Looked {
        checks: view.program.examine(&connection.name).await?,
        at: view.clock.now(),
        by: person.actor(),
    };
    checks::keep(&view.store.connection(&connection.name)?, &looked).await?;
    let back = address(&connection).with("done", "checked");
    Ok(Redirect::to(&back.to_string()))
}
