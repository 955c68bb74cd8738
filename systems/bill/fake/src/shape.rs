//! What a request's body may hold: fields, types, lengths, members (README, the tables of fields).

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::json::Json;
use crate::problem::{Entry, Problem};

/// What a field accepts.
pub(crate) enum Rule {
    /// Text of at most so many characters.
    Text(usize),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A number.
    Number,
    /// `yyyy-MM-dd`.
    Day,
    /// An object of these fields.
    Part(&'static [Field]),
    /// An array of such objects.
    Parts(&'static [Field]),
    /// Anything, kept as it is.
    Any,
}

/// A field that may be written. Fields that are not named are read-only or unknown, and ignored.
pub(crate) struct Field {
    name: &'static str,
    rule: Rule,
    required: bool,
}

/// A field that must be there at create.
pub(crate) const fn need(name: &'static str, rule: Rule) -> Field {
    Field {
        name,
        rule,
        required: true,
    }
}

/// A field that may be left out.
pub(crate) const fn may(name: &'static str, rule: Rule) -> Field {
    Field {
        name,
        rule,
        required: false,
    }
}

/// Takes the writable fields out of a body. With `partial`, nothing is required and an explicit `null`
/// is kept, for [`Json::merge`].
pub(crate) fn pick(fields: &'static [Field], body: &Json, partial: bool) -> Result<Json, Problem> {
    let Json::Object(_) = body else {
        return Err(Problem::new(
            400,
            "BDC_1122",
            "JSON parse error: an object is expected",
        ));
    };
    let mut faults = Vec::new();
    let picked = part(fields, body, "", partial, &mut faults);
    if faults.is_empty() {
        Ok(picked)
    } else {
        Err(Problem::invalid(faults))
    }
}

fn part(
    fields: &'static [Field],
    body: &Json,
    path: &str,
    partial: bool,
    faults: &mut Vec<Entry>,
) -> Json {
    let Json::Object(given) = body else {
        faults.push(wrong_type(path));
        return Json::Null;
    };
    let mut picked = Vec::new();
    for field in fields {
        let place = if path.is_empty() {
            Cow::Borrowed(field.name)
        } else {
            Cow::Owned(format!("{path}.{}", field.name))
        };
        let value = given
            .iter()
            .find(|(name, _)| name == field.name)
            .map(|(_, value)| value);
        match value {
            None | Some(Json::Null) if field.required && !partial => {
                faults.push(plain(format!("{place}: must not be null")));
            }
            Some(Json::Null) if partial => picked.push((Cow::Borrowed(field.name), Json::Null)),
            None | Some(Json::Null) => {}
            Some(Json::Text(text)) if field.required && text.trim().is_empty() => {
                faults.push(plain(format!("{place}: must not be blank")));
            }
            Some(value) => {
                let value = accept(field, value, &place, partial, faults);
                picked.push((Cow::Borrowed(field.name), value));
            }
        }
    }
    Json::Object(picked)
}

fn accept(
    field: &'static Field,
    value: &Json,
    place: &str,
    partial: bool,
    faults: &mut Vec<Entry>,
) -> Json {
    match (&field.rule, value) {
        (Rule::Text(longest), Json::Text(text)) => {
            if text.chars().count() > *longest {
                faults.push(plain(format!(
                    "{place}: size must be between 0 and {longest}"
                )));
            }
        }
        (Rule::Choice(members), Json::Text(text)) => {
            if !members.contains(&&**text) {
                let message = format!("{place}: {text} is not one of {}", members.join(", "));
                faults.push(Entry {
                    code: Some("BDC_1119"),
                    message: message.into(),
                });
            }
        }
        (Rule::Flag, Json::Bool(_)) | (Rule::Any, _) => {}
        (Rule::Number, Json::Number(_)) if value.as_decimal().is_some_and(is_amount) => {}
        (Rule::Day, Json::Text(text)) => {
            if text.len() != 10 || text.parse::<Date>().is_err() {
                let message = format!("{place}: {text} is not a date (yyyy-MM-dd)");
                faults.push(Entry {
                    code: Some("BDC_1124"),
                    message: message.into(),
                });
            }
        }
        (Rule::Part(fields), Json::Object(_)) => {
            return part(fields, value, place, partial, faults);
        }
        (Rule::Parts(fields), Json::List(entries)) => {
            let parts = entries.iter().enumerate().map(|(index, entry)| {
                part(fields, entry, &format!("{place}[{index}]"), partial, faults)
            });
            return Json::List(parts.collect());
        }
        _ => faults.push(wrong_type(place)),
    }
    value.clone()
}

/// Whether a number is small enough that sums and products of its like are exact.
fn is_amount(number: Decimal) -> bool {
    number.abs() < Decimal::new(1_000_000_000_000, 0)
}

fn plain(message: String) -> Entry {
    Entry {
        code: None,
        message: message.into(),
    }
}

fn wrong_type(place: &str) -> Entry {
    let message = format!("{place}: wrong data type").into();
    Entry {
        code: Some("BDC_1124"),
        message,
    }
}

/// The entries of a bulk call: a bare array of one to `most` entries.
pub(crate) fn entries(body: &Json, most: usize) -> Result<&[Json], Problem> {
    match body {
        Json::List(entries) if entries.is_empty() => Err(Problem::must("must not be empty")),
        Json::List(entries) if entries.len() > most => {
            Err(Problem::must(format!("size must be between 1 and {most}")))
        }
        Json::List(entries) => Ok(entries),
        _ => Err(Problem::new(
            400,
            "BDC_1122",
            "JSON parse error: an array is expected",
        )),
    }
}
