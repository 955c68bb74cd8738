//! Notifications: first proof that one comes from the service, then the hint in it (README §Notifications).
//!
//! Nothing is signed: the secret that was given comes back with each delivery. So a notification says that something has
//! changed, and nothing else that is believed. Its body isn't documented: whatever it is, something has happened.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
pub use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{Kind, RemoteId, Timestamp};
pub use tieout_kit::webhooks::SecurityKeys;
use tieout_kit::webhooks::same_secret;

use crate::wire::{moment, reference, text};

/// The header that holds the proof.
pub const PROOF_HEADER: &str = "authorization";

/// A longer body is refused unread.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// An identifier or a topic longer than this isn't one.
const WORD_BYTES_MAX: usize = 128;
/// What is told of, where the body doesn't tell.
const UNTOLD: &str = "untold";

/// Takes the hint of a notification, once it is proven to come from the service.
///
/// The secret is compared in constant time, before anything of the body is read. `proof` is the value of
/// [`PROOF_HEADER`], if there is one. A body that isn't known gives a hint without an event's id.
///
/// # Errors
/// [`Rejected`]: the caller answers 413 or 401, and does nothing else.
pub fn receive(keys: &SecurityKeys, proof: Option<&[u8]>, body: &[u8]) -> Result<Hint, Rejected> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Rejected::TooLarge {
            bytes: body.len(),
            most: BODY_BYTES_MAX,
        });
    }
    let unsigned = |why| Rejected::Unsigned { why };
    let proof = proof.ok_or(unsigned("`authorization` is missing"))?;
    let given = std::str::from_utf8(proof).ok().and_then(bearer);
    let given = given.ok_or(unsigned("`authorization` holds no bearer secret"))?;
    if !is_ours(keys, given) {
        return Err(unsigned("the bearer secret is another"));
    }
    Ok(hint(body))
}

/// The secret in the header (RFC 6750 §2.1; the scheme's case doesn't count, RFC 9110 §11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, secret) = header.trim().split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

/// Whether it is one of our secrets. Every one is compared, so that the time tells nothing.
fn is_ours(keys: &SecurityKeys, given: &str) -> bool {
    let ours = [Some(&keys.current), keys.previous.as_ref()];
    let ours = ours.into_iter().flatten();
    let good = |key: &&SecretString| !key.expose_secret().is_empty();
    ours.filter(good)
        .fold(false, |found, key| found | same_secret(key, given))
}

/// A notification. All of it may be missing, or be something else.
#[derive(Default, Deserialize)]
struct Notification {
    #[serde(default, deserialize_with = "reference")]
    id: Option<RemoteId>,
    #[serde(default, deserialize_with = "text")]
    topic: String,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct Changed {
    #[serde(default, deserialize_with = "reference")]
    id: Option<RemoteId>,
}

fn hint(body: &[u8]) -> Hint {
    let told: Notification = serde_json::from_slice(body).unwrap_or_default();
    let topic = Some(told.topic).filter(|topic| is_word(topic));
    let kind = topic.as_deref().and_then(kind);
    let changed = told
        .data
        .and_then(|data| serde_json::from_str(data.get()).ok());
    let changed: Changed = changed.unwrap_or_default();
    let word = |id: &RemoteId| is_word(id.as_str());
    Hint {
        event: told
            .id
            .filter(word)
            .map_or_else(String::new, |id| id.to_string()),
        event_type: topic.unwrap_or_else(|| UNTOLD.to_owned()),
        // Nothing in a notification tells whose account it is: the secret does.
        organization: String::new(),
        id: changed.id.filter(|id| kind.is_some() && word(id)),
        kind,
        at: told.created_at,
    }
}

/// What kind of record a topic is about.
fn kind(topic: &str) -> Option<Kind> {
    match topic.split('_').next()? {
        "customer" => Some(Kind::Customer),
        "invoice" => Some(Kind::Invoice),
        "payment" if !topic.starts_with("payment_method") => Some(Kind::CustomerPayment),
        "payout" => Some(Kind::Payout),
        _ => None,
    }
}

fn is_word(text: &str) -> bool {
    (1..=WORD_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"id":"evt_1","topic":"payment_succeeded","created_at":"2026-06-12T10:40:00Z",
        "data":{"id":"pay_7"}}"#;

    fn keys(current: &str, previous: Option<&str>) -> SecurityKeys {
        SecurityKeys {
            current: current.to_owned().into(),
            previous: previous.map(|key| key.to_owned().into()),
        }
    }

    fn received(body: &str) -> Hint {
        receive(&keys("new", None), Some(b"Bearer new"), body.as_bytes()).unwrap()
    }

    #[test]
    fn a_proven_notification_is_a_hint_and_nothing_more() {
        let hint = received(BODY);
        assert_eq!(
            (hint.event.as_str(), hint.event_type.as_str()),
            ("evt_1", "payment_succeeded")
        );
        assert_eq!(
            (hint.kind, hint.id),
            (Some(Kind::CustomerPayment), Some("pay_7".into()))
        );
        assert_eq!(hint.at, "2026-06-12T10:40:00Z".parse().ok());
        let method = received(&BODY.replace("payment_succeeded", "payment_method_added"));
        assert_eq!((method.kind, method.id), (None, None));
        let payout = received(&BODY.replace("payment_succeeded", "payout_paid"));
        assert_eq!(payout.kind, Some(Kind::Payout));
    }

    #[test]
    fn whatever_the_body_is_something_has_happened() {
        for body in [
            "{}",
            "",
            "[]",
            "null",
            "<html>",
            r#"{"id":{},"topic":"a b"}"#,
        ] {
            let hint = received(body);
            assert_eq!(
                (hint.event.as_str(), hint.event_type.as_str(), hint.kind),
                ("", UNTOLD, None),
                "{body}"
            );
        }
    }

    #[test]
    fn nothing_is_taken_without_the_secret() {
        let turned_away = |keys: &SecurityKeys, proof: Option<&[u8]>| {
            let rejected = receive(keys, proof, BODY.as_bytes()).unwrap_err();
            rejected.code().as_str().to_owned()
        };
        let ours = keys("new", Some("old"));
        for proof in [
            None,
            Some(&b""[..]),
            Some(b"Bearer"),
            Some(b"Bearer "),
            Some(b"Bearer newer"),
            Some(b"Bearer ne"),
            Some(b"Basic new"),
            Some(b"new"),
            Some(&[0xff; 9]),
        ] {
            assert_eq!(turned_away(&ours, proof), "webhook-unsigned", "{proof:?}");
        }
        // No secret opens nothing.
        assert_eq!(
            turned_away(&keys("", None), Some(b"Bearer ")),
            "webhook-unsigned"
        );
        for proof in [&b"Bearer old"[..], b"bearer  new "] {
            assert!(receive(&ours, Some(proof), BODY.as_bytes()).is_ok());
        }
        let long = vec![b' '; BODY_BYTES_MAX + 1];
        let rejected = receive(&ours, Some(b"Bearer new"), &long).unwrap_err();
        assert_eq!(rejected.code().as_str(), "webhook-too-large");
    }
}
