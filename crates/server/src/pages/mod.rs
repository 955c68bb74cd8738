//! The pages, one file for each.

mod allowed;
mod audit;
mod connection;
mod days;
mod exceptions;
mod failure;
mod fields;
mod layout;
mod mappings;
mod overview;
pub mod parts;
mod records;
mod replay;
mod runs;
mod standing;
mod tie_out;

use axum::Router;
use axum::routing::{get, post};

pub use failure::PageError;
pub use layout::{Layout, bare_page, page, plain_page};

use crate::app::App;

/// All pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(overview::show))
        .merge(exceptions::routes())
        .merge(mappings::routes())
        .merge(replay::routes())
        .merge(tie_out::routes())
        .route(
            "/records/{connection}/{side}/{kind}/{id}",
            get(records::show),
        )
        .route("/audit", get(audit::show))
        .route("/audit/check", post(audit::verify))
        .route("/connections/{name}", get(connection::show))
        .route("/connections/{name}/pause", post(connection::stop))
        .route("/connections/{name}/payable", get(connection::unpayable))
        .route("/connections/{name}/resume", post(connection::go_on))
        .route("/connections/{name}/sync", post(connection::sync))
        .route("/pause", post(connection::stop_all))
        .route("/records", get(records::search))
        .route("/resume", post(connection::go_on_all))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::show))
}
