//! The sandbox as its clients see it: over HTTP, without a socket.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod account;
mod asynchronous;
mod bodies;
mod faults;
mod limits;
mod panel;
mod payments;
mod queries;
mod receivables;
mod records;
mod scripts;
mod signing_in;
