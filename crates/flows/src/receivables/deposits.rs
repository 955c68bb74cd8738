//! Payouts: one deposit of the ledger for each, equal to the line on the bank statement (scenarios 184–187, 198).
//!
//! A deposit is made only where everything adds up: each payment is posted, among undeposited funds and of the amount that
//! the payout says, fees and what else was netted off have their accounts, and the sum is what arrived. Otherwise there
//! is none, and a person is told why.

mod linked;
mod parts;
mod wanted;

use tieout_domain::code::Code;
use tieout_domain::document::{Deposit, Payout, PayoutStatus};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Key, Kind, RecordRef, Side};

use super::{account, origin, payments};
use crate::verdict::{accepted, blocked, hold, ignored, noop, skipped};
use crate::{Books, Flow, Link, Need, Step, Subject, Verdict};

/// The flow's name.
pub const NAME: &str = "deposits";

/// Makes a deposit of each payout.
#[derive(Debug, Clone, Copy)]
pub struct Deposits;

impl Flow for Deposits {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[
            (Side::Platform, Kind::Payout),
            (Side::Ledger, Kind::Deposit),
        ]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[(Side::Ledger, Kind::Deposit)]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        This::new(subject, books).map_or_else(Vec::new, |this| this.needs())
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        match This::new(subject, books) {
            Some(this) => this.decide(),
            // The ledger's deposits are told with their payouts, or are none of the platform's business.
            None => Verdict::Elsewhere,
        }
    }
}

/// The payout at hand.
struct This<'a> {
    record: &'a RecordRef,
    payout: &'a Payout,
    gone: bool,
    books: &'a Books,
}

impl<'a> This<'a> {
    fn new(subject: &Subject<'a>, books: &'a Books) -> Option<Self> {
        match &subject.observed.document {
            Document::Payout(payout) => Some(Self {
                record: subject.record,
                payout,
                gone: subject.gone,
                books,
            }),
            _ => None,
        }
    }

    fn label(&self) -> String {
        let number = self.payout.number.trim();
        let name = if number.is_empty() {
            self.record.id.as_str()
        } else {
            number
        };
        format!("payout {name} of {}", self.payout.date)
    }

    fn key(&self) -> Key {
        self.books.connection.origin_key(self.record)
    }

    fn link(&self) -> Option<&'a Link> {
        self.books.link(NAME, self.record, "")
    }

    fn accepted(&self, code: &Code) -> bool {
        accepted(self.books, NAME, self.record, code)
    }

    fn needs(&self) -> Vec<Need> {
        let preferences = &self.books.preferences.receivables;
        let mut needs = vec![
            Need::Links(NAME, self.record.clone()),
            Need::Decisions(NAME, self.record.clone()),
            Need::Keyed(Side::Ledger, Kind::Deposit, self.key()),
        ];
        let named = [
            &preferences.bank_account,
            &preferences.fee_account,
            &preferences.clearing_account,
        ];
        needs.extend(named.into_iter().filter_map(|name| account::needs(name)));
        needs.extend(self.link().map(|link| Need::Record(link.target.clone())));
        needs.extend(parts::needs(self));
        let place = self.same_total();
        for candidate in self.books.matching.get(&place).into_iter().flatten() {
            needs.push(Need::Record(candidate.clone()));
            needs.push(Need::LinkedTo(candidate.clone()));
        }
        needs.push(Need::Matching(place.0, place.1, place.2));
        needs
    }

    /// Where a deposit of this much that was made by hand is looked for.
    fn same_total(&self) -> (Side, Kind, String) {
        let total = self.payout.total.minus(parts::stand_alone(self));
        let total = total.unwrap_or(self.payout.total).to_string();
        (Side::Ledger, Kind::Deposit, total)
    }

    fn decide(&self) -> Verdict {
        if let Some(verdict) = ignored(self.books, NAME, self.record) {
            return verdict;
        }
        match self.link() {
            Some(link) => linked::decide(self, link),
            None => self.unlinked(),
        }
    }

    fn unlinked(&self) -> Verdict {
        let label = self.label();
        let key = self.key();
        if let Some(found) = self.books.keyed(Side::Ledger, Kind::Deposit, &key) {
            return self.adopt(found, "its key");
        }
        if let Some(verdict) = self.not_arrived() {
            return verdict;
        }
        let preferences = &self.books.preferences.receivables;
        if let Some(from) = preferences.go_live.filter(|from| self.payout.date < *from) {
            let cause = format!("{label} arrived before {from}");
            return skipped(Code::new("before-cut-over"), cause);
        }
        if !preferences.reconcile {
            let cause = format!("{label} is on the platform, and nothing is written to the ledger");
            return skipped(Code::new("reconcile-off"), cause);
        }
        let found = match parts::read(self) {
            Ok(found) => found,
            Err(outcome) => return Verdict::Rest(outcome),
        };
        if let Some(by_hand) = wanted::made_by_hand(self, &found) {
            return self.adopt(by_hand, "the same payments and total");
        }
        match wanted::document(self, found) {
            Ok(Some(document)) => self.make(document),
            Ok(None) => {
                let cause = format!("all of {label} was deposited payment by payment");
                noop(Code::new("deposited-by-payment"), cause)
            }
            Err(outcome) => Verdict::Rest(outcome),
        }
    }

    /// Only what has arrived is deposited.
    fn not_arrived(&self) -> Option<Verdict> {
        let label = self.label();
        let total = self.payout.total.of(self.payout.currency);
        Some(match &self.payout.status {
            PayoutStatus::Paid if !self.gone => return None,
            PayoutStatus::UnderWay if !self.gone => {
                let cause = format!("{label}, {total}, is on its way");
                hold(Code::new("payout-under-way"), cause)
            }
            PayoutStatus::Other(word) if !self.gone => {
                let cause = format!("{label} has the status `{word}`, which tieout doesn't know");
                blocked(Code::new("unknown-status"), cause)
            }
            _ => {
                let cause = format!("{label}, {total}, failed or was called off");
                noop(Code::new("payout-not-paid"), cause)
            }
        })
    }

    fn adopt(&self, target: &RecordRef, how: &'static str) -> Verdict {
        Verdict::Adopt {
            target: target.clone(),
            role: String::new(),
            how,
            key: Some(self.key()),
        }
    }

    fn make(&self, document: Deposit) -> Verdict {
        Verdict::Write(Box::new(Step {
            side: Side::Ledger,
            action: Action::Create,
            role: String::new(),
            target: None,
            document: Document::Deposit(document),
            expect: None,
            key: self.key(),
            because: "the payout has arrived".to_owned(),
        }))
    }

    /// What is to reach the bank account by its deposit: what arrived, less what was deposited payment by payment.
    fn net(&self) -> Option<Amount> {
        self.payout.total.minus(parts::stand_alone(self)).ok()
    }
}

/// A payment of the platform as the payments' flow knows it.
fn posting<'a>(books: &'a Books, payment: &RecordRef) -> Option<&'a Link> {
    books.link(payments::NAME, payment, "")
}

/// Whether a payment has a deposit of its own.
fn is_alone(books: &Books, payment: &RecordRef) -> bool {
    let link = books.link(payments::NAME, payment, payments::STAND_ALONE);
    link.is_some_and(|link| books.record(&link.target).is_some_and(|seen| !seen.gone))
}

/// What must be loaded to know what became of a payment.
fn posting_needs(books: &Books, payment: &RecordRef) -> Vec<Need> {
    let mut needs = vec![Need::Record(payment.clone())];
    needs.extend(origin::needs(payments::NAME, payment));
    let links = books.links_of(payments::NAME, payment).iter();
    needs.extend(links.map(|link| Need::Record(link.target.clone())));
    needs
}
