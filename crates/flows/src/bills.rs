//! Vendor bills: from the ledger to the platform, once (scenarios 33–92).

pub(crate) mod adopt;
mod linked;
pub(crate) mod platform_side;
pub(crate) mod settled;
pub(crate) mod wanted;

use tieout_domain::code::Code;
use tieout_domain::document::{Bill, BillStatus};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Key, Kind, Outcome, RecordRef, RemoteId, Side, State};

use crate::matching::{document_number_key, normalised_number};
use crate::preferences::PartlyPaid;
use crate::scope::{self, Paper};
use crate::vendors::{self, name::older};
use crate::verdict::{accepted, blocked, hold, ignored, noop, skipped, until_linked};
use crate::{Books, Decided, Flow, Link, Need, Step, Subject, Verdict, lines};

/// The flow's name.
pub const NAME: &str = "bills";

/// The role of the link of a bill of which only the balance at cut-over went to the platform.
pub const OPENING: &str = "opening";

/// Carries vendor bills of the ledger to the platform.
#[derive(Debug, Clone, Copy)]
pub struct Bills;

impl Flow for Bills {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[(Side::Ledger, Kind::Bill), (Side::Platform, Kind::Bill)]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[
            (Side::Platform, Kind::Bill),
            (Side::Platform, Kind::VendorCredit),
        ]
    }

    fn held_by_records(&self) -> &'static [&'static str] {
        &["pending-approval", "payment-hold"]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        let Document::Bill(bill) = &subject.observed.document else {
            return Vec::new();
        };
        match subject.record.side {
            Side::Ledger => This::new(subject, bill, books).needs(),
            Side::Platform => platform_side::needs(subject.record, bill, books),
        }
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        let Document::Bill(bill) = &subject.observed.document else {
            return noop(Code::new("other-kind"), "not a bill");
        };
        match subject.record.side {
            Side::Ledger => This::new(subject, bill, books).decide(),
            Side::Platform => platform_side::decide(subject, bill, books),
        }
    }
}

/// What a bill is called in messages.
pub(crate) fn label(bill: &Bill, id: &RemoteId, books: &Books) -> String {
    let number = if bill.number.trim().is_empty() {
        substitute(id)
    } else {
        bill.number.clone()
    };
    match scope::vendor(books, &bill.vendor) {
        Some(vendor) => format!("bill {number} of {}", vendor.name),
        None => format!("bill {number}"),
    }
}

/// The number of a bill that has none: the same each time (scenario 73).
pub(crate) fn substitute(id: &RemoteId) -> String {
    format!("NS-{id}")
}

fn paper<'a>(bill: &'a Bill, id: &RemoteId, books: &Books) -> Paper<'a> {
    Paper {
        label: label(bill, id, books),
        vendor: &bill.vendor,
        date: bill.date,
        currency: bill.currency,
        subsidiary: bill.subsidiary.as_ref(),
        total: bill.total,
        status: &bill.status,
        approval: &bill.approval,
    }
}

/// What keeps a bill that was never linked away from the platform, if something does.
pub(crate) fn rule(bill: &Bill, id: &RemoteId, books: &Books) -> Option<Verdict> {
    let label = || label(bill, id, books);
    if let Some(verdict) = scope::rule(&paper(bill, id, books), books) {
        return Some(verdict);
    }
    if bill.status == BillStatus::Paid || bill.open.is_zero() {
        let cause = format!("{} was paid before it reached the platform", label());
        return Some(skipped(Code::new("paid-at-cut-over"), cause));
    }
    if bill.open != bill.total && books.preferences.transactions.partly_paid == PartlyPaid::Skip {
        let cause = format!(
            "{} was partly paid before it reached the platform: {} of {} is open",
            label(),
            bill.open,
            bill.total
        );
        return Some(skipped(Code::new("partly-paid"), cause));
    }
    if bill.payment_hold {
        return Some(hold(
            Code::new("payment-hold"),
            format!("{} is on payment hold", label()),
        ));
    }
    None
}

/// The ledger's bill at hand.
struct This<'a> {
    record: &'a RecordRef,
    bill: &'a Bill,
    gone: bool,
    books: &'a Books,
}

impl<'a> This<'a> {
    fn new(subject: &Subject<'a>, bill: &'a Bill, books: &'a Books) -> Self {
        Self {
            record: subject.record,
            bill,
            gone: subject.gone,
            books,
        }
    }

    fn label(&self) -> String {
        label(self.bill, &self.record.id, self.books)
    }

    fn key(&self) -> Key {
        self.books.connection.ledger_key(&self.record.id)
    }

    /// The link to its counterpart, whole or opening balance.
    fn link(&self) -> Option<&'a Link> {
        self.books
            .links_of(NAME, self.record)
            .iter()
            .find(|link| link.role.is_empty() || link.role == OPENING)
    }

    fn vendor_record(&self) -> RecordRef {
        RecordRef::new(Side::Ledger, Kind::Vendor, self.bill.vendor.clone())
    }

    /// Its vendor's counterpart for bills in its currency.
    fn vendor_link(&self) -> Option<&'a Link> {
        vendor_link(self.books, &self.bill.vendor, self.bill)
    }

    /// The number it has on the platform.
    fn number(&self) -> String {
        if self.bill.number.trim().is_empty() {
            substitute(&self.record.id)
        } else {
            crate::text::shorten(&self.bill.number, crate::text::NUMBER_MAX)
        }
    }

    fn candidate_kind(&self) -> Kind {
        if self.bill.total.is_negative() {
            Kind::VendorCredit
        } else {
            Kind::Bill
        }
    }

    fn candidate_key(&self) -> Option<(Side, Kind, String)> {
        let vendor = &self.vendor_link()?.target.id;
        Some((
            Side::Platform,
            self.candidate_kind(),
            document_number_key(vendor, &self.number()),
        ))
    }

    fn twin_key(&self) -> Option<(Side, Kind, String)> {
        let number = normalised_number(&self.bill.number);
        let key = document_number_key(&self.bill.vendor, &self.bill.number);
        (!number.is_empty()).then_some((Side::Ledger, Kind::Bill, key))
    }

    fn needs(&self) -> Vec<Need> {
        let mut needs = vec![
            Need::Links(NAME, self.record.clone()),
            Need::Decisions(NAME, self.record.clone()),
            Need::Record(self.vendor_record()),
            Need::Links(vendors::NAME, self.vendor_record()),
        ];
        if let Some(link) = self.vendor_link() {
            needs.push(Need::Record(link.target.clone()));
        }
        needs.extend(lines::needs(&self.bill.lines, self.books));
        if let Some(link) = self.link() {
            needs.push(Need::Record(link.target.clone()));
            if !linked::is_of_another_vendor(self, link) {
                return needs;
            }
        }
        needs.extend(adopt::marked_needs(self.books, &self.record.id));
        if let Some(key) = self.candidate_key() {
            needs.extend(
                self.books
                    .matching
                    .get(&key)
                    .into_iter()
                    .flatten()
                    .flat_map(|candidate| {
                        [
                            Need::Record(candidate.clone()),
                            Need::LinkedTo(candidate.clone()),
                        ]
                    }),
            );
            needs.push(Need::Matching(key.0, key.1, key.2));
        }
        if let Some(key) = self.twin_key() {
            needs.extend(
                self.books
                    .matching
                    .get(&key)
                    .into_iter()
                    .flatten()
                    .flat_map(|twin| [Need::Record(twin.clone()), Need::Links(NAME, twin.clone())]),
            );
            needs.push(Need::Matching(key.0, key.1, key.2));
        }
        if let Some(Decided::Link(target)) = self.books.decided(NAME, self.record) {
            needs.push(Need::Record(target.clone()));
            needs.push(Need::LinkedTo(target.clone()));
        }
        needs
    }

    fn decide(&self) -> Verdict {
        if let Some(verdict) = ignored(self.books, NAME, self.record) {
            return verdict;
        }
        if let Some(link) = self.link() {
            return linked::decide(self, link);
        }
        if self.gone {
            let cause = format!(
                "{} was deleted before it reached the platform",
                self.label()
            );
            return noop(Code::new("deleted-before-sync"), cause);
        }
        if let Some(verdict) = adopt::by_mark(self) {
            return verdict;
        }
        if let Some(verdict) = adopt::known_again(self) {
            return verdict;
        }
        if let Some(verdict) = rule(self.bill, &self.record.id, self.books) {
            return verdict;
        }
        self.create(&self.key())
    }

    /// The step that makes it on the platform, or what stands in its way.
    fn create(&self, key: &Key) -> Verdict {
        if let Some(verdict) = self.unbalanced() {
            return verdict;
        }
        let vendor = match self.payee() {
            Ok(vendor) => vendor,
            Err(outcome) => return Verdict::Rest(outcome),
        };
        if let Some(verdict) = adopt::marked_elsewhere(self) {
            return verdict;
        }
        if let Some(verdict) = adopt::by_content(self) {
            return self.instead(verdict);
        }
        if let Some(verdict) = self.twin() {
            return verdict;
        }
        let document = match wanted::document(self, vendor, None) {
            Ok(document) => document,
            Err(outcome) => return Verdict::Rest(outcome),
        };
        let opening = self.bill.open != self.bill.total;
        let role = match self.link() {
            Some(link) => link.role.clone(),
            None if opening => OPENING.to_owned(),
            None => String::new(),
        };
        Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action: Action::Create,
            role,
            target: None,
            document,
            expect: None,
            key: key.clone(),
            because: "it is approved and in scope".into(),
        }))
    }

    /// What is found for a bill that has a counterpart already takes that one's place.
    fn instead(&self, found: Verdict) -> Verdict {
        match (found, self.link()) {
            (
                Verdict::Adopt {
                    target, how, key, ..
                },
                Some(link),
            ) => Verdict::Adopt {
                target,
                role: link.role.clone(),
                how,
                key,
            },
            (found, _) => found,
        }
    }

    /// A bill whose lines don't add up is never sent (check C7).
    fn unbalanced(&self) -> Option<Verdict> {
        let sum = Amount::total(self.bill.lines.iter().map(|line| line.amount));
        if sum.as_ref() == Ok(&self.bill.total) {
            return None;
        }
        let sum = sum.map_or_else(|error| error.to_string(), |sum| sum.to_string());
        let cause = format!(
            "{} has a total of {}, but its lines come to {sum}",
            self.label(),
            self.bill.total
        );
        Some(blocked(Code::new("total-mismatch"), cause))
    }

    /// The platform's vendor that is to be paid.
    fn payee(&self) -> Result<RemoteId, Outcome> {
        payee(
            self.books,
            &self.bill.vendor,
            self.vendor_link(),
            &self.label(),
        )
    }

    /// An older bill of the same vendor with the same number, or with nearly the same number and the same
    /// total: the second one may be the first one typed twice (scenarios 69 and 70).
    fn twin(&self) -> Option<Verdict> {
        let code = Code::new("possible-duplicate");
        let decided = self.books.decided(NAME, self.record);
        if decided == Some(&Decided::Create) || self.accepted(&code) {
            return None;
        }
        let twins = self.books.matching.get(&self.twin_key()?)?;
        let twin = twins
            .iter()
            .filter(|twin| twin.id != self.record.id)
            .find_map(|twin| {
                let seen = self.books.record(twin).filter(|seen| !seen.gone)?;
                let Document::Bill(bill) = &seen.document else {
                    return None;
                };
                let alive = !matches!(
                    bill.status,
                    BillStatus::Voided | BillStatus::Cancelled | BillStatus::Rejected
                );
                let alike = bill.number == self.bill.number || bill.total == self.bill.total;
                let same_sign = bill.total.is_negative() == self.bill.total.is_negative();
                let first =
                    !self.books.links_of(NAME, twin).is_empty() || older(&twin.id, &self.record.id);
                (bill.vendor == self.bill.vendor && alive && alike && same_sign && first)
                    .then_some((twin, bill))
            });
        let (twin, bill) = twin?;
        let cause = format!(
            "{} of {} dated {} may be the same as bill {} (id {}) of {} dated {}",
            self.label(),
            self.bill.total,
            self.bill.date,
            bill.number,
            twin.id,
            bill.total,
            bill.date
        );
        Some(blocked(code, cause))
    }

    fn accepted(&self, code: &Code) -> bool {
        accepted(self.books, NAME, self.record, code)
    }
}

/// A vendor's counterpart for documents in this currency.
fn vendor_link<'a>(books: &'a Books, vendor: &RemoteId, bill: &Bill) -> Option<&'a Link> {
    vendor_counterpart(books, vendor, bill.currency)
}

/// A vendor's counterpart for documents in this currency.
pub(crate) fn vendor_counterpart<'a>(
    books: &'a Books,
    vendor: &RemoteId,
    currency: tieout_domain::Currency,
) -> Option<&'a Link> {
    let record = RecordRef::new(Side::Ledger, Kind::Vendor, vendor.clone());
    let home = books.connection.home_currency;
    let role = vendors::role(scope::vendor(books, vendor), currency, home);
    books.link(vendors::NAME, &record, &role)
}

/// The platform's vendor by its link, or what the document waits for.
pub(crate) fn payee(
    books: &Books,
    vendor: &RemoteId,
    link: Option<&Link>,
    label: &str,
) -> Result<RemoteId, Outcome> {
    let record = RecordRef::new(Side::Ledger, Kind::Vendor, vendor.clone());
    let Some(link) = link else {
        let cause = format!("{label} waits for its vendor {vendor} to be on the platform");
        let outcome = Outcome::because(State::Hold, Code::new("waits-for-vendor"), cause);
        return Err(until_linked(outcome, vendors::NAME, &record));
    };
    let there = books.record(&link.target);
    if there.is_some_and(|there| there.gone || crate::lists::inactive(&there.document)) {
        let cause = format!(
            "{label} can't go to vendor {} on the platform, which is archived there: restore it?",
            link.target.id
        );
        let outcome = Outcome::because(State::Blocked, Code::new("vendor-archived"), cause);
        return Err(until_linked(outcome, vendors::NAME, &record));
    }
    Ok(link.target.id.clone())
}
