//! The sandbox over real sockets: one test for each quirk of the system's README.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod control;
mod customers;
mod entry;
mod files;
mod invoices;
mod lists;
mod notifications;
mod payments;
mod payouts;
mod stage;
mod walk;
