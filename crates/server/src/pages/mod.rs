//! The pages, one file for each.

mod allowed;
mod exceptions;
mod failure;
mod fields;
mod layout;
mod mappings;
mod overview;
pub mod parts;
mod replay;
mod tie_out;

use axum::Router;
use axum::routing::get;

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
}
