//! People: who is there, and what they may do.

mod person;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

pub use person::{Person, Role};

use crate::app::App;

/// Lets only people who have signed in through to these routes.
pub fn behind_a_sign_in(routes: Router<App>, _app: &App) -> Router<App> {
    routes.layer(middleware::from_fn(signed_in))
}

async fn signed_in(request: Request, next: Next) -> Response {
    if request.extensions().get::<Person>().is_some() {
        return next.run(request).await;
    }
    StatusCode::UNAUTHORIZED.into_response()
}
