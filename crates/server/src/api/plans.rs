//! Plans: what a run would do, touching nothing.

use axum::Json;
use axum::routing::post;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tieout_engine::Plan;

use super::connections::store;
use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, by_name, count, list, object, of, text};
use super::taking::{Asked, Named, Nothing, Taken};
use crate::people::{Person, Role};
use crate::program::SyncAsked;
use crate::view::View;

/// What can be asked of plans.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("makePlan", Method::POST, "/connections/{connection}/plans"),
            "Plan",
            "What a run would do, record by record. It reads both sides and writes nothing.",
            post(make),
        )
        .needs(Role::Operator)
        .takes("PlanRequest")
        .asks_a_side(),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let step = json!({
        "flow": text(), "record": of("RecordRef"), "label": text(), "amount": text(), "action": text(),
        "side": {"enum": ["ledger", "platform"]}, "kind": text(), "target": text(), "role": text(),
        "key": text(), "because": text(), "fingerprint": text(),
    });
    let choice = json!({
        "flow": text(), "record": of("RecordRef"), "label": text(), "code": of("Code"), "cause": text(),
    });
    let plan = json!({
        "connection": text(), "flows": list(text()), "steps": list(of("PlannedStep")),
        "states": by_name(by_name(count())), "choices": list(of("PlannedChoice")), "stops": list(of("Stop")),
        "later": {"type": "object"}, "cost": of("Cost"),
    });
    let cost =
        json!({"calls": by_name(count()), "allowances": by_name(count()), "seconds": count()});
    let mut asked = object(
        json!({"flows": list(text()), "only": list(text())}),
        &["flows", "only"],
    );
    asked["example"] = json!({});
    vec![
        ("PlannedStep", object(step, &["amount", "target", "role"])),
        ("PlannedChoice", object(choice, &[])),
        ("Plan", object(plan, &["choices", "later", "stops", "cost"])),
        ("Cost", object(cost, &["allowances", "seconds"])),
        ("PlanRequest", asked),
    ]
}

/// Of what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanRequest {
    #[serde(default)]
    flows: Vec<String>,
    #[serde(default)]
    only: Vec<String>,
}

async fn make(
    view: View,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(request): Taken<PlanRequest>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let asked = SyncAsked {
        flows: request.flows,
        only: request.only,
        whole: false,
        by: person.actor(),
    };
    let plan: Plan = view.program.plan(store.name(), asked).await?;
    Ok(Json(json!(plan)))
}
