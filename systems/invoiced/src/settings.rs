//! The connection's `invoiced` table and the credential, checked once.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use tieout_domain::code::Code;
use tieout_kit::system::{CredentialField, CredentialKind, EXPIRES, Setting};
use tieout_kit::{ConnectError, Credential, Understood};
use url::Url;
use zeroize::Zeroizing;

use crate::days::Days;

/// The keys of the table.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "environment",
        label: "Environment",
        help: "`sandbox` or `production`: they share no accounts and no keys",
        required: true,
    },
    Setting {
        name: "time_zone",
        label: "Time zone",
        help: "whose days the dates of Invoiced are, such as America/New_York; the connection's unless told",
        required: true,
    },
    Setting {
        name: "credential",
        label: "Credential",
        help: "the name of a sealed credential of kind `invoiced`",
        required: true,
    },
    Setting {
        name: "account",
        label: "Name of the account",
        help: "only where several accounts of Invoiced meet one ledger: it tells their payments apart there, so \
               never change it",
        required: false,
    },
    Setting {
        name: "base_url",
        label: "Address of the API",
        help: "only for a stand-in such as the sandbox; the environment decides otherwise",
        required: false,
    },
    Setting {
        name: "settle",
        label: "Settling time",
        help: "how long an unanswered write may still be running at Invoiced; 5 minutes unless told",
        required: false,
    },
    Setting {
        name: "concurrency",
        label: "Calls at once",
        help: "1 to 16; 4 unless told",
        required: false,
    },
];

const KEYS: &str = "environment, time_zone, credential, account, base_url, settle, concurrency";
/// The kind of the credential.
const KIND: &str = "invoiced";
const CONCURRENCY: usize = 4;
const CONCURRENCY_MAX: usize = 16;
const ACCOUNT_CHARS_MAX: usize = 40;

/// The credentials it takes.
pub(crate) const CREDENTIALS: &[CredentialKind] = &[CredentialKind {
    name: KIND,
    fields: &[
        CredentialField {
            name: "api_key",
            label: "API key",
            secret: true,
            required: true,
        },
        CredentialField {
            name: "webhook_secret",
            label: "Webhook secret",
            secret: true,
            required: false,
        },
        EXPIRES,
    ],
}];

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    environment: Option<String>,
    time_zone: Option<String>,
    // Read by whoever opens the credential; here only so that it is a known key.
    #[serde(rename = "credential")]
    _credential: Option<String>,
    account: Option<String>,
    base_url: Option<String>,
    settle: Option<String>,
    concurrency: Option<i64>,
}

/// Which of Invoiced's two worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// Nothing real moves.
    Sandbox,
    /// Real money.
    Production,
}

impl Environment {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }

    /// Where its API is.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::Sandbox => "https://api.sandbox.invoiced.com",
            Self::Production => "https://api.invoiced.com",
        }
    }

    /// The one that it isn't.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Sandbox => Self::Production,
            Self::Production => Self::Sandbox,
        }
    }
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The environment.
    pub(crate) environment: Environment,
    /// Whose days the dates are.
    pub(crate) days: Days,
    /// What tells this account's records from another's in the ledger.
    pub(crate) account: String,
    /// Where the paths begin, without a slash at its end.
    pub(crate) base_url: String,
    /// Whether a stand-in is in the service's place.
    pub(crate) stand_in: bool,
    /// How long an unanswered write may still be running.
    pub(crate) settle: Duration,
    /// Calls at once.
    pub(crate) concurrency: usize,
}

impl Settings {
    /// Checks the table.
    ///
    /// # Errors
    /// [`ConnectError`] that names the key and what to write.
    pub(crate) fn read(table: &Map<String, Value>) -> Result<Self, ConnectError> {
        let table: Table = serde_json::from_value(Value::Object(table.clone()))
            .map_err(|error| malformed(&format!("invoiced: {error}; its keys are {KEYS}")))?;
        let environment = match required(table.environment, "environment")?.as_str() {
            "sandbox" => Environment::Sandbox,
            "production" => Environment::Production,
            other => {
                return Err(malformed(&format!(
                    "invoiced.environment = \"{other}\"; write `sandbox` or `production`"
                )));
            }
        };
        let zone = required(table.time_zone, "time_zone")?;
        let zone = TimeZone::get(&zone).map_err(|_| {
            malformed(&format!(
                "invoiced.time_zone = \"{zone}\" is no time zone; write one such as America/New_York"
            ))
        })?;
        let concurrency = match table.concurrency {
            None => CONCURRENCY,
            Some(calls) => usize::try_from(calls)
                .ok()
                .filter(|calls| (1..=CONCURRENCY_MAX).contains(calls))
                .ok_or_else(|| {
                    malformed(&format!(
                        "invoiced.concurrency = {calls}; write 1 to {CONCURRENCY_MAX}"
                    ))
                })?,
        };
        Ok(Self {
            account: account(table.account, environment)?,
            stand_in: table.base_url.is_some(),
            base_url: address(table.base_url, environment)?,
            settle: settle(table.settle.as_deref())?,
            days: Days::of(zone),
            environment,
            concurrency,
        })
    }
}

/// Checks the environment and the time zone, and says which address follows from them.
pub(crate) fn understand(table: &Map<String, Value>) -> Result<Understood, ConnectError> {
    let settings = Settings::read(table)?;
    Ok(Understood {
        kept: Vec::new(),
        follows: vec![
            ("environment", settings.environment.as_str().to_owned()),
            ("address", settings.base_url),
        ],
    })
}

fn required(value: Option<String>, key: &str) -> Result<String, ConnectError> {
    value
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .ok_or_else(|| {
            let help = SETTINGS
                .iter()
                .find(|setting| setting.name == key)
                .map_or("", |setting| setting.help);
            ConnectError {
                code: Code::new("config-missing"),
                cause: format!("invoiced.{key} is missing: {help}"),
            }
        })
}

fn malformed(cause: &str) -> ConnectError {
    ConnectError {
        code: Code::new("config-value"),
        cause: cause.to_owned(),
    }
}

/// No call tells an account's own id. Ids of records are unique within an environment as far as anyone knows, so its
/// name will do unless somebody says otherwise (README §Signing in).
fn account(given: Option<String>, environment: Environment) -> Result<String, ConnectError> {
    let Some(given) = given else {
        return Ok(environment.as_str().to_owned());
    };
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=ACCOUNT_CHARS_MAX).contains(&given.len()) && given.bytes().all(word) {
        return Ok(given);
    }
    Err(malformed(&format!(
        "invoiced.account = \"{given}\"; write 1 to {ACCOUNT_CHARS_MAX} letters, digits and hyphens"
    )))
}

fn address(given: Option<String>, environment: Environment) -> Result<String, ConnectError> {
    let Some(given) = given else {
        return Ok(environment.host().to_owned());
    };
    let url = Url::parse(&given).map_err(|error| {
        malformed(&format!(
            "invoiced.base_url = \"{given}\" is no address ({error}); leave it out"
        ))
    })?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let secure = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !secure || !plain || url.password().is_some() {
        return Err(malformed(&format!(
            "invoiced.base_url = \"{given}\": write an https address without user, query or fragment; \
             http is accepted for loopback only"
        )));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn settle(given: Option<&str>) -> Result<Duration, ConnectError> {
    let Some(given) = given else {
        return Ok(Duration::from_secs(300));
    };
    given
        .parse::<SignedDuration>()
        .ok()
        .and_then(|span| Duration::try_from(span).ok())
        .filter(|span| *span <= Duration::from_secs(86_400))
        .ok_or_else(|| {
            malformed(&format!(
                "invoiced.settle = \"{given}\"; write a duration up to a day, such as \"5 minutes\""
            ))
        })
}

/// Opens the credential and gives its API key.
///
/// # Errors
/// [`ConnectError`] that names the field; never its value.
pub(crate) fn api_key(credential: &Credential) -> Result<SecretString, ConnectError> {
    if credential.kind != KIND {
        return Err(malformed(&format!(
            "invoiced.credential is of kind `{}`; set one of kind `{KIND}` with api_key",
            credential.kind
        )));
    }
    let Some(key) = field(credential, "api_key")? else {
        return Err(ConnectError {
            code: Code::new("config-missing"),
            cause: "the credential of invoiced has no `api_key`".to_owned(),
        });
    };
    // A colon would end the user name of basic authentication (RFC 7617 §2).
    if !key
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b':')
    {
        return Err(malformed(
            "the credential's `api_key` holds characters that no API key has",
        ));
    }
    Ok(key.trim().to_owned().into())
}

/// The secret that notifications are signed with, where the credential holds it.
pub(crate) fn webhook_key(credential: &Credential) -> Option<SecretString> {
    let secret = field(credential, "webhook_secret").ok()??;
    Some(secret.trim().to_owned().into())
}

fn field(credential: &Credential, name: &str) -> Result<Option<Zeroizing<String>>, ConnectError> {
    let mut fields: Map<String, Value> = serde_json::from_str(credential.fields.expose_secret())
        .map_err(|_| malformed("the credential of invoiced is no JSON object"))?;
    Ok(match fields.remove(name) {
        Some(Value::String(text)) => {
            let text = Zeroizing::new(text);
            let text = Zeroizing::new(text.trim().to_owned());
            (!text.is_empty()).then_some(text)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(json: &str) -> Result<Settings, ConnectError> {
        Settings::read(&serde_json::from_str(json).unwrap())
    }

    const GOOD: &str = r#""environment":"sandbox","time_zone":"America/New_York","credential":"x""#;

    #[test]
    fn the_host_and_the_account_follow_from_the_environment() {
        let sandbox = table(&format!("{{{GOOD}}}")).unwrap();
        assert_eq!(sandbox.base_url, "https://api.sandbox.invoiced.com");
        assert_eq!(sandbox.account, "sandbox");
        assert_eq!(
            (sandbox.settle, sandbox.concurrency, sandbox.stand_in),
            (Duration::from_secs(300), 4, false)
        );
        let production =
            table(r#"{"environment":"production","time_zone":"UTC","account":"acme-eu"}"#).unwrap();
        assert_eq!(production.base_url, "https://api.invoiced.com");
        assert_eq!(production.account, "acme-eu");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_key() {
        for (json, code, word) in [
            (format!("{{{GOOD},\"colour\":1}}"), "config-value", "colour"),
            (
                format!("{{{GOOD},\"concurrency\":0}}"),
                "config-value",
                "invoiced.concurrency",
            ),
            (
                format!("{{{GOOD},\"settle\":\"soon\"}}"),
                "config-value",
                "invoiced.settle",
            ),
            (
                format!("{{{GOOD},\"account\":\"a b\"}}"),
                "config-value",
                "invoiced.account",
            ),
            (
                format!("{{{GOOD},\"base_url\":\"http://example.com\"}}"),
                "config-value",
                "invoiced.base_url",
            ),
            (
                r#"{"time_zone":"UTC"}"#.to_owned(),
                "config-missing",
                "invoiced.environment",
            ),
            (
                r#"{"environment":"sandbox"}"#.to_owned(),
                "config-missing",
                "invoiced.time_zone",
            ),
            (
                r#"{"environment":"sandbox","time_zone":"Mars/Olympus"}"#.to_owned(),
                "config-value",
                "invoiced.time_zone",
            ),
            (
                r#"{"environment":"test","time_zone":"UTC"}"#.to_owned(),
                "config-value",
                "invoiced.environment",
            ),
        ] {
            let error = table(&json).unwrap_err();
            assert_eq!(error.code.as_str(), code, "{json}");
            assert!(error.cause.contains(word), "{json}: {}", error.cause);
        }
        let local =
            format!("{{{GOOD},\"base_url\":\"http://127.0.0.1:9103/\",\"settle\":\"1 second\"}}");
        let local = table(&local).unwrap();
        assert_eq!(local.base_url, "http://127.0.0.1:9103");
        assert!(local.stand_in && local.settle == Duration::from_secs(1));
    }

    #[test]
    fn a_credential_is_never_shown_in_an_error() {
        let of = |kind: &str, fields: &str| Credential {
            kind: kind.to_owned(),
            fields: fields.to_owned().into(),
        };
        let error = api_key(&of("invoiced", r#"{"api_key":"very: secret"}"#)).unwrap_err();
        assert!(error.cause.contains("api_key") && !error.cause.contains("secret"));
        assert!(api_key(&of("invoiced", r#"{"api_key":" "}"#)).is_err());
        assert!(
            api_key(&of("bill", "{}"))
                .unwrap_err()
                .cause
                .contains("`bill`")
        );
        let whole = of("invoiced", r#"{"api_key":"k","webhook_secret":" w "}"#);
        assert_eq!(api_key(&whole).unwrap().expose_secret(), "k");
        assert_eq!(webhook_key(&whole).unwrap().expose_secret(), "w");
        assert!(webhook_key(&of("invoiced", r#"{"api_key":"k"}"#)).is_none());
    }
}
