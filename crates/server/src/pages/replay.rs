//! Replay: a failed write is done again, under the same key, with a reason.

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::Redirect;
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::approval;
use tieout_desk::replay::{self, Failed};
use tieout_desk::story;
use tieout_domain::{ConnectionName, RecordRef};
use tieout_store::{ConnectionStore, Entry, Fact};

use super::approvals::ASKED;
use super::fields::Fields;
use super::parts::badge::Tone;
use super::parts::{self, Address, form, notice, time};
use super::{Layout, PageError, allowed, named, page_under};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::{ConnectionInfo, SyncAsked};
use crate::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/replay/{connection}", get(show).post(act))
}

/// What is to be done again: a record or a run.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    what: String,
    done: Option<String>,
    n: Option<u64>,
}

/// The page on which a record's failed write, or all of a run's, are done again.
pub(super) fn address(connection: &ConnectionName, what: impl std::fmt::Display) -> Address {
    Address::of(["replay", connection.as_str()]).with("what", &what.to_string())
}

async fn show(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Markup, PageError> {
    let (connection, store) = named(&view, &connection)?;
    let failed = replay::failed_writes(&store, &asked.what).await?;
    if failed.is_empty() {
        return Err(replay::nothing(&asked.what).into());
    }
    let texts = [("replay", "{n} will be done again: a run was asked for.")];
    let content = html! {
        (notice::done(asked.done.as_deref(), asked.n, &texts))
        @for ((_, record), writes) in &failed {
            (one(&store, &connection, record, writes).await?)
        }
        @if !person.may(Role::Approver) {
            p.soft { "A replay takes the role of an approver." }
        } @else { (again(&person, &connection, &asked.what, &failed)) }
    };
    let layout = Layout {
        title: &format!("{}: replay {}", connection.name, asked.what),
        person: &person,
        place: "/exceptions",
    };
    Ok(page_under(
        &parts::crumbs(&[(
            Address::connection(&connection.name),
            connection.name.as_str(),
        )]),
        &layout,
        &content,
    ))
}

/// A record's writes that failed, each with what became of it since.
async fn one(
    store: &ConnectionStore,
    connection: &ConnectionInfo,
    record: &RecordRef,
    writes: &[u64],
) -> Result<Markup, PageError> {
    let history = store.history(record).await?;
    let about = |entry: &&Entry| {
        matches!(&entry.fact, Fact::Intended { .. }) && writes.contains(&entry.seq)
            || entry
                .fact
                .write()
                .is_some_and(|write| writes.contains(&write))
            || is_replay(entry)
    };
    let zone = &connection.time_zone;
    Ok(html! {
        section {
            h2 { a href=(Address::record(&connection.name, record)) { (record) } }
            ol.story {
                @for entry in history.iter().filter(about) {
                    li { (time::precise(entry.at, zone)) " " (story::words(entry)) }
                }
            }
            @if writes.is_empty() { p.soft { "No write of it failed; it will be looked at again." } }
        }
    })
}

/// A replay is a decision that names the writes that it repeats.
fn is_replay(entry: &Entry) -> bool {
    matches!(&entry.fact, Fact::Decided { reason, .. } if reason.starts_with("replay"))
}

fn again(person: &Person, connection: &ConnectionInfo, what: &str, failed: &Failed) -> Markup {
    let action = Address::of(["replay", connection.name.as_str()]);
    let means = html! {
        p { "It is done under the same key: where the first attempt went through after all, that is found and nothing is done twice." }
    };
    html! {
        (notice::notice(Tone::Quiet, &means))
        form method="post" action=(action) {
            (form::token(person))
            input type="hidden" name="what" value=(what);
            (form::reason("replay-reason", true))
            button.main type="submit" { "Do " (parts::amount::count(failed.len() as u64, "record")) " again" }
        }
    }
}

async fn act(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, store) = allowed(&view, &person, &connection, Role::Approver)?;
    let (what, reason) = (fields.get("what"), fields.reason()?);
    let failed = replay::failed_writes(&store, what).await?;
    if failed.is_empty() {
        return Err(replay::nothing(what).into());
    }
    if view.takes_two_people(&connection.name).await? {
        let proposal = replay::proposal(&failed, reason);
        let by = person.actor();
        approval::request(&store, ("replay", what), &proposal, reason, person.by(&by)).await?;
        return Ok(Redirect::to(ASKED));
    }
    replay::prepare(&store, &failed, reason, &person.actor()).await?;
    let asked = SyncAsked {
        only: failed
            .keys()
            .map(|(_, record)| record.to_string())
            .collect(),
        by: person.actor(),
        ..SyncAsked::default()
    };
    view.program.sync(&connection.name, asked).await?;
    let back = address(&connection.name, what)
        .with("done", "replay")
        .with("n", &failed.len().to_string());
    Ok(Redirect::to(&back.to_string()))
}
