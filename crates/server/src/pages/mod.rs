//! The pages, one file for each.

mod account;
mod approvals;
mod failure;
mod layout;
mod overview;
pub mod parts;
mod tokens;
mod users;

use axum::Router;
use axum::routing::get;

pub use failure::PageError;
pub use layout::{Layout, bare_page, page, plain_page};

use crate::app::App;

/// All pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(overview::show))
        .merge(account::routes())
        .merge(approvals::routes())
        .merge(users::routes())
        .fallback(async || PageError::Missing)
}
