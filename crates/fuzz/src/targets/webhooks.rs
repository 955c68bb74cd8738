//! Notifications of BILL's, of Invoiced's and of Alternative Payments'.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tieout_bill::webhooks::{BODY_BYTES_MAX, Rejected, SecurityKeys};
use tieout_kit::webhooks::Receive;

use crate::answers::first_line;
use crate::place;

const CURRENT: &str = "the key in use";
const PREVIOUS: &str = "the key before it";

/// Of BILL's.
pub(super) fn notifications(bytes: &[u8]) {
    received(tieout_bill::webhooks::receive, signature, bytes);
}

/// Of Invoiced's, which tell no organization.
pub(super) fn of_invoiced(bytes: &[u8]) {
    received(tieout_invoiced::webhooks::receive, signature, bytes);
}

/// Of Alternative Payments', which bear the secret itself and whose bodies may be anything.
pub(super) fn of_alternative_payments(bytes: &[u8]) {
    received(
        tieout_alternative_payments::webhooks::receive,
        secret,
        bytes,
    );
}

/// `signed`, `signed before` or a signature, then the body.
fn received(receive: Receive, proof: fn(&str, &[u8]) -> Vec<u8>, bytes: &[u8]) {
    let (told, body) = first_line(bytes);
    let keys = SecurityKeys {
        current: CURRENT.to_owned().into(),
        previous: Some(PREVIOUS.to_owned().into()),
    };
    let (signature, is_ours) = match told.as_str() {
        "signed" => (Some(proof(CURRENT, body)), true),
        "signed before" => (Some(proof(PREVIOUS, body)), true),
        "" => (None, false),
        _ => {
            let forged = told.clone().into_bytes();
            let by_chance = [CURRENT, PREVIOUS]
                .iter()
                .any(|key| proof(key, body).eq_ignore_ascii_case(forged.trim_ascii()));
            (Some(forged), by_chance)
        }
    };
    let received = receive(&keys, signature.as_deref(), body);
    match received {
        Ok(hint) => {
            assert!(is_ours, "taken without a signature of the service's");
            assert!(!hint.event_type.is_empty());
            assert!(
                hint.id.is_none() || hint.kind.is_some(),
                "a record of no kind: {hint:?}"
            );
        }
        Err(rejected) => {
            place::assert_explained(&rejected.code(), &rejected.to_string());
            match rejected {
                Rejected::Malformed { cause } => {
                    assert!(is_ours, "it was read without a signature");
                    place::assert_named(&cause);
                }
                Rejected::Unsigned { .. } => {
                    assert!(!is_ours, "a signature of the service's was refused")
                }
                Rejected::TooLarge { bytes, .. } => assert!(bytes > BODY_BYTES_MAX),
            }
        }
    }
}

fn signature(key: &str, body: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, body)).into_bytes()
}

fn secret(key: &str, _: &[u8]) -> Vec<u8> {
    format!("Bearer {key}").into_bytes()
}
