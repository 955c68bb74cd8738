//! The connection's `alternative-payments` table and the credential, checked once.

use std::time::Duration;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use tieout_domain::code::Code;
use tieout_kit::system::{CredentialField, CredentialKind, EXPIRES, Setting};
use tieout_kit::{ConnectError, Credential, Understood, base_url};
use zeroize::Zeroizing;

use crate::capabilities::{Capabilities, Capability};

/// The name of the table, and the kind of the credential.
pub(crate) const NAME: &str = "alternative-payments";

/// The keys of the table.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "environment",
        label: "Environment",
        help: "`demo` or `production`: they share no accounts and no keys",
        required: true,
    },
    Setting {
        name: "credential",
        label: "Credential",
        help: "the name of a sealed credential of kind `alternative-payments`",
        required: true,
    },
    Setting {
        name: "capabilities",
        label: "Capabilities",
        help: "what the service has given your account beyond its documented API, separated by commas, or `all` in the \
               sandbox; nothing unless told",
        required: false,
    },
    Setting {
        name: "account",
        label: "Name of the account",
        help: "only where several accounts of Alternative Payments meet one ledger: it tells their payments apart there, \
               so never change it",
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
        help: "how long an unanswered write may still be running there; 5 minutes unless told",
        required: false,
    },
];

const KEYS: &str = "environment, credential, capabilities, account, base_url, settle";
const ACCOUNT_CHARS_MAX: usize = 40;
const SETTLE: Duration = Duration::from_secs(300);
const SETTLE_MAX: Duration = Duration::from_secs(86_400);

/// The credentials it takes.
pub(crate) const CREDENTIALS: &[CredentialKind] = &[CredentialKind {
    name: NAME,
    fields: &[
        CredentialField {
            name: "client_id",
            label: "Client ID",
            secret: false,
            required: true,
        },
        CredentialField {
            name: "client_secret",
            label: "Client secret",
            secret: true,
            required: true,
        },
        EXPIRES,
    ],
}];

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    environment: Option<String>,
    // Read by whoever opens the credential; here only so that it is a known key.
    #[serde(rename = "credential")]
    _credential: Option<String>,
    capabilities: Option<Value>,
    account: Option<String>,
    base_url: Option<String>,
    settle: Option<String>,
}

/// Which of the service's two worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// Nothing real moves.
    Demo,
    /// Real money.
    Production,
}

impl Environment {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Production => "production",
        }
    }

    /// Where its API is.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::Demo => "https://public-api.demo.alternativepayments.io",
            Self::Production => "https://public-api.alternativepayments.io",
        }
    }

    /// The one that it isn't.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Demo => Self::Production,
            Self::Production => Self::Demo,
        }
    }
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The environment.
    pub(crate) environment: Environment,
    /// What the account has been given beyond what is documented.
    pub(crate) capabilities: Capabilities,
    /// What tells this account's records from another's in the ledger.
    pub(crate) account: String,
    /// Where the paths begin, without a slash at its end.
    pub(crate) base_url: String,
    /// Whether a stand-in is in the service's place.
    pub(crate) stand_in: bool,
    /// How long an unanswered write may still be running.
    pub(crate) settle: Duration,
}

impl Settings {
    /// Checks the table.
    ///
    /// # Errors
    /// [`ConnectError`] that names the key and what to write.
    pub(crate) fn read(table: &Map<String, Value>) -> Result<Self, ConnectError> {
        let table: Table = serde_json::from_value(Value::Object(table.clone()))
            .map_err(|error| malformed(&format!("{NAME}: {error}; its keys are {KEYS}")))?;
        let environment = match required(table.environment, "environment")?.as_str() {
            "demo" => Environment::Demo,
            "production" => Environment::Production,
            other => {
                return Err(malformed(&format!(
                    "{NAME}.environment = \"{other}\"; write `demo` or `production`"
                )));
            }
        };
        let stand_in = table.base_url.is_some();
        let base_url = match table.base_url {
            None => environment.host().to_owned(),
            Some(given) => base_url::read(&given)
                .map_err(|why| malformed(&format!("{NAME}.base_url = \"{given}\": {why}")))?,
        };
        Ok(Self {
            capabilities: capabilities(table.capabilities.as_ref())?,
            account: account(table.account, environment)?,
            settle: settle(table.settle.as_deref())?,
            environment,
            base_url,
            stand_in,
        })
    }

    /// Whether the account has been given this.
    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.capabilities.has(capability)
    }
}

/// Checks the environment and the capabilities, and says which address follows.
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
            missing(&format!("{NAME}.{key} is missing: {help}"))
        })
}

fn missing(cause: &str) -> ConnectError {
    ConnectError {
        code: Code::new("config-missing"),
        cause: cause.to_owned(),
    }
}

fn malformed(cause: &str) -> ConnectError {
    ConnectError {
        code: Code::new("config-value"),
        cause: cause.to_owned(),
    }
}

fn capabilities(given: Option<&Value>) -> Result<Capabilities, ConnectError> {
    Capabilities::read(given).map_err(|why| {
        let names = Capability::ALL.map(Capability::name).join(", ");
        malformed(&format!(
            "{NAME}.capabilities: {why}; write `all`, or some of {names}"
        ))
    })
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
        "{NAME}.account = \"{given}\"; write 1 to {ACCOUNT_CHARS_MAX} letters, digits and hyphens"
    )))
}

fn settle(given: Option<&str>) -> Result<Duration, ConnectError> {
    let Some(given) = given else {
        return Ok(SETTLE);
    };
    given
        .parse::<SignedDuration>()
        .ok()
        .and_then(|span| Duration::try_from(span).ok())
        .filter(|span| *span <= SETTLE_MAX)
        .ok_or_else(|| {
            malformed(&format!(
                "{NAME}.settle = \"{given}\"; write a duration up to a day, such as \"5 minutes\""
            ))
        })
}

/// What a token is got with.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
}

impl Keys {
    /// Opens the credential.
    ///
    /// # Errors
    /// [`ConnectError`] that names the field; never its value.
    pub(crate) fn read(credential: &Credential) -> Result<Self, ConnectError> {
        if credential.kind != NAME {
            return Err(malformed(&format!(
                "{NAME}.credential is of kind `{}`; set one of kind `{NAME}` with client_id and client_secret",
                credential.kind
            )));
        }
        let mut fields: Map<String, Value> =
            serde_json::from_str(credential.fields.expose_secret())
                .map_err(|_| malformed(&format!("the credential of {NAME} is no JSON object")))?;
        let client_id = field(&mut fields, "client_id")?;
        // A colon would end the user name of basic authentication (RFC 7617 §2).
        if client_id.contains(':') {
            return Err(unfit("client_id"));
        }
        Ok(Self {
            client_id: client_id.to_string(),
            client_secret: field(&mut fields, "client_secret")?.to_string().into(),
        })
    }
}

fn unfit(name: &str) -> ConnectError {
    malformed(&format!(
        "the credential's `{name}` holds characters that none has"
    ))
}

fn field(fields: &mut Map<String, Value>, name: &str) -> Result<Zeroizing<String>, ConnectError> {
    let text = match fields.remove(name) {
        Some(Value::String(text)) => Zeroizing::new(text),
        _ => Zeroizing::default(),
    };
    let text = Zeroizing::new(text.trim().to_owned());
    if text.is_empty() {
        return Err(missing(&format!(
            "the credential of {NAME} has no `{name}`"
        )));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unfit(name));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(value: &Value) -> Result<Settings, ConnectError> {
        Settings::read(value.as_object().unwrap())
    }

    #[test]
    fn the_host_and_the_account_follow_from_the_environment() {
        let demo = table(&json!({"environment": "demo", "credential": "x"})).unwrap();
        assert_eq!(
            demo.base_url,
            "https://public-api.demo.alternativepayments.io"
        );
        assert_eq!(
            (demo.account.as_str(), demo.settle, demo.stand_in),
            ("demo", SETTLE, false)
        );
        assert_eq!(demo.capabilities, Capabilities::default());
        let named = table(&json!({"environment": "production", "account": "acme-eu",
            "capabilities": ["balances"], "base_url": "http://127.0.0.1:9104/", "settle": "1 minute"}))
        .unwrap();
        assert_eq!(
            (named.base_url.as_str(), named.account.as_str()),
            ("http://127.0.0.1:9104", "acme-eu")
        );
        assert!(named.stand_in && named.has(Capability::Balances));
        assert_eq!(named.settle, Duration::from_secs(60));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_key() {
        for (given, code, word) in [
            (json!({}), "config-missing", "environment"),
            (
                json!({"environment": "sandbox"}),
                "config-value",
                "environment",
            ),
            (
                json!({"environment": "demo", "colour": 1}),
                "config-value",
                "colour",
            ),
            (
                json!({"environment": "demo", "capabilities": "balance"}),
                "config-value",
                "capabilities",
            ),
            (
                json!({"environment": "demo", "account": "a b"}),
                "config-value",
                "account",
            ),
            (
                json!({"environment": "demo", "settle": "soon"}),
                "config-value",
                "settle",
            ),
            (
                json!({"environment": "demo", "base_url": "http://example.com"}),
                "config-value",
                "base_url",
            ),
        ] {
            let error = table(&given).unwrap_err();
            assert_eq!(error.code.as_str(), code, "{given}");
            assert!(error.cause.contains(word), "{}", error.cause);
        }
    }

    #[test]
    fn a_credential_is_whole_or_its_field_is_named() {
        let read = |kind: &str, fields: &str| {
            Keys::read(&Credential {
                kind: kind.to_owned(),
                fields: fields.to_owned().into(),
            })
        };
        let keys = read(NAME, r#"{"client_id":" id ","client_secret":"hush"}"#).unwrap();
        assert_eq!(keys.client_id, "id");
        for (kind, fields, word) in [
            ("bill", "{}", "kind `bill`"),
            (NAME, "[]", "JSON object"),
            (NAME, r#"{"client_id":"a"}"#, "client_secret"),
            (
                NAME,
                r#"{"client_id":"a:b","client_secret":"hush"}"#,
                "client_id",
            ),
            (
                NAME,
                r#"{"client_id":"a","client_secret":"hu sh"}"#,
                "client_secret",
            ),
        ] {
            let cause = read(kind, fields).unwrap_err().cause;
            assert!(cause.contains(word) && !cause.contains("hu"), "{cause}");
        }
    }
}
