//! The kill switch: what stops remote writes.

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use http::Method;
use serde_json::{Value, json};

use super::connections::store;
use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, count, instant, maybe, object, text};
use super::taking::{Asked, Named, Nothing};
use crate::app::App;

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
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let stop = json!({
        "connection": maybe(text()), "kind": {"enum": ["paused", "recovering"]}, "reason": text(),
        "actor": text(), "at": instant(), "seq": count(),
    });
    vec![("Stop", object(stop, &[])), ("StopList", all_of("Stop"))]
}

async fn of_all(
    State(app): State<App>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let stops = app.store.installation().stops().await?;
    Ok(Json(json!({ "items": stops })))
}

async fn of_one(
    State(app): State<App>,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let stops = store(&app, &name)?.stops().await?;
    Ok(Json(json!({ "items": stops })))
}
