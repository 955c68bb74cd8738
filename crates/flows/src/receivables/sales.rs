//! Invoices and credit memos, both ways by origin (scenarios 171, 175–179, 193, 197, 199).
//!
//! The two are of one shape and follow the same rules: what is said of an invoice here holds for a credit memo,
//! unless something else is said.

mod by_invoice;
mod lines;
mod linked;
mod namesake;
mod paper;
mod scope;
mod wanted;

use tieout_domain::code::Code;
use tieout_domain::port::{Action, Ways};
use tieout_domain::{Document, Key, Kind, Outcome, RecordRef, Side, State, WaitsFor};

use super::{account, customers, on_copy, origin};
use crate::matching::normalised_number;
use crate::preferences::Mode;
use crate::verdict::{accepted, blocked, ignored, noop};
use crate::{Books, Decided, Flow, Link, Need, Step, Subject, Verdict};

pub(super) use paper::Paper;

/// Invoices.
pub const INVOICES: Sales = Sales {
    name: "invoices",
    kind: Kind::Invoice,
    population: &[
        (Side::Ledger, Kind::Invoice),
        (Side::Platform, Kind::Invoice),
    ],
    writes: &[
        (Side::Platform, Kind::Invoice),
        (Side::Ledger, Kind::Invoice),
    ],
    maps: &[Kind::Item, Kind::Terms],
};

/// Invoices, to a platform on which none begin that belong into the ledger: nothing of the ledger's lists is mapped.
const INVOICES_OUT: Sales = Sales {
    writes: &[(Side::Platform, Kind::Invoice)],
    maps: &[],
    ..INVOICES
};

/// The flow of invoices with a platform of these ways.
pub(super) fn invoices(ways: Ways) -> Sales {
    if ways.originates {
        INVOICES
    } else {
        INVOICES_OUT
    }
}

/// Credit memos; on a platform, credit notes.
pub const CREDIT_MEMOS: Sales = Sales {
    name: "credit-memos",
    kind: Kind::CreditMemo,
    population: &[
        (Side::Ledger, Kind::CreditMemo),
        (Side::Platform, Kind::CreditMemo),
    ],
    writes: &[
        (Side::Platform, Kind::CreditMemo),
        (Side::Ledger, Kind::CreditMemo),
    ],
    maps: &[Kind::Item],
};

/// Carries invoices or credit memos both ways.
#[derive(Debug, Clone, Copy)]
pub struct Sales {
    /// The flow's name.
    name: &'static str,
    /// What it carries.
    kind: Kind,
    population: &'static [(Side, Kind)],
    writes: &'static [(Side, Kind)],
    maps: &'static [Kind],
}

impl Flow for Sales {
    fn name(&self) -> &'static str {
        self.name
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        self.population
    }

    fn maps(&self) -> &'static [Kind] {
        self.maps
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        self.writes
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        This::new(self, subject, books).map_or_else(Vec::new, |this| this.needs())
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        match This::new(self, subject, books) {
            Some(this) => this.decide(),
            None => noop(Code::new("other-kind"), format!("no part of {}", self.name)),
        }
    }
}

/// The document at hand.
struct This<'a> {
    flow: &'static str,
    record: &'a RecordRef,
    document: &'a Document,
    paper: Paper<'a>,
    gone: bool,
    books: &'a Books,
}

impl<'a> This<'a> {
    fn new(sales: &Sales, subject: &Subject<'a>, books: &'a Books) -> Option<Self> {
        let document = &subject.observed.document;
        Some(Self {
            flow: sales.name,
            record: subject.record,
            document,
            paper: Paper::of(document).filter(|_| document.kind() == sales.kind)?,
            gone: subject.gone,
            books,
        })
    }

    fn label(&self) -> String {
        self.paper.label(self.record)
    }

    fn key(&self) -> Key {
        self.books.connection.origin_key(self.record)
    }

    fn link(&self) -> Option<&'a Link> {
        self.books.link(self.flow, self.record, "")
    }

    fn customer(&self) -> RecordRef {
        RecordRef::new(
            self.record.side,
            Kind::Customer,
            self.paper.customer.clone(),
        )
    }

    /// Whether its copy is on a platform that is told by invoice what was settled elsewhere.
    fn is_by_invoice(&self) -> bool {
        self.record.side == Side::Ledger && origin::by_invoice(self.books)
    }

    /// Whether another system carries invoices, and only payments come back.
    fn is_carried(&self) -> bool {
        self.books.preferences.receivables.mode == Mode::PaymentsOnly
    }

    fn accepted(&self, code: &Code) -> bool {
        accepted(self.books, self.flow, self.record, code)
    }

    /// Where a document of the same number is looked for.
    fn same_number(&self) -> (Side, Kind, String) {
        let number = normalised_number(&wanted::number(self));
        (self.record.side.other(), self.record.kind, number)
    }

    fn needs(&self) -> Vec<Need> {
        let customer = self.customer();
        let mut needs = origin::needs(self.flow, self.record).to_vec();
        needs.push(Need::Decisions(self.flow, self.record.clone()));
        if let Some(Decided::Link(target)) = self.books.decided(self.flow, self.record) {
            needs.extend(origin::chosen_needs(self.flow, target));
        }
        needs.extend(customers::counterpart_needs(self.books, &customer));
        if self.record.side == Side::Platform {
            let named = &self.books.preferences.receivables.receivables_account;
            needs.extend(account::needs(named));
        }
        if let Some(link) = self.link() {
            needs.push(Need::Record(link.target.clone()));
            if self.is_by_invoice() {
                needs.extend(on_copy::needs(self.books, &link.target));
                needs.push(Need::Outdated(self.record.clone()));
                if by_invoice::was_put_away(link) {
                    needs.push(Need::Marked(self.books.connection.marker(&self.record.id)));
                }
            }
            return needs;
        }
        match self.record.side {
            Side::Ledger => {
                needs.push(Need::Marked(self.books.connection.marker(&self.record.id)));
            }
            Side::Platform => {
                let key = self.key();
                needs.push(Need::Keyed(Side::Ledger, self.record.kind, key));
                let marked = origin::marked_for(self.books, self.record.kind, self.document);
                needs.extend(marked.map(Need::Record));
            }
        }
        let (side, kind, number) = self.same_number();
        let place = (side, kind, number);
        for candidate in self.books.matching.get(&place).into_iter().flatten() {
            needs.push(Need::Record(candidate.clone()));
            needs.extend(origin::needs(self.flow, candidate));
            needs.extend(namesake::needs(self, candidate));
        }
        needs.push(Need::Matching(place.0, place.1, place.2));
        needs
    }

    fn decide(&self) -> Verdict {
        if origin::is_copy(self.books, self.record, self.document) {
            return Verdict::Elsewhere;
        }
        if let Some(verdict) = ignored(self.books, self.flow, self.record) {
            return verdict;
        }
        match self.link() {
            Some(link) if self.is_carried() => namesake::linked(self, link),
            Some(link) if self.is_by_invoice() => by_invoice::decide(self, link),
            Some(link) => linked::decide(self, link),
            None => self.unlinked(),
        }
    }

    /// Its copy, by the mark or the key that tieout leaves, though no link tells of it any more.
    fn known_again(&self) -> Option<Verdict> {
        let target = match self.record.side {
            Side::Ledger => match self.copies().as_slice() {
                [] => return None,
                [one] => (*one).clone(),
                several => return Some(self.several(several)),
            },
            Side::Platform => {
                let kind = self.record.kind;
                self.books.keyed(Side::Ledger, kind, &self.key())?.clone()
            }
        };
        Some(self.adopt(target, "its mark"))
    }

    /// What bears its mark. A copy that was put away and made anew is none of them, as long as another one stands.
    fn copies(&self) -> Vec<&'a RecordRef> {
        let standing = self.standing_copies();
        match standing.is_empty() {
            true => origin::marked(self.books, self.record),
            false => standing,
        }
    }

    fn standing_copies(&self) -> Vec<&'a RecordRef> {
        let mut copies = origin::marked(self.books, self.record);
        copies.retain(|record| {
            let seen = self.books.record(record);
            let paper = seen.and_then(|seen| Paper::of(&seen.document));
            paper.is_some_and(|paper| !paper.is_voided())
        });
        copies
    }

    /// One of several that bear its mark: a person says which.
    fn several(&self, copies: &[&RecordRef]) -> Verdict {
        let cause = format!(
            "{} has {} copies on the platform that bear its mark; say which one counts",
            self.label(),
            copies.len()
        );
        blocked(Code::new("several-copies"), cause)
    }

    fn adopt(&self, target: RecordRef, how: &'static str) -> Verdict {
        Verdict::Adopt {
            target,
            role: String::new(),
            how,
            key: Some(self.key()),
        }
    }

    fn unlinked(&self) -> Verdict {
        if self.gone {
            let cause = format!("{} was deleted before it was sent", self.label());
            return noop(Code::new("deleted-before-sync"), cause);
        }
        if let Some(verdict) = self.copy_of_nothing() {
            return verdict;
        }
        if let Some(verdict) = self.known_again() {
            return verdict;
        }
        if let Some(Decided::Link(target)) = self.books.decided(self.flow, self.record)
            && target.kind == self.record.kind
        {
            let ends = (self.record, target);
            return origin::refused_link(self.books, self.flow, &self.label(), ends)
                .unwrap_or_else(|| self.adopt(target.clone(), "a person's choice"));
        }
        if let Some(verdict) = scope::rule(self) {
            return verdict;
        }
        if self.is_carried() {
            return namesake::unlinked(self);
        }
        let customer = self.customer();
        let Some(there) = customers::counterpart(self.books, &customer) else {
            return Verdict::Rest(customers::awaited(&self.label(), &customer));
        };
        if let Some(verdict) = self
            .starts_something(there)
            .or_else(|| self.taken_number(there))
        {
            return verdict;
        }
        let document = if self.is_by_invoice() {
            by_invoice::document(self, by_invoice::owed(self), None)
        } else {
            wanted::document(self, there.id.clone(), None)
        };
        match document {
            Ok(document) => {
                let because = format!("it began in the {}", self.record.side.as_str());
                self.create(document, self.key(), because)
            }
            Err(outcome) => Verdict::Rest(outcome),
        }
    }

    fn create(&self, document: Document, key: Key, because: String) -> Verdict {
        Verdict::Write(Box::new(Step {
            side: self.record.side.other(),
            action: Action::Create,
            role: String::new(),
            target: None,
            document,
            expect: None,
            key,
            because,
        }))
    }

    /// A platform's record that bears the mark of a ledger's: that one stands for it, or nobody does.
    fn copy_of_nothing(&self) -> Option<Verdict> {
        let origin = origin::marked_for(self.books, self.record.kind, self.document)?;
        if self.books.record(&origin).is_some_and(|it| !it.gone) {
            return Some(Verdict::Elsewhere);
        }
        let cause = format!(
            "{} bears the mark of {} of the ledger, which is not there",
            self.label(),
            origin.id
        );
        let code = Code::new("origin-gone");
        Some(Verdict::Rest(Outcome::because(State::Orphan, code, cause)))
    }

    /// An import sends no mail and charges nobody (scenarios 171, 200): where the platform would do so for this
    /// customer by itself, a person says first that it may.
    fn starts_something(&self, customer: &RecordRef) -> Option<Verdict> {
        let seen = self.books.record(customer)?;
        let Document::Customer(there) = &seen.document else {
            return None;
        };
        let what = match (there.automatic_payment, there.reminders) {
            (true, _) => "is charged automatically",
            (false, true) => "is reminded automatically",
            (false, false) => return None,
        };
        let invoice = self.record.kind == Kind::Invoice;
        let code = Code::new("customer-automation");
        if customer.side == Side::Ledger || !invoice || self.accepted(&code) {
            return None;
        }
        let cause = format!(
            "{} goes to customer {} of the platform, who {what}: that would start for it",
            self.label(),
            there.name
        );
        let outcome = Outcome::because(State::Blocked, code, cause);
        let outcome = outcome.grouped(format!("customer-automation:{}", customer.id));
        let ours = self.customer();
        let waits = WaitsFor::Link(customers::NAME.to_owned(), ours);
        Some(Verdict::Rest(outcome.until(waits)))
    }

    /// A document of the same number on the other side: its own copy, made by hand or by another sync, or
    /// somebody else's. Never written over.
    fn taken_number(&self, customer: &RecordRef) -> Option<Verdict> {
        let found = self.books.matching.get(&self.same_number());
        let live = found.into_iter().flatten().filter_map(|record| {
            let seen = self.books.record(record).filter(|seen| !seen.gone)?;
            let paper = Paper::of(&seen.document)?;
            let same = paper.number.trim() == wanted::number(self).trim();
            (same && !paper.is_voided()).then_some((record, paper))
        });
        let live: Vec<_> = live.collect();
        let (record, there) = live.first()?;
        let free = origin::counterpart(self.books, self.flow, record).is_none();
        let ours = &self.paper;
        let same = there.customer == &customer.id
            && there.total == ours.total
            && there.currency == ours.currency;
        // On the ledger a number is not unique: another customer's may bear it.
        if self.record.side == Side::Platform && there.customer != &customer.id {
            return None;
        }
        if live.len() == 1 && free && same && self.record.side == Side::Ledger {
            return Some(self.adopt((*record).clone(), "number, customer and total"));
        }
        let code = Code::new("number-taken");
        if self.record.side == Side::Platform && self.accepted(&code) {
            return None;
        }
        let cause = format!(
            "{} of {}: the {} has that number already, {} of {}",
            self.label(),
            ours.total.of(ours.currency),
            record.side.as_str(),
            record.id,
            there.total.of(there.currency)
        );
        Some(blocked(code, cause))
    }
}
