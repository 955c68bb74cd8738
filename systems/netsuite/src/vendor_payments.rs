//! Writing vendor payments, and moving their applications.
//!
//! A payment is cash only; credits used with it stand in its credit list, so that the bill closes and the
//! bank line fits (scenario 49). A reversal moves the applications of a payment from the bills to a line of
//! a journal entry, in one write; the payment itself stays (README §Reversals).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::document::{Application, Payment};
use tieout_domain::port::{Action, Answer, Observed, Order, Write};
use tieout_domain::{Amount, Document, Fault, Kind, RemoteId, Timestamp};

use crate::call::Client;
use crate::journals::wrong_kind;
use crate::payments::Payments;
use crate::probe::Shape;
use crate::reader::Reader;
use crate::records::{Body, reference};
use crate::upsert::{Amend, BULK, Upsert, amend, candidates, create, not_supported};

/// Digits of a rate after the point: enough for the cents of a hundred million.
const RATE_DIGITS: u32 = 12;

/// Writes vendor payments.
pub(crate) struct PaymentWriter {
    pub(crate) client: Arc<Client>,
}

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

impl PaymentWriter {
    fn reader(&self) -> Reader<Payments> {
        Reader {
            client: Arc::clone(&self.client),
            source: Payments,
        }
    }
}

fn payment(document: &Document) -> Result<&Payment, Fault> {
    match document {
        Document::Payment(payment) => Ok(payment),
        other => Err(wrong_kind(other)),
    }
}

#[async_trait]
impl Upsert for PaymentWriter {
    fn client(&self) -> &Client {
        &self.client
    }

    fn record(&self) -> &'static str {
        "vendorPayment"
    }

    fn kind(&self) -> Kind {
        Kind::Payment
    }

    fn body(&self, shape: &Shape, document: &Document) -> Result<Body, Fault> {
        let payment = payment(document)?;
        let Some(currency) = shape.currency_id(payment.currency) else {
            return Err(Fault::Refused {
                code: Code::new("bad-reference"),
                field: Some("currency".to_owned()),
                cause: format!("the account has no currency {}", payment.currency),
            });
        };
        let mut body = Body::default();
        body.set("entity", reference(&payment.vendor));
        body.reference("account", payment.account.as_ref());
        body.reference("apAcct", payment.payables_account.as_ref());
        let subsidiary = payment
            .subsidiary
            .as_ref()
            .or(self.client.settings.subsidiary.as_ref());
        body.reference("subsidiary", subsidiary);
        body.set("tranDate", json!(payment.date.to_string()));
        body.reference("postingPeriod", payment.period.as_ref());
        body.reference("department", payment.department.as_ref());
        body.reference("class", payment.class.as_ref());
        body.reference("location", payment.location.as_ref());
        body.set("currency", reference(currency));
        if let Some(rate) = rate(payment, shape, subsidiary) {
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
        let credits = credits_used(payment);
        if !credits.is_empty() {
            let items = credits
                .iter()
                .map(|(id, amount)| credit_item(id, Some(*amount)));
            body.items("credit", items.collect());
        }
        Ok(body)
    }

    async fn found(&self, condition: &str, parameters: &[String]) -> Result<Vec<Observed>, Fault> {
        self.reader().matching(condition, parameters).await
    }

    fn same(&self, there: &Document, wanted: &Document) -> bool {
        let (Ok(there), Ok(wanted)) = (payment(there), payment(wanted)) else {
            return false;
        };
        unchanged_money(there, wanted)
            && (wanted.memo.is_empty() || there.memo == wanted.memo)
            && (wanted.number.is_empty() || there.number == wanted.number)
    }

    fn names(&self, document: &Document) -> Vec<String> {
        let Ok(payment) = payment(document) else {
            return Vec::new();
        };
        let number = &payment.number;
        if number.is_empty() {
            return Vec::new();
        }
        vec![
            number.clone(),
            format!("Bill Payment #{number}"),
            format!("Vendor Payment #{number}"),
            format!("Bill Payment {number}"),
        ]
    }
}

/// The rate by which a payment in another currency takes just what was taken from the company's account
/// (scenario 102); the ledger's own rate of the day where that isn't known in base currency.
fn rate(payment: &Payment, shape: &Shape, subsidiary: Option<&RemoteId>) -> Option<Amount> {
    let funded = payment.funded?;
    let of_base = shape.currency(None, subsidiary) == Some(funded.currency);
    let exact = funded
        .amount
        .decimal()
        .checked_div(payment.total.decimal())?;
    let usable = of_base && funded.currency != payment.currency && !exact.is_zero();
    usable.then(|| Amount::new(exact.round_dp(RATE_DIGITS)))
}

/// Each credit used in a payment, and how much of it in all.
fn credits_used(payment: &Payment) -> Vec<(RemoteId, Amount)> {
    let mut all: Vec<(RemoteId, Amount)> = Vec::new();
    for used in payment
        .applications
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

impl Amend for PaymentWriter {
    fn unchanged(&self, there: &Document, expected: &Document) -> bool {
        let (Ok(there), Ok(expected)) = (payment(there), payment(expected)) else {
            return false;
        };
        unchanged_money(there, expected)
            && there.number == expected.number
            && there.memo == expected.memo
    }

    fn difference(
        &self,
        there: &Document,
        expected: Option<&Document>,
        wanted: &Document,
    ) -> Result<Body, Fault> {
        let (there, wanted) = (payment(there)?, payment(wanted)?);
        let mut body = Body::default();
        if there.memo != wanted.memo {
            body.set("memo", json!(wanted.memo));
        }
        if there.number != wanted.number {
            body.set("tranId", json!(wanted.number));
        }
        if !same_applications(&there.applications, &wanted.applications) {
            body.items("apply", moved(&there.applications, &wanted.applications));
            let mut before = credits_used(there);
            if let Some(Ok(expected)) = expected.map(payment) {
                before.extend(credits_used(expected));
            }
            let after = credits_used(wanted);
            before.retain(|(id, _)| !after.iter().any(|(kept, _)| kept == id));
            before.sort();
            before.dedup_by(|a, b| a.0 == b.0);
            let mut items: Vec<Body> = before.iter().map(|(id, _)| credit_item(id, None)).collect();
            items.extend(
                after
                    .iter()
                    .map(|(id, amount)| credit_item(id, Some(*amount))),
            );
            if !items.is_empty() {
                body.items("credit", items);
            }
        }
        if !body.is_empty() {
            body.set("toBePrinted", json!(false));
        }
        Ok(body)
    }
}

#[async_trait]
impl Write for PaymentWriter {
    fn bulk_max(&self, _action: Action) -> usize {
        BULK
    }

    fn repeatable(&self, action: Action) -> bool {
        // Both say what is to be, never what to add.
        matches!(action, Action::Create | Action::Amend)
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        match orders.first().map(|order| order.action) {
            Some(Action::Create) => create(self, orders).await,
            Some(Action::Amend) => amend(self, orders).await,
            _ => not_supported(orders),
        }
    }

    async fn candidates(
        &self,
        orders: &[Order],
        _since: Timestamp,
    ) -> Result<Vec<Observed>, Fault> {
        candidates(self, orders).await
    }
}
