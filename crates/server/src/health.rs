//! Whether it lives (`/health`), and whether it can take on work (`/ready`).

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use crate::app::App;

/// The two routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/health", get(async || Json(json!({"status": "alive"}))))
        .route("/ready", get(ready))
}

async fn ready(State(app): State<App>) -> (StatusCode, Json<Value>) {
    let why = app.program.not_ready().await;
    if why.is_empty() {
        (StatusCode::OK, Json(json!({"status": "ready"})))
    } else {
        let body = json!({"status": "not ready", "why": why});
        (StatusCode::SERVICE_UNAVAILABLE, Json(body))
    }
}
