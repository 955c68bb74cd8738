//! The desk: what people ask and decide, whether they do it in a terminal, on a page or through the API.
//!
//! Each module is one thing that people do: look how things are ([`health`], [`payable`]), read what waits
//! ([`exceptions`]), ask for what takes two ([`approval`]), find a record and hear its life ([`record`], [`story`]), go through runs ([`run`]) and the
//! history ([`history`]), stop what writes ([`pause`]), look up what a message means ([`search`]). The faces take
//! words in and put answers out; what happens in between is here, once.
//!
//! What is deliberately missing: systems, configuration and printing. The desk works on the store alone.

pub mod approval;
pub mod compare;
mod error;
pub mod exceptions;
pub mod health;
pub mod history;
pub mod pause;
pub mod payable;
pub mod record;
pub mod run;
pub mod search;
pub mod story;

pub use error::{DeskError, Reason};
