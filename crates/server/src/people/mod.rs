//! People: who is there, and what they may do.
//!
//! [`behind_a_sign_in`] is the one gate. It lets a request through that shows a session's cookie, or under `/api/`
//! a token, and hands its [`Person`] on; a page then asks `person.must(role)`. What changes something has to come
//! from our own pages: it brings the session's form token, and its origin is ours.

mod cookie;
mod forms;
mod gate;
mod headers;
mod openid;
mod origin;
mod person;
mod refusal;
mod sign_in;
mod source;

use axum::Router;
use axum::middleware;

pub use person::{Person, Role};
pub(crate) use sign_in::{hash, opens};

use crate::app::App;

/// Lets only people who have signed in through to these routes.
pub fn behind_a_sign_in(routes: Router<App>, app: &App) -> Router<App> {
    let routes = routes.merge(sign_in::closed_routes());
    routes.layer(middleware::from_fn_with_state(app.clone(), gate::signed_in))
}

/// Lets only programs whose token is good through to these routes, and scripts of our own pages.
pub fn behind_a_token(routes: Router<App>, app: &App) -> Router<App> {
    routes.layer(middleware::from_fn_with_state(app.clone(), gate::signed_in))
}

/// Lets only programs on this machine, and whoever shows a token, through to these routes.
pub fn for_watchers(routes: Router<App>, app: &App) -> Router<App> {
    routes.layer(middleware::from_fn_with_state(app.clone(), gate::watcher))
}

/// Where people sign in: open to all.
pub fn open_routes(app: &App) -> Router<App> {
    sign_in::open_routes().merge(openid::routes(app))
}

/// What every answer carries for browsers, whatever it is.
pub fn with_headers(routes: Router<App>, app: &App) -> Router<App> {
    routes.layer(middleware::from_fn_with_state(app.clone(), headers::add))
}
