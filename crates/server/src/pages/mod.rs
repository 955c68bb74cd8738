//! The pages, one file for each.

mod failure;
mod layout;
mod overview;

use axum::Router;
use axum::routing::get;

pub use failure::PageError;
pub use layout::{Layout, page};

use crate::app::App;

/// All pages.
pub fn routes() -> Router<App> {
    Router::new().route("/", get(overview::show))
}
