//! The rules of tieout: one file per flow.
//!
//! A [`Flow`] looks at one record, three ways — what is wanted, what was last applied, what is there now —
//! and returns a [`Verdict`]. It sees the world only through [`Books`], which the caller has filled with
//! what the flow said it [`needs`](Flow::needs). There is no I/O and no clock here, so a plan can print the
//! verdicts, a simulation can run them a million times, and an auditor can run them again.

// A refusal is an answer like any other here: it is as frequent, and it is read by people, not in a hot loop.
#![allow(clippy::result_large_err)]

pub mod accounts;
pub mod attachments;
pub mod bill_payments;
pub mod bills;
mod books;
mod decided;
pub mod dimensions;
mod flow;
mod lines;
mod lists;
pub mod matching;
mod period;
pub mod preferences;
pub mod projection;
pub mod receivables;
mod scope;
mod text;
pub mod tie_out;
pub mod trace;
pub mod vendor_credits;
pub mod vendors;
mod verdict;

use tieout_domain::port::Ways;
use tieout_domain::{Book, Kind};

pub use books::{Books, Connection, Link, Map, MapStatus, Maps, MarkedBill, Seen};
pub use decided::Decided;
pub use flow::{Flow, Need, Step, Subject, Verdict};
pub use preferences::Preferences;
pub use receivables::receivables;

/// The flows of every sort of connection.
#[must_use]
pub fn all() -> Vec<Box<dyn Flow>> {
    let mut flows = payables();
    flows.extend(receivables(Ways::ALL));
    flows
}

/// The flows of a connection whose platform deals with this book in these ways.
#[must_use]
pub fn of(book: Book, ways: Ways) -> Vec<Box<dyn Flow>> {
    match book {
        Book::Payables => payables(),
        Book::Receivables => receivables(ways),
    }
}

/// The lists whose records people map for these flows, each once, in the order in which they are asked about.
pub fn mapped<'a>(flows: impl IntoIterator<Item = &'a dyn Flow>) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for kind in flows.into_iter().flat_map(Flow::maps) {
        if !kinds.contains(kind) {
            kinds.push(*kind);
        }
    }
    kinds
}

/// The flows of a payables connection, in the order in which a run takes them: what others refer to first.
#[must_use]
pub fn payables() -> Vec<Box<dyn Flow>> {
    vec![
        Box::new(accounts::Accounts),
        Box::new(dimensions::Dimensions),
        Box::new(vendors::Vendors),
        Box::new(bills::Bills),
        Box::new(vendor_credits::VendorCredits),
        Box::new(bill_payments::BillPayments),
        Box::new(attachments::Attachments),
    ]
}
