//! Integration records, access tokens and certificates as a person at NetSuite's own pages makes, blocks and revokes
//! them one by one (README, section *Signing in*).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tieout_kit::fake::ControlError;

use super::keys::{self, PublicKey};
use super::role::Role;
use super::{Credentials, Mapping, Standing, Token};

/// The most active certificates of an integration record.
const CERTIFICATES_MAX: usize = 5;

/// An integration record that has no token or certificate yet.
#[derive(Debug)]
pub(super) struct Integration {
    key: String,
    secret: String,
}

impl Credentials {
    /// `integrations`: `{"action": "new"}`, or `block` and `enable` with `consumer_key`.
    pub(crate) fn control_integrations(&self, body: &Value) -> Result<Value, ControlError> {
        let mut state = self.state();
        match text(body, "action")? {
            "new" => {
                let (key, secret) = (made(), made());
                state.integrations.push(Integration {
                    key: key.clone(),
                    secret: secret.clone(),
                });
                Ok(json!({"consumer_key": key, "client_id": key, "consumer_secret": secret}))
            }
            action @ ("block" | "enable") => {
                let key = text(body, "consumer_key")?;
                let standing = if action == "block" {
                    Standing::Blocked
                } else {
                    Standing::Good
                };
                let mut found = false;
                for token in state.tokens.iter_mut().filter(|it| it.consumer_key == key) {
                    // A revoked token stays revoked, whatever becomes of its record.
                    if token.standing != Standing::Revoked {
                        token.standing = standing;
                    }
                    found = true;
                }
                for mapping in state.mappings.iter_mut().filter(|it| it.client_id == key) {
                    if mapping.standing != Standing::Revoked {
                        mapping.standing = standing;
                    }
                    found = true;
                }
                told(
                    found,
                    "integrations: no such consumer_key",
                    json!({"state": action}),
                )
            }
            _ => Err(ControlError::bad(
                "integrations: action is new, block or enable",
            )),
        }
    }

    /// `tokens`: `{"action": "new", "consumer_key": …}`, or `revoke` with `token_id`.
    pub(crate) fn control_tokens(&self, body: &Value) -> Result<Value, ControlError> {
        let mut state = self.state();
        match text(body, "action")? {
            "new" => {
                let key = text(body, "consumer_key")?;
                let fresh = state.integrations.iter().find(|it| it.key == key);
                let secret = fresh.map(|it| it.secret.clone()).or_else(|| {
                    let token = state.tokens.iter().find(|it| it.consumer_key == key);
                    token.map(|it| it.consumer_secret.clone())
                });
                let secret =
                    secret.ok_or_else(|| ControlError::missing("tokens: no such consumer_key"))?;
                let token = Token {
                    consumer_key: key.to_owned(),
                    consumer_secret: secret,
                    token_id: made(),
                    token_secret: made(),
                    standing: Standing::Good,
                    failures: 0,
                    role: Role::integration(),
                };
                let shown = json!({"token_id": token.token_id, "token_secret": token.token_secret});
                state.tokens.push(token);
                Ok(shown)
            }
            "revoke" => {
                let id = text(body, "token_id")?;
                let token = state.tokens.iter_mut().find(|it| it.token_id == id);
                let found = token.map(|it| it.standing = Standing::Revoked).is_some();
                told(
                    found,
                    "tokens: no such token_id",
                    json!({"state": "revoked"}),
                )
            }
            _ => Err(ControlError::bad("tokens: action is new or revoke")),
        }
    }

    /// `certificates`: `{"action": "upload", "client_id": …, "certificate": PEM}`, or `revoke` with
    /// `certificate_id`.
    pub(crate) fn control_certificates(&self, body: &Value) -> Result<Value, ControlError> {
        let mut state = self.state();
        match text(body, "action")? {
            "upload" => {
                let client_id = text(body, "client_id")?;
                let known = state.integrations.iter().any(|it| it.key == client_id)
                    || state.mappings.iter().any(|it| it.client_id == client_id)
                    || state.tokens.iter().any(|it| it.consumer_key == client_id);
                if !known {
                    return Err(ControlError::missing("certificates: no such client_id"));
                }
                let active =
                    |it: &&Mapping| it.client_id == client_id && it.standing == Standing::Good;
                if state.mappings.iter().filter(active).count() >= CERTIFICATES_MAX {
                    return Err(ControlError::bad(
                        "certificates: five are active, and five is the most",
                    ));
                }
                let key = public_key(text(body, "certificate")?).ok_or_else(|| {
                    ControlError::bad("certificates: this is no X.509 certificate")
                })?;
                let key = PublicKey::from_der(&key).map_err(ControlError::bad)?;
                let certificate_id = made()[..43].to_owned();
                state.mappings.push(Mapping {
                    client_id: client_id.to_owned(),
                    certificate_id: certificate_id.clone(),
                    key,
                    standing: Standing::Good,
                    role: Role::integration(),
                });
                Ok(json!({"certificate_id": certificate_id}))
            }
            "revoke" => {
                let id = text(body, "certificate_id")?;
                let mapping = state.mappings.iter_mut().find(|it| it.certificate_id == id);
                let found = mapping.map(|it| it.standing = Standing::Revoked).is_some();
                told(
                    found,
                    "certificates: no such certificate_id",
                    json!({"state": "revoked"}),
                )
            }
            _ => Err(ControlError::bad(
                "certificates: action is upload or revoke",
            )),
        }
    }
}

fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, ControlError> {
    let text = body.get(name).and_then(Value::as_str);
    text.ok_or_else(|| ControlError::bad(format!("needs \"{name}\"")))
}

fn told(found: bool, missing: &str, answer: Value) -> Result<Value, ControlError> {
    if found {
        Ok(answer)
    } else {
        Err(ControlError::missing(missing))
    }
}

/// 64 hexadecimal digits that nobody can foretell.
fn made() -> String {
    let (left, right) = (keys::random_bytes(), keys::random_bytes());
    left.iter()
        .chain(&right)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The `SubjectPublicKeyInfo` of a certificate in PEM: the seventh part of its first part, after the version, the
/// serial number, the algorithm, the issuer, the validity and the subject (RFC 5280, section 4.1).
fn public_key(pem: &str) -> Option<Vec<u8>> {
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = STANDARD.decode(body.trim()).ok()?;
    let certificate = contents(part(&der)?.0)?;
    let mut rest = contents(part(certificate)?.0)?;
    if rest.first() == Some(&VERSION) {
        rest = part(rest)?.1;
    }
    for _ in 0..5 {
        rest = part(rest)?.1;
    }
    Some(part(rest)?.0.to_vec())
}

/// The tag of the version, which the oldest certificates lack.
const VERSION: u8 = 0xa0;

/// The first element with its heading, and what follows it.
fn part(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (heading, length) = heading(der)?;
    der.split_at_checked(heading.checked_add(length)?)
}

/// What is in an element.
fn contents(element: &[u8]) -> Option<&[u8]> {
    element.get(heading(element)?.0..)
}

/// How long the heading of an element is, and how long what is in it.
fn heading(der: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*der.get(1)?);
    if first < 0x80 {
        return Some((2, first));
    }
    let bytes = der.get(2..2 + (first & 0x7f))?;
    let length = bytes.iter().try_fold(0_usize, |length, byte| {
        length.checked_mul(256)?.checked_add(usize::from(*byte))
    })?;
    Some((2 + bytes.len(), length))
}
