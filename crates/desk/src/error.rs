//! Why something that a person asked for was not done.

use tieout_domain::code::Code;
use tieout_engine::EngineError;
use tieout_store::StoreError;

/// What kind of failure it is: each face has its own way of saying so (an exit status, an HTTP status).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// What was asked for makes no sense, or names what isn't there.
    Usage,
    /// It went wrong.
    Failed,
    /// A side can't be reached or won't let us in.
    Side,
    /// Refused for safety.
    Refused,
}

/// A failure: a code, a cause that names the place, and its kind. The fix is on the code's page.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{cause}")]
pub struct DeskError {
    /// The code.
    pub code: Code,
    /// What happened.
    pub cause: String,
    /// Its kind.
    pub reason: Reason,
}

impl DeskError {
    /// What was asked for makes no sense.
    pub fn usage(code: Code, cause: impl Into<String>) -> Self {
        Self {
            code,
            cause: cause.into(),
            reason: Reason::Usage,
        }
    }

    /// It went wrong.
    pub fn failed(code: Code, cause: impl Into<String>) -> Self {
        Self {
            code,
            cause: cause.into(),
            reason: Reason::Failed,
        }
    }

    /// Refused for safety.
    pub fn refused(code: Code, cause: impl Into<String>) -> Self {
        Self {
            code,
            cause: cause.into(),
            reason: Reason::Refused,
        }
    }
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        let reason = match error {
            StoreError::VaultKeyMissing { .. }
            | StoreError::VaultKeyWrong { .. }
            | StoreError::CredentialMissing { .. }
            | StoreError::BackupElsewhere
            | StoreError::AddressUnfit { .. }
            | StoreError::BackupExists { .. }
            | StoreError::NameUnfit { .. }
            | StoreError::UserExists { .. }
            | StoreError::UserMissing { .. }
            | StoreError::UserStillThere { .. }
            | StoreError::PasswordUnfit { .. }
            | StoreError::TokenExists { .. }
            | StoreError::TokenMissing { .. } => Reason::Usage,
            StoreError::Stopped(_)
            | StoreError::Older { .. }
            | StoreError::InUse { .. }
            | StoreError::NotEmpty { .. }
            | StoreError::LastAdmin { .. }
            | StoreError::ApprovalOpen { .. }
            | StoreError::ApprovalClosed { .. }
            | StoreError::ApprovalByAsker { .. } => Reason::Refused,
            _ => Reason::Failed,
        };
        Self {
            code: error.code(),
            cause: error.to_string(),
            reason,
        }
    }
}

impl From<EngineError> for DeskError {
    fn from(error: EngineError) -> Self {
        let reason = match &error {
            EngineError::Store(error) => Self::from(error.clone()).reason,
            EngineError::Side { .. } => Reason::Side,
            EngineError::Interrupted => Reason::Failed,
            EngineError::PlanOutdated(_)
            | EngineError::Busy(_)
            | EngineError::RecoveryUnfinished(_) => Reason::Refused,
            EngineError::UnknownFlow { .. }
            | EngineError::UnknownRecord(_)
            | EngineError::UnknownPeriod(_) => Reason::Usage,
        };
        Self {
            code: error.code(),
            cause: error.to_string(),
            reason,
        }
    }
}
