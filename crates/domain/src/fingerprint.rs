//! Content fingerprints: documents are compared by content, not by clock (ground rule 5).

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hexadecimal;

/// The SHA-256 of a document's canonical, versioned form, as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

/// Changes whenever the canonical form does, so that old fingerprints never equal new ones by accident.
const VERSION: &[u8] = b"tieout-fingerprint-1\n";

impl Fingerprint {
    /// Of anything that serialises: object keys sorted, no white space.
    ///
    /// # Panics
    /// Never for the types of this crate: they serialise to JSON by construction.
    #[must_use]
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        // `serde_json::Value` keeps object keys in a sorted map, which makes the text canonical.
        let value = serde_json::to_value(value).expect("domain types serialise to JSON");
        let mut hash = Sha256::new();
        hash.update(VERSION);
        hash.update(value.to_string());
        Self(hexadecimal(&hash.finalize()))
    }

    /// The hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A fingerprint read back from the store.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The SHA-256 of rows that were read, one after the other: each as its canonical JSON and a line's end, so
/// that anybody can make it again from a file of them.
#[derive(Debug, Clone, Default)]
pub struct RowsHash(Sha256);

impl RowsHash {
    /// Takes a row in.
    ///
    /// # Panics
    /// Never for the types of this crate: they serialise to JSON by construction.
    pub fn add<T: Serialize + ?Sized>(&mut self, row: &T) {
        let value = serde_json::to_value(row).expect("domain types serialise to JSON");
        self.0.update(value.to_string());
        self.0.update("\n");
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn digits(self) -> String {
        hexadecimal(&self.0.finalize())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.12}", self.0)
    }
}
