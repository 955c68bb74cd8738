//! What goes over the wire: exact amounts (JSON numbers are read from their own text and written digit by digit, never
//! through a binary float), and values in addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use tieout_domain::Amount;

/// Everything but what needs no escape in a query's value.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Escapes a value for a query or a path.
#[must_use]
pub fn escaped(value: &str) -> String {
    utf8_percent_encode(value, VALUE).to_string()
}

/// An amount as JSON number. Reads numbers and quoted numbers (`100.10`, `"100.10"`, `1e2`) exactly and
/// refuses what can't be held exactly; writes a number.
///
/// Limits of the library: it can't be used under `#[serde(flatten)]`, in internally tagged enums, nor with
/// `serde_json::to_value` and `from_value`. Wire structs stay flat and are read from text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Exact(pub Amount);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get().trim();
        let text = text
            .strip_prefix('"')
            .and_then(|t| t.strip_suffix('"'))
            .unwrap_or(text);
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl From<Amount> for Exact {
    fn from(amount: Amount) -> Self {
        Self(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_pass_exactly_both_ways() {
        for (json, text) in [
            ("100.10", "100.1"),
            ("\"100.10\"", "100.1"),
            ("1e2", "100"),
            ("1234567890123456.78", "1234567890123456.78"),
            ("-0.01", "-0.01"),
        ] {
            let exact: Exact = serde_json::from_str(json).unwrap();
            assert_eq!(exact.0.to_string(), text);
            assert_eq!(serde_json::to_string(&exact).unwrap(), text);
        }
        for json in ["true", "null", "\"ten\"", "{}", "1e400"] {
            assert!(serde_json::from_str::<Exact>(json).is_err(), "{json}");
        }
    }
}
