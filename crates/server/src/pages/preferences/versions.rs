//! The versions of a connection's preferences, and the way back to one of them.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;
use tieout_desk::first_sync::{YES, is_asked_by};
use tieout_desk::preferences::{Standing, Version, at, plain, unfit};
use tieout_domain::code::Code;
use tieout_flows::Preferences;

use super::super::fields::Fields;
use super::super::parts::form::{self, Act};
use super::super::parts::{Address, Cell, Column, Table};
use super::super::{PageError, allowed};
use super::{Way, address, lines, put, said};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// What was changed when, and by whom, the last first.
pub(super) fn history(connection: &ConnectionInfo, versions: &[Version]) -> Table {
    let mut table = Table::new(
        "versions",
        "Versions",
        [
            Column::number("Version"),
            Column::text("When"),
            Column::person("Who"),
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
pub(super) fn back(
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
        div.acts { @for (version, differing) in earlier.iter().filter(|(_, differing)| !differing.is_empty()) {
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
        } }
    })
}

/// Puts the values of an earlier version back, as if they had been typed.
pub(super) async fn go_back(
    view: View,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let (connection, _) = allowed(&view, &person, &name, Role::Admin)?;
    let version = fields.get("version").parse().map_err(|_| {
        let cause = format!("`{}` is no version", fields.get("version"));
        PageError::usage(Code::new("usage"), cause)
    })?;
    let lines = lines(&view, &connection)?;
    let versions = view.store.versions(&connection.name).await?;
    let differing = differing(&connection, &lines, &versions, version)?;
    let mut values: BTreeMap<_, _> = differing
        .into_iter()
        .map(|(line, then)| (line.entry.key.to_owned(), then))
        .collect();
    let here = address(&connection);
    if values.is_empty() {
        return Ok(Redirect::to(&here.with("done", "nothing").to_string()).into_response());
    }
    // A yes of long ago is no yes to what the first sync would take now: it is asked about anew.
    if values.contains_key(YES) {
        let mut without = values.clone();
        without.remove(YES);
        if is_asked_by(&without, &said(&lines)) {
            values = without;
        }
    }
    let way = Way {
        later: false,
        back: "",
        why: &format!("back to version {version}"),
        done: here
            .with("done", "back")
            .with("n", &values.len().to_string()),
    };
    put(&view, &person, &connection, &lines, values, way).await
}
