//! The API: all that the pages can do, for programs.
//!
//! Every operation stands once, in the table of its resource's file; the router and the OpenAPI document are made
//! of it ([`operation`]). What is sent is read strictly ([`taking`]), every refusal is a problem with a code
//! ([`problem`]), lists come page by page ([`paging`]), and what is asked twice is done once ([`idempotency`]).

mod codes;
mod connections;
mod credentials;
mod document;
mod entries;
mod exceptions;
mod idempotency;
mod imports;
mod mappings;
mod operation;
mod paging;
mod people;
mod plans;
mod preferences;
mod problem;
mod records;
mod runs;
mod schema;
mod stops;
mod taking;
mod tie_outs;
mod version;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{any, get};
use http::StatusCode;

use crate::app::App;
use operation::Operation;
use schema::Schema;

pub use operation::BASE;
pub use problem::Problem;

/// How large a body may be.
const BODY_MAX: usize = 1024 * 1024;

/// The addresses of the API. What must lie between its refusals and its operations, a sign-in, is put on by
/// `inside`.
pub fn routes(app: &App, inside: impl FnOnce(Router<App>) -> Router<App>) -> Router<App> {
    let mut router = Router::new()
        .route("/api/openapi.json", get(document::serve))
        .route("/api", any(async || StatusCode::NOT_FOUND))
        .route("/api/{*rest}", any(async || StatusCode::NOT_FOUND));
    for operation in operations() {
        router = operation.onto(router);
    }
    let once = middleware::from_fn_with_state(app.clone(), idempotency::once);
    let router = inside(router.layer(once));
    router
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn(problem::for_all))
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> serde_json::Value {
    document::document(&operations())
}

/// All operations.
fn operations() -> Vec<Operation> {
    let all = [
        connections::operations(),
        runs::operations(),
        imports::operations(),
        exceptions::operations(),
        records::operations(),
        mappings::operations(),
        tie_outs::operations(),
        plans::operations(),
        stops::operations(),
        preferences::operations(),
        credentials::operations(),
        people::operations(),
        entries::operations(),
        codes::operations(),
    ];
    all.into_iter().flatten().collect()
}

/// All schemas.
fn schemas() -> Vec<Schema> {
    let all = [
        schema::shared(),
        connections::schemas(),
        runs::schemas(),
        imports::schemas(),
        exceptions::schemas(),
        records::schemas(),
        mappings::schemas(),
        tie_outs::schemas(),
        plans::schemas(),
        stops::schemas(),
        preferences::schemas(),
        credentials::schemas(),
        people::schemas(),
        entries::schemas(),
        codes::schemas(),
    ];
    all.into_iter().flatten().collect()
}
