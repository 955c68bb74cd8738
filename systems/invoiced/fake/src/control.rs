//! The control panel's part of this service: what a person does in its own screens.

mod acts;
mod pay;

use tieout_kit::fake::ControlError;

use crate::account::Account;
use crate::json::Json;
use crate::kind::Kind;
use crate::problem::Problem;
use crate::show::plain_object;
use crate::{adjustments, catalog, customers, documents, issuing, life, webhooks};

/// What there is, for the answer to a call that isn't any of it.
const OFFER: &str = "customers, customers/ID, invoices, invoices/ID, credit_notes, credit_notes/ID, pay, \
     payments/ID, credit_balance_adjustments, items, tax_rates, coupons, subscriptions, webhooks, switches";

/// Carries out `POST /control/invoiced/…`.
pub(crate) fn control(
    account: &mut Account,
    path: &[&str],
    body: &Json,
) -> Result<Json, ControlError> {
    life::catch_up(account);
    let (kind, place) = match path {
        ["switches"] => return account.switches.turn(body),
        ["webhooks"] => return webhooks::control(account, body),
        ["pay"] => (Kind::Payment, pay::pay(account, body)?),
        [segment] => {
            let kind = Kind::of_path(segment).ok_or_else(missing)?;
            (kind, make(account, kind, body)?)
        }
        [segment, id] => {
            let kind = Kind::of_path(segment).ok_or_else(missing)?;
            let place = account.find(kind, id).map_err(refused)?;
            return acts::act(account, kind, place, body);
        }
        _ => return Err(missing()),
    };
    Ok(shown(account, kind, place))
}

fn missing() -> ControlError {
    ControlError::missing(format!("under /control/invoiced there is {OFFER}"))
}

/// What a call of the service would be refused with.
fn refused(problem: Problem) -> ControlError {
    ControlError {
        status: if problem.status == 404 { 404 } else { 409 },
        message: problem.body(crate::switches::ErrorShape::Text),
    }
}

/// An object with all it has.
fn shown(account: &Account, kind: Kind, place: i64) -> Json {
    let fields = account.table(kind).get(place).cloned();
    fields.map_or(Json::Null, |fields| {
        plain_object(kind, &fields, &account.webhooks.base)
    })
}

fn make(account: &mut Account, kind: Kind, body: &Json) -> Result<i64, ControlError> {
    let made = match kind {
        Kind::Customer => customers::create(account, body),
        Kind::Invoice => issuing::invoice(account, body),
        Kind::CreditNote => issuing::credit_note(account, body),
        Kind::Estimate => documents::create(account, kind, body),
        Kind::Adjustment => adjustments::create(account, body),
        Kind::Item | Kind::TaxRate | Kind::Plan | Kind::Coupon => {
            catalog::create(account, kind, body)
        }
        Kind::Subscription => return Ok(subscription(account, body)),
        _ => return Err(missing()),
    };
    made.map_err(refused)
}

/// A subscription is listed, and makes no invoices here.
fn subscription(account: &mut Account, body: &Json) -> i64 {
    let mut one = Json::Object(Vec::new());
    for name in [
        "customer",
        "plan",
        "quantity",
        "status",
        "start_date",
        "metadata",
    ] {
        one.put(name, body.get(name).cloned().unwrap_or(Json::Null));
    }
    account.insert(Kind::Subscription, one)
}
