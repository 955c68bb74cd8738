//! The life of a document: what was applied to it, its status, and what time brings.

use rust_decimal::Decimal;

use crate::account::Account;
use crate::charges;
use crate::json::Json;
use crate::kind::Kind;
use crate::money::{amount, number};
use crate::outbound;
use crate::shape::id;

/// Seconds of a day.
pub(crate) const DAY: i64 = 24 * 60 * 60;

/// What was applied to a document.
pub(crate) fn applied(account: &Account, kind: Kind, place: i64) -> Decimal {
    let found = account.applied.get(&(kind, place));
    found.copied().unwrap_or_default()
}

/// Whether a payment to a document is in flight.
pub(crate) fn is_pending(account: &Account, kind: Kind, place: i64) -> bool {
    let first = (kind, place, i64::MIN);
    let next = account.in_flight.range(first..).next();
    next.is_some_and(|(of, at, _)| (*of, *at) == (kind, place))
}

/// The status that follows from a document's fields.
pub(crate) fn status(account: &Account, kind: Kind, place: i64, document: &Json) -> &'static str {
    let is = |name: &str| document.flag(name) == Some(true);
    let balance = amount(document, "balance");
    if document.text("status") == Some("voided") {
        return "voided";
    }
    if is("draft") {
        return "draft";
    }
    if kind != Kind::Invoice {
        return match kind {
            Kind::CreditNote if balance.is_zero() => "paid",
            Kind::CreditNote if is("closed") => "closed",
            Kind::CreditNote => "open",
            _ if is("_sent") => "sent",
            _ => "not_sent",
        };
    }
    let due = id(document, "due_date");
    if balance.is_zero() {
        "paid"
    } else if is_pending(account, kind, place) {
        "pending"
    } else if due.is_some_and(|due| due < account.now()) {
        "past_due"
    } else if is("_viewed") {
        "viewed"
    } else if is("_sent") {
        "sent"
    } else {
        "not_sent"
    }
}

/// Writes a status, and what goes with it.
pub(crate) fn put_status(document: &mut Json, status: &'static str, balance: Decimal) {
    document.put("status", status.into());
    document.put("paid", (status == "paid").into());
    if status != "voided" {
        document.put("balance", number(balance));
    }
}

/// Applies an amount to a document, or takes it back if it is below zero.
pub(crate) fn apply(account: &mut Account, kind: Kind, place: i64, by: Decimal) {
    *account.applied.entry((kind, place)).or_default() += by;
    refresh(account, kind, place, account.switches.applications_touch);
}

/// Brings balance and status up to date.
pub(crate) fn refresh(account: &mut Account, kind: Kind, place: i64, touches: bool) {
    let Some(document) = account.table(kind).get(place).cloned() else {
        return;
    };
    let was_paid = document.flag("paid") == Some(true);
    let balance = amount(&document, "total") - applied(account, kind, place);
    let mut after = document;
    if after.text("status") != Some("voided") {
        after.put("balance", number(balance));
    }
    let status = status(account, kind, place, &after);
    put_status(&mut after, status, balance);
    let work = |fields: &mut Json| *fields = after;
    if touches {
        account.change(kind, place, work);
    } else {
        account.change_quietly(kind, place, work);
    }
    tell_if_paid(account, kind, place, was_paid);
    watch(account, kind, place);
}

/// Tells that an invoice is paid by now.
pub(crate) fn tell_if_paid(account: &mut Account, kind: Kind, place: i64, was_paid: bool) {
    let paid = account
        .table(kind)
        .get(place)
        .and_then(|now| now.flag("paid"));
    if kind == Kind::Invoice && !was_paid && paid == Some(true) {
        account.tell(kind, place, "paid", Json::Null);
    }
}

/// Remembers when something next happens to an invoice by itself, and plans its automatic charge.
pub(crate) fn watch(account: &mut Account, kind: Kind, place: i64) {
    if kind != Kind::Invoice {
        return;
    }
    let Ok(invoice) = account.get(kind, place) else {
        return;
    };
    if !is_open(invoice) {
        return;
    }
    let now = account.now();
    let due = id(invoice, "due_date").filter(|due| *due >= now);
    let charge = charges::next_attempt(account, invoice);
    let planned = id(invoice, "next_payment_attempt");
    for moment in [due.map(|due| due + 1), charge].into_iter().flatten() {
        account.next_due = account.next_due.min(moment);
    }
    if planned != charge {
        account.change_quietly(kind, place, |invoice| {
            invoice.put("next_payment_attempt", charge.into());
        });
    }
    outbound::remind(account, place);
}

/// Whether an invoice is outstanding.
pub(crate) fn is_open(invoice: &Json) -> bool {
    !matches!(invoice.text("status"), Some("draft" | "voided" | "paid"))
        && invoice.flag("closed") != Some(true)
}

/// Lets happen what is due by now: payments in flight arrive, invoices become past due, automatic charges and
/// reminders start.
pub(crate) fn catch_up(account: &mut Account) {
    charges::settle_due(account);
    let now = account.now();
    if now < account.next_due {
        return;
    }
    account.next_due = i64::MAX;
    let invoices = account.table(Kind::Invoice).rows();
    let open: Vec<i64> = invoices
        .filter(|(_, invoice)| is_open(invoice))
        .map(|(place, _)| place)
        .collect();
    for place in open {
        if let Ok(invoice) = account.get(Kind::Invoice, place)
            && invoice.text("status") != Some(status(account, Kind::Invoice, place, invoice))
        {
            refresh(account, Kind::Invoice, place, false);
        }
        charges::attempt_if_due(account, place);
        watch(account, Kind::Invoice, place);
    }
}
