//! HTTP: one call through the limit, the key, and its room.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body as HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use tieout_kit::fake::ExpireSession;

use crate::account::Account;
use crate::body::{self, Body};
use crate::call::{Answer, Call, Content, Reply};
use crate::json::Json;
use crate::life;
use crate::problem::Problem;
use crate::query::Query;
use crate::{Shared, delivery, files, route};

/// Bodies larger than this are refused.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a caller is told to wait after too many calls.
const RETRY_AFTER: &str = "60";
/// How many answers are kept for idempotency keys.
const KEYS: usize = 10_000;

/// Answers by idempotency key.
pub(crate) type Repeats = HashMap<String, Reply>;

/// The calls of the minute that runs.
#[derive(Debug, Default)]
pub(crate) struct Minute {
    number: i64,
    calls: u32,
}

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
        .map_err(|_| Problem::request("The request body is too large or broken"))?;
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
    if let ["files", token, "content"] = &*path {
        let found = files::content(&account, token).ok_or_else(Problem::path)?;
        let content = Content::Bytes(found.0, found.1);
        return Ok(Reply {
            status: 200,
            content,
        });
    }
    let method = parts.method.as_str();
    admit(shared, &account, &parts)?;
    let Body { fields, upload } = body::read(&text(&parts.headers, "content-type"), &content)?;
    let call = Call {
        method,
        path: &path,
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        body: fields.unwrap_or(Json::Object(Vec::new())),
        upload,
        wants_pdf: text(&parts.headers, "accept").contains("application/pdf"),
        base: base(&parts),
        pages: &shared.pages,
    };
    life::catch_up(&mut account);
    let key = text(&parts.headers, "idempotency-key");
    let repeats = account.switches.idempotency && !key.is_empty() && method != "GET";
    if repeats && let Some(reply) = shared.repeats().get(&key) {
        return Ok(reply.clone());
    }
    let reply = carry_out(shared, &mut account, &call)?;
    if repeats {
        let mut kept = shared.repeats();
        if kept.len() >= KEYS {
            kept.clear();
        }
        kept.insert(key, reply.clone());
    }
    Ok(reply)
}

fn admit(shared: &Shared, account: &Account, parts: &Parts) -> Result<(), Problem> {
    if parts.extensions.get::<ExpireSession>().is_some() {
        return Err(Problem::unknown_key());
    }
    let writes = parts.method != http::Method::GET;
    account.keys.admit(&parts.headers, writes)?;
    let most = account.switches.calls_per_minute;
    let mut minute = shared.minute();
    let number = account.now().div_euclid(60);
    if minute.number != number {
        *minute = Minute { number, calls: 0 };
    }
    minute.calls += 1;
    if most > 0 && minute.calls > most {
        return Err(Problem::too_many());
    }
    Ok(())
}

fn carry_out(shared: &Shared, account: &mut Account, call: &Call<'_>) -> Answer {
    if account.switches.lists_lag.is_zero() {
        return route::answer(account, call);
    }
    let mut views = shared.views();
    views.remember(account);
    if route::lists(call.method, call.path)
        && let Some(view) = views.shown(account)
    {
        return route::answer(view, call);
    }
    let answer = route::answer(account, call);
    views.remember(account);
    answer
}

/// The address under which the caller reached the service: links lead back there.
fn base(parts: &Parts) -> String {
    let scheme = parts.uri.scheme_str().unwrap_or("http");
    let host = parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
    match host {
        Some(host) => format!("{scheme}://{host}"),
        None => "https://api.invoiced.com".to_owned(),
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn respond(reply: Reply) -> Response {
    let (kind, content) = match reply.content {
        Content::Json(body) => ("application/json".to_owned(), Bytes::from(body.to_text())),
        Content::Bytes(kind, content) => (kind, content),
        Content::Nothing => (String::new(), Bytes::new()),
        Content::Page {
            objects,
            total,
            links,
        } => {
            let body = Bytes::from(objects.to_text());
            let mut response = whole(reply.status, "application/json", body);
            let headers = response.headers_mut();
            if let Ok(links) = HeaderValue::from_str(&links) {
                headers.insert(header::LINK, links);
            }
            headers.insert("x-total-count", HeaderValue::from(total));
            return response;
        }
    };
    whole(reply.status, &kind, content)
}

fn refuse(shared: &Shared, problem: &Problem) -> Response {
    let shape = shared.account().switches.errors;
    let body = Bytes::from(problem.body(shape));
    let mut response = whole(problem.status, "application/json", body);
    if problem.status == 429 {
        let wait = HeaderValue::from_static(RETRY_AFTER);
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

fn whole(status: u16, kind: &str, content: Bytes) -> Response {
    let mut response = Response::new(HttpBody::from(content));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if let (false, Ok(kind)) = (kind.is_empty(), HeaderValue::from_str(kind)) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}
