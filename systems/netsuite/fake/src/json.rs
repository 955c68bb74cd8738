//! JSON whose numbers keep the text they were written in, so that an amount never passes through a
//! binary fraction, neither on the way in nor on the way out.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// Deeper nesting than any record has: refused rather than recursed into.
const MAX_DEPTH: usize = 40;

/// A JSON value with exact numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, in the order of its fields when it is written.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a document. The error says what is wrong in words of the parser.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Self::from_raw(raw, 0)
    }

    fn from_raw(raw: &RawValue, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let text = raw.get().trim();
        match text.as_bytes().first() {
            Some(b'{') => {
                let fields: BTreeMap<String, &RawValue> =
                    serde_json::from_str(text).map_err(|error| error.to_string())?;
                fields
                    .into_iter()
                    .map(|(name, value)| Ok((name, Self::from_raw(value, depth + 1)?)))
                    .collect::<Result<_, String>>()
                    .map(Self::Object)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> =
                    serde_json::from_str(text).map_err(|error| error.to_string())?;
                items
                    .into_iter()
                    .map(|value| Self::from_raw(value, depth + 1))
                    .collect::<Result<_, String>>()
                    .map(Self::Array)
            }
            Some(b'"') => serde_json::from_str(text)
                .map(Self::Text)
                .map_err(|error| error.to_string()),
            _ => Ok(match text {
                "null" => Self::Null,
                "true" => Self::Bool(true),
                "false" => Self::Bool(false),
                number => Self::Number(number.to_owned()),
            }),
        }
    }

    /// A string value.
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    /// A whole number.
    pub(crate) fn integer(value: i64) -> Self {
        Self::Number(value.to_string())
    }

    /// A number as NetSuite prints its doubles: at least one digit after the point.
    pub(crate) fn decimal(value: Decimal) -> Self {
        let text = value.normalize().to_string();
        Self::Number(if text.contains('.') {
            text
        } else {
            format!("{text}.0")
        })
    }

    /// An object of these fields.
    pub(crate) fn object<const N: usize>(fields: [(&str, Self); N]) -> Self {
        Self::Object(
            fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    /// A field of an object; `None` when this isn't an object or has no such field.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An identifier: NetSuite takes strings and whole numbers alike.
    pub(crate) fn as_identifier(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// A decimal written as a number or as a string holding one.
    pub(crate) fn as_decimal(&self) -> Option<Decimal> {
        let text = self.as_identifier()?.trim();
        Decimal::from_str_exact(text)
            .ok()
            .or_else(|| Decimal::from_scientific(text).ok())
    }

    /// A boolean, also in the forms `"T"` and `"F"`.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Text(text) => match text.as_str() {
                "T" | "true" => Some(true),
                "F" | "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The items of an array.
    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The fields of an object.
    pub(crate) fn fields(&self) -> &[(String, Self)] {
        match self {
            Self::Object(fields) => fields,
            _ => &[],
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => write_text(f, text),
            Self::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Object(fields) => {
                f.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write_text(f, name)?;
                    f.write_str(":")?;
                    value.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let json =
            Json::parse(r#"{"amount": 9007199254740993.01, "list":[1e2,"x",null,true]}"#).unwrap();
        assert_eq!(
            json.get("amount")
                .unwrap()
                .as_decimal()
                .unwrap()
                .to_string(),
            "9007199254740993.01"
        );
        assert_eq!(
            json.to_string(),
            r#"{"amount":9007199254740993.01,"list":[1e2,"x",null,true]}"#
        );
        assert_eq!(Json::decimal(Decimal::new(100, 0)).to_string(), "100.0");
        assert_eq!(Json::decimal(Decimal::new(10025, 2)).to_string(), "100.25");
    }

    #[test]
    fn nonsense_is_refused_without_recursing_forever() {
        assert!(Json::parse("{").is_err());
        assert!(Json::parse(&"[".repeat(5000)).is_err());
        assert!(Json::parse(&format!("{}{}", "[".repeat(60), "]".repeat(60))).is_err());
    }
}
