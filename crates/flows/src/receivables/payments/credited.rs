//! Credit memos that a posted payment uses beside its cash: whether the ledger still applies them, and their way back once the
//! payment is undone (scenarios 179, 192).

use tieout_domain::code::Code;
use tieout_domain::document::{Application, CreditMemo};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, RecordRef, Side};

use super::memo::{self, Memo, USES};
use super::posted::{self, Posted};
use super::{NAME, REVERSAL, This};
use crate::period::{self, Book};
use crate::verdict::{amendment_key, blocked, done_with, hold};
use crate::{Link, Step, Verdict};

fn uses_role(memo: &RecordRef) -> String {
    format!("{USES}{}", memo.id)
}

fn freed_role(memo: &RecordRef) -> String {
    format!("{REVERSAL}-credit-{}", memo.id)
}

fn read_first(this: &This<'_>, memo: &RecordRef) -> Verdict {
    let cause = format!(
        "{} uses credit memo {}, which is read again first",
        this.label(),
        memo.id
    );
    hold(Code::new("read-first"), cause)
}

/// What of the credits of a payment that stands on both sides is not as it should be. The first time each is linked, so that
/// the payment is looked at again when its memo changes.
pub(super) fn standing(at: &Posted<'_>) -> Option<Verdict> {
    let memos = memo::used_by(at.this);
    memos.iter().find_map(|memo| one_standing(at, memo))
}

fn one_standing(at: &Posted<'_>, record: &RecordRef) -> Option<Verdict> {
    let this = at.this;
    let claim = memo::shown(this.books, this.payment, record);
    let mine = claim.total();
    let written = memo::written(at.link).remove(record);
    let written = written.map(|claim| claim.total());
    let found = Memo::of(this, record);
    let left = found
        .as_ref()
        .map_or(Amount::ZERO, |it| it.left_for(&claim));
    let linked = this.books.link(NAME, this.record, &uses_role(record));
    let outdated = this.books.is_outdated(record);
    if linked.is_none() && (written.is_some() || !outdated && left >= mine) {
        return Some(Verdict::Adopt {
            target: record.clone(),
            role: uses_role(record),
            how: "the payment uses it",
            key: Some(this.key()),
        });
    }
    if outdated {
        // Once it is linked, the payment is looked at again when it has been read.
        return linked.is_none().then(|| read_first(this, record));
    }
    let number = found
        .as_ref()
        .map_or(record.id.as_str(), |it| it.memo.number.as_str());
    let label = this.label();
    if linked.is_some() && left < written.map_or(mine, |written| written.min(mine)) {
        let cause = format!(
            "{label} uses {mine} of credit memo {number}, which is no longer applied to its invoices in the ledger"
        );
        return Some(at.edited(cause));
    }
    if left < mine {
        let cause = format!(
            "{label} uses {mine} of credit memo {number}, of which the ledger's invoices took {}: they were paid otherwise",
            left.max(Amount::ZERO)
        );
        let code = Code::new("paid-both-ways");
        return Some(if this.accepted(&code) {
            done_with(code, cause)
        } else {
            blocked(code, cause)
        });
    }
    let less = written.map_or(mine.is_zero(), |written| written > mine);
    (less && left > mine).then(|| {
        let cause = format!(
            "{label} uses {mine} of credit memo {number} by now, of which {left} is applied in the ledger: un-apply the rest"
        );
        blocked(Code::new("credit-freed"), cause)
    })
}

/// Whether each credit is on the invoice that the platform names: only then can the cash be moved by itself.
pub(super) fn are_as_named(this: &This<'_>) -> bool {
    memo::shown_by(this).iter().all(|record| {
        let claim = memo::shown(this.books, this.payment, record);
        Memo::of(this, record).is_some_and(|memo| memo.is_as_named(&claim))
    })
}

/// What is still to be done to free the credits of an undone payment. That it was done is a link in a role of its own: what
/// somebody applies anew later is theirs.
pub(super) fn freed(this: &This<'_>, link: &Link) -> Option<Verdict> {
    let memos = memo::used_by(this);
    memos.iter().find_map(|memo| one_freed(this, link, memo))
}

fn one_freed(this: &This<'_>, link: &Link, record: &RecordRef) -> Option<Verdict> {
    let role = freed_role(record);
    if this.books.link(NAME, this.record, &role).is_some() {
        return None;
    }
    let at = Memo::of(this, record)?;
    if this.books.is_outdated(record) {
        return Some(read_first(this, record));
    }
    let claim = memo::written(link)
        .remove(record)
        .unwrap_or_else(|| memo::shown(this.books, this.payment, record));
    // Where nothing tells any more for what it was used, all counts that no other payment uses.
    let known = claim.total().is_positive();
    let left = if known {
        at.left_for(&claim)
    } else {
        at.unclaimed()
    };
    if !left.is_positive() {
        return Some(Verdict::Adopt {
            target: record.clone(),
            role,
            how: "the credit is free already",
            key: Some(this.key()),
        });
    }
    let (label, number) = (this.label(), &at.memo.number);
    // A credit that was never seen to be this payment's may serve another one by now.
    let own = this.books.link(NAME, this.record, &uses_role(record));
    if !known || own.is_none() || posted::is_task(this) {
        let code = Code::new("credit-freed");
        if this.accepted(&code) {
            return None;
        }
        let cause = format!(
            "{label} was undone on the platform: un-apply credit memo {number} in the ledger, of which {left} is applied"
        );
        return Some(blocked(code, cause));
    }
    if let Err(why) = period::applications_may_move(Book::Receivables, at.memo.date, this.books) {
        let cause = format!(
            "{label} was undone on the platform, but credit memo {number} can't be taken off its invoices: {why}"
        );
        return Some(blocked(Code::new("reversal-forbidden"), cause));
    }
    let applications = at.without(&claim, left.min(claim.total()));
    let sum = |all: &[Application]| -> Amount { all.iter().map(|it| it.amount).sum() };
    let freed = sum(&at.memo.applications).minus(sum(&applications)).ok()?;
    let document = Document::CreditMemo(CreditMemo {
        open: at.memo.open.plus(freed).ok()?,
        applications,
        ..at.memo.clone()
    });
    Some(Verdict::Write(Box::new(Step {
        side: Side::Ledger,
        action: Action::Amend,
        role,
        target: Some(record.id.clone()),
        key: amendment_key(&this.key(), &document),
        document,
        expect: Some(at.document.clone()),
        because: "the payment that used the credit was undone on the platform".to_owned(),
    })))
}
