//! Receivables: customers, invoices and credit memos by origin, payments both ways, and what a platform pays out
//! (scenarios 170–200).
//!
//! A document is mastered where it began. What began in the ledger goes to the platform, whose edits of it are
//! shown and never written back; what began on the platform goes to the ledger once a person has switched that
//! on. A link leads from the record that began to its copy, so that either side may be the one it starts from.
//!
//! Platforms differ in their [`Ways`]. On one without credit notes, what was settled in the ledger is told by invoice
//! ([`payments::BY_INVOICE`]); one whose customers and invoices stay there gets no copies in the ledger; one that pays
//! out gives a deposit for each payout.

mod account;
pub mod customers;
pub mod deposits;
pub mod documents;
mod elsewhere;
mod on_copy;
mod origin;
pub mod payments;
pub mod sales;

use tieout_domain::port::Ways;

use crate::Flow;

/// The flows of a receivables connection whose platform has these ways, in the order in which a run takes them: what
/// others refer to first. Where settlements are told by invoice they come before the invoices, so that an invoice which
/// they settle is not taken for one that was settled in another way.
#[must_use]
pub fn receivables(ways: Ways) -> Vec<Box<dyn Flow>> {
    let mut flows: Vec<Box<dyn Flow>> = vec![Box::new(customers::of(ways))];
    if ways.credit_notes {
        flows.push(Box::new(sales::invoices(ways)));
        flows.push(Box::new(sales::CREDIT_MEMOS));
        flows.push(Box::new(payments::BY_RECORD));
    } else {
        flows.push(Box::new(payments::BY_INVOICE));
        flows.push(Box::new(sales::invoices(ways)));
    }
    if ways.pays_out {
        flows.push(Box::new(deposits::Deposits));
    }
    if ways.shows_pdfs {
        flows.push(Box::new(documents::Documents));
    }
    flows
}
