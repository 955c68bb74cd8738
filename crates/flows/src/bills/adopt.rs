//! Bills that are on the platform already: typed there by hand, or ours from before the memory was lost
//! (scenarios 78, 80, 222, 225–227).

use tieout_domain::code::Code;
use tieout_domain::document::{Bill, BillStatus, VendorCredit};
use tieout_domain::{Amount, Currency, Date, Document, Kind, Marker, RecordRef, RemoteId};

use super::wanted::is_balance;
use super::{OPENING, This, label};
use crate::verdict::{blocked, conflict};
use crate::{Books, Decided, Link, Need, Verdict};

/// How many days apart the dates of two bills may be to be proposed as one.
const DAYS_APART_MAX: i32 = 5;

/// A bill or credit of the platform, as far as recognising it goes.
pub(crate) struct Candidate<'a> {
    pub record: &'a RecordRef,
    pub vendor: &'a RemoteId,
    pub number: &'a str,
    pub date: Date,
    pub total: Amount,
    pub paid: Amount,
    pub currency: Currency,
    pub archived: bool,
    pub marker: Option<&'a Marker>,
    /// Whether it is only what was open at cut-over.
    pub opening: bool,
}

/// The candidate that a record of the platform is.
pub(crate) fn candidate<'a>(
    record: &'a RecordRef,
    document: &'a Document,
) -> Option<Candidate<'a>> {
    match document {
        Document::Bill(Bill {
            vendor,
            number,
            date,
            total,
            open,
            scheduled,
            currency,
            status,
            marker,
            lines,
            ..
        }) => {
            let paid = total.minus(*open).unwrap_or(*total);
            let paid = if paid.is_zero() { *scheduled } else { paid };
            Some(Candidate {
                record,
                vendor,
                number,
                date: *date,
                total: *total,
                paid,
                currency: *currency,
                archived: *status == BillStatus::Archived,
                marker: marker.as_ref(),
                opening: is_balance(lines),
            })
        }
        Document::VendorCredit(VendorCredit {
            vendor,
            number,
            date,
            total,
            open,
            currency,
            status,
            marker,
            lines,
            ..
        }) => Some(Candidate {
            record,
            vendor,
            number,
            date: *date,
            total: *total,
            paid: total.minus(*open).unwrap_or(*total),
            currency: *currency,
            archived: *status == BillStatus::Archived,
            marker: marker.as_ref(),
            opening: is_balance(lines),
        }),
        _ => None,
    }
}

fn candidates<'a>(this: &This<'a>) -> Vec<Candidate<'a>> {
    let Some(key) = this.candidate_key() else {
        return Vec::new();
    };
    let found = this.books.matching.get(&key).map_or(&[][..], Vec::as_slice);
    found
        .iter()
        .filter(|record| this.books.links_to(record).is_empty())
        .filter_map(|record| {
            let seen = this.books.record(record).filter(|seen| !seen.gone)?;
            candidate(record, &seen.document)
        })
        .collect()
}

/// A person's choice, or tieout's own mark: certain, whatever the rules say by now.
pub(super) fn by_mark(this: &This<'_>) -> Option<Verdict> {
    if let Some(Decided::Link(target)) = this.books.decided(super::NAME, this.record) {
        let free = this.books.links_to(target).is_empty();
        let there = this.books.record(target).is_some_and(|seen| !seen.gone);
        if free && there {
            return Some(take(this, target, "a person's choice"));
        }
        let cause = format!(
            "{} can't be linked to {target}: it is gone, or another bill's",
            this.label()
        );
        return Some(blocked(Code::new("link-refused"), cause));
    }
    by_own_mark(this)
}

/// The same for a bill whose counterpart is put away because its vendor changed; what is put away, too, is none.
pub(super) fn for_new_vendor(this: &This<'_>, link: &Link) -> Option<Verdict> {
    match this.books.decided(super::NAME, this.record) {
        Some(Decided::Link(target)) if *target != link.target => return by_mark(this),
        Some(Decided::Create) => return None,
        _ => {}
    }
    let payee = &this.vendor_link()?.target.id;
    let mut own = marked(this.books, &this.record.id, this.candidate_kind());
    own.retain(|one| one.vendor == payee && !one.archived);
    match own.as_slice() {
        [] => None,
        [one] => Some(adopt(this, one, "marker")),
        several => Some(ambiguous(this, several)),
    }
}

/// Tieout's own mark on a bill of the vendor's.
fn by_own_mark(this: &This<'_>) -> Option<Verdict> {
    let marked = marked(this.books, &this.record.id, this.candidate_kind());
    if marked.is_empty() {
        return None;
    }
    // Whose it must be, the vendor's link tells; and that is found through the mark, too.
    let payee = match this.vendor_link() {
        Some(link) => &link.target.id,
        None => return this.payee().err().map(Verdict::Rest),
    };
    let mut own: Vec<_> = marked
        .into_iter()
        .filter(|one| one.vendor == payee)
        .collect();
    // One that stands goes before those that were put away; several of these are for a person.
    if own.iter().any(|candidate| !candidate.archived) {
        own.retain(|candidate| !candidate.archived);
    }
    match own.as_slice() {
        [] => None,
        [one] => Some(adopt(this, one, "marker")),
        several => Some(ambiguous(this, several)),
    }
}

/// The mark is on a bill of another vendor only: made anew here, it may be paid twice.
pub(super) fn marked_elsewhere(this: &This<'_>) -> Option<Verdict> {
    if this.books.decided(super::NAME, this.record) == Some(&Decided::Create) {
        return None;
    }
    let payee = &this.vendor_link()?.target.id;
    let marked = marked(this.books, &this.record.id, this.candidate_kind());
    let other = marked
        .iter()
        .find(|one| !one.archived && one.vendor != payee)?;
    let cause = format!(
        "{} is marked on the platform as {} ({}) of {}, which belongs to vendor {}, and its own vendor is {payee}",
        this.label(),
        other.number,
        other.record.id,
        other.total,
        other.vendor
    );
    Some(blocked(Code::new("marked-elsewhere"), cause))
}

/// What bears the mark of a document of the ledger, and is nobody's counterpart yet.
pub(crate) fn marked<'a>(books: &'a Books, id: &RemoteId, kind: Kind) -> Vec<Candidate<'a>> {
    let mark = books.connection.marker(id);
    let found = books.marked.get(&mark).map_or(&[][..], Vec::as_slice);
    found
        .iter()
        .filter(|record| record.kind == kind && books.links_to(record).is_empty())
        .filter_map(|record| {
            let seen = books.record(record).filter(|seen| !seen.gone)?;
            candidate(record, &seen.document)
        })
        .collect()
}

/// What must be loaded to find what bears the mark of a document of the ledger.
pub(crate) fn marked_needs(books: &Books, id: &RemoteId) -> Vec<Need> {
    let mark = books.connection.marker(id);
    let mut needs: Vec<Need> = books
        .marked
        .get(&mark)
        .into_iter()
        .flatten()
        .flat_map(|record| [Need::Record(record.clone()), Need::LinkedTo(record.clone())])
        .collect();
    needs.push(Need::Marked(mark));
    needs
}

fn adopt(this: &This<'_>, one: &Candidate<'_>, how: &'static str) -> Verdict {
    let role = if one.opening { OPENING } else { "" };
    Verdict::Adopt {
        target: one.record.clone(),
        role: role.to_owned(),
        how,
        key: Some(this.key()),
    }
}

fn take(this: &This<'_>, target: &RecordRef, how: &'static str) -> Verdict {
    let role = if is_the_rest(this, target) {
        OPENING
    } else {
        ""
    };
    Verdict::Adopt {
        target: target.clone(),
        role: role.to_owned(),
        how,
        key: Some(this.key()),
    }
}

/// Whether somebody entered just what is left of a partly paid bill: raised to the whole of it, it would be paid twice by
/// what was paid before, wherever that can't be recorded.
fn is_the_rest(this: &This<'_>, target: &RecordRef) -> bool {
    let bill = this.bill;
    let there = this.books.record(target).map(|seen| &seen.document);
    matches!(there, Some(Document::Bill(there)) if there.total == bill.open)
        && bill.open.is_positive()
        && bill.open != bill.total
}

fn ambiguous(this: &This<'_>, several: &[Candidate<'_>]) -> Verdict {
    let list: Vec<_> = several
        .iter()
        .map(|one| format!("{} ({}) of {}", one.number, one.record.id, one.total))
        .collect();
    let cause = format!(
        "{} could be each of these on the platform: {}",
        this.label(),
        list.join(", ")
    );
    blocked(Code::new("ambiguous-match"), cause)
}

/// While the links are rebuilt: the one that agrees in number, total and currency, also if the ledger's bill is
/// paid by now and would stay out.
pub(super) fn known_again(this: &This<'_>) -> Option<Verdict> {
    let verdict = this.books.recovering.then(|| by_content(this))??;
    matches!(verdict, Verdict::Adopt { .. }).then_some(verdict)
}

/// What the number, the total and the date say. Amount and date alone never make a pair.
pub(super) fn by_content(this: &This<'_>) -> Option<Verdict> {
    if this.books.decided(super::NAME, this.record) == Some(&Decided::Create) {
        return None;
    }
    let ours = this.books.connection.marker(&this.record.id);
    let candidates: Vec<_> = candidates(this)
        .into_iter()
        .filter(|one| !one.archived && one.marker.is_none_or(|marker| *marker == ours))
        .collect();
    let total = this.bill.total.abs();
    let exact: Vec<&Candidate<'_>> = candidates
        .iter()
        .filter(|one| {
            one.number == this.number() && one.total == total && one.currency == this.bill.currency
        })
        .collect();
    match exact.as_slice() {
        [one] => {
            if let Some(rival) = rival(this, one) {
                return Some(rival);
            }
            if one.paid.is_zero() || this.books.recovering {
                return Some(adopt(this, one, "number and amount"));
            }
            let cause = format!(
                "{} is on the platform as {}, where {} of {} is paid or scheduled: link it?",
                this.label(),
                one.record.id,
                one.paid,
                one.total
            );
            return Some(blocked(Code::new("adopt-paid"), cause));
        }
        [] => {}
        _ => return Some(ambiguous(this, &candidates)),
    }
    let weak = |one: &&Candidate<'_>| {
        one.total == total && (one.date - this.bill.date).get_days().abs() <= DAYS_APART_MAX
    };
    let similar: Vec<_> = candidates.iter().filter(weak).collect();
    if let [one] = similar.as_slice() {
        let cause = format!(
            "{} resembles {} ({}) on the platform, both of {total}: link it, or create a new one",
            this.label(),
            one.number,
            one.record.id
        );
        return Some(blocked(Code::new("resembles"), cause));
    }
    let same_number: Vec<_> = candidates
        .iter()
        .filter(|one| one.number == this.number())
        .collect();
    match (candidates.as_slice(), same_number.as_slice()) {
        ([], _) => None,
        (_, [one]) => {
            let cause = format!(
                "{} of {total} {} is on the platform as {} of {} {}",
                this.label(),
                this.bill.currency,
                one.record.id,
                one.total,
                one.currency
            );
            Some(conflict(Code::new("adopt-differs"), cause))
        }
        (_, []) if similar.is_empty() => None,
        _ => Some(ambiguous(this, &candidates)),
    }
}

/// Another bill of the ledger that would take the same counterpart (scenario 80).
fn rival(this: &This<'_>, one: &Candidate<'_>) -> Option<Verdict> {
    let rivals = this.books.matching.get(&this.twin_key()?)?;
    let rival = rivals
        .iter()
        .filter(|twin| twin.id != this.record.id)
        .find_map(|twin| {
            let seen = this.books.record(twin).filter(|seen| !seen.gone)?;
            let Document::Bill(bill) = &seen.document else {
                return None;
            };
            let alive = !matches!(
                bill.status,
                BillStatus::Voided | BillStatus::Cancelled | BillStatus::Rejected
            );
            let same = bill.number == this.bill.number && bill.total == this.bill.total;
            let free = this.books.links_of(super::NAME, twin).is_empty();
            (alive && same && free)
                .then(|| label(bill, &twin.id, this.books) + &format!(" (id {})", twin.id))
        })?;
    let cause = format!(
        "{} and {rival} both match {} on the platform",
        this.label(),
        one.record.id
    );
    Some(blocked(Code::new("ambiguous-match"), cause))
}
