//! Checks values against the document's schemas, and makes values of them. Only what the document uses is known;
//! anything else in a schema is an error of the test.

use rand::Rng;
use rand::rngs::SmallRng;
use serde_json::{Map, Value, json};

/// What a schema may say besides what is checked.
const TOLD: [&str; 4] = ["description", "example", "default", "title"];

/// Follows a reference.
pub(crate) fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        None => schema,
        Some(name) => {
            let found = document.pointer(name.trim_start_matches('#'));
            resolved(
                document,
                found.unwrap_or_else(|| panic!("{name} is nowhere")),
            )
        }
    }
}

/// Whether a value is as the schema says; the first place where it isn't.
pub(crate) fn check(
    document: &Value,
    schema: &Value,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    let schema = resolved(document, schema);
    let rules = schema.as_object().unwrap();
    for (rule, says) in rules {
        let wrong = |what: &str| Err(format!("{at}: {value} {what} {says}"));
        let text = value.as_str();
        let number = value.as_i64();
        let size = text.map(|text| text.chars().count() as u64);
        match rule.as_str() {
            "type" if !is_of(value, says.as_str().unwrap()) => return wrong("is no"),
            "enum" if !says.as_array().unwrap().contains(value) => return wrong("is none of"),
            "anyOf" => {
                let fits = |one| check(document, one, value, at).is_ok();
                if !says.as_array().unwrap().iter().any(fits) {
                    return wrong("fits none of");
                }
            }
            "pattern" if text.is_some_and(|text| !matches(says, text)) => return wrong("is not"),
            "minLength" if size.is_some_and(|size| size < says.as_u64().unwrap()) => {
                return wrong("is shorter than");
            }
            "maxLength" if size.is_some_and(|size| size > says.as_u64().unwrap()) => {
                return wrong("is longer than");
            }
            "minimum" if number.is_some_and(|number| number < says.as_i64().unwrap()) => {
                return wrong("is less than");
            }
            "maximum" if number.is_some_and(|number| number > says.as_i64().unwrap()) => {
                return wrong("is more than");
            }
            "minItems" | "minProperties" => {
                let size = value.as_array().map(Vec::len);
                let size = size.or(value.as_object().map(Map::len));
                if size.is_some_and(|size| (size as u64) < says.as_u64().unwrap()) {
                    return wrong("has fewer than");
                }
            }
            "format" => {
                let good = match (says.as_str().unwrap(), text) {
                    ("date-time", Some(text)) => text.parse::<jiff::Timestamp>().is_ok(),
                    ("date", Some(text)) => text.parse::<jiff::civil::Date>().is_ok(),
                    ("uri-reference", Some(text)) => text.parse::<http::Uri>().is_ok(),
                    (other, Some(_)) => panic!("what is the format {other}?"),
                    (_, None) => true,
                };
                if !good {
                    return wrong("is no");
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, says, item, &format!("{at}[{index}]"))?;
                }
            }
            "required" => {
                for name in says.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        return Err(format!("{at}: {name} is missing in {value}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in says.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(document, schema, value, &format!("{at}.{name}"))?;
                    }
                }
            }
            "additionalProperties" => {
                let known = rules.get("properties").and_then(Value::as_object);
                for (name, value) in value.as_object().into_iter().flatten() {
                    if known.is_some_and(|known| known.contains_key(name)) {
                        continue;
                    }
                    if says == &json!(false) {
                        return Err(format!("{at}: `{name}` is not documented"));
                    }
                    check(document, says, value, &format!("{at}.{name}"))?;
                }
            }
            "type" | "enum" | "pattern" | "minLength" | "maxLength" | "minimum" | "maximum" => {}
            other if TOLD.contains(&other) => {}
            other => panic!("{at}: what is `{other}`?"),
        }
    }
    Ok(())
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("what is {other}?"),
    }
}

fn matches(pattern: &Value, text: &str) -> bool {
    regex::Regex::new(pattern.as_str().unwrap())
        .unwrap()
        .is_match(text)
}

/// Texts that have broken programs before.
pub(crate) const NASTY: [&str; 12] = [
    "",
    "\0",
    " ",
    "../../etc/passwd",
    "'; DROP TABLE runs; --",
    "%00",
    "\u{202e}",
    "🦀",
    "null",
    "=1+1",
    "{\"a\":",
    "acme-us\r\nX-Evil: 1",
];

/// A value of a schema; now and then one that is not.
pub(crate) fn sample(document: &Value, schema: &Value, random: &mut SmallRng) -> Value {
    let schema = resolved(document, schema);
    if random.random_ratio(1, 12) {
        return junk(random);
    }
    if let Some(one) = schema.get("enum").and_then(Value::as_array) {
        return one[random.random_range(0..one.len())].clone();
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        return sample(document, &any[random.random_range(0..any.len())], random);
    }
    if let Some(example) = schema.get("example").filter(|_| random.random_bool(0.5)) {
        return example.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => json!(an_object(document, schema, random)),
        Some("array") => {
            let size = random.random_range(0..3);
            json!(
                (0..size)
                    .map(|_| sample(document, &schema["items"], random))
                    .collect::<Vec<_>>()
            )
        }
        Some("integer") => json!(random.random_range(-2..600)),
        Some("boolean") => json!(random.random_bool(0.5)),
        _ => json!(a_text(random)),
    }
}

fn an_object(document: &Value, schema: &Value, random: &mut SmallRng) -> Map<String, Value> {
    let mut made = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        if random.random_bool(0.8) {
            made.insert(name.clone(), sample(document, schema, random));
        }
    }
    if random.random_ratio(1, 8) {
        made.insert(a_text(random), junk(random));
    }
    made
}

/// A text: a plain one, one that means something to the stage, or one that has broken programs before.
pub(crate) fn a_text(random: &mut SmallRng) -> String {
    const MEANT: [&str; 12] = [
        "acme-us",
        "run-1",
        "bills",
        "ledger/bill/1",
        "1",
        "INV-2",
        "unmapped-account",
        "account:58",
        "58",
        "account",
        "transactions.partly_paid",
        "2026-06",
    ];
    if random.random_ratio(1, 4) {
        return NASTY[random.random_range(0..NASTY.len())].to_owned();
    }
    MEANT[random.random_range(0..MEANT.len())].to_owned()
}

fn junk(random: &mut SmallRng) -> Value {
    match random.random_range(0..6) {
        0 => Value::Null,
        1 => json!([[], {}]),
        2 => json!({"": {"": ""}}),
        3 => json!(1.5e300),
        4 => json!(u64::MAX),
        _ => json!(a_text(random)),
    }
}
