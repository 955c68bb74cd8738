//! Credentials: which there are, who uses them, when they end, and new values for them. A value never comes back out.

pub(super) mod entry;
pub(super) mod guide;
pub(super) mod renew;
mod set;

use axum::Router;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;

use super::parts::badge::{Tone, badge};
use super::parts::{Address, Cell, Column, Table, csv_asked, notice, time};
use super::{Layout, PageError, page};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::CredentialInfo;
use crate::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/credentials", get(list))
        .route("/credentials/set", get(set::show).post(set::set))
        .route("/credentials/guides/{kind}", get(guide::show))
        .merge(renew::routes())
}

/// What is asked of the list.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    csv: Option<String>,
    done: Option<String>,
    n: Option<u64>,
}

/// The form for a new value of a credential.
fn set_address(kind: &str, name: &str) -> Address {
    Address::of(["credentials", "set"])
        .with("kind", kind)
        .with("name", name)
}

async fn list(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    person.must(Role::Admin)?;
    let table = table(&view.program.credentials().await?);
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
        return Ok(csv);
    }
    let texts = [
        (
            "set",
            "Sealed. It signed in for {n} connections that use it before it took effect.",
        ),
        ("renewed", "It is renewed, and writes go on."),
        (
            "given-up",
            "The renewal is given up. The credential is as it is, and writes go on.",
        ),
    ];
    let here = Address::of(["credentials"]);
    let content = html! {
        (notice::done(asked.done.as_deref(), asked.n, &texts))
        p.soft { "A value that was entered is sealed, and never shown again. One that is in use takes effect only after it has signed in for every connection that uses it." }
        (table.show(&here))
        h2 { "Enter a new one" }
        ul {
            @for kind in view.program.credential_kinds() {
                li {
                    a href=(set_address(kind.name, "")) { (kind.system) ": " (kind.name) }
                    @if !kind.guides.is_empty() {
                        " (" a href=(guide::address(kind.name)) { "how to come by one" } ")"
                    }
                }
            }
        }
    };
    let layout = Layout {
        title: "Credentials",
        person: &person,
        place: "/credentials",
    };
    Ok(page(&layout, &content).into_response())
}

fn table(credentials: &[CredentialInfo]) -> Table {
    let mut table = Table::new(
        "credentials",
        "Credentials",
        [
            Column::text("Name"),
            Column::text("Kind"),
            Column::number("Version"),
            Column::text("Used by"),
            Column::text("Last used (UTC)"),
            Column::text("Set (UTC)"),
            Column::person("Set by"),
            Column::text("Ends"),
            Column::act(""),
        ],
    )
    .or_empty(
        "No credential yet.",
        " Enter one below, or run `tieout connect`.",
    );
    for credential in credentials {
        let row = &credential.row;
        let used = credential.used_by.iter().map(ToString::to_string);
        let used: Vec<_> = used.chain(credential.serves.iter().cloned()).collect();
        table.row([
            Cell::text(row.name.as_str()),
            Cell::text(row.kind.as_str()),
            Cell::number(row.version),
            if used.is_empty() {
                Cell::text("nothing")
            } else {
                Cell::text(used.join(", "))
            },
            match credential.last_used {
                Some(at) => Cell::moment(at, &TimeZone::UTC),
                None => Cell::text(""),
            },
            Cell::shown(
                time::moment(row.set_at, &TimeZone::UTC),
                time::plain(row.set_at, &TimeZone::UTC),
            ),
            Cell::text(row.set_by.as_str()),
            end(credential),
            Cell::shown(acts(credential), ""),
        ]);
    }
    table
}

/// When it ends: said louder at sixty, thirty and seven days (scenario 209).
fn end(credential: &CredentialInfo) -> Cell {
    let (Some(day), Some(left)) = (credential.expires, credential.days_left) else {
        return Cell::text("");
    };
    let (tone, words) = match left {
        ..=0 => (Tone::Bad, "it has ended".to_owned()),
        1..=7 => (Tone::Bad, format!("{left} days left: renew it now")),
        8..=30 => (Tone::Bad, format!("{left} days left")),
        31..=60 => (Tone::Wait, format!("{left} days left")),
        _ => return Cell::text(day.to_string()),
    };
    let plain = format!("{day}, {words}");
    Cell::shown(html! { (day) " " (badge(tone, &words)) }, plain)
}

fn acts(credential: &CredentialInfo) -> Markup {
    let row = &credential.row;
    html! {
        a href=(set_address(&row.kind, &row.name)) { "New value" }
        " · " a href=(renew::address(&row.name)) { "Renew" }
    }
}
