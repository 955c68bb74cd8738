//! The scenarios that can be decided without I/O, each against a small world that
//! applies what the flows want to write.
// A test may fail where a value is missing: that is what it is for.
#![allow(clippy::unwrap_used)]

mod attachments;
mod bills;
mod discounts;
mod lists;
mod lost;
mod outside;
mod payments;
mod properties;
mod receivables;
mod settled;
mod vendors;
mod world;
