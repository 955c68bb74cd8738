//! The keys that a script of the ledger signs its pushes with. What is kept of them is sealed.

use jiff::SignedDuration;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tieout_domain::Timestamp;
use tieout_kit::webhooks::{SecurityKeys, is_signed};

/// How long the key before the one in use stays good: time enough for whoever keeps the secrets over there.
const OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The key in use, and the one before it for a while.
#[derive(Clone, Serialize, Deserialize)]
pub struct PushKeys {
    current: String,
    previous: Option<Previous>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Previous {
    key: String,
    until: Timestamp,
}

impl PushKeys {
    /// A new key in the place of those before it.
    #[must_use]
    pub fn after(before: Option<Self>, key: String, now: Timestamp) -> Self {
        let until = now.checked_add(OVERLAP).unwrap_or(now);
        Self {
            current: key,
            previous: before.map(|before| Previous {
                key: before.current,
                until,
            }),
        }
    }

    /// Whether a push is signed with a key that is good now. The comparison takes the same time whatever is given.
    #[must_use]
    pub fn signed(&self, signature: &[u8], body: &[u8], now: Timestamp) -> bool {
        let previous = self.previous.as_ref().filter(|key| now < key.until);
        let keys = SecurityKeys {
            current: self.current.clone().into(),
            previous: previous.map(|previous| SecretString::from(previous.key.clone())),
        };
        is_signed(&keys, signature, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"what do ya want for nothing?";
    /// RFC 4231, test case 2, with the key `Jefe`.
    const SIGNED: &[u8] = b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_key_before_is_good_for_a_week() {
        let made = at("2026-07-01T00:00:00Z");
        let first = PushKeys::after(None, "Jefe".to_owned(), made);
        assert!(first.signed(SIGNED, BODY, made));
        assert!(!first.signed(b"", BODY, made));
        let second = PushKeys::after(Some(first), "another".to_owned(), made);
        assert!(second.signed(SIGNED, BODY, at("2026-07-07T23:59:59Z")));
        assert!(!second.signed(SIGNED, BODY, at("2026-07-08T00:00:00Z")));
        let third = PushKeys::after(Some(second), "third".to_owned(), made);
        assert!(
            !third.signed(SIGNED, BODY, made),
            "only the last one before"
        );
    }
}
