//! What happened: `/events`, and the notifications that carry the same (README §Events).

use crate::account::Account;
use crate::json::Json;
use crate::kind::Kind;
use crate::show::{expand, plain_object};

/// The fields that differ, as they were.
pub(crate) fn previous(before: &Json, after: &Json) -> Json {
    let mut previous = Json::Object(Vec::new());
    let Json::Object(fields) = before else {
        return previous;
    };
    for (name, value) in fields {
        if name.starts_with('_') || name == "updated_at" {
            continue;
        }
        let now = match after {
            Json::Object(fields) => fields.iter().find(|(field, _)| field == name),
            _ => None,
        };
        if now.map(|(_, now)| now) != Some(value) {
            previous.put(name, value.clone());
        }
    }
    previous
}

/// Takes note of an event about an object, and has it sent to every endpoint.
pub(crate) fn emit(account: &mut Account, name: &str, kind: Kind, place: i64, previous: Json) {
    let Some(fields) = account.table(kind).get(place) else {
        return;
    };
    let base = account.webhooks.base.clone();
    let mut object = plain_object(kind, fields, &base);
    // Here a customer is an object; in the answers to calls it is a number.
    expand(account, &mut object, "customer", &base);
    put(account, name, object, previous);
}

/// Tells that a payment's charge failed.
pub(crate) fn emit_charge_failed(account: &mut Account, place: i64) {
    let payment = account.table(Kind::Payment).get(place);
    let Some(mut charge) = payment.and_then(|payment| payment.get("charge")).cloned() else {
        return;
    };
    let base = account.webhooks.base.clone();
    expand(account, &mut charge, "customer", &base);
    put(account, "charge.failed", charge, Json::Null);
}

fn put(account: &mut Account, name: &str, object: Json, previous: Json) {
    let previous = match previous {
        Json::Null => Json::Object(Vec::new()),
        previous => previous,
    };
    let mut data = Json::object([("object", object)]);
    let on_top = account.switches.previous_on_top;
    if !on_top {
        data.put("previous", previous.clone());
    }
    let mut event = Json::whole([
        ("type", name.into()),
        ("timestamp", account.now().into()),
        ("data", data),
    ]);
    if on_top {
        event.put("previous", previous);
    }
    event.put(
        "user",
        Json::whole([("id", Json::Null), ("name", "API".into())]),
    );
    let place = account.table_mut(Kind::Event).push(event);
    crate::webhooks::queue(account, place);
}
