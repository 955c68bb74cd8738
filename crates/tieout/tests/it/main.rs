//! The engine, the flows, the clients and the store against the sandbox, over real sockets.
//!
//! One test binary. Every test has a sandbox and a home of its own.

mod accounting;
mod acts;
mod credits;
mod edits;
mod limits;
mod payables;
mod payments;
mod recovery;
mod review;
mod sign_in;
mod stage;
