//! Identifiers. All are checked text; none is interpreted beyond that.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Kind, Side};

/// Why a text can't be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` can't be {what}: {rule}")]
pub struct IdError {
    /// What it was to be.
    pub what: &'static str,
    /// The text.
    pub text: String,
    /// What is allowed.
    pub rule: &'static str,
}

/// The identifier that a remote system gave to one of its records. Opaque and case-sensitive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RemoteId(String);

impl RemoteId {
    /// Wraps the remote system's own text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for RemoteId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for RemoteId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The name of a system: `netsuite`, `bill`. Which names exist is the registry's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SystemId(&'static str);

impl SystemId {
    /// A system's name, stated once by the system itself.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// The name a person gave to a connection: letters, digits, `-` and `_`, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionName(String);

impl ConnectionName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConnectionName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError {
                what: "the name of a connection",
                text: text.to_owned(),
                rule: "use 1 to 64 letters, digits, `-` and `_`",
            })
        }
    }
}

impl TryFrom<String> for ConnectionName {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ConnectionName> for String {
    fn from(name: ConnectionName) -> Self {
        name.0
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An idempotency key: one economic event has one, derived from the far side's own identifiers and never
/// random (ground rule 4), so that a lost memory still can't make a second bill.
///
/// Letters, digits, `_` and `-` only: what a NetSuite external id takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// Joins the parts with `_`; characters that an external id can't hold become `-`.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for part in parts {
            if !text.is_empty() {
                text.push('_');
            }
            text.extend(part.chars().map(|c| {
                if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                    c
                } else {
                    '-'
                }
            }));
        }
        Self(text)
    }

    /// The same event's key with a suffix: `…_rev` is the reversal.
    #[must_use]
    pub fn with(&self, suffix: &str) -> Self {
        Self::of([self.as_str(), suffix])
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// tieout's mark on a platform's copy of a ledger document: `ns:<account>:<id>`. It lets links be rebuilt
/// when the memory was lost (scenario 226).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Marker {
    /// The ledger's account id, as its owner writes it: `1234567_SB1`.
    pub account: String,
    /// The document's id in the ledger.
    pub id: RemoteId,
}

impl Marker {
    /// Finds the first marker in a text that people may have added to.
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        text.match_indices("ns:").find_map(|(at, _)| {
            if text[..at].chars().next_back().is_some_and(word) {
                return None;
            }
            let (account, rest) = text[at + 3..].split_once(':')?;
            let id: String = rest.chars().take_while(|c| word(*c)).collect();
            let fits = !account.is_empty() && account.chars().all(word) && !id.is_empty();
            fits.then(|| Self {
                account: account.to_owned(),
                id: RemoteId(id),
            })
        })
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ns:{}:{}", self.account, self.id)
    }
}

impl TryFrom<String> for Marker {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::find_in(&text).ok_or(IdError {
            what: "a marker",
            text,
            rule: "a marker reads `ns:<account>:<id>`",
        })
    }
}

impl From<Marker> for String {
    fn from(marker: Marker) -> Self {
        marker.to_string()
    }
}

/// A record on one side of a connection: `ledger/bill/4711`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordRef {
    /// Which side.
    pub side: Side,
    /// What kind.
    pub kind: Kind,
    /// That side's id.
    pub id: RemoteId,
}

impl RecordRef {
    /// The record of this side, kind and id.
    pub fn new(side: Side, kind: Kind, id: impl Into<RemoteId>) -> Self {
        Self {
            side,
            kind,
            id: id.into(),
        }
    }
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.side.as_str(), self.kind, self.id)
    }
}

impl FromStr for RecordRef {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut parts = text.splitn(3, '/');
        let parsed = (|| {
            let side = parts.next()?.parse().ok()?;
            let kind = parts.next()?.parse().ok()?;
            let id = parts.next().filter(|id| !id.is_empty())?;
            Some(Self::new(side, kind, id))
        })();
        parsed.ok_or_else(|| IdError {
            what: "a record",
            text: text.to_owned(),
            rule: "a record reads `ledger/bill/4711`: side, kind, id",
        })
    }
}

impl TryFrom<String> for RecordRef {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<RecordRef> for String {
    fn from(record: RecordRef) -> Self {
        record.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_among_other_words() {
        let marker =
            Marker::find_in("Office chairs (ns:1234567_SB1:4711), second delivery").unwrap();
        assert_eq!(
            (marker.account.as_str(), marker.id.as_str()),
            ("1234567_SB1", "4711")
        );
        assert_eq!(Marker::find_in(&marker.to_string()), Some(marker));
        for text in ["", "ns:", "ns::1", "ns:1:", "trans:1:2", "see ns:a b:2"] {
            assert_eq!(Marker::find_in(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_holds_only_what_an_external_id_takes() {
        assert_eq!(
            Key::of(["bill", "008:x", "stp 1"]).with("rev").as_str(),
            "bill_008-x_stp-1_rev"
        );
    }
}
