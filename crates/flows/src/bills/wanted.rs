//! A ledger's bill in the platform's terms.

use tieout_domain::code::Code;
use tieout_domain::document::{Approval, Bill, BillStatus, Line, LineKind, VendorCredit};
use tieout_domain::{Amount, Document, Kind, Marker, Outcome, RecordRef, RemoteId, Side};

use super::This;
use crate::preferences::MarkerPlace;
use crate::text::{MEMO_MAX, NUMBER_MAX, ORDER_MAX, cut, shorten};
use crate::{Books, lines, lists};

/// The mark on the platform's copy, if marks are kept.
pub(crate) fn mark(books: &Books, id: &RemoteId) -> Option<Marker> {
    (books.preferences.transactions.marker == MarkerPlace::Description)
        .then(|| books.connection.marker(id))
}

/// A memo that leaves room for the mark beside it, whether there is one or not.
pub(crate) fn memo(memo: &str) -> String {
    cut(memo, MEMO_MAX)
}

/// The document to write: a bill, or a vendor credit where the ledger's bill is negative (scenario 45).
/// `there` is what it replaces.
pub(super) fn document(
    this: &This<'_>,
    vendor: RemoteId,
    there: Option<&Bill>,
) -> Result<Document, Outcome> {
    let bill = this.bill;
    let translated = lines::translate(&this.label(), &bill.lines, this.books)?;
    let total = total(this, there);
    let translated = if is_opening(this) {
        vec![balance(&translated, total, bill)]
    } else {
        translated
    };
    let marker = mark(this.books, &this.record.id);
    if total.is_negative() {
        return Ok(Document::VendorCredit(credit(
            this, vendor, translated, total, marker,
        )));
    }
    Ok(Document::Bill(Bill {
        vendor,
        number: this.number(),
        transaction_number: String::new(),
        date: bill.date,
        due: Some(bill.due.unwrap_or(bill.date)),
        discount: None,
        currency: bill.currency,
        exchange_rate: None,
        payables_account: payables_account(this.books, bill.payables_account.as_ref()),
        subsidiary: None,
        period: None,
        lines: lines::keep_ids(translated, there.map_or(&[][..], |there| &there.lines)),
        total,
        open: there.map_or(total, |there| there.open),
        scheduled: there.map_or(Amount::ZERO, |there| there.scheduled),
        status: BillStatus::Open,
        approval: there.map_or(Approval::Unassigned, |there| there.approval.clone()),
        memo: memo(&bill.memo),
        purchase_order: shorten(&bill.purchase_order, ORDER_MAX),
        payment_hold: false,
        marker,
        external_id: None,
    }))
}

/// Whether only what is open of it goes over: it was partly paid before.
fn is_opening(this: &This<'_>) -> bool {
    let partly_paid = this.bill.open != this.bill.total;
    this.link()
        .map_or(partly_paid, |link| link.role == super::OPENING)
}

/// What the platform's copy is to come to, whether or not its lines can be translated.
pub(super) fn total(this: &This<'_>, there: Option<&Bill>) -> Amount {
    let bill = this.bill;
    if !is_opening(this) {
        return bill.total;
    }
    let sent = match this.link().map(|link| &link.applied) {
        Some(Some(Document::Bill(applied))) => Some(applied),
        // What was sent is known no longer: it is what stands there, unless a person has said that it isn't.
        Some(None) => there.filter(|there| !(is_of_unknown(there) && this.accepted(&changed()))),
        _ => None,
    };
    sent.map_or(bill.open, |sent| {
        opening(sent.total, &sent.lines, bill.total)
    })
}

/// Whether nothing tells of how much it is the rest: a person has linked it.
pub(super) fn is_of_unknown(there: &Bill) -> bool {
    whole_of(&there.lines).is_none()
}

/// Says that the ledger's bill is another one than the rest of it was linked for.
pub(super) fn changed() -> Code {
    Code::new("both-changed")
}

/// What was open at cut-over is what was sent; the ledger's own payments don't change it. If the whole is more or less by now
/// than it was then, so is the rest.
pub(crate) fn opening(sent: Amount, lines: &[Line], whole: Amount) -> Amount {
    let more = whole_of(lines).and_then(|was| whole.minus(was).ok());
    more.and_then(|more| sent.plus(more).ok()).unwrap_or(sent)
}

fn credit(
    this: &This<'_>,
    vendor: RemoteId,
    lines: Vec<Line>,
    total: Amount,
    marker: Option<Marker>,
) -> VendorCredit {
    let bill = this.bill;
    let lines = lines
        .into_iter()
        .map(|line| Line {
            amount: -line.amount,
            ..line
        })
        .collect();
    VendorCredit {
        vendor,
        number: shorten(&this.number(), NUMBER_MAX),
        transaction_number: String::new(),
        date: bill.date,
        currency: bill.currency,
        exchange_rate: None,
        payables_account: payables_account(this.books, bill.payables_account.as_ref()),
        subsidiary: None,
        period: None,
        lines,
        total: -total,
        open: -total,
        applications: Vec::new(),
        status: BillStatus::Open,
        approval: Approval::Unassigned,
        memo: memo(&bill.memo),
        marker,
        external_id: None,
    }
}

/// One line of what was open at cut-over, coded as the largest line was (scenario 54).
pub(crate) fn balance_line(lines: &[Line], total: Amount, whole: Amount) -> Line {
    let largest = lines.iter().max_by_key(|line| line.amount.abs());
    Line {
        id: None,
        line_kind: LineKind::Expense,
        account: largest.and_then(|line| line.account.clone()),
        amount: total,
        memo: format!("{BALANCE}{whole}{SETTLED}"),
        department: largest.and_then(|line| line.department.clone()),
        class: largest.and_then(|line| line.class.clone()),
        location: largest.and_then(|line| line.location.clone()),
    }
}

/// Whether these are the lines of what was open at cut-over: what the platform shows is then less than the
/// ledger's bill, and is to stay so.
pub(crate) fn is_balance(lines: &[Line]) -> bool {
    whole_text(lines).is_some()
}

/// What the whole was of which these lines are the rest, if they tell.
fn whole_of(lines: &[Line]) -> Option<Amount> {
    whole_text(lines)?.parse().ok()
}

fn whole_text(lines: &[Line]) -> Option<&str> {
    let [line] = lines else { return None };
    line.memo.strip_prefix(BALANCE)?.strip_suffix(SETTLED)
}

const BALANCE: &str = "Balance of ";
const SETTLED: &str = "; the rest was settled before";

fn balance(lines: &[Line], total: Amount, bill: &Bill) -> Line {
    balance_line(lines, total, bill.total)
}

/// The payables account over there, where somebody has mapped it.
pub(crate) fn payables_account(books: &Books, account: Option<&RemoteId>) -> Option<RemoteId> {
    let here = RecordRef::new(Side::Ledger, Kind::Account, account?.clone());
    lists::target(books, crate::accounts::NAME, Kind::Account, &here).cloned()
}
