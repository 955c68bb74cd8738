//! A document that has its copy: edits, voids and deletions where it began, and what was done to the copy
//! (scenarios 175–179, 193, 199).

use tieout_domain::code::Code;
use tieout_domain::document::InvoiceStatus;
use tieout_domain::port::Action;
use tieout_domain::{Document, Side};

use super::{Paper, This, wanted};
use crate::projection::{Difference, sale_differences};
use crate::receivables::{customers, origin};
use crate::verdict::{amendment_key, blocked, conflict, done, hold, noop, skipped};
use crate::{Link, Step, Verdict};

pub(super) fn decide(this: &This<'_>, link: &Link) -> Verdict {
    let label = this.label();
    let there = this.books.record(&link.target).filter(|seen| !seen.gone);
    let Some((document, copy)) =
        there.and_then(|seen| Some((&seen.document, Paper::of(&seen.document)?)))
    else {
        if is_closed(this) {
            let cause = format!("{label} is gone from both sides");
            return noop(Code::new("closed-on-both-sides"), cause);
        }
        let cause = format!(
            "{label} leads to {} on the {}, which is no longer there",
            link.target.id,
            link.target.side.as_str()
        );
        return blocked(Code::new("counterpart-gone"), cause);
    };
    let at = At {
        this,
        link,
        document,
        copy,
    };
    if is_closed(this) {
        return at.close();
    }
    match this.paper.status {
        InvoiceStatus::PendingApproval => {
            let cause = format!("{label} waits for approval again in the ledger");
            return hold(Code::new("back-to-pending"), cause);
        }
        InvoiceStatus::WrittenOff => return at.write_off(),
        _ => {}
    }
    if let InvoiceStatus::Other(word) = at.copy.status {
        let cause = format!(
            "{label} has the status `{word}` on the {}, which tieout doesn't know",
            link.target.side.as_str()
        );
        return blocked(Code::new("unknown-status"), cause);
    }
    if at.copy.is_voided() {
        let cause = format!(
            "{label} was voided on the {}, but {} of it is open where it began",
            link.target.side.as_str(),
            this.paper.open.of(this.paper.currency)
        );
        return blocked(Code::new("copy-voided"), cause);
    }
    at.follow()
}

/// Whether it is no longer owed where it began.
pub(super) fn is_closed(this: &This<'_>) -> bool {
    this.gone || this.paper.is_voided()
}

/// A document and its copy.
pub(super) struct At<'a> {
    pub(super) this: &'a This<'a>,
    pub(super) link: &'a Link,
    pub(super) document: &'a Document,
    pub(super) copy: Paper<'a>,
}

impl At<'_> {
    /// What of the copy is settled, in words.
    fn settled(&self) -> String {
        format!(
            "{} of {} is settled on the {}",
            self.copy.used(),
            self.copy.total.of(self.copy.currency),
            self.link.target.side.as_str()
        )
    }

    /// It was voided or deleted where it began: so is an untouched copy; money on it is for a person.
    pub(super) fn close(&self) -> Verdict {
        let label = self.this.label();
        if self.copy.is_voided() {
            let cause = format!("{label} is closed on both sides");
            return noop(Code::new("closed-on-both-sides"), cause);
        }
        if self.copy.is_touched() {
            return self.paid_and_closed();
        }
        if self.link.target.side == Side::Ledger {
            let cause = format!(
                "{label} was voided or deleted on the platform, and is open in the ledger: void it there"
            );
            return blocked(Code::new("void-in-ledger"), cause);
        }
        self.put_away()
    }

    pub(super) fn paid_and_closed(&self) -> Verdict {
        let cause = format!(
            "{} was voided or deleted where it began; {}",
            self.this.label(),
            self.settled()
        );
        blocked(Code::new("paid-invoice-deleted"), cause)
    }

    /// An untouched copy of what nobody owes any more is voided, unless a person wants it left alone.
    pub(super) fn put_away(&self) -> Verdict {
        if !self.this.books.preferences.receivables.archive {
            let cause = format!(
                "{} was voided or deleted in the ledger; its copy stays, by preference",
                self.this.label()
            );
            return skipped(Code::new("archive-off"), cause);
        }
        self.step(Action::Void, "it was voided or deleted where it began")
    }

    /// Bad debt is closed over there, and never looks paid (scenario 199). One that came to something else before that is
    /// told as any that changed too late; on the platform, where a copy may bill a balance alone, its total tells nothing.
    pub(super) fn write_off(&self) -> Verdict {
        let label = self.this.label();
        let in_ledger = self.link.target.side == Side::Ledger;
        match self.copy.status {
            InvoiceStatus::WrittenOff | InvoiceStatus::Paid
                if in_ledger && self.copy.total != self.this.paper.total =>
            {
                self.too_late(true)
            }
            InvoiceStatus::WrittenOff | InvoiceStatus::Paid | InvoiceStatus::Voided => done(),
            _ if in_ledger => {
                let cause = format!(
                    "{label} was closed as bad debt on the platform; {} is open in the ledger: write it off there",
                    self.copy.open.of(self.copy.currency)
                );
                blocked(Code::new("written-off"), cause)
            }
            _ => self.step(Action::Archive, "it was written off in the ledger"),
        }
    }

    pub(super) fn step(&self, action: Action, because: &str) -> Verdict {
        if let Some(verdict) = self.barred() {
            return verdict;
        }
        let base = self.this.books.connection.origin_key(self.this.record);
        Verdict::Write(Box::new(Step {
            side: self.link.target.side,
            action,
            role: String::new(),
            target: Some(self.link.target.id.clone()),
            document: self.document.clone(),
            expect: Some(self.document.clone()),
            key: amendment_key(&base, &(action.as_str(), self.document)),
            because: because.to_owned(),
        }))
    }

    /// Writing to the ledger may be switched off.
    fn barred(&self) -> Option<Verdict> {
        let to_ledger = self.link.target.side == Side::Ledger;
        let label = self.this.label();
        to_ledger
            .then(|| origin::not_to_ledger(self.this.books, &label))
            .flatten()
    }

    /// The copy follows the original, as long as that takes nothing away from anybody.
    fn follow(&self) -> Verdict {
        let this = self.this;
        let customer = this.customer();
        let Some(there) = customers::counterpart(this.books, &customer) else {
            return Verdict::Rest(customers::awaited(&this.label(), &customer));
        };
        let document = match wanted::document(this, there.id.clone(), Some(&self.copy)) {
            Ok(document) => document,
            Err(outcome) => return Verdict::Rest(outcome),
        };
        let differences = sale_differences(&document, self.document);
        if differences.is_empty() {
            return done();
        }
        let applied = self.link.applied.as_ref();
        if applied.is_some_and(|applied| sale_differences(&document, applied).is_empty()) {
            return self.copy_edited(&differences);
        }
        let money = differences.iter().any(|it| {
            matches!(
                it,
                Difference::Total | Difference::Coding | Difference::Customer
            )
        });
        if *self.copy.status == InvoiceStatus::Paid || (money && self.overtaken()) {
            return self.too_late(money);
        }
        if let Some(verdict) = self.barred() {
            return verdict;
        }
        let base = this.books.connection.origin_key(this.record);
        Verdict::Write(Box::new(Step {
            side: self.link.target.side,
            action: Action::Amend,
            role: String::new(),
            target: Some(self.link.target.id.clone()),
            key: amendment_key(&base, &document),
            document,
            expect: Some(self.document.clone()),
            because: "it changed where it began".to_owned(),
        }))
    }

    /// Whether what it would come to is less than what is settled already, or a payment is under way.
    fn overtaken(&self) -> bool {
        self.this.paper.total < self.copy.used()
            || *self.copy.status == InvoiceStatus::PaymentPending
    }

    /// Somebody edited the copy (scenario 176): it is shown, and never written back.
    pub(super) fn copy_edited(&self, differences: &[Difference]) -> Verdict {
        let this = self.this;
        let words: Vec<&str> = differences.iter().map(|it| it.word()).collect();
        let cause = format!(
            "{} was changed on the {}, where it is a copy: {}; {} there, {} where it began; the next change of the original prevails",
            this.label(),
            self.link.target.side.as_str(),
            words.join(", "),
            self.copy.total.of(self.copy.currency),
            this.paper.total.of(this.paper.currency)
        );
        noop(Code::new("copy-edited"), cause)
    }

    /// It changed after it was paid over there (scenario 177): the difference is shown.
    pub(super) fn too_late(&self, money: bool) -> Verdict {
        let this = self.this;
        let cause = format!(
            "{} changed where it began, to {}, after {}",
            this.label(),
            this.paper.total.of(this.paper.currency),
            self.settled()
        );
        let code = Code::new("changed-after-payment");
        if money && !this.accepted(&code) {
            conflict(code, cause)
        } else {
            noop(code, cause)
        }
    }
}
