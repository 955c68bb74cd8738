//! Why a sign-in by the identity provider came to nothing.

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use maud::html;
use tieout_desk::{DeskError, Reason};
use tieout_domain::code::Code;
use tieout_store::StoreError;

use crate::app::App;
use crate::pages::PageError;
use crate::pages::parts::{badge::Tone, notice};
use crate::pages::plain_page;
use crate::people::cookie;

/// Why it came to nothing.
#[derive(Debug)]
pub(super) enum Refused {
    /// There is no provider.
    None,
    /// The provider can't be asked, or answers with what it shouldn't.
    Provider(String),
    /// It was begun in another browser, too long ago, or came to its end before.
    BeginAgain,
    /// The provider said no.
    Denied(String),
    /// What the provider gave proves nothing.
    Unproven(String),
    /// It is proven who it is, and nobody here is that.
    Unknown(String),
    /// Too many have failed.
    Wait,
    /// It went wrong here.
    Here(DeskError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Here(error.into())
    }
}

impl Refused {
    /// Of what a program that asks the provider says.
    pub(super) fn of(error: DeskError) -> Self {
        match error.reason {
            Reason::Side => Self::Provider(error.cause),
            _ => Self::Here(error),
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::None => Code::new("no-such-address"),
            Self::Provider(_) => Code::new("openid-provider"),
            Self::BeginAgain => Code::new("openid-begin-again"),
            Self::Denied(_) => Code::new("openid-denied"),
            Self::Unproven(_) => Code::new("openid-unproven"),
            Self::Unknown(_) => Code::new("openid-unknown-user"),
            Self::Wait => Code::new("sign-in-barred"),
            Self::Here(error) => error.code.clone(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::None => StatusCode::NOT_FOUND,
            Self::Provider(_) => StatusCode::BAD_GATEWAY,
            Self::Wait => StatusCode::TOO_MANY_REQUESTS,
            Self::Here(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BeginAgain => StatusCode::BAD_REQUEST,
            Self::Denied(_) | Self::Unproven(_) | Self::Unknown(_) => StatusCode::FORBIDDEN,
        }
    }

    /// What is told in the log. Whoever signs in is told the code's fix, and nothing of a check that failed.
    fn cause(&self) -> &str {
        match self {
            Self::None => "no identity provider is configured",
            Self::BeginAgain => "it was begun elsewhere, too long ago, or ended before",
            Self::Wait => "too many sign-ins from there have failed",
            Self::Provider(cause)
            | Self::Denied(cause)
            | Self::Unproven(cause)
            | Self::Unknown(cause) => cause,
            Self::Here(error) => &error.cause,
        }
    }

    /// The page. The cookie of the sign-in goes: the next one begins anew.
    pub(super) fn answer(self, app: &App) -> Response {
        let code = self.code();
        tracing::warn!(%code, cause = self.cause(), "a sign-in by the identity provider was refused");
        let status = self.status();
        if let Self::None = self {
            return PageError::Missing.into_response();
        }
        app.counts.sign_in_refused(&code);
        let title = code.page().map_or("Sign in", |page| page.title());
        let content = html! {
            (notice::notice(Tone::Bad, &html! { p { (notice::prose(&code.fix())) } }))
            p { a href="/sign-in" { "To the sign-in" } }
        };
        let mut response = (status, plain_page(title, &content)).into_response();
        if let Some(taken) = cookie::OPENID.take(&app.outside) {
            response.headers_mut().append(header::SET_COOKIE, taken);
        }
        response
    }
}
