//! Payments by customers, both ways (scenarios 178–183, 188–192, 195).
//!
//! The platform is master of the money that it took: that is posted to the ledger once, under the platform's id,
//! and taken out again by a void or a refund that leaves both standing. What was paid in the ledger is recorded
//! on the platform, so that nobody pays twice.

mod credited;
mod credits;
mod fee;
mod from_ledger;
mod kept;
mod memo;
mod posted;
mod posting;
mod reversal;
mod stand_alone;

use tieout_domain::code::Code;
use tieout_domain::document::{CustomerPayment, ReceiptStatus};
use tieout_domain::{Document, Key, Kind, RecordRef, Side, State};

use super::{elsewhere, on_copy, origin};
use crate::verdict::{accepted, blocked, hold, ignored, noop, rest, skipped};
use crate::{Books, Flow, Link, Need, Subject, Verdict};

pub use fee::FEE;
pub use stand_alone::STAND_ALONE;

/// The flow's name.
pub const NAME: &str = "payments";

/// The role of the link to the void or refund by which a payment was taken out of the books.
pub const REVERSAL: &str = "reversal";

/// With a platform that has credit notes: each payment of the ledger is recorded there as one.
pub const BY_RECORD: Payments = Payments {
    population: &[
        (Side::Platform, Kind::CustomerPayment),
        (Side::Ledger, Kind::CustomerPayment),
    ],
    writes: &[
        (Side::Ledger, Kind::CustomerPayment),
        (Side::Ledger, Kind::CustomerRefund),
        (Side::Ledger, Kind::CreditMemo),
        (Side::Ledger, Kind::Invoice),
        (Side::Platform, Kind::CustomerPayment),
    ],
};

/// With a platform that has none: what payments and credit memos of the ledger settle is told by invoice.
pub const BY_INVOICE: Payments = Payments {
    population: &[
        (Side::Platform, Kind::CustomerPayment),
        (Side::Ledger, Kind::CustomerPayment),
        (Side::Ledger, Kind::CreditMemo),
    ],
    writes: &[
        (Side::Ledger, Kind::CustomerPayment),
        (Side::Ledger, Kind::CustomerRefund),
        (Side::Ledger, Kind::Deposit),
        (Side::Platform, Kind::CustomerPayment),
    ],
};

/// Carries customers' payments both ways.
#[derive(Debug, Clone, Copy)]
pub struct Payments {
    population: &'static [(Side, Kind)],
    writes: &'static [(Side, Kind)],
}

impl Flow for Payments {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        self.population
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        self.writes
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        if is_elsewhere(subject, books) {
            return elsewhere::needs(subject, books);
        }
        let Some(this) = This::new(subject, books) else {
            return Vec::new();
        };
        let mut needs = origin::needs(NAME, this.record).to_vec();
        needs.push(Need::Decisions(NAME, this.record.clone()));
        needs.extend(
            this.links()
                .iter()
                .map(|link| Need::Record(link.target.clone())),
        );
        needs.extend(match this.record.side {
            Side::Platform => this.needs(),
            Side::Ledger => from_ledger::needs(&this),
        });
        needs
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        if is_elsewhere(subject, books) {
            return elsewhere::decide(subject, books);
        }
        let Some(this) = This::new(subject, books) else {
            return noop(Code::new("other-kind"), "not a payment");
        };
        if this.is_copy() {
            return Verdict::Elsewhere;
        }
        if let Some(verdict) = ignored(books, NAME, this.record) {
            return verdict;
        }
        match this.record.side {
            Side::Platform => this.decide(),
            Side::Ledger => from_ledger::decide(&this),
        }
    }
}

/// Whether it is to be told by invoice.
fn is_elsewhere(subject: &Subject<'_>, books: &Books) -> bool {
    subject.record.side == Side::Ledger && origin::by_invoice(books)
}

/// The payment at hand.
struct This<'a> {
    record: &'a RecordRef,
    document: &'a Document,
    payment: &'a CustomerPayment,
    gone: bool,
    books: &'a Books,
}

impl<'a> This<'a> {
    fn new(subject: &Subject<'a>, books: &'a Books) -> Option<Self> {
        let document = &subject.observed.document;
        let Document::CustomerPayment(payment) = document else {
            return None;
        };
        Some(Self {
            record: subject.record,
            document,
            payment,
            gone: subject.gone,
            books,
        })
    }

    fn label(&self) -> String {
        format!("payment {} ({})", self.payment.label(), self.record.id)
    }

    fn key(&self) -> Key {
        self.books.connection.origin_key(self.record)
    }

    fn links(&self) -> &'a [Link] {
        self.books.links_of(NAME, self.record)
    }

    /// The posting of a platform's payment, or the record of a ledger's.
    fn link(&self) -> Option<&'a Link> {
        self.books.link(NAME, self.record, "")
    }

    fn accepted(&self, code: &Code) -> bool {
        accepted(self.books, NAME, self.record, code)
    }

    /// Whether it is only what tieout wrote for a record of the other side: a payment, or the use of a credit.
    fn is_copy(&self) -> bool {
        let live = |ledger| self.books.record(&ledger).is_some_and(|it| !it.gone);
        origin::is_copy(self.books, self.record, self.document)
            || self.marked_for().is_some_and(live)
    }

    /// The ledger's record that a platform's payment tells of, by its mark or its key.
    fn marked_for(&self) -> Option<RecordRef> {
        let marked = origin::marked_for(self.books, Kind::CustomerPayment, self.document);
        marked.or_else(|| {
            let key = self.payment.external_id.as_ref()?;
            let platform = self.record.side == Side::Platform;
            platform
                .then(|| self.books.connection.told_by(key))
                .flatten()
        })
    }

    /// What a platform's payment needs.
    fn needs(&self) -> Vec<Need> {
        let mut needs: Vec<Need> = self.marked_for().map(Need::Record).into_iter().collect();
        needs.push(Need::Keyed(Side::Ledger, Kind::CustomerPayment, self.key()));
        needs.extend(posting::needs(self));
        needs.extend(memo::needs(self));
        needs.extend(stand_alone::needs(self));
        needs
    }

    fn decide(&self) -> Verdict {
        if let (None, Some(ledger)) = (self.link(), self.marked_for()) {
            let cause = format!(
                "{} bears the mark of {} of the ledger, which is not there",
                self.label(),
                ledger.id
            );
            return rest(State::Orphan, Code::new("origin-gone"), cause);
        }
        if let Some(link) = stand_alone::link(self) {
            return stand_alone::standing(self, link);
        }
        match self.link() {
            Some(link) if link.target.kind == Kind::CreditMemo => credits::applied(self, link),
            Some(link) => posted::decide(self, link),
            None => self.first_seen(),
        }
    }

    fn first_seen(&self) -> Verdict {
        let label = self.label();
        if self.gone {
            let cause = format!("{label} is no longer on the platform");
            return noop(Code::new("gone-before-posting"), cause);
        }
        let key = self.key();
        if let Some(found) = self.books.keyed(Side::Ledger, Kind::CustomerPayment, &key) {
            return Verdict::Adopt {
                target: found.clone(),
                role: String::new(),
                how: "its key",
                key: Some(key),
            };
        }
        if origin::by_invoice(self.books) && on_copy::is_external(self.payment) {
            let cause = format!("{label} came another way, and somebody told the platform of it");
            return skipped(Code::new("told-to-platform"), cause);
        }
        match &self.payment.status {
            ReceiptStatus::Received | ReceiptStatus::Deposited => {}
            ReceiptStatus::Pending | ReceiptStatus::PendingApproval => {
                let cause = format!("{label} of {} is under way", self.payment.total);
                return hold(Code::new("payment-under-way"), cause);
            }
            ReceiptStatus::Failed | ReceiptStatus::Voided => {
                let cause = format!("{label} failed or was voided before it was posted");
                return noop(Code::new("undone-before-posting"), cause);
            }
            ReceiptStatus::Other(word) => return self.unknown(word),
        }
        let preferences = &self.books.preferences.receivables;
        if let Some(from) = preferences.go_live.filter(|from| self.payment.date < *from) {
            let cause = format!("{label} is dated {}, before {from}", self.payment.date);
            return skipped(Code::new("before-cut-over"), cause);
        }
        if !preferences.reconcile {
            let cause = format!("{label} is on the platform, and nothing is written to the ledger");
            return skipped(Code::new("reconcile-off"), cause);
        }
        if self.payment.customer.is_none() {
            let cause = format!(
                "{label} of {}: nobody has said on the platform which customer paid it",
                self.payment.total.of(self.payment.currency)
            );
            return hold(Code::new("unidentified-payment"), cause);
        }
        if self.payment.total.is_zero() {
            return credits::apply(self);
        }
        match self.unidentified() {
            Some(verdict) => verdict,
            None if stand_alone::applies(self) => stand_alone::decide(self),
            None => posting::decide(self),
        }
    }

    /// Where payments are told by invoice, one that tells none is never guessed at.
    fn unidentified(&self) -> Option<Verdict> {
        let code = Code::new("unidentified-invoice");
        let named = self.payment.uses.iter();
        let named = named.filter_map(|part| part.of.invoice()).count();
        if !origin::by_invoice(self.books) || named > 0 || self.accepted(&code) {
            return None;
        }
        let cause = format!(
            "{} of {}: the platform doesn't tell which invoice it pays",
            self.label(),
            self.payment.total.of(self.payment.currency)
        );
        Some(blocked(code, cause))
    }

    fn unknown(&self, word: &str) -> Verdict {
        let cause = format!(
            "{} has the status `{word}`, which tieout doesn't know",
            self.label()
        );
        blocked(Code::new("unknown-status"), cause)
    }
}
