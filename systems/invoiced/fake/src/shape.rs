//! What a request may carry: fields are taken by name, read as what they are, and anything else is left alone.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::json::Json;
use crate::money::is_sane;
use crate::problem::Problem;
use crate::query;
use crate::table::plain;

/// Keys of metadata per object.
const METADATA_KEYS: usize = 10;
/// Characters of a key of metadata.
const METADATA_KEY: usize = 40;
/// Characters of a value of metadata.
const METADATA_VALUE: usize = 255;

/// How a field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Text,
    /// A currency code, kept in lower case.
    Currency,
    Number,
    Flag,
    /// Seconds since 1970.
    Time,
    /// An identifier that is a whole number.
    Id,
    List,
    Map,
    Metadata,
}

/// A field that a request may carry.
pub(crate) type Field = (&'static str, Rule);

/// The fields of a body that are known, in the order of `fields`; `null` is kept, for it takes a value away. An
/// empty text is `null`.
pub(crate) fn take(fields: &[Field], body: &Json) -> Result<Vec<(&'static str, Json)>, Problem> {
    let Json::Object(given) = body else {
        return Err(Problem::request("The request body is not an object"));
    };
    let mut taken = Vec::new();
    for (name, rule) in fields {
        let Some((_, value)) = given.iter().find(|(field, _)| field == name) else {
            continue;
        };
        let value = match value {
            Json::Null => Json::Null,
            Json::Text(text) if text.is_empty() => Json::Null,
            value => read(*rule, value)
                .ok_or_else(|| Problem::param(*name, format!("{name} is not valid")))?,
        };
        if *rule == Rule::Metadata {
            check_metadata(&value)?;
        }
        taken.push((*name, value));
    }
    Ok(taken)
}

fn read(rule: Rule, value: &Json) -> Option<Json> {
    match rule {
        Rule::Text => plain(value).map(Json::from),
        Rule::Currency => {
            let code = plain(value)?.to_ascii_lowercase();
            (code.len() == 3).then(|| code.into())
        }
        Rule::Number => decimal(value).map(|number| Json::from(number.normalize())),
        Rule::Flag => match value {
            Json::Bool(_) => Some(value.clone()),
            value => query::flag(plain(value)?).map(Json::from),
        },
        Rule::Time => {
            let seconds = plain(value)?.parse().ok()?;
            Timestamp::from_second(seconds)
                .is_ok()
                .then(|| seconds.into())
        }
        Rule::Id => plain(value)?.parse::<i64>().ok().map(Json::from),
        Rule::List => matches!(value, Json::List(_)).then(|| value.clone()),
        Rule::Map => matches!(value, Json::Object(_)).then(|| value.clone()),
        Rule::Metadata => match value {
            Json::Object(_) => Some(value.clone()),
            // An empty object may be written as an empty list.
            Json::List(entries) if entries.is_empty() => Some(Json::Object(Vec::new())),
            _ => None,
        },
    }
}

/// A number, also one that came as text (forms know no others).
pub(crate) fn decimal(value: &Json) -> Option<Decimal> {
    let number = match value {
        Json::Text(text) => text.trim().parse().ok(),
        value => value.as_decimal(),
    };
    number.filter(|number| is_sane(*number))
}

/// An identifier, also one that came as text.
pub(crate) fn id(fields: &Json, name: &str) -> Option<i64> {
    plain(fields.get(name)?)?.parse().ok()
}

fn check_metadata(value: &Json) -> Result<(), Problem> {
    let Json::Object(entries) = value else {
        return Ok(());
    };
    if entries.len() > METADATA_KEYS {
        let message = format!("metadata has more than {METADATA_KEYS} keys");
        return Err(Problem::param("metadata", message));
    }
    for (key, value) in entries {
        if key.chars().count() > METADATA_KEY {
            let message = format!("metadata key is longer than {METADATA_KEY} characters: {key}");
            return Err(Problem::param("metadata", message));
        }
        let text = match value {
            Json::Null | Json::Bool(_) => "",
            value => plain(value).ok_or_else(|| {
                Problem::param("metadata", format!("metadata value is not a text: {key}"))
            })?,
        };
        if text.chars().count() > METADATA_VALUE {
            let message =
                format!("metadata value is longer than {METADATA_VALUE} characters: {key}");
            return Err(Problem::param("metadata", message));
        }
    }
    Ok(())
}

/// Lays what was taken over an object.
pub(crate) fn lay(over: &mut Json, taken: Vec<(&'static str, Json)>) {
    for (name, value) in taken {
        let value = match value {
            Json::Null if name == "metadata" => Json::Object(Vec::new()),
            value => value,
        };
        over.put(name, value);
    }
}
