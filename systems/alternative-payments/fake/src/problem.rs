//! Errors as the service words them (README §Errors).

use std::borrow::Cow;

use crate::json::Json;

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    code: &'static str,
    message: Cow<'static, str>,
    /// The field to blame, where there is one.
    field: Option<Cow<'static, str>>,
}

impl Problem {
    fn new(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            field: None,
        }
    }

    /// The request is malformed, or wants what is taken.
    pub(crate) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "bad_request", message)
    }

    /// An external identifier is taken.
    pub(crate) fn taken() -> Self {
        Self::bad("This external id is already used")
    }

    /// A field's value can't be.
    pub(crate) fn field(
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: Some(field.into()),
            ..Self::new(422, "validation_failed", message)
        }
    }

    /// No such object, path or capability.
    pub(crate) fn missing() -> Self {
        Self::new(404, "not_found", "The requested resource was not found")
    }

    /// Money hangs on the invoice.
    pub(crate) fn paid() -> Self {
        Self::new(409, "invoice_paid", "The invoice is paid or being paid")
    }

    /// The invoice is archived.
    pub(crate) fn archived() -> Self {
        Self::new(409, "invoice_archived", "The invoice is archived")
    }

    /// Nobody knows these credentials.
    pub(crate) fn unknown_client() -> Self {
        Self::new(401, "invalid_client", "Client authentication failed")
    }

    /// The token is missing, wrong or over.
    pub(crate) fn unauthorized() -> Self {
        Self::new(
            401,
            "unauthorized",
            "The access token is missing or invalid",
        )
    }

    /// The key may not do this.
    pub(crate) fn forbidden() -> Self {
        Self::new(403, "forbidden", "The API key lacks the scope for this")
    }

    /// Too many calls.
    pub(crate) fn too_many() -> Self {
        Self::new(429, "rate_limited", "Too many requests")
    }

    /// What went wrong, for a person.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The body.
    pub(crate) fn body(&self) -> Json {
        let message = Json::from(&*self.message);
        let mut body = Json::object([("code", self.code.into()), ("message", message.clone())]);
        if let Some(field) = &self.field {
            let mut errors = Json::Object(Vec::new());
            errors.put(field, message);
            body.put("validation_errors", errors);
        }
        body
    }
}
