//! *Set Up Accounts*: which accounts of the ledger take payments and payouts, before the first one is written.

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::accounts::{Chosen, chosen};

use super::parts::badge::{Tone, badge};
use super::parts::{self, Address, form, notice};
use super::{Layout, PageError, named, page_under, preferences};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// The flow of a platform that pays out.
const DEPOSITS: &str = "deposits";

pub(super) fn routes() -> Router<App> {
    Router::new().route("/connections/{name}/accounts", get(show))
}

/// The page.
pub(super) fn address(connection: &ConnectionInfo) -> Address {
    Address::of(["connections", connection.name.as_str(), "accounts"])
}

/// Whether a connection has accounts to set up: its platform pays out.
pub(super) fn are_needed(connection: &ConnectionInfo) -> bool {
    connection.flows.iter().any(|flow| flow == DEPOSITS)
}

/// The accounts and what is left to choose; nothing for a connection without payouts.
pub(super) async fn panel(
    view: &View,
    connection: &ConnectionInfo,
) -> Result<Option<Markup>, PageError> {
    if !are_needed(connection) {
        return Ok(None);
    }
    let store = view.store.connection(&connection.name)?;
    let all = chosen(&store, &view.program.preferences(&connection.name)?).await?;
    let open = all.iter().filter(|one| !one.is_good()).count();
    Ok(Some(html! {
        p {
            @if open == 0 { (badge(Tone::Good, "chosen")) " Every account is chosen, and of the right type. " }
            @else { (badge(Tone::Wait, &format!("{open} open"))) " Nothing is posted or deposited before they are chosen. " }
            a href=(address(connection)) { "Set Up Accounts" }
        }
    }))
}

/// What of an act is told in the address.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    done: Option<String>,
    n: Option<u64>,
}

/// What was done, after an act.
const DONE: [(&str, &str); 2] = [
    ("changed", "{n} chosen. The next run goes by it."),
    ("nothing", "Nothing was different, so nothing was changed."),
];

async fn show(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, store) = named(&view, &name)?;
    if !are_needed(&connection) {
        return Err(PageError::Missing);
    }
    let all = chosen(&store, &view.program.preferences(&connection.name)?).await?;
    let may = person.may(Role::Admin);
    let read = all.iter().any(|one| one.choices.len() > 1);
    let content = html! {
        (notice::done(asked.done.as_deref(), asked.n, &DONE))
        p { "Customers' payments go to Undeposited Funds, and each payout becomes one deposit to the bank account: its payments "
            "gross, what the platform takes for its work, and what it nets off." }
        @if !read { (notice::notice(Tone::Wait, &html! { p { "The chart of accounts was not read yet: sync once, or show the plan." } })) }
        form.preferences method="post" action=(preferences::address(&connection)) {
            (form::token(&person))
            input type="hidden" name=(preferences::BACK) value=(preferences::TO_ACCOUNTS);
            @for one in &all { (field(one, may)) }
            @if may { button.main type="submit" { "Use these accounts" } }
            @else { p.soft { "Choosing them takes the role of an admin." } }
        }
    };
    let layout = Layout {
        title: &format!("{}: Set Up Accounts", connection.name),
        person: &person,
        place: "/",
    };
    let there = Address::connection(&connection.name);
    let crumbs = parts::crumbs(&[(there, connection.name.as_str())]);
    Ok(page_under(&crumbs, &layout, &content).into_response())
}

fn field(one: &Chosen, may: bool) -> Markup {
    let purpose = one.purpose;
    let help = format!("{}-help", purpose.key);
    let listed = one.choices.iter().any(|choice| choice.value == one.value);
    html! {
        div.field {
            label for=(purpose.key) { (purpose.title) }
            @if may { (preferences::shown(purpose.key, &one.value)) }
            select id=(purpose.key) name=(preferences::field_name(purpose.key)) disabled[!may] aria-describedby=(help) {
                @if one.value.is_empty() { option value="" selected { "not chosen" } }
                @else if !listed { option value=(one.value) selected { (one.value) } }
                @for choice in &one.choices {
                    option value=(choice.value) selected[choice.value == one.value] { (choice.label) }
                }
            }
            span.hint id=(help) { (purpose.about) " It is " (purpose.types) "." }
            @if let Some(problem) = &one.problem { (notice::notice(Tone::Bad, &html! { p { (problem) } })) }
        }
    }
}
