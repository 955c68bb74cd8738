//! Outgoing webhooks: what happened, posted to others' automation and signed.
//!
//! A receiver checks a hook so: it takes `t` and `v1` from the header `tieout-signature: t=SECONDS,v1=HEX`, refuses a
//! `t` that is more than five minutes off, computes the HMAC-SHA256 of `t`, a full stop and the raw body under the
//! shared secret, and compares it with `v1` in constant time. `tieout-delivery` is the same for every try of one
//! message.

mod address;

use aws_lc_rs::hmac;
use tieout_domain::{Reach, hexadecimal};

pub use address::{Place, place};

/// The header with the signature.
pub const SIGNATURE: &str = "tieout-signature";
/// The header with the message's name.
pub const DELIVERY: &str = "tieout-delivery";

/// Where hooks go, as configured; the secret is a sealed credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its name.
    pub name: String,
    /// Which [events](crate::notices::NAMES) it asked for.
    pub events: Vec<String>,
    /// Whose events it is told: of all connections, or of those of one tenant.
    pub reach: Reach,
}

/// The signature of a body that is sent at this second.
#[must_use]
pub fn signature(secret: &[u8], seconds: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(seconds.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    format!("t={seconds},v1={}", hexadecimal(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_a_receiver_computes() {
        // printf '1780000000.{"a":1}' | openssl dgst -sha256 -hmac 'hush'
        let expected = EXPECTED;
        assert_eq!(signature(b"hush", 1_780_000_000, b"{\"a\":1}"), expected);
        assert_ne!(signature(b"hush", 1_780_000_001, b"{\"a\":1}"), expected);
        assert_ne!(signature(b"other", 1_780_000_000, b"{\"a\":1}"), expected);
    }

    const EXPECTED: &str =
        "t=1780000000,v1=3f9ec0ef28169254fb9a2c5002df98ef5a27e062a4ae7bd9a13a0ce29582f793";
}
