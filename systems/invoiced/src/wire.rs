//! What JSON of Invoiced's has in common, read leniently: ids are numbers or texts, a reference may be the record
//! itself, what isn't set is null or absent, empty metadata is a list.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use tieout_domain::{Currency, Marker, RemoteId, Timestamp};

use crate::days::moment;

/// The metadata that tieout's mark is kept in (README §Metadata).
const MARKED_ID: &str = "netsuite_id";
const MARKED_ACCOUNT: &str = "netsuite_account";
/// The most keys of one object's metadata.
const KEYS_MAX: usize = 10;

/// What every record has.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Head {
    #[serde(deserialize_with = "id")]
    pub(crate) id: RemoteId,
    #[serde(default, deserialize_with = "second")]
    created_at: Option<i64>,
    #[serde(default, deserialize_with = "second")]
    pub(crate) updated_at: Option<i64>,
}

impl Head {
    pub(crate) fn created(&self) -> Option<Timestamp> {
        moment(self.created_at)
    }

    /// The time of the last change, which for a record that doesn't tell it is the time it was made.
    pub(crate) fn updated(&self) -> Option<Timestamp> {
        moment(self.updated_at.or(self.created_at))
    }
}

/// The first byte says what sort of JSON it is.
fn sort(raw: &RawValue) -> u8 {
    raw.get().as_bytes().first().copied().unwrap_or_default()
}

/// A text or a number as text; nothing where it is null, false or empty.
fn word(raw: &RawValue) -> Result<Option<String>, String> {
    let word = match sort(raw) {
        b'"' => serde_json::from_str(raw.get()).map_err(|error| error.to_string())?,
        b'-' | b'0'..=b'9' => raw.get().to_owned(),
        b'n' | b'f' => return Ok(None),
        _ => return Err("a text or a number was expected".to_owned()),
    };
    Ok(Some(word).filter(|word: &String| !word.trim().is_empty()))
}

/// A record's own id.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RemoteId, D::Error> {
    reference(deserializer)?.ok_or_else(|| D::Error::custom("a record without an id"))
}

/// A reference: an id, or in its place the record, or nothing.
pub(crate) fn reference<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RemoteId>, D::Error> {
    #[derive(Deserialize)]
    struct Expanded {
        #[serde(default)]
        id: Option<Box<RawValue>>,
    }
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let of = |raw: &RawValue| word(raw).map(|word| word.map(RemoteId::from));
    if sort(&raw) != b'{' {
        return of(&raw).map_err(D::Error::custom);
    }
    let expanded: Expanded = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
    match expanded.id {
        Some(id) => of(&id).map_err(D::Error::custom),
        None => Ok(None),
    }
}

/// A text: null and absent are empty, a number is its digits.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(String::new());
    };
    Ok(word(&raw).map_err(D::Error::custom)?.unwrap_or_default())
}

/// A switch: null and absent are off, and the numbers of forms count.
pub(crate) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(false);
    };
    match raw.get() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => Err(D::Error::custom(format!(
            "`{other}` is neither true nor false"
        ))),
    }
}

/// Seconds since 1970, as a number or in quotes.
pub(crate) fn second<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let Some(word) = word(&raw).map_err(D::Error::custom)? else {
        return Ok(None);
    };
    let wrong = || D::Error::custom(format!("`{word}` is no time in seconds"));
    word.trim().parse().map(Some).map_err(|_| wrong())
}

/// A list; null for none.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(Vec::new());
    };
    serde_json::from_str(raw.get()).map_err(D::Error::custom)
}

/// A currency, where one is named: they are written in lower case.
pub(crate) fn currency(text: &str) -> Result<Option<Currency>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|error| format!("`currency`: {error}"))
}

/// The way the service writes a currency.
pub(crate) fn lower(currency: Currency) -> String {
    currency.code().to_ascii_lowercase()
}

/// A reference on its way out: the service's own ids are numbers, those of items are texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id<'a>(pub(crate) &'a RemoteId);

impl Serialize for Id<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.as_str();
        // Not a text that merely looks like a number: `007` stays as it is.
        match text.parse::<u64>() {
            Ok(number) if number.to_string() == text => serializer.serialize_u64(number),
            _ => serializer.serialize_str(text),
        }
    }
}

/// The metadata of a record: the mark, and what others keep there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metadata(BTreeMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
            return Ok(Self::default());
        };
        if sort(&raw) == b'[' {
            let items: Vec<&RawValue> =
                serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
            if items.is_empty() {
                return Ok(Self::default());
            }
            return Err(D::Error::custom(
                "`metadata` is a list with something in it",
            ));
        }
        serde_json::from_str(raw.get())
            .map(Self)
            .map_err(D::Error::custom)
    }
}

impl Metadata {
    /// The mark, where both of its parts are there and can be one.
    pub(crate) fn marker(&self) -> Option<Marker> {
        let of = |name: &str| word(self.0.get(name)?).ok().flatten();
        let marker = Marker {
            account: of(MARKED_ACCOUNT)?.trim().to_owned(),
            id: of(MARKED_ID)?.trim().into(),
        };
        (Marker::find_in(&marker.to_string()).as_ref() == Some(&marker)).then_some(marker)
    }

    /// This metadata with the mark, as JSON. Everything that others keep there stays: whether the service would keep
    /// what is left out isn't documented. `None` where it has no room for the mark.
    pub(crate) fn marked(&self, marker: &Marker) -> Option<Box<RawValue>> {
        let mut all: BTreeMap<&str, Box<RawValue>> = self
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        for (name, value) in [
            (MARKED_ID, marker.id.as_str()),
            (MARKED_ACCOUNT, &marker.account),
        ] {
            all.insert(name, serde_json::value::to_raw_value(value).ok()?);
        }
        if all.len() > KEYS_MAX {
            return None;
        }
        serde_json::value::to_raw_value(&all).ok()
    }

    /// The filter of a list for records that bear this mark.
    pub(crate) fn filter(marker: &Marker) -> String {
        use crate::call::escaped;
        format!(
            "metadata%5B{MARKED_ID}%5D={}&metadata%5B{MARKED_ACCOUNT}%5D={}",
            escaped(marker.id.as_str()),
            escaped(&marker.account)
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Anything {
        #[serde(default, deserialize_with = "reference")]
        customer: Option<RemoteId>,
        #[serde(default, deserialize_with = "text")]
        name: String,
        #[serde(default, deserialize_with = "switch")]
        paid: bool,
        #[serde(default, deserialize_with = "second")]
        date: Option<i64>,
        #[serde(default)]
        metadata: Metadata,
    }

    fn read(json: &str) -> Result<Anything, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_reference_is_an_id_or_the_record_itself() {
        for (json, wanted) in [
            (r#"{"customer":15444}"#, Some("15444")),
            (r#"{"customer":"delivery"}"#, Some("delivery")),
            (r#"{"customer":{"id":15444,"metadata":[]}}"#, Some("15444")),
            (r#"{"customer":null}"#, None),
            (r#"{"customer":""}"#, None),
            (r#"{"customer":{}}"#, None),
            ("{}", None),
        ] {
            assert_eq!(
                read(json).unwrap().customer,
                wanted.map(RemoteId::from),
                "{json}"
            );
        }
        assert!(read(r#"{"customer":[1]}"#).is_err());
        let head: Head =
            serde_json::from_str(r#"{"id":7,"created_at":-5,"updated_at":null}"#).unwrap();
        assert_eq!(head.updated(), Some(Timestamp::UNIX_EPOCH));
        assert!(serde_json::from_str::<Head>(r#"{"id":null}"#).is_err());
    }

    #[test]
    fn wrong_types_are_told_with_their_place() {
        for json in [
            r#"{"name":{"a":1}}"#,
            r#"{"paid":"perhaps"}"#,
            r#"{"date":"2026-06-12"}"#,
            r#"{"metadata":["x"]}"#,
            r#"{"metadata":7}"#,
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains("line 1 column"), "{json}: {error}");
        }
        let fine =
            read(r#"{"name":null,"paid":1,"date":"1415229884","metadata":[],"more":{}}"#).unwrap();
        assert!(fine.paid && fine.name.is_empty() && fine.metadata.marker().is_none());
        assert_eq!(fine.date, Some(1_415_229_884));
    }

    #[test]
    fn the_mark_is_kept_beside_the_keys_of_others() {
        let marker = Marker::find_in("ns:1234567_SB1:4711").unwrap();
        let of = |json: &str| serde_json::from_str::<Metadata>(json).unwrap();
        let there = of(r#"{"po":"A-7","amount":12.50,"netsuite_id":4}"#);
        let text = there.marked(&marker).unwrap().get().to_owned();
        assert_eq!(
            text,
            r#"{"amount":12.50,"netsuite_account":"1234567_SB1","netsuite_id":"4711","po":"A-7"}"#
        );
        assert_eq!(of(&text).marker(), Some(marker.clone()));
        // A number is as good as a text, half a mark is none, and neither is one that can't be written.
        assert!(
            of(r#"{"netsuite_id":4711,"netsuite_account":1234567}"#)
                .marker()
                .is_some()
        );
        assert!(of(r#"{"netsuite_id":"4711"}"#).marker().is_none());
        assert!(
            of(r#"{"netsuite_id":"4 7","netsuite_account":"1"}"#)
                .marker()
                .is_none()
        );
        let full: Vec<String> = (0..9).map(|nth| format!("\"k{nth}\":1")).collect();
        assert!(
            of(&format!("{{{}}}", full.join(",")))
                .marked(&marker)
                .is_none()
        );
        assert!(
            of(&format!("{{{}}}", full[..8].join(",")))
                .marked(&marker)
                .is_some()
        );
        assert_eq!(
            Metadata::filter(&marker),
            "metadata%5Bnetsuite_id%5D=4711&metadata%5Bnetsuite_account%5D=1234567_SB1"
        );
    }

    proptest! {
        #[test]
        fn an_id_comes_back_as_it_was(text in "[0-9]{1,24}|[a-z-]{1,9}") {
            let id = RemoteId::from(text.as_str());
            let json = format!("{{\"customer\":{}}}", serde_json::to_string(&Id(&id)).unwrap());
            prop_assert_eq!(read(&json).unwrap().customer, Some(id));
        }
    }
}
