//! What a run reports.

use std::collections::BTreeMap;

use serde::Serialize;
use tieout_domain::code::Code;
use tieout_domain::{Fault, State};
use tieout_store::Stop;

use crate::initial::InitialSync;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Everything that can be done is done.
    Done,
    /// Done, with exceptions waiting for a person.
    Exceptions,
    /// Something could not be done.
    Failed,
}

impl RunStatus {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Exceptions => "exceptions",
            Self::Failed => "failed",
        }
    }
}

/// The word of a run whose process ended before the run did: who takes the connection next says so for it.
pub const KILLED: &str = "killed";

/// A flow's whole population by state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FlowCounts(pub BTreeMap<&'static str, u64>);

impl FlowCounts {
    /// From the store's array, in the order of [`State::ALL`].
    #[must_use]
    pub fn of(counts: &[u64; 8]) -> Self {
        Self(
            State::ALL
                .iter()
                .zip(counts)
                .map(|(state, count)| (state.as_str(), *count))
                .collect(),
        )
    }

    /// The population.
    #[must_use]
    pub fn population(&self) -> u64 {
        self.0.values().sum()
    }

    /// How many are in a state.
    #[must_use]
    pub fn of_state(&self, state: State) -> u64 {
        self.0.get(state.as_str()).copied().unwrap_or(0)
    }
}

/// Something that could not be done, though the rest went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its code.
    pub code: Code,
    /// What happened.
    pub cause: String,
    /// Whether a side can't be reached or won't let us in.
    #[serde(skip)]
    pub side_failed: bool,
}

/// What a run did. Its JSON is a contract (`tieout sync --json`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// The run.
    pub id: String,
    /// The connection.
    pub connection: String,
    /// How it ended.
    pub status: RunStatus,
    /// Each flow's whole population at the end.
    pub flows: BTreeMap<String, FlowCounts>,
    /// Every HTTP request sent, sign-ins included, by system.
    pub calls: BTreeMap<String, u64>,
    /// How many a system allows in an hour, by system; nothing of those that don't limit them so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub allowances: BTreeMap<String, u64>,
    /// How long it took.
    pub seconds: f64,
    /// How many writes were applied.
    pub written: u64,
    /// Whether this is the report of another's run that was waited for.
    pub joined: bool,
    /// What could not be done.
    pub problems: Vec<Problem>,
    /// What of a side kept it from something, the gravest first: for whoever decides when to try again.
    #[serde(skip)]
    pub hindered: Vec<Fault>,
    /// How far the initial sync is, of a run that was a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial: Option<InitialSync>,
    /// What stopped its writes, if something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
}
