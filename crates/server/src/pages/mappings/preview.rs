//! What a change of mappings would touch, before anybody says yes to it.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tieout_desk::mapping::{self, Row};
use tieout_domain::{Kind, RemoteId};

use super::super::fields::Fields;
use super::super::parts::{self, Address, csv_asked, form};
use super::super::{Layout, PageError, allowed, page_under};
use super::row::{bills, weight};
use super::{address, is_suggested, row_address, title};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// What takes a mapping back, in the place of an id.
pub(super) const NOTHING: &str = "none";

/// Beside each `from` of what is confirmed: what it led to when it was shown.
pub(super) const SHOWN: &str = "shown";

/// The id that a suggestion leads to.
fn suggested(row: &Row) -> &str {
    let to = row.entry.as_ref().and_then(|entry| entry.to.as_ref());
    to.map_or("", RemoteId::as_str)
}

pub(super) async fn show(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let (connection, store) = allowed(&view, &person, &connection, Role::Approver)?;
    let asked = Fields::from(asked);
    let kind = mapping::known_kind(&connection.flows, asked.get("kind"))?;
    let (rows, targets) = mapping::table(&store, kind).await?;
    let to = asked.given("to");
    let all = asked.get("all") == "yes";
    let named: Vec<_> = asked.all("from").collect();
    let meant: Vec<&Row> = rows
        .iter()
        .filter(|row| named.contains(&row.from.id.as_str()) || (all && is_suggested(row)))
        .filter(|row| to.is_some() || is_suggested(row))
        .collect();
    let ids: Vec<RemoteId> = meant.iter().map(|row| row.from.id.clone()).collect();
    let touched = mapping::touched(&store, kind, &ids).await?;
    let target = to.map(|id| {
        let known = targets.iter().find(|target| target.id.as_str() == id);
        known.map_or("nothing".to_owned(), mapping::Party::label)
    });
    let bills = bills(&connection, kind, &touched);
    if let Some(csv) = csv_asked(asked.given("csv"), &[&bills]) {
        return Ok(csv);
    }
    let here = asked.with_prefix("").filter(|(name, _)| *name != "csv");
    let here = here.fold(
        Address::of(["mappings", connection.name.as_str(), "preview"]),
        |here, (name, value)| here.with(name, value),
    );
    let content = html! {
        @if meant.is_empty() { p { "Nothing was chosen that can be confirmed." } }
        @else {
            (changes(&meant, target.as_deref()))
            (weight(kind, &touched))
            (bills.show(&here))
            (yes(&person, &connection, kind, &meant, to))
        }
    };
    let layout = Layout {
        title: &format!("{}: confirm mappings", connection.name),
        person: &person,
        place: "/mappings",
    };
    Ok(page_under(
        &parts::crumbs(&[
            (Address::of(["mappings"]), "Mappings"),
            (address(&connection.name, kind), title(kind)),
        ]),
        &layout,
        &content,
    )
    .into_response())
}

fn changes(meant: &[&Row], target: Option<&str>) -> Markup {
    html! {
        ul.changes {
            @for row in meant {
                @let now = row.to.as_ref().map(mapping::Party::label);
                li {
                    strong { (row.from.label()) } " → "
                    strong { (target.map(str::to_owned).or_else(|| now.clone()).unwrap_or_default()) }
                    @if target.is_some() { @if let Some(now) = now { span.soft { " instead of " (now) } } }
                }
            }
        }
    }
}

fn yes(
    person: &Person,
    connection: &ConnectionInfo,
    kind: Kind,
    meant: &[&Row],
    to: Option<&str>,
) -> Markup {
    let act = if to.is_some() { "set" } else { "confirm" };
    let action = Address::of(["mappings", connection.name.as_str(), act]);
    let back = match meant {
        [one] => row_address(&connection.name, kind, &one.from.id),
        _ => address(&connection.name, kind),
    };
    html! {
        form method="post" action=(action) {
            (form::token(person))
            input type="hidden" name="kind" value=(kind);
            @for row in meant {
                input type="hidden" name="from" value=(row.from.id);
                @if to.is_none() { input type="hidden" name=(SHOWN) value=(suggested(row)); }
            }
            @if let Some(to) = to {
                input type="hidden" name="to" value=(to);
                (form::reason("mapping-reason", true))
            }
            button.main type="submit" { @if to.is_some() { "Set the mapping" } @else { "Confirm" } }
            " " a href=(back) { "Leave it as it is" }
        }
    }
}
