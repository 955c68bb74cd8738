//! What a service tells without being asked: that something may have changed. Nothing else of it is believed; what has
//! changed is read from the service.

use crate::code::Code;
use crate::{Kind, RemoteId, Timestamp};

/// Something may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The event's id: the same for every delivery of it. Empty where the service gives none: whoever takes the hint
    /// finds one.
    pub event: String,
    /// The event's type in the service's words, such as `bill.updated`.
    pub event_type: String,
    /// The organization or account it happened in.
    pub organization: String,
    /// What kind of record changed. `None` where the type isn't known here: something over there did.
    pub kind: Option<Kind>,
    /// Which record, where the notification names one. Nothing without a `kind`.
    pub id: Option<RemoteId>,
    /// When it changed, as the service says.
    pub at: Option<Timestamp>,
}

/// Why a notification was turned away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It is longer than any that the service sends.
    #[error("the notification has {bytes} bytes; {most} are the most")]
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
        /// The most that are read.
        most: usize,
    },
    /// That it comes from the service isn't proven.
    #[error("the notification isn't proven to come from the service: {why}")]
    Unsigned {
        /// What is wrong with the proof.
        why: &'static str,
    },
    /// It is signed, and isn't what the service documents.
    #[error("the signed notification isn't as documented: {cause}")]
    Malformed {
        /// What is wrong, and where.
        cause: String,
    },
}

impl Rejected {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::new("webhook-too-large"),
            Self::Unsigned { .. } => Code::new("webhook-unsigned"),
            Self::Malformed { .. } => Code::new("webhook-malformed"),
        }
    }

    /// What to do next.
    #[must_use]
    pub fn fix(&self) -> String {
        self.code().fix()
    }
}
