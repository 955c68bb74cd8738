//! Connecting two systems: first each side, step by step, then what is looked at before anything is written.
//!
//! Both halves can be left at any step and gone on with later, by whoever comes next.

mod act;
mod live;
mod side;
mod start;

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_domain::ConnectionName;

use super::parts::form::{self, Act};
use super::parts::{self, Address, notice};
use super::{Layout, PageError, page_under};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::{ConnectStanding, Connects};
use crate::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connect", get(start::show).post(start::begin))
        .route("/connect/{name}", get(show))
        .route("/connect/{name}/settings", post(act::settings))
        .route("/connect/{name}/credential", post(act::credential))
        .route("/connect/{name}/enter", post(act::enter))
        .route("/connect/{name}/key", post(act::key))
        .route("/connect/{name}/choose", post(act::choose))
        .route("/connect/{name}/store", post(act::store))
        .route("/connect/{name}/abandon", post(act::abandon))
        .route("/connect/{name}/live", post(live::go))
        .route("/connect/{name}/certificate/{system}", get(side::file))
}

/// The first page.
pub(super) fn start_address() -> Address {
    Address::of(["connect"])
}

/// The page of a connection that is being made.
pub(super) fn address(name: &ConnectionName) -> Address {
    Address::of(["connect", name.as_str()])
}

/// An act on it.
fn act_address(name: &ConnectionName, act: &str) -> Address {
    Address::of(["connect", name.as_str(), act])
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    done: Option<String>,
    n: Option<u64>,
}

/// What was done, after an act.
const DONE: [(&str, &str); 6] = [
    ("settings", "That fits."),
    ("signed-in", "It signs in, and is sealed."),
    (
        "key",
        "A key pair is made. Its private key is sealed; the certificate waits below for its upload.",
    ),
    ("chosen", "That is chosen."),
    (
        "stored",
        "It is stored. Nothing is written to either side until you let it go live.",
    ),
    ("preferences", "{n} preferences are changed."),
];

fn connects(view: &View) -> Result<&dyn Connects, PageError> {
    view.program.connects().ok_or(PageError::Missing)
}

/// The name in an address.
fn named(text: &str) -> Result<ConnectionName, PageError> {
    text.parse().map_err(|_| PageError::Missing)
}

/// Either half, by how far it is.
async fn show(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Markup, PageError> {
    person.must(Role::Admin)?;
    let name = named(&name)?;
    let content = match connects(&view)?.standing(&name).await? {
        Some(standing) => first_half(&view, &person, &name, &standing).await,
        None => live::second_half(&view, &person, &name).await?,
    };
    let content = html! {
        (notice::done(asked.done.as_deref(), asked.n, &DONE))
        (content)
    };
    let layout = Layout {
        title: &format!("Connect {name}"),
        person: &person,
        place: "/",
    };
    Ok(page_under(
        &parts::crumbs(&[(Address::of([]), "Overview"), (start_address(), "Connect")]),
        &layout,
        &content,
    ))
}

/// Both sides, the platform's once the ledger's lets us in.
async fn first_half(
    view: &View,
    person: &Person,
    name: &ConnectionName,
    standing: &ConnectStanding,
) -> Markup {
    let [ledger, platform] = &standing.sides;
    let (ledger_is_in, ledger) = side::show(view, person, name, ledger).await;
    let (platform_is_in, platform) = if ledger_is_in {
        side::show(view, person, name, platform).await
    } else {
        (
            false,
            html! { section.panel { h2 { (platform.title) } p.soft { "After " (ledger_title(standing)) "." } } },
        )
    };
    html! {
        p.soft { (standing.pair) ". What you give is kept, and secrets are sealed at once: leave at any step and come back. The command line goes on from here too." }
        (ledger) (platform)
        @if ledger_is_in && platform_is_in {
            section.panel {
                h2 { "Both sides let us in" }
                p { "Allow it only if both are the company, the account, the subsidiary and the environment that you mean." }
                p { "Both are looked at once more together, also whether test data would meet real money. Then the connection is stored, " strong { "paused" } ": you see what is there, set mappings and preferences, and look at the first plan before anything is written." }
                (form::button(person, &act_address(name, "store"), &html! {}, "Check both sides and store"))
            }
        }
        (form::act(person, &Act {
            name: "Give it up",
            means: "What was given is forgotten, and credentials that were sealed for it with it.",
            action: act_address(name, "abandon"),
            fields: html! {},
            danger: true,
        }))
    }
}

fn ledger_title(standing: &ConnectStanding) -> &str {
    standing.sides[0].title
}
