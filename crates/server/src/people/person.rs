//! The person behind a request.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use tieout_desk::approval::By;
use tieout_domain::Reach;

pub use tieout_store::Role;

use crate::pages::PageError;

/// Somebody who has signed in, or whose token was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user's name, also where a token of theirs was shown: two-person rules go by it.
    pub name: String,
    /// What they may do; through a token, no more than its scope.
    pub role: Role,
    /// What every form has to bring along, so that no other site can send one in their name.
    pub form_token: String,
    /// The name of the token that was shown, if it was one.
    pub token: Option<String>,
    /// Whose connections they see and touch; through a token, no more than it is good for.
    pub reach: Reach,
}

impl Person {
    /// Who it is, as the history keeps it: `user:NAME`, or `token:NAME`.
    #[must_use]
    pub fn actor(&self) -> String {
        match &self.token {
            Some(token) => format!("token:{token}"),
            None => format!("user:{}", self.name),
        }
    }

    /// Who it is where it takes two; `actor` is what [`actor`](Self::actor) gives.
    #[must_use]
    pub fn by<'a>(&'a self, actor: &'a str) -> By<'a> {
        By {
            user: &self.name,
            actor,
        }
    }

    /// Whether they may do what this role may.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }

    /// Refuses unless they may do what this role may.
    ///
    /// # Errors
    /// [`PageError::Forbidden`].
    pub fn must(&self, role: Role) -> Result<(), PageError> {
        if self.may(role) {
            return Ok(());
        }
        Err(PageError::Forbidden)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let person = parts.extensions.get::<Self>().cloned();
        person.ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())
    }
}
