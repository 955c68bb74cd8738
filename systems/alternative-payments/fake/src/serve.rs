//! HTTP: one call through the sign-in, the limit, the scopes, and its room.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body as HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use tieout_kit::fake::ExpireSession;

use crate::account::Account;
use crate::call::{Answer, Call, Content, Reply};
use crate::limits::Moment;
use crate::problem::Problem;
use crate::query::Query;
use crate::{Shared, delivery, life, pdf, route};

/// Bodies larger than this are refused.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How many seconds a caller is told to wait after too many calls, where it is told.
const RETRY_AFTER: &str = "1";
/// How long a token is.
const TOKEN: usize = 48;

/// The whole surface.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let outcome = serve(&shared, request).await;
    delivery::send_all(&shared);
    match outcome {
        Ok(reply) => respond(reply),
        Err(problem) => refuse(&shared, &problem),
    }
}

async fn serve(shared: &Shared, request: Request) -> Answer {
    let (parts, content) = request.into_parts();
    let content = to_bytes(content, BODY_BYTES_MAX)
        .await
        .map_err(|_| Problem::bad("The request body is too large or broken"))?;
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    let decoded: Vec<String> = parts
        .uri
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let path: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let mut account = shared.account();
    let path = match &*path {
        ["v1", rest @ ..] if account.switches.v1_prefix => rest,
        path => path,
    };
    let call = Call {
        method: parts.method.as_str(),
        path,
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        kind: text(&parts.headers, header::CONTENT_TYPE),
        content,
        base: base(&account, &parts),
    };
    life::catch_up(&mut account);
    match (call.method, call.path) {
        ("GET", ["downloads", token]) => pdf::download(&account, token),
        ("POST", ["oauth", "token"]) => token(shared, &mut account, &parts.headers, &call),
        _ => {
            admit(shared, &mut account, &parts, call.path)?;
            carry_out(shared, &mut account, &call)
        }
    }
}

/// Gives a token for the client's secret.
fn token(shared: &Shared, account: &mut Account, headers: &HeaderMap, call: &Call<'_>) -> Answer {
    account.keys.is_client(headers)?;
    count(shared, account)?;
    let (now, token) = (account.now(), account.random.token(TOKEN));
    account.keys.issue(call, now, token)
}

fn admit(
    shared: &Shared,
    account: &mut Account,
    parts: &Parts,
    path: &[&str],
) -> Result<(), Problem> {
    if parts.extensions.get::<ExpireSession>().is_some() {
        account.keys.expire(&parts.headers);
    }
    account.keys.is_signed_in(&parts.headers, account.now())?;
    count(shared, account)?;
    account.keys.reaches(path, parts.method != Method::GET)
}

/// Counts a call against the key's limit.
fn count(shared: &Shared, account: &Account) -> Result<(), Problem> {
    let now = Moment {
        sandbox: account.now(),
        wall: (shared.wall_clock)(),
    };
    shared
        .window()
        .enter(now, account.switches.calls_per_second)
}

fn carry_out(shared: &Shared, account: &mut Account, call: &Call<'_>) -> Answer {
    if account.switches.lists_lag.is_zero() {
        return route::answer(account, call);
    }
    let mut views = shared.views();
    views.remember(account);
    if route::lists(call)
        && let Some(view) = views.shown(account)
    {
        // It was taken before the switches were turned.
        view.switches = account.switches.clone();
        return route::answer(view, call);
    }
    let answer = route::answer(account, call);
    views.remember(account);
    answer
}

/// The address under which the caller reached the service: links lead back there.
fn base(account: &Account, parts: &Parts) -> String {
    let host = parts.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    match host {
        Some(host) => format!("{}://{host}", parts.uri.scheme_str().unwrap_or("http")),
        None => account.base.clone(),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn respond(reply: Reply) -> Response {
    let (kind, content) = match reply.content {
        Content::Json(body) => (Some("application/json"), Bytes::from(body.to_text())),
        Content::Pdf(content) => (Some("application/pdf"), content),
        Content::Nothing => (None, Bytes::new()),
    };
    let mut response = Response::new(HttpBody::from(content));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    if let Some(kind) = kind {
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

fn refuse(shared: &Shared, problem: &Problem) -> Response {
    let tells_when = shared.account().switches.retry_after;
    let mut response = respond(Reply {
        status: problem.status,
        content: Content::Json(problem.body()),
    });
    if problem.status == 429 && tells_when {
        let wait = HeaderValue::from_static(RETRY_AFTER);
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}
