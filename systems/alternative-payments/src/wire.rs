//! What JSON of the service's has in common, read leniently: what isn't set is null or absent, an id may be a number.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tieout_domain::{Currency, Fault, RemoteId, Timestamp};

use crate::call::drift;

/// What every record has.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Head {
    #[serde(deserialize_with = "id")]
    pub(crate) id: RemoteId,
    #[serde(default, deserialize_with = "moment")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub(crate) updated_at: Option<Timestamp>,
}

impl Head {
    /// The day on which it was made. The service has no time zone: its times are UTC (README §Connecting).
    ///
    /// # Errors
    /// The field that is missing.
    pub(crate) fn day(&self) -> Result<Date, String> {
        let created = self.created_at.ok_or("`created_at` is missing")?;
        Ok(utc_day(created))
    }
}

/// The day of a moment, in UTC.
pub(crate) fn utc_day(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

/// A text: null and absent are empty, a number is its digits.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(String::new());
    };
    match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw.get()).map_err(D::Error::custom),
        Some(b'-' | b'0'..=b'9') => Ok(raw.get().to_owned()),
        _ => Err(D::Error::custom("a text was expected")),
    }
}

/// A record's own id.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RemoteId, D::Error> {
    reference(deserializer)?.ok_or_else(|| D::Error::custom("a record without an id"))
}

/// The id of another record, or nothing.
pub(crate) fn reference<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RemoteId>, D::Error> {
    let word = text(deserializer)?;
    Ok(Some(word)
        .filter(|word| !word.trim().is_empty())
        .map(RemoteId::from))
}

/// A time in RFC 3339, or nothing.
pub(crate) fn moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let word = text(deserializer)?;
    let word = word.trim();
    if word.is_empty() {
        return Ok(None);
    }
    word.parse().map(Some).map_err(D::Error::custom)
}

/// A plain day, or nothing. A time of day after it says nothing more.
pub(crate) fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let word = text(deserializer)?;
    let word = word.trim();
    if word.is_empty() {
        return Ok(None);
    }
    let day = word.split_once('T').map_or(word, |(day, _)| day);
    day.parse().map(Some).map_err(D::Error::custom)
}

/// A list: null and absent are empty.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// All of these records, of what is looked at of them.
///
/// # Errors
/// `Drift` where one of them can't be read.
pub(crate) fn parsed<T: DeserializeOwned>(
    noun: &str,
    raws: &[Box<RawValue>],
) -> Result<Vec<T>, Fault> {
    let read = raws.iter().map(|raw| serde_json::from_str(raw.get()));
    read.collect::<Result<_, _>>().map_err(|error| {
        drift(format!(
            "Alternative Payments: a {noun} can't be read: {error}"
        ))
    })
}

/// A currency by its code; US dollars where none is told: nothing else was ever seen (README §Connecting).
///
/// # Errors
/// What is wrong with it.
pub(crate) fn currency(code: &str) -> Result<Currency, String> {
    match code.trim() {
        "" => Ok(Currency::USD),
        code => code
            .parse()
            .map_err(|_| format!("`currency` is `{code}`, which is none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_whatever_is_missing() {
        let head = |json: &str| serde_json::from_str::<Head>(json);
        let whole =
            head(r#"{"id":"inv_1","created_at":"2026-06-30T23:30:00Z","updated_at":null,"x":1}"#)
                .unwrap();
        assert_eq!(whole.day().unwrap().to_string(), "2026-06-30");
        assert_eq!(whole.updated_at, None);
        assert_eq!(head(r#"{"id":7}"#).unwrap().id.as_str(), "7");
        assert!(head(r#"{"id":7}"#).unwrap().day().is_err());
        for broken in [
            "{}",
            r#"{"id":""}"#,
            r#"{"id":null}"#,
            r#"{"id":{}}"#,
            r#"{"id":1,"created_at":"x"}"#,
        ] {
            assert!(head(broken).is_err(), "{broken}");
        }
        assert_eq!(currency(""), Ok(Currency::USD));
        assert!(currency("dollars").is_err());
    }
}
