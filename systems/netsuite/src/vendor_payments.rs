//! Writing vendor payments, and moving their applications.
//!
//! A payment is cash only; credits used with it stand in its credit list, so that the bill closes and the
//! bank line fits (scenario 49). A reversal moves the applications of a payment from the bills to a line of
//! a journal entry, in one write; the payment itself stays (README §Reversals).

use serde_json::json;
use tieout_domain::document::{Application, Payment};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Currency, Document, Fault, Money, RemoteId};

use crate::call::Client;
use crate::form::{Form, listed_names};
use crate::payments::Payments;
use crate::probe::Shape;
use crate::records::{Body, reference};

/// Digits of a rate after the point: enough for the cents of a hundred million.
const RATE_DIGITS: u32 = 12;

/// A document of a payment's apply list.
pub(crate) fn apply_item(application: &Application, apply: bool) -> Body {
    let mut item = Body::default();
    item.set("doc", reference(&application.document));
    if let Some(line) = application.line {
        item.set("line", json!(line));
    }
    item.set("apply", json!(apply));
    if apply {
        item.amount("amount", gross(application));
        if !application.discount.is_zero() {
            item.amount("disc", application.discount);
        }
    }
    item
}

fn credit_item(credit: &RemoteId, amount: Option<Amount>) -> Body {
    let mut item = Body::default();
    item.set("doc", reference(credit));
    item.set("apply", json!(amount.is_some()));
    if let Some(amount) = amount {
        item.amount("amount", amount);
    }
    item
}

/// A credit list that changes the credits used: first what goes, then what is or comes.
pub(crate) fn credit_items(
    before: &[(RemoteId, Amount)],
    after: &[(RemoteId, Amount)],
) -> Vec<Body> {
    let mut gone: Vec<&RemoteId> = before.iter().map(|(id, _)| id).collect();
    gone.retain(|id| !after.iter().any(|(kept, _)| kept == *id));
    gone.sort();
    gone.dedup();
    let gone = gone.into_iter().map(|id| credit_item(id, None));
    let kept = after
        .iter()
        .map(|(id, amount)| credit_item(id, Some(*amount)));
    gone.chain(kept).collect()
}

/// What a bill is relieved of: cash and credits together.
fn gross(application: &Application) -> Amount {
    let credits = application.credits.iter().map(|credit| credit.amount);
    std::iter::once(application.amount).chain(credits).sum()
}

/// Whether two lists of applications are the same. The ledger shows either the cash or the gross amount of
/// a bill that a credit was used for, and may not show one that credits alone have settled.
pub(crate) fn same_applications(one: &[Application], other: &[Application]) -> bool {
    let fits = |a: &Application, b: &Application| {
        a.document == b.document
            && (a.line == b.line || a.line.is_none() || b.line.is_none())
            && [a.amount, gross(a)]
                .iter()
                .any(|x| [b.amount, gross(b)].contains(x))
    };
    let all_in = |these: &[Application], those: &[Application]| {
        let there = |a: &Application| those.iter().any(|b| fits(a, b));
        these.iter().all(|a| a.amount.is_zero() || there(a))
    };
    all_in(one, other) && all_in(other, one)
}

/// Applications that change one list into the other: first what goes, then what is or comes.
pub(crate) fn moved(there: &[Application], wanted: &[Application]) -> Vec<Body> {
    let kept = |old: &Application| {
        wanted
            .iter()
            .any(|new| new.document == old.document && new.line == old.line)
    };
    let gone = there
        .iter()
        .filter(|old| !kept(old))
        .map(|old| apply_item(old, false));
    gone.chain(wanted.iter().map(|new| apply_item(new, true)))
        .collect()
}

/// Vendor payments, as they are written.
pub(crate) struct PaymentForm;

impl Form for PaymentForm {
    type Document = Payment;
    type Source = Payments;

    const SOURCE: Payments = Payments;
    const RECORD: &'static str = "vendorPayment";
    const ACTIONS: &'static [Action] = &[Action::Create, Action::Amend];

    fn of(document: &Document) -> Option<&Payment> {
        match document {
            Document::Payment(found) => Some(found),
            _ => None,
        }
    }

    fn body(client: &Client, shape: &Shape, payment: &Payment) -> Result<Body, Fault> {
        let currency = shape.need_currency(payment.currency)?;
        let mut body = Body::default();
        body.set("entity", reference(&payment.vendor));
        body.reference("account", payment.account.as_ref());
        body.reference("apAcct", payment.payables_account.as_ref());
        let subsidiary = payment
            .subsidiary
            .as_ref()
            .or(client.settings.subsidiary.as_ref());
        body.reference("subsidiary", subsidiary);
        body.set("tranDate", json!(payment.date.to_string()));
        body.reference("postingPeriod", payment.period.as_ref());
        body.reference("department", payment.department.as_ref());
        body.reference("class", payment.class.as_ref());
        body.reference("location", payment.location.as_ref());
        body.set("currency", reference(currency));
        let base = shape.currency(None, subsidiary);
        if let Some(rate) = rate(payment.funded, payment.total.of(payment.currency), base) {
            body.amount("exchangeRate", rate);
        }
        body.text("tranId", &payment.number);
        body.text("memo", &payment.memo);
        // The default may send it to a printer's queue of checks.
        body.set("toBePrinted", json!(false));
        body.items(
            "apply",
            payment
                .applications
                .iter()
                .map(|a| apply_item(a, true))
                .collect(),
        );
        let credits = credit_items(&[], &credits_used(&payment.applications));
        if !credits.is_empty() {
            body.items("credit", credits);
        }
        Ok(body)
    }

    fn same(there: &Payment, wanted: &Payment) -> bool {
        unchanged_money(there, wanted)
            && (wanted.memo.is_empty() || there.memo == wanted.memo)
            && (wanted.number.is_empty() || there.number == wanted.number)
    }

    fn names(payment: &Payment) -> Vec<String> {
        listed_names(&payment.number, &["Bill Payment", "Vendor Payment"])
    }

    fn unchanged(there: &Payment, expected: &Payment) -> bool {
        unchanged_money(there, expected)
            && there.number == expected.number
            && there.memo == expected.memo
    }

    fn difference(
        there: &Payment,
        expected: Option<&Payment>,
        wanted: &Payment,
    ) -> Result<Body, Fault> {
        let mut body = Body::default();
        if there.memo != wanted.memo {
            body.set("memo", json!(wanted.memo));
        }
        if there.number != wanted.number {
            body.set("tranId", json!(wanted.number));
        }
        if !same_applications(&there.applications, &wanted.applications) {
            body.items("apply", moved(&there.applications, &wanted.applications));
            let mut before = credits_used(&there.applications);
            if let Some(expected) = expected {
                before.extend(credits_used(&expected.applications));
            }
            let credits = credit_items(&before, &credits_used(&wanted.applications));
            if !credits.is_empty() {
                body.items("credit", credits);
            }
        }
        if !body.is_empty() {
            body.set("toBePrinted", json!(false));
        }
        Ok(body)
    }
}

/// The rate by which a payment in another currency takes just what was taken from the company's account
/// (scenario 102); the ledger's own rate of the day where that isn't known in base currency.
pub(crate) fn rate(funded: Option<Money>, total: Money, base: Option<Currency>) -> Option<Amount> {
    let funded = funded?;
    let of_base = base == Some(funded.currency);
    let exact = funded
        .amount
        .decimal()
        .checked_div(total.amount.decimal())?;
    let usable = of_base && funded.currency != total.currency && !exact.is_zero();
    usable.then(|| Amount::new(exact.round_dp(RATE_DIGITS)))
}

/// Each credit used in a payment, and how much of it in all.
pub(crate) fn credits_used(applications: &[Application]) -> Vec<(RemoteId, Amount)> {
    let mut all: Vec<(RemoteId, Amount)> = Vec::new();
    for used in applications
        .iter()
        .flat_map(|application| &application.credits)
    {
        match all.iter_mut().find(|(id, _)| *id == used.credit) {
            Some((_, amount)) => *amount = [*amount, used.amount].into_iter().sum(),
            None => all.push((used.credit.clone(), used.amount)),
        }
    }
    all
}

/// Whether the parts that move money are alike.
fn unchanged_money(there: &Payment, other: &Payment) -> bool {
    there.vendor == other.vendor
        && there.currency == other.currency
        && there.total == other.total
        && there.date == other.date
        && (there.account == other.account || there.account.is_none() || other.account.is_none())
        && same_applications(&there.applications, &other.applications)
}
