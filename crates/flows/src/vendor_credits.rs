//! Vendor credits: from the ledger to the platform, as far as they are not applied (scenarios 47–52).

mod applied;

use tieout_domain::code::Code;
use tieout_domain::document::{Approval, BillStatus, Line, VendorCredit};
use tieout_domain::port::Action;
use tieout_domain::{
    Amount, Document, Key, Kind, Marker, Outcome, RecordRef, RemoteId, Side, State,
};

use crate::bills::platform_side::orphan_fix;
use crate::bills::{self, OPENING, adopt, wanted};
use crate::matching::document_number_key;
use crate::preferences::PartlyPaid;
use crate::projection::{Difference, credit_differences};
use crate::scope::{self, Paper};
use crate::text::{NUMBER_MAX, shorten};
use crate::verdict::{
    accepted, amendment_key, blocked, conflict, done, hold, ignored, noop, refused_link, rest,
    skipped,
};
use crate::{Books, Decided, Flow, Link, Need, Step, Subject, Verdict, lines, vendors};

/// The flow's name.
pub const NAME: &str = "vendor-credits";
/// The code of a credit that the ledger alone has applied: nothing carries that over.
pub const APPLIED_IN_LEDGER: Code = Code::new("credit-applied-in-ledger");

/// Carries vendor credits of the ledger to the platform.
#[derive(Debug, Clone, Copy)]
pub struct VendorCredits;

impl Flow for VendorCredits {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[
            (Side::Ledger, Kind::VendorCredit),
            (Side::Platform, Kind::VendorCredit),
        ]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[(Side::Platform, Kind::VendorCredit)]
    }

    fn held_by_records(&self) -> &'static [&'static str] {
        &["pending-approval"]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        let Document::VendorCredit(credit) = &subject.observed.document else {
            return Vec::new();
        };
        match subject.record.side {
            Side::Ledger => This {
                subject,
                credit,
                books,
            }
            .needs(),
            Side::Platform => platform_needs(subject.record, credit, books),
        }
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        let Document::VendorCredit(credit) = &subject.observed.document else {
            return noop(Code::new("other-kind"), "not a vendor credit");
        };
        if let Some(verdict) = ignored(books, NAME, subject.record) {
            return verdict;
        }
        match subject.record.side {
            Side::Ledger => This {
                subject,
                credit,
                books,
            }
            .decide(),
            Side::Platform => platform_decide(subject, credit, books),
        }
    }
}

/// The ledger's credit at hand.
struct This<'a> {
    subject: &'a Subject<'a>,
    credit: &'a VendorCredit,
    books: &'a Books,
}

/// What keeps a credit that was never linked away from the platform, if something does.
fn rule(credit: &VendorCredit, id: &RemoteId, books: &Books) -> Option<Verdict> {
    let label = label(credit, id);
    let paper = Paper {
        label: label.clone(),
        vendor: &credit.vendor,
        date: credit.date,
        currency: credit.currency,
        subsidiary: credit.subsidiary.as_ref(),
        total: credit.total,
        status: &credit.status,
        approval: &credit.approval,
    };
    if let Some(verdict) = scope::rule(&paper, books) {
        return Some(verdict);
    }
    if credit.open.is_zero() {
        let cause = format!("{label} was applied before it reached the platform");
        return Some(skipped(Code::new("applied-at-cut-over"), cause));
    }
    if credit.open != credit.total && books.preferences.transactions.partly_paid == PartlyPaid::Skip
    {
        let cause = format!(
            "{label} was partly applied before it reached the platform: {} of {} is left",
            credit.open, credit.total
        );
        return Some(skipped(Code::new("partly-applied"), cause));
    }
    None
}

fn number(credit: &VendorCredit, id: &RemoteId) -> String {
    if credit.number.trim().is_empty() {
        bills::substitute(id)
    } else {
        shorten(&credit.number, NUMBER_MAX)
    }
}

fn label(credit: &VendorCredit, id: &RemoteId) -> String {
    format!("vendor credit {}", number(credit, id))
}

impl<'a> This<'a> {
    fn record(&self) -> &'a RecordRef {
        self.subject.record
    }

    fn label(&self) -> String {
        label(self.credit, &self.record().id)
    }

    fn key(&self) -> Key {
        self.books.connection.ledger_key(&self.record().id)
    }

    fn link(&self) -> Option<&'a Link> {
        let links = self.books.links_of(NAME, self.record());
        links
            .iter()
            .find(|link| link.role.is_empty() || link.role == OPENING)
    }

    fn vendor_link(&self) -> Option<&'a Link> {
        bills::vendor_counterpart(self.books, &self.credit.vendor, self.credit.currency)
    }

    fn candidate_key(&self) -> Option<(Side, Kind, String)> {
        let number = number(self.credit, &self.record().id);
        let key = document_number_key(&self.vendor_link()?.target.id, &number);
        Some((Side::Platform, Kind::VendorCredit, key))
    }

    fn needs(&self) -> Vec<Need> {
        let vendor = RecordRef::new(Side::Ledger, Kind::Vendor, self.credit.vendor.clone());
        let mut needs = vec![
            Need::Links(NAME, self.record().clone()),
            Need::Decisions(NAME, self.record().clone()),
            Need::Record(vendor.clone()),
            Need::Links(vendors::NAME, vendor),
        ];
        needs.extend(
            self.vendor_link()
                .map(|link| Need::Record(link.target.clone())),
        );
        needs.extend(lines::needs(&self.credit.lines, self.books));
        needs.extend(self.link().map(|link| Need::Record(link.target.clone())));
        if self.link().is_none() {
            needs.extend(adopt::marked_needs(self.books, &self.record().id));
            needs.extend(applied::needs(self.credit, self.books));
        }
        if let (None, Some(key)) = (self.link(), self.candidate_key()) {
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
        if let Some(Decided::Link(target)) = self.books.decided(NAME, self.record()) {
            needs.push(Need::Record(target.clone()));
            needs.push(Need::LinkedTo(target.clone()));
        }
        needs
    }

    fn decide(&self) -> Verdict {
        if let Some(link) = self.link() {
            return self.linked(link);
        }
        if self.subject.gone {
            let cause = format!(
                "{} was deleted before it reached the platform",
                self.label()
            );
            return noop(Code::new("deleted-before-sync"), cause);
        }
        if let Some(verdict) = self.adopt() {
            return verdict;
        }
        if let Some(verdict) = self.left_out() {
            return verdict;
        }
        let sum = Amount::total(self.credit.lines.iter().map(|line| line.amount));
        if sum.as_ref() != Ok(&self.credit.total) {
            let sum = sum.map_or_else(|error| error.to_string(), |sum| sum.to_string());
            let cause = format!(
                "{} has a total of {}, but its lines come to {sum}",
                self.label(),
                self.credit.total
            );
            return blocked(Code::new("total-mismatch"), cause);
        }
        let payee = bills::payee(
            self.books,
            &self.credit.vendor,
            self.vendor_link(),
            &self.label(),
        );
        match payee.and_then(|vendor| self.wanted(vendor)) {
            Err(outcome) => Verdict::Rest(outcome),
            Ok(wanted) => Verdict::Write(Box::new(Step {
                side: Side::Platform,
                action: Action::Create,
                role: if self.opening() {
                    OPENING.into()
                } else {
                    String::new()
                },
                target: None,
                document: Document::VendorCredit(wanted),
                expect: None,
                key: self.key(),
                because: "it is approved and in scope".into(),
            })),
        }
    }

    /// What keeps it away, if something does. What it settles in the ledger counts there whether or not it goes over.
    fn left_out(&self) -> Option<Verdict> {
        let rule = rule(self.credit, &self.record().id, self.books);
        let takes_no_part = match &rule {
            Some(Verdict::Rest(outcome)) => outcome.state == State::Skipped,
            _ => rule.is_none(),
        };
        let alone = || applied::in_ledger_only(&self.label(), self.credit, self.books);
        takes_no_part
            .then(alone)
            .flatten()
            .or_else(|| Some(applied::waiting(rule?, self.credit, self.books)))
    }

    fn opening(&self) -> bool {
        self.link()
            .map_or(self.credit.open != self.credit.total, |link| {
                link.role == OPENING
            })
    }

    /// What the platform's copy is to come to.
    fn total(&self) -> Amount {
        let credit = self.credit;
        if !self.opening() {
            return credit.total;
        }
        let sent = match self.link().map(|link| &link.applied) {
            Some(Some(applied)) => Some(applied),
            // What was sent is known no longer: it is what stands there.
            Some(None) => self.link().and_then(|link| {
                let seen = self.books.record(&link.target)?;
                Some(&seen.document)
            }),
            None => None,
        };
        match sent {
            Some(Document::VendorCredit(sent)) => {
                wanted::opening(sent.total, &sent.lines, credit.total)
            }
            _ => credit.open,
        }
    }

    fn wanted(&self, vendor: RemoteId) -> Result<VendorCredit, Outcome> {
        let credit = self.credit;
        let translated = lines::translate(&self.label(), &credit.lines, self.books)?;
        let total = self.total();
        let lines: Vec<Line> = if self.opening() {
            vec![wanted::balance_line(&translated, total, credit.total)]
        } else {
            translated
        };
        let marker: Option<Marker> = wanted::mark(self.books, &self.record().id);
        Ok(VendorCredit {
            vendor,
            number: number(credit, &self.record().id),
            transaction_number: String::new(),
            date: credit.date,
            currency: credit.currency,
            exchange_rate: None,
            payables_account: wanted::payables_account(
                self.books,
                credit.payables_account.as_ref(),
            ),
            subsidiary: None,
            period: None,
            lines,
            total,
            open: total,
            applications: Vec::new(),
            status: BillStatus::Open,
            approval: Approval::Unassigned,
            memo: wanted::memo(&credit.memo),
            marker,
            external_id: None,
        })
    }

    /// One that is there already: by mark, by a person's choice, or by number and amount.
    fn adopt(&self) -> Option<Verdict> {
        let take = |target: &RecordRef, how| Verdict::Adopt {
            target: target.clone(),
            role: String::new(),
            how,
            key: Some(self.key()),
        };
        if let Some(Decided::Link(target)) = self.books.decided(NAME, self.record()) {
            let refused = refused_link(self.books, &self.label(), self.record(), target);
            return Some(refused.unwrap_or_else(|| take(target, "a person's choice")));
        }
        if self.books.decided(NAME, self.record()) == Some(&Decided::Create) {
            return None;
        }
        let marked = adopt::marked(self.books, &self.record().id, Kind::VendorCredit);
        let marked: Vec<_> = marked.into_iter().filter(|one| !one.archived).collect();
        if !marked.is_empty() {
            let Some(link) = self.vendor_link() else {
                // Whose it must be, the vendor's link tells; and that is found through the mark, too.
                let payee = bills::payee(self.books, &self.credit.vendor, None, &self.label());
                return payee.err().map(Verdict::Rest);
            };
            let payee = &link.target.id;
            if let Some(one) = marked.iter().find(|one| one.vendor == payee) {
                return Some(Verdict::Adopt {
                    target: one.record.clone(),
                    role: if one.opening { OPENING } else { "" }.to_owned(),
                    how: "marker",
                    key: Some(self.key()),
                });
            }
            if rule(self.credit, &self.record().id, self.books).is_none() {
                let cause = format!(
                    "{} is marked on the platform as {} ({}), which belongs to vendor {}, and its own vendor is {payee}",
                    self.label(),
                    marked[0].number,
                    marked[0].record.id,
                    marked[0].vendor
                );
                return Some(blocked(Code::new("marked-elsewhere"), cause));
            }
        }
        let found = self.books.matching.get(&self.candidate_key()?)?;
        let free: Vec<(&RecordRef, &VendorCredit)> = found
            .iter()
            .filter(|record| self.books.links_to(record).is_empty())
            .filter_map(
                |record| match self.books.record(record).filter(|seen| !seen.gone) {
                    Some(crate::Seen {
                        document: Document::VendorCredit(there),
                        ..
                    }) if there.status != BillStatus::Archived => Some((record, there)),
                    _ => None,
                },
            )
            .collect();
        let recovering = self.books.recovering;
        if !recovering && rule(self.credit, &self.record().id, self.books).is_some() {
            return None;
        }
        let unmarked: Vec<_> = free
            .iter()
            .filter(|(_, there)| there.marker.is_none())
            .collect();
        match unmarked.as_slice() {
            [] => None,
            [(record, there)]
                if there.total == self.credit.total
                    && (recovering || there.open == there.total)
                    && there.number == number(self.credit, &self.record().id) =>
            {
                Some(take(record, "number and amount"))
            }
            _ if rule(self.credit, &self.record().id, self.books).is_some() => None,
            [(record, there), ..] => {
                let cause = format!(
                    "{} of {} may be {} ({}) of {} on the platform: link it, or create a new one",
                    self.label(),
                    self.credit.total,
                    there.number,
                    record.id,
                    there.total
                );
                Some(blocked(Code::new("resembles"), cause))
            }
        }
    }

    fn linked(&self, link: &Link) -> Verdict {
        let label = self.label();
        let there = match self.books.record(&link.target) {
            Some(crate::Seen {
                document: Document::VendorCredit(there),
                gone: false,
                ..
            }) => there,
            _ => {
                let cause = format!(
                    "{label} leads to {}, which is no longer there",
                    link.target.id
                );
                return blocked(Code::new("counterpart-gone"), cause);
            }
        };
        let archived = there.status == BillStatus::Archived;
        let closed = self.subject.gone
            || matches!(
                self.credit.status,
                BillStatus::Voided | BillStatus::Cancelled | BillStatus::Rejected
            );
        let accepts = |code: &Code| accepted(self.books, NAME, self.record(), code);
        if closed {
            return self.deleted(link, there, archived, accepts);
        }
        if archived {
            let cause =
                format!("{label} was archived on the platform, which can't be undone there");
            return blocked(Code::new("archived-on-platform"), cause);
        }
        if self.credit.status == BillStatus::PendingApproval {
            return hold(
                Code::new("back-to-pending"),
                format!("{label} waits for approval again in the ledger"),
            );
        }
        // What came over with its balance has another total there.
        let as_it_came = self.total() == there.total;
        if as_it_came && self.credit.open < there.open {
            let cause = format!(
                "{label} has {} left in the ledger and {} on the platform: apply it there too, so that it isn't used twice",
                self.credit.open, there.open
            );
            return blocked(APPLIED_IN_LEDGER, cause);
        }
        match self.wanted(there.vendor.clone()) {
            Ok(wanted) => compare(&label, &self.key(), link, wanted, there, accepts),
            Err(_) if self.credit.total == there.total => done(),
            Err(outcome) => Verdict::Rest(outcome),
        }
    }

    /// An archived credit can't be restored over there: a person must say yes (scenario 52).
    fn deleted(
        &self,
        link: &Link,
        there: &VendorCredit,
        archived: bool,
        accepts: impl Fn(&Code) -> bool,
    ) -> Verdict {
        let label = self.label();
        if archived {
            return noop(
                Code::new("closed-on-both-sides"),
                format!("{label} is closed on both sides"),
            );
        }
        let code = Code::new("credit-deleted");
        if !accepts(&code) || there.open != there.total {
            let cause = format!(
                "{label} was deleted or voided in the ledger; {} of {} is left of it on the platform, where an \
                 archived credit can't be restored",
                there.open, there.total
            );
            return blocked(code, cause);
        }
        let expect = Document::VendorCredit(there.clone());
        let document = Document::VendorCredit(VendorCredit {
            status: BillStatus::Archived,
            exchange_rate: None,
            ..there.clone()
        });
        Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action: Action::Archive,
            role: link.role.clone(),
            target: Some(link.target.id.clone()),
            key: amendment_key(&self.key(), &("archive", &document)),
            document,
            expect: Some(expect),
            because: "it was deleted in the ledger, and a person agreed".into(),
        }))
    }
}

/// Compares a credit with its counterpart and amends it where nothing of it is used yet. `accepts` says whether a person
/// has understood the warning of a code.
pub(crate) fn compare(
    label: &str,
    key: &Key,
    link: &Link,
    wanted: VendorCredit,
    there: &VendorCredit,
    accepts: impl Fn(&Code) -> bool,
) -> Verdict {
    let differences = credit_differences(&wanted, there);
    let applied = match &link.applied {
        Some(Document::VendorCredit(applied)) => Some(applied),
        _ => None,
    };
    let ours = applied.map_or_else(
        || differences.clone(),
        |applied| credit_differences(&wanted, applied),
    );
    let total = differences.contains(&Difference::Total);
    if differences.is_empty() || (!total && (ours.is_empty() || applied.is_none())) {
        return done();
    }
    if there.open != there.total {
        if total {
            let cause = format!(
                "{label} is {} in the ledger and {} on the platform, where {} of it is left",
                wanted.total, there.total, there.open
            );
            return conflict(Code::new("amount-edited-after-payment"), cause);
        }
        return noop(
            Code::new("edited-after-payment"),
            format!("{label} changed after it was used"),
        );
    }
    let code = Code::new("amount-changed-on-platform");
    if total && ours.is_empty() && !accepts(&code) {
        let cause = format!(
            "{label} is {} in the ledger and {} on the platform",
            wanted.total, there.total
        );
        return blocked(code, cause);
    }
    if ours == [Difference::Date] && !total {
        return noop(
            Code::new("not-material"),
            format!("{label} changed its date only"),
        );
    }
    let lines = lines::keep_ids(wanted.lines.clone(), &there.lines);
    let document = Document::VendorCredit(VendorCredit { lines, ..wanted });
    Verdict::Write(Box::new(Step {
        side: Side::Platform,
        action: Action::Amend,
        role: link.role.clone(),
        target: Some(link.target.id.clone()),
        key: amendment_key(key, &document),
        document,
        expect: Some(Document::VendorCredit(there.clone())),
        because: "it changed in the ledger".into(),
    }))
}

fn ledger_vendors(credit: &VendorCredit, books: &Books) -> Vec<RemoteId> {
    let vendor = RecordRef::new(Side::Platform, Kind::Vendor, credit.vendor.clone());
    let links = books.links_to(&vendor).iter();
    links
        .filter(|link| link.flow == vendors::NAME)
        .map(|link| link.record.id.clone())
        .collect()
}

fn counterparts(credit: &VendorCredit, books: &Books) -> Vec<RecordRef> {
    let keys = ledger_vendors(credit, books);
    let mut found: Vec<RecordRef> = keys
        .iter()
        .flat_map(|vendor| {
            let key = document_number_key(vendor, &credit.number);
            let find = |kind| {
                books
                    .matching
                    .get(&(Side::Ledger, kind, key.clone()))
                    .cloned()
            };
            find(Kind::VendorCredit).unwrap_or_default()
        })
        .collect();
    if let Some(marker) = &credit.marker {
        found.push(RecordRef::new(
            Side::Ledger,
            Kind::VendorCredit,
            marker.id.clone(),
        ));
    }
    found
}

fn platform_needs(record: &RecordRef, credit: &VendorCredit, books: &Books) -> Vec<Need> {
    let vendor = RecordRef::new(Side::Platform, Kind::Vendor, credit.vendor.clone());
    let mut needs = vec![
        Need::LinkedTo(record.clone()),
        Need::Decisions(NAME, record.clone()),
        Need::LinkedTo(vendor),
    ];
    for vendor in ledger_vendors(credit, books) {
        let key = document_number_key(&vendor, &credit.number);
        needs.push(Need::Matching(Side::Ledger, Kind::VendorCredit, key));
        needs.push(Need::Record(RecordRef::new(
            Side::Ledger,
            Kind::Vendor,
            vendor,
        )));
    }
    for counterpart in counterparts(credit, books) {
        needs.push(Need::Record(counterpart.clone()));
        needs.push(Need::Links(NAME, counterpart));
    }
    needs
}

fn platform_decide(subject: &Subject<'_>, credit: &VendorCredit, books: &Books) -> Verdict {
    if !books.links_to(subject.record).is_empty() || subject.gone {
        return Verdict::Elsewhere;
    }
    if credit.status == BillStatus::Archived {
        let cause = format!(
            "vendor credit {} is archived on the platform",
            credit.number
        );
        return skipped(Code::new("archived"), cause);
    }
    let stands_for_it = counterparts(credit, books).iter().any(|counterpart| {
        let Some(seen) = books.record(counterpart).filter(|seen| !seen.gone) else {
            return false;
        };
        let Document::VendorCredit(ledger) = &seen.document else {
            return false;
        };
        books.links_of(NAME, counterpart).is_empty()
            && rule(ledger, &counterpart.id, books).is_none()
    });
    if stands_for_it {
        return Verdict::Elsewhere;
    }
    let cause = format!(
        "vendor credit {} of {} dated {} is on the platform only: {}",
        credit.number,
        credit.total.of(credit.currency),
        credit.date,
        orphan_fix(NAME, subject.record, books)
    );
    rest(State::Orphan, Code::new("only-on-platform"), cause)
}
