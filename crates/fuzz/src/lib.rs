//! What every reader of bytes from outside must hold, whatever the bytes are.
//!
//! A [`Target`] takes any bytes to the real code by its public way in. It panics where that code panics, goes
//! on for ever, gives an error that doesn't name the place, or takes in something that isn't so. The fuzzer in
//! the repository's `fuzz` folder calls the targets a million times each; the test beside this crate calls
//! them over the [`corpus`] and some thousand [mutations](mutation) of it.

pub mod answers;
pub mod corpus;
pub mod mutation;
pub mod place;
pub mod stage;
mod targets;

pub use targets::{TARGETS, Target, find};
