//! Settling an unknown outcome: is one of these records what the order made? (scenarios 147, 222, 223)

use tieout_domain::document::{
    Bill, BillStatus, CreditMemo, Invoice, InvoiceStatus, Payment, PaymentStatus, ReceiptStatus,
    VendorCredit,
};
use tieout_domain::port::{Action, Observed, Order};
use tieout_domain::{Document, RemoteId};

use crate::projection::{same_applications, same_writable};

/// What became of an order whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It was carried out: this is the record.
    Found(RemoteId),
    /// None of the records is its work.
    Absent,
    /// Several could be: a person must say.
    Ambiguous(Vec<RemoteId>),
}

/// Is one of these what the order made, or does its target show what the order asked for?
///
/// The mark or the key counts first. Without it: bills and credits by vendor, exact number, total and
/// currency; vendors by exact name; accounts by number, name and parent; dimensions by name and parent;
/// outside payments by vendor, day and applications. The candidates are those made in the attempt's window.
#[must_use]
pub fn judge(order: &Order, candidates: &[Observed]) -> Judgement {
    if let (Some(target), true) = (&order.target, order.action != Action::Create) {
        let done = candidates
            .iter()
            .find(|candidate| candidate.id == *target)
            .is_some_and(|candidate| carried_out(order, &candidate.document));
        return if done {
            Judgement::Found(target.clone())
        } else {
            Judgement::Absent
        };
    }
    if let Some(id) = recognise(order, candidates) {
        return Judgement::Found(id);
    }
    for tier in [marked, alike] {
        let mut found = fitting(tier, order, candidates);
        match found.len() {
            0 => {}
            1 => return Judgement::Found(found.swap_remove(0)),
            _ => return Judgement::Ambiguous(found),
        }
    }
    Judgement::Absent
}

/// The one record that is surely what the order made: it alone bears its mark or its key, or without a mark is
/// the same in all that was written. What one order recognises, another that is merely alike must not be given.
#[must_use]
pub fn recognise(order: &Order, candidates: &[Observed]) -> Option<RemoteId> {
    let same = |order: &Order, there: &Document| {
        alike(order, there) && same_writable(&order.document, there)
    };
    match fitting(marked, order, candidates).as_slice() {
        [] => match fitting(same, order, candidates).as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        },
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn fitting(
    fits: impl Fn(&Order, &Document) -> bool,
    order: &Order,
    candidates: &[Observed],
) -> Vec<RemoteId> {
    let mut found: Vec<RemoteId> = candidates
        .iter()
        .filter(|candidate| fits(order, &candidate.document))
        .map(|candidate| candidate.id.clone())
        .collect();
    found.sort();
    found.dedup();
    found
}

fn carried_out(order: &Order, now: &Document) -> bool {
    let inactive = match now {
        Document::Account(account) => account.inactive,
        Document::Dimension(dimension) => dimension.inactive,
        Document::Vendor(vendor) => vendor.inactive,
        Document::Bill(Bill { status, .. })
        | Document::VendorCredit(VendorCredit { status, .. }) => *status == BillStatus::Archived,
        // Where nothing is written off, what is archived is voided.
        Document::Invoice(Invoice { status, .. }) => {
            matches!(status, InvoiceStatus::WrittenOff | InvoiceStatus::Voided)
        }
        _ => false,
    };
    match order.action {
        Action::Archive => inactive,
        Action::Restore => !inactive,
        Action::Void => match now {
            Document::Payment(Payment { status, .. }) => matches!(
                status,
                PaymentStatus::Voided
                    | PaymentStatus::VoidPending
                    | PaymentStatus::LedgerVoided
                    | PaymentStatus::Canceled
            ),
            Document::Invoice(Invoice { status, .. })
            | Document::CreditMemo(CreditMemo { status, .. }) => *status == InvoiceStatus::Voided,
            Document::CustomerPayment(it) => it.status == ReceiptStatus::Voided,
            _ => false,
        },
        Action::Amend => {
            same_writable(&order.document, now)
                && (!moves_applications(order) || same_use(&order.document, now))
        }
        Action::Create => same_writable(&order.document, now),
    }
}

/// Whether an amendment of a credit is about what it is applied to, and nothing else: what is written of the credit
/// itself is there before and after it.
fn moves_applications(order: &Order) -> bool {
    order.expect.as_ref().is_some_and(|before| {
        same_writable(&order.document, before) && !same_use(&order.document, before)
    })
}

/// Whether two credits are applied to the same documents. What is no credit is not applied.
fn same_use(one: &Document, other: &Document) -> bool {
    match (one, other) {
        (Document::VendorCredit(one), Document::VendorCredit(other)) => {
            same_applications(&one.applications, &other.applications)
        }
        (Document::CreditMemo(one), Document::CreditMemo(other)) => {
            same_applications(&one.applications, &other.applications)
        }
        _ => true,
    }
}

/// Carries the order's mark or key.
fn marked(order: &Order, candidate: &Document) -> bool {
    let made = &order.document;
    if made.kind() != candidate.kind() {
        return false;
    }
    let by_reference = match (made, candidate) {
        (Document::Payment(made), Document::Payment(there)) => {
            made.outside && there.outside && there.reference == order.key.as_str()
        }
        _ => false,
    };
    candidate.external_id() == Some(&order.key)
        || (made.marker().is_some() && made.marker() == candidate.marker())
        || by_reference
}

/// Bears no mark, and is the same in all that is known of it.
fn alike(order: &Order, candidate: &Document) -> bool {
    match (&order.document, candidate) {
        (Document::Bill(made), Document::Bill(there)) => {
            there.marker.is_none()
                && there.external_id.is_none()
                && (&made.vendor, &made.number, made.total, made.currency)
                    == (&there.vendor, &there.number, there.total, there.currency)
        }
        (Document::VendorCredit(made), Document::VendorCredit(there)) => {
            there.marker.is_none()
                && there.external_id.is_none()
                && (&made.vendor, &made.number, made.total, made.currency)
                    == (&there.vendor, &there.number, there.total, there.currency)
        }
        (Document::Vendor(made), Document::Vendor(there)) => {
            // A vendor that a person entered meanwhile under the same name bears other particulars.
            let agree = |a: &str, b: &str| {
                let (a, b) = (a.trim(), b.trim());
                a.is_empty() || b.is_empty() || a.eq_ignore_ascii_case(b)
            };
            made.name.trim() == there.name.trim()
                && agree(&made.email, &there.email)
                && agree(&made.account_number, &there.account_number)
                && (there.currency.is_none()
                    || made.currency.is_none()
                    || made.currency == there.currency)
        }
        (Document::Account(made), Document::Account(there)) => {
            (made.number.trim(), made.name.trim(), &made.parent)
                == (there.number.trim(), there.name.trim(), &there.parent)
        }
        (Document::Dimension(made), Document::Dimension(there)) => {
            (made.axis, made.name.trim(), &made.parent)
                == (there.axis, there.name.trim(), &there.parent)
        }
        (Document::Payment(made), Document::Payment(there)) => {
            made.outside
                && there.outside
                && there.reference.is_empty()
                && (&made.vendor, made.date, made.total) == (&there.vendor, there.date, there.total)
                && applied(made) == applied(there)
        }
        // A bill's files go over under names of which it has each once.
        (Document::Attachment(made), Document::Attachment(there)) => {
            (&made.bill, &made.name) == (&there.bill, &there.name)
        }
        _ => false,
    }
}

fn applied(payment: &Payment) -> Vec<(&RemoteId, tieout_domain::Amount)> {
    let mut applied: Vec<_> = payment
        .applications
        .iter()
        .map(|a| (&a.document, a.amount))
        .collect();
    applied.sort();
    applied
}
