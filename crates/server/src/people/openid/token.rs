//! The check of an id token (OpenID Connect Core §3.1.3.7): who made it, for whom, for which sign-in, and when.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use subtle::ConstantTimeEq as _;
use tieout_domain::Timestamp;

/// What a token may be signed by: a private key that only the provider has. `none` is no signature, and one that is
/// made with the client's secret (HS256) could be made by us.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// By so much may the provider's clock and ours differ.
const LEEWAY_SECONDS: i64 = 60;
/// The longest subject (OpenID Connect Core §2).
const SUBJECT_MAX: usize = 255;

/// What a token must say.
pub(super) struct Expected<'a> {
    /// Who made it.
    pub(super) issuer: &'a str,
    /// For whom.
    pub(super) client_id: &'a str,
    /// For which sign-in.
    pub(super) nonce: &'a str,
    /// What time it is.
    pub(super) now: Timestamp,
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// For the provider, for good.
    pub(super) subject: String,
    /// Their mail address, if the provider tells it.
    pub(super) mail: Option<String>,
    /// Whether the provider has seen that it is theirs.
    pub(super) mail_verified: bool,
    /// What people call them, if the provider tells it.
    pub(super) name: Option<String>,
}

/// Why a token proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unproven {
    /// None of the keys is the one that it names: the provider may have a new one.
    UnknownKey,
    /// It is not as it must be.
    Wrong(&'static str),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    #[serde(flatten)]
    told: Told,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What a provider tells of somebody, in a token or when it is asked.
#[derive(Deserialize)]
pub(super) struct Told {
    email: Option<String>,
    #[serde(default, deserialize_with = "switch")]
    email_verified: bool,
    name: Option<String>,
}

impl Told {
    /// Of whom.
    pub(super) fn of(self, subject: String) -> Identity {
        let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Identity {
            subject,
            mail: some(self.email),
            mail_verified: self.email_verified,
            name: some(self.name),
        }
    }
}

/// Some providers write it as text.
fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value == Value::Bool(true) || value == "true")
}

/// Who it is that a token speaks of, if it was made by the holder of one of these keys for this very sign-in.
pub(super) fn proven(
    token: &str,
    keys: &[Jwk],
    expected: &Expected<'_>,
) -> Result<Identity, Unproven> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Unproven::Wrong("its head"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Unproven::Wrong("how it is signed"));
    }
    refuse_critical(token)?;
    let fitting: Vec<_> = keys
        .iter()
        .filter(|key| fits(key, header.alg))
        .filter(|key| header.kid.is_none() || key.common.key_id == header.kid)
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
        .collect();
    if fitting.is_empty() {
        return Err(Unproven::UnknownKey);
    }
    // What a token says is looked at below, by our own clock.
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = fitting.iter().find_map(|key| {
        let decoded = jsonwebtoken::decode::<Value>(token, key, &validation);
        decoded.ok().map(|decoded| decoded.claims)
    });
    let claims = decoded.ok_or(Unproven::Wrong("its signature"))?;
    let claims = serde_json::from_value(claims).map_err(|_| Unproven::Wrong("its claims"))?;
    checked(claims, expected)
}

/// Whether a key is for signatures of this sort.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let for_signing = matches!(
        key.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    );
    let named = key.common.key_algorithm.map(|named| named.to_string());
    let this = format!("{algorithm:?}");
    let sort = match &key.algorithm {
        AlgorithmParameters::RSA(_) => this.starts_with("RS") || this.starts_with("PS"),
        AlgorithmParameters::EllipticCurve(_) => this.starts_with("ES"),
        AlgorithmParameters::OctetKeyPair(_) => algorithm == Algorithm::EdDSA,
        _ => false,
    };
    for_signing && sort && named.is_none_or(|named| named == this)
}

/// A token that says "whoever doesn't understand this must refuse me" is refused (RFC 7515 §4.1.11).
fn refuse_critical(token: &str) -> Result<(), Unproven> {
    let head = token.split('.').next().unwrap_or_default();
    let head = BASE64_URL_SAFE_NO_PAD.decode(head).ok();
    let head: Option<Value> = head.and_then(|head| serde_json::from_slice(&head).ok());
    match head {
        Some(head) if head.get("crit").is_none() => Ok(()),
        _ => Err(Unproven::Wrong("its head")),
    }
}

fn checked(claims: Claims, expected: &Expected<'_>) -> Result<Identity, Unproven> {
    let wrong = |what| Err(Unproven::Wrong(what));
    if claims.iss != expected.issuer {
        return wrong("who made it");
    }
    let audience = match claims.aud {
        Audience::One(one) => vec![one],
        Audience::Many(many) => many,
    };
    let is_ours = audience.iter().any(|one| one == expected.client_id);
    let is_shared = audience.len() > 1;
    let party = claims.azp.as_deref();
    if !is_ours
        || (is_shared && party.is_none())
        || party.is_some_and(|it| it != expected.client_id)
    {
        return wrong("for whom it was made");
    }
    let nonce = claims.nonce.unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return wrong("for which sign-in it was made");
    }
    let now = expected.now.as_second();
    let over = claims.exp.saturating_add(LEEWAY_SECONDS) <= now;
    let soonest = claims.iat.max(claims.nbf.unwrap_or(i64::MIN));
    if over || soonest > now.saturating_add(LEEWAY_SECONDS) {
        return wrong("its time");
    }
    if claims.sub.is_empty() || claims.sub.len() > SUBJECT_MAX {
        return wrong("of whom it speaks");
    }
    Ok(claims.told.of(claims.sub))
}
