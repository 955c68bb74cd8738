//! Which object a call is about, and what is to be done with it.

use crate::account::Account;
use crate::call::{Answer, Call, Reply};
use crate::json::Json;
use crate::kind::Kind;
use crate::outbound::{self, Why};
use crate::problem::Problem;
use crate::show::show;
use crate::{
    adjustments, catalog, charges, customers, documents, files, issuing, list, notes, payments,
    webhooks,
};

/// Whether a call lists objects of a kind.
pub(crate) fn lists(method: &str, path: &[&str]) -> bool {
    method == "GET" && path.len() == 1
}

/// Carries out a call.
pub(crate) fn answer(account: &mut Account, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        ("POST", ["charges"]) => {
            let place = charges::create(account, &call.body)?;
            // The answer is the payment that the charge made.
            shown(account, Kind::Payment, place, call).map(Reply::created)
        }
        ("POST", ["charges", charge, "refunds"]) => {
            let place = charges::payment_of(account, charge)?;
            charges::refund(account, place, &call.body).map(Reply::created)
        }
        (_, [segment, rest @ ..]) => {
            let kind = Kind::of_path(segment).ok_or_else(Problem::path)?;
            match rest {
                [] => collection(account, kind, call),
                [id, rest @ ..] => {
                    let place = account.find(kind, id)?;
                    if rest.is_empty() {
                        one(account, kind, place, call)
                    } else {
                        below(account, (kind, place), call, rest)
                    }
                }
            }
        }
        _ => Err(Problem::path()),
    }
}

fn shown(account: &Account, kind: Kind, place: i64, call: &Call<'_>) -> Result<Json, Problem> {
    Ok(show(account, kind, account.get(kind, place)?, call))
}

fn collection(account: &mut Account, kind: Kind, call: &Call<'_>) -> Answer {
    match call.method {
        "GET" => return list::list(account, kind, call),
        "POST" => {}
        _ => return Err(Problem::path()),
    }
    let body = &call.body;
    let place = match kind {
        Kind::Customer => customers::create(account, body)?,
        Kind::Invoice => issuing::invoice(account, body)?,
        Kind::CreditNote => issuing::credit_note(account, body)?,
        Kind::Estimate => documents::create(account, kind, body)?,
        Kind::Payment => payments::create(account, body)?,
        Kind::Adjustment => adjustments::create(account, body)?,
        Kind::File => files::create(account, call)?,
        Kind::Note => notes::create(account, body)?,
        Kind::Item | Kind::TaxRate | Kind::Plan | Kind::Coupon => {
            catalog::create(account, kind, body)?
        }
        Kind::Contact | Kind::Subscription | Kind::Event | Kind::WebhookAttempt => {
            return Err(Problem::path());
        }
    };
    shown(account, kind, place, call).map(Reply::created)
}

fn one(account: &mut Account, kind: Kind, place: i64, call: &Call<'_>) -> Answer {
    match call.method {
        "GET" if call.wants_pdf && has_pdf(kind) => files::pdf(account, kind, place),
        "GET" => shown(account, kind, place, call).map(Reply::ok),
        "PATCH" => {
            change(account, kind, place, &call.body)?;
            shown(account, kind, place, call).map(Reply::ok)
        }
        "DELETE" => delete(account, kind, place, call),
        _ => Err(Problem::path()),
    }
}

fn has_pdf(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Invoice | Kind::CreditNote | Kind::Estimate | Kind::Payment
    )
}

fn change(account: &mut Account, kind: Kind, place: i64, body: &Json) -> Result<(), Problem> {
    match kind {
        Kind::Customer => customers::update(account, place, body),
        Kind::Invoice => issuing::update(account, place, body),
        Kind::CreditNote | Kind::Estimate => documents::update(account, kind, place, body),
        Kind::Payment => payments::update(account, place, body),
        Kind::Adjustment => adjustments::update(account, place, body),
        Kind::Note => notes::update(account, place, body),
        Kind::Item | Kind::TaxRate | Kind::Plan | Kind::Coupon => {
            catalog::update(account, kind, place, body)
        }
        Kind::Contact | Kind::Subscription | Kind::File | Kind::Event | Kind::WebhookAttempt => {
            Err(Problem::path())
        }
    }
}

fn delete(account: &mut Account, kind: Kind, place: i64, call: &Call<'_>) -> Answer {
    match kind {
        Kind::Customer => customers::delete(account, place)?,
        Kind::Invoice | Kind::CreditNote | Kind::Estimate => {
            documents::delete(account, kind, place)?;
        }
        Kind::Payment => {
            // Money isn't deleted: the payment is voided, and stays.
            payments::void(account, place)?;
            if !account.switches.delete_answers_nothing {
                return shown(account, kind, place, call).map(Reply::ok);
            }
        }
        Kind::Adjustment => adjustments::delete(account, place)?,
        Kind::File | Kind::Note | Kind::Item | Kind::TaxRate | Kind::Plan | Kind::Coupon => {
            account.remove(kind, place);
        }
        Kind::Contact | Kind::Subscription | Kind::Event | Kind::WebhookAttempt => {
            return Err(Problem::path());
        }
    }
    Ok(Reply::nothing())
}

/// What lies below one object.
fn below(
    account: &mut Account,
    (kind, place): (Kind, i64),
    call: &Call<'_>,
    rest: &[&str],
) -> Answer {
    match (call.method, kind, rest) {
        ("GET", Kind::Customer, ["balance"]) => customers::balance(account, place, call),
        (_, Kind::Customer, ["contacts", rest @ ..]) => {
            customers::contacts(account, place, call, rest)
        }
        ("GET", Kind::Customer | Kind::Invoice | Kind::Payment, ["accounting_sync_status"]) => {
            Ok(Reply::ok(never_synced()))
        }
        ("GET", Kind::Customer | Kind::Invoice, ["notes"]) => {
            let field = kind.object();
            list::within(account, Kind::Note, call, |note| {
                crate::shape::id(note, field) == Some(place)
            })
        }
        ("GET", Kind::Invoice | Kind::CreditNote | Kind::Estimate, ["attachments"]) => {
            files::attachments(account, kind, place, call)
        }
        ("POST", Kind::Invoice | Kind::CreditNote | Kind::Estimate, ["void"]) => {
            documents::void(account, kind, place)?;
            shown(account, kind, place, call).map(Reply::ok)
        }
        ("POST", Kind::Invoice, ["pay"]) => {
            charges::pay(account, place)?;
            shown(account, kind, place, call).map(Reply::ok)
        }
        ("POST", _, [way @ ("emails" | "text_messages" | "letters")]) if is_sent(kind) => {
            let by = way.trim_end_matches('s');
            let message = outbound::message(account, kind, place, by, Why::Asked);
            issuing::sent(account, kind, place);
            // A letter is one; the other two may go to several people.
            let list = Json::List(vec![message]);
            Ok(Reply::created(list))
        }
        ("POST", Kind::WebhookAttempt, ["retries"]) => {
            webhooks::retry(account, place);
            shown(account, kind, place, call).map(Reply::created)
        }
        _ => Err(Problem::path()),
    }
}

fn is_sent(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Customer | Kind::Invoice | Kind::CreditNote | Kind::Estimate | Kind::Payment
    )
}

/// What the service's own connectors have done with an object: nothing, for there are none here. Nobody outside can
/// write this.
fn never_synced() -> Json {
    Json::whole([
        ("synced", false.into()),
        ("error", Json::Null),
        ("accounting_system", Json::Null),
        ("accounting_id", Json::Null),
        ("source", Json::Null),
        ("first_synced", Json::Null),
        ("last_synced", Json::Null),
    ])
}
