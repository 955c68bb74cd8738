//! A platform's payment that is posted: what became of it since, on either side (scenarios 188–192, 195).

use tieout_domain::code::Code;
use tieout_domain::document::{CustomerPayment, PaymentUse, ReceiptStatus, UseOf};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Side, State};

use super::{This, credited, fee, posting, reversal};
use crate::period::{self, Book};
use crate::preferences::FailedPayments;
use crate::projection::same_uses;
use crate::verdict::{amendment_key, blocked, conflict, done, done_with, hold, noop, rest};
use crate::{Link, Step, Verdict};

pub(super) fn decide(this: &This<'_>, link: &Link) -> Verdict {
    let label = this.label();
    let seen = this.books.record(&link.target).filter(|seen| !seen.gone);
    let Some((document, there)) = seen.and_then(|seen| match &seen.document {
        Document::CustomerPayment(there) => Some((&seen.document, there)),
        _ => None,
    }) else {
        return gone(this, link);
    };
    let at = Posted {
        this,
        link,
        document,
        there,
    };
    if let Some(verdict) = reversal::standing(&at) {
        return freed_first(this, link, verdict);
    }
    if there.status == ReceiptStatus::Voided {
        if is_undone(this) {
            let reversed = rest(
                State::Reversed,
                Code::new("reversed"),
                format!("{label} is undone on the platform and voided in the ledger"),
            );
            return freed_first(this, link, reversed);
        }
        let cause = format!("{label} was voided in the ledger and stands on the platform");
        return blocked(Code::new("posted-payment-voided"), cause);
    }
    if is_undone(this) {
        return at.undone();
    }
    if let ReceiptStatus::Other(word) = &this.payment.status {
        return this.unknown(word);
    }
    if let Some(verdict) = at.charged_back().or_else(|| reversal::refunds(&at)) {
        return verdict;
    }
    at.agrees()
}

/// Somebody deleted the posting (scenario 191): it is never posted again by itself.
fn gone(this: &This<'_>, link: &Link) -> Verdict {
    if is_undone(this) {
        let cause = format!("{} is gone from both sides", this.label());
        let closed = noop(Code::new("closed-on-both-sides"), cause);
        return freed_first(this, link, closed);
    }
    let cause = format!(
        "{} was deleted in the ledger; the platform still has the money and calls the invoice paid",
        this.label()
    );
    blocked(Code::new("posted-payment-deleted"), cause)
}

/// Where the cash of an undone payment is out of the books, its credits must be too before it rests.
fn freed_first(this: &This<'_>, link: &Link, verdict: Verdict) -> Verdict {
    let freed = is_undone(this).then(|| credited::freed(this, link));
    freed.flatten().unwrap_or(verdict)
}

/// Whether it failed, and a person decides whether it is reversed (scenario 188).
pub(super) fn is_task(this: &This<'_>) -> bool {
    let policy = this.books.preferences.receivables.failed_payments;
    this.payment.status == ReceiptStatus::Failed
        && policy == FailedPayments::Task
        && !this.accepted(&Code::new("payment-failed"))
}

fn is_undone(this: &This<'_>) -> bool {
    this.gone
        || matches!(
            this.payment.status,
            ReceiptStatus::Voided | ReceiptStatus::Failed
        )
}

/// The cash that is applied.
fn cash(payment: &CustomerPayment) -> Amount {
    let uses = payment.uses.iter().filter(|part| part.of.is_cash());
    uses.map(|part| part.amount).sum()
}

/// Whether the same cash is used for the same. A saved payment of the ledger doesn't show the credits that were used with it,
/// and which of its invoices a credit goes to is the ledger's choice: where there are any, no invoice has more cash than it was
/// to have in all, and the cash is the same.
fn same_cash(wanted: &[PaymentUse], there: &[PaymentUse]) -> bool {
    let only_cash = |uses: &[PaymentUse]| -> Vec<PaymentUse> {
        let cash = uses.iter().filter(|part| part.of.is_cash());
        cash.cloned().collect()
    };
    let there = only_cash(there);
    if wanted.iter().all(|part| part.of.is_cash()) {
        return same_uses(wanted, &there);
    }
    let sum = |uses: &[PaymentUse]| -> Amount { uses.iter().map(|part| part.amount).sum() };
    let on = |uses: &[PaymentUse], of: &UseOf| -> Amount {
        let here = uses.iter().filter(|part| part.of.invoice() == of.invoice());
        here.map(|part| part.amount).sum()
    };
    sum(&only_cash(wanted)) == sum(&there)
        && there
            .iter()
            .all(|part| part.of.invoice().is_some() && on(&there, &part.of) <= on(wanted, &part.of))
}

/// A payment with its posting.
pub(super) struct Posted<'a> {
    pub(super) this: &'a This<'a>,
    pub(super) link: &'a Link,
    pub(super) document: &'a Document,
    pub(super) there: &'a CustomerPayment,
}

impl Posted<'_> {
    /// Voided on the platform (scenario 192): reversed. Failed after it had succeeded (188): by preference.
    fn undone(&self) -> Verdict {
        let this = self.this;
        if is_task(this) {
            let cause = format!(
                "{} of {} failed after it was posted: reverse it, or let tieout do it",
                this.label(),
                this.payment.total.of(this.payment.currency)
            );
            return blocked(Code::new("payment-failed"), cause);
        }
        reversal::decide(self)
    }

    /// The customer disputes it (scenario 189).
    fn charged_back(&self) -> Option<Verdict> {
        let disputed = self
            .this
            .payment
            .charge
            .as_ref()
            .is_some_and(|it| it.disputed);
        let code = Code::new("charge-disputed");
        if !disputed || self.this.accepted(&code) {
            return None;
        }
        let cause = format!(
            "{} of {} is disputed by the customer: book the chargeback once it is decided",
            self.this.label(),
            self.this.payment.total.of(self.this.payment.currency)
        );
        Some(blocked(code, cause))
    }

    /// The posting says what the platform says: moved applications follow, an edit by hand is for a person.
    fn agrees(&self) -> Verdict {
        let this = self.this;
        if let Some(verdict) = fee::billed(this) {
            return verdict;
        }
        let mut wanted = match posting::document(this, Some(self.there)) {
            Ok(wanted) => wanted,
            Err(outcome) => return Verdict::Rest(outcome),
        };
        // What went back is no longer there to be applied, whatever the platform still shows.
        let back = reversal::paid_back(self);
        let kept = wanted.total.minus(back).unwrap_or_default();
        let over = cash(&wanted).minus(kept).unwrap_or_default();
        if over.is_positive() {
            reversal::take_off(&mut wanted.uses, over);
        }
        let label = this.label();
        if self.there.total != wanted.total || self.there.customer != wanted.customer {
            let cause = format!(
                "{label} of {} is {} in the ledger, or of another customer: somebody edited one of the two",
                wanted.total.of(wanted.currency),
                self.there.total.of(self.there.currency)
            );
            return conflict(Code::new("edited-by-hand"), cause);
        }
        if same_cash(&wanted.uses, &self.there.uses) {
            return credited::standing(self).unwrap_or_else(|| self.rest_of_it(&wanted));
        }
        let applied = match &self.link.applied {
            Some(Document::CustomerPayment(applied)) => Some(applied),
            _ => None,
        };
        if applied.is_some_and(|applied| !same_cash(&applied.uses, &self.there.uses)) {
            let cause = format!("{label} was applied otherwise in the ledger than on the platform");
            return self.edited(cause);
        }
        if !credited::are_as_named(this) {
            let cause = format!(
                "{label} is applied otherwise on the platform by now, and its credits are not on the invoices that the platform names: apply it by hand"
            );
            return self.edited(cause);
        }
        if let Err(why) =
            period::applications_may_move(Book::Receivables, self.there.date, this.books)
        {
            let cause = format!("{label} is applied otherwise on the platform by now: {why}");
            return hold(Code::new("closed-period"), cause);
        }
        self.amend(wanted, "it is applied otherwise on the platform")
    }

    /// What the ledger's invoices did not take (scenario 195).
    fn rest_of_it(&self, wanted: &CustomerPayment) -> Verdict {
        let this = self.this;
        let asked: Amount = this
            .payment
            .uses
            .iter()
            .filter(|part| matches!(part.of, UseOf::Invoice(_) | UseOf::ConvenienceFee))
            .map(|part| part.amount)
            .sum();
        let used = cash(wanted);
        let back = reversal::paid_back(self);
        if used.plus(back).is_ok_and(|settled| settled >= asked) {
            return done();
        }
        let cause = format!(
            "{} pays {asked}, of which the ledger's invoices took {used}: they were paid otherwise; refund the rest, or keep it on account",
            this.label()
        );
        let code = Code::new("paid-both-ways");
        if this.accepted(&code) {
            done_with(code, cause)
        } else {
            blocked(code, cause)
        }
    }

    /// The two sides were changed so that only a person can tell what is right.
    pub(super) fn edited(&self, cause: String) -> Verdict {
        let code = Code::new("edited-by-hand");
        if self.this.accepted(&code) {
            noop(code, cause)
        } else {
            conflict(code, cause)
        }
    }

    /// Changes what its cash is applied to. Its credits are the memos' own: named again, they would be used again.
    pub(super) fn amend(&self, mut wanted: CustomerPayment, because: &str) -> Verdict {
        wanted.uses.retain(|part| part.of.is_cash());
        let document = Document::CustomerPayment(wanted);
        Verdict::Write(Box::new(Step {
            side: Side::Ledger,
            action: Action::Amend,
            role: String::new(),
            target: Some(self.link.target.id.clone()),
            key: amendment_key(&self.this.key(), &document),
            document,
            expect: Some(self.document.clone()),
            because: because.to_owned(),
        }))
    }
}
