//! The doubt: the real engine, the real flows, the real clients and the real store, in a world where
//! everything goes wrong.
//!
//! One seed decides a world: who its vendors are, what people do on both sides, which calls are lost, doubled,
//! delayed or answered with nonsense, when a process dies and when two of them believe that they hold the same
//! connection. Time is virtual ([`time`]): it goes on only when nothing can be done any more, so that a year
//! takes a second and the same seed always gives the same history. When the trouble is over, [`check`] looks at
//! the services' own records: nothing twice, nothing lost, to the cent, and nothing left to do.
//!
//! [`walk`] leaves nothing to chance: it dies at every boundary of a story in turn, and loses the answer to
//! every write. [`history`] syncs more invoices than anybody would wait for.

pub mod check;
pub mod dice;
pub mod figures;
pub mod gate;
pub mod history;
pub mod pace;
pub mod pair;
pub mod payables;
pub mod payouts;
pub mod people;
pub mod process;
pub mod receivables;
pub mod run;
pub mod story;
pub mod time;
pub mod walk;
pub mod weather;
pub mod world;
