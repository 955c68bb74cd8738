//! What settles a bill in the ledger, and whether its copy on the platform is less by that.

use tieout_domain::document::{Application, Bill};
use tieout_domain::{Document, Kind, RecordRef, RemoteId, Side, WaitsFor};

use super::{NAME, OPENING};
use crate::{Books, Link, Need, Seen};

/// A bill of the ledger.
fn here(id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Ledger, Kind::Bill, id.clone())
}

fn bill<'a>(books: &'a Books, record: &RecordRef) -> Option<&'a Bill> {
    match books.record(record) {
        Some(Seen {
            document: Document::Bill(bill),
            gone: false,
            ..
        }) => Some(bill),
        _ => None,
    }
}

/// The platform's counterpart of a bill, and its link.
pub(crate) fn counterpart<'a>(books: &'a Books, id: &RemoteId) -> Option<&'a Link> {
    let links = books.links_of(NAME, &here(id)).iter();
    links
        .filter(|link| link.target.kind == Kind::Bill)
        .find(|link| link.role.is_empty() || link.role == OPENING)
}

/// The same, with what stands there.
pub(crate) fn copy<'a>(books: &'a Books, id: &RemoteId) -> Option<(&'a Link, &'a Bill)> {
    let link = counterpart(books, id)?;
    Some((link, bill(books, &link.target)?))
}

/// What must be loaded to know of a bill what this module tells.
pub(crate) fn needs(books: &Books, id: &RemoteId) -> Vec<Need> {
    let mut needs = vec![Need::Links(NAME, here(id)), Need::Record(here(id))];
    needs.extend(counterpart(books, id).map(|link| Need::Record(link.target.clone())));
    needs
}

/// Whether the copy doesn't have the whole of it open any more beside what the ledger has: it came over partly paid, was there
/// already, or somebody did the same there.
pub(crate) fn reflected(application: &Application, there: &Bill, books: &Books) -> bool {
    let seen = books.record(&here(&application.document));
    let Some(Document::Bill(here)) = seen.map(|seen| &seen.document) else {
        return false;
    };
    let unpaid = there.open.plus(there.scheduled).unwrap_or(there.open);
    unpaid
        .minus(here.open)
        .is_ok_and(|more| more < application.amount)
}

/// Until a bill or its copy changes, or it gets one.
pub(crate) fn until(id: &RemoteId) -> WaitsFor {
    WaitsFor::Link(NAME.to_owned(), here(id))
}

/// Until a bill that is not on the platform gets there; one that is open, and so may be sent, before one that only a person
/// can link.
pub(crate) fn until_linked(applications: &[Application], books: &Books) -> Option<WaitsFor> {
    // What is applied to a line is applied to a journal entry.
    let of_bills = applications.iter().filter(|one| one.line.is_none());
    let mut missing = of_bills.filter(|one| copy(books, &one.document).is_none());
    let first = missing.clone().next()?;
    let open = missing
        .find(|one| bill(books, &here(&one.document)).is_some_and(|bill| bill.open.is_positive()));
    Some(until(&open.unwrap_or(first).document))
}
