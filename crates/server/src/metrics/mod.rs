//! What a monitor reads at `/metrics`, in Prometheus' text format. What can be is told from the store, so that it is
//! the same whichever process is asked, and true after a restart; counters are this process's own.

mod family;
mod gather;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;

use crate::app::App;
use crate::pages::PageError;

pub use family::{FAMILIES, Family};

/// The route.
pub fn routes() -> Router<App> {
    Router::new().route("/metrics", get(show))
}

async fn show(State(app): State<App>) -> Result<Response, PageError> {
    let text = gather::gather(&app).await?.text();
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((kind, text).into_response())
}
