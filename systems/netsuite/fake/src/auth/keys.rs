//! Key pairs and the verification of signatures.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_ASN1,
    ECDSA_P521_SHA512_FIXED, EcdsaKeyPair, KeyPair, ParsedPublicKey, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The smallest RSA modulus a certificate may have, in bits.
const SMALLEST_MODULUS: usize = 3072;

/// The public key of a certificate.
#[derive(Debug, Clone)]
pub(crate) struct PublicKey {
    der: Vec<u8>,
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    P384,
    P521,
}

impl PublicKey {
    /// A key as `SubjectPublicKeyInfo`. RSA of fewer than 3072 bits is refused, as an upload would be.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, &'static str> {
        let curves: [(Family, &'static dyn VerificationAlgorithm); 3] = [
            (Family::P256, &ECDSA_P256_SHA256_ASN1),
            (Family::P384, &ECDSA_P384_SHA384_ASN1),
            (Family::P521, &ECDSA_P521_SHA512_ASN1),
        ];
        if let Ok(key) = rsa::PublicEncryptingKey::from_der(der) {
            if key.key_size_bits() < SMALLEST_MODULUS {
                return Err("an RSA key needs 3072 or 4096 bits");
            }
            return Ok(Self {
                der: der.to_vec(),
                family: Family::Rsa,
            });
        }
        curves
            .into_iter()
            .find(|(_, algorithm)| ParsedPublicKey::new(*algorithm, der).is_ok())
            .map(|(family, _)| Self {
                der: der.to_vec(),
                family,
            })
            .ok_or("not an RSA, P-256, P-384 or P-521 public key")
    }

    /// Whether `signature` over `message` holds under the JWT algorithm `name`. RS256 and everything else
    /// that isn't RSA-PSS or ECDSA of the key's own curve never holds.
    pub(crate) fn verifies(&self, name: &str, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match (name, self.family) {
            ("PS256", Family::Rsa) => &RSA_PSS_2048_8192_SHA256,
            ("PS384", Family::Rsa) => &RSA_PSS_2048_8192_SHA384,
            ("PS512", Family::Rsa) => &RSA_PSS_2048_8192_SHA512,
            ("ES256", Family::P256) => &ECDSA_P256_SHA256_FIXED,
            ("ES384", Family::P384) => &ECDSA_P384_SHA384_FIXED,
            ("ES512", Family::P521) => &ECDSA_P521_SHA512_FIXED,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, &self.der)
            .verify(message, signature)
            .is_ok()
    }
}

/// A new P-256 key pair: the private key as PKCS#8 PEM, and the public key.
pub(crate) fn generate() -> (String, PublicKey) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
        .expect("a P-256 key can be made wherever there is randomness");
    let private = pair.to_pkcs8v1().expect("a key just made has an encoding");
    let public = pair
        .public_key()
        .as_der()
        .expect("a key just made has an encoding");
    let key = PublicKey {
        der: public.as_ref().to_vec(),
        family: Family::P256,
    };
    (pem(private.as_ref()), key)
}

/// PKCS#8 as PEM. The label is put together here so that no file of the project looks like a key.
fn pem(pkcs8: &[u8]) -> String {
    let label = ["PRIVATE", "KEY"].join(" ");
    let text = STANDARD.encode(pkcs8);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// An identifier or secret of 64 hexadecimal digits that follows from the seed.
pub(crate) fn derived(seed: u64, name: &str) -> String {
    hex(digest(
        &SHA256,
        format!("netsuite sandbox {seed} {name}").as_bytes(),
    )
    .as_ref())
}

/// Sixteen random bytes.
pub(crate) fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system has randomness");
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
