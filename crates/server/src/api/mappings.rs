//! Mappings: which account, dimension or funding account stands for which, and what is suggested.

use axum::Json;
use axum::extract::State;
use axum::routing::{get, post};
use http::Method;
use serde_json::{Value, json};

use super::connections::store;
use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, count, instant, maybe, object, of, text};
use super::taking::{Asked, Named, Nothing};
use crate::app::App;
use crate::people::{Person, Role};

/// What can be asked of mappings.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            (
                "listMappings",
                Method::GET,
                "/connections/{connection}/mappings",
            ),
            "MappingList",
            "All mappings, those that were taken back included.",
            get(all),
        ),
        Operation::new(
            (
                "suggestMappings",
                Method::POST,
                "/connections/{connection}/mappings/suggestions",
            ),
            "SuggestionList",
            "Reads the lists of both sides and proposes mappings for what has none.",
            post(suggest),
        )
        .needs(Role::Operator)
        .asks_a_side(),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let mapping = json!({
        "kind": text(), "from": text(), "to": maybe(text()),
        "status": {"enum": ["suggested", "confirmed", "create", "removed"]}, "label_from": text(),
        "label_to": text(), "why": text(), "actor": text(), "at": instant(), "seq": count(),
    });
    let suggestion = json!({
        "kind": text(), "from": text(), "from_label": text(), "to": maybe(text()), "to_label": text(),
        "confidence": {"enum": ["exact", "number", "name", "missing"]}, "why": text(),
    });
    vec![
        ("Mapping", object(mapping, &[])),
        ("MappingList", all_of("Mapping")),
        ("Suggestion", object(suggestion, &[])),
        (
            "SuggestionList",
            object(json!({"items": super::schema::list(of("Suggestion"))}), &[]),
        ),
    ]
}

async fn all(
    State(app): State<App>,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let maps = store(&app, &name)?.maps().await?;
    Ok(Json(json!({ "items": maps })))
}

async fn suggest(
    State(app): State<App>,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let store = store(&app, &name)?;
    let suggestions = app
        .program
        .suggest_mappings(store.name(), &person.actor())
        .await?;
    Ok(Json(json!({ "items": suggestions })))
}
