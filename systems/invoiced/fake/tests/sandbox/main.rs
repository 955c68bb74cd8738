//! The sandbox over real sockets: one test for each quirk of the system's README.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod control;
mod documents;
mod entry;
mod fixtures;
mod lists;
mod notifications;
mod outbound;
mod payments;
mod stage;
