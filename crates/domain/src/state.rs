//! Where a record stands: exactly one state per record (design idea 4), with the reason.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::{RecordRef, RemoteId};

/// Which side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The books: NetSuite.
    Ledger,
    /// The platform that moves money.
    Platform,
}

impl Side {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Ledger => Self::Platform,
            Self::Platform => Self::Ledger,
        }
    }

    /// `ledger` or `platform`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Platform => "platform",
        }
    }
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ledger" => Ok(Self::Ledger),
            "platform" => Ok(Self::Platform),
            other => Err(format!(
                "`{other}` is no side; sides are `ledger` and `platform`"
            )),
        }
    }
}

/// The state of a record. The states of a flow add up to its population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Both sides agree and the link is recorded.
    Done,
    /// Nothing to do: an echo, a replay, no material change.
    Noop,
    /// Out of scope by a named rule; visible and summed in the tie-out.
    Skipped,
    /// Waiting for something that normally resolves by itself.
    Hold,
    /// Needs a person.
    Blocked,
    /// Both sides changed since the last agreed version.
    Conflict,
    /// An earlier posting was backed out by a linked reversing entry.
    Reversed,
    /// Exists on one side only and no rule explains it.
    Orphan,
}

impl State {
    /// All eight, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Noop,
        Self::Skipped,
        Self::Hold,
        Self::Blocked,
        Self::Conflict,
        Self::Reversed,
        Self::Orphan,
    ];

    /// `DONE`, `NOOP`, …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Noop => "NOOP",
            Self::Skipped => "SKIPPED",
            Self::Hold => "HOLD",
            Self::Blocked => "BLOCKED",
            Self::Conflict => "CONFLICT",
            Self::Reversed => "REVERSED",
            Self::Orphan => "ORPHAN",
        }
    }

    /// Whether a person must act: these make the exit status 3.
    #[must_use]
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Blocked | Self::Conflict | Self::Orphan)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no state"))
    }
}

/// A record's state with everything a person needs to understand it.
///
/// A refusal names the document, both values, the cause, and who does what next (design idea 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The state.
    pub state: State,
    /// Why; `None` only for a plain `DONE`. `tieout explain CODE` tells more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// One sentence that names the document, both values and the cause.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// What records share one cause: a thousand bills on one unmapped account are one exception.
    /// Empty where each record is its own cause.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// What must change for another look to be worth while: the record is looked at again when this
    /// reference is linked, mapped or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
}

/// What a record waits for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitsFor {
    /// A record to be linked by this flow: either end of the link.
    Link(String, RecordRef),
    /// An account, dimension or funding account (map kind) to be mapped.
    Map(String, RemoteId),
}

impl fmt::Display for WaitsFor {
    /// The form under which the store indexes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(flow, record) => write!(f, "link:{flow}:{record}"),
            Self::Map(kind, id) => write!(f, "map:{kind}:{id}"),
        }
    }
}

impl Outcome {
    /// Both sides agree.
    #[must_use]
    pub fn done() -> Self {
        Self {
            state: State::Done,
            code: None,
            cause: String::new(),
            group: String::new(),
            waits_for: None,
        }
    }

    /// A state with its reason.
    pub fn because(state: State, code: Code, cause: impl Into<String>) -> Self {
        Self {
            state,
            code: Some(code),
            cause: cause.into(),
            group: String::new(),
            waits_for: None,
        }
    }

    /// Names what other records share this cause.
    #[must_use]
    pub fn grouped(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// Names what it waits for.
    #[must_use]
    pub fn until(mut self, waits_for: WaitsFor) -> Self {
        self.waits_for = Some(waits_for);
        self
    }
}

impl fmt::Display for Outcome {
    /// `SKIPPED(zero)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{}({code})", self.state),
            None => write!(f, "{}", self.state),
        }
    }
}
