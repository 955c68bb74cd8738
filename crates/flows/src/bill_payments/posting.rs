//! Posting a payment of the platform to the ledger (scenarios 93–103, 119, 120, 127–134).

use std::collections::BTreeMap;

use tieout_domain::code::Code;
use tieout_domain::document::{
    Application, Bill, BillStatus, CreditUse, Payment, PaymentStatus, VoidKind,
};
use tieout_domain::port::Action;
use tieout_domain::{
    Amount, Document, Key, Kind, Money, Outcome, RecordRef, RemoteId, Side, State, WaitsFor,
};

use super::{NAME, This, cash, coding, credits_only, discount, words};
use crate::matching::payment_key;
use crate::period::{self, Book, Posting};
use crate::projection::same_applications;
use crate::{Books, Link, Need, Step, Verdict, bills, vendor_credits};

/// A bill of the ledger that the payment pays.
pub(super) struct Paid<'a> {
    pub(super) record: RecordRef,
    bill: &'a Bill,
    cash: Amount,
    /// The early-payment discount that is taken with it.
    discount: Amount,
    pub(super) credits: Vec<CreditUse>,
}

impl Paid<'_> {
    /// How a payment of the ledger pays it.
    pub(super) fn application(&self) -> Application {
        Application {
            document: self.record.id.clone(),
            line: None,
            amount: self.cash,
            discount: self.discount,
            credits: self.credits.clone(),
        }
    }

    /// Cash and credits.
    fn all(&self) -> Amount {
        relieved(self.cash, &self.credits)
    }
}

fn relieved(cash: Amount, credits: &[CreditUse]) -> Amount {
    let credits: Amount = credits.iter().map(|credit| credit.amount).sum();
    credits.plus(cash).unwrap_or(cash)
}

/// Bills that go into one posting: same payables account, same subsidiary (scenario 98).
pub(super) type Group<'a> = ((Option<RemoteId>, Option<RemoteId>), Vec<Paid<'a>>);

pub(super) fn platform(kind: Kind, id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Platform, kind, id.clone())
}

/// The ledger's document that a document of the platform stands for.
pub(super) fn origin<'a>(
    books: &'a Books,
    flows: &[&str],
    record: &RecordRef,
) -> Option<&'a RecordRef> {
    let links = books.links_to(record);
    links
        .iter()
        .find(|link| flows.contains(&link.flow.as_str()))
        .map(|link| &link.record)
}

pub(super) const BILLS: &[&str] = &[bills::NAME];
pub(super) const CREDITS: &[&str] = &[vendor_credits::NAME, bills::NAME];

/// What must be loaded to post.
pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let books = this.books;
    let mut needs = Vec::new();
    let mut vendors = Vec::new();
    for application in &this.payment.applications {
        let bill = platform(Kind::Bill, &application.document);
        needs.push(Need::LinkedTo(bill.clone()));
        needs.push(Need::Record(bill.clone()));
        if let Some(ledger) = origin(books, BILLS, &bill) {
            needs.push(Need::Record(ledger.clone()));
            if let Some(Document::Bill(bill)) = books.record(ledger).map(|seen| &seen.document) {
                needs.push(Need::Record(RecordRef::new(
                    Side::Ledger,
                    Kind::Vendor,
                    bill.vendor.clone(),
                )));
                vendors.push(bill.vendor.clone());
            }
        }
        for credit in &application.credits {
            let credit = platform(Kind::VendorCredit, &credit.credit);
            needs.push(Need::LinkedTo(credit.clone()));
            needs.extend(origin(books, CREDITS, &credit).cloned().map(Need::Record));
        }
    }
    vendors.dedup();
    for vendor in vendors {
        let key = payment_key(&vendor, this.payment.total);
        let place = (Side::Ledger, Kind::Payment, key);
        for candidate in books.matching.get(&place).into_iter().flatten() {
            needs.push(Need::Record(candidate.clone()));
            needs.push(Need::LinkedTo(candidate.clone()));
            let earlier = books
                .links_to(candidate)
                .iter()
                .filter(|link| link.flow == NAME);
            needs.extend(earlier.map(|link| Need::Record(link.record.clone())));
        }
        needs.push(Need::Matching(place.0, place.1, place.2));
    }
    needs.extend(credits_only::needs(this));
    needs.extend(known_needs(this));
    needs.extend(cash::needs(this));
    needs
}

pub(super) fn stop(state: State, code: Code, cause: String) -> Outcome {
    Outcome::because(state, code, cause)
}

/// Posts it, or says what stands in the way.
pub(super) fn decide(this: &This<'_>) -> Verdict {
    match reissue(this) {
        Some(verdict) => verdict,
        None => next(this).unwrap_or_else(Verdict::Rest),
    }
}

/// What of a split payment is still to be posted.
pub(super) fn rest_of_split(this: &This<'_>) -> Option<Verdict> {
    if this.postings().any(|link| link.role.is_empty()) {
        return None;
    }
    let (groups, _) = grouped(this).ok()?;
    if this.payment.total.is_zero() {
        let open = groups
            .iter()
            .flat_map(|(_, paid)| paid)
            .flat_map(|paid| &paid.credits)
            .any(|used| {
                this.books
                    .link(NAME, this.record, &credits_only::role(&used.credit))
                    .is_none()
            });
        return open.then(|| next(this).unwrap_or_else(Verdict::Rest));
    }
    let missing = groups.iter().any(|((account, subsidiary), _)| {
        this.books
            .link(NAME, this.record, &role(groups.len(), account, subsidiary))
            .is_none()
    });
    if missing && let Some(verdict) = known(this) {
        return Some(verdict);
    }
    missing.then(|| next(this).unwrap_or_else(Verdict::Rest))
}

fn role(groups: usize, account: &Option<RemoteId>, subsidiary: &Option<RemoteId>) -> String {
    if groups == 1 {
        return String::new();
    }
    let parts = [account.as_ref(), subsidiary.as_ref()];
    let parts: Vec<&str> = parts.into_iter().flatten().map(RemoteId::as_str).collect();
    if parts.is_empty() {
        "default".into()
    } else {
        parts.join("-")
    }
}

fn next(this: &This<'_>) -> Result<Verdict, Outcome> {
    balanced(this)?;
    let (groups, vendor) = grouped(this)?;
    let label = this.label();
    let count = groups.len();
    let standing: Vec<String> = groups
        .iter()
        .map(|((account, subsidiary), _)| role(count, account, subsidiary))
        .filter(|role| this.books.link(NAME, this.record, role).is_some())
        .collect();
    // Every part is checked before the first is written, so that a payment isn't posted by halves.
    let begun = this.payment.total.is_zero() && this.postings().next().is_some();
    for ((account, subsidiary), paid) in &groups {
        if !begun && !standing.contains(&role(count, account, subsidiary)) {
            for paid in paid {
                payable(this, paid)?;
            }
        }
    }
    let posting = period::of_posting(Book::Payables, &label, this.payment.date, this.books)?;
    let cash_account = if this.payment.total.is_zero() {
        None
    } else {
        Some(cash::account(this)?)
    };
    let shares = shares(this.payment, &groups);
    for (((account, subsidiary), paid), funded) in groups.iter().zip(shares) {
        let role = role(count, account, subsidiary);
        if standing.contains(&role) {
            continue;
        }
        assigned(this, &vendor, subsidiary.as_ref())?;
        let part = Part {
            vendor: &vendor,
            account,
            subsidiary,
            paid,
            funded,
            posting: &posting,
            role: &role,
        };
        let Some(cash_account) = &cash_account else {
            return credits_only::decide(this, &groups);
        };
        return Ok(Verdict::Write(Box::new(step(this, &part, cash_account)?)));
    }
    Err(stop(
        State::Hold,
        Code::new("payment-under-way"),
        format!("{label} is posted in all its parts"),
    ))
}

/// Cash paid is what was applied, to the cent (check C7).
fn balanced(this: &This<'_>) -> Result<(), Outcome> {
    let payment = this.payment;
    let sum = Amount::total(
        payment
            .applications
            .iter()
            .map(|application| application.amount),
    );
    let negative = payment.applications.iter().any(|application| {
        application.amount.is_negative()
            || application
                .credits
                .iter()
                .any(|credit| credit.amount.is_negative())
    });
    if sum.as_ref() == Ok(&payment.total) && !payment.applications.is_empty() && !negative {
        return Ok(());
    }
    let sum = sum.map_or_else(|error| error.to_string(), |sum| sum.to_string());
    let cause = format!(
        "{} is of {}, but {sum} is applied to {} bills",
        this.label(),
        payment.total,
        payment.applications.len()
    );
    Err(stop(State::Blocked, Code::new("total-mismatch"), cause))
}

/// The ledger's bills by payables account and subsidiary, and their vendor.
pub(super) fn grouped<'a>(this: &This<'a>) -> Result<(Vec<Group<'a>>, RemoteId), Outcome> {
    let mut groups: BTreeMap<(Option<RemoteId>, Option<RemoteId>), Vec<Paid<'a>>> = BTreeMap::new();
    let mut vendor: Option<&RemoteId> = None;
    for paid in paid(this)? {
        if vendor.is_some_and(|vendor| *vendor != paid.bill.vendor) {
            let cause = format!(
                "{} pays bills of more than one vendor of the ledger",
                this.label()
            );
            return Err(stop(State::Blocked, Code::new("mixed-vendors"), cause));
        }
        vendor = Some(&paid.bill.vendor);
        let key = (
            paid.bill.payables_account.clone(),
            paid.bill.subsidiary.clone(),
        );
        groups.entry(key).or_default().push(paid);
    }
    let vendor = vendor.cloned().unwrap_or_else(|| RemoteId::from(""));
    Ok((groups.into_iter().collect(), vendor))
}

/// Each application with its bill in the ledger. One that isn't known holds the whole payment (scenario 97).
fn paid<'a>(this: &This<'a>) -> Result<Vec<Paid<'a>>, Outcome> {
    let mut unknown: Vec<&RemoteId> = Vec::new();
    let mut found: Vec<Paid<'a>> = Vec::new();
    for application in &this.payment.applications {
        let there = platform(Kind::Bill, &application.document);
        let record = origin(this.books, BILLS, &there);
        let seen = record.and_then(|record| Some((record, this.books.record(record)?)));
        match seen.map(|(record, seen)| (record, &seen.document, seen.gone)) {
            Some((record, Document::Bill(bill), false)) => {
                let (cash, credits) = (application.amount, credits(this, application)?);
                let rules = &this.books.preferences.transactions;
                let all = relieved(cash, &credits);
                found.push(Paid {
                    record: record.clone(),
                    bill,
                    cash,
                    discount: discount::taken(this.payment, bill, all, rules),
                    credits,
                });
            }
            Some((record, _, _)) => {
                let cause = format!(
                    "{} pays bill {}, which is gone from the ledger",
                    this.label(),
                    record.id
                );
                return Err(stop(State::Blocked, Code::new("paid-bill-deleted"), cause));
            }
            None => unknown.push(&application.document),
        }
    }
    let Some(first) = unknown.first() else {
        return Ok(found);
    };
    let total = this.payment.applications.len();
    let cause = format!(
        "{}: {} of {total} bills not linked to the ledger: {first}",
        this.label(),
        unknown.len()
    );
    let ours = unknown
        .iter()
        .all(|id| match this.books.record(&platform(Kind::Bill, id)) {
            Some(seen) => matches!(&seen.document, Document::Bill(bill) if bill.marker.is_some()),
            None => true,
        });
    // What bears our mark or wasn't read yet is about to be linked (scenarios 136 and 151).
    let outcome = if ours {
        stop(State::Hold, Code::new("waits-for-bill"), cause)
    } else {
        stop(State::Blocked, Code::new("bills-not-linked"), cause)
    };
    Err(outcome.until(WaitsFor::Link(
        bills::NAME.into(),
        platform(Kind::Bill, first),
    )))
}

fn credits(this: &This<'_>, application: &Application) -> Result<Vec<CreditUse>, Outcome> {
    application
        .credits
        .iter()
        .filter(|credit| !credit.amount.is_zero())
        .map(|credit| {
            let there = platform(Kind::VendorCredit, &credit.credit);
            match origin(this.books, CREDITS, &there) {
                Some(record) => Ok(CreditUse {
                    credit: record.id.clone(),
                    amount: credit.amount,
                }),
                None => {
                    let cause = format!(
                        "{} uses {} of vendor credit {}, which is not linked to the ledger",
                        this.label(),
                        credit.amount,
                        credit.credit
                    );
                    let outcome = stop(State::Blocked, Code::new("credit-not-linked"), cause);
                    let waits = WaitsFor::Link(vendor_credits::NAME.into(), there);
                    Err(outcome.until(waits))
                }
            }
        })
        .collect()
}

/// Whether the ledger's bill can take what was paid on it. If not, it is looked at again when the bill changes.
fn payable(this: &This<'_>, paid: &Paid<'_>) -> Result<(), Outcome> {
    let bill = || WaitsFor::Link(bills::NAME.into(), paid.record.clone());
    open_to(this, paid).map_err(|outcome| outcome.until(bill()))
}

fn open_to(this: &This<'_>, paid: &Paid<'_>) -> Result<(), Outcome> {
    let (label, bill) = (this.label(), paid.bill);
    let name = bills::label(bill, &paid.record.id, this.books);
    if bill.currency != this.payment.currency {
        let cause = format!(
            "{label} is in {}, {name} in {}",
            this.payment.currency, bill.currency
        );
        return Err(stop(State::Blocked, Code::new("currency-mismatch"), cause));
    }
    match &bill.status {
        BillStatus::Open | BillStatus::Paid => {}
        BillStatus::PendingApproval => {
            let cause = format!("{label} pays {name}, which waits for approval in the ledger");
            return Err(stop(State::Hold, Code::new("pending-approval"), cause));
        }
        status => {
            let cause = format!(
                "{label} of {} pays {name}, which is {status:?} in the ledger",
                paid.cash
            );
            return Err(stop(State::Blocked, Code::new("paid-bill-deleted"), cause));
        }
    }
    if bill.open >= paid.all() {
        return Ok(());
    }
    if bill.open.is_positive() {
        let cause = format!(
            "{label} pays {} on {name}, of which only {} is open in the ledger",
            paid.all(),
            bill.open
        );
        return Err(stop(State::Conflict, Code::new("over-applied"), cause));
    }
    let by = ledger_payments(this, &bill.vendor)
        .find(|(_, other)| {
            other
                .applications
                .iter()
                .any(|a| a.document == paid.record.id)
        })
        .map(|(record, other)| format!(" by payment {} (id {})", other.label(), record.id));
    let cause = format!(
        "{label} pays {} on {name}, which is already paid in the ledger{}",
        paid.all(),
        by.unwrap_or_default()
    );
    Err(stop(State::Blocked, Code::new("already-paid"), cause))
}

/// Payments of the ledger to this vendor of this much cash.
pub(super) fn ledger_payments<'a>(
    this: &This<'a>,
    vendor: &RemoteId,
) -> impl Iterator<Item = (&'a RecordRef, &'a Payment)> {
    let books = this.books;
    let key = (
        Side::Ledger,
        Kind::Payment,
        payment_key(vendor, this.payment.total),
    );
    let found = books.matching.get(&key).map_or(&[][..], Vec::as_slice);
    found
        .iter()
        .filter_map(move |record| match books.record(record) {
            Some(crate::Seen {
                document: Document::Payment(payment),
                gone: false,
                ..
            }) => Some((record, payment)),
            _ => None,
        })
}

/// A posting of this very payment that is known no longer, because the memory was lost (scenarios 223 and
/// 225): its external id is this payment's key, or for a part of a split one that part's.
pub(super) fn known(this: &This<'_>) -> Option<Verdict> {
    if let Some(verdict) = known_under(this, String::new(), this.key()) {
        return Some(verdict);
    }
    split_roles(this).into_iter().find_map(|role| {
        let key = this.key().with(&role);
        known_under(this, role, key)
    })
}

fn known_under(this: &This<'_>, role: String, key: Key) -> Option<Verdict> {
    if this.books.link(NAME, this.record, &role).is_some() {
        return None;
    }
    let target = this.books.keyed(Side::Ledger, Kind::Payment, &key)?;
    Some(Verdict::Adopt {
        target: target.clone(),
        role,
        how: "external id",
        key: Some(key),
    })
}

/// The roles of the parts of a payment that is posted in several.
fn split_roles(this: &This<'_>) -> Vec<String> {
    match grouped(this) {
        Ok((groups, _)) if groups.len() > 1 => groups
            .iter()
            .map(|((account, subsidiary), _)| role(groups.len(), account, subsidiary))
            .collect(),
        _ => Vec::new(),
    }
}

/// What must be loaded to know a posting again.
fn known_needs(this: &This<'_>) -> Vec<Need> {
    let parts = split_roles(this)
        .into_iter()
        .map(|role| this.key().with(&role));
    std::iter::once(this.key())
        .chain(parts)
        .flat_map(|key| {
            let found = this.books.keyed(Side::Ledger, Kind::Payment, &key);
            let record = found.cloned().map(Need::Record);
            [Some(Need::Keyed(Side::Ledger, Kind::Payment, key)), record]
        })
        .flatten()
        .collect()
}

/// A payment that replaces a voided one takes over its posting: nothing is posted a second time
/// (scenarios 109 and 110).
fn reissue(this: &This<'_>) -> Option<Verdict> {
    let (_, vendor) = grouped(this).ok()?;
    ledger_payments(this, &vendor).find_map(|(record, _)| {
        let links = this.books.links_to(record);
        let earlier: Vec<&Link> = links.iter().filter(|link| link.flow == NAME).collect();
        let [link] = earlier.as_slice() else {
            return None;
        };
        let Document::Payment(old) = &this.books.record(&link.record)?.document else {
            return None;
        };
        let replaced = old.status == PaymentStatus::Voided
            && old
                .void
                .as_ref()
                .is_some_and(|void| void.void_kind == VoidKind::Reissue);
        let same = old.total == this.payment.total
            && same_applications(&old.applications, &this.payment.applications);
        (link.record != *this.record && replaced && same).then(|| Verdict::Adopt {
            target: record.clone(),
            role: link.role.clone(),
            how: "reissue of a voided payment",
            key: link.key.clone(),
        })
    })
}

/// A vendor must be assigned to the subsidiary of the bill (scenario 17).
fn assigned(
    this: &This<'_>,
    vendor: &RemoteId,
    subsidiary: Option<&RemoteId>,
) -> Result<(), Outcome> {
    let (Some(record), Some(subsidiary)) = (crate::scope::vendor(this.books, vendor), subsidiary)
    else {
        return Ok(());
    };
    if record.subsidiaries.is_empty() || record.subsidiaries.contains(subsidiary) {
        return Ok(());
    }
    let cause = format!(
        "{}: vendor {} (id {vendor}) is not assigned to subsidiary {subsidiary}",
        this.label(),
        record.name
    );
    Err(
        stop(State::Blocked, Code::new("vendor-not-in-subsidiary"), cause)
            .grouped(format!("vendor-not-in-subsidiary:{vendor}")),
    )
}

/// One posting: the payment, or its part for one payables account.
struct Part<'a> {
    vendor: &'a RemoteId,
    account: &'a Option<RemoteId>,
    subsidiary: &'a Option<RemoteId>,
    paid: &'a [Paid<'a>],
    funded: Option<Money>,
    posting: &'a Posting,
    role: &'a str,
}

/// What of the money that was taken for the payment each part has: its share of the cash, to the smallest unit. Reckoned from
/// the first part up to each, so that the last one takes what rounding has left and all of them come to what was taken.
fn shares(payment: &Payment, groups: &[Group<'_>]) -> Vec<Option<Money>> {
    let mut cash = Amount::ZERO;
    let mut given = Amount::ZERO;
    let mut share = |paid: &[Paid<'_>]| {
        let funded = payment.funded?;
        let own: Amount = paid.iter().map(|paid| paid.cash).sum();
        cash = cash.plus(own).ok()?;
        let up_to = if cash == payment.total {
            funded.amount
        } else {
            let part = funded.amount.decimal().checked_mul(cash.decimal())?;
            let part = part.checked_div(payment.total.decimal())?;
            Amount::new(part.round_dp(funded.currency.digits()))
        };
        let amount = up_to.minus(given).ok()?;
        given = up_to;
        Some(amount.of(funded.currency))
    };
    groups.iter().map(|(_, paid)| share(paid)).collect()
}

fn step(this: &This<'_>, part: &Part<'_>, cash_account: &RemoteId) -> Result<Step, Outcome> {
    let payment = this.payment;
    let total = Amount::total(part.paid.iter().map(|paid| paid.cash)).map_err(|error| {
        stop(
            State::Blocked,
            Code::new("total-mismatch"),
            format!("{}: {error}", this.label()),
        )
    })?;
    let key = if part.role.is_empty() {
        this.key()
    } else {
        this.key().with(part.role)
    };
    let coding = coding::of(this.books);
    let document = Payment {
        vendor: part.vendor.clone(),
        number: words::number(payment),
        date: part.posting.date,
        currency: payment.currency,
        total,
        funded: part.funded,
        applications: part.paid.iter().map(Paid::application).collect(),
        method: payment.method.clone(),
        status: PaymentStatus::Processed,
        outside: false,
        reference: String::new(),
        funding: None,
        check_number: payment.check_number.clone(),
        confirmation: payment.confirmation.clone(),
        card_last4: String::new(),
        cleared: payment.cleared,
        void: None,
        account: Some(cash_account.clone()),
        payables_account: part.account.clone(),
        subsidiary: part
            .subsidiary
            .clone()
            .or_else(|| this.books.connection.subsidiary.clone()),
        period: part.posting.period.clone(),
        department: coding.department,
        class: coding.class,
        location: coding.location,
        memo: words::memo(payment, &this.record.id, part.posting.moved_from),
        posted: true,
        external_id: Some(key.clone()),
    };
    Ok(Step {
        side: Side::Ledger,
        action: Action::Create,
        role: part.role.to_owned(),
        target: None,
        document: Document::Payment(document),
        expect: None,
        key,
        because: "the platform has paid it".into(),
    })
}
