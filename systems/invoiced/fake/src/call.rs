//! A call, and its answer.

use std::sync::Mutex;

use bytes::Bytes;

use crate::body::Upload;
use crate::json::Json;
use crate::pages::Pages;
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
    /// The body's fields; an empty object where there are none.
    pub(crate) body: Json,
    /// The body's file.
    pub(crate) upload: Option<Upload>,
    /// Whether the caller wants a PDF.
    pub(crate) wants_pdf: bool,
    /// The address under which the caller reached the service.
    pub(crate) base: String,
    /// Which pages were fetched.
    pub(crate) pages: &'a Mutex<Pages>,
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
    /// A page of a list.
    Page {
        /// Its objects.
        objects: Json,
        /// How many objects the list has.
        total: usize,
        /// The `Link` header.
        links: String,
    },
    /// Bytes of a media type.
    Bytes(String, Bytes),
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
