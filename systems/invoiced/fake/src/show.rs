//! Objects as answers show them.

use crate::account::Account;
use crate::call::Call;
use crate::json::Json;
use crate::kind::Kind;
use crate::shape::id;

/// Fields that hold an address; they are kept as paths, because only a call knows the host.
const ADDRESSES: [&str; 6] = [
    "url",
    "payment_url",
    "pdf_url",
    "csv_url",
    "statement_pdf_url",
    "sign_up_url",
];

/// An object for a call: what is asked for with `include` and `expand`, nothing of the sandbox's own.
pub(crate) fn show(account: &Account, kind: Kind, fields: &Json, call: &Call<'_>) -> Json {
    let mut shown = plain_object(kind, fields, &call.base);
    if kind == Kind::Payment && !call.query.words("include").any(|word| word == "applied_to") {
        shown.take("applied_to");
    }
    for word in call.query.words("expand") {
        expand(account, &mut shown, word, &call.base);
    }
    shown
}

/// An object with all it has, but nothing of the sandbox's own.
pub(crate) fn plain_object(kind: Kind, fields: &Json, base: &str) -> Json {
    let mut shown = fields.clone();
    if let Json::Object(all) = &mut shown {
        all.retain(|(name, _)| !name.starts_with('_'));
        for (name, value) in all.iter_mut() {
            match value {
                // The service's own habit with an empty object.
                Json::Object(entries) if name == "metadata" && entries.is_empty() => {
                    *value = Json::List(Vec::new());
                }
                Json::Text(path)
                    if ADDRESSES.contains(&&**name)
                        && path.starts_with('/')
                        && kind != Kind::WebhookAttempt =>
                {
                    *value = format!("{base}{path}").into();
                }
                _ => {}
            }
        }
    }
    shown
}

/// Replaces an identifier by its object.
pub(crate) fn expand(account: &Account, shown: &mut Json, field: &str, base: &str) {
    let kind = match field {
        "customer" | "parent_customer" => Kind::Customer,
        "invoice" => Kind::Invoice,
        "credit_note" => Kind::CreditNote,
        "estimate" => Kind::Estimate,
        "subscription" => Kind::Subscription,
        _ => return,
    };
    let named = id(shown, field).and_then(|place| account.table(kind).get(place));
    if let Some(named) = named {
        let object = plain_object(kind, named, base);
        shown.put(field, object);
    }
}
