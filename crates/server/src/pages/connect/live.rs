//! The second half: the connection is stored and paused. What was seen, mappings, preferences and the first plan are
//! looked at, and then it goes live.

use axum::extract::Path;
use axum::response::Redirect;
use maud::{Markup, html};
use tieout_desk::checks::{self, Looked};
use tieout_desk::mapping;
use tieout_desk::pause;
use tieout_desk::preferences::questions;
use tieout_domain::ConnectionName;
use tieout_domain::check::Status;
use tieout_store::ConnectionStore;

use super::super::fields::Fields;
use super::super::parts::badge::{Tone, badge};
use super::super::parts::form::{self, Act};
use super::super::parts::{Address, notice, time};
use super::super::{PageError, accounts, checks as checks_page, mappings, plan, preferences};
use super::{act_address, connects, named};
use crate::people::{Person, Role};
use crate::program::{ConnectionInfo, SyncAsked};
use crate::view::View;

/// What is looked at before it goes live.
pub(super) async fn second_half(
    view: &View,
    person: &Person,
    name: &ConnectionName,
) -> Result<Markup, PageError> {
    let connection = view.known(name.as_str()).ok_or(PageError::Missing)?;
    let store = view.store.connection(name)?;
    let there = Address::connection(name);
    if !view.is_new(&store.stops().await?) {
        return Ok(html! { p { a href=(there) { (name) } " is connected." } });
    }
    let looked = checks::kept(&store).await?;
    Ok(html! {
        p.soft { "Stored and paused: it reads, and writes nothing. " a href=(there) { "The connection's own page" } " is there already." }
        section.panel { h2 { "What was seen" } (seen(&connection, looked.as_ref())) }
        section.panel { h2 { "Mappings" } (maps(person, &connection, &store).await?) }
        section.panel { h2 { "Preferences" } (asked(view, person, &connection)?) }
        @if let Some(accounts) = accounts::panel(view, &connection).await? { section.panel { h2 { "Set Up Accounts" } (accounts) } }
        section.panel {
            h2 { "The first plan" }
            p { "What a sync would link, create and change, record by record, and what you may decide before: read both sides and look at it." }
            p { a.button href=(plan::address(&connection)) { "Read both sides and show the plan" } }
        }
        (form::act(person, &Act {
            name: "Go live",
            means: "Writes begin, and the first sync with them. It is refused while the platform's own sync is at work beside it: two syncs pay twice.",
            action: act_address(name, "live"),
            fields: html! {},
            danger: false,
        }))
    })
}

/// What of the checks is not as it should be.
fn seen(connection: &ConnectionInfo, looked: Option<&Looked>) -> Markup {
    let Some(looked) = looked else {
        return html! { p { a href=(checks_page::address(connection)) { "Check the connection" } } };
    };
    let wrong = |status: Status| {
        let all = looked.checks.iter();
        all.filter(move |(_, check)| check.status == status)
    };
    let fine = wrong(Status::Ok).count() + wrong(Status::Note).count();
    html! {
        p { (badge(Tone::Good, &format!("{fine} in order"))) " " (time::moment(looked.at, &connection.time_zone)) ". "
            a href=(checks_page::address(connection)) { "All checks" } }
        @for (tone, status) in [(Tone::Bad, Status::Failed), (Tone::Wait, Status::Warning)] {
            @for (_, check) in wrong(status) {
                (notice::notice(tone, &html! { p { (check.cause) } p.remedy { strong { "What to do: " } (notice::prose(&check.fix)) " (" (check.who) ")" } }))
            }
        }
    }
}

async fn maps(
    person: &Person,
    connection: &ConnectionInfo,
    store: &ConnectionStore,
) -> Result<Markup, PageError> {
    let mut counts = Vec::new();
    for kind in mappings::kinds(connection) {
        let (rows, _) = mapping::table(store, kind).await?;
        let open = rows.iter().filter(|row| row.is_open()).count();
        counts.push((kind, rows.len() - open, rows.len()));
    }
    Ok(html! {
        ul {
            @for (kind, confirmed, all) in &counts {
                li {
                    a href=(mappings::address(&connection.name, *kind)) { (mappings::title(*kind)) } ": "
                    @if *all == 0 { "none there, or not read yet" }
                    @else { (confirmed) " of " (all) " confirmed" }
                }
            }
        }
        (mappings::propose(person, connection, mappings::first_kind(connection)))
    })
}

/// The preferences that decide what goes where, in plain words.
fn asked(view: &View, person: &Person, connection: &ConnectionInfo) -> Result<Markup, PageError> {
    let lines = preferences::lines(view, connection)?;
    let questions = questions(preferences::book(connection)).iter();
    let asked = questions.filter_map(|(key, question)| {
        let line = lines.iter().find(|line| line.entry.key == *key)?;
        Some((line, *question))
    });
    Ok(html! {
        form.preferences method="post" action=(preferences::address(connection)) {
            (form::token(person))
            input type="hidden" name=(preferences::BACK) value=(preferences::TO_CONNECT);
            @for (line, question) in asked { (preferences::asked(line, question)) }
            button type="submit" { "Save what is changed" }
        }
        p { a href=(preferences::address(connection)) { "All preferences" } }
    })
}

/// Lets it go live.
pub(super) async fn go(
    view: View,
    person: Person,
    Path(name): Path<String>,
    _: Fields,
) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    let name = named(&name)?;
    connects(&view)?;
    view.known(name.as_str()).ok_or(PageError::Missing)?;
    let store = view.store.connection(&name)?;
    if view.is_new(&store.stops().await?) {
        view.may_go_on(Some(&name)).await?;
        pause::resume(&store, "it goes live", &person.actor()).await?;
        let asked = SyncAsked {
            by: person.actor(),
            ..SyncAsked::default()
        };
        view.program.sync(&name, asked).await?;
    }
    let there = Address::connection(&name).with("done", "sync");
    Ok(Redirect::to(&there.to_string()))
}
