//! Telling others: what has happened that they asked to hear of, by mail and by hooks.
//!
//! Nothing is told twice. Each look compares what the history and the exceptions say with what others have been told
//! of, and puts what is new into the outbox in the same transaction. One message is of one cause, however many
//! records it holds up; a connection that fails every quarter of an hour is told of once, until it is well again.

mod deliver;
mod event;
mod look;
mod recipients;

pub use deliver::{Courier, Undelivered, deliver};
pub(crate) use event::title;
pub use event::{Event, Happened, NAMES, Waiting};
pub use look::{Looked, look};

/// The way of a mail in the outbox.
pub(crate) const MAIL: &str = "mail";
/// The way of a hook in the outbox.
pub(crate) const HOOK: &str = "hook";
