//! Notifications: first proof that one comes from BILL, then the hint in it (README §Webhooks).
//!
//! A notification says that something of an organization has changed, and nothing else that is believed: what
//! has changed is read through the API. Notifications come twice, late, out of order or never, so nothing
//! rests on them; they only make a run look sooner.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;
pub use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{Kind, RemoteId};
pub use tieout_kit::webhooks::SecurityKeys;

/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "x-bill-sha-signature";

/// A longer body is refused unread: a bill with all the lines that BILL allows is far shorter.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// An identifier or event type longer than this isn't one.
const WORD_BYTES_MAX: usize = 128;

/// Takes the hint of a notification, once it is proven to come from BILL.
///
/// The signature is checked over the bytes as they came, in constant time, before anything is read from them.
/// `signature` is the value of [`SIGNATURE_HEADER`], if there is one.
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
    let signature = signature.ok_or(unsigned("`x-bill-sha-signature` is missing"))?;
    let signature = STANDARD
        .decode(signature.trim_ascii())
        .map_err(|_| unsigned("`x-bill-sha-signature` is no Base64"))?;
    if is_signed(keys, &signature, body) {
        // The guide shows the payload as a JSON string that holds JSON.
        return match quoted(body) {
            Some(payload) => hint(payload.as_bytes()),
            None => hint(body),
        };
    }
    match quoted(body) {
        Some(payload) if is_signed(keys, &signature, payload.as_bytes()) => {
            hint(payload.as_bytes())
        }
        _ => Err(unsigned(
            "`x-bill-sha-signature` fits none of the subscription's keys",
        )),
    }
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

/// What a body that is one JSON string holds.
fn quoted(body: &[u8]) -> Option<String> {
    if !body.trim_ascii_start().starts_with(b"\"") {
        return None;
    }
    serde_json::from_slice(body).ok()
}

#[derive(Deserialize)]
struct Notification<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
    #[serde(borrow, default)]
    vendor: Option<&'a RawValue>,
    #[serde(borrow, default)]
    bill: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payment: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "bankAccount")]
    bank_account: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "cardAccount")]
    card_account: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    event_id: String,
    organization_id: String,
    event_type: String,
}

/// What is looked at of the record. All of it may be missing, or be something else.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(default)]
    updated_time: Option<serde_json::Value>,
}

fn hint(payload: &[u8]) -> Result<Hint, Rejected> {
    let malformed = |cause: String| Rejected::Malformed { cause };
    let notification: Notification<'_> =
        serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
    let metadata: Metadata = serde_json::from_str(notification.metadata.get())
        .map_err(|error| malformed(format!("`metadata`: {error}")))?;
    for (name, word) in [
        ("eventId", &metadata.event_id),
        ("organizationId", &metadata.organization_id),
        ("eventType", &metadata.event_type),
    ] {
        if !is_word(word) {
            return Err(malformed(format!(
                "`metadata.{name}` is empty, longer than {WORD_BYTES_MAX} bytes, or holds other characters \
                 than an identifier's"
            )));
        }
    }
    let (kind, record) = match metadata.event_type.split('.').next().unwrap_or_default() {
        "vendor" => (Some(Kind::Vendor), notification.vendor),
        "bill" => (Some(Kind::Bill), notification.bill),
        "payment" => (Some(Kind::Payment), notification.payment),
        "bank-account" => (Some(Kind::FundingAccount), notification.bank_account),
        "card-account" => (Some(Kind::FundingAccount), notification.card_account),
        _ => (None, None),
    };
    let changed: Changed = record
        .and_then(|record| serde_json::from_str(record.get()).ok())
        .unwrap_or_default();
    let text = |value: &Option<serde_json::Value>| value.as_ref()?.as_str().map(str::to_owned);
    Ok(Hint {
        event: metadata.event_id,
        event_type: metadata.event_type,
        organization: metadata.organization_id,
        kind,
        id: text(&changed.id)
            .filter(|id| is_word(id))
            .map(RemoteId::from),
        at: text(&changed.updated_time).and_then(|time| time.parse().ok()),
    })
}

fn is_word(text: &str) -> bool {
    (1..=WORD_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"metadata":{"eventId":"e-1","subscriptionId":"s-1","organizationId":"008",
        "eventType":"bill.updated","version":"1"},
        "bill":{"id":"00n1","amount":12.5,"updatedTime":"2026-06-12T10:00:00.000+00:00"}}"#;

    fn keys(previous: Option<&str>) -> SecurityKeys {
        SecurityKeys {
            current: "new".to_owned().into(),
            previous: previous.map(|key| key.to_owned().into()),
        }
    }

    fn signed(key: &str, body: &str) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        STANDARD
            .encode(hmac::sign(&key, body.as_bytes()))
            .into_bytes()
    }

    fn received(body: &str) -> Result<Hint, Rejected> {
        receive(&keys(None), Some(&signed("new", body)), body.as_bytes())
    }

    #[test]
    fn a_signed_notification_is_a_hint_and_nothing_more() {
        let hint = received(BODY).unwrap();
        assert_eq!(hint.event, "e-1");
        assert_eq!(hint.organization, "008");
        assert_eq!(
            (hint.kind, hint.id),
            (Some(Kind::Bill), Some("00n1".into()))
        );
        assert_eq!(hint.at, "2026-06-12T10:00:00Z".parse().ok());
    }

    #[test]
    fn the_signature_is_the_one_of_rfc_4231() {
        let jefe = SecurityKeys {
            current: "Jefe".to_owned().into(),
            previous: None,
        };
        let signature = b"W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        let received = receive(&jefe, Some(signature), b"what do ya want for nothing?");
        assert!(
            matches!(received, Err(Rejected::Malformed { .. })),
            "{received:?}"
        );
    }

    #[test]
    fn nothing_is_read_of_what_bill_did_not_sign() {
        let mut flipped = BODY.replace("12.5", "99.5");
        let signature = signed("new", BODY);
        let turned_away = |keys: &SecurityKeys, signature: Option<&[u8]>, body: &str| {
            receive(keys, signature, body.as_bytes())
                .unwrap_err()
                .code()
                .as_str()
                .to_owned()
        };
        assert_eq!(
            turned_away(&keys(None), Some(&signature), &flipped),
            "webhook-unsigned"
        );
        assert_eq!(turned_away(&keys(None), None, BODY), "webhook-unsigned");
        assert_eq!(
            turned_away(&keys(None), Some(b"%"), BODY),
            "webhook-unsigned"
        );
        assert_eq!(
            turned_away(&keys(None), Some(&signature[..8]), BODY),
            "webhook-unsigned"
        );
        // Not even whether it is JSON.
        flipped.push('}');
        assert_eq!(
            turned_away(&keys(None), Some(&signature), &flipped),
            "webhook-unsigned"
        );
    }

    #[test]
    fn s142_the_key_before_the_present_one_counts_while_it_is_kept() {
        let old = signed("old", BODY);
        assert!(receive(&keys(None), Some(&old), BODY.as_bytes()).is_err());
        assert!(receive(&keys(Some("old")), Some(&old), BODY.as_bytes()).is_ok());
    }

    #[test]
    fn s141_a_payload_in_a_string_is_read_under_either_signature() {
        let quoted = serde_json::to_string(BODY).unwrap();
        for signature in [signed("new", &quoted), signed("new", BODY)] {
            assert!(receive(&keys(None), Some(&signature), quoted.as_bytes()).is_ok());
        }
    }

    #[test]
    fn an_event_of_an_unknown_type_is_a_hint_for_the_organization() {
        let hint = received(&BODY.replace("bill.updated", "robot.woken")).unwrap();
        assert_eq!((hint.kind, hint.id), (None, None));
        assert_eq!(hint.organization, "008");
    }

    #[test]
    fn what_is_malformed_is_told_with_its_place() {
        for (body, place) in [
            ("{\"metadata\"", "line 1 column 11"),
            ("{}", "`metadata`"),
            (
                r#"{"metadata":{"eventId":"e"}}"#,
                "`metadata`: missing field `organizationId`",
            ),
            (
                r#"{"metadata":{"eventId":"e","organizationId":"","eventType":"bill.updated"}}"#,
                "`metadata.organizationId`",
            ),
        ] {
            let rejected = received(body).unwrap_err();
            assert!(rejected.to_string().contains(place), "{rejected}");
            assert!(!rejected.fix().is_empty());
        }
    }

    #[test]
    fn a_body_without_end_is_refused_unread() {
        let body = vec![b' '; BODY_BYTES_MAX + 1];
        let rejected = receive(&keys(None), Some(b""), &body).unwrap_err();
        assert_eq!(rejected.code().as_str(), "webhook-too-large");
    }
}
