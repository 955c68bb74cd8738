//! The tie-out's arithmetic: the worked example to the cent, each category by example, and what must hold of
//! any world.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod advisories;
mod base;
mod example;
mod holds;
mod make;
mod payouts;
mod properties;
mod receivables;
mod worked;
