//! A span for each request that is answered: pages, API, webhooks.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;

use super::{Kind, Tracer};

/// What monitors ask again and again is not worth a span.
const WATCHED: [&str; 3] = ["/health", "/ready", "/metrics"];

/// The same routes, traced.
pub fn traced(routes: Router, tracer: Arc<Tracer>) -> Router {
    routes.layer(middleware::from_fn_with_state(tracer, span))
}

async fn span(State(tracer): State<Arc<Tracer>>, request: Request, next: Next) -> Response {
    // The route, and never the path: that may hold a secret, or somebody's name.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    if WATCHED.contains(&route.as_str()) {
        return next.run(request).await;
    }
    let method = request.method().as_str().to_owned();
    let mut span = tracer.begin(format!("{method} {route}"), Kind::Server, None);
    span.tell("http.request.method", method);
    span.tell("http.route", route);
    let response = next.run(request).await;
    let status = response.status();
    span.tell("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.fail();
    }
    tracer.end(span);
    response
}
