//! The pages as people see them: a real browser, driven over WebDriver, against a home that has synced with the
//! sandbox. Where no browser is installed, the tests say so and are skipped.
//!
//! Screenshots of every page go to `target/screenshots`: look at them after a change of the look.

// Helpers of tests aren't seen as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accessible;
#[path = "../it/acts.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod acts;
mod browser;
mod clearing;
mod connecting;
mod deciding;
mod house;
mod journeys;
mod live;
mod payouts;
mod screens;
#[path = "../it/stage.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod stage;
