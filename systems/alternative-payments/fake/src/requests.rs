//! Requests of a payment, and tokens for the hosted checkout: kept, and paid by nobody (README §Payments).

use jiff::SignedDuration;

use crate::account::Account;
use crate::call::{Answer, Reply};
use crate::customers::text;
use crate::json::Json;
use crate::pages;
use crate::problem::Problem;
use crate::table::{Record as _, Stamp, record};

/// How long a token for the checkout is good for.
const CHECKOUT: SignedDuration = SignedDuration::from_mins(30);

/// A request of a payment.
#[derive(Debug, Clone)]
pub(crate) struct PaymentRequest {
    stamp: Stamp,
    reference: Option<String>,
}

record!(PaymentRequest, "req");

/// `POST /payments/request`. The amount is a text there.
pub(crate) fn create(account: &mut Account, body: &Json) -> Answer {
    let amount = text(body, "amount")?.and_then(|text| text.parse::<rust_decimal::Decimal>().ok());
    if amount.is_none_or(|amount| amount <= rust_decimal::Decimal::ZERO) {
        return Err(Problem::field("amount", "amount must be a text above zero"));
    }
    if text(body, "currency")? != Some("USD") {
        return Err(Problem::field("currency", "currency must be USD"));
    }
    let request = PaymentRequest {
        stamp: account.stamp::<PaymentRequest>(),
        reference: text(body, "reference_id")?.map(str::to_owned),
    };
    let shown = show(&request);
    account.requests.insert(request);
    Ok(Reply::created(shown))
}

/// `GET /payments/request/{id}`.
pub(crate) fn one(account: &Account, id: &str) -> Answer {
    let request = account.requests.get(id).ok_or_else(Problem::missing)?;
    Ok(Reply::ok(show(request)))
}

fn show(request: &PaymentRequest) -> Json {
    Json::whole([
        ("id", request.id().into()),
        ("reference_id", request.reference.as_deref().into()),
        ("status", "pending".into()),
        ("url", format!("{}/r/{}", PAY_PAGE, request.id()).into()),
    ])
}

/// The host of the pages where customers pay, without a scheme, as links name it.
pub(crate) const PAY_PAGE: &str = "pay.demo.alternativepayments.example";

/// `POST /checkout-auth/init`.
pub(crate) fn checkout(account: &mut Account, body: &Json) -> Answer {
    let (customer, invoice) = (text(body, "customer_id")?, text(body, "invoice_id")?);
    let found = invoice.and_then(|id| account.invoices.get(id));
    let is_theirs = found.is_some_and(|invoice| customer == Some(invoice.customer.as_str()));
    if !is_theirs {
        return Err(Problem::bad("invalid invoice id"));
    }
    let token = account.random.token(40);
    Ok(Reply::created(Json::whole([
        ("token", token.into()),
        ("expires_at", pages::time(account.later(CHECKOUT))),
    ])))
}
