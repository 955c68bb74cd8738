//! Preferences: every one with its value and where it comes from, and changes.

use std::collections::BTreeMap;

use axum::Json;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use http::{HeaderMap, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tieout_desk::preferences::Standing;
use tieout_domain::ConnectionName;
use tieout_store::frozen_name;

use super::connections::store;
use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, object, text};
use super::taking::{Asked, Named, Nothing, Taken};
use super::version::{etag, unchanged};
use crate::people::{Person, Role};
use crate::view::View;

const PREFERENCES: &str = "/connections/{connection}/preferences";

/// What can be asked of preferences.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listPreferences", Method::GET, PREFERENCES),
            "PreferenceList",
            "Every preference of a connection, with its value and where it comes from. Its ETag is their version.",
            get(all),
        ),
        Operation::new(
            ("changePreferences", Method::PATCH, PREFERENCES),
            "PreferenceList",
            "Changes preferences, all or none; null puts the default back.",
            patch(change),
        )
        .needs(Role::Admin)
        .takes("PreferenceChange")
        .refuses(StatusCode::CONFLICT)
        .refuses(StatusCode::PRECONDITION_FAILED),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let preference = json!({
        "key": text(), "heading": text(), "value": {}, "default": {}, "from": text(), "about": text(),
    });
    let mut change = object(
        json!({"values": {"type": "object", "minProperties": 1, "additionalProperties": {}}}),
        &[],
    );
    change["example"] = json!({"values": {"transactions.partly_paid": "balance"}});
    vec![
        ("Preference", object(preference, &[])),
        ("PreferenceList", all_of("Preference")),
        ("PreferenceChange", change),
    ]
}

/// The version of these values.
fn version(preferences: &[Standing]) -> String {
    let values: BTreeMap<&str, &Value> = preferences
        .iter()
        .map(|one| (one.entry.key, &one.value))
        .collect();
    frozen_name(&json!(values).to_string())
}

fn shown(view: &View, connection: &ConnectionName) -> Result<Response, Problem> {
    let preferences = view.program.preferences(connection)?;
    let headers = [(header::ETAG, etag(&version(&preferences)))];
    let items: Vec<Value> = preferences
        .iter()
        .map(|one| {
            json!({
                "key": one.entry.key, "heading": one.entry.heading, "value": one.value,
                "default": one.entry.default, "from": one.from, "about": one.entry.about,
            })
        })
        .collect();
    Ok((headers, Json(json!({ "items": items }))).into_response())
}

async fn all(
    view: View,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let store = store(&view, &name)?;
    shown(&view, store.name())
}

/// What is to be changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PreferenceChange {
    values: BTreeMap<String, Value>,
}

async fn change(
    view: View,
    person: Person,
    headers: HeaderMap,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(change): Taken<PreferenceChange>,
) -> Result<Response, Problem> {
    let store = store(&view, &name)?;
    if change.values.is_empty() {
        return Err(Problem::senseless("`values` names no preference"));
    }
    let before = view.program.preferences(store.name())?;
    unchanged(&headers, &version(&before))?;
    let for_two = view
        .preferences_for_two(store.name(), &change.values)
        .await?;
    if let Some(proposal) = for_two {
        return Err(Problem::takes_two(&proposal.text));
    }
    view.program
        .change_preferences(store.name(), change.values, &person.actor())
        .await?;
    shown(&view, store.name())
}
