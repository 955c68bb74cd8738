//! Payments that were made in the ledger, recorded on the platform (scenarios 178, 195): as much of them as pays
//! invoices that are there.

use tieout_domain::code::Code;
use tieout_domain::document::{CustomerPayment, InvoiceStatus, PaymentUse, ReceiptStatus, UseOf};
use tieout_domain::port::Action;
use tieout_domain::{
    Amount, Document, Key, Kind, Outcome, RecordRef, RemoteId, Side, State, WaitsFor,
};

use super::{NAME, This};
use crate::projection::{same_uses, same_writable};
use crate::receivables::sales::{CREDIT_MEMOS, INVOICES, Paper};
use crate::receivables::{customers, origin};
use crate::verdict::{amendment_key, blocked, conflict, hold, noop};
use crate::{Decided, Flow, Link, Need, Step, Verdict};

fn ledger(kind: Kind, id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Ledger, kind, id.clone())
}

pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let mut needs = vec![Need::Marked(this.books.connection.marker(&this.record.id))];
    if let Some(chosen) = chosen(this) {
        needs.push(Need::Record(chosen.clone()));
        needs.extend(origin::needs(NAME, chosen));
    }
    if let Some(customer) = &this.payment.customer {
        let customer = ledger(Kind::Customer, customer);
        needs.extend(customers::counterpart_needs(this.books, &customer));
    }
    for part in &this.payment.uses {
        if let Some(invoice) = part.of.invoice() {
            let invoice = ledger(Kind::Invoice, invoice);
            needs.extend(origin::needs(INVOICES.name(), &invoice));
            let there = origin::counterpart(this.books, INVOICES.name(), &invoice);
            needs.extend(there.cloned().map(Need::Record));
            needs.push(Need::Record(invoice));
        }
        if let UseOf::CreditMemo { credit, .. } = &part.of {
            let credit = ledger(Kind::CreditMemo, credit);
            needs.extend(origin::needs(CREDIT_MEMOS.name(), &credit));
        }
    }
    needs
}

pub(super) fn decide(this: &This<'_>) -> Verdict {
    match this.link() {
        Some(link) => linked(this, link),
        None => unlinked(this),
    }
}

fn is_undone(this: &This<'_>) -> bool {
    this.gone
        || matches!(
            this.payment.status,
            ReceiptStatus::Voided | ReceiptStatus::Failed
        )
}

fn unlinked(this: &This<'_>) -> Verdict {
    let label = this.label();
    if is_undone(this) {
        let cause = format!("{label} was voided or deleted before it was recorded");
        return noop(Code::new("undone-before-posting"), cause);
    }
    if let Some(verdict) = pending(this) {
        return verdict;
    }
    if let Some(known) = marked(this) {
        return adopt(known, "its mark", Some(this.key()));
    }
    record(this, this.key())
}

fn pending(this: &This<'_>) -> Option<Verdict> {
    let cause = || format!("{} waits for approval in the ledger", this.label());
    let pending = this.payment.status == ReceiptStatus::PendingApproval;
    pending.then(|| hold(Code::new("pending-approval"), cause()))
}

/// What bears its mark: the one that stands, or where all were voided the last of them, which tells that it was recorded
/// before.
fn marked<'a>(this: &This<'a>) -> Option<&'a RecordRef> {
    match standing(this).as_slice() {
        [one] => Some(*one),
        [] => origin::marked(this.books, this.record).pop(),
        _ => None,
    }
}

/// The records over there that bear its mark and are not voided.
fn standing<'a>(this: &This<'a>) -> Vec<&'a RecordRef> {
    let mut marked = origin::marked(this.books, this.record);
    marked.retain(|record| {
        let seen = this.books.record(record).map(|seen| &seen.document);
        matches!(seen, Some(Document::CustomerPayment(there)) if there.status != ReceiptStatus::Voided)
    });
    marked
}

fn adopt(target: &RecordRef, how: &'static str, key: Option<Key>) -> Verdict {
    Verdict::Adopt {
        target: target.clone(),
        role: String::new(),
        how,
        key,
    }
}

/// Records it on the platform.
fn record(this: &This<'_>, key: Key) -> Verdict {
    let document = match document(this, None) {
        Ok(document) => document,
        Err(outcome) => return Verdict::Rest(outcome),
    };
    if let Some(verdict) = overpays(this, &document, None) {
        return verdict;
    }
    Verdict::Write(Box::new(Step {
        side: Side::Platform,
        action: Action::Create,
        role: String::new(),
        target: None,
        document: Document::CustomerPayment(document),
        expect: None,
        key,
        because: "the customer paid in the ledger".to_owned(),
    }))
}

/// The record on the platform, or why there is none: what pays no invoice there is none of its business.
fn document(this: &This<'_>, there: Option<&CustomerPayment>) -> Result<CustomerPayment, Outcome> {
    let uses = uses(this)?;
    let total: Amount = uses
        .iter()
        .filter(|part| part.of.is_cash())
        .map(|part| part.amount)
        .sum();
    let payer = this.payment.customer.as_ref();
    let customer = payer.and_then(|payer| {
        let payer = ledger(Kind::Customer, payer);
        customers::counterpart(this.books, &payer)
    });
    Ok(CustomerPayment {
        customer: customer.map(|it| it.id.clone()),
        number: this.payment.number.trim().to_owned(),
        date: this.payment.date,
        currency: this.payment.currency,
        total,
        unapplied: Amount::ZERO,
        uses,
        method: this.payment.method.clone(),
        status: ReceiptStatus::Received,
        charge: None,
        kept_in: None,
        receivables_account: None,
        subsidiary: None,
        period: None,
        memo: there.map_or_else(
            || format!("Recorded from the ledger, payment {}", this.record.id),
            |there| there.memo.clone(),
        ),
        marker: Some(this.books.connection.marker(&this.record.id)),
        external_id: None,
    })
}

fn uses(this: &This<'_>) -> Result<Vec<PaymentUse>, Outcome> {
    let mut uses = Vec::new();
    for part in &this.payment.uses {
        let Some(invoice) = part.of.invoice() else {
            continue;
        };
        let invoice = ledger(Kind::Invoice, invoice);
        let Some(there) = origin::counterpart(this.books, INVOICES.name(), &invoice) else {
            continue;
        };
        let of = match &part.of {
            UseOf::CreditMemo { credit, .. } => {
                let credit = ledger(Kind::CreditMemo, credit);
                let Some(memo) = origin::counterpart(this.books, CREDIT_MEMOS.name(), &credit)
                else {
                    let cause = format!(
                        "{} uses credit memo {}, which is not on the platform",
                        this.label(),
                        credit.id
                    );
                    let outcome =
                        Outcome::because(State::Hold, Code::new("credit-not-linked"), cause);
                    let waits = WaitsFor::Link(CREDIT_MEMOS.name().to_owned(), credit);
                    return Err(outcome.until(waits));
                };
                UseOf::CreditMemo {
                    credit: memo.id.clone(),
                    invoice: there.id.clone(),
                }
            }
            _ => UseOf::Invoice(there.id.clone()),
        };
        uses.push(PaymentUse {
            of,
            amount: part.amount,
        });
    }
    uses.sort();
    if !uses.is_empty() {
        return Ok(uses);
    }
    let cause = format!("{} pays no invoice that is on the platform", this.label());
    let outcome = Outcome::because(State::Skipped, Code::new("no-linked-invoices"), cause);
    Err(until_complete(this, outcome))
}

/// Looks again once the next of its invoices is on the platform: what it pays of that one is recorded then.
fn until_complete(this: &This<'_>, outcome: Outcome) -> Outcome {
    match next_to_come(this) {
        Some(invoice) => outcome.until(WaitsFor::Link(INVOICES.name().to_owned(), invoice)),
        None => outcome,
    }
}

/// Which of its invoices that are not on the platform is the likeliest to go over: one that is open goes, one that is settled
/// stays.
fn next_to_come(this: &This<'_>) -> Option<RecordRef> {
    let invoices = this
        .payment
        .uses
        .iter()
        .filter_map(|part| part.of.invoice());
    let records = invoices.map(|invoice| ledger(Kind::Invoice, invoice));
    let missing: Vec<RecordRef> = records
        .filter(|record| origin::counterpart(this.books, INVOICES.name(), record).is_none())
        .collect();
    let is_open = |record: &&RecordRef| {
        let seen = this.books.record(record).filter(|seen| !seen.gone);
        let paper = seen.and_then(|seen| Paper::of(&seen.document));
        paper.is_some_and(|paper| paper.open.is_positive())
    };
    let open = missing.iter().find(is_open);
    open.or_else(|| missing.first()).cloned()
}

/// Whether an invoice over there is open for less than what was paid on it: then it may have been paid twice
/// (scenario 195).
fn overpays(
    this: &This<'_>,
    document: &CustomerPayment,
    there: Option<&CustomerPayment>,
) -> Option<Verdict> {
    let on = |payment: &CustomerPayment, invoice: &RemoteId| -> Amount {
        let uses = payment.uses.iter();
        uses.filter(|part| part.of.invoice() == Some(invoice))
            .map(|part| part.amount)
            .sum()
    };
    document.uses.iter().find_map(|part| {
        let invoice = part.of.invoice()?;
        let record = RecordRef::new(Side::Platform, Kind::Invoice, invoice.clone());
        let seen = this.books.record(&record)?;
        let paper = Paper::of(&seen.document)?;
        let open = match paper.status {
            InvoiceStatus::Paid | InvoiceStatus::Voided => Amount::ZERO,
            _ => paper.open,
        };
        // What the record has put on it already is room for what it is to hold.
        let ours = there.map_or(Amount::ZERO, |there| on(there, invoice));
        let room = open.plus(ours).unwrap_or(open);
        let asked = on(document, invoice);
        if asked <= room {
            return None;
        }
        let cause = format!(
            "{} pays {asked} on {}, of which {room} is open on the platform: it may be paid twice",
            this.label(),
            paper.label(&record)
        );
        let code = Code::new("already-paid-on-platform");
        let outcome = Outcome::because(State::Blocked, code, cause);
        let waits = WaitsFor::Link(INVOICES.name().to_owned(), record.clone());
        Some(Verdict::Rest(outcome.until(waits)))
    })
}

fn linked(this: &This<'_>, link: &Link) -> Verdict {
    let label = this.label();
    let seen = this.books.record(&link.target);
    let there = seen.and_then(|seen| match &seen.document {
        Document::CustomerPayment(there) => Some((seen.gone, there, &seen.document)),
        _ => None,
    });
    let voided = |there: &CustomerPayment| there.status == ReceiptStatus::Voided;
    let Some((_, there, document)) = there.filter(|(gone, there, _)| !gone && !voided(there))
    else {
        if is_undone(this) {
            let cause = format!("{label} is undone on both sides");
            return noop(Code::new("closed-on-both-sides"), cause);
        }
        return voided_there(this, link);
    };
    let step = |action, key, wanted: Document, because: &str| {
        Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action,
            role: String::new(),
            target: Some(link.target.id.clone()),
            document: wanted,
            expect: Some(document.clone()),
            key,
            because: because.to_owned(),
        }))
    };
    // Written as voided, so that it is known for our own.
    let take_back = |because| {
        let voided = Document::CustomerPayment(CustomerPayment {
            status: ReceiptStatus::Voided,
            ..there.clone()
        });
        let base = link.key.clone().unwrap_or_else(|| this.key());
        step(Action::Void, amendment_key(&base, &"void"), voided, because)
    };
    if is_undone(this) {
        return take_back("it was voided or deleted in the ledger");
    }
    let wanted = match self::document(this, Some(there)) {
        Ok(wanted) => wanted,
        // It pays nothing there any more.
        Err(outcome) if outcome.state == State::Skipped => {
            return take_back("it pays no invoice of the platform any more");
        }
        Err(outcome) => return Verdict::Rest(outcome),
    };
    let same = there.total == wanted.total && same_uses(&there.uses, &wanted.uses);
    let document = Document::CustomerPayment(wanted);
    if same {
        return Verdict::Rest(until_complete(this, Outcome::done()));
    }
    let applied = link.applied.as_ref();
    if applied.is_some_and(|applied| same_writable(&document, applied)) {
        let cause = format!("{label} was edited on the platform, where it is only a record");
        return conflict(Code::new("recorded-payment-edited"), cause);
    }
    if let Document::CustomerPayment(wanted) = &document
        && let Some(verdict) = overpays(this, wanted, Some(there))
    {
        return verdict;
    }
    let key = amendment_key(&this.key(), &document);
    step(
        Action::Amend,
        key,
        document,
        "it is applied otherwise in the ledger",
    )
}

/// The record was voided. What tieout took back itself was last written as voided, and is made anew where the payment pays
/// something of the platform again; somebody else's void is for a person, who may say which record counts.
fn voided_there(this: &This<'_>, link: &Link) -> Verdict {
    let ours = match &link.applied {
        Some(Document::CustomerPayment(applied)) => applied.status == ReceiptStatus::Voided,
        _ => false,
    };
    if ours {
        let key = this.key().with(link.target.id.as_str());
        return match standing(this).as_slice() {
            [one] => adopt(one, "its mark", Some(key)),
            _ => pending(this).unwrap_or_else(|| record(this, key)),
        };
    }
    if let Some(chosen) = chosen(this).filter(|chosen| is_free(this, chosen)) {
        return adopt(chosen, "a person's choice", None);
    }
    let cause = format!(
        "{} was recorded on the platform, and the record was voided there",
        this.label()
    );
    blocked(Code::new("recorded-payment-voided"), cause)
}

/// The payment of the platform that a person says it is.
fn chosen<'a>(this: &This<'a>) -> Option<&'a RecordRef> {
    match this.books.decided(NAME, this.record) {
        Some(Decided::Link(target))
            if (target.side, target.kind) == (Side::Platform, Kind::CustomerPayment) =>
        {
            Some(target)
        }
        _ => None,
    }
}

/// Whether a payment of the platform stands, and is no other's record and posted nowhere.
fn is_free(this: &This<'_>, record: &RecordRef) -> bool {
    let seen = this.books.record(record).filter(|seen| !seen.gone);
    let stands = matches!(
        seen.map(|seen| &seen.document),
        Some(Document::CustomerPayment(there)) if there.status != ReceiptStatus::Voided
    );
    stands && this.books.links_to(record).is_empty() && this.books.links_of(NAME, record).is_empty()
}
