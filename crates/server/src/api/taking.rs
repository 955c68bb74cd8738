//! What comes in: bodies, queries and paths, read strictly, each refusal a problem that names the place.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tieout_domain::code::Code;

use super::problem::Problem;

/// A body as JSON.
pub(super) struct Taken<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Taken<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let cause = "the body's Content-Type is not application/json";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Code::new("media-type"),
                cause,
            ));
        }
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|error| match error.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => too_large(),
                    _ => Problem::malformed("the body ended before it was whole"),
                })?;
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::malformed(format!("the body is no JSON: {error}")))?;
        readable(&value)?;
        serde_json::from_value(value)
            .map(Self)
            .map_err(|error| Problem::malformed(format!("the body: {error}")))
    }
}

/// The body is larger than any that makes sense here.
pub(super) fn too_large() -> Problem {
    let cause = format!("a body has at most {} bytes", super::BODY_MAX);
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Code::new("request-too-large"),
        cause,
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// The query of an address. A name that isn't known is refused: what is mistyped must not be overlooked.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::malformed(error.body_text()))?;
        let text = parts.uri.query().unwrap_or_default();
        // A database takes no NUL, and nobody means one.
        if text.contains("%00") {
            return Err(Problem::malformed("the query holds a NUL"));
        }
        Ok(Self(query.0))
    }
}

/// An operation without a query: any name in it is mistyped.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The values in an address.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.path().contains("%00") {
            return Err(Problem::malformed("the address holds a NUL"));
        }
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0))
            .map_err(|error| Problem::malformed(error.body_text()))
    }
}

/// A database takes no NUL, and nobody means one.
pub(super) fn readable(value: &Value) -> Result<(), Problem> {
    match value {
        Value::String(text) if text.contains('\0') => {
            Err(Problem::malformed("a text of the body holds a NUL"))
        }
        Value::Array(values) => values.iter().try_for_each(readable),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            readable(&Value::String(name.clone()))?;
            readable(value)
        }),
        _ => Ok(()),
    }
}

/// How long what a person says may be.
const WORDS_MAX: usize = 2000;

/// Refuses words that say nothing, or more than anybody reads.
pub(super) fn meant(text: &str, name: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::senseless(format!("`{name}` says nothing")));
    }
    if text.chars().count() > WORDS_MAX {
        let cause = format!("`{name}` is longer than {WORDS_MAX} characters");
        return Err(Problem::senseless(cause));
    }
    Ok(())
}
