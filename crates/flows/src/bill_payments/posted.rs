//! A payment that is posted: whether its posting still stands as it was written (scenarios 99, 144, 145,
//! 149), and numbers that became known later.

use tieout_domain::code::Code;
use tieout_domain::document::{Payment, PaymentStatus};
use tieout_domain::port::Action;
use tieout_domain::{Document, Kind, Side, State};

use super::{This, words};
use crate::period::{self, Book};
use crate::projection::same_money;
use crate::verdict::{amendment_key, blocked, conflict, done, hold};
use crate::{Link, Step, Verdict};

/// What a posting looks like in the ledger now.
pub(super) enum Standing<'a> {
    /// As it was written.
    Good(&'a Payment),
    /// Deleted, voided, edited or not approved there.
    Changed(Verdict),
}

/// The payment that the ledger holds for a posting.
pub(super) fn standing<'a>(this: &This<'a>, link: &'a Link) -> Standing<'a> {
    let label = this.label();
    let seen = match this.books.record(&link.target) {
        Some(crate::Seen {
            document: Document::Payment(payment),
            gone: false,
            ..
        }) => payment,
        _ => {
            let cause = format!(
                "{label} was posted as {}, which somebody deleted in the ledger; the platform still has it",
                link.target.id
            );
            return Standing::Changed(blocked(Code::new("posted-payment-deleted"), cause));
        }
    };
    if matches!(
        seen.status,
        PaymentStatus::LedgerVoided | PaymentStatus::Voided
    ) {
        let cause = format!(
            "{label} was posted as {} (id {}), which somebody voided in the ledger; the platform still has it",
            seen.label(),
            link.target.id
        );
        return Standing::Changed(blocked(Code::new("posted-payment-voided"), cause));
    }
    if let Some(Document::Payment(applied)) = &link.applied
        && !same_money(applied, seen)
    {
        let cause = format!(
            "{label} was posted as {} dated {}; somebody changed that to {} dated {}, or what it pays",
            applied.total, applied.date, seen.total, seen.date
        );
        return Standing::Changed(conflict(Code::new("edited-by-hand"), cause));
    }
    Standing::Good(seen)
}

/// Looks at each posting; the first that isn't right is the payment's state.
pub(super) fn decide(this: &This<'_>) -> Verdict {
    for link in this
        .postings()
        .filter(|link| link.target.kind == Kind::Payment)
    {
        let seen = match standing(this, link) {
            Standing::Good(seen) => seen,
            Standing::Changed(verdict) => return verdict,
        };
        if !seen.posted {
            let cause = format!(
                "{} is written, but waits for approval in the ledger",
                this.label()
            );
            return hold(Code::new("pending-approval"), cause);
        }
        if let Some(step) = new_words(this, link, seen) {
            return Verdict::Write(Box::new(step));
        }
    }
    done()
}

/// A number or a day that wasn't known when it was posted. The money isn't touched, nothing is changed in a
/// period that isn't open, and what a person has written there stays (scenario 144).
fn new_words(this: &This<'_>, link: &Link, seen: &Payment) -> Option<Step> {
    let base = match &link.applied {
        Some(Document::Payment(applied)) => applied,
        _ => seen,
    };
    let moved_from = (base.date != this.payment.date).then_some(this.payment.date);
    let number = words::number(this.payment);
    let memo = words::memo(this.payment, &this.record.id, moved_from);
    // One that was sent without a number has been given one by the ledger.
    let own_number = base.number.is_empty() || seen.number == base.number;
    let number = if own_number && !number.is_empty() {
        number
    } else {
        seen.number.clone()
    };
    let own_memo = seen.memo == base.memo && words::is_ours(&seen.memo);
    let memo = if own_memo { memo } else { seen.memo.clone() };
    let same = number == seen.number && memo == seen.memo;
    if same || !period::text_may_change(Book::Payables, seen.date, this.books) {
        return None;
    }
    let document = Document::Payment(Payment {
        number,
        memo,
        check_number: this.payment.check_number.clone(),
        confirmation: this.payment.confirmation.clone(),
        cleared: this.payment.cleared,
        ..base.clone()
    });
    Some(Step {
        side: Side::Ledger,
        action: Action::Amend,
        role: link.role.clone(),
        target: Some(link.target.id.clone()),
        key: amendment_key(&this.key(), &document),
        document,
        expect: Some(Document::Payment(seen.clone())),
        because: "its number or the day it cleared became known".into(),
    })
}

/// Whether a state is one that a reversal may go on from.
pub(super) fn is_undone(seen: &Payment) -> bool {
    matches!(
        seen.status,
        PaymentStatus::LedgerVoided | PaymentStatus::Voided
    )
}

/// The state of a payment whose posting is out of the books.
pub(super) fn reversed(this: &This<'_>, how: &str) -> Verdict {
    let cause = format!("{} was undone on the platform and {how}", this.label());
    crate::verdict::rest(State::Reversed, Code::new("reversed"), cause)
}
