//! A key pair and a certificate for signing in to a ledger that takes one: the private key is sealed by whoever
//! asks for it and never lies in a file; the certificate is public, and is what a person uploads.
//!
//! NetSuite takes RSA of 3072 or 4096 bits and the curves P-256, P-384 and P-521, and shortens what is valid for
//! more than two years (systems/netsuite/README.md §Signing in).

use clap::ValueEnum;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use secrecy::SecretString;
use tieout_domain::code::Code;

use crate::failure::Failure;

/// The longest life that a certificate is given, in days: two years, less a day for time zones.
pub const DAYS_MAX: u16 = 729;

/// The kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Algorithm {
    /// RSA of 3072 bits.
    #[default]
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
    /// The curve P-256.
    P256,
    /// The curve P-384.
    P384,
    /// The curve P-521.
    P521,
}

/// What was made.
pub struct Made {
    /// The private key, PKCS#8 as PEM.
    pub private_key_pem: SecretString,
    /// The certificate for the upload, as PEM.
    pub certificate_pem: String,
    /// The day from which it no longer serves.
    pub expires: Date,
}

/// Makes a key pair and a self-signed certificate that is valid from the day before `now` for `days` days.
///
/// # Errors
/// `certificate` where the key can't be made, or `days` is nothing or more than [`DAYS_MAX`].
pub fn make(algorithm: Algorithm, name: &str, days: u16, now: Timestamp) -> Result<Made, Failure> {
    let failed = |cause: String| Failure::failed(Code::new("certificate"), cause);
    if !(1..=DAYS_MAX).contains(&days) {
        let cause = format!("a certificate is valid for 1 to {DAYS_MAX} days, and not for {days}");
        return Err(Failure::usage(Code::new("certificate"), cause));
    }
    let day = |from_now: i64| {
        let at = now
            .checked_add(SignedDuration::from_hours(24 * from_now))
            .unwrap_or(now);
        at.to_zoned(jiff::tz::TimeZone::UTC).date()
    };
    let midnight = |day: Date| {
        date_time_ymd(
            day.year().into(),
            day.month().unsigned_abs(),
            day.day().unsigned_abs(),
        )
    };
    let expires = day(i64::from(days));
    let pair = pair(algorithm).map_err(|error| failed(format!("no key pair was made: {error}")))?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // A clock over there that is behind ours must not find it too young.
    parameters.not_before = midnight(day(-1));
    parameters.not_after = midnight(expires);
    let certificate = parameters
        .self_signed(&pair)
        .map_err(|error| failed(format!("no certificate was made: {error}")))?;
    Ok(Made {
        private_key_pem: pair.serialize_pem().into(),
        certificate_pem: certificate.pem(),
        expires,
    })
}

fn pair(algorithm: Algorithm) -> Result<KeyPair, rcgen::Error> {
    match algorithm {
        Algorithm::Rsa3072 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072),
        Algorithm::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
        Algorithm::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        Algorithm::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
        Algorithm::P521 => KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn every_algorithm_makes_a_key_and_a_certificate_that_expires_with_the_asked_day() {
        let now: Timestamp = "2026-06-30T12:00:00Z".parse().unwrap();
        for algorithm in Algorithm::value_variants() {
            let made = make(*algorithm, "tieout acme", DAYS_MAX, now).unwrap();
            assert!(made.private_key_pem.expose_secret().contains("BEGIN"));
            assert!(
                made.certificate_pem
                    .starts_with("-----BEGIN CERTIFICATE-----")
            );
            assert_eq!(made.expires.to_string(), "2028-06-28");
        }
    }

    #[test]
    fn no_certificate_is_valid_for_more_than_two_years() {
        let now: Timestamp = "2026-06-30T12:00:00Z".parse().unwrap();
        for days in [0, DAYS_MAX + 1] {
            let failure = make(Algorithm::P256, "a", days, now).map(drop).unwrap_err();
            assert_eq!(failure.code.as_str(), "certificate");
        }
    }
}
