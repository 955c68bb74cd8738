//! Why a command failed, with the exit status that says so to scripts.

use std::fmt;

use tieout_desk::{DeskError, Reason};
use tieout_domain::code::Code;
use tieout_engine::EngineError;
use tieout_store::StoreError;

/// Exit statuses (a contract; see README).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Done, with exceptions waiting for a person.
    Exceptions = 3,
    /// A side can't be reached or won't let us in.
    Side = 4,
    /// Refused for safety.
    Refused = 5,
}

/// A command that failed: a code, a cause, and the exit status. The fix is on the code's page.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The code.
    pub code: Code,
    /// What happened, naming the place.
    pub cause: String,
    /// The exit status.
    pub exit: Exit,
}

impl Failure {
    /// Wrong usage or configuration.
    pub fn usage(code: Code, cause: impl Into<String>) -> Self {
        Self {
            code,
            cause: cause.into(),
            exit: Exit::Usage,
        }
    }

    /// Failed.
    pub fn failed(code: Code, cause: impl Into<String>) -> Self {
        Self {
            code,
            cause: cause.into(),
            exit: Exit::Failed,
        }
    }

    /// A file or folder can't be read or written.
    pub fn file(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::failed(
            Code::new("file"),
            format!("{what} {}: {error}", path.display()),
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.cause)?;
        let fix = self.code.fix();
        if fix.is_empty() {
            Ok(())
        } else {
            write!(f, "\n  fix: {fix}")
        }
    }
}

impl std::error::Error for Failure {}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        let exit = match error.reason {
            Reason::Usage => Exit::Usage,
            Reason::Failed => Exit::Failed,
            Reason::Side => Exit::Side,
            Reason::Refused => Exit::Refused,
        };
        Self {
            code: error.code,
            cause: error.cause,
            exit,
        }
    }
}

impl From<Failure> for DeskError {
    fn from(failure: Failure) -> Self {
        let reason = match failure.exit {
            Exit::Usage => Reason::Usage,
            Exit::Side => Reason::Side,
            Exit::Refused => Reason::Refused,
            Exit::Done | Exit::Failed | Exit::Exceptions => Reason::Failed,
        };
        Self {
            code: failure.code,
            cause: failure.cause,
            reason,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        DeskError::from(error).into()
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        DeskError::from(error).into()
    }
}
