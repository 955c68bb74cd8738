//! Errors as the service words them (README §Errors).

use std::borrow::Cow;

use crate::json::Json;
use crate::kind::Kind;
use crate::switches::ErrorShape;

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// `invalid_request`, `api` or `rate_limit_error`.
    kind: &'static str,
    message: Cow<'static, str>,
    /// The one parameter to blame.
    param: Option<Cow<'static, str>>,
}

impl Problem {
    fn new(status: u16, kind: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
            param: None,
        }
    }

    /// The request can't be carried out.
    pub(crate) fn request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "invalid_request", message)
    }

    /// One parameter is to blame.
    pub(crate) fn param(
        param: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            param: Some(param.into()),
            ..Self::request(message)
        }
    }

    /// No such object.
    pub(crate) fn missing(kind: Kind, id: &str) -> Self {
        let message = format!("{} was not found: {id}", kind.title());
        Self::new(404, "invalid_request", message)
    }

    /// No such path.
    pub(crate) fn path() -> Self {
        Self::new(404, "invalid_request", "The requested route does not exist")
    }

    /// Nobody knows this key.
    pub(crate) fn unknown_key() -> Self {
        Self::new(
            401,
            "invalid_request",
            "We could not authenticate you with the given API key",
        )
    }

    /// The key may not do this.
    pub(crate) fn forbidden() -> Self {
        Self::new(
            403,
            "invalid_request",
            "You do not have permission to do that",
        )
    }

    /// Too many calls.
    pub(crate) fn too_many() -> Self {
        Self::new(
            429,
            "rate_limit_error",
            "Too many requests: wait a while and try again",
        )
    }

    /// The body. Besides the documented shape, those that the clients were tested with.
    pub(crate) fn body(&self, shape: ErrorShape) -> String {
        let message = Json::from(&*self.message);
        match shape {
            ErrorShape::Documented => {
                let mut body = Json::object([("type", self.kind.into()), ("message", message)]);
                if let Some(param) = &self.param {
                    body.put("param", (&**param).into());
                }
                body.to_text()
            }
            ErrorShape::ErrorField => {
                Json::object([("error", self.kind.into()), ("message", message)]).to_text()
            }
            ErrorShape::Text => self.message.to_string(),
        }
    }
}
