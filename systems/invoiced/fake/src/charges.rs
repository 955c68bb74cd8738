//! Money that is really processed: charges, refunds, disputes, automatic payments (README §Charges).

use rust_decimal::Decimal;

use crate::account::Account;
use crate::applications;
use crate::json::Json;
use crate::kind::Kind;
use crate::life::{self, DAY, is_open};
use crate::money::{amount, is_too_fine, number};
use crate::outbound;
use crate::payments::{self, New};
use crate::problem::Problem;
use crate::shape::{Field, Rule, id, take};

/// How long money from a bank account is in flight: five business days, roughly.
const ACH_DAYS: i64 = 5;
/// Days between two attempts at an automatic charge, and how many there are.
const ATTEMPT_DAYS: i64 = 3;
const ATTEMPTS: u32 = 4;

static FIELDS: &[Field] = &[
    ("method", Rule::Text),
    ("payment_source_type", Rule::Text),
    ("payment_source_id", Rule::Text),
    ("invoiced_token", Rule::Text),
    ("gateway_token", Rule::Text),
    ("receipt_email", Rule::Text),
];
static REFUND: &[Field] = &[("amount", Rule::Number)];

/// `POST /charges`: gives the place of the payment that it makes.
pub(crate) fn create(account: &mut Account, body: &Json) -> Result<i64, Problem> {
    let asked = crate::documents::object(take(FIELDS, body)?);
    let source =
        asked.get("payment_source_type").is_some() && asked.get("payment_source_id").is_some();
    let ways = [
        source,
        asked.get("invoiced_token").is_some(),
        asked.get("gateway_token").is_some(),
    ];
    if ways.iter().filter(|way| **way).count() != 1 {
        let message = "Give exactly one of payment source, invoiced_token and gateway_token";
        return Err(Problem::request(message));
    }
    let method = match asked.text("method") {
        Some(method @ ("ach" | "credit_card")) => method.to_owned(),
        _ => {
            return Err(Problem::param(
                "method",
                "Method must be credit_card or ach",
            ));
        }
    };
    let mut new = payments::new(account, body, &[])?;
    if new.customer.is_none() {
        return Err(Problem::param("customer", "Customer is missing"));
    }
    new.method = method;
    new.source = "api".to_owned();
    Ok(process(account, new, "asked", asked.text("receipt_email")))
}

/// Charges what was checked and gives the payment's place. Money from a bank account is in flight for days.
pub(crate) fn process(
    account: &mut Account,
    mut new: New,
    why: &str,
    receipt: Option<&str>,
) -> i64 {
    let now = account.now();
    let in_flight = new.method == "ach";
    new.arrives = in_flight.then_some(now + ACH_DAYS * DAY);
    let status = if in_flight { "pending" } else { "succeeded" };
    new.charge = charge(account, &new, status, receipt);
    let started = Json::object([
        ("customer", new.customer.into()),
        ("amount", number(new.amount)),
        ("why", why.into()),
        ("at", now.into()),
    ]);
    account.outbound.charges.push(started);
    let place = payments::make(account, new, Vec::new());
    outbound::mail_receipt(account, place);
    place
}

fn charge(account: &mut Account, new: &New, status: &str, receipt: Option<&str>) -> Json {
    let now = account.now();
    let token = account.random.token(16);
    Json::whole([
        ("id", account.outbound.next_line().into()),
        ("object", "charge".into()),
        ("customer", new.customer.into()),
        ("currency", new.currency.as_str().into()),
        ("amount", number(new.amount)),
        ("gateway", "test".into()),
        ("gateway_id", format!("ch_{token}").into()),
        ("status", status.into()),
        ("receipt_email", receipt.into()),
        ("failure_message", Json::Null),
        ("payment_source", Json::Null),
        ("amount_refunded", Decimal::ZERO.into()),
        ("refunded", false.into()),
        ("refunds", Vec::new().into()),
        ("disputed", false.into()),
        ("created_at", now.into()),
        ("updated_at", now.into()),
    ])
}

/// The payment whose charge has this identifier.
pub(crate) fn payment_of(account: &Account, charge: &str) -> Result<i64, Problem> {
    let wanted = charge.parse::<i64>().ok();
    let mut payments = account.table(Kind::Payment).rows();
    let found = payments.find(|(_, payment)| {
        let own = payment.get("charge").and_then(|charge| id(charge, "id"));
        wanted.is_some() && own == wanted
    });
    found.map(|(place, _)| place).ok_or_else(Problem::path)
}

/// `POST /charges/:id/refunds`: gives the refund.
pub(crate) fn refund(account: &mut Account, place: i64, body: &Json) -> Result<Json, Problem> {
    let asked = crate::documents::object(take(REFUND, body)?);
    let payment = account.get(Kind::Payment, place)?;
    let charge = payment.get("charge").ok_or_else(Problem::path)?.clone();
    if charge.text("status") != Some("succeeded") {
        return Err(Problem::request(
            "Only a charge that succeeded can be refunded",
        ));
    }
    let currency = payment.text("currency").unwrap_or_default();
    let left = amount(&charge, "amount") - amount(&charge, "amount_refunded");
    let wanted = asked
        .number("amount")
        .ok_or_else(|| Problem::param("amount", "Amount is missing"))?;
    if wanted <= Decimal::ZERO || is_too_fine(wanted, currency) {
        return Err(Problem::param(
            "amount",
            format!("Amount is not valid: {wanted}"),
        ));
    }
    if wanted > left {
        let message = format!("The amount is more than the {left} that can be refunded");
        return Err(Problem::param("amount", message));
    }
    let now = account.now();
    let token = account.random.token(16);
    let refund = Json::whole([
        ("id", account.outbound.next_line().into()),
        ("object", "refund".into()),
        ("charge", charge.get("id").cloned().into()),
        ("currency", charge.get("currency").cloned().into()),
        ("amount", number(wanted)),
        ("gateway", charge.get("gateway").cloned().into()),
        ("gateway_id", format!("re_{token}").into()),
        ("status", "succeeded".into()),
        ("failure_message", Json::Null),
        ("created_at", now.into()),
        ("updated_at", now.into()),
    ]);
    let shown = refund.clone();
    let total = amount(&charge, "amount_refunded") + wanted;
    let whole = total == amount(&charge, "amount");
    let touches = account.switches.refunds_touch;
    change(account, place, touches, |charge| {
        let mut refunds = charge.list("refunds").to_vec();
        refunds.push(refund);
        charge.put("refunds", refunds.into());
        charge.put("amount_refunded", number(total));
        charge.put("refunded", whole.into());
        charge.put("updated_at", now.into());
    });
    Ok(shown)
}

/// Changes the charge of a payment.
fn change(account: &mut Account, place: i64, touches: bool, work: impl FnOnce(&mut Json)) {
    let whole = |payment: &mut Json| {
        if let Some(mut charge) = payment.get("charge").cloned() {
            work(&mut charge);
            payment.put("charge", charge);
        }
    };
    if touches {
        account.change(Kind::Payment, place, whole);
    } else {
        account.change_quietly(Kind::Payment, place, whole);
    }
}

/// A payment that was typed in is given a charge without a gateway, so that a refund of it can be recorded.
pub(crate) fn keyed(account: &mut Account, place: i64) -> Result<(), Problem> {
    let payment = account.get(Kind::Payment, place)?;
    if payment.get("charge").is_some() {
        return Ok(());
    }
    let (customer, currency, shares) = payments::parts(payment)?;
    let new = New {
        customer,
        currency,
        amount: amount(payment, "amount"),
        shares,
        method: String::new(),
        source: String::new(),
        charge: Json::Null,
        arrives: None,
    };
    let mut charge = charge(account, &new, "succeeded", None);
    charge.put("gateway", Json::Null);
    charge.put("gateway_id", Json::Null);
    account.change_quietly(Kind::Payment, place, |payment| {
        payment.put("charge", charge)
    });
    Ok(())
}

/// The bank takes the money back for now.
pub(crate) fn dispute(account: &mut Account, place: i64) -> Result<(), Problem> {
    if account.get(Kind::Payment, place)?.get("charge").is_none() {
        return Err(Problem::request("Only a processed payment can be disputed"));
    }
    change(account, place, true, |charge| {
        charge.put("disputed", true.into())
    });
    Ok(())
}

/// The money didn't come: the charge failed and the payment is void.
pub(crate) fn fail(account: &mut Account, place: i64, message: &str) -> Result<(), Problem> {
    if account.get(Kind::Payment, place)?.get("charge").is_none() {
        return Err(Problem::request("Only a processed payment can fail"));
    }
    payments::void(account, place)?;
    let message = message.to_owned();
    change(account, place, true, |charge| {
        charge.put("status", "failed".into());
        charge.put("failure_message", message.into());
    });
    crate::events::emit_charge_failed(account, place);
    Ok(())
}

/// The money of a payment in flight has come.
pub(crate) fn clear(account: &mut Account, place: i64) -> Result<(), Problem> {
    let payment = account.get(Kind::Payment, place)?.clone();
    if !payments::is_in_flight(&payment) {
        return Err(Problem::request("This payment is not in flight"));
    }
    let (customer, currency, shares) = payments::parts(&payment)?;
    payments::land(account, place, &shares);
    change(account, place, true, |charge| {
        charge.put("status", "succeeded".into())
    });
    applications::apply(account, &shares, customer, &currency, false);
    Ok(())
}

/// Lets arrive what was long enough in flight.
pub(crate) fn settle_due(account: &mut Account) {
    if account.in_flight.is_empty() {
        return;
    }
    let now = account.now();
    let all: Vec<i64> = account
        .in_flight
        .iter()
        .map(|(_, _, place)| *place)
        .collect();
    for place in all {
        let payment = account.table(Kind::Payment).get(place);
        let arrives = payment.and_then(|payment| id(payment, "_arrives"));
        if arrives.is_some_and(|arrives| arrives <= now) {
            // A payment that can't be cleared any more has been voided meanwhile.
            drop(clear(account, place));
        }
    }
}

/// When an invoice is next charged by itself.
pub(crate) fn next_attempt(account: &Account, invoice: &Json) -> Option<i64> {
    if invoice.flag("autopay") != Some(true) || !is_open(invoice) {
        return None;
    }
    let tried = id(invoice, "attempt_count").unwrap_or(0);
    if tried >= i64::from(ATTEMPTS) || invoice.text("status") == Some("pending") {
        return None;
    }
    let customer = account
        .table(Kind::Customer)
        .get(id(invoice, "customer")?)?;
    let delay = id(customer, "autopay_delay_days").unwrap_or(0);
    let wait = delay
        .saturating_add(tried * ATTEMPT_DAYS)
        .saturating_mul(DAY);
    Some(id(invoice, "date")?.saturating_add(wait))
}

/// Tries an automatic charge whose time has come.
pub(crate) fn attempt_if_due(account: &mut Account, place: i64) {
    let Ok(invoice) = account.get(Kind::Invoice, place) else {
        return;
    };
    let due = next_attempt(account, invoice).is_some_and(|at| at <= account.now());
    if due {
        // A failed attempt is counted on the invoice.
        drop(attempt(account, place, "autopay"));
    }
}

/// `POST /invoices/:id/pay`: charges an invoice that pays itself.
pub(crate) fn pay(account: &mut Account, place: i64) -> Result<(), Problem> {
    let invoice = account.get(Kind::Invoice, place)?;
    if invoice.flag("autopay") != Some(true) {
        return Err(Problem::request(
            "Only invoices with AutoPay can be charged",
        ));
    }
    if !is_open(invoice) {
        return Err(Problem::request("This invoice can't be paid"));
    }
    attempt(account, place, "asked")
}

fn attempt(account: &mut Account, place: i64, why: &str) -> Result<(), Problem> {
    let invoice = account.get(Kind::Invoice, place)?.clone();
    let count = id(&invoice, "attempt_count").unwrap_or(0) + 1;
    account.change_quietly(Kind::Invoice, place, |invoice| {
        invoice.put("attempt_count", count.into());
    });
    let customer = id(&invoice, "customer");
    let of = customer.and_then(|place| account.table(Kind::Customer).get(place));
    let source = of
        .and_then(|of| of.text("payment_source.object"))
        .map(str::to_owned);
    let balance = amount(&invoice, "balance");
    let Some(source) = source else {
        let failed = Json::object([
            ("customer", customer.into()),
            ("amount", number(balance)),
            ("why", why.into()),
            ("failed", "no payment source".into()),
            ("at", account.now().into()),
        ]);
        account.outbound.charges.push(failed);
        life::watch(account, Kind::Invoice, place);
        return Err(Problem::request("The customer has no payment source"));
    };
    let method = if source == "bank_account" {
        "ach"
    } else {
        "credit_card"
    };
    let new = New {
        customer,
        currency: invoice.text("currency").unwrap_or_default().to_owned(),
        amount: balance,
        shares: vec![applications::onto((Kind::Invoice, place), balance)],
        method: method.to_owned(),
        source: "autopay".to_owned(),
        charge: Json::Null,
        arrives: None,
    };
    process(account, new, why, None);
    Ok(())
}
