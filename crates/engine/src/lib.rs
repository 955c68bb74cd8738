//! The promise of tieout: pull, plan, journal, apply, look up, confirm.
//!
//! A run observes both sides, lets the flows decide what differs, and closes the difference. It can be
//! killed anywhere: run it again and it converges. The engine knows ports, flows and the store; it never
//! learns which systems are behind the ports.
//!
//! The way through the rooms: [`run`](mod@run) takes the lease, [`settle`] looks for what an earlier run
//! left unanswered, [`pull`] brings the mirror up to date, [`decide`] asks the flows, [`apply`] and
//! [`send`] journal and write, and the closing pull confirms. [`plan`] is the same way without the writing.
//!
//! What is deliberately missing: retrying of writes. A write whose answer did not come is looked for; it is
//! sent again only by a new decision, after it has been shown not to be there. A creation that can be repeated
//! under its key need not wait for that, if the new decision is the very same write: the store then knows one
//! write with two attempts. Until a write is settled, nothing else is written for its record.

mod ahead;
mod apply;
mod closing;
pub mod compare;
mod connection;
mod cost;
mod decide;
pub mod decisions;
mod error;
mod evidence;
mod files;
pub mod import;
mod initial;
mod join;
mod keep;
mod lag;
pub mod mapping;
mod options;
mod outcome;
mod overlay;
pub mod plan;
mod progress;
mod pull;
pub mod recovery;
mod report;
mod rounds;
mod run;
pub mod schedule;
pub mod scheduler;
mod send;
mod settle;
pub mod tie_out;
mod to_read;
mod unreadable;
mod wake;
mod whole;

pub use connection::{Connection, Sides};
pub use cost::{Cost, Sent};
pub use error::EngineError;
pub use import::Import;
pub use initial::{InitialSync, Later, initial_sync, initial_syncs, pending_initial_syncs};
pub use options::{Rebuild, RunOptions};
pub use plan::{Extent, Plan, PlannedChoice, PlannedStep};
pub use progress::{Progress, Quiet};
pub use recovery::{Recovery, recover, release};
pub use report::{FlowCounts, KILLED, Problem, RunReport, RunStatus};
pub use run::{plan, sync};
pub use whole::whole_read_at;
