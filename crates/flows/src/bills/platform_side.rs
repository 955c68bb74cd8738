//! Bills of the platform: one that stands for a bill of the ledger is looked at there; what nobody stands for
//! is an orphan (scenario 79).

use tieout_domain::code::Code;
use tieout_domain::document::{Bill, BillStatus};
use tieout_domain::{Document, Kind, RecordRef, RemoteId, Side, State};

use super::{NAME, rule};
use crate::matching::document_number_key;
use crate::verdict::{ignored, rest, skipped};
use crate::{Books, Decided, Need, Subject, Verdict, vendors};

fn ledger_vendors(bill: &Bill, books: &Books) -> Vec<RemoteId> {
    let vendor = RecordRef::new(Side::Platform, Kind::Vendor, bill.vendor.clone());
    let links = books.links_to(&vendor).iter();
    links
        .filter(|link| link.flow == vendors::NAME)
        .map(|link| link.record.id.clone())
        .collect()
}

/// Bills of the ledger that may be the same one.
fn counterparts(bill: &Bill, books: &Books) -> Vec<RecordRef> {
    let mut found: Vec<RecordRef> = ledger_vendors(bill, books)
        .iter()
        .flat_map(|vendor| {
            let key = (
                Side::Ledger,
                Kind::Bill,
                document_number_key(vendor, &bill.number),
            );
            books.matching.get(&key).cloned().unwrap_or_default()
        })
        .collect();
    if let Some(marker) = &bill.marker
        && marker.account == books.connection.ledger_account
    {
        found.push(RecordRef::new(Side::Ledger, Kind::Bill, marker.id.clone()));
    }
    found.sort();
    found.dedup();
    found
}

pub(super) fn needs(record: &RecordRef, bill: &Bill, books: &Books) -> Vec<Need> {
    let vendor = RecordRef::new(Side::Platform, Kind::Vendor, bill.vendor.clone());
    let mut needs = vec![
        Need::LinkedTo(record.clone()),
        Need::Decisions(NAME, record.clone()),
        Need::LinkedTo(vendor),
    ];
    for vendor in ledger_vendors(bill, books) {
        let key = document_number_key(&vendor, &bill.number);
        needs.push(Need::Matching(Side::Ledger, Kind::Bill, key));
        needs.push(Need::Record(RecordRef::new(
            Side::Ledger,
            Kind::Vendor,
            vendor,
        )));
    }
    for counterpart in counterparts(bill, books) {
        needs.push(Need::Record(counterpart.clone()));
        needs.push(Need::Links(NAME, counterpart));
    }
    needs
}

pub(super) fn decide(subject: &Subject<'_>, bill: &Bill, books: &Books) -> Verdict {
    let record = subject.record;
    if !books.links_to(record).is_empty() || subject.gone {
        return Verdict::Elsewhere;
    }
    if let Some(verdict) = ignored(books, NAME, record) {
        return verdict;
    }
    if bill.status == BillStatus::Archived {
        let cause = format!("bill {} is archived on the platform", bill.number);
        return skipped(Code::new("archived"), cause);
    }
    let stands_for_it = counterparts(bill, books).iter().any(|counterpart| {
        let Some(seen) = books.record(counterpart).filter(|seen| !seen.gone) else {
            return false;
        };
        let Document::Bill(ledger) = &seen.document else {
            return false;
        };
        let free = books.links_of(NAME, counterpart).is_empty();
        let marked = bill
            .marker
            .as_ref()
            .is_some_and(|marker| marker.id == counterpart.id);
        let alike = ledger.number == bill.number || ledger.total == bill.total;
        free && (marked || (alike && rule(ledger, &counterpart.id, books).is_none()))
    });
    if stands_for_it {
        return Verdict::Elsewhere;
    }
    let cause = format!(
        "bill {} of {} dated {} is on the platform only: {}",
        bill.number,
        bill.total.of(bill.currency),
        bill.date,
        orphan_fix(NAME, record, books)
    );
    rest(State::Orphan, Code::new("only-on-platform"), cause)
}

/// What can be done about a document of the platform that nobody stands for. Which one it is, its counterpart in the ledger
/// must say: a link leads from there.
pub(crate) fn orphan_fix(flow: &str, record: &RecordRef, books: &Books) -> String {
    let decided = match books.decided(flow, record) {
        Some(Decided::Link(ledger)) => Some(ledger),
        _ => None,
    };
    let any = RecordRef::new(Side::Ledger, record.kind, "ID");
    let from = decided.unwrap_or(&any);
    let fix = format!(
        "enter it in the ledger, link it from there (`{from}` to `{record}`), or ignore it"
    );
    match decided {
        Some(_) => format!("a link decided here, at the platform's record, has no effect; {fix}"),
        None => fix,
    }
}
