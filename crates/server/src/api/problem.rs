//! What went wrong, as programs read it: problem details (RFC 9457), with the code, the cause and the fix that
//! people read on its page.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tieout_desk::{DeskError, Reason};
use tieout_domain::code::Code;

use super::operation::BASE;
use crate::people::{Person, Role};
use crate::view::Beyond;

/// The media type.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// How much of a plain refusal is read for its words.
const WORDS_MAX: usize = 2_000;

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// The code.
    pub code: Code,
    /// What happened, naming the place.
    pub cause: String,
}

/// A problem on the wire.
#[derive(Serialize)]
struct Wire<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a Code,
    fix: String,
}

impl Problem {
    /// A problem of this status and code.
    pub fn new(status: StatusCode, code: Code, cause: impl Into<String>) -> Self {
        Self {
            status,
            code,
            cause: cause.into(),
        }
    }

    /// What was sent can't be read.
    pub(super) fn malformed(cause: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            Code::new("request-malformed"),
            cause,
        )
    }

    /// What was sent can be read and makes no sense.
    pub(super) fn senseless(cause: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::new("usage"), cause)
    }

    /// It takes two people, and is asked for on a page, where another one approves it.
    pub(super) fn takes_two(what: &str) -> Self {
        let cause = format!("it takes two people: {what}");
        Self::new(StatusCode::CONFLICT, Code::new("takes-two-people"), cause)
    }

    /// What the address names is not there.
    pub(super) fn missing(code: Code, cause: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, cause)
    }

    /// Nobody has signed in.
    pub(super) fn signed_out() -> Self {
        let cause = "no valid token came with the request";
        Self::new(StatusCode::UNAUTHORIZED, Code::new("not-signed-in"), cause)
    }

    /// Somebody has, and may not.
    pub(super) fn role_missing(person: &Person, role: Role) -> Self {
        let cause = format!(
            "{} may do what a {} may; this is for a {role}",
            person.name, person.role
        );
        Self::new(StatusCode::FORBIDDEN, Code::new("role-missing"), cause)
    }

    /// A refusal of the router's own, or of a layer above it.
    fn of_status(status: StatusCode, words: &str) -> Self {
        let (code, cause) = match status {
            StatusCode::UNAUTHORIZED => return Self::signed_out(),
            StatusCode::FORBIDDEN => (Code::new("role-missing"), "this is not allowed"),
            StatusCode::NOT_FOUND => (Code::new("no-such-address"), "nothing is at this address"),
            StatusCode::METHOD_NOT_ALLOWED => (
                Code::new("method-not-allowed"),
                "this address doesn't take this method",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                (Code::new("request-too-large"), "the body is too large")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                (Code::new("media-type"), "the body is no application/json")
            }
            _ => (Code::new("request-malformed"), "the request can't be read"),
        };
        let cause = if words.is_empty() { cause } else { words };
        Self::new(status, code, cause)
    }
}

impl From<Beyond> for Problem {
    fn from(_: Beyond) -> Self {
        let code = Code::new("limited-to-tenants");
        Self::new(StatusCode::FORBIDDEN, code, Beyond::CAUSE)
    }
}

impl<E: Into<DeskError>> From<E> for Problem {
    fn from(error: E) -> Self {
        let error = error.into();
        let status = match error.reason {
            Reason::Usage => StatusCode::UNPROCESSABLE_ENTITY,
            Reason::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Reason::Side => StatusCode::BAD_GATEWAY,
            Reason::Refused => StatusCode::CONFLICT,
        };
        Self::new(status, error.code, error.cause)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let wire = Wire {
            r#type: format!("{BASE}/codes/{}", self.code),
            title: self.code.page().map_or("", |page| page.title()),
            status: self.status.as_u16(),
            detail: &self.cause,
            code: &self.code,
            fix: self.code.fix(),
        };
        let body = serde_json::to_vec(&wire).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Makes a problem of every refusal that is none yet: the router's own, and those of the layers in between.
pub(super) async fn for_all(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_problem = kind.is_some_and(|kind| kind == MEDIA_TYPE);
    if !(status.is_client_error() || status.is_server_error()) || is_problem {
        return response;
    }
    let plain = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let (parts, body) = response.into_parts();
    let words = if plain {
        words(body).await
    } else {
        String::new()
    };
    let mut told = Problem::of_status(status, &words).into_response();
    if let Some(allowed) = parts.headers.get(header::ALLOW) {
        told.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    told
}

async fn words(body: Body) -> String {
    let bytes = to_bytes(body, WORDS_MAX).await.unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
