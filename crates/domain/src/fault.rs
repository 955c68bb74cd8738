//! What can go wrong when a remote system is asked, told apart by what must be done next.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::code::Code;

/// How a request was lost: the difference that decides whether a write may be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// It certainly never left: no connection was made.
    NeverLeft(String),
    /// It may have arrived and been carried out: no answer came, or half of one.
    Unknown(String),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverLeft(cause) => write!(f, "the request never left: {cause}"),
            Self::Unknown(cause) => write!(f, "no answer came: {cause}"),
        }
    }
}

/// A failure of a remote call, chosen by what the engine must do next, not by an HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Certainly not applied; try again later.
    #[error("{cause}")]
    Later {
        /// Its code.
        code: Code,
        /// What happened, with the service's own words.
        cause: String,
        /// Not before this long from now.
        after: Option<Duration>,
    },
    /// Maybe applied: look on the far side before anything else.
    #[error("{cause}")]
    Unknown {
        /// What happened.
        cause: String,
    },
    /// Understood and declined: a person must look.
    #[error("{cause}")]
    Refused {
        /// Its code.
        code: Code,
        /// The field at fault, if the service named one.
        field: Option<String>,
        /// The service's own words.
        cause: String,
    },
    /// The credentials or the permissions don't suffice: stop this connection.
    #[error("{cause}")]
    Denied {
        /// Its code.
        code: Code,
        /// What was tried and what was answered.
        cause: String,
    },
    /// The answer is not as documented: stop and report.
    #[error("{cause}")]
    Drift {
        /// Its code.
        code: Code,
        /// What was expected and what came.
        cause: String,
    },
}

impl Fault {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::new("unknown-outcome"),
            Self::Later { code, .. }
            | Self::Refused { code, .. }
            | Self::Denied { code, .. }
            | Self::Drift { code, .. } => code.clone(),
        }
    }

    /// Whether the same request may be sent again at once or later without looking first.
    #[must_use]
    pub fn certainly_not_applied(&self) -> bool {
        !matches!(self, Self::Unknown { .. } | Self::Drift { .. })
    }
}
