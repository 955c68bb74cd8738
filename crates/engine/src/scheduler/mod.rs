//! Who runs next: many connections, few workers.
//!
//! The [`Agenda`] decides, and is pure. The [`Scheduler`] lives by it: it asks what comes next, has it done by
//! whoever [`Runs`], and sleeps until something can change.

mod agenda;
mod due;
mod job;
mod work;

pub use agenda::{Agenda, Entry, Line, Standing, Work};
pub use job::{Cause, Ended, Job, Mark};
pub use work::{Runs, Scheduler};
