//! Exceptions: what waits for a person, by cause, where every record stands, and what a person decides.

use axum::Json;
use axum::routing::{get, post};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tieout_desk::exceptions::{Cause, Chosen, Ruling, causes, decide, replays};
use tieout_domain::code::Code;
use tieout_domain::{RecordRef, State as Standing};
use tieout_store::{Item, ItemFilter};

use super::connections::store;
use super::operation::Operation;
use super::paging::{self, page};
use super::problem::Problem;
use super::schema::{
    Schema, all_of, count, instant, list, maybe, object, of, page_of, switch, text, words,
};
use super::taking::{Asked, Named, Nothing, Taken};
use crate::people::{Person, Role};
use crate::view::View;

/// What can be asked of exceptions.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            (
                "listExceptions",
                Method::GET,
                "/connections/{connection}/exceptions",
            ),
            "ExceptionList",
            "What waits for a person, grouped by cause, with the fix.",
            get(all),
        )
        .query(
            "holds",
            switch(),
            "Also what waits for something that resolves by itself.",
        ),
        Operation::new(
            (
                "listStates",
                Method::GET,
                "/connections/{connection}/states",
            ),
            "ItemPage",
            "Where records stand, flow by flow.",
            get(states),
        )
        .query("flow", text(), "Only of this flow.")
        .query("state", of("State"), "Only in this state.")
        .query("code", text(), "Only with this code.")
        .query("group", text(), "Only of this group of exceptions.")
        .paged(),
        Operation::new(
            (
                "decide",
                Method::POST,
                "/connections/{connection}/decisions",
            ),
            "Decided",
            "Records what a person decides about records; the next run acts on it. To create or to accept takes an \
             approver.",
            post(decided),
        )
        .needs(Role::Operator)
        .takes("Decision")
        .refuses(StatusCode::CONFLICT),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let group = json!({
        "flow": text(), "state": of("State"), "code": maybe(of("Code")), "group": text(), "cause": text(),
        "count": count(), "amounts": list(of("Money")), "oldest": instant(), "labels": list(text()),
        "records": list(of("RecordRef")),
    });
    let cause = json!({
        "state": of("State"), "code": maybe(of("Code")), "group": text(), "title": text(), "count": count(),
        "amounts": list(of("Money")), "oldest": maybe(instant()), "cause": maybe(text()), "fix": text(),
        "who": text(), "flows": list(of("ExceptionGroup")),
    });
    let outcome = json!({
        "state": of("State"), "code": of("Code"), "cause": text(), "group": text(),
        "waits_for": {"type": "object"},
    });
    let item = json!({
        "flow": text(), "record": of("RecordRef"), "outcome": of("Outcome"), "label": text(),
        "amount": maybe(of("Money")), "since": instant(), "at": instant(), "seq": count(),
    });
    let decision = json!({
        "decision": {"enum": ["ignore", "retry", "link", "create", "accept"]},
        "link": {"$ref": "#/components/schemas/RecordRef"},
        "records": {"type": "array", "items": text(), "description": "By side/kind/id, id or number."},
        "group": {"type": "string", "description": "All of this group of exceptions."},
        "code": {"type": "string", "description": "All with this code."},
        "reason": words(),
    });
    let mut decision = object(decision, &["link", "records", "group", "code"]);
    decision["example"] = json!({
        "decision": "ignore", "records": ["ledger/bill/4711"], "reason": "paid by card",
    });
    vec![
        ("ExceptionGroup", object(group, &[])),
        ("Exception", object(cause, &[])),
        ("ExceptionList", all_of("Exception")),
        (
            "Outcome",
            object(outcome, &["code", "cause", "group", "waits_for"]),
        ),
        ("Item", object(item, &[])),
        ("ItemPage", page_of("Item")),
        ("Decision", decision),
        ("Decided", object(json!({"items": list(of("Item"))}), &[])),
    ]
}

/// Which exceptions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    holds: bool,
}

async fn all(
    view: View,
    Named(name): Named<String>,
    Asked(which): Asked<Which>,
) -> Result<Json<Value>, Problem> {
    let causes = causes(&store(&view, &name)?, which.holds).await?;
    let causes: Vec<Value> = causes.iter().map(Cause::to_json).collect();
    Ok(Json(json!({ "items": causes })))
}

/// Which records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    flow: Option<String>,
    state: Option<Standing>,
    code: Option<String>,
    group: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn states(
    view: View,
    Named(name): Named<String>,
    Asked(asked): Asked<Filter>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let limit = paging::limit(asked.limit)?;
    let after: Option<(String, RecordRef)> = paging::after(asked.cursor.as_deref())?;
    let filter = ItemFilter {
        flow: asked.flow,
        states: asked.state.into_iter().collect(),
        code: asked.code.map(Code::from_text),
        group: asked.group,
    };
    let after = after.as_ref().map(|(flow, record)| (flow.as_str(), record));
    let items = store.items_page(&filter, after, limit).await?;
    Ok(Json(page(&items, limit, |item: &Item| {
        (item.flow.clone(), item.record.clone())
    })))
}

/// What a person decides, and about what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    decision: Word,
    link: Option<RecordRef>,
    #[serde(default)]
    records: Vec<String>,
    group: Option<String>,
    code: Option<String>,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Ignore,
    Retry,
    Link,
    Create,
    Accept,
}

impl Decision {
    fn ruling(&self) -> Result<Ruling, Problem> {
        match (&self.decision, &self.link) {
            (Word::Link, Some(target)) => Ok(Ruling::Link(target.clone())),
            (Word::Link, None) => Err(Problem::senseless("`link` names no record to link to")),
            (_, Some(_)) => Err(Problem::senseless("`link` is only for the decision `link`")),
            (Word::Ignore, None) => Ok(Ruling::Ignore),
            (Word::Retry, None) => Ok(Ruling::Retry),
            (Word::Create, None) => Ok(Ruling::Create),
            (Word::Accept, None) => Ok(Ruling::Accept),
        }
    }
}

async fn decided(
    view: View,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(asked): Taken<Decision>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let ruling = asked.ruling()?;
    if !person.may(ruling.role()) {
        return Err(Problem::role_missing(&person, ruling.role()));
    }
    super::taking::meant(&asked.reason, "reason")?;
    let chosen = Chosen {
        records: asked.records,
        group: asked.group,
        code: asked.code.map(Code::from_text),
        seen: None,
    };
    if view.takes_two_people(store.name()).await?
        && let Some(proposal) = replays(&store, &chosen, &ruling, &asked.reason).await?
    {
        return Err(Problem::takes_two(&proposal.text));
    }
    let items = decide(&store, &chosen, &ruling, &asked.reason, &person.actor()).await?;
    if items.is_empty() {
        let cause = format!("none of these is a record that a flow of {name} looks after");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Problem::new(status, Code::new("unknown-record"), cause));
    }
    Ok(Json(json!({ "items": items })))
}
