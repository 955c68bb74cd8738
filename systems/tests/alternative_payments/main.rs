//! Alternative Payments' client against its sandbox over real sockets: two programs written from one page, and never
//! from each other.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod received;
mod stage;
mod written;
