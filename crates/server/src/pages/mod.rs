//! The pages, one file for each.

mod account;
mod accounts;
mod approvals;
mod audit;
mod checks;
mod connect;
mod connection;
mod credentials;
mod days;
mod exceptions;
mod failure;
mod fields;
mod imports;
mod layout;
mod mappings;
mod nodes;
mod overview;
pub mod parts;
mod plan;
mod preferences;
mod records;
mod replay;
mod runs;
mod standing;
mod tenants;
mod tie_out;
mod tokens;
mod users;

use axum::Router;
use axum::routing::{get, post};

pub use failure::PageError;
pub use layout::{Layout, bare_page, page, page_under, plain_page};

use tieout_store::ConnectionStore;

use crate::app::App;
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// A connection of this name, and its store.
fn named(view: &View, name: &str) -> Result<(ConnectionInfo, ConnectionStore), PageError> {
    let info = view.known(name).ok_or(PageError::Missing)?;
    let store = view.store.connection(&info.name)?;
    Ok((info, store))
}

/// The same, for a person who has at least this role.
fn allowed(
    view: &View,
    person: &Person,
    name: &str,
    least: Role,
) -> Result<(ConnectionInfo, ConnectionStore), PageError> {
    person.must(least)?;
    named(view, name)
}

/// All pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(overview::show))
        .merge(accounts::routes())
        .merge(checks::routes())
        .merge(connect::routes())
        .merge(credentials::routes())
        .merge(exceptions::routes())
        .merge(imports::routes())
        .merge(mappings::routes())
        .merge(plan::routes())
        .merge(preferences::routes())
        .merge(replay::routes())
        .merge(tie_out::routes())
        .route("/pause", post(connection::stop_all))
        .route("/resume", post(connection::go_on_all))
        .route("/connections/{name}", get(connection::show))
        .route("/connections/{name}/payable", get(connection::unpayable))
        .route("/connections/{name}/sync", post(connection::sync))
        .route("/connections/{name}/pause", post(connection::stop))
        .route("/connections/{name}/resume", post(connection::go_on))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::show))
        .route("/records", get(records::search))
        .route(
            "/records/{connection}/{side}/{kind}/{id}",
            get(records::show),
        )
        .route("/audit", get(audit::show))
        .route("/audit/check", post(audit::verify))
        .merge(account::routes())
        .merge(approvals::routes())
        .merge(users::routes())
        .fallback(async || PageError::Missing)
}
