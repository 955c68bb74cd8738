//! A bill that has its counterpart: edits, deletions, voids, and what the platform did to it
//! (scenarios 36, 38, 57–68).

use tieout_domain::code::Code;
use tieout_domain::document::{Approval, Bill, BillStatus, VendorCredit};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, Outcome, RecordRef, RemoteId, Side, State, WaitsFor};

use super::{OPENING, This, adopt, wanted};
use crate::projection::{Difference, bill_differences};
use crate::vendors::OPEN_BILLS;
use crate::verdict::{amendment_key, blocked, conflict, done, done_with, hold, noop, rest};
use crate::{Link, Step, Verdict};

/// What is paid or on its way to be, on the platform.
struct Exposure {
    paid: Amount,
    scheduled: Amount,
}

impl Exposure {
    fn of(bill: &Bill) -> Self {
        let used = bill.total.minus(bill.open).unwrap_or(bill.total);
        let paid = used.minus(bill.scheduled).unwrap_or(used);
        let paid = if bill.status == BillStatus::Paid {
            bill.total
        } else {
            paid
        };
        Self {
            paid,
            scheduled: bill.scheduled,
        }
    }

    fn untouched(&self) -> bool {
        self.paid.is_zero() && self.scheduled.is_zero()
    }

    fn words(&self) -> String {
        format!(
            "{} is paid and {} scheduled there",
            self.paid, self.scheduled
        )
    }
}

pub(super) fn decide(this: &This<'_>, link: &Link) -> Verdict {
    let label = this.label();
    let Some(seen) = this.books.record(&link.target).filter(|seen| !seen.gone) else {
        if closed(this) {
            return noop(
                Code::new("closed-on-both-sides"),
                format!("{label} is gone from both sides"),
            );
        }
        let cause = format!(
            "{label} leads to {} on the platform, which is no longer there",
            link.target.id
        );
        return blocked(Code::new("counterpart-gone"), cause);
    };
    match &seen.document {
        Document::Bill(there) => bill(this, link, there, &seen.document),
        Document::VendorCredit(there) => credit(this, link, there),
        _ => blocked(
            Code::new("counterpart-gone"),
            format!("{label} leads to {}", link.target),
        ),
    }
}

/// Whether it no longer is a payable in the ledger.
fn closed(this: &This<'_>) -> bool {
    this.gone
        || matches!(
            this.bill.status,
            BillStatus::Voided
                | BillStatus::Cancelled
                | BillStatus::Archived
                | BillStatus::Rejected
        )
}

fn bill(this: &This<'_>, link: &Link, there: &Bill, expect: &Document) -> Verdict {
    let label = this.label();
    let exposure = Exposure::of(there);
    let archived = there.status == BillStatus::Archived;
    if closed(this) {
        let cause = format!(
            "{label} was deleted, voided or rejected in the ledger; {}",
            exposure.words()
        );
        return match (archived, exposure.untouched()) {
            (true, _) => noop(
                Code::new("closed-on-both-sides"),
                format!("{label} is closed on both sides"),
            ),
            (false, true) => put_away(
                this,
                link,
                expect,
                true,
                "it was deleted or voided in the ledger",
            ),
            (false, false) => blocked(Code::new("paid-bill-deleted"), cause),
        };
    }
    if let Some(verdict) = stopped(this, &exposure) {
        return verdict;
    }
    if let BillStatus::Other(word) = &there.status {
        let cause =
            format!("{label} has the status `{word}` on the platform, which tieout doesn't know");
        return blocked(Code::new("unknown-status"), cause);
    }
    let moved = this.vendor_link().map(|link| &link.target.id) != Some(&there.vendor);
    if archived && !moved {
        return archived_there(this, link, expect);
    }
    if moved {
        return vendor_changed(this, link, there, expect, &exposure, archived);
    }
    if there.approval == Approval::Denied {
        let cause = format!("{label} was denied on the platform; it stays open in the ledger");
        return blocked(Code::new("denied-on-platform"), cause);
    }
    let document = match wanted::document(this, there.vendor.clone(), Some(there)) {
        Ok(document) => document,
        Err(outcome) => return untranslatable(this, there, outcome, &exposure),
    };
    let Document::Bill(wanted) = &document else {
        let cause =
            format!("{label} is now below zero: it can't be the same document on the platform");
        return blocked(Code::new("sign-changed"), cause);
    };
    let applied = match &link.applied {
        Some(Document::Bill(applied)) => Some(applied),
        _ => None,
    };
    edited(&Edit {
        this,
        link,
        wanted,
        there,
        applied,
        exposure: &exposure,
        expect,
    })
}

/// Not payable at the moment though it is on the platform already (scenarios 29 and 36).
fn stopped(this: &This<'_>, exposure: &Exposure) -> Option<Verdict> {
    let label = this.label();
    let pending = this.bill.status == BillStatus::PendingApproval
        || (this.bill.status == BillStatus::Open && this.bill.approval == Approval::Pending);
    let (code, urgent, what) = if pending {
        (
            Code::new("back-to-pending"),
            Code::new("pending-but-scheduled"),
            "is waiting for approval again in the ledger",
        )
    } else if this.bill.payment_hold && this.bill.status == BillStatus::Open {
        (
            Code::new("payment-hold"),
            Code::new("hold-but-scheduled"),
            "is on payment hold in the ledger",
        )
    } else {
        return None;
    };
    let cause = format!("{label} {what}; {}", exposure.words());
    Some(if exposure.scheduled.is_zero() {
        hold(code, cause)
    } else {
        blocked(urgent, cause)
    })
}

/// Somebody archived it there (scenario 67).
fn archived_there(this: &This<'_>, link: &Link, expect: &Document) -> Verdict {
    let label = this.label();
    if this.bill.open.is_zero() || this.bill.status == BillStatus::Paid {
        return noop(
            Code::new("closed-on-both-sides"),
            format!("{label} is closed on both sides"),
        );
    }
    let code = Code::new("archived-on-platform");
    if this.accepted(&code) {
        return put_away(this, link, expect, false, "a person asked for it");
    }
    let cause = format!(
        "{label} was archived on the platform, but {} of it is open in the ledger",
        this.bill.open
    );
    blocked(code, cause)
}

fn put_away(this: &This<'_>, link: &Link, expect: &Document, away: bool, because: &str) -> Verdict {
    let document = match expect.clone() {
        Document::Bill(bill) => Document::Bill(Bill {
            status: if away {
                BillStatus::Archived
            } else {
                BillStatus::Open
            },
            exchange_rate: None,
            ..bill
        }),
        other => other,
    };
    let word = if away { "archive" } else { "restore" };
    Verdict::Write(Box::new(Step {
        side: Side::Platform,
        action: if away {
            Action::Archive
        } else {
            Action::Restore
        },
        role: link.role.clone(),
        target: Some(link.target.id.clone()),
        key: amendment_key(&this.key(), &(word, &document)),
        document,
        expect: Some(expect.clone()),
        because: because.into(),
    }))
}

/// A bill can't change its vendor over there: the old one is put away and a new one made, if no money has
/// moved (scenario 63).
fn vendor_changed(
    this: &This<'_>,
    link: &Link,
    there: &Bill,
    expect: &Document,
    exposure: &Exposure,
    archived: bool,
) -> Verdict {
    let payee = match this.payee() {
        Ok(payee) => payee,
        Err(outcome) => return Verdict::Rest(outcome),
    };
    if !exposure.untouched() {
        let cause = format!(
            "{} now belongs to vendor {payee} on the platform, but the bill there is {}'s, and {}",
            this.label(),
            there.vendor,
            exposure.words()
        );
        return blocked(Code::new("vendor-changed"), cause);
    }
    if !archived {
        return put_away(
            this,
            link,
            expect,
            true,
            "its vendor changed: it is made anew for the new one",
        );
    }
    if this.bill.open.is_zero() {
        return noop(
            Code::new("closed-on-both-sides"),
            format!("{} is closed on both sides", this.label()),
        );
    }
    // It may be there for the new vendor already: made before the store was put back, or by a person.
    if let Some(verdict) = adopt::for_new_vendor(this, link) {
        return this.instead(verdict);
    }
    this.create(&this.key().with(payee.as_str()))
}

/// Whether its counterpart is another vendor's bill, and put away.
pub(super) fn is_of_another_vendor(this: &This<'_>, link: &Link) -> bool {
    let there = this.books.record(&link.target).filter(|seen| !seen.gone);
    there.is_some_and(|seen| match &seen.document {
        Document::Bill(there) => {
            there.status == BillStatus::Archived
                && this.vendor_link().map(|link| &link.target.id) != Some(&there.vendor)
        }
        _ => false,
    })
}

/// Its coding can't be translated any more. That matters only if something must be written; once money has
/// moved nothing is, and another amount is the same conflict as with a coding that can be.
fn untranslatable(this: &This<'_>, there: &Bill, outcome: Outcome, exposure: &Exposure) -> Verdict {
    let wanted = wanted::total(this, Some(there));
    let same_total = wanted == there.total;
    if same_total && this.number() == there.number {
        return rested(this, there);
    }
    if exposure.untouched() {
        return Verdict::Rest(outcome);
    }
    if same_total {
        return changed_after_payment(this, exposure);
    }
    money_moved(this, exposure, wanted, there.total).unwrap_or(Verdict::Rest(outcome))
}

struct Edit<'a> {
    this: &'a This<'a>,
    link: &'a Link,
    wanted: &'a Bill,
    there: &'a Bill,
    applied: Option<&'a Bill>,
    exposure: &'a Exposure,
    expect: &'a Document,
}

/// Three ways: what is wanted, what was last written, what is there.
fn edited(edit: &Edit<'_>) -> Verdict {
    let differences = bill_differences(edit.wanted, edit.there);
    if let Some(verdict) = grown(edit) {
        return verdict;
    }
    if differences.is_empty() {
        return rested(edit.this, edit.there);
    }
    let label = edit.this.label();
    if differences.contains(&Difference::Total) {
        if let Some(verdict) = total_changed(edit) {
            return verdict;
        }
        return amend(edit, "its amount changed in the ledger");
    }
    let ours = edit
        .applied
        .map(|applied| bill_differences(edit.wanted, applied));
    // A bill that was adopted keeps the coding and words that people gave it there.
    let ours = ours.unwrap_or_else(|| {
        let kept = [Difference::Coding, Difference::Text, Difference::Date];
        differences
            .iter()
            .copied()
            .filter(|difference| !kept.contains(difference))
            .collect()
    });
    let material = ours
        .iter()
        .any(|difference| *difference != Difference::Date);
    if !material {
        if ours.contains(&Difference::Date) || differences == [Difference::Date] {
            let cause = format!("{label} changed its date only, which is no matter of payment");
            return noop(Code::new("not-material"), cause);
        }
        if edit.applied.is_none() {
            return rested(edit.this, edit.there);
        }
        let cause = format!(
            "{label} was edited on the platform, its amount unchanged; the ledger stays master"
        );
        return noop(Code::new("platform-drift"), cause);
    }
    if edit.exposure.untouched() && edit.this.bill.open == edit.this.bill.total
        || edit.exposure.untouched() && edit.link.role == OPENING
    {
        return amend(edit, "it changed in the ledger");
    }
    changed_after_payment(edit.this, edit.exposure)
}

/// More is open of it than of its rest, which a person has linked and nobody has paid anything of. Of how much that was the
/// rest isn't known, so neither is what changed.
fn grown(edit: &Edit<'_>) -> Option<Verdict> {
    let is_rest = edit.link.role == OPENING && edit.applied.is_none();
    let unknown = is_rest && wanted::is_of_unknown(edit.there) && edit.exposure.untouched();
    let bill = edit.this.bill;
    let code = wanted::changed();
    if !unknown || bill.open <= edit.there.total || edit.this.accepted(&code) {
        return None;
    }
    let cause = format!(
        "{} of {} has {} open in the ledger; the platform's bill, which was linked to what was left of it, is {}",
        edit.this.label(),
        bill.total,
        bill.open,
        edit.there.total
    );
    Some(conflict(code, cause))
}

/// Its words or coding changed when it was too late to say so over there.
fn changed_after_payment(this: &This<'_>, exposure: &Exposure) -> Verdict {
    let cause = format!(
        "{} changed in the ledger, its amount didn't; {}",
        this.label(),
        exposure.words()
    );
    noop(Code::new("edited-after-payment"), cause)
}

/// What stands against another total once money has moved or is about to (scenarios 59 and 60).
fn money_moved(
    this: &This<'_>,
    exposure: &Exposure,
    wanted: Amount,
    there: Amount,
) -> Option<Verdict> {
    let cause = unequal(this, exposure, wanted, there);
    if !exposure.scheduled.is_zero() {
        Some(conflict(Code::new("amount-edited-while-scheduled"), cause))
    } else if exposure.paid.is_zero() {
        None
    } else if wanted < exposure.paid {
        Some(blocked(Code::new("over-payment"), cause))
    } else {
        Some(conflict(Code::new("amount-edited-after-payment"), cause))
    }
}

fn unequal(this: &This<'_>, exposure: &Exposure, wanted: Amount, there: Amount) -> String {
    format!(
        "{} is {wanted} in the ledger and {there} on the platform; {}",
        this.label(),
        exposure.words()
    )
}

/// What stands against writing a new total, if something does.
fn total_changed(edit: &Edit<'_>) -> Option<Verdict> {
    let (wanted, there) = (edit.wanted.total, edit.there.total);
    if let Some(verdict) = money_moved(edit.this, edit.exposure, wanted, there) {
        return Some(verdict);
    }
    let cause = unequal(edit.this, edit.exposure, wanted, there);
    let (state, code) = match edit.applied.map(|applied| applied.total) {
        Some(applied) if applied != there && applied != wanted => {
            (State::Conflict, Code::new("both-changed"))
        }
        Some(applied) if applied != there => {
            (State::Blocked, Code::new("amount-changed-on-platform"))
        }
        _ => return None,
    };
    (!edit.this.accepted(&code)).then(|| rest(state, code, cause))
}

fn amend(edit: &Edit<'_>, because: &str) -> Verdict {
    if let Some(verdict) = edit.this.unbalanced() {
        return verdict;
    }
    let document = Document::Bill(edit.wanted.clone());
    Verdict::Write(Box::new(Step {
        side: Side::Platform,
        action: Action::Amend,
        role: edit.link.role.clone(),
        target: Some(edit.link.target.id.clone()),
        key: amendment_key(&edit.this.key(), &document),
        document,
        expect: Some(edit.expect.clone()),
        because: because.into(),
    }))
}

/// Both agree. An open one leaves word, so that its vendor is not archived under it.
fn rested(this: &This<'_>, there: &Bill) -> Verdict {
    let open = !there.open.is_zero() || !there.scheduled.is_zero();
    let verdict = match &there.approval {
        Approval::Pending if open => done_with(
            Code::new("awaits-approval-on-platform"),
            format!("{} waits for approval on the platform", this.label()),
        ),
        _ => done(),
    };
    match verdict {
        Verdict::Rest(outcome) if open => {
            Verdict::Rest(outcome.until(open_bills(&this.bill.vendor)))
        }
        other => other,
    }
}

fn open_bills(vendor: &RemoteId) -> WaitsFor {
    WaitsFor::Link(
        OPEN_BILLS.into(),
        RecordRef::new(Side::Ledger, Kind::Vendor, vendor.clone()),
    )
}

/// A negative bill, which is a credit over there (scenario 45).
fn credit(this: &This<'_>, link: &Link, there: &VendorCredit) -> Verdict {
    let label = this.label();
    let archived = there.status == BillStatus::Archived;
    if closed(this) {
        if archived {
            return noop(
                Code::new("closed-on-both-sides"),
                format!("{label} is closed on both sides"),
            );
        }
        let cause = format!(
            "{label} was deleted or voided in the ledger; its credit {} of {} on the platform can't be restored \
             once it is archived",
            there.number, there.total
        );
        return blocked(Code::new("credit-deleted"), cause);
    }
    if archived {
        let cause = format!("{label} is a credit on the platform, which was archived there");
        return blocked(Code::new("archived-on-platform"), cause);
    }
    let vendor = there.vendor.clone();
    match wanted::document(this, vendor, None) {
        Ok(Document::VendorCredit(wanted)) => {
            crate::vendor_credits::compare(&label, &this.key(), link, wanted, there, |code| {
                this.accepted(code)
            })
        }
        Ok(_) => {
            let cause = format!("{label} is no longer below zero: it can't be the same document");
            blocked(Code::new("sign-changed"), cause)
        }
        Err(_) if -this.bill.total == there.total => done(),
        Err(outcome) => Verdict::Rest(outcome),
    }
}
