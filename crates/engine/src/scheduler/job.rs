//! What is to be done, why, and how it ended.

use std::time::Duration;

use tieout_domain::{ConnectionName, Fault, Timestamp};

use crate::{EngineError, Import, RunReport, RunStatus};

/// One run that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Of which connection.
    pub connection: ConnectionName,
    /// Only these flows; all if empty.
    pub flows: Vec<String>,
    /// Only these records and what they depend on; all if empty.
    pub only: Vec<String>,
    /// Whether everything is read again.
    pub whole: bool,
    /// The list that is imported, if it is an import.
    pub import: Option<Import>,
    /// What set it off: `schedule`, `webhook`, `asked`.
    pub trigger: String,
    /// Who asked for it, if a person or a token did: `user:NAME`, `token:NAME`.
    pub by: Option<String>,
    /// What it is for.
    pub cause: Cause,
}

/// What a run is for: so that of several nodes that know it to be due one makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cause {
    /// This start of a timetable, and nothing else: done once a run began on whatever node.
    Tick(Timestamp),
    /// What services told, and nothing else: done once the store has nothing left that nobody has heeded.
    Told,
    /// Something that is done whatever other nodes did.
    #[default]
    Asked,
}

impl Cause {
    /// One run for two causes.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Tick(one), Self::Tick(another)) => Self::Tick(one.max(another)),
            (Self::Told, Self::Told) => Self::Told,
            _ => Self::Asked,
        }
    }
}

/// Why a connection is due. What it is about is read from the two sides; this carries no data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// These flows; all if empty.
    pub flows: Vec<String>,
    /// Only these records; all if empty.
    pub only: Vec<String>,
    /// Whether everything is to be read again.
    pub whole: bool,
    /// This list is to be imported.
    pub import: Option<Import>,
    /// What set it off, as in [`Job`].
    pub trigger: String,
    /// Who asked for it. A person doesn't wait: neither for the end of quiet hours, nor for a side that didn't
    /// answer lately.
    pub by: Option<String>,
}

/// How a run ended, as far as it matters for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It could be made.
    Made,
    /// It could not, for now: a side can't be reached, or the store.
    Failed,
    /// A side won't let us in. Trying again soon helps nobody, and often enough locks an account.
    Denied,
    /// The calls that a side allows are used up for so long.
    Scarce(Duration),
    /// Another node is at it: it is looked again soon whether anything is left to do.
    Elsewhere,
}

impl Ended {
    /// What a run, or the attempt at one, means for the next.
    #[must_use]
    pub fn of(run: &Result<RunReport, EngineError>) -> Self {
        match run {
            // What kept another's run from something is not known here: it was not our work that was done.
            Ok(report) if report.joined && report.status == RunStatus::Failed => Self::Failed,
            Ok(report) => report.hindered.first().map_or(Self::Made, Self::by),
            Err(EngineError::Side { fault, .. }) => Self::by(fault),
            Err(EngineError::Store(_) | EngineError::Busy(_)) => Self::Failed,
            // Trying again would fail in the same way.
            Err(_) => Self::Made,
        }
    }

    fn by(fault: &Fault) -> Self {
        match fault {
            Fault::Denied { .. } => Self::Denied,
            Fault::Later {
                code,
                after: Some(after),
                ..
            } if code.as_str() == "hourly-limit" => Self::Scarce(*after),
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn to_have_waited_for_a_run_that_failed_is_a_failure() {
        let report = |status, joined| {
            Ok(RunReport {
                id: "run".to_owned(),
                connection: "acme".to_owned(),
                status,
                flows: BTreeMap::new(),
                calls: BTreeMap::new(),
                allowances: BTreeMap::new(),
                seconds: 1.0,
                written: 0,
                joined,
                problems: Vec::new(),
                hindered: Vec::new(),
                initial: None,
                stopped: None,
            })
        };
        assert_eq!(Ended::of(&report(RunStatus::Failed, true)), Ended::Failed);
        assert_eq!(Ended::of(&report(RunStatus::Exceptions, true)), Ended::Made);
        // A record of ours that can't be read hinders nothing else.
        assert_eq!(Ended::of(&report(RunStatus::Failed, false)), Ended::Made);
    }
}
