//! The connection's `bill` table and the credential, checked once.

use std::time::Duration;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use tieout_domain::Fingerprint;
use tieout_domain::code::Code;
use tieout_kit::system::{CredentialField, CredentialKind, EXPIRES, Setting};
use tieout_kit::{ConnectError, Credential, Understood};
use url::Url;
use zeroize::Zeroizing;

/// The keys of the table.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "organization",
        label: "Organization ID",
        help: "BILL: Settings > Sync & Integrations > Manage Developer Keys; starts with 008",
        required: true,
    },
    Setting {
        name: "environment",
        label: "Environment",
        help: "`sandbox` or `production`: they share no organizations, users or keys",
        required: true,
    },
    Setting {
        name: "credential",
        label: "Credential",
        help: "the name of a sealed credential of kind `bill`",
        required: true,
    },
    Setting {
        name: "base_url",
        label: "Address of the API",
        help: "only for a stand-in such as the sandbox; the environment decides otherwise",
        required: false,
    },
    Setting {
        name: "events_url",
        label: "Address of the events API",
        help: "only for a stand-in such as the sandbox; the environment decides otherwise",
        required: false,
    },
    Setting {
        name: "settle",
        label: "Settling time",
        help: "how long an unanswered write may still be running at BILL; 5 minutes unless told",
        required: false,
    },
    Setting {
        name: "bulk",
        label: "Records in a bulk call",
        help: "1 to 100, the default; 1 writes one by one",
        required: false,
    },
];

/// The credentials it takes.
pub(crate) const CREDENTIALS: &[CredentialKind] = &[CredentialKind {
    name: "bill",
    fields: &[
        CredentialField {
            name: "dev_key",
            label: "Developer key",
            secret: true,
            required: true,
        },
        CredentialField {
            name: "username",
            label: "User name, or sync token name",
            secret: false,
            required: true,
        },
        CredentialField {
            name: "password",
            label: "Password, or sync token value",
            secret: true,
            required: true,
        },
        EXPIRES,
    ],
}];

const KEYS: &str = "organization, environment, credential, base_url, events_url, settle, bulk";
const BULK_MAX: usize = 100;

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    organization: Option<String>,
    environment: Option<String>,
    // Read by whoever opens the credential; here only so that it is a known key.
    #[serde(rename = "credential")]
    _credential: Option<String>,
    base_url: Option<String>,
    events_url: Option<String>,
    settle: Option<String>,
    bulk: Option<i64>,
}

/// Which of BILL's two worlds.
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

    fn host(self) -> &'static str {
        match self {
            Self::Sandbox => "https://gateway.stage.bill.com",
            Self::Production => "https://gateway.prod.bill.com",
        }
    }
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The organization's id.
    pub(crate) organization: String,
    /// The environment.
    pub(crate) environment: Environment,
    /// Where `/v3/…` begins, without a slash at its end.
    pub(crate) base_url: String,
    /// Where the events API begins, without a slash at its end. `None` where a stand-in takes BILL's place and none
    /// takes its events service's: BILL's own would be the wrong one to ask.
    pub(crate) events_url: Option<String>,
    /// How long an unanswered write may still be running.
    pub(crate) settle: Duration,
    /// The most records in a bulk call.
    pub(crate) bulk: usize,
}

impl Settings {
    /// Checks the table.
    ///
    /// # Errors
    /// [`ConnectError`] that names the key and what to write.
    pub(crate) fn read(table: &Map<String, Value>) -> Result<Self, ConnectError> {
        let table: Table = serde_json::from_value(Value::Object(table.clone()))
            .map_err(|error| malformed(&format!("bill: {error}; its keys are {KEYS}")))?;
        let organization = required(table.organization, "organization")?;
        if organization.len() > 64 || !organization.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(malformed(&format!(
                "bill.organization = \"{organization}\" is no organization id; copy it from BILL's \
                 Settings > Sync & Integrations > Manage Developer Keys (it starts with 008)"
            )));
        }
        let environment = match required(table.environment, "environment")?.as_str() {
            "sandbox" => Environment::Sandbox,
            "production" => Environment::Production,
            other => {
                return Err(malformed(&format!(
                    "bill.environment = \"{other}\"; write `sandbox` or `production`"
                )));
            }
        };
        let bulk = match table.bulk {
            None => BULK_MAX,
            Some(bulk) => usize::try_from(bulk)
                .ok()
                .filter(|bulk| (1..=BULK_MAX).contains(bulk))
                .ok_or_else(|| malformed(&format!("bill.bulk = {bulk}; write 1 to {BULK_MAX}")))?,
        };
        let events_url = match (&table.base_url, table.events_url) {
            (Some(_), None) => None,
            (_, given) => Some(address(
                given,
                "events_url",
                environment,
                "/connect-events",
            )?),
        };
        Ok(Self {
            organization,
            environment,
            base_url: address(table.base_url, "base_url", environment, "/connect")?,
            events_url,
            settle: settle(table.settle.as_deref())?,
            bulk,
        })
    }
}

/// Checks the organization and the environment, and says which address follows from them.
pub(crate) fn understand(table: &Map<String, Value>) -> Result<Understood, ConnectError> {
    let settings = Settings::read(table)?;
    Ok(Understood {
        kept: vec![("organization", settings.organization.clone())],
        follows: vec![
            ("organization ID", settings.organization),
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
                .map_or("", |s| s.help);
            ConnectError {
                code: Code::new("config-missing"),
                cause: format!("bill.{key} is missing: {help}"),
            }
        })
}

fn malformed(cause: &str) -> ConnectError {
    ConnectError {
        code: Code::new("config-value"),
        cause: cause.to_owned(),
    }
}

fn address(
    given: Option<String>,
    key: &str,
    environment: Environment,
    path: &str,
) -> Result<String, ConnectError> {
    let Some(given) = given else {
        return Ok(format!("{}{path}", environment.host()));
    };
    let url = Url::parse(&given).map_err(|error| {
        malformed(&format!(
            "bill.{key} = \"{given}\" is no address ({error}); leave it out"
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
            "bill.{key} = \"{given}\": write an https address without user, query or fragment; http \
             is accepted for loopback only"
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
                "bill.settle = \"{given}\"; write a duration up to a day, such as \"5 minutes\""
            ))
        })
}

/// What is needed to sign in.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) dev_key: SecretString,
    pub(crate) username: String,
    pub(crate) password: SecretString,
}

impl Login {
    /// Opens the credential.
    ///
    /// # Errors
    /// [`ConnectError`] that names the field; never its value.
    pub(crate) fn read(credential: &Credential) -> Result<Self, ConnectError> {
        if credential.kind != "bill" {
            return Err(malformed(&format!(
                "bill.credential is of kind `{}`; set one of kind `bill` with dev_key, username and \
                 password",
                credential.kind
            )));
        }
        let mut fields: Map<String, Value> =
            serde_json::from_str(credential.fields.expose_secret())
                .map_err(|_| malformed("the credential of bill is no JSON object"))?;
        let mut take = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => {
                Ok(Zeroizing::new(text).trim().to_owned())
            }
            _ => Err(ConnectError {
                code: Code::new("config-missing"),
                cause: format!("the credential of bill has no `{name}`"),
            }),
        };
        let (dev_key, username, password) =
            (take("dev_key")?, take("username")?, take("password")?);
        if !dev_key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(malformed(
                "the credential's `dev_key` holds characters no developer key has",
            ));
        }
        Ok(Self {
            dev_key: dev_key.into(),
            username,
            password: password.into(),
        })
    }

    /// Whether this looks like a sync token: a person's user name at BILL is an e-mail address. Decides
    /// only how long a kept session is worth trying (README §Sessions).
    pub(crate) fn sync_token(&self) -> bool {
        !self.username.contains('@')
    }
}

/// The first digits of a SHA-256: enough to tell keys apart, useless for anything else.
pub(crate) fn digest(parts: &[&str]) -> String {
    Fingerprint::of(parts).as_str().chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(json: &str) -> Result<Settings, ConnectError> {
        Settings::read(&serde_json::from_str(json).unwrap())
    }

    const GOOD: &str = r#""organization":"00801ABC","environment":"sandbox","credential":"x""#;

    #[test]
    fn hosts_follow_from_the_environment() {
        let sandbox = table(&format!("{{{GOOD}}}")).unwrap();
        assert_eq!(sandbox.base_url, "https://gateway.stage.bill.com/connect");
        assert_eq!(
            sandbox.events_url.as_deref(),
            Some("https://gateway.stage.bill.com/connect-events")
        );
        let alone = format!("{{{GOOD},\"base_url\":\"http://127.0.0.1:1/connect\"}}");
        assert_eq!(table(&alone).unwrap().events_url, None);
        assert_eq!(
            (sandbox.settle, sandbox.bulk),
            (Duration::from_secs(300), 100)
        );
        let production =
            table(r#"{"organization":"008","environment":"production","credential":"x"}"#).unwrap();
        assert_eq!(production.base_url, "https://gateway.prod.bill.com/connect");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_key() {
        for (json, code, word) in [
            (format!("{{{GOOD},\"colour\":1}}"), "config-value", "colour"),
            (
                format!("{{{GOOD},\"bulk\":101}}"),
                "config-value",
                "bill.bulk",
            ),
            (
                format!("{{{GOOD},\"bulk\":0}}"),
                "config-value",
                "bill.bulk",
            ),
            (
                format!("{{{GOOD},\"settle\":\"soon\"}}"),
                "config-value",
                "bill.settle",
            ),
            (
                format!("{{{GOOD},\"settle\":\"-1 s\"}}"),
                "config-value",
                "bill.settle",
            ),
            (
                format!("{{{GOOD},\"base_url\":\"http://example.com/c\"}}"),
                "config-value",
                "base_url",
            ),
            (
                format!("{{{GOOD},\"events_url\":\"x\"}}"),
                "config-value",
                "events_url",
            ),
            (
                r#"{"environment":"sandbox"}"#.to_owned(),
                "config-missing",
                "bill.organization",
            ),
            (
                r#"{"organization":"008"}"#.to_owned(),
                "config-missing",
                "bill.environment",
            ),
            (
                r#"{"organization":"008","environment":"test"}"#.to_owned(),
                "config-value",
                "bill.environment",
            ),
        ] {
            let error = table(&json).unwrap_err();
            assert_eq!(error.code.as_str(), code, "{json}");
            assert!(error.cause.contains(word), "{json}: {}", error.cause);
        }
        let local = table(&format!(
            "{{{GOOD},\"base_url\":\"http://127.0.0.1:9102/connect/\",\"settle\":\"1 second\"}}"
        ))
        .unwrap();
        assert_eq!(local.base_url, "http://127.0.0.1:9102/connect");
        assert_eq!(local.settle, Duration::from_secs(1));
    }

    #[test]
    fn a_credential_is_never_shown_in_an_error() {
        let open = |kind: &str, fields: &str| {
            Login::read(&Credential {
                kind: kind.to_owned(),
                fields: fields.to_owned().into(),
            })
        };
        let error = open(
            "bill",
            r#"{"dev_key":"very secret","username":"a@b.example"}"#,
        )
        .unwrap_err();
        assert!(error.cause.contains("password") && !error.cause.contains("very secret"));
        assert!(
            open("netsuite-m2m", "{}")
                .unwrap_err()
                .cause
                .contains("netsuite-m2m")
        );
        let token = open(
            "bill",
            r#"{"dev_key":"k","username":"nightly","password":"v"}"#,
        )
        .unwrap();
        assert!(token.sync_token());
    }
}
