//! An operation of the API: what the router serves and what the document says of it, in one value.
//!
//! Both are made of the same table, so that neither can know an address or a method that the other doesn't.

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use axum::{Router, http};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::problem::Problem;
use crate::app::App;
use crate::people::{Person, Role};

/// Where the API begins.
pub const BASE: &str = "/api/v1";

/// A value in the query of an address.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) about: &'static str,
    /// What it may be.
    pub(super) schema: Value,
}

/// An operation.
pub(super) struct Operation {
    /// Its name, for programs made from the document.
    pub(super) id: &'static str,
    /// How it is asked.
    pub(super) method: Method,
    /// Where, below [`BASE`].
    pub(super) path: &'static str,
    /// What it does, in a sentence.
    pub(super) about: &'static str,
    /// Who may.
    pub(super) role: Role,
    /// What may stand in the query.
    pub(super) query: Vec<Parameter>,
    /// The name of the body's schema, where it takes one.
    pub(super) body: Option<&'static str>,
    /// The status of success, and the name of the answer's schema.
    pub(super) answer: (StatusCode, &'static str),
    /// The refusals that are its own; those that every operation can give are added by the document.
    pub(super) refusals: Vec<StatusCode>,
    serve: MethodRouter<App>,
}

impl Operation {
    /// An operation that whoever has signed in may ask, and that answers with 200.
    pub(super) fn new(
        (id, method, path): (&'static str, Method, &'static str),
        answer: &'static str,
        about: &'static str,
        serve: MethodRouter<App>,
    ) -> Self {
        Self {
            id,
            method,
            path,
            about,
            role: Role::Viewer,
            query: Vec::new(),
            body: None,
            answer: (StatusCode::OK, answer),
            refusals: Vec::new(),
            serve,
        }
    }

    /// Asks for more than to be signed in.
    pub(super) fn needs(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Takes a value from the query.
    pub(super) fn query(mut self, name: &'static str, schema: Value, about: &'static str) -> Self {
        self.query.push(Parameter {
            name,
            about,
            schema,
        });
        self
    }

    /// Answers page by page.
    pub(super) fn paged(self) -> Self {
        let limit = json!({
            "type": "integer", "minimum": 1, "maximum": super::paging::LIMIT_MAX,
            "default": super::paging::LIMIT,
        });
        self.query("limit", limit, "How many at most.").query(
            "cursor",
            json!({"type": "string", "maxLength": 1000}),
            "Where to go on: what the page before calls `next`.",
        )
    }

    /// Takes a body.
    pub(super) fn takes(mut self, schema: &'static str) -> Self {
        self.body = Some(schema);
        self
    }

    /// Succeeds with another status than 200.
    pub(super) fn succeeds(mut self, status: StatusCode) -> Self {
        self.answer.0 = status;
        self
    }

    /// May also be refused so.
    pub(super) fn refuses(mut self, status: StatusCode) -> Self {
        self.refusals.push(status);
        self
    }

    /// Asks the program for what needs a system, and may be refused as a side refuses.
    pub(super) fn asks_a_side(self) -> Self {
        self.refuses(StatusCode::CONFLICT)
            .refuses(StatusCode::BAD_GATEWAY)
    }

    /// The names of the values in its path, in their order.
    pub(super) fn path_names(&self) -> Vec<&'static str> {
        let parts = self.path.split('/');
        parts
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect()
    }

    /// Whether it changes something.
    pub(super) fn changes(&self) -> bool {
        self.method != Method::GET
    }

    /// Puts it on the router, behind its role.
    pub(super) fn onto(self, router: Router<App>) -> Router<App> {
        let role = self.role;
        let guard = middleware::from_fn(move |request: Request, next: Next| async move {
            admit(role, request, next).await
        });
        router.route(&format!("{BASE}{}", self.path), self.serve.layer(guard))
    }
}

/// Lets a request through if its person may.
async fn admit(role: Role, request: Request, next: Next) -> Response {
    match request.extensions().get::<Person>() {
        Some(person) if person.may(role) => next.run(request).await,
        Some(person) => Problem::role_missing(person, role).into_response(),
        None => Problem::signed_out().into_response(),
    }
}
