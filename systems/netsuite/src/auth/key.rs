//! The private key of an OAuth 2.0 certificate mapping, and signing with it.
//!
//! The algorithm follows from the key, so that nobody has to choose one: RSA signs PS256, the curves P-256,
//! P-384 and P-521 sign ES256, ES384 and ES512 (README §Signing in). RS256 is not accepted over there.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, RSA_PSS_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tieout_domain::code::Code;
use tieout_kit::ConnectError;

/// The least size of an RSA key that a certificate mapping takes.
const RSA_BITS_MIN: usize = 3072;

/// A private key that can sign assertions.
pub(crate) enum SigningKey {
    Rsa(rsa::KeyPair),
    Ec {
        pair: EcdsaKeyPair,
        algorithm: &'static str,
    },
}

impl SigningKey {
    /// Reads a PEM text: PKCS#8, or the older forms that OpenSSL still writes.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, ConnectError> {
        let (label, der) = unwrap_pem(pem)?;
        if label.contains("ENCRYPTED") || pem.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(wrong(
                "it is protected by a passphrase; export it without one",
            ));
        }
        let curves: [(&'static EcdsaSigningAlgorithm, &'static str); 3] = [
            (&ECDSA_P256_SHA256_FIXED_SIGNING, "ES256"),
            (&ECDSA_P384_SHA384_FIXED_SIGNING, "ES384"),
            (&ECDSA_P521_SHA512_FIXED_SIGNING, "ES512"),
        ];
        for (curve, algorithm) in curves {
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(curve, &der) {
                return Ok(Self::Ec { pair, algorithm });
            }
        }
        let pair = rsa::KeyPair::from_pkcs8(&der)
            .or_else(|_| rsa::KeyPair::from_der(&der))
            .map_err(|_| wrong("it is neither an RSA key nor one of P-256, P-384 and P-521"))?;
        let bits = pair.public_modulus_len() * 8;
        if bits < RSA_BITS_MIN {
            return Err(wrong(&format!(
                "it is an RSA key of {bits} bits and NetSuite takes 3072 or 4096; make a new \
                 certificate, or use a curve such as P-256"
            )));
        }
        Ok(Self::Rsa(pair))
    }

    /// The name of the algorithm in the header of an assertion.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "PS256",
            Self::Ec { algorithm, .. } => algorithm,
        }
    }

    /// Signs; `None` if the library refuses, which a key that was read doesn't cause.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Self::Ec { pair, .. } => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
        }
    }
}

fn wrong(rule: &str) -> ConnectError {
    ConnectError {
        code: Code::new("private-key-unfit"),
        cause: format!("`private_key_pem` can't be used: {rule}"),
    }
}

/// The label and the bytes of the first private key in a PEM text, which may hold other blocks before it
/// (OpenSSL writes the curve's parameters first).
fn unwrap_pem(pem: &str) -> Result<(String, Vec<u8>), ConnectError> {
    let not_pem = || wrong("it is no PEM text with a private key; paste the whole file");
    // A key pasted into JSON or an environment variable often has its line breaks written out.
    let pem = pem.replace("\\n", "\n");
    let mut rest = pem.as_str();
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or_else(not_pem)?;
        let end = format!("-----END {label}-----");
        let (body, after) = after.split_once(end.as_str()).ok_or_else(not_pem)?;
        rest = after;
        if label.ends_with("PRIVATE KEY") {
            let body: String = body
                .lines()
                .filter(|line| !line.contains(':'))
                .flat_map(str::chars)
                .collect();
            let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
            return Ok((
                label.to_owned(),
                STANDARD.decode(body).map_err(|_| not_pem())?,
            ));
        }
    }
    Err(not_pem())
}

/// The public half as DER, for tests that verify what was signed.
#[cfg(test)]
pub(crate) fn public_der(key: &SigningKey) -> Vec<u8> {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::signature::KeyPair as _;
    match key {
        SigningKey::Rsa(pair) => {
            let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a public key");
            der.as_ref().to_vec()
        }
        SigningKey::Ec { pair, .. } => pair.public_key().as_ref().to_vec(),
    }
}
