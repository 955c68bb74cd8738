//! What a check of a side found out: one thing that was looked at, how it stands, and who can put it right.

use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::code::Code;

/// How a thing that was checked stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing needs to be done.
    Note,
    /// It works, and won't for long or not as well as it could.
    Warning,
    /// It keeps the connection from working.
    Failed,
}

/// A thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its code; where something is wrong, the one of the cause.
    pub code: Code,
    /// How it stands.
    pub status: Status,
    /// What was seen: the evidence.
    pub cause: String,
    /// What to do. Empty where nothing needs to be done.
    pub fix: String,
    /// Who can do it. Empty where nothing needs to be done.
    pub who: String,
}

impl Check {
    /// It is as it should be.
    #[must_use]
    pub fn ok(code: Code, cause: impl Into<String>) -> Self {
        Self {
            code,
            status: Status::Ok,
            cause: cause.into(),
            fix: String::new(),
            who: String::new(),
        }
    }

    /// Something that isn't as it should be; fix and who come from the code's page.
    #[must_use]
    pub fn found(status: Status, code: Code, cause: impl Into<String>) -> Self {
        Self {
            fix: code.fix(),
            who: code.page().map_or("", |page| page.who()).to_owned(),
            code,
            status,
            cause: cause.into(),
        }
    }

    /// The failed check that a fault amounts to.
    #[must_use]
    pub fn failed(fault: &Fault) -> Self {
        Self::found(Status::Failed, fault.code(), fault.to_string())
    }

    /// With a fix that says more than the code's page.
    #[must_use]
    pub fn with_fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: fix.into(),
            ..self
        }
    }
}

/// A sign-in that a service refused, as its own records tell it to somebody whom it lets in.
///
/// The one who was refused is often told nothing but "no"; the reason stands only there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedSignIn {
    /// The address that was asked.
    pub address: String,
    /// The service's word for the reason.
    pub detail: String,
    /// How long ago it was, in seconds, by the service's clock.
    pub seconds_ago: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_carries_its_pages_fix_and_who() {
        let fault = Fault::Denied {
            code: Code::new("wrong-password"),
            cause: "the service said so".to_owned(),
        };
        let check = Check::failed(&fault);
        assert_eq!(check.status, Status::Failed);
        assert_eq!(check.who, "whoever keeps the credential");
        assert!(check.fix.contains("credentials set"), "{}", check.fix);
    }
}
