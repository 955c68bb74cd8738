//! The desk: what people ask and decide, whether they do it in a terminal, on a page or through the API.
//!
//! Each module is one thing that people do: look how things are ([`health`], [`payable`], [`checks`]), read what
//! waits ([`exceptions`]), find a record and hear its life ([`record`], [`story`]), [import] a list, go through runs ([`run`]) and the
//! history ([`history`]), stop what writes ([`pause`]), look up what a message means ([`search`]), say what stands for
//! what ([`mapping`]), do a failed write again ([`replay`]), own and sign a report ([`tie_out`]), change a
//! [preference](preferences), say yes to the [first sync](first_sync), choose the [accounts] of payouts, ask for what takes two ([`approval`]). The faces take words in and put answers out; what happens in between is here, once.
//!
//! What is deliberately missing: systems, configuration and printing. The desk works on the store alone.

pub mod accounts;
pub mod approval;
pub mod checks;
pub mod compare;
pub mod cost;
mod error;
pub mod exceptions;
pub mod first_sync;
pub mod health;
pub mod history;
pub mod import;
pub mod mapping;
pub mod own;
pub mod pause;
pub mod payable;
pub mod preferences;
pub mod record;
pub mod replay;
pub mod run;
pub mod search;
pub mod story;
pub mod tie_out;
pub mod users;
pub mod within;

pub use error::{DeskError, Reason};
