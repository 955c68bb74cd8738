//! Payments that were made in the ledger: recorded on the platform, so that nobody pays again
//! (scenarios 121–123).

use tieout_domain::code::Code;
use tieout_domain::document::{
    Application, Bill, BillStatus, CreditUse, Method, Payment, PaymentStatus, VendorCredit,
};
use tieout_domain::port::Action;
use tieout_domain::{
    Amount, Document, Key, Kind, Outcome, RecordRef, RemoteId, Side, State, WaitsFor,
};

use super::NAME;
use crate::bills::{self, settled};
use crate::projection::same_applications;
use crate::text::cut;
use crate::verdict::{amendment_key, blocked, conflict, hold, ignored, noop, rest, skipped};
use crate::{Books, Link, Need, Seen, Step, Subject, Verdict, vendor_credits};

fn ledger(kind: Kind, id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Ledger, kind, id.clone())
}

fn credit_counterpart<'a>(books: &'a Books, id: &RemoteId) -> Option<&'a RecordRef> {
    let link = books.link(vendor_credits::NAME, &ledger(Kind::VendorCredit, id), "");
    let link = link.or_else(|| books.link(bills::NAME, &ledger(Kind::Bill, id), ""));
    link.map(|link| &link.target)
        .filter(|target| target.kind == Kind::VendorCredit)
}

pub(super) fn needs(record: &RecordRef, payment: &Payment, books: &Books) -> Vec<Need> {
    let mut needs = vec![
        Need::Links(NAME, record.clone()),
        Need::Decisions(NAME, record.clone()),
        Need::LinkedTo(record.clone()),
        Need::Keyed(Side::Platform, Kind::Payment, key(record, books)),
    ];
    needs.extend(
        books
            .links_of(NAME, record)
            .iter()
            .map(|link| Need::Record(link.target.clone())),
    );
    for application in &payment.applications {
        needs.extend(settled::needs(books, &application.document));
        for credit in &application.credits {
            needs.push(Need::Links(
                vendor_credits::NAME,
                ledger(Kind::VendorCredit, &credit.credit),
            ));
            needs.push(Need::Links(bills::NAME, ledger(Kind::Bill, &credit.credit)));
            let there = credit_counterpart(books, &credit.credit).cloned();
            needs.extend(there.map(Need::Record));
        }
    }
    needs
}

/// The key of the record of a payment on the platform: its reference there.
fn key(record: &RecordRef, books: &Books) -> Key {
    books.connection.ledger_key(&record.id)
}

fn undone(payment: &Payment, gone: bool) -> bool {
    gone || matches!(
        payment.status,
        PaymentStatus::LedgerVoided | PaymentStatus::Voided | PaymentStatus::Canceled
    )
}

pub(super) fn decide(subject: &Subject<'_>, payment: &Payment, books: &Books) -> Verdict {
    let record = subject.record;
    let label = format!(
        "payment {} (id {}) of the ledger",
        payment.label(),
        record.id
    );
    if let Some(verdict) = ignored(books, NAME, record) {
        return verdict;
    }
    if echo(record, payment, books) {
        return noop(
            Code::new("echo"),
            format!("{label} posts a payment of the platform"),
        );
    }
    if let Some(link) = books.link(NAME, record, "") {
        return recorded(subject, payment, link, &label, books);
    }
    // Recorded before the memory was lost: known by its reference (scenario 226).
    let key = key(record, books);
    if let Some(target) = books.keyed(Side::Platform, Kind::Payment, &key) {
        return Verdict::Adopt {
            target: target.clone(),
            role: String::new(),
            how: "reference",
            key: Some(key),
        };
    }
    if undone(payment, subject.gone) {
        return noop(
            Code::new("undone-before-posting"),
            format!("{label} was voided or deleted before it was recorded"),
        );
    }
    if !books.preferences.transactions.outside_payments {
        let cause = format!("{label}: payments of the ledger are not recorded on the platform");
        return skipped(Code::new("outside-payments-off"), cause);
    }
    if !payment.posted {
        return hold(
            Code::new("pending-approval"),
            format!("{label} waits for approval"),
        );
    }
    match record_on_platform(subject, payment, &label, books) {
        Ok(step) => Verdict::Write(Box::new(step)),
        Err(verdict) => verdict,
    }
}

/// Whether it is what tieout posted: by link, or by its external id (scenario 126).
fn echo(record: &RecordRef, payment: &Payment, books: &Books) -> bool {
    let connection = &books.connection;
    let prefix = Key::of([connection.platform_prefix, &connection.platform_account]).with("");
    let ours = payment
        .external_id
        .as_ref()
        .is_some_and(|id| id.as_str().starts_with(prefix.as_str()));
    ours || books.links_to(record).iter().any(|link| link.flow == NAME)
}

fn record_on_platform(
    subject: &Subject<'_>,
    payment: &Payment,
    label: &str,
    books: &Books,
) -> Result<Step, Verdict> {
    let mut applications = Vec::new();
    let mut vendor: Option<RemoteId> = None;
    let mut reflected = false;
    for application in &payment.applications {
        match translate(application, label, books)? {
            Translated::NotLinked => {}
            Translated::Reflected => reflected = true,
            Translated::To(payee, there) => {
                if vendor.as_ref().is_some_and(|vendor| *vendor != payee) {
                    let cause =
                        format!("{label} pays bills of more than one vendor of the platform");
                    return Err(blocked(Code::new("mixed-vendors"), cause));
                }
                vendor = Some(payee);
                applications.push(there);
            }
        }
    }
    let Some(vendor) = vendor else {
        let (code, cause) = if reflected {
            let cause = format!("{label} was made before its bills went to the platform");
            (Code::new("paid-at-cut-over"), cause)
        } else {
            let cause = format!("{label} pays no bill that is on the platform");
            (Code::new("no-linked-bills"), cause)
        };
        let outcome = Outcome::because(State::Skipped, code, cause);
        return Err(until_linked(outcome, payment, books));
    };
    let total = Amount::total(applications.iter().map(|application| application.amount))
        .map_err(|error| blocked(Code::new("total-mismatch"), format!("{label}: {error}")))?;
    let key = books.connection.ledger_key(&subject.record.id);
    let how = format!("Recorded: {} paid outside", payment.label());
    let document = Payment {
        vendor,
        number: String::new(),
        date: payment.date,
        currency: payment.currency,
        total,
        funded: None,
        applications,
        method: Method::Offline,
        status: PaymentStatus::Processed,
        outside: true,
        reference: key.as_str().to_owned(),
        funding: None,
        check_number: String::new(),
        confirmation: String::new(),
        card_last4: String::new(),
        cleared: None,
        void: None,
        account: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        department: None,
        class: None,
        location: None,
        memo: cut(&how, 70),
        posted: true,
        external_id: None,
    };
    Ok(Step {
        side: Side::Platform,
        action: Action::Create,
        role: String::new(),
        target: None,
        document: Document::Payment(document),
        expect: None,
        key,
        because: "it was paid in the ledger".into(),
    })
}

enum Translated {
    /// Its bill is not on the platform.
    NotLinked,
    /// What went to the platform was less by this payment already.
    Reflected,
    /// To this vendor's bill.
    To(RemoteId, Application),
}

fn translate(application: &Application, label: &str, books: &Books) -> Result<Translated, Verdict> {
    let Some((link, there)) = settled::copy(books, &application.document) else {
        return Ok(Translated::NotLinked);
    };
    if !application.amount.is_positive() && application.credits.is_empty() {
        return Ok(Translated::NotLinked);
    }
    let fresh = link.role.is_empty() && link.applied.is_some();
    if !fresh && settled::reflected(application, there, books) {
        return Ok(Translated::Reflected);
    }
    let credits = credits(application, books);
    let used: Amount = credits.iter().map(|credit| credit.amount).sum();
    let all = application.amount.plus(used).unwrap_or(application.amount);
    if there.open < all {
        let cause = format!(
            "{label} pays {all} on bill {}, of which {} is open on the platform and {} scheduled: it may be paid twice",
            there.number, there.open, there.scheduled
        );
        let code = Code::new("already-paid-on-platform");
        let waits = WaitsFor::Link(bills::NAME.into(), link.target.clone());
        let outcome = Outcome::because(State::Blocked, code, cause);
        return Err(Verdict::Rest(outcome.until(waits)));
    }
    let to = Application {
        document: link.target.id.clone(),
        line: None,
        amount: application.amount,
        discount: Amount::ZERO,
        credits,
    };
    Ok(Translated::To(there.vendor.clone(), to))
}

/// A bill of it that comes to the platform later is open there for too much until this one is looked at again.
fn until_linked(outcome: Outcome, payment: &Payment, books: &Books) -> Verdict {
    Verdict::Rest(match settled::until_linked(&payment.applications, books) {
        Some(waits) => outcome.until(waits),
        None => outcome,
    })
}

fn credits(application: &Application, books: &Books) -> Vec<CreditUse> {
    let to = |used: &CreditUse| {
        let target = credit_counterpart(books, &used.credit)?;
        match books.record(target).map(|seen| &seen.document) {
            Some(Document::VendorCredit(VendorCredit { open, .. })) if *open >= used.amount => {
                Some(CreditUse {
                    credit: target.id.clone(),
                    amount: used.amount,
                })
            }
            _ => None,
        }
    };
    application.credits.iter().filter_map(to).collect()
}

/// What was recorded follows the ledger's payment: voided there, it is voided here (scenario 123).
fn recorded(
    subject: &Subject<'_>,
    payment: &Payment,
    link: &Link,
    label: &str,
    books: &Books,
) -> Verdict {
    let there = match books.record(&link.target) {
        Some(Seen {
            document: Document::Payment(there),
            gone: false,
            ..
        }) => there,
        _ => {
            let cause = format!(
                "{label} was recorded as {}, which is no longer on the platform",
                link.target.id
            );
            return blocked(Code::new("counterpart-gone"), cause);
        }
    };
    let voided = matches!(
        there.status,
        PaymentStatus::Voided | PaymentStatus::Canceled | PaymentStatus::VoidPending
    );
    if undone(payment, subject.gone) {
        if there.status == PaymentStatus::VoidPending {
            return hold(
                Code::new("void-pending"),
                format!("{label}: its record on the platform is being voided"),
            );
        }
        if voided {
            let cause = format!("{label} was voided, and its record on the platform too");
            return rest(State::Reversed, Code::new("reversed"), cause);
        }
        let document = Document::Payment(there.clone());
        return Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action: Action::Void,
            role: link.role.clone(),
            target: Some(link.target.id.clone()),
            key: amendment_key(&books.connection.ledger_key(&subject.record.id), &"void"),
            expect: Some(document.clone()),
            document,
            because: "it was voided or deleted in the ledger".into(),
        }));
    }
    if voided {
        let cause = format!(
            "{label} stands in the ledger, but its record {} was voided on the platform",
            link.target.id
        );
        return blocked(Code::new("record-voided"), cause);
    }
    if let Some(Document::Payment(applied)) = &link.applied {
        let without_credits = applied.applications.iter().map(|application| Application {
            credits: Vec::new(),
            ..application.clone()
        });
        let recorded: Vec<Application> = without_credits.collect();
        let now: Vec<Application> = wanted(payment, books)
            .into_iter()
            .filter(|application| {
                recorded
                    .iter()
                    .any(|was| was.document == application.document)
            })
            .collect();
        if !same_applications(&recorded, &now) {
            let cause = format!(
                "{label} was changed after {} was recorded on the platform as {}: void that record, and pay again there",
                applied.total, link.target.id
            );
            return conflict(Code::new("recorded-payment-edited"), cause);
        }
    }
    let recorded = match &link.applied {
        Some(Document::Payment(applied)) => applied,
        _ => there,
    };
    if let Some((bill, more)) = unrecorded(payment, recorded, books) {
        let cause = format!(
            "{label} pays {} on bill {} too, of which {} is open on the platform; {}, which records it, doesn't: that may \
             be paid again",
            more.amount, bill.number, bill.open, link.target.id
        );
        let code = Code::new("recorded-payment-edited");
        let outcome = Outcome::because(State::Conflict, code, cause);
        return Verdict::Rest(outcome.until(settled::until(&more.document)));
    }
    until_linked(Outcome::done(), payment, books)
}

/// A part that its record lacks: it was added, or its bill came to the platform, after that was made. A record can't be
/// changed, and a second one would have to be voided with the first: a person says.
fn unrecorded<'a>(
    payment: &'a Payment,
    recorded: &Payment,
    books: &'a Books,
) -> Option<(&'a Bill, &'a Application)> {
    let lacks = |application: &'a Application| {
        let (link, there) = settled::copy(books, &application.document)?;
        let known = recorded.applications.iter();
        let known = known
            .map(|was| &was.document)
            .any(|was| *was == link.target.id);
        let alive = there.status != BillStatus::Archived && application.amount.is_positive();
        let lacks = alive && !known && !settled::reflected(application, there, books);
        lacks.then_some((there, application))
    };
    payment.applications.iter().find_map(lacks)
}

/// What of the payment concerns bills of the platform, in the platform's ids: amounts only, since credits
/// that were used are spent by now.
fn wanted(payment: &Payment, books: &Books) -> Vec<Application> {
    let of_bill = |application: &Application| {
        Some(Application {
            document: settled::counterpart(books, &application.document)?
                .target
                .id
                .clone(),
            line: None,
            amount: application.amount,
            discount: Amount::ZERO,
            credits: Vec::new(),
        })
    };
    payment.applications.iter().filter_map(of_bill).collect()
}
