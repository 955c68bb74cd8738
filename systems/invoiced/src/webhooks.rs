//! Notifications: first proof that one comes from Invoiced, then the hint in it (README §Webhooks).
//!
//! A notification says that something has changed, and nothing else that is believed: what has changed is read through
//! the API. Notifications come twice, late, out of order or never, and an address that fails for two days is switched
//! off, so nothing rests on them; they only make a run look sooner.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;
pub use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{Kind, RemoteId};
pub use tieout_kit::webhooks::SecurityKeys;

use crate::days::moment;
use crate::wire::{id, reference, second, text};

/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "x-invoiced-signature";

/// A longer body is refused unread.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// An identifier or event type longer than this isn't one.
const WORD_BYTES_MAX: usize = 128;

/// Takes the hint of a notification, once it is proven to come from Invoiced.
///
/// The signature is checked over the bytes as they came, in constant time, before anything is read from them.
/// `signature` is the value of [`SIGNATURE_HEADER`], if there is one; it is hexadecimal or Base64, which can't be taken
/// for one another, since the one is longer (README §Webhooks).
///
/// # Errors
/// [`Rejected`]: the caller answers 413, 401 or 400, and does nothing else.
pub fn receive(
    keys: &SecurityKeys,
    signature: Option<&[u8]>,
    body: &[u8],
) -> Result<Hint, Rejected> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Rejected::TooLarge {
            bytes: body.len(),
            most: BODY_BYTES_MAX,
        });
    }
    let unsigned = |why| Rejected::Unsigned { why };
    let signature = signature.ok_or(unsigned("`x-invoiced-signature` is missing"))?;
    let signature = digest(signature.trim_ascii()).ok_or(unsigned(
        "`x-invoiced-signature` is neither hexadecimal nor Base64",
    ))?;
    if !is_signed(keys, &signature, body) {
        return Err(unsigned(
            "`x-invoiced-signature` doesn't fit the webhook secret",
        ));
    }
    hint(body)
}

/// The bytes of a signature in either way of writing.
fn digest(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() == 64 && text.iter().all(u8::is_ascii_hexdigit) {
        let text = std::str::from_utf8(text).ok()?;
        let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        return (0..64).step_by(2).map(byte).collect();
    }
    STANDARD.decode(text).ok()
}

/// Whether one of the keys made the signature. Every key is tried, so that the time tells nothing.
fn is_signed(keys: &SecurityKeys, signature: &[u8], body: &[u8]) -> bool {
    [Some(&keys.current), keys.previous.as_ref()]
        .into_iter()
        .flatten()
        .fold(false, |signed, key| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
            signed | hmac::verify(&key, body, signature).is_ok()
        })
}

#[derive(Deserialize)]
struct Notification {
    #[serde(deserialize_with = "id")]
    id: RemoteId,
    #[serde(rename = "type", deserialize_with = "text")]
    sort: String,
    #[serde(default, deserialize_with = "second")]
    timestamp: Option<i64>,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

/// What is looked at of the record. All of it may be missing, or be something else.
#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    object: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct Changed {
    #[serde(default, deserialize_with = "reference")]
    id: Option<RemoteId>,
}

fn hint(payload: &[u8]) -> Result<Hint, Rejected> {
    let malformed = |cause: String| Rejected::Malformed { cause };
    let notification: Notification =
        serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
    for (name, word) in [
        ("id", notification.id.as_str()),
        ("type", &notification.sort),
    ] {
        if !is_word(word) {
            return Err(malformed(format!(
                "`{name}` is empty, longer than {WORD_BYTES_MAX} bytes, or holds other characters than an \
                 identifier's"
            )));
        }
    }
    let kind = match notification.sort.split('.').next().unwrap_or_default() {
        "customer" => Some(Kind::Customer),
        "invoice" => Some(Kind::Invoice),
        "credit_note" => Some(Kind::CreditMemo),
        "payment" => Some(Kind::CustomerPayment),
        _ => None,
    };
    let lenient = |raw: &Option<Box<RawValue>>| -> Option<Data> {
        serde_json::from_str(raw.as_deref()?.get()).ok()
    };
    let object = lenient(&notification.data).and_then(|data| data.object);
    let changed: Changed = object
        .and_then(|object| serde_json::from_str(object.get()).ok())
        .unwrap_or_default();
    Ok(Hint {
        event: notification.id.to_string(),
        event_type: notification.sort,
        // Nothing in a notification tells whose account it is: the secret does.
        organization: String::new(),
        id: changed
            .id
            .filter(|id| kind.is_some() && is_word(id.as_str())),
        kind,
        at: moment(notification.timestamp),
    })
}

fn is_word(text: &str) -> bool {
    (1..=WORD_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"id":"52","object":"event","type":"payment.created","timestamp":1781260800,
        "data":{"object":{"id":7,"customer":{"id":9,"metadata":[]},"amount":12.5}},"previous":[]}"#;

    fn keys(current: &str, previous: Option<&str>) -> SecurityKeys {
        SecurityKeys {
            current: current.to_owned().into(),
            previous: previous.map(|key| key.to_owned().into()),
        }
    }

    fn hex(key: &str, body: &str) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let signature = hmac::sign(&key, body.as_bytes());
        let digits = signature.as_ref().iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>().into_bytes()
    }

    fn base64(key: &str, body: &str) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        STANDARD
            .encode(hmac::sign(&key, body.as_bytes()))
            .into_bytes()
    }

    fn received(body: &str) -> Result<Hint, Rejected> {
        receive(&keys("new", None), Some(&hex("new", body)), body.as_bytes())
    }

    #[test]
    fn a_signed_notification_is_a_hint_and_nothing_more() {
        let hint = received(BODY).unwrap();
        assert_eq!(
            (hint.event.as_str(), hint.event_type.as_str()),
            ("52", "payment.created")
        );
        assert_eq!(
            (hint.kind, hint.id),
            (Some(Kind::CustomerPayment), Some("7".into()))
        );
        assert_eq!(hint.at, "2026-06-12T10:40:00Z".parse().ok());
        // A charge is no record of ours: something has happened, and no more.
        let failed = received(&BODY.replace("payment.created", "charge.failed")).unwrap();
        assert_eq!((failed.kind, failed.id), (None, None));
        let bare = received(r#"{"id":7,"type":"invoice.paid","data":[]}"#).unwrap();
        assert_eq!(
            (bare.kind, bare.id, bare.at),
            (Some(Kind::Invoice), None, None)
        );
    }

    #[test]
    fn the_signature_is_the_one_of_rfc_4231_in_either_way_of_writing() {
        let body = b"what do ya want for nothing?";
        for signature in [
            &b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"[..],
            b" 5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
            b"W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
        ] {
            let received = receive(&keys("Jefe", None), Some(signature), body);
            assert!(
                matches!(received, Err(Rejected::Malformed { .. })),
                "{received:?}"
            );
        }
    }

    #[test]
    fn nothing_is_read_of_what_invoiced_did_not_sign() {
        let turned_away = |signature: Option<&[u8]>, body: &str| {
            let rejected = receive(&keys("new", None), signature, body.as_bytes()).unwrap_err();
            rejected.code().as_str().to_owned()
        };
        let signature = hex("new", BODY);
        let flipped = BODY.replace("12.5", "99.5");
        for (signature, body) in [
            (Some(&signature[..]), flipped.as_str()),
            // Not even whether it is JSON.
            (Some(&signature[..]), "{"),
            (Some(&signature[..16]), BODY),
            (Some(&b"%"[..]), BODY),
            (Some(&b""[..]), BODY),
            (Some(&[0xff; 64][..]), BODY),
            (None, BODY),
        ] {
            assert_eq!(turned_away(signature, body), "webhook-unsigned");
        }
        assert!(
            receive(
                &keys("new", None),
                Some(&base64("new", BODY)),
                BODY.as_bytes()
            )
            .is_ok()
        );
        let old = hex("old", BODY);
        assert!(receive(&keys("new", Some("old")), Some(&old), BODY.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_malformed_is_told_with_its_place() {
        for (body, place) in [
            ("{\"id\"", "line 1 column 5"),
            ("{}", "`id`"),
            (r#"{"id":1}"#, "`type`"),
            (r#"{"id":1,"type":""}"#, "`type`"),
            (r#"{"id":[],"type":"invoice.paid"}"#, "line 1 column"),
        ] {
            let rejected = received(body).unwrap_err();
            assert!(rejected.to_string().contains(place), "{rejected}");
        }
        let long = vec![b' '; BODY_BYTES_MAX + 1];
        let rejected = receive(&keys("new", None), Some(b""), &long).unwrap_err();
        assert_eq!(rejected.code().as_str(), "webhook-too-large");
    }
}
