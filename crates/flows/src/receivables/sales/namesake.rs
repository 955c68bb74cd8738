//! Invoices that another system carries to the platform: nothing of them is written, and they are linked so that payments
//! come back (`receivables.mode = "payments-only"`).

use tieout_domain::code::Code;
use tieout_domain::{Document, Kind, RecordRef, Side};

use super::linked::is_closed;
use super::{Paper, This, wanted};
use crate::matching::normalised_name;
use crate::receivables::origin;
use crate::verdict::{blocked, done, noop, skipped};
use crate::{Books, Link, Need, Verdict};

/// What must be loaded to know whose invoices the two are.
pub(super) fn needs(this: &This<'_>, candidate: &RecordRef) -> Vec<Need> {
    if !this.is_carried() {
        return Vec::new();
    }
    let ours = Some(this.customer());
    let theirs = payer(this.books, candidate);
    ours.into_iter().chain(theirs).map(Need::Record).collect()
}

fn payer(books: &Books, invoice: &RecordRef) -> Option<RecordRef> {
    let customer = books.record(invoice)?.document.customer()?.clone();
    Some(RecordRef::new(invoice.side, Kind::Customer, customer))
}

/// Linked by number, total and the customer's name, where exactly one is alike.
pub(super) fn unlinked(this: &This<'_>) -> Verdict {
    let label = this.label();
    let found = this.books.matching.get(&this.same_number());
    let alike: Vec<_> = found
        .into_iter()
        .flatten()
        .filter(|record| is_alike(this, record))
        .collect();
    match alike.as_slice() {
        [] => {
            let cause =
                format!("{label} is carried by another system, and not on the platform yet");
            skipped(Code::new("payments-only"), cause)
        }
        [one] => this.adopt((*one).clone(), "number, customer and total"),
        several => {
            let cause = format!(
                "{label}: {} invoices on the platform bear its number, customer and total; say which it is",
                several.len()
            );
            blocked(Code::new("ambiguous-match"), cause)
        }
    }
}

fn is_alike(this: &This<'_>, record: &RecordRef) -> bool {
    let seen = this.books.record(record).filter(|seen| !seen.gone);
    let Some(there) = seen.and_then(|seen| Paper::of(&seen.document)) else {
        return false;
    };
    let free = origin::counterpart(this.books, this.flow, record).is_none();
    let ours = &this.paper;
    free && !there.is_voided()
        && there.number.trim() == wanted::number(this).trim()
        && (there.total, there.currency) == (ours.total, ours.currency)
        && name_of(this.books, &this.customer()).is_some_and(|name| {
            let payer = payer(this.books, record);
            payer.and_then(|payer| name_of(this.books, &payer)) == Some(name)
        })
}

/// The customer's name, as names are compared.
fn name_of(books: &Books, customer: &RecordRef) -> Option<String> {
    match &books.record(customer)?.document {
        Document::Customer(it) => Some(normalised_name(&it.name)),
        _ => None,
    }
}

/// The two are linked. What differs is the other system's to mend.
pub(super) fn linked(this: &This<'_>, link: &Link) -> Verdict {
    let seen = this.books.record(&link.target).filter(|seen| !seen.gone);
    let there = seen.and_then(|seen| Paper::of(&seen.document));
    let differs = match &there {
        Some(there) => there.total != this.paper.total || there.is_voided() != is_closed(this),
        None => !is_closed(this),
    };
    if !differs {
        return done();
    }
    let side = match link.target.side {
        Side::Platform => "on the platform",
        Side::Ledger => "in the ledger",
    };
    let amount = there.map_or_else(
        || "not there any more".to_owned(),
        |there| there.total.of(there.currency).to_string(),
    );
    let cause = format!(
        "{} of {} is {amount} {side}, where another system carries it",
        this.label(),
        this.paper.total.of(this.paper.currency)
    );
    noop(Code::new("payments-only"), cause)
}
