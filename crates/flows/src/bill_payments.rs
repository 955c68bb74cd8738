//! Payments of bills, both ways (scenarios 93–151).
//!
//! The platform is master of money movement: what it paid is posted to the ledger, once, and taken out again
//! by a reversal that leaves both the payment and the reversal standing. What was paid in the ledger is
//! recorded on the platform.

mod cash;
mod coding;
mod credits_only;
mod discount;
mod freed;
mod known_again;
mod outside;
mod posted;
mod posting;
mod reversal;
mod stage;
mod words;

use tieout_domain::code::Code;
use tieout_domain::document::Payment;
use tieout_domain::{Document, Key, Kind, Outcome, RecordRef, RemoteId, Side, State};

use crate::verdict::{accepted, blocked, done_with, hold, ignored, noop, rest};
use crate::{Books, Flow, Link, Need, Subject, Verdict};
use stage::Stage;

/// The flow's name.
pub const NAME: &str = "bill-payments";

/// The first part of the role of a reversal's link: `reversal`, or `reversal-<account>` where the payment was
/// split.
pub const REVERSAL: &str = "reversal";

/// How a payment of the platform counts when what is open there is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It has not reached the posting trigger: the bill is still open.
    NotYet,
    /// It has: the bill is paid, whatever may still become of the payment.
    Counts,
    /// It counts, and the platform is owed the money (scenario 116).
    Owed,
    /// A cancellation or void is under way, or the money came back and nobody has decided: it counts if it was
    /// posted before (scenarios 111, 113).
    Undecided,
    /// Undone: the bill is open again.
    Undone,
    /// Another payment stands in its place (scenario 109).
    Replaced,
}

/// How a payment counts under the preference for when to post.
#[must_use]
pub fn reached(payment: &Payment, post_at: crate::preferences::PostAt) -> Reached {
    match stage::of(payment, post_at) {
        Stage::NotYet(_) | Stage::Unknown(_) => Reached::NotYet,
        Stage::Paid | Stage::Expiring | Stage::Escheated => Reached::Counts,
        Stage::Owed => Reached::Owed,
        Stage::Stopping(_) | Stage::Returned => Reached::Undecided,
        Stage::Undone => Reached::Undone,
        Stage::Reissued => Reached::Replaced,
    }
}

/// Carries payments both ways.
#[derive(Debug, Clone, Copy)]
pub struct BillPayments;

impl Flow for BillPayments {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[
            (Side::Platform, Kind::Payment),
            (Side::Ledger, Kind::Payment),
        ]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[
            (Side::Ledger, Kind::Payment),
            (Side::Ledger, Kind::Journal),
            (Side::Ledger, Kind::VendorCredit),
            (Side::Platform, Kind::Payment),
        ]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        let Document::Payment(payment) = &subject.observed.document else {
            return Vec::new();
        };
        match subject.record.side {
            Side::Platform => This {
                record: subject.record,
                payment,
                gone: subject.gone,
                books,
            }
            .needs(),
            Side::Ledger => outside::needs(subject.record, payment, books),
        }
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        let Document::Payment(payment) = &subject.observed.document else {
            return noop(Code::new("other-kind"), "not a payment");
        };
        if let Some(verdict) = ignored(books, NAME, subject.record) {
            return verdict;
        }
        match subject.record.side {
            Side::Platform => This {
                record: subject.record,
                payment,
                gone: subject.gone,
                books,
            }
            .decide(),
            Side::Ledger => outside::decide(subject, payment, books),
        }
    }
}

/// A payment of the platform.
struct This<'a> {
    record: &'a RecordRef,
    payment: &'a Payment,
    gone: bool,
    books: &'a Books,
}

impl<'a> This<'a> {
    fn label(&self) -> String {
        format!("payment {} ({})", self.payment.label(), self.record.id)
    }

    /// The one key of this economic event (ground rule 4).
    fn key(&self) -> Key {
        self.books.connection.platform_key(&self.record.id)
    }

    fn links(&self) -> &'a [Link] {
        self.books.links_of(NAME, self.record)
    }

    /// The postings of this payment: one, or one for each payables account.
    fn postings(&self) -> impl Iterator<Item = &'a Link> {
        self.links()
            .iter()
            .filter(|link| !link.role.starts_with(REVERSAL))
    }

    /// The ledger's payment of which this is only the record on the platform, by the reference.
    fn recorded(&self) -> Option<RecordRef> {
        let connection = &self.books.connection;
        let prefix = format!(
            "{}_{}_",
            connection.ledger_prefix, connection.ledger_account
        );
        let prefix = Key::of([prefix.as_str()]);
        let id = self
            .payment
            .reference
            .trim()
            .strip_prefix(prefix.as_str())?;
        let digits = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric());
        (self.payment.outside && digits)
            .then(|| RecordRef::new(Side::Ledger, Kind::Payment, RemoteId::from(id)))
    }

    fn needs(&self) -> Vec<Need> {
        let mut needs = vec![
            Need::Links(NAME, self.record.clone()),
            Need::Decisions(NAME, self.record.clone()),
            Need::LinkedTo(self.record.clone()),
        ];
        if let Some(ledger) = self.recorded() {
            needs.push(Need::Record(ledger));
        }
        needs.extend(
            self.links()
                .iter()
                .map(|link| Need::Record(link.target.clone())),
        );
        needs.extend(self.links().iter().flat_map(freed::needs));
        needs.extend(reversal::needs(self));
        needs.extend(coding::needs(self.books));
        needs.extend(posting::needs(self));
        needs.extend(known_again::needs(self));
        needs
    }

    fn decide(&self) -> Verdict {
        if let Some(verdict) = self.echo() {
            return verdict;
        }
        if self.postings().next().is_none() {
            self.first_seen()
        } else {
            self.after_posting()
        }
    }

    /// What tieout itself recorded comes back by the next read (scenario 126).
    fn echo(&self) -> Option<Verdict> {
        let linked = self
            .books
            .links_to(self.record)
            .iter()
            .any(|link| link.flow == NAME);
        let recorded = self
            .recorded()
            .is_some_and(|ledger| self.books.record(&ledger).is_some());
        (linked || recorded).then(|| {
            let cause = format!(
                "{} records a payment that was made in the ledger",
                self.label()
            );
            noop(Code::new("echo"), cause)
        })
    }

    fn stage(&self) -> Stage {
        stage::of(
            self.payment,
            self.books.preferences.transactions.post_payments_at,
        )
    }

    /// The table's column "first time seen".
    fn first_seen(&self) -> Verdict {
        let label = self.label();
        if self.gone {
            return noop(
                Code::new("gone-before-posting"),
                format!("{label} is no longer on the platform"),
            );
        }
        if let Some(verdict) = posting::known(self).or_else(|| known_again::decide(self)) {
            return verdict;
        }
        match self.stage() {
            Stage::NotYet(word) => {
                let cause = format!("{label} of {} is {word}", self.payment.total);
                hold(Code::new("payment-under-way"), cause)
            }
            Stage::Paid | Stage::Owed | Stage::Expiring | Stage::Escheated => posting::decide(self),
            Stage::Stopping(word) => hold(
                Code::new("void-pending"),
                format!("{label} is {word} on the platform"),
            ),
            Stage::Undone => noop(
                Code::new("undone-before-posting"),
                format!("{label} was cancelled or voided before it was posted"),
            ),
            Stage::Reissued => noop(
                Code::new("reissued"),
                format!("{label} was voided and replaced by another before it was posted"),
            ),
            Stage::Returned => self.returned(),
            Stage::Unknown(word) => self.unknown(&word),
        }
    }

    /// The table's column "if we already posted".
    fn after_posting(&self) -> Verdict {
        let label = self.label();
        if self.gone {
            let cause = format!("{label} is posted in the ledger, but no longer on the platform");
            return blocked(Code::new("posted-payment-gone"), cause);
        }
        let stage = self.stage();
        if stage == Stage::Undone {
            return reversal::decide(self);
        }
        if let Stage::Unknown(word) = &stage {
            return self.unknown(word);
        }
        // A split payment may be posted in part only; the rest follows as long as the money moves.
        if matches!(
            stage,
            Stage::Paid | Stage::Owed | Stage::Expiring | Stage::Escheated | Stage::NotYet(_)
        ) && let Some(verdict) = posting::rest_of_split(self)
        {
            return verdict;
        }
        if stage == Stage::Reissued {
            let cause = format!(
                "{label} was replaced by another payment; its posting in the ledger stands"
            );
            return noop(Code::new("reissued"), cause);
        }
        let standing = posted::decide(self);
        if !matches!(
            &standing,
            Verdict::Rest(Outcome {
                state: State::Done,
                ..
            })
        ) {
            return standing;
        }
        let total = self.payment.total.of(self.payment.currency);
        match stage {
            Stage::Stopping(word) => hold(
                Code::new("void-pending"),
                format!("{label} is posted and {word} on the platform"),
            ),
            Stage::Returned => self.returned(),
            Stage::Owed => self.owed(standing),
            Stage::Expiring => done_with(
                Code::new("check-expiring"),
                format!("{label} of {total} was not cashed and expires soon"),
            ),
            Stage::Escheated => done_with(
                Code::new("escheated"),
                format!("{label} of {total} was turned over to the state"),
            ),
            _ => standing,
        }
    }

    /// The vendor was paid with the platform's money (scenario 116).
    fn owed(&self, standing: Verdict) -> Verdict {
        let code = Code::new("owed-to-platform");
        if accepted(self.books, NAME, self.record, &code) {
            return standing;
        }
        let cause = format!(
            "the funding of {} failed, but the vendor was paid: {} is owed to the platform",
            self.label(),
            self.payment.total.of(self.payment.currency)
        );
        blocked(code, cause)
    }

    /// Came back: the vendor is unpaid, but the money is at the platform until somebody decides there
    /// (scenario 113).
    fn returned(&self) -> Verdict {
        let cause = format!(
            "{} of {} came back: void or reissue it on the platform; the bills stay closed until then",
            self.label(),
            self.payment.total.of(self.payment.currency)
        );
        hold(Code::new("returned"), cause)
    }

    fn unknown(&self, word: &str) -> Verdict {
        let cause = format!(
            "{} has the status `{word}`, which tieout doesn't know",
            self.label()
        );
        rest(State::Blocked, Code::new("unknown-status"), cause)
    }
}
