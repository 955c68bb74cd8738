//! What lies around a fake's own surface: calls are counted, then faults strike, then the fake answers.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::stream;
use http_body_util::BodyExt;
use serde_json::Value;

use super::faults::Effect;
use super::{Chassis, Refused};

/// Put on a request's extensions by the chassis: the fake expires the session or token that the call
/// carries before it looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpireSession;

/// Put on a response's extensions by the chassis: the caller never sees this answer. [`serve`] closes the
/// connection instead; who calls a router in-process treats it as a connection closed without an answer.
///
/// [`serve`]: super::serve
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// Whether the call had been carried out.
    pub committed: bool,
}

#[derive(Clone)]
struct Dressing {
    chassis: Chassis,
    service: &'static str,
}

/// Wraps a fake's router: every call is counted, then meets the faults, then the router.
///
/// The chassis' own latency is not added here: each fake waits inside its own limits, so that they hold
/// with and without latency.
pub fn dress(chassis: &Chassis, service: &'static str, router: Router) -> Router {
    chassis.calls.expect(service);
    let dressing = Dressing {
        chassis: chassis.clone(),
        service,
    };
    router.layer(from_fn_with_state(dressing, counted))
}

async fn counted(State(dressing): State<Dressing>, request: Request, next: Next) -> Response {
    let Dressing { chassis, service } = dressing;
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let call = chassis.calls.begin(service, &method, &path);
    let response = struck(&chassis, service, &method, &path, request, next).await;
    let turned_away = response.status() == StatusCode::TOO_MANY_REQUESTS
        || response.extensions().get::<Refused>().is_some();
    if turned_away {
        call.refused();
    }
    response
}

async fn struck(
    chassis: &Chassis,
    service: &str,
    method: &str,
    path: &str,
    mut request: Request,
    next: Next,
) -> Response {
    let injection = chassis.faults.inject(service, method, path);
    if !injection.latency.is_zero() {
        tokio::time::sleep(injection.latency).await;
    }
    if injection.expire_session {
        request.extensions_mut().insert(ExpireSession);
    }
    match injection.end {
        Some(Effect::DropBeforeCommit) => {
            drain(request).await;
            dropped(false)
        }
        Some(Effect::DropAfterCommit) => {
            next.run(request).await;
            dropped(true)
        }
        Some(Effect::Status { status, body }) => {
            drain(request).await;
            status_answer(status, body)
        }
        Some(Effect::Html(status)) => {
            drain(request).await;
            html_answer(status)
        }
        Some(Effect::Truncate) => truncated(next.run(request).await).await,
        Some(Effect::Latency(_) | Effect::ExpireSession | Effect::Webhook(_)) | None => {
            next.run(request).await
        }
    }
}

/// Reads what the caller still sends: a connection closed before that is reset, and the reset may reach
/// the caller in the place of an answer.
async fn drain(request: Request) {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
}

fn dropped(committed: bool) -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Dropped { committed });
    response
}

fn status_answer(status: u16, body: Option<Value>) -> Response {
    let (kind, text) = match body {
        None => return status_of(status).into_response(),
        Some(Value::String(text)) => ("text/plain; charset=utf-8", text),
        Some(value) => ("application/json", value.to_string()),
    };
    (status_of(status), [(CONTENT_TYPE, kind)], text).into_response()
}

fn html_answer(status: u16) -> Response {
    let status = status_of(status);
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>{status}</title></head>\n\
         <body><h1>{status}</h1><p>The server could not complete your request.</p></body></html>\n"
    );
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)
}

/// Half of the body, announced as the whole, then the end of the connection. An answer without a body has
/// no half: it is dropped.
async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
    else {
        return dropped(true);
    };
    if whole.len() < 2 {
        return dropped(true);
    }
    parts.headers.remove(TRANSFER_ENCODING);
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    Response::from_parts(parts, Body::from_stream(broken_off(half)))
}

fn broken_off(half: Bytes) -> impl futures::Stream<Item = std::io::Result<Bytes>> {
    stream::unfold(Some(half), |rest| async move {
        match rest {
            Some(half) if !half.is_empty() => Some((Ok(half), Some(Bytes::new()))),
            Some(_) => {
                // A pause lets the half leave before the connection breaks.
                tokio::task::yield_now().await;
                Some((Err(std::io::ErrorKind::ConnectionAborted.into()), None))
            }
            None => None,
        }
    })
}
