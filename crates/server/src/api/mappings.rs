//! Mappings: which account, dimension or funding account stands for which, and what is suggested.

use axum::Json;
use axum::routing::{get, post};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tieout_desk::mapping;
use tieout_domain::{Kind, RemoteId};
use tieout_store::MapEntry;

use super::connections::store;
use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, count, instant, maybe, object, text};
use super::taking::{Asked, Named, Nothing, Taken};
use crate::people::{Person, Role};
use crate::view::View;

/// What can be asked of mappings.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listMappings", Method::GET, "/connections/{connection}/mappings"),
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
            "Proposed",
            "Reads both sides' lists and suggests a mapping for whatever has none; says how many are without a \
             confirmed one. The suggestions are among the mappings then.",
            post(suggest),
        )
        .needs(Role::Operator)
        .asks_a_side(),
        Operation::new(
            (
                "confirmMappings",
                Method::POST,
                "/connections/{connection}/mappings/confirmations",
            ),
            "Confirmed",
            "Confirms suggested mappings, and says how many. One that is given with `to` is left out if it leads elsewhere \
             by now. Funding accounts, which are banks, are confirmed on their page alone.",
            post(confirmed),
        )
        .needs(Role::Approver)
        .takes("ConfirmRequest"),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let mapping = json!({
        "kind": text(), "from": text(), "to": maybe(text()),
        "status": {"enum": ["suggested", "confirmed", "create", "removed"]}, "label_from": text(),
        "label_to": text(), "why": text(), "actor": text(), "at": instant(), "seq": count(),
    });
    let kinds: Vec<&str> = confirmable().map(Kind::as_str).collect();
    let one = json!({"kind": {"enum": kinds}, "from": text(), "to": text()});
    let one = object(one, &["to"]);
    let mut confirm = object(
        json!({"mappings": {"type": "array", "items": one, "minItems": 1}}),
        &[],
    );
    confirm["example"] = json!({"mappings": [{"kind": "account", "from": "58", "to": "0ac1"}]});
    vec![
        ("Mapping", object(mapping, &[])),
        ("MappingList", all_of("Mapping")),
        ("Proposed", object(json!({"without": count()}), &[])),
        ("ConfirmRequest", confirm),
        ("Confirmed", object(json!({"confirmed": count()}), &[])),
    ]
}

async fn all(
    view: View,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let maps = store(&view, &name)?.maps().await?;
    Ok(Json(json!({ "items": maps })))
}

async fn suggest(
    view: View,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let without = view.program.propose_mappings(store.name()).await?;
    Ok(Json(json!({ "without": without })))
}

/// What is confirmed through the API. Who is behind a bank account is looked at by two people.
fn confirmable() -> impl Iterator<Item = Kind> {
    let kinds = mapping::all_kinds().into_iter();
    kinds.filter(|kind| *kind != Kind::FundingAccount)
}

/// Which suggestions are confirmed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfirmRequest {
    mappings: Vec<Suggested>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suggested {
    kind: String,
    from: RemoteId,
    /// What it led to when it was read; whatever it leads to, if nothing is said.
    to: Option<RemoteId>,
}

async fn confirmed(
    view: View,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(request): Taken<ConfirmRequest>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    if request.mappings.is_empty() {
        return Err(Problem::senseless("`mappings` names none"));
    }
    let flows = view.known(&name).map(|it| it.flows).unwrap_or_default();
    for one in &request.mappings {
        let kind = mapping::known_kind(&flows, &one.kind)?;
        if !confirmable().any(|known| known == kind) {
            let cause = format!("a mapping of {} is not confirmed here", one.kind);
            return Err(Problem::senseless(cause));
        }
    }
    let wanted = |entry: &MapEntry| {
        let mut named = request.mappings.iter();
        named.any(|one| {
            let same = one.to.is_none() || one.to == entry.to;
            one.kind == entry.kind && one.from == entry.from && same
        })
    };
    let count = mapping::confirm(&store, wanted, &person.actor()).await?;
    Ok(Json(json!({ "confirmed": count })))
}
