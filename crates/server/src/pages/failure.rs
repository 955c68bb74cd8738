//! The page for what went wrong: code, cause and fix, and the status that fits.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;
use tieout_desk::{DeskError, Reason};
use tieout_domain::code::Code;

use super::layout::plain_page;
use super::parts::notice;
use crate::view::Beyond;

/// Why a page can't be shown, or an act wasn't done.
#[derive(Debug)]
pub enum PageError {
    /// There is no such page, connection or record.
    Missing,
    /// The person's role doesn't allow it.
    Forbidden,
    /// It is about the whole installation, and the person is limited to tenants.
    Beyond,
    /// Anything else, with its code.
    Failed(DeskError),
}

impl From<Beyond> for PageError {
    fn from(_: Beyond) -> Self {
        Self::Beyond
    }
}

impl<E: Into<DeskError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl PageError {
    /// What a person asked for makes no sense.
    pub fn usage(code: Code, cause: impl Into<String>) -> Self {
        Self::Failed(DeskError::usage(code, cause))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::Beyond => StatusCode::FORBIDDEN,
            Self::Failed(error) => match error.reason {
                Reason::Usage => StatusCode::UNPROCESSABLE_ENTITY,
                Reason::Failed => StatusCode::INTERNAL_SERVER_ERROR,
                Reason::Side => StatusCode::BAD_GATEWAY,
                Reason::Refused => StatusCode::CONFLICT,
            },
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.status();
        let (title, cause, fix) = match self {
            Self::Missing => (
                "There is no such page".to_owned(),
                "It may have been renamed, or the address is mistyped.".to_owned(),
                String::new(),
            ),
            Self::Forbidden => (
                "Not allowed".to_owned(),
                "Your role doesn't allow this.".to_owned(),
                "Ask an administrator for a role that does.".to_owned(),
            ),
            Self::Beyond => {
                let code = Code::new("limited-to-tenants");
                let title = code.page().map_or("", |page| page.title()).to_owned();
                (title, format!("{}.", Beyond::CAUSE), code.fix())
            }
            Self::Failed(error) => {
                let title = error
                    .code
                    .page()
                    .map_or_else(|| error.code.to_string(), |page| page.title().to_owned());
                (title, error.cause, error.code.fix())
            }
        };
        let content = html! {
            div.notice.bad { p { (cause) } @if !fix.is_empty() { p { strong { "What to do: " } (notice::prose(&fix)) } } }
            p { a href="/" { "To the overview" } }
        };
        let page = plain_page(&title, &content);
        (status, page).into_response()
    }
}
