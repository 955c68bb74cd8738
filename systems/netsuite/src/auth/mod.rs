//! Signing in, in two ways: OAuth 2.0 with a certificate, and tokens that sign every request.

mod client_credentials;
pub(crate) mod key;
mod token_based;

pub(crate) use token_based::RESERVED;

use aws_lc_rs::digest;
use http::{HeaderValue, Method};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use tieout_domain::Fault;
use tieout_domain::code::Code;
use tieout_kit::{ConnectError, Credential};
use url::Url;
use zeroize::ZeroizeOnDrop;

use crate::call::Wire;
use crate::settings::{RESTLETS, Settings};
pub(crate) use client_credentials::NoToken;

use client_credentials::{ClientCredentials, Scope};
use token_based::TokenBased;

/// How this connection signs in.
pub(crate) enum Auth {
    ClientCredentials(Box<ClientCredentials>),
    TokenBased(Box<TokenBased>),
}

/// An `Authorization` header, and what it rested on: told back when it is refused.
pub(crate) struct Authorization {
    pub(crate) header: HeaderValue,
    used: Used,
}

enum Used {
    Token(Scope, String),
    Clock(i64),
}

#[derive(Deserialize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct CertificateFields {
    client_id: String,
    certificate_id: String,
    private_key_pem: String,
    // Known and warned of before a sign-in; here only so that it is a known field.
    #[serde(rename = "expires", default)]
    _expires: Option<String>,
}

#[derive(Deserialize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct TokenFields {
    consumer_key: String,
    consumer_secret: String,
    token_id: String,
    token_secret: String,
    // See above.
    #[serde(rename = "expires", default)]
    _expires: Option<String>,
}

impl Auth {
    pub(crate) fn new(credential: &Credential, settings: &Settings) -> Result<Self, ConnectError> {
        let fields = credential.fields.expose_secret();
        match credential.kind.as_str() {
            "netsuite-m2m" => {
                let fields: CertificateFields = read_fields(credential)?;
                all_given(&[
                    ("client_id", &fields.client_id),
                    ("certificate_id", &fields.certificate_id),
                    ("private_key_pem", &fields.private_key_pem),
                ])?;
                let key = key::SigningKey::from_pem(&fields.private_key_pem)?;
                Ok(Self::ClientCredentials(Box::new(ClientCredentials::new(
                    fields.client_id.trim().to_owned(),
                    fields.certificate_id.trim().to_owned(),
                    key,
                    settings,
                    &fingerprint(fields_text(credential)),
                ))))
            }
            "netsuite-tba" => {
                let tokens: TokenFields = read_fields(credential)?;
                all_given(&[
                    ("consumer_key", &tokens.consumer_key),
                    ("consumer_secret", &tokens.consumer_secret),
                    ("token_id", &tokens.token_id),
                    ("token_secret", &tokens.token_secret),
                ])?;
                Ok(Self::TokenBased(Box::new(TokenBased::new(
                    tokens.consumer_key.trim().to_owned(),
                    tokens.consumer_secret.trim().to_owned().into(),
                    tokens.token_id.trim().to_owned(),
                    tokens.token_secret.trim().to_owned().into(),
                    settings.account.as_str().to_owned(),
                ))))
            }
            other => {
                let _ = fields;
                Err(ConnectError {
                    code: Code::new("config-value"),
                    cause: format!(
                        "a credential of kind `{other}` can't sign in to NetSuite; it takes \
                         `netsuite-m2m` or `netsuite-tba`"
                    ),
                })
            }
        }
    }

    /// What people call this way of signing in.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::ClientCredentials(_) => "OAuth 2.0 with a certificate",
            Self::TokenBased(_) => "token-based authentication",
        }
    }

    /// The header for one request. A fresh one for each attempt: a nonce serves once.
    pub(crate) async fn authorize(
        &self,
        wire: &Wire,
        method: &Method,
        url: &Url,
    ) -> Result<Authorization, Fault> {
        match self {
            Self::ClientCredentials(auth) => {
                let scope = scope(url);
                let token = auth.token(wire, scope).await?;
                let header = HeaderValue::from_str(&format!("Bearer {token}"))
                    .map_err(|_| odd("access_token"))?;
                Ok(Authorization {
                    header: sensitive(header),
                    used: Used::Token(scope, token),
                })
            }
            Self::TokenBased(auth) => {
                let header = auth.sign(method, url, &wire.nonce(), wire.signing_time());
                let header = HeaderValue::from_str(&header).map_err(|_| odd("the signature"))?;
                Ok(Authorization {
                    header: sensitive(header),
                    used: Used::Clock(wire.clock_offset()),
                })
            }
        }
    }

    /// A request was refused with 401. Says whether trying once more makes sense: after a token was thrown
    /// away, or after the clock was set right. Never otherwise: five refusals lock a token for half an hour.
    pub(crate) async fn refused(&self, wire: &Wire, authorization: &Authorization) -> bool {
        match (self, &authorization.used) {
            (Self::ClientCredentials(auth), Used::Token(scope, token)) => {
                auth.discard(wire, *scope, token).await;
                true
            }
            (Self::TokenBased(_), Used::Clock(before)) => wire.set_clock_right(*before),
            _ => false,
        }
    }

    /// The fault of a sign-in that is refused for good (scenarios 201, 205).
    pub(crate) fn denied(&self, authorization: &Authorization, words: &str) -> Fault {
        if matches!(authorization.used, Used::Token(Scope::Scripts, _)) {
            return client_credentials::scope_missing(words);
        }
        let causes = match self {
            Self::ClientCredentials(_) => {
                "The integration may be blocked, the certificate revoked or expired, the user or role \
                 inactive, or the role may lack `Log in using OAuth 2.0 Access Tokens`; a sandbox \
                 refresh wipes certificate mappings"
            }
            Self::TokenBased(_) => {
                "The token or the integration may be revoked or blocked, a secret reset, the user \
                 terminated, the token locked for half an hour after five refusals, or the account id \
                 wrong; NetSuite gives one answer for all of them"
            }
        };
        Fault::Denied {
            code: Code::new("invalid-login"),
            cause: format!(
                "NetSuite refused the sign-in ({}): {words}. {causes}. Setup > Users/Roles > View Login \
                 Audit Trail shows which",
                self.title()
            ),
        }
    }
}

/// What a call to this address needs.
fn scope(url: &Url) -> Scope {
    if url.path().ends_with(RESTLETS) {
        Scope::Scripts
    } else {
        Scope::Services
    }
}

fn sensitive(mut header: HeaderValue) -> HeaderValue {
    header.set_sensitive(true);
    header
}

fn odd(what: &str) -> Fault {
    Fault::Drift {
        code: Code::new("drift"),
        cause: format!("`{what}` holds characters that no header can carry"),
    }
}

fn fields_text(credential: &Credential) -> &str {
    credential.fields.expose_secret()
}

fn read_fields<T: for<'de> Deserialize<'de>>(credential: &Credential) -> Result<T, ConnectError> {
    // The parser's message names the field, never its value: the values are strings.
    serde_json::from_str(fields_text(credential)).map_err(|error| ConnectError {
        code: Code::new("credential-missing"),
        cause: format!(
            "the credential of kind `{}` can't be read: {error}",
            credential.kind
        ),
    })
}

fn all_given(fields: &[(&str, &str)]) -> Result<(), ConnectError> {
    match fields.iter().find(|(_, value)| value.trim().is_empty()) {
        None => Ok(()),
        Some((name, _)) => Err(ConnectError {
            code: Code::new("credential-missing"),
            cause: format!("the credential's `{name}` is empty"),
        }),
    }
}

/// A short text that changes with the credential and tells nothing about it: what is kept under one
/// credential is never used with another.
pub(crate) fn fingerprint(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
