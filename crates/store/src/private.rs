//! Personal values: what enters the history is a salted digest, the value lies beside it and can be erased
//! without breaking the chain (scenario 247).
//!
//! A place whose key is personal is sealed as a whole: `{"$private": digest}`, and for anything but a plain
//! text also `"blank"`, its shape with every text replaced, so that an erased entry can still be read.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// What an erased text reads as.
pub(crate) const ERASED: &str = "[erased]";

/// The keys whose values are personal, wherever they are.
const KEYS: [&str; 18] = [
    "account_number",
    "address",
    "because",
    "cause",
    "description",
    "email",
    "label",
    "label_from",
    "label_to",
    "memo",
    "name",
    "payee",
    "person",
    "phone",
    "reason",
    "tax_id_last4",
    "text",
    "why",
];

const MARK: &str = "$private";

/// The keys whose values are personal in what tells of a user alone: elsewhere the same word names a thing.
pub(crate) const OF_A_USER: [&str; 1] = ["subject"];

fn is_personal(key: &str) -> bool {
    KEYS.binary_search(&key).is_ok()
}

/// Nothing is there to protect.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Replaces every personal value by its digest and returns the values by place (a JSON pointer). The values of the keys
/// in `also` are personal, too.
pub(crate) fn seal(body: &mut Value, salt: &str, also: &[&str]) -> Map<String, Value> {
    let mut kept = Map::new();
    seal_at(body, &mut String::new(), (salt, also), &mut kept);
    kept
}

fn seal_at(
    value: &mut Value,
    place: &mut String,
    (salt, also): (&str, &[&str]),
    kept: &mut Map<String, Value>,
) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                let length = place.len();
                push_step(place, key);
                let personal = is_personal(key) || also.contains(&key.as_str());
                if personal && !is_empty(field) {
                    let digest = digest(salt, place, field);
                    let sealed = if field.is_string() {
                        json!({ MARK: digest })
                    } else {
                        json!({ MARK: digest, "blank": blanked(field) })
                    };
                    kept.insert(place.clone(), std::mem::replace(field, sealed));
                } else {
                    seal_at(field, place, (salt, also), kept);
                }
                place.truncate(length);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter_mut().enumerate() {
                let length = place.len();
                push_step(place, &at.to_string());
                seal_at(value, place, (salt, also), kept);
                place.truncate(length);
            }
        }
        _ => {}
    }
}

fn push_step(place: &mut String, step: &str) {
    place.push('/');
    for character in step.chars() {
        match character {
            '~' => place.push_str("~0"),
            '/' => place.push_str("~1"),
            other => place.push(other),
        }
    }
}

/// The digest that stands for a value at its place in the history.
fn digest(salt: &str, place: &str, value: &Value) -> String {
    let mut hash = Sha256::new();
    for part in ["tieout-private-1", salt, place] {
        hash.update(part);
        hash.update("\n");
    }
    hash.update(value.to_string());
    tieout_domain::hexadecimal(&hash.finalize())
}

/// Whether every sealed place of the body has its value among the kept ones, and each digest agrees.
pub(crate) fn agrees(body: &Value, salt: &str, kept: &Map<String, Value>) -> bool {
    count(body) == kept.len()
        && kept.iter().all(|(place, value)| {
            body.pointer(place)
                .and_then(|sealed| sealed.get(MARK))
                .and_then(Value::as_str)
                .is_some_and(|recorded| recorded == digest(salt, place, value))
        })
}

/// How many sealed places the body has.
pub(crate) fn count(body: &Value) -> usize {
    match body {
        Value::Object(fields) if fields.contains_key(MARK) => 1,
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Array(values) => values.iter().map(count).sum(),
        _ => 0,
    }
}

/// Puts the kept values back in their places.
pub(crate) fn reveal(body: &mut Value, kept: Map<String, Value>) {
    for (place, value) in kept {
        if let Some(sealed) = body.pointer_mut(&place) {
            *sealed = value;
        }
    }
}

/// Fills the sealed places of an erased body.
pub(crate) fn reveal_erased(body: &mut Value) {
    match body {
        Value::Object(fields) if fields.contains_key(MARK) => {
            *body = fields
                .remove("blank")
                .unwrap_or_else(|| Value::from(ERASED));
        }
        Value::Object(fields) => fields.values_mut().for_each(reveal_erased),
        Value::Array(values) => values.iter_mut().for_each(reveal_erased),
        _ => {}
    }
}

/// The same value without its personal parts: what [`reveal_erased`] would make of it.
pub(crate) fn erase(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                if is_personal(key) && !is_empty(field) {
                    *field = blanked(field);
                } else {
                    erase(field);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(erase),
        _ => {}
    }
}

/// A personal text as it reads once erased.
pub(crate) fn erased_text(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        ERASED.to_owned()
    }
}

fn blanked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(erased_text(text)),
        Value::Array(values) => values.iter().map(blanked).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| (key.clone(), blanked(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Value {
        json!({"fact": "x", "is": {
            "label": "INV-1", "cause": "",
            "vendor": {"name": "Jo Doe", "person": ["Jo", "Doe"], "address": {"line1": "1 Elm St", "zip": ""}},
            "lines": [{"memo": "a/b", "amount": "1"}]
        }})
    }

    #[test]
    fn the_keys_are_sorted() {
        assert!(KEYS.is_sorted());
    }

    #[test]
    fn what_is_sealed_is_revealed_again() {
        let mut sealed = body();
        let kept = seal(&mut sealed, "salt", &[]);
        assert_eq!(kept.len(), 5);
        for word in ["INV-1", "Doe", "Elm", "a/b"] {
            assert!(!sealed.to_string().contains(word), "{word} in {sealed}");
        }
        assert!(agrees(&sealed, "salt", &kept));
        assert!(!agrees(&sealed, "pepper", &kept));
        reveal(&mut sealed, kept);
        assert_eq!(sealed, body());
    }

    #[test]
    fn a_word_that_is_personal_here_alone_is_sealed_here_alone() {
        let body = || json!({"fact": "user", "is": {"subject": "9f2c", "role": "admin"}});
        let mut sealed = body();
        assert!(seal(&mut sealed, "salt", &[]).is_empty());
        let kept = seal(&mut sealed, "salt", &OF_A_USER);
        assert!(!sealed.to_string().contains("9f2c"), "{sealed}");
        assert!(agrees(&sealed, "salt", &kept));
        let mut erased = sealed.clone();
        reveal_erased(&mut erased);
        assert_eq!(erased["is"]["subject"], ERASED);
        reveal(&mut sealed, kept);
        assert_eq!(sealed, body());
    }

    #[test]
    fn erasing_the_value_and_revealing_the_erased_are_the_same() {
        let mut sealed = body();
        seal(&mut sealed, "salt", &[]);
        reveal_erased(&mut sealed);
        let mut erased = body();
        erase(&mut erased);
        assert_eq!(sealed, erased);
        assert_eq!(sealed["is"]["vendor"]["address"]["line1"], ERASED);
        assert_eq!(sealed["is"]["vendor"]["address"]["zip"], "");
    }
}
