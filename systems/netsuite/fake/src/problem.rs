//! The bodies of refusals: NetSuite's problem JSON in both of its shapes (README, section *Errors*).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::json::Json;

/// The media type of every refusal of the REST services.
const MEDIA_TYPE: &str = "application/vnd.oracle.resource+json; type=error; charset=UTF-8";

/// What part of the request a refusal points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A JSONPath into the body.
    Body(String),
    /// A query parameter, or `q` for the SuiteQL text.
    Query(String),
    /// A header.
    Header(String),
    /// A part of the address.
    Address(String),
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The `o:errorCode`.
    pub(crate) code: Box<str>,
    /// The sentence that a person reads.
    pub(crate) detail: Box<str>,
    /// Where.
    pub(crate) place: Option<Place>,
    /// Title, when it isn't the status's own.
    title: Option<&'static str>,
    /// The flat body that actions and some overload answers use.
    flat: bool,
    header: Option<Box<(HeaderName, String)>>,
}

impl Problem {
    /// A refusal with this status, code and sentence.
    pub(crate) fn new(status: u16, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into().into_boxed_str(),
            detail: detail.into().into_boxed_str(),
            place: None,
            title: None,
            flat: false,
            header: None,
        }
    }

    /// 400 `USER_ERROR`: the business rules refuse it.
    pub(crate) fn user(detail: impl Into<String>) -> Self {
        Self::new(400, "USER_ERROR", detail)
    }

    /// 400 `INVALID_CONTENT` at a place in the body.
    pub(crate) fn content(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(400, "INVALID_CONTENT", detail).at(Place::Body(path.into()))
    }

    /// 400 `INVALID_PARAMETER` for a query parameter.
    pub(crate) fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(400, "INVALID_PARAMETER", detail).at(Place::Query(name.into()))
    }

    /// 400 `INVALID_HEADER`.
    pub(crate) fn header(name: &str, detail: impl Into<String>) -> Self {
        Self::new(400, "INVALID_HEADER", detail).at(Place::Header(name.to_owned()))
    }

    /// 403 `INSUFFICIENT_PERMISSION`, naming the permission.
    pub(crate) fn forbidden(permission: &str) -> Self {
        Self::new(
            403,
            "INSUFFICIENT_PERMISSION",
            format!(
                "Permission Violation: You need the '{permission}' permission to access this page. \
                 Please contact your account administrator."
            ),
        )
    }

    /// 403 for a service whose feature is off. The words are assumed: no source shows them for REST.
    pub(crate) fn feature_off(feature: &str) -> Self {
        Self::new(
            403,
            "FEATURE_DISABLED",
            format!(
                "The feature '{feature}' required to access this functionality is not enabled in this \
                 account."
            ),
        )
    }

    /// 404 `NONEXISTENT_ID`.
    pub(crate) fn missing(detail: impl Into<String>) -> Self {
        Self::new(404, "NONEXISTENT_ID", detail)
    }

    /// 405 for a verb that the address doesn't serve.
    pub(crate) fn method(method: &http::Method) -> Self {
        Self::new(
            405,
            "INVALID_REQUEST",
            format!("Method {method} is not allowed for this resource."),
        )
    }

    /// 500, without a reason, as the service does it.
    pub(crate) fn unexpected(reason: &str) -> Self {
        tracing::error!(reason, "the NetSuite sandbox failed");
        Self::new(
            500,
            "UNEXPECTED_ERROR",
            format!(
                "An unexpected error occurred. Error ID: {:x}",
                fingerprint(reason)
            ),
        )
    }

    /// Points at a place.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Uses the flat body.
    pub(crate) fn flat(mut self) -> Self {
        self.flat = true;
        self
    }

    /// Another title.
    pub(crate) fn titled(mut self, title: &'static str) -> Self {
        self.title = Some(title);
        self
    }

    /// A header of the answer.
    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.header = Some(Box::new((name, value.into())));
        self
    }

    /// The body.
    pub(crate) fn body(&self) -> Json {
        let (kind, own_title) = kind_and_title(self.status);
        let title = self.title.unwrap_or(own_title);
        let head = [
            ("type".to_owned(), Json::text(kind)),
            ("title".to_owned(), Json::text(title)),
            ("status".to_owned(), Json::integer(i64::from(self.status))),
        ];
        let mut detail = vec![("detail".to_owned(), Json::text(&*self.detail))];
        match &self.place {
            Some(Place::Body(path)) => detail.push(("o:errorPath".to_owned(), Json::text(path))),
            Some(Place::Query(name)) => {
                detail.push(("o:errorQueryParam".to_owned(), Json::text(name)));
            }
            Some(Place::Header(name)) => {
                detail.push(("o:errorHeader".to_owned(), Json::text(name)))
            }
            Some(Place::Address(part)) => detail.push(("o:errorUrl".to_owned(), Json::text(part))),
            None => {}
        }
        detail.push(("o:errorCode".to_owned(), Json::text(&*self.code)));
        let mut fields = Vec::from(head);
        if self.flat {
            fields.extend(detail);
        } else {
            fields.push((
                "o:errorDetails".to_owned(),
                Json::Array(vec![Json::Object(detail)]),
            ));
        }
        Json::Object(fields)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::new(Body::from(self.body().to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some((name, value)) = self.header.map(|header| *header)
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            headers.insert(name, value);
        }
        response
    }
}

/// The `type` address and the title of a status.
fn kind_and_title(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.1",
            "Bad Request",
        ),
        401 => (
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.2",
            "Unauthorized",
        ),
        403 => (
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.4",
            "Forbidden",
        ),
        404 => (
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.5",
            "Not Found",
        ),
        405 => (
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.6",
            "Method Not Allowed",
        ),
        406 => (
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.7",
            "Not Acceptable",
        ),
        413 => (
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.14",
            "Content Too Large",
        ),
        415 => (
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.16",
            "Unsupported Media Type",
        ),
        429 => (
            "https://www.rfc-editor.org/rfc/rfc6585.html#section-4",
            "Too Many Requests",
        ),
        _ => (
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.6.1",
            "Internal Server Error",
        ),
    }
}

/// A short stable number of a text: enough for an error id.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes() {
        let problem = Problem::parameter("q", "Invalid search type: x");
        assert_eq!(
            problem.body().to_string(),
            concat!(
                r#"{"type":"https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.1","title":"Bad Request","#,
                r#""status":400,"o:errorDetails":[{"detail":"Invalid search type: x","o:errorQueryParam":"q","#,
                r#""o:errorCode":"INVALID_PARAMETER"}]}"#
            )
        );
        let flat = Problem::user("No.").flat().body();
        assert_eq!(flat.get("detail").and_then(Json::as_text), Some("No."));
        assert_eq!(
            flat.get("o:errorCode").and_then(Json::as_text),
            Some("USER_ERROR")
        );
    }
}
