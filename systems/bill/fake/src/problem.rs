//! Errors as the service words them: an array, with and without codes (README §Errors).

use std::borrow::Cow;

use crate::json::Json;

/// One entry of an error's array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// `BDC_…`; validation messages have none.
    pub(crate) code: Option<&'static str>,
    /// What is wrong.
    pub(crate) message: Cow<'static, str>,
}

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// At least one entry.
    pub(crate) entries: Vec<Entry>,
    /// A limit refused the call; the panel counts these.
    pub(crate) limit: bool,
}

impl Problem {
    /// An error with a code.
    pub(crate) fn new(
        status: u16,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let entry = Entry {
            code: Some(code),
            message: message.into(),
        };
        Self {
            status,
            entries: vec![entry],
            limit: false,
        }
    }

    /// One or more messages of bean validation: HTTP 400 and no code.
    pub(crate) fn invalid(messages: Vec<Entry>) -> Self {
        Self {
            status: 400,
            entries: messages,
            limit: false,
        }
    }

    /// One message of bean validation.
    pub(crate) fn must(message: impl Into<Cow<'static, str>>) -> Self {
        Self::invalid(vec![Entry {
            code: None,
            message: message.into(),
        }])
    }

    /// A limit was reached.
    pub(crate) fn limit(code: &'static str, message: &'static str) -> Self {
        Self {
            limit: true,
            ..Self::new(422, code, message)
        }
    }

    /// No such record.
    pub(crate) fn missing(id: &str) -> Self {
        Self::new(404, "BDC_1205", format!("Record not found: {id}"))
    }

    /// No such path.
    pub(crate) fn path() -> Self {
        Self::new(404, "BDC_1121", "API or path is not supported")
    }

    /// A value that is understood and not accepted.
    pub(crate) fn value(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(422, "BDC_1119", message)
    }

    /// The record is in a state that forbids the operation.
    pub(crate) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(422, "BDC_1116", message)
    }

    /// A list's parameter has a value that is not accepted.
    pub(crate) fn parameter(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "BDC_1129", message)
    }

    /// The same error about an entry of a bulk call.
    pub(crate) fn in_entry(mut self, index: usize) -> Self {
        for entry in &mut self.entries {
            entry.message = format!("[{index}].{}", entry.message).into();
        }
        self
    }

    /// The body.
    pub(crate) fn body(&self, timestamp: &str) -> Json {
        let category = if self.status >= 500 {
            "SERVER"
        } else {
            "REQUEST"
        };
        let entries = self.entries.iter().map(|entry| {
            Json::object([
                ("timestamp", timestamp.into()),
                ("code", entry.code.into()),
                ("severity", "ERROR".into()),
                ("category", category.into()),
                ("message", (*entry.message).into()),
                ("params", Json::List(Vec::new())),
            ])
        });
        Json::List(entries.collect())
    }
}
