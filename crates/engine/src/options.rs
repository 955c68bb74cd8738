//! What a run is asked to do.

use crate::import::Import;
use crate::join::Meanwhile;
use crate::plan::Plan;

/// How many records are decided on together, if nobody says otherwise: six full bulk calls of bills, two for each call under
/// way.
pub(crate) const PAGE: u32 = 600;

/// Why the links are rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuild {
    /// The store was lost, or put back from a backup: what tieout made bears its keys and marks.
    Lost,
    /// Another sync was at work before (scenario 249): what it posted is known by what it pays.
    TakingOver,
}

/// What to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// What set it off: `command`, `schedule`, `demo`.
    pub trigger: String,
    /// Only these flows; all if empty.
    pub flows: Vec<String>,
    /// Only these records, by `ledger/bill/4711`, id or number, and what they depend on; all if empty.
    pub only: Vec<String>,
    /// Do exactly this plan, or refuse.
    pub plan: Option<Plan>,
    /// Read what changed, or everything again.
    pub whole: bool,
    /// Import this list, and nothing else: see [`import`](mod@crate::import).
    pub import: Option<Import>,
    /// Rebuild what the store lacks, and write nothing: see [`recover`](crate::recover()). Of a plan: what that would link.
    pub recovers: Option<Rebuild>,
    /// How many of the records that are due are decided on together.
    pub page: u32,
    /// The run's id: unique, chosen by the caller.
    pub id: String,
}

impl RunOptions {
    /// An ordinary run.
    pub fn new(id: impl Into<String>, trigger: impl Into<String>) -> Self {
        Self {
            trigger: trigger.into(),
            flows: Vec::new(),
            only: Vec::new(),
            plan: None,
            whole: false,
            import: None,
            recovers: None,
            page: PAGE,
            id: id.into(),
        }
    }

    /// A run that imports a list.
    pub fn importing(id: impl Into<String>, import: Import) -> Self {
        Self {
            flows: import.flows(),
            import: Some(import),
            ..Self::new(id, import.trigger())
        }
    }

    /// What another run that is under way is good for: an ordinary one does what an ordinary one would do.
    pub(crate) fn meanwhile(&self) -> Meanwhile {
        if self.plan.is_some() {
            Meanwhile::Refuse
        } else if self.only.is_empty() && !self.whole && self.import.is_none() {
            Meanwhile::Join
        } else {
            Meanwhile::Wait
        }
    }
}
