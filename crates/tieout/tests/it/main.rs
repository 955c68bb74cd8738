//! The engine, the flows, the clients and the store against the sandbox, over real sockets.
//!
//! One test binary. Every test has a sandbox and a home of its own.

// Helpers of tests aren't seen as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod accepted;
mod accounting;
mod acts;
mod alternative_payments;
mod connect_pages;
mod credits;
mod doctor;
mod edits;
mod exchange;
mod files;
mod hostile;
mod imports;
mod lag;
mod limits;
mod nodes;
mod notices;
mod office;
mod openid;
mod payables;
mod payments;
mod people;
mod receivables;
mod recovery;
mod restored;
mod review;
mod sign_in;
mod stage;
mod telemetry;
mod telling;
mod terms;
mod tie_out;
mod trouble;
