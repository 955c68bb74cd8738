//! HTTP: one call at a time through the caps, the session, and its room (README §Limits).

use std::sync::Arc;

use axum::Router;
use axum::body::{Body as HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use tieout_kit::fake::{ExpireSession, Refused};

use crate::json::Json;
use crate::lag::lists;
use crate::list::Query;
use crate::organization::{Organization, time_text};
use crate::problem::Problem;
use crate::route::{Body, Call, Reply, connect, events};
use crate::webhooks::tested;
use crate::{Shared, auth, delivery};

/// Bodies larger than this are refused; a document has 6 MB at most.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The whole surface.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let outcome = serve(&shared, request).await;
    delivery::send_all(&shared);
    match outcome {
        Ok(reply) => respond(&shared, reply).await,
        Err(problem) => refuse(&shared, &problem),
    }
}

async fn serve(shared: &Shared, request: Request) -> Result<Reply, Problem> {
    let (parts, body) = request.into_parts();
    let expire = parts.extensions.get::<ExpireSession>().is_some();
    let body = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| Problem::new(400, "BDC_1122", "The body is too large or broken"))?;
    let path = parts.uri.path().trim_end_matches('/').to_owned();
    let decoded: Vec<String> = path
        .split('/')
        .skip(1)
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let method = parts.method.as_str().to_owned();
    if let ("GET", ["connect", "v3", "health"]) = (&*method, &*segments) {
        return Ok(Reply::ok(Json::object([("status", "UP".into())])));
    }
    let (on_connect, path) = match &*segments {
        ["connect", path @ ..] => (true, path),
        ["connect-events", path @ ..] => (false, path),
        _ => return Err(Problem::path()),
    };
    let login = on_connect && method == "POST" && path == ["v3", "login"];
    let dev_key = if login {
        login_field(&body, "devKey")
    } else {
        header(&parts.headers, "devkey")
    };
    let session_id = header(&parts.headers, "sessionid");
    let other = if login {
        login_field(&body, "organizationId").and_then(|id| shared.others.named(&id))
    } else {
        let session = session_id.as_deref();
        session.and_then(|session| shared.others.with_session(session))
    };
    let most = shared.organization().options.concurrency;
    // Calls at once are counted by key and organization.
    let caller = format!("{} {other:?}", dev_key.as_deref().unwrap_or_default());
    let _place = shared.in_flight.enter(&caller, most)?;
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    let mut first = shared.organization();
    let org = &mut *first;
    let now = org.now();
    org.limits.call(now, &org.options)?;
    if login {
        org.limits.login(now, &org.options)?;
    }
    let asked = Asked {
        login,
        on_connect,
        path,
        method,
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        body,
        session_id,
        dev_key,
        idempotency_key: header(&parts.headers, "x-idempotent-key"),
        expire,
    };
    match other {
        None => carry_out(shared, org, asked),
        Some(at) => {
            drop(first);
            let carried = shared.others.at(at, |org| carry_out(shared, org, asked));
            carried.unwrap_or_else(|| Err(Problem::path()))
        }
    }
}

/// A call that has passed the caps.
struct Asked<'a> {
    login: bool,
    on_connect: bool,
    path: &'a [&'a str],
    method: String,
    query: Query,
    body: Bytes,
    session_id: Option<String>,
    dev_key: Option<String>,
    idempotency_key: Option<String>,
    /// Its session ends before it is looked at.
    expire: bool,
}

fn carry_out(shared: &Shared, org: &mut Organization, asked: Asked<'_>) -> Result<Reply, Problem> {
    let Asked {
        login,
        on_connect,
        path,
        session_id,
        dev_key,
        ..
    } = asked;
    let now = org.now();
    if asked.expire
        && let Some(session) = &session_id
    {
        org.auth.end(session);
    }
    let session = if login {
        Err(Problem::path())
    } else {
        org.auth
            .session(session_id.as_deref(), dev_key.as_deref(), now)
    };
    let call = |session| Call {
        method: asked.method,
        query: asked.query,
        body: asked.body,
        session_id: session_id.unwrap_or_default(),
        session,
        idempotency_key: asked.idempotency_key,
    };
    if login {
        return auth::login(org, &call(auth::Session::none(now)));
    }
    let call = call(session?);
    if !on_connect {
        return events(org, &call, path);
    }
    // Only the first organization's lists can be told to lag.
    if org.lists_lag.is_zero() {
        return connect(org, &call, path);
    }
    if lists(&call.method, path)
        && let Some(view) = shared.views().shown(org)
    {
        return connect(view, &call, path);
    }
    let reply = connect(org, &call, path);
    shared.views().remember(org);
    reply
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

fn login_field(body: &Bytes, field: &str) -> Option<String> {
    let body = Json::parse(std::str::from_utf8(body).ok()?).ok()?;
    body.text(field).map(str::to_owned)
}

async fn respond(shared: &Shared, reply: Reply) -> Response {
    let (kind, body) = match reply.body {
        Body::Json(body) => ("application/json", Bytes::from(body.to_text())),
        Body::File(body) => ("application/octet-stream", body),
        Body::Empty => ("", Bytes::new()),
        Body::Test(event) => {
            let status = delivery::attempt(shared, &event).await;
            (
                "application/json",
                Bytes::from(tested(&event, status).to_text()),
            )
        }
    };
    with_body(reply.status, kind, body)
}

fn refuse(shared: &Shared, problem: &Problem) -> Response {
    let now = shared.organization().now();
    let body = problem.body(&time_text(now.as_microsecond())).to_text();
    let mut response = with_body(problem.status, "application/json", body.into());
    if problem.limit {
        response.extensions_mut().insert(Refused);
    }
    response
}

fn with_body(status: u16, kind: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(HttpBody::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !kind.is_empty() {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}
