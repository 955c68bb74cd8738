//! A payment of an invoice that is on the platform only (scenario 185): a deposit of its own in the ledger, which has no
//! customer or invoice that the money could be posted to.

use tieout_domain::code::Code;
use tieout_domain::document::{Deposit, DepositLine, ReceiptStatus};
use tieout_domain::port::Action;
use tieout_domain::{Document, Key, Kind, Outcome, RecordRef, Side};

use super::{NAME, This};
use crate::matching::normalised_number;
use crate::period::{self, Book};
use crate::preferences::Mode;
use crate::receivables::account;
use crate::receivables::origin;
use crate::receivables::sales::INVOICES;
use crate::text::{LEDGER_MEMO_MAX, cut};
use crate::verdict::{blocked, done, done_with};
use crate::{Books, Flow, Link, Need, Step, Verdict};

/// The role of the link to a payment's own deposit.
pub const STAND_ALONE: &str = "stand-alone";

fn key(this: &This<'_>) -> Key {
    this.key().with(STAND_ALONE)
}

/// The payment's own deposit, once there is one.
pub(super) fn link<'a>(this: &This<'a>) -> Option<&'a Link> {
    this.books.link(NAME, this.record, STAND_ALONE)
}

fn invoices(this: &This<'_>) -> Vec<RecordRef> {
    let uses = this.payment.uses.iter();
    uses.filter_map(|part| part.of.invoice())
        .map(|id| RecordRef::new(Side::Platform, Kind::Invoice, id.clone()))
        .collect()
}

pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    if this.books.connection.ways.originates {
        return Vec::new();
    }
    let mut needs = vec![Need::Keyed(Side::Ledger, Kind::Deposit, key(this))];
    let named = &this.books.preferences.receivables.standalone_account;
    needs.extend(account::needs(named));
    for invoice in invoices(this) {
        if let Some(place) = same_number(this.books, &invoice) {
            for namesake in this.books.matching.get(&place).into_iter().flatten() {
                needs.push(Need::Record(namesake.clone()));
                needs.extend(origin::needs(INVOICES.name(), namesake));
            }
            needs.push(Need::Matching(place.0, place.1, place.2));
        }
    }
    let customer = this.payment.customer.as_ref();
    needs.extend(
        customer.map(|id| Need::Record(RecordRef::new(Side::Platform, Kind::Customer, id.clone()))),
    );
    needs
}

/// Where the ledger's invoices of the same number are.
fn same_number(books: &Books, invoice: &RecordRef) -> Option<(Side, Kind, String)> {
    let Document::Invoice(invoice) = &books.record(invoice)?.document else {
        return None;
    };
    let number = normalised_number(&invoice.number);
    (!number.is_empty()).then_some((Side::Ledger, Kind::Invoice, number))
}

/// Whether all that it pays is on the platform only, as far as anybody can tell.
pub(super) fn applies(this: &This<'_>) -> bool {
    let invoices = invoices(this);
    !this.books.connection.ways.originates
        && !invoices.is_empty()
        && invoices.iter().all(|invoice| is_foreign(this, invoice))
}

/// An invoice that nothing leads into the ledger: neither link nor mark, nor an invoice there that is not sent yet and bears
/// the same number and amount. Where another system carries the invoices, a person says so.
fn is_foreign(this: &This<'_>, invoice: &RecordRef) -> bool {
    let books = this.books;
    let Some(seen) = books.record(invoice) else {
        return false;
    };
    let linked = origin::ledger_invoice(books, invoice).is_some();
    let marked = origin::our_mark(books, &seen.document).is_some();
    let carried = books.preferences.receivables.mode == Mode::PaymentsOnly;
    if linked || marked || (carried && !this.accepted(&Code::new("invoices-not-linked"))) {
        return false;
    }
    let place = same_number(books, invoice);
    let namesakes = place.and_then(|place| books.matching.get(&place));
    let mut unsent = namesakes.into_iter().flatten().filter(|namesake| {
        let there = books.record(namesake).filter(|there| !there.gone);
        let same = there.is_some_and(|there| there.document.amount() == seen.document.amount());
        same && origin::counterpart(books, INVOICES.name(), namesake).is_none()
    });
    unsent.next().is_none() || this.accepted(&Code::new("invoices-not-linked"))
}

pub(super) fn decide(this: &This<'_>) -> Verdict {
    if let Some(found) = this.books.keyed(Side::Ledger, Kind::Deposit, &key(this)) {
        return Verdict::Adopt {
            target: found.clone(),
            role: STAND_ALONE.to_owned(),
            how: "its key",
            key: Some(key(this)),
        };
    }
    match document(this) {
        Ok(document) => Verdict::Write(Box::new(Step {
            side: Side::Ledger,
            action: Action::Create,
            role: STAND_ALONE.to_owned(),
            target: None,
            document: Document::Deposit(document),
            expect: None,
            key: key(this),
            because: "it pays an invoice that is on the platform only".to_owned(),
        })),
        Err(outcome) => Verdict::Rest(outcome),
    }
}

fn document(this: &This<'_>) -> Result<Deposit, Outcome> {
    let (books, payment, label) = (this.books, this.payment, this.label());
    let bank = account::bank(books, &label)?;
    let named = &books.preferences.receivables.standalone_account;
    let code = Code::new("standalone-account-missing");
    let what = "for payments of invoices that are on the platform only";
    let account = account::chosen(books, named, code, &label, what)?;
    let posting = period::of_posting(Book::Receivables, &label, payment.date, books)?;
    let memo = memo(this);
    Ok(Deposit {
        number: String::new(),
        date: posting.date,
        currency: payment.currency,
        account: bank,
        payments: Vec::new(),
        lines: vec![DepositLine {
            account,
            amount: payment.total,
            party: None,
            memo: memo.clone(),
        }],
        total: payment.total,
        memo,
        subsidiary: books.connection.subsidiary.clone(),
        period: posting.period,
        external_id: Some(key(this)),
    })
}

/// Who paid which invoice of the platform, so that somebody can match it later.
fn memo(this: &This<'_>) -> String {
    let label = |record: &RecordRef| {
        let seen = this.books.record(record);
        seen.map_or_else(|| record.id.to_string(), |seen| seen.document.label())
    };
    let customer = this.payment.customer.as_ref();
    let customer = customer.map_or_else(
        || "somebody unknown".to_owned(),
        |id| label(&RecordRef::new(Side::Platform, Kind::Customer, id.clone())),
    );
    let invoices: Vec<String> = invoices(this).iter().map(label).collect();
    let memo = format!(
        "{customer} paid platform invoice {}, platform payment {}",
        invoices.join(", "),
        this.record.id
    );
    cut(&memo, LEDGER_MEMO_MAX)
}

/// The deposit is there. What becomes of the payment later is netted off a payout, and a person books it.
pub(super) fn standing(this: &This<'_>, link: &Link) -> Verdict {
    let label = this.label();
    let there = this.books.record(&link.target).filter(|seen| !seen.gone);
    if there.is_none() {
        let cause = format!("the deposit of {label} was deleted in the ledger");
        return blocked(Code::new("deposit-deleted"), cause);
    }
    let charge = this.payment.charge.as_ref();
    let disputed = charge.is_some_and(|charge| charge.disputed);
    let refunded = charge.is_some_and(|charge| charge.refunds.iter().any(|it| it.succeeded));
    let failed = this.gone
        || matches!(
            this.payment.status,
            ReceiptStatus::Failed | ReceiptStatus::Voided
        );
    if !(disputed || refunded || failed) {
        return done();
    }
    let code = Code::new("stand-alone-undone");
    let cause = format!(
        "{label} of {} failed, was refunded or is disputed after it was deposited by itself: book it against the clearing account",
        this.payment.total.of(this.payment.currency)
    );
    if this.accepted(&code) {
        done_with(code, cause)
    } else {
        blocked(code, cause)
    }
}
