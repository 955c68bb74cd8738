//! A call, and its answer.

use bytes::Bytes;

use crate::json::Json;
use crate::problem::Problem;
use crate::query::Query;

/// A call that was let in.
pub(crate) struct Call<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// The path's segments.
    pub(crate) path: &'a [&'a str],
    /// The parameters.
    pub(crate) query: Query,
    /// The body's media type.
    pub(crate) kind: &'a str,
    /// The body.
    pub(crate) content: Bytes,
    /// The address under which the caller reached the service.
    pub(crate) base: String,
}

impl Call<'_> {
    /// The fields of the body; none where it is empty.
    pub(crate) fn fields(&self) -> Result<Json, Problem> {
        if self.content.iter().all(u8::is_ascii_whitespace) {
            return Ok(Json::Object(Vec::new()));
        }
        let text = std::str::from_utf8(&self.content).ok();
        match text.and_then(|text| Json::parse(text).ok()) {
            Some(fields @ Json::Object(_)) => Ok(fields),
            _ => Err(Problem::bad("The request body is not a JSON object")),
        }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// What it carries.
    pub(crate) content: Content,
}

/// What an answer carries.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// JSON.
    Json(Json),
    /// A PDF.
    Pdf(Bytes),
    /// Nothing.
    Nothing,
}

/// An answer or an error.
pub(crate) type Answer = Result<Reply, Problem>;

impl Reply {
    /// 200.
    pub(crate) fn ok(body: Json) -> Self {
        Self {
            status: 200,
            content: Content::Json(body),
        }
    }

    /// 201.
    pub(crate) fn created(body: Json) -> Self {
        Self {
            status: 201,
            ..Self::ok(body)
        }
    }

    /// 204.
    pub(crate) fn nothing() -> Self {
        Self {
            status: 204,
            content: Content::Nothing,
        }
    }
}
