//! What of a document this system writes: the part that must be as it was decided on before it is written over, and
//! needs no write when it is as wanted.

use serde_json::{Value, json};
use tieout_domain::Document;
use tieout_domain::document::{Address, Customer};

use crate::payments::used;
use crate::{credit_memos, invoices};

/// The written part, in a form that compares.
fn written(document: &Document) -> Value {
    match document {
        Document::Customer(customer) => of_customer(customer),
        Document::Invoice(invoice) => {
            json!([invoices::wanted(invoice).projected(), invoice.status])
        }
        Document::CreditMemo(memo) => json!([credit_memos::wanted(memo).projected(), memo.status]),
        Document::CustomerPayment(payment) => json!([
            payment.customer,
            payment.number.trim(),
            payment.date,
            payment.currency,
            payment.total,
            used(payment),
            payment.method,
            payment.status,
            payment.memo.trim(),
        ]),
        // Nothing else is written here.
        _ => Value::Null,
    }
}

fn of_customer(customer: &Customer) -> Value {
    let nothing = Address::default();
    let a = customer.address.as_ref().unwrap_or(&nothing);
    let address = [&a.line1, &a.line2, &a.city, &a.state, &a.zip, &a.country];
    json!([
        customer.name.trim(),
        customer.number.trim(),
        customer.email.trim(),
        customer.phone.trim(),
        address.map(|part| part.trim()),
        customer.currency,
        customer.terms,
        customer.parent,
    ])
}

/// Whether nobody changed the written part between the decision and now.
pub(crate) fn untouched(expected: &Document, there: &Document) -> bool {
    written(expected) == written(there)
}

/// Whether what is wanted is there already, its mark included.
pub(crate) fn as_wanted(wanted: &Document, there: &Document) -> bool {
    let marked = wanted.marker().is_none() || wanted.marker() == there.marker();
    marked && untouched(&open_as(wanted, there), there)
}

/// What is wanted never says how much of it is paid, so the status that it would have follows what is there.
fn open_as(wanted: &Document, there: &Document) -> Document {
    let mut wanted = wanted.clone();
    match (&mut wanted, there) {
        (Document::Invoice(wanted), Document::Invoice(there)) => {
            wanted.status.clone_from(&there.status);
        }
        (Document::CreditMemo(wanted), Document::CreditMemo(there)) => {
            wanted.status.clone_from(&there.status);
        }
        (Document::CustomerPayment(wanted), Document::CustomerPayment(there)) => {
            wanted.status.clone_from(&there.status);
        }
        _ => {}
    }
    wanted
}
