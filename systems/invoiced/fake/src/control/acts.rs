//! What a person does with one customer, document or payment.

use tieout_kit::fake::ControlError;

use super::{refused, shown};
use crate::account::Account;
use crate::json::Json;
use crate::kind::Kind;
use crate::shape::id;
use crate::{charges, customers, documents, issuing, life, outbound, payments};

/// Carries out the `action` of a body on an object and gives how it is then.
pub(super) fn act(
    account: &mut Account,
    kind: Kind,
    place: i64,
    body: &Json,
) -> Result<Json, ControlError> {
    let action = body.text("action").unwrap_or("edit");
    match kind {
        Kind::Customer => customer(account, place, action, body)?,
        Kind::Invoice | Kind::CreditNote | Kind::Estimate => {
            document(account, kind, place, action, body)?;
        }
        Kind::Payment => payment(account, place, action, body)?,
        _ => {
            return Err(ControlError::missing(
                "only customers, documents and payments are changed here",
            ));
        }
    }
    Ok(shown(account, kind, place))
}

fn fields(body: &Json) -> Json {
    body.get("fields")
        .cloned()
        .unwrap_or(Json::Object(Vec::new()))
}

fn customer(
    account: &mut Account,
    place: i64,
    action: &str,
    body: &Json,
) -> Result<(), ControlError> {
    match action {
        "edit" => customers::update(account, place, &fields(body)).map_err(refused),
        "delete" => customers::delete(account, place).map_err(refused),
        "merge" => {
            let into = id(body, "into").ok_or_else(|| ControlError::bad("`into` is missing"))?;
            customers::merge(account, place, into).map_err(refused)
        }
        "payment-source" => {
            let source = match body.text("type") {
                None => Json::Null,
                Some(kind @ ("card" | "bank_account")) => Json::object([
                    ("id", account.outbound.next_line().into()),
                    ("object", kind.into()),
                    ("last4", "4242".into()),
                    ("chargeable", true.into()),
                ]),
                Some(_) => return Err(ControlError::bad("`type` is card or bank_account")),
            };
            account.change(Kind::Customer, place, |one| {
                one.put("payment_source", source)
            });
            Ok(())
        }
        _ => Err(ControlError::bad(
            "`action` is edit, delete, merge or payment-source",
        )),
    }
}

fn document(
    account: &mut Account,
    kind: Kind,
    place: i64,
    action: &str,
    body: &Json,
) -> Result<(), ControlError> {
    let set = |name: &'static str, value: bool| {
        let mut fields = Json::Object(Vec::new());
        fields.put(name, value.into());
        fields
    };
    let change = match action {
        "edit" => fields(body),
        "close" => set("closed", true),
        "reopen" => set("closed", false),
        "issue" => set("draft", false),
        "void" => return documents::void(account, kind, place).map_err(refused),
        "delete" => return documents::delete(account, kind, place).map_err(refused),
        "send" => {
            outbound::message(account, kind, place, "email", outbound::Why::Asked);
            issuing::sent(account, kind, place);
            return Ok(());
        }
        "view" => {
            account.change_quietly(kind, place, |one| one.put("_viewed", true.into()));
            life::refresh(account, kind, place, true);
            account.tell(kind, place, "viewed", Json::Null);
            return Ok(());
        }
        _ => {
            let message = "`action` is edit, close, reopen, issue, void, delete, send or view";
            return Err(ControlError::bad(message));
        }
    };
    let changed = match kind {
        Kind::Invoice => issuing::update(account, place, &change),
        kind => documents::update(account, kind, place, &change),
    };
    changed.map_err(refused)
}

fn payment(
    account: &mut Account,
    place: i64,
    action: &str,
    body: &Json,
) -> Result<(), ControlError> {
    match action {
        "edit" => payments::update(account, place, &fields(body)).map_err(refused),
        "void" => payments::void(account, place).map_err(refused),
        "dispute" => charges::dispute(account, place).map_err(refused),
        "clear" => charges::clear(account, place).map_err(refused),
        "fail" => {
            let message = body.text("message").unwrap_or("Insufficient funds");
            charges::fail(account, place, message).map_err(refused)
        }
        // Of a payment that was typed in, too: then it is recorded and no money moves.
        "refund" => {
            charges::keyed(account, place).map_err(refused)?;
            let payment = account.get(Kind::Payment, place).map_err(refused)?;
            let whole = payment.get("amount").cloned().unwrap_or(Json::Null);
            let amount = body.get("amount").cloned().unwrap_or(whole);
            let refund = Json::object([("amount", amount)]);
            charges::refund(account, place, &refund)
                .map(drop)
                .map_err(refused)
        }
        _ => Err(ControlError::bad(
            "`action` is edit, void, refund, dispute, fail or clear",
        )),
    }
}
