//! The few shapes that schemas are made of, and the nouns that all resources share.

use serde_json::{Map, Value, json};

/// A named schema.
pub(super) type Schema = (&'static str, Value);

/// An object with these properties and no other. All are required but the optional ones.
pub(super) fn object(properties: Value, optional: &[&str]) -> Value {
    let names = properties.as_object().map(Map::keys);
    let required: Vec<&String> = names
        .into_iter()
        .flatten()
        .filter(|name| !optional.contains(&name.as_str()))
        .collect();
    json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    })
}

/// Another schema.
pub(super) fn of(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A list.
pub(super) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// What may be absent: nothing stands for it.
pub(super) fn maybe(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// A text.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// A text that must say something.
pub(super) fn words() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 2000, "pattern": "\\S"})
}

/// A number of things.
pub(super) fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// Yes or no.
pub(super) fn switch() -> Value {
    json!({"type": "boolean"})
}

/// An instant.
pub(super) fn instant() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// Values by name.
pub(super) fn by_name(values: Value) -> Value {
    json!({"type": "object", "additionalProperties": values})
}

/// A page of a list.
pub(super) fn page_of(name: &str) -> Value {
    object(json!({"items": list(of(name)), "next": maybe(text())}), &[])
}

/// The whole of a short list.
pub(super) fn all_of(name: &str) -> Value {
    object(json!({"items": list(of(name))}), &[])
}

/// The nouns that resources share.
pub(super) fn shared() -> Vec<Schema> {
    let states = tieout_domain::State::ALL.map(tieout_domain::State::as_str);
    vec![
        (
            "Code",
            json!({"type": "string", "pattern": "^[a-z0-9-]+$", "example": "unmapped-account"}),
        ),
        ("State", json!({"type": "string", "enum": states})),
        (
            "Amount",
            json!({
                "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$", "example": "1250.00",
                "description": "An exact decimal. It is a text because a number would be read as a binary one.",
            }),
        ),
        (
            "Currency",
            json!({"type": "string", "pattern": "^[A-Z]{3}$", "example": "USD"}),
        ),
        (
            "Money",
            object(
                json!({"amount": of("Amount"), "currency": of("Currency")}),
                &[],
            ),
        ),
        (
            "RecordRef",
            json!({
                "type": "string", "pattern": "^(ledger|platform)/[a-z-]+/.+$", "example": "ledger/bill/4711",
                "description": "A record of either side: side, kind, that side's id.",
            }),
        ),
        (
            "Document",
            json!({"type": "object", "description": "A document as its side has it, in common terms."}),
        ),
        (
            "Problem",
            object(
                json!({
                    "type": {"type": "string", "format": "uri-reference"},
                    "title": text(), "status": {"type": "integer", "minimum": 400, "maximum": 599},
                    "detail": text(), "code": of("Code"), "fix": text(),
                }),
                &[],
            ),
        ),
    ]
}
