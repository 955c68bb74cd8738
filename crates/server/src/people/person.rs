//! The person behind a request.

use std::fmt;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};

/// What a person may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Decides about exceptions, starts and stops runs.
    Operator,
    /// Confirms mappings, approves replays, reviews and signs.
    Approver,
    /// Keeps connections, credentials, preferences and users.
    Admin,
}

impl Role {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Somebody who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name of the user or of the token.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What every form has to bring along, so that no other site can send one in their name.
    pub form_token: String,
}

impl Person {
    /// Who it is, as the history keeps it.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("user:{}", self.name)
    }

    /// Whether they may do what this role may.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let person = parts.extensions.get::<Self>().cloned();
        person.ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())
    }
}
