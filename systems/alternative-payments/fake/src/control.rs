//! The control panel's part of this service: what customers do, and what a person does on the dashboard.

mod acts;
mod pay;

use tieout_kit::fake::ControlError;

use crate::account::Account;
use crate::capability::Capabilities;
use crate::json::Json;
use crate::money::is_sane;
use crate::problem::Problem;
use crate::{customers, held, invoices, life, payments, payouts, refunds, webhooks};

/// What there is, for the answer to a call that isn't any of it.
const OFFER: &str = "customers, customers/ID, invoices, invoices/ID, pay, payments/ID, refunds, payouts, payouts/ID, \
     webhooks/ID, switches";

/// Carries out `POST /control/alternative-payments/…`.
pub(crate) fn control(
    account: &mut Account,
    path: &[&str],
    body: &Json,
) -> Result<Json, ControlError> {
    life::catch_up(account);
    match path {
        ["switches"] => account.switches.turn(body),
        ["webhooks", id] => webhooks::control(account, id, body),
        ["pay"] => {
            let id = pay::pay(account, body)?;
            shown_payment(account, &id)
        }
        ["payments", id] => {
            acts::payment(account, id, body)?;
            shown_payment(account, id)
        }
        ["refunds"] => {
            let payment = named(body, "payment")?;
            let id = refunds::create(account, payment).map_err(refused)?;
            let refund = account.refunds.get(&id).ok_or_else(missing)?;
            Ok(refunds::show(refund, Capabilities::ALL))
        }
        ["payouts"] => {
            acts::adjust(account, body)?;
            let id = payouts::create(account).map_err(refused)?;
            shown_payout(account, &id)
        }
        ["payouts", id] => {
            let status = body.text("status").and_then(payouts::Status::of);
            let wrong = || ControlError::bad("`status` is one of a payout's");
            payouts::turn(account, id, status.ok_or_else(wrong)?).map_err(refused)?;
            shown_payout(account, id)
        }
        ["customers"] => {
            let id = customers::create(account, body).map_err(refused)?;
            shown_customer(account, &id)
        }
        ["customers", id] => {
            acts::customer(account, id, body)?;
            shown_customer(account, id)
        }
        ["invoices"] => {
            let id = invoices::create(account, body).map_err(refused)?;
            shown_invoice(account, &id)
        }
        ["invoices", id] => {
            acts::invoice(account, id, body)?;
            shown_invoice(account, id)
        }
        _ => Err(missing()),
    }
}

fn missing() -> ControlError {
    ControlError::missing(format!(
        "under /control/alternative-payments there is {OFFER}"
    ))
}

/// What a call of the service would be refused with.
fn refused(problem: Problem) -> ControlError {
    ControlError {
        status: if problem.status == 404 { 404 } else { 409 },
        message: problem.message().to_owned(),
    }
}

/// The text of a field that must be there.
fn named<'a>(body: &'a Json, field: &str) -> Result<&'a str, ControlError> {
    let missing = || ControlError::bad(format!("`{field}` is missing"));
    body.text(field).ok_or_else(missing)
}

/// An amount as a text or a number, where it is there.
fn amount(body: &Json, field: &str) -> Result<Option<rust_decimal::Decimal>, ControlError> {
    let Some(given) = body.get(field) else {
        return Ok(None);
    };
    let read = match given {
        Json::Text(text) => text.parse().ok(),
        given => given.as_decimal(),
    };
    let read = read.filter(|amount| is_sane(*amount));
    let wrong = || ControlError::bad(format!("`{field}` is no amount"));
    read.map(Some).ok_or_else(wrong)
}

fn shown_customer(account: &Account, id: &str) -> Result<Json, ControlError> {
    let customer = account.customer(id).map_err(refused)?;
    Ok(customers::show(customer, Capabilities::ALL))
}

fn shown_invoice(account: &Account, id: &str) -> Result<Json, ControlError> {
    let invoice = account.invoice(id).map_err(refused)?;
    Ok(invoices::show(account, invoice, Capabilities::ALL))
}

fn shown_payment(account: &Account, id: &str) -> Result<Json, ControlError> {
    let payment = account.payment(id).map_err(refused)?;
    Ok(payments::show(payment, Capabilities::ALL))
}

/// A payout with its transactions.
fn shown_payout(account: &Account, id: &str) -> Result<Json, ControlError> {
    let payout = account.payouts.get(id).ok_or_else(missing)?;
    let transactions = account.held.of(&payout.transactions);
    let transactions: Vec<Json> = transactions.map(held::Transaction::show).collect();
    let mut shown = payouts::show(payout, Capabilities::ALL);
    shown.put("transactions", transactions.into());
    Ok(shown)
}
