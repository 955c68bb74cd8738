//! Receivables: customers, invoices and credit memos by origin, and payments both ways (scenarios 170–200).
//!
//! A document is mastered where it began. What began in the ledger goes to the platform, whose edits of it are
//! shown and never written back; what began on the platform goes to the ledger once a person has switched that
//! on. A link leads from the record that began to its copy, so that either side may be the one it starts from.

mod account;
pub mod customers;
mod origin;
pub mod payments;
pub mod sales;

use tieout_domain::port::Ways;

use crate::Flow;

/// The flows of a receivables connection whose platform has these ways, in the order in which a run takes them: what
/// others refer to first.
#[must_use]
pub fn receivables(ways: Ways) -> Vec<Box<dyn Flow>> {
    let mut flows: Vec<Box<dyn Flow>> =
        vec![Box::new(customers::Customers), Box::new(sales::INVOICES)];
    if ways.credit_notes {
        flows.push(Box::new(sales::CREDIT_MEMOS));
    }
    flows.push(Box::new(payments::Payments));
    flows
}
