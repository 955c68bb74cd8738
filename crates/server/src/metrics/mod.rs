//! What a monitor reads at `/metrics`, in Prometheus' text format. What can be is told from the store, so that it is
//! the same whichever process is asked, and true after a restart; counters are this process's own.

mod family;
mod gather;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::header;
use tieout_domain::Reach;

use crate::app::App;
use crate::pages::PageError;
use crate::people::Person;
use crate::view::View;

pub use family::{FAMILIES, Family};

/// The route.
pub fn routes() -> Router<App> {
    Router::new().route("/metrics", get(show))
}

/// A program on this machine is told everything; whoever shows a token, what it reaches.
async fn show(
    State(app): State<App>,
    person: Option<Extension<Person>>,
) -> Result<Response, PageError> {
    let reach = person.map_or(Reach::All, |Extension(person)| person.reach);
    let view = View::of(&app, &reach);
    let text = gather::gather(&app, &view).await?.text();
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((kind, text).into_response())
}
