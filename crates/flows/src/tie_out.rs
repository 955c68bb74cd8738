//! The tie-out: whether the ledger and the platform agree on what is owed, item by item, to the cent.
//!
//! Everything here is arithmetic on what was read: no I/O, no clock. The definition is in `docs/book/tie-out.md`.

mod advisory;
mod base;
mod category;
mod clearing;
mod conclude;
pub mod input;
mod loose;
mod on_its_way;
mod payables;
mod platform_leg;
mod receivables;
mod report;
mod rules;
mod settlements;
mod undeposited;

pub use advisory::{Advisory, SAME_AMOUNT_DAYS, Signal};
pub use base::{BaseLine, BasePage, Untold, Valued};
pub use category::{Category, Gravity, Leg};
pub use conclude::{judge, report};
pub use report::{
    AccountName, Aging, BasisLine, Check, Completeness, Document, Extract, Figure, Flow, Item,
    LegReport, Method, OpenDocument, Party, PeriodName, Report, Signature, Status,
};
