//! Which object a call is about, and what is to be done with it.

use crate::account::Account;
use crate::call::{Answer, Call, Reply};
use crate::capability::Capability;
use crate::json::Json;
use crate::problem::Problem;
use crate::{customers, external, invoices, payments, payouts, pdf, refunds, requests, webhooks};

/// Whether a call lists what lists may be late to show.
pub(crate) fn lists(call: &Call<'_>) -> bool {
    let path = call.path;
    call.method == "GET" && path.len() == 1 && path != ["webhooks"]
}

/// Carries out a call.
pub(crate) fn answer(account: &mut Account, call: &Call<'_>) -> Answer {
    match call.path {
        ["customers", rest @ ..] => customers_answer(account, call, rest),
        ["invoices", rest @ ..] => invoices_answer(account, call, rest),
        ["payments", rest @ ..] => payments_answer(account, call, rest),
        ["refunds", rest @ ..] => refunds_answer(account, call, rest),
        ["payouts", rest @ ..] => payouts_answer(account, call, rest),
        ["webhooks", rest @ ..] => webhooks::answer(account, call, rest),
        ["checkout-auth", "init"] if call.method == "POST" => {
            requests::checkout(account, &call.fields()?)
        }
        _ => Err(Problem::missing()),
    }
}

/// Goes on where there is a capability; without it a path is like any that doesn't exist.
fn with(account: &Account, capability: Capability) -> Result<(), Problem> {
    let is_there = account.switches.has(capability);
    is_there.then_some(()).ok_or_else(Problem::missing)
}

fn customers_answer(account: &mut Account, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        ("GET", []) => customers::list(account, call),
        ("POST", []) => {
            let id = customers::create(account, &call.fields()?)?;
            customer(account, &id).map(Reply::created)
        }
        ("GET", [id]) => customer(account, id).map(Reply::ok),
        ("PATCH", [id]) => {
            with(account, Capability::AmendCustomers)?;
            customers::amend(account, id, &call.fields()?)?;
            customer(account, id).map(Reply::ok)
        }
        ("DELETE", [id]) => {
            customers::archive(account, id)?;
            Ok(Reply::nothing())
        }
        ("GET" | "POST", [id, "users"]) => customers::users(account, call, id),
        ("GET", [id, "payment-methods", "bank" | "card"]) => {
            customers::payment_methods(account, call, id)
        }
        _ => Err(Problem::missing()),
    }
}

fn customer(account: &Account, id: &str) -> Result<Json, Problem> {
    let customer = account.customer(id)?;
    Ok(customers::show(customer, account.switches.capabilities))
}

fn invoices_answer(account: &mut Account, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        ("GET", []) => invoices::list(account, call),
        ("POST", []) => {
            let id = invoices::create(account, &call.fields()?)?;
            invoice(account, &id).map(Reply::created)
        }
        ("GET", [id]) => invoice(account, id).map(Reply::ok),
        ("PATCH", [id]) => {
            with(account, Capability::AmendInvoices)?;
            invoices::amend(account, id, &call.fields()?)?;
            invoice(account, id).map(Reply::ok)
        }
        ("DELETE", [id]) => {
            invoices::archive(account, id)?;
            Ok(Reply::nothing())
        }
        ("GET", [id, "payment-link"]) => {
            account.invoice(id)?;
            let url = format!("{}/i/{id}", requests::PAY_PAGE);
            Ok(Reply::ok(Json::object([("url", url.into())])))
        }
        ("GET", [id, "pdf-link"]) => pdf::link(account, id, call),
        ("PUT", [id, "pdf"]) => {
            with(account, Capability::InvoicePdf)?;
            pdf::put(account, id, call)
        }
        (_, [id, "external-payments", rest @ ..]) => {
            with(account, Capability::ExternalPayments)?;
            external_payments(account, call, id, rest)
        }
        _ => Err(Problem::missing()),
    }
}

fn invoice(account: &Account, id: &str) -> Result<Json, Problem> {
    let invoice = account.invoice(id)?;
    let capabilities = account.switches.capabilities;
    Ok(invoices::show(account, invoice, capabilities))
}

fn external_payments(
    account: &mut Account,
    call: &Call<'_>,
    invoice: &str,
    rest: &[&str],
) -> Answer {
    match (call.method, rest) {
        ("POST", []) => {
            let id = external::create(account, invoice, &call.fields()?)?;
            payment(account, &id).map(Reply::created)
        }
        ("DELETE", [id]) => {
            external::delete(account, invoice, id)?;
            Ok(Reply::nothing())
        }
        _ => Err(Problem::missing()),
    }
}

fn payments_answer(account: &mut Account, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        ("GET", []) => payments::list(account, call),
        ("POST", ["request"]) => requests::create(account, &call.fields()?),
        ("GET", ["request", id]) => requests::one(account, id),
        ("GET", [id]) => payment(account, id).map(Reply::ok),
        _ => Err(Problem::missing()),
    }
}

fn payment(account: &Account, id: &str) -> Result<Json, Problem> {
    let payment = account.payment(id)?;
    Ok(payments::show(payment, account.switches.capabilities))
}

fn refunds_answer(account: &Account, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        ("GET", []) => refunds::list(account, call),
        ("GET", [id]) => {
            let refund = account.refunds.get(id).ok_or_else(Problem::missing)?;
            Ok(Reply::ok(refunds::show(
                refund,
                account.switches.capabilities,
            )))
        }
        _ => Err(Problem::missing()),
    }
}

fn payouts_answer(account: &Account, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        ("GET", []) => payouts::list(account, call),
        ("GET", [id]) => {
            let payout = account.payouts.get(id).ok_or_else(Problem::missing)?;
            Ok(Reply::ok(payouts::show(
                payout,
                account.switches.capabilities,
            )))
        }
        ("GET", [id, "transactions"]) => payouts::transactions(account, call, id),
        _ => Err(Problem::missing()),
    }
}
