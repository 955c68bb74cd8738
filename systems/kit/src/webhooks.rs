//! How a system tells of changes without being asked: a capability that it has or hasn't.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{Fault, Timestamp};

use crate::{ConnectError, Credential, Kit};

/// The keys that notifications of one subscription are signed with. A service makes a new one on demand, and what was
/// sent before that still comes with the old one.
#[derive(Debug, Clone)]
pub struct SecurityKeys {
    /// The key in use.
    pub current: SecretString,
    /// The one before it, while its notifications may still come.
    pub previous: Option<SecretString>,
}

/// How a system tells of changes.
#[derive(Clone, Copy)]
pub enum Webhooks {
    /// By notifications that it signs, once there is a subscription.
    Signed(Signed),
    /// By notifications that it signs, once a person has entered our address in its own pages.
    ByHand(ByHand),
    /// By calls to a path that only it knows (scenario 242), and signed where a key was made for it.
    SecretPath,
}

/// The header with the signature of a call to a secret path, where it is signed: HMAC-SHA256 of the body, hexadecimal.
pub const PUSH_SIGNATURE_HEADER: &str = "x-tieout-signature";

/// Takes the hint of a notification from its signature, if it has one, and its body.
pub type Receive = fn(&SecurityKeys, Option<&[u8]>, &[u8]) -> Result<Hint, Rejected>;

/// Makes what keeps the subscriptions of a side from its table, its credential, and the seams.
pub type Subscribe =
    fn(&Map<String, Value>, Credential, Kit) -> Result<Arc<dyn Subscriptions>, ConnectError>;

/// Signed notifications.
#[derive(Clone, Copy)]
pub struct Signed {
    /// The header with the signature.
    pub header: &'static str,
    /// Takes the hint of a notification, once it is proven to come from the service. What is read before the proof is
    /// the signature alone, and the comparison takes the same time whatever it is.
    pub receive: Receive,
    /// Makes what keeps subscriptions. Sends nothing yet.
    pub subscriptions: Subscribe,
}

/// Signed notifications that no call subscribes to: a person enters the address, and the key is a part of the
/// credential.
#[derive(Clone, Copy)]
pub struct ByHand {
    /// The header with the signature.
    pub header: &'static str,
    /// As [`Signed::receive`].
    pub receive: Receive,
    /// The key that notifications are signed with, where the credential holds it.
    pub key: fn(&Credential) -> Option<SecretString>,
    /// Where a person enters the address: the path through the service's own menus.
    pub menu: &'static str,
    /// Makes what tells past events. Sends nothing yet.
    pub past: Recall,
}

/// Makes what tells the past events of a side from its table, its credential, and the seams.
pub type Recall =
    fn(&Map<String, Value>, Credential, Kit) -> Result<Arc<dyn History>, ConnectError>;

/// Tells past events: what should have been notified of can be held against what was.
#[async_trait]
pub trait History: Send + Sync {
    /// The ids of the events since a moment.
    ///
    /// # Errors
    /// A [`Fault`].
    async fn events_since(&self, since: Timestamp) -> Result<Vec<String>, Fault>;
}

/// A subscription as the service shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id over there.
    pub id: String,
    /// Where it sends to.
    pub url: String,
    /// Whether it sends at all: a service switches off what nobody answers.
    pub enabled: bool,
}

/// Keeps subscriptions at a service.
#[async_trait]
pub trait Subscriptions: Send + Sync {
    /// Makes one for everything that this program wants to hear of, and gives its id and its key. The key is shown
    /// this once.
    ///
    /// # Errors
    /// A [`Fault`]; as of every call here.
    async fn subscribe(&self, url: &str) -> Result<(String, SecretString), Fault>;

    /// All of the account, others' too.
    ///
    /// # Errors
    /// A [`Fault`].
    async fn list(&self) -> Result<Vec<Subscription>, Fault>;

    /// Switches one on again.
    ///
    /// # Errors
    /// A [`Fault`].
    async fn enable(&self, id: &str) -> Result<(), Fault>;

    /// Has a new key made, and gives it. It is shown this once, and what is sent from now on is signed with it.
    ///
    /// # Errors
    /// A [`Fault`].
    async fn renew_key(&self, id: &str) -> Result<SecretString, Fault>;

    /// Has a test event sent, and gives the status that our endpoint answered with; 0 if it didn't. `None` from a
    /// service that sends none.
    ///
    /// # Errors
    /// A [`Fault`].
    async fn test(&self, id: &str) -> Result<Option<u16>, Fault>;

    /// The ids of the events that were to be sent since a moment, delivered or not.
    ///
    /// # Errors
    /// A [`Fault`].
    async fn events_since(&self, id: &str, since: Timestamp) -> Result<Vec<String>, Fault>;

    /// Removes one.
    ///
    /// # Errors
    /// A [`Fault`].
    async fn unsubscribe(&self, id: &str) -> Result<(), Fault>;
}

/// Whether two secrets are the same, told in a time that depends on their lengths alone.
#[must_use]
pub fn same_secret(ours: &SecretString, given: &str) -> bool {
    let ours = ours.expose_secret().as_bytes();
    aws_lc_rs::constant_time::verify_slices_are_equal(ours, given.as_bytes()).is_ok()
}

/// Whether one of the keys made this signature: HMAC-SHA256 of the body, hexadecimal. Every key is tried, so that the
/// time tells nothing.
#[must_use]
pub fn is_signed(keys: &SecurityKeys, signature: &[u8], body: &[u8]) -> bool {
    let Some(signature) = hexadecimal(signature.trim_ascii()) else {
        return false;
    };
    [Some(&keys.current), keys.previous.as_ref()]
        .into_iter()
        .flatten()
        .fold(false, |signed, key| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
            signed | hmac::verify(&key, body, &signature).is_ok()
        })
}

fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    text.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const SIGNED: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const BODY: &[u8] = b"what do ya want for nothing?";

    fn keys(current: &str, previous: Option<&str>) -> SecurityKeys {
        SecurityKeys {
            current: current.to_owned().into(),
            previous: previous.map(|key| key.to_owned().into()),
        }
    }

    #[test]
    fn a_signature_of_the_key_in_use_or_of_the_one_before_it_is_good() {
        for (keys, good) in [
            (keys("Jefe", None), true),
            (keys("another", Some("Jefe")), true),
            (keys("another", None), false),
        ] {
            assert_eq!(is_signed(&keys, SIGNED.as_bytes(), BODY), good);
        }
        let keys = keys("Jefe", None);
        assert!(is_signed(&keys, SIGNED.to_uppercase().as_bytes(), BODY));
        for signature in ["", "5b", &SIGNED[..63], &SIGNED[..62], "zz"] {
            assert!(!is_signed(&keys, signature.as_bytes(), BODY), "{signature}");
        }
        assert!(!is_signed(&keys, SIGNED.as_bytes(), b"another"));
    }
}
