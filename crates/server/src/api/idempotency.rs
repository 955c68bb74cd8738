//! Asked twice, done once: a POST that comes again under the same `Idempotency-Key` is given the first answer.
//!
//! A key belongs to whoever asks, and to one request: the same key with another body, or another address, is
//! refused. A refusal or a failure is not kept, so that it can be asked again.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use tieout_domain::Reach;
use tieout_domain::code::Code;
use tieout_store::{Answered, Earlier, frozen_name};

use super::problem::Problem;
use super::taking::too_large;
use crate::people::Person;
use crate::view::View;

const KEY: &str = "idempotency-key";
/// How long a key may be.
const KEY_MAX: usize = 255;
/// An answer larger than this is not kept: who asks again is told so.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// Gives a POST that has been answered the same answer again.
pub(super) async fn once(view: View, request: Request, next: Next) -> Response {
    let key = match key(&request) {
        Ok(Some(key)) => key,
        Ok(None) => return next.run(request).await,
        Err(problem) => return problem.into_response(),
    };
    let Some(person) = request.extensions().get::<Person>().cloned() else {
        return Problem::signed_out().into_response();
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, super::BODY_MAX).await else {
        return too_large().into_response();
    };
    let asked = format!("{}\n{}{}", parts.uri, frozen_bytes(&body), reached(&person));
    let asker = person.actor();
    let asked = frozen_name(&asked);
    match view.store.answer_begun(&asker, &key, &asked).await {
        Ok(Earlier::None) => {}
        Ok(Earlier::Answered(answer)) => return again(answer),
        Ok(Earlier::Other) => return reused(&key).into_response(),
        Ok(Earlier::Running) => return running(&key).into_response(),
        Err(error) => return Problem::from(error).into_response(),
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    kept(&view, (&asker, &key), response).await
}

fn frozen_bytes(body: &Bytes) -> String {
    frozen_name(&String::from_utf8_lossy(body))
}

/// Whoever is limited otherwise by now is not given what they were answered before.
fn reached(person: &Person) -> String {
    match &person.reach {
        Reach::All => String::new(),
        Reach::Tenants(tenants) => format!("\n{tenants:?}"),
    }
}

/// The key of a POST, if it has one.
fn key(request: &Request) -> Result<Option<String>, Problem> {
    if request.method() != Method::POST {
        return Ok(None);
    }
    let Some(value) = request.headers().get(KEY) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > KEY_MAX || !plain {
        let cause = format!("an Idempotency-Key has 1 to {KEY_MAX} visible characters of ASCII");
        return Err(Problem::malformed(cause));
    }
    Ok(Some(text.to_owned()))
}

fn again(answer: Answered) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let kind = HeaderValue::from_str(&answer.kind).ok();
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    if let Some(kind) = kind {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}

fn reused(key: &str) -> Problem {
    let cause = format!("`{key}` was the key of another request");
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        Code::new("idempotency-key-reused"),
        cause,
    )
}

fn running(key: &str) -> Problem {
    let cause = format!("the first request under `{key}` has not been answered yet");
    Problem::new(
        StatusCode::CONFLICT,
        Code::new("idempotency-key-in-use"),
        cause,
    )
}

/// Keeps the answer for who asks again. A refusal is forgotten: whoever mends what was refused may use the key.
async fn kept(view: &View, (asker, key): (&str, &str), response: Response) -> Response {
    let status = response.status();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, ANSWER_MAX).await.ok();
    let text = body
        .as_ref()
        .and_then(|body| std::str::from_utf8(body).ok());
    let kept = match text {
        Some(text) if status.is_success() => {
            let kind = parts.headers.get(header::CONTENT_TYPE);
            let answer = Answered {
                status: status.as_u16(),
                kind: kind
                    .and_then(|kind| kind.to_str().ok())
                    .unwrap_or_default()
                    .to_owned(),
                body: text.to_owned(),
            };
            view.store.answer_given(asker, key, &answer).await
        }
        _ => view.store.answer_failed(asker, key).await,
    };
    if let Err(error) = kept {
        // What was asked has been done: that an answer can't be kept is no reason to hide it.
        tracing::warn!("an answer can't be kept: {error}");
    }
    match body {
        Some(body) => Response::from_parts(parts, Body::from(body)),
        None => too_large().into_response(),
    }
}
