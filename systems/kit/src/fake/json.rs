//! JSON with exact numbers.
//!
//! Amounts travel as JSON numbers and must never pass through a binary float, so a fake keeps the text of every
//! number from the wire to the wire.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// A JSON value; a number is its text.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`, or a field to leave out.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// The number's own text.
    Number(Box<str>),
    /// A string.
    Text(Box<str>),
    /// An array.
    List(Vec<Json>),
    /// An object, in the order of its fields.
    Object(Vec<(Cow<'static, str>, Json)>),
}

impl Json {
    /// An object of the fields that have a value, for services that leave out what is unset.
    pub fn object<const N: usize>(fields: [(&'static str, Json); N]) -> Self {
        let fields = fields.into_iter().filter(|(_, value)| *value != Json::Null);
        Self::Object(
            fields
                .map(|(name, value)| (Cow::Borrowed(name), value))
                .collect(),
        )
    }

    /// An object of all the fields, for services that name what is unset with `null`.
    pub fn whole<const N: usize>(fields: [(&'static str, Json); N]) -> Self {
        let fields = fields.map(|(name, value)| (Cow::Borrowed(name), value));
        Self::Object(fields.into())
    }

    /// Reads a document.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        convert(serde_json::from_str(text)?)
    }

    /// Carries a value of serde's over (control calls); amounts are better sent as strings there.
    pub fn of(value: &serde_json::Value) -> Self {
        Self::parse(&value.to_string()).unwrap_or(Self::Null)
    }

    /// A field of an object, `None` also where it is `null`.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(fields) => fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| value),
            _ => None,
        }
        .filter(|value| **value != Self::Null)
    }

    /// A field of a field …, by a dotted path.
    pub fn at(&self, path: &str) -> Option<&Json> {
        path.split('.')
            .try_fold(self, |value, name| value.get(name))
    }

    /// The text of the field at a dotted path.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.at(path)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number at a dotted path.
    pub fn number(&self, path: &str) -> Option<Decimal> {
        self.at(path)?.as_decimal()
    }

    /// The flag at a dotted path.
    pub fn flag(&self, path: &str) -> Option<bool> {
        match self.at(path)? {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The date at a dotted path.
    pub fn day(&self, path: &str) -> Option<Date> {
        self.text(path)?.parse().ok()
    }

    /// The entries of the array at a dotted path; none where there is no array.
    pub fn list(&self, path: &str) -> &[Json] {
        match self.at(path) {
            Some(Self::List(entries)) => entries,
            _ => &[],
        }
    }

    /// The value as an exact number.
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Number(text) => text
                .parse()
                .ok()
                .or_else(|| Decimal::from_scientific(text).ok()),
            _ => None,
        }
    }

    /// Sets a field of an object, or takes it away with `Null`.
    pub fn set(&mut self, name: &'static str, value: Json) {
        let Self::Object(fields) = self else { return };
        fields.retain(|(field, _)| field != name);
        if value != Json::Null {
            fields.push((Cow::Borrowed(name), value));
        }
    }

    /// Puts a value in the place of a field's, `null` too; a new field comes last.
    pub fn put(&mut self, name: &str, value: Json) {
        let Self::Object(fields) = self else { return };
        match fields.iter_mut().find(|(field, _)| field == name) {
            Some((_, place)) => *place = value,
            None => fields.push((Cow::Owned(name.to_owned()), value)),
        }
    }

    /// Takes a field away and gives what it held.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        let Self::Object(fields) = self else {
            return None;
        };
        let place = fields.iter().position(|(field, _)| field == name)?;
        Some(fields.remove(place).1)
    }

    /// Lays a partial object over this one: objects merge, anything else replaces, `null` removes.
    pub fn merge(&mut self, change: &Json) {
        let (Self::Object(fields), Self::Object(changes)) = (&mut *self, change) else {
            *self = change.clone();
            return;
        };
        for (name, value) in changes {
            let place = fields.iter().position(|(field, _)| field == name);
            match (place, value) {
                (Some(place), Self::Null) => drop(fields.remove(place)),
                (None, Self::Null) => {}
                (Some(place), value) => fields[place].1.merge(value),
                (None, value) => fields.push((name.clone(), value.clone())),
            }
        }
    }

    /// Writes the value, minified.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => quote(text, out),
            Self::List(entries) => {
                out.push('[');
                for (index, entry) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    entry.write(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    quote(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The minified text.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// As a value of serde's, for the control panel: numbers become strings, so that none turns binary.
    pub fn to_panel(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(flag) => (*flag).into(),
            Self::Number(text) | Self::Text(text) => text.to_string().into(),
            Self::List(entries) => entries.iter().map(Self::to_panel).collect(),
            Self::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.to_panel()));
                serde_json::Value::Object(fields.collect())
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string always has a JSON form"));
}

fn convert(raw: &RawValue) -> Result<Json, serde_json::Error> {
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            let fields = fields
                .into_iter()
                .map(|(name, value)| Ok((name.into(), convert(value)?)));
            Json::Object(fields.collect::<Result<_, serde_json::Error>>()?)
        }
        Some(b'[') => {
            let entries: Vec<&RawValue> = serde_json::from_str(text)?;
            Json::List(entries.into_iter().map(convert).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Json::Text(serde_json::from_str::<String>(text)?.into()),
        Some(b't') => Json::Bool(true),
        Some(b'f') => Json::Bool(false),
        Some(b'n') | None => Json::Null,
        Some(_) => Json::Number(text.into()),
    })
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Json {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<u32> for Json {
    fn from(number: u32) -> Self {
        Self::Number(number.to_string().into())
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Number(number.to_string().into())
    }
}

impl From<Decimal> for Json {
    fn from(number: Decimal) -> Self {
        Self::Number(number.to_string().into())
    }
}

impl From<Date> for Json {
    fn from(day: Date) -> Self {
        Self::Text(day.to_string().into())
    }
}

impl From<Vec<Json>> for Json {
    fn from(entries: Vec<Json>) -> Self {
        Self::List(entries)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text() {
        let text = r#"{"a":[1.10,-0.01,123456789012345678.90],"b":"x\"y","c":null,"d":true}"#;
        assert_eq!(Json::parse(text).unwrap().to_text(), text);
        assert_eq!(
            Json::parse("1E2").unwrap().as_decimal(),
            Some(Decimal::from(100))
        );
        assert!(Json::parse("{\"a\":}").is_err());
    }

    #[test]
    fn merging_keeps_what_is_not_named_and_removes_what_is_null() {
        let mut vendor = Json::parse(r#"{"a":{"x":1,"y":2},"b":3,"c":4}"#).unwrap();
        vendor.merge(&Json::parse(r#"{"a":{"y":5},"b":null}"#).unwrap());
        assert_eq!(vendor.to_text(), r#"{"a":{"x":1,"y":5},"c":4}"#);
    }
}
