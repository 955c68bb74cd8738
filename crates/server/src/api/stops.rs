//! The kill switch: what stops remote writes, and how they go on.

use axum::Json;
use axum::routing::{get, post};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tieout_desk::pause;

use super::connections::store;
use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, count, instant, maybe, object, text, words};
use super::taking::{Asked, Named, Nothing, Taken, meant};
use crate::people::{Person, Role};
use crate::view::View;

/// What can be asked of stops.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listStops", Method::GET, "/stops"),
            "StopList",
            "What stops the remote writes of all connections.",
            get(of_all),
        ),
        Operation::new(
            (
                "listConnectionStops",
                Method::GET,
                "/connections/{connection}/stops",
            ),
            "StopList",
            "What stops a connection's remote writes: its own stops, and those of all connections.",
            get(of_one),
        ),
        Operation::new(
            ("pauseAll", Method::POST, "/pause"),
            "StopList",
            "Stops the remote writes of all connections. Says what stops them then.",
            post(pause_all),
        )
        .needs(Role::Operator)
        .takes("PauseRequest"),
        Operation::new(
            ("resumeAll", Method::POST, "/resume"),
            "StopList",
            "Puts the switch of all connections back. Says what stops them still.",
            post(resume_all),
        )
        .needs(Role::Operator)
        .takes("ResumeRequest"),
        Operation::new(
            ("pause", Method::POST, "/connections/{connection}/pause"),
            "StopList",
            "Stops a connection's remote writes. Says what stops them then.",
            post(pause),
        )
        .needs(Role::Operator)
        .takes("PauseRequest"),
        Operation::new(
            ("resume", Method::POST, "/connections/{connection}/resume"),
            "StopList",
            "Lets a connection's remote writes go on. Says what stops them still. One that has never gone live takes an \
             admin.",
            post(resume),
        )
        .needs(Role::Operator)
        .takes("ResumeRequest"),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let stop = json!({
        "connection": maybe(text()), "kind": {"enum": ["paused", "recovering"]}, "reason": text(),
        "actor": text(), "at": instant(), "seq": count(),
    });
    // Stopping is not held up for want of a reason; to go on wants one.
    let mut pause = object(json!({"reason": text()}), &["reason"]);
    pause["example"] = json!({"reason": "month end"});
    let mut resume = object(json!({"reason": words()}), &[]);
    resume["example"] = json!({"reason": "the month is closed"});
    vec![
        ("Stop", object(stop, &[])),
        ("StopList", all_of("Stop")),
        ("PauseRequest", pause),
        ("ResumeRequest", resume),
    ]
}

async fn of_all(view: View, Asked(Nothing {}): Asked<Nothing>) -> Result<Json<Value>, Problem> {
    let stops = view.store.stops().await?;
    Ok(Json(json!({ "items": stops })))
}

async fn of_one(
    view: View,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let stops = store(&view, &name)?.stops().await?;
    Ok(Json(json!({ "items": stops })))
}

/// Why writes are stopped.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PauseRequest {
    #[serde(default)]
    reason: String,
}

/// Why they go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResumeRequest {
    reason: String,
}

async fn pause_all(
    view: View,
    person: Person,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(request): Taken<PauseRequest>,
) -> Result<Json<Value>, Problem> {
    let store = view.whole()?.installation();
    pause::pause_all(&store, &request.reason, &person.actor()).await?;
    Ok(Json(json!({ "items": store.stops().await? })))
}

async fn resume_all(
    view: View,
    person: Person,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(request): Taken<ResumeRequest>,
) -> Result<Json<Value>, Problem> {
    meant(&request.reason, "reason")?;
    view.may_go_on(None).await?;
    let store = view.whole()?.installation();
    pause::resume_all(&store, &request.reason, &person.actor()).await?;
    Ok(Json(json!({ "items": store.stops().await? })))
}

async fn pause(
    view: View,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(request): Taken<PauseRequest>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    pause::pause(&store, &request.reason, &person.actor()).await?;
    let by = person.actor();
    view.program.stays_paused(store.name(), &by).await?;
    Ok(Json(json!({ "items": store.stops().await? })))
}

async fn resume(
    view: View,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(request): Taken<ResumeRequest>,
) -> Result<Json<Value>, Problem> {
    meant(&request.reason, "reason")?;
    let store = store(&view, &name)?;
    let role = view.role_to_go_on(&store).await?;
    if !person.may(role) {
        return Err(Problem::role_missing(&person, role));
    }
    view.may_go_on(Some(store.name())).await?;
    pause::resume(&store, &request.reason, &person.actor()).await?;
    Ok(Json(json!({ "items": store.stops().await? })))
}
