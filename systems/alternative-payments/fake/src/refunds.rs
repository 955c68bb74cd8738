//! Refunds: in full, of a payment that has succeeded (README §Refunds).

use rust_decimal::Decimal;

use crate::account::Account;
use crate::call::{Answer, Call};
use crate::capability::{Capabilities, Capability};
use crate::held::{self, Cause};
use crate::json::Json;
use crate::money::number;
use crate::pages;
use crate::payments::{self, Status};
use crate::problem::Problem;
use crate::table::{Record as _, Stamp, record};
use crate::webhooks::{self, Topic};

/// A refund.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) stamp: Stamp,
    /// The payment whose money is given back.
    payment: String,
    customer: String,
    due: Json,
    method: &'static str,
    /// What is given back: all that the payment settled. The service keeps its fee.
    pub(crate) amount: Decimal,
}

record!(Refund, "rfd");

/// Gives a payment's money back, and gives the refund's identifier.
pub(crate) fn create(account: &mut Account, payment: &str) -> Result<String, Problem> {
    let there = account.payment(payment)?.clone();
    if there.is_external() {
        return Err(payments::external());
    }
    if there.status != Status::Succeeded {
        return Err(Problem::bad(
            "Only a payment that succeeded can be refunded",
        ));
    }
    let refund = Refund {
        stamp: account.stamp::<Refund>(),
        payment: payment.to_owned(),
        method: there.method(),
        customer: there.customer,
        due: there.due.into(),
        amount: there.sub_total,
    };
    let id = refund.stamp.id.clone();
    account.refunds.insert(refund);
    held::add(account, Cause::Refund, payment, Some(&id));
    payments::turn(account, payment, Status::Refunded, |_| {});
    webhooks::tell(account, Topic::PaymentRefunded, payment);
    Ok(id)
}

/// `GET /refunds`.
pub(crate) fn list(account: &Account, call: &Call<'_>) -> Answer {
    let of = |refund: &&Refund| call.query.allows("customer_id", &refund.customer);
    let found = account.refunds.rows().filter(of);
    pages::page(account, call, found, |one| {
        show(one, account.switches.capabilities)
    })
}

/// One as it is answered. Which payment it gives back is told only where that capability is.
pub(crate) fn show(refund: &Refund, capabilities: Capabilities) -> Json {
    let mut shown = Json::whole([
        ("id", refund.id().into()),
        ("customer_id", refund.customer.as_str().into()),
        ("due_date", refund.due.clone()),
        ("fees", Vec::new().into()),
        ("payment_method", refund.method.into()),
        ("sub_total", number(refund.amount)),
        ("total", number(refund.amount)),
        ("created_at", pages::time(refund.stamp.created_at)),
    ]);
    if capabilities.has(Capability::Allocations) {
        shown.put("payment_id", refund.payment.as_str().into());
    }
    if capabilities.has(Capability::ChangedSince) {
        shown.put("updated_at", pages::time(refund.stamp.updated_at));
    }
    shown
}
