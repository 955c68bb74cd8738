//! Why a run could not be made or finished.

use tieout_domain::code::Code;
use tieout_domain::{Fault, Side};
use tieout_store::StoreError;

/// Why a run could not be made or finished. Failures of single records are states, not errors.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A side can't be reached, or won't let us in.
    #[error("{system}: {fault}")]
    Side {
        /// Which side.
        side: Side,
        /// Its system's name.
        system: &'static str,
        /// What it said.
        fault: Fault,
    },
    /// The plan that was to be applied is not what would be done now.
    #[error("the plan is out of date: {0}")]
    PlanOutdated(String),
    /// Another run holds the connection and can't be joined.
    #[error("{0}")]
    Busy(String),
    /// This process was told to stop in the middle of the run.
    #[error("tieout was told to stop; the next run goes on where this one ended")]
    Interrupted,
    /// A recovery can't be ended before it has been made.
    #[error("{0}")]
    RecoveryUnfinished(String),
    /// A flow was named that this connection doesn't have.
    #[error("`{name}` is no flow of this connection; its flows are {known}")]
    UnknownFlow {
        /// The name.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A record was named that isn't known, or not clearly.
    #[error("{0}")]
    UnknownRecord(String),
    /// A posting period was named that the ledger doesn't have.
    #[error("{0}")]
    UnknownPeriod(String),
}

impl EngineError {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Side { fault, .. } => fault.code(),
            Self::PlanOutdated(_) => Code::new("plan-outdated"),
            Self::Busy(_) => Code::new("connection-busy"),
            Self::Interrupted => Code::new("interrupted"),
            Self::RecoveryUnfinished(_) => Code::new("recovery-unfinished"),
            Self::UnknownFlow { .. } => Code::new("unknown-flow"),
            Self::UnknownRecord(_) => Code::new("unknown-record"),
            Self::UnknownPeriod(_) => Code::new("unknown-period"),
        }
    }
}
