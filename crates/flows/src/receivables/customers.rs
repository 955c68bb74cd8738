//! Customers (scenarios 172–174): linked by id; a name only proposes.
//!
//! A customer goes to the other side when a document there needs it, or where a person wants all of the
//! ledger's.

mod recognise;

use tieout_domain::code::Code;
use tieout_domain::document::Customer;
use tieout_domain::port::{Action, Ways};
use tieout_domain::{Document, Kind, Outcome, RecordRef, RemoteId, Side, State, WaitsFor};

use super::origin;
use crate::preferences::{CustomerScope, Mode};
use crate::projection::same_writable;
use crate::verdict::{amendment_key, blocked, done, ignored, noop, skipped, until_linked};
use crate::{Books, Decided, Flow, Link, Need, Step, Subject, Verdict};

/// The flow's name.
pub const NAME: &str = "customers";

/// Carries customers both ways.
#[derive(Debug, Clone, Copy)]
pub struct Customers {
    writes: &'static [(Side, Kind)],
}

/// The flow of customers with a platform of these ways.
pub(super) fn of(ways: Ways) -> Customers {
    let both: &[(Side, Kind)] = &[
        (Side::Platform, Kind::Customer),
        (Side::Ledger, Kind::Customer),
    ];
    Customers {
        writes: if ways.originates { both } else { &both[..1] },
    }
}

impl Flow for Customers {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[
            (Side::Ledger, Kind::Customer),
            (Side::Platform, Kind::Customer),
        ]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        self.writes
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        match &subject.observed.document {
            Document::Customer(customer) => This::new(subject, customer, books).needs(),
            _ => Vec::new(),
        }
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        match &subject.observed.document {
            Document::Customer(customer) => This::new(subject, customer, books).decide(),
            _ => noop(Code::new("other-kind"), "not a customer"),
        }
    }
}

/// The outcome of a document that waits for its customer to be on the other side.
pub(super) fn awaited(label: &str, customer: &RecordRef) -> Outcome {
    let there = customer.side.other().as_str();
    let cause = format!(
        "{label} waits for its customer {} to be on the {there}",
        customer.id
    );
    let outcome = Outcome::because(State::Hold, Code::new("waits-for-customer"), cause);
    until_linked(outcome, NAME, customer)
}

/// Who stands for a customer on the other side, unless they were deleted or merged away there: then nothing is written
/// for them until a person has said who it is.
pub(super) fn counterpart<'a>(books: &'a Books, customer: &RecordRef) -> Option<&'a RecordRef> {
    let there = origin::counterpart(books, NAME, customer)?;
    let gone = books.record(there).is_some_and(|seen| seen.gone);
    (!gone).then_some(there)
}

/// What must be loaded to know who stands for a customer.
pub(super) fn counterpart_needs(books: &Books, customer: &RecordRef) -> Vec<Need> {
    let mut needs = origin::needs(NAME, customer).to_vec();
    let there = origin::counterpart(books, NAME, customer);
    needs.extend(there.cloned().map(Need::Record));
    needs
}

/// The customer at hand.
struct This<'a> {
    record: &'a RecordRef,
    customer: &'a Customer,
    document: &'a Document,
    gone: bool,
    books: &'a Books,
}

impl<'a> This<'a> {
    fn new(subject: &Subject<'a>, customer: &'a Customer, books: &'a Books) -> Self {
        Self {
            record: subject.record,
            customer,
            document: &subject.observed.document,
            gone: subject.gone,
            books,
        }
    }

    fn demand(&self) -> String {
        WaitsFor::Link(NAME.to_owned(), self.record.clone()).to_string()
    }

    fn is_wanted(&self) -> bool {
        let all = self.books.preferences.receivables.customers == CustomerScope::All;
        self.is_needed() || (all && self.record.side == Side::Ledger)
    }

    /// Whether a document waits for it.
    fn is_needed(&self) -> bool {
        self.books.waiting.contains(&self.demand())
    }

    /// Whether it goes to a platform that keeps no more of a customer than is needed to bill them: neither a telephone
    /// number nor whose customer they are.
    fn is_plain(&self) -> bool {
        self.record.side == Side::Ledger && !self.books.connection.ways.originates
    }

    fn parent(&self) -> Option<RecordRef> {
        let parent = self.customer.parent.clone().filter(|_| !self.is_plain())?;
        Some(RecordRef::new(self.record.side, Kind::Customer, parent))
    }

    fn link(&self) -> Option<&'a Link> {
        self.books.link(NAME, self.record, "")
    }

    fn needs(&self) -> Vec<Need> {
        let mut needs = origin::needs(NAME, self.record).to_vec();
        needs.push(Need::Decisions(NAME, self.record.clone()));
        if let Some(Decided::Link(target)) = self.books.decided(NAME, self.record) {
            needs.extend(origin::chosen_needs(NAME, target));
        }
        needs.push(Need::Waiting(self.demand()));
        needs.extend(self.link().map(|link| Need::Record(link.target.clone())));
        if let Some(parent) = self.parent() {
            needs.extend(counterpart_needs(self.books, &parent));
        }
        if self.record.side == Side::Ledger {
            needs.push(Need::Marked(self.books.connection.marker(&self.record.id)));
        } else if let Some(ledger) = origin::marked_for(self.books, Kind::Customer, self.document) {
            needs.push(Need::Record(ledger));
        }
        if self.link().is_none() && self.is_wanted() {
            needs.extend(recognise::needs(self));
        }
        needs
    }

    fn decide(&self) -> Verdict {
        if origin::is_copy(self.books, self.record, self.document) {
            return Verdict::Elsewhere;
        }
        if let Some(verdict) = ignored(self.books, NAME, self.record) {
            return verdict;
        }
        match self.link() {
            Some(link) => self.linked(link),
            None => self.unlinked(),
        }
    }

    fn unlinked(&self) -> Verdict {
        let name = &self.customer.name;
        if let [one] = origin::marked(self.books, self.record).as_slice()
            && self.record.side == Side::Ledger
            && !self.gone
        {
            return self.adopt((*one).clone(), "its mark");
        }
        let marked_for = origin::marked_for(self.books, Kind::Customer, self.document);
        if marked_for.is_some_and(|ledger| self.books.record(&ledger).is_some_and(|it| !it.gone)) {
            return Verdict::Elsewhere;
        }
        if self.record.side == Side::Platform && !self.books.connection.ways.originates {
            let cause = format!("customer {name} was made on the platform, and stays there");
            return skipped(Code::new("platform-only"), cause);
        }
        if !self.is_wanted() || self.gone {
            return match self.record.side {
                Side::Ledger => skipped(
                    Code::new("not-used"),
                    format!("no open invoice needs customer {name} yet"),
                ),
                Side::Platform => skipped(
                    Code::new("only-on-platform"),
                    format!(
                        "customer {name} was made on the platform, and no document of the ledger needs it"
                    ),
                ),
            };
        }
        if let Some(verdict) = self.out_of_scope() {
            return verdict;
        }
        if let Some(parent) = self.parent()
            && counterpart(self.books, &parent).is_none()
        {
            return Verdict::Rest(awaited(&format!("customer {name}"), &parent));
        }
        let found = match self.books.decided(NAME, self.record) {
            Some(Decided::Link(target)) if target.kind == Kind::Customer => {
                if let Some(verdict) = self.refused_link(target) {
                    return verdict;
                }
                recognise::Found::One(target.clone(), "a person's choice")
            }
            Some(Decided::Create) => recognise::Found::None,
            _ => recognise::find(self),
        };
        match found {
            recognise::Found::One(target, how) => self.adopt(target, how),
            recognise::Found::Unsure(cause) => {
                let outcome = Outcome::because(State::Blocked, Code::new("choose-customer"), cause);
                Verdict::Rest(outcome.grouped(format!("choose-customer:{}", self.record)))
            }
            recognise::Found::None if self.is_carried() => skipped(
                Code::new("payments-only"),
                format!("customer {name} is carried by another system; only payments come back"),
            ),
            recognise::Found::None => self.create(),
        }
    }

    /// Whether another system carries customers, and only payments come back.
    fn is_carried(&self) -> bool {
        self.books.preferences.receivables.mode == Mode::PaymentsOnly
    }

    fn adopt(&self, target: RecordRef, how: &'static str) -> Verdict {
        Verdict::Adopt {
            target,
            role: String::new(),
            how,
            key: Some(self.books.connection.origin_key(self.record)),
        }
    }

    fn refused_link(&self, target: &RecordRef) -> Option<Verdict> {
        let label = format!("customer {}", self.customer.name);
        origin::refused_link(self.books, NAME, &label, (self.record, target))
    }

    fn out_of_scope(&self) -> Option<Verdict> {
        let name = &self.customer.name;
        let subsidiary = self.books.connection.subsidiary.as_ref();
        let assigned = &self.customer.subsidiaries;
        if let Some(subsidiary) =
            subsidiary.filter(|it| !assigned.is_empty() && !assigned.contains(it))
        {
            let cause = format!("customer {name} is not assigned to subsidiary {subsidiary}");
            return Some(skipped(Code::new("other-subsidiary"), cause));
        }
        if self.customer.inactive && !self.is_needed() {
            let cause = format!("customer {name} is inactive, and no open invoice needs it");
            return Some(skipped(Code::new("inactive"), cause));
        }
        if self.customer.inactive {
            let cause = format!("customer {name} is inactive, and an open invoice needs it");
            return Some(blocked(Code::new("customer-inactive"), cause));
        }
        if self.record.side == Side::Platform {
            return origin::not_to_ledger(self.books, &format!("customer {name}"));
        }
        None
    }

    fn create(&self) -> Verdict {
        let key = self.books.connection.origin_key(self.record);
        Verdict::Write(Box::new(Step {
            side: self.record.side.other(),
            action: Action::Create,
            role: String::new(),
            target: None,
            document: Document::Customer(self.wanted(None)),
            expect: None,
            key,
            because: "a document of it needs it, and nobody of that name is there".into(),
        }))
    }

    /// The customer in the other side's terms. What is left empty here stays as it is there; what only the other
    /// side decides does too.
    fn wanted(&self, there: Option<&Customer>) -> Customer {
        let ours = self.customer;
        let keep = |own: &str, other: fn(&Customer) -> &String| {
            let own = own.trim();
            if own.is_empty() {
                there.map(other).cloned().unwrap_or_default()
            } else {
                own.to_owned()
            }
        };
        let to_platform = self.record.side == Side::Ledger;
        let maps = &self.books.maps;
        let terms = ours
            .terms
            .as_ref()
            .and_then(|terms| match self.record.side {
                Side::Ledger => maps.confirmed(Kind::Terms, terms),
                Side::Platform => maps.back(Kind::Terms, terms),
            });
        let parent = self.parent();
        let parent = parent.and_then(|parent| origin::counterpart(self.books, NAME, &parent));
        let subsidiary = self.books.connection.subsidiary.clone();
        let assigned: Vec<RemoteId> = match there {
            Some(there) => there.subsidiaries.clone(),
            None if to_platform => Vec::new(),
            None => subsidiary.into_iter().collect(),
        };
        Customer {
            name: ours.name.trim().to_owned(),
            number: match there {
                Some(there) => there.number.clone(),
                // The ledger numbers its customers itself.
                None if to_platform => ours.number.clone(),
                None => String::new(),
            },
            person: ours.person.clone(),
            email: keep(&ours.email, |it| &it.email),
            phone: match there {
                _ if !self.is_plain() => keep(&ours.phone, |it| &it.phone),
                Some(there) => there.phone.clone(),
                None => String::new(),
            },
            address: ours
                .address
                .clone()
                .or_else(|| there.and_then(|it| it.address.clone())),
            currency: there.map_or(ours.currency, |it| it.currency),
            terms: terms
                .cloned()
                .or_else(|| there.and_then(|it| it.terms.clone())),
            parent: parent.map(|it| it.id.clone()),
            subsidiaries: assigned,
            inactive: there.is_some_and(|it| it.inactive),
            automatic_payment: there.is_some_and(|it| it.automatic_payment),
            reminders: there.is_some_and(|it| it.reminders),
            marker: to_platform.then(|| self.books.connection.marker(&self.record.id)),
            external_id: there.and_then(|it| it.external_id.clone()),
        }
    }

    fn linked(&self, link: &Link) -> Verdict {
        let name = &self.customer.name;
        let there = match self.books.record(&link.target) {
            Some(seen) if !seen.gone => &seen.document,
            // Customers are merged on platforms: a person says into which one (facts of the platform).
            _ => return self.counterpart_gone(link),
        };
        let Document::Customer(copy) = there else {
            return blocked(
                Code::new("counterpart-gone"),
                format!("{} is no customer", link.target),
            );
        };
        if self.gone || self.customer.inactive {
            return self.put_away(copy);
        }
        let wanted = self.wanted(Some(copy));
        if same_writable(&Document::Customer(wanted.clone()), there) {
            return done();
        }
        if let Some(Document::Customer(applied)) = &link.applied {
            let unchanged = same_writable(
                &Document::Customer(self.wanted(Some(applied))),
                &Document::Customer(applied.clone()),
            );
            if unchanged {
                let cause = format!(
                    "customer {name} was changed on the {}, where it is a copy; the next change of the original prevails",
                    link.target.side.as_str()
                );
                return noop(Code::new("copy-edited"), cause);
            }
        }
        if self.record.side == Side::Platform
            && let Some(verdict) = origin::not_to_ledger(self.books, &format!("customer {name}"))
        {
            return verdict;
        }
        if self.is_carried() {
            let cause = format!("customer {name} is carried by another system");
            return noop(Code::new("payments-only"), cause);
        }
        if link.target.side == Side::Platform
            && !self.books.connection.takes(Kind::Customer, Action::Amend)
        {
            let cause = format!(
                "customer {name} differs from its copy, and the platform changes no customers"
            );
            return noop(Code::new("customer-not-amendable"), cause);
        }
        let document = Document::Customer(wanted);
        let base = self.books.connection.origin_key(self.record);
        Verdict::Write(Box::new(Step {
            side: link.target.side,
            action: Action::Amend,
            role: String::new(),
            target: Some(link.target.id.clone()),
            key: amendment_key(&base, &document),
            document,
            expect: Some(there.clone()),
            because: "the customer changed where it began".into(),
        }))
    }

    /// It is put away where it began. Where tieout can't put the copy away, somebody has to (scenario 194).
    fn put_away(&self, copy: &Customer) -> Verdict {
        let name = &self.customer.name;
        if self.is_plain() && !copy.inactive && !self.is_carried() {
            let cause = format!(
                "customer {name} was archived in the ledger: archive it on the platform by hand"
            );
            return blocked(Code::new("archive-by-hand"), cause);
        }
        let cause = format!("customer {name} is put away where it began; its copy stays");
        noop(Code::new("inactive"), cause)
    }

    fn counterpart_gone(&self, link: &Link) -> Verdict {
        match self.books.decided(NAME, self.record) {
            Some(Decided::Link(target)) if *target != link.target => self
                .refused_link(target)
                .unwrap_or_else(|| self.adopt(target.clone(), "a person's choice")),
            _ if self.gone || self.customer.inactive => noop(
                Code::new("closed-on-both-sides"),
                format!("customer {} is gone from both sides", self.customer.name),
            ),
            _ => {
                let cause = format!(
                    "customer {} leads to {}, which is no longer there: it was merged into another or deleted",
                    self.customer.name, link.target.id
                );
                blocked(Code::new("counterpart-gone"), cause)
            }
        }
    }
}
