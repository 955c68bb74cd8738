//! How the gate says no: to people by a page, to programs by a problem (RFC 9457).

use axum::Json;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use maud::html;
use serde_json::json;
use tieout_domain::code::Code;

use crate::pages::parts::{Address, badge::Tone, notice};
use crate::pages::plain_page;

/// Why a request goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody has signed in, or the session is over.
    NotSignedIn,
    /// A form that is not from here, or too old.
    Form,
    /// More than a form holds.
    TooLarge,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::Form => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    fn code(self) -> Code {
        match self {
            Self::NotSignedIn => Code::new("not-signed-in"),
            Self::Form => Code::new("form-refused"),
            Self::TooLarge => Code::new("form-too-large"),
        }
    }

    /// The answer. Whoever opens a page signs in first and comes back to it.
    pub(super) fn answer(self, method: &Method, uri: &Uri) -> Response {
        if is_api(uri) {
            return self.problem();
        }
        if self == Self::NotSignedIn && (method == Method::GET || method == Method::HEAD) {
            let asked = uri.path_and_query().map_or("/", |asked| asked.as_str());
            let to = Address::of(["sign-in"]).with("next", if asked == "/" { "" } else { asked });
            return Redirect::to(&to.to_string()).into_response();
        }
        let code = self.code();
        let page = code.page();
        let title = page.map_or_else(|| code.to_string(), |page| page.title().to_owned());
        let content = html! {
            (notice::notice(Tone::Bad, &html! { p { (code.fix()) } }))
            p { a href="/" { "To the overview" } }
        };
        (self.status(), plain_page(&title, &content)).into_response()
    }

    fn problem(self) -> Response {
        let (status, code) = (self.status(), self.code());
        let title = code.page().map_or("", |page| page.title());
        let body = json!({
            "type": format!("/docs/errors/{code}"),
            "title": title,
            "status": status.as_u16(),
            "code": code,
            "fix": code.fix(),
        });
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if self == Self::NotSignedIn {
            let how = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}

/// Whether a program asks, and not a person.
pub(super) fn is_api(uri: &Uri) -> bool {
    uri.path().starts_with("/api/")
}
