//! The table of a NetSuite side in the configuration, checked before anything is sent.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tieout_domain::RemoteId;
use tieout_domain::code::Code;
use tieout_kit::{ConnectError, Understood};
use url::Url;

/// What a connection to one account needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) account: AccountId,
    pub(crate) subsidiary: Option<RemoteId>,
    /// Stands for all of the account's hosts, where it is given.
    pub(crate) base_url: Option<String>,
    /// How long an unanswered write may still be running over there.
    pub(crate) settle: Duration,
    /// The most calls at once.
    pub(crate) concurrency: usize,
    /// Only bills booked to these payables accounts; empty means all.
    pub(crate) payables_accounts: Vec<RemoteId>,
    /// Whether the connection is of receivables: what the role needs depends on it.
    pub(crate) receivables: bool,
    /// The script that hands out files, where one is installed.
    pub(crate) files: Option<Script>,
    /// The script id of the custom record with the preferences of BILL's own sync, in lower case.
    pub(crate) preferences_record: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    account: Option<String>,
    subsidiary: Option<Text>,
    #[serde(rename = "credential")]
    _credential: Option<String>,
    base_url: Option<String>,
    settle: Option<String>,
    concurrency: Option<usize>,
    #[serde(default)]
    payables_accounts: Vec<Text>,
    #[serde(default)]
    receivables: bool,
    preferences_record: Option<String>,
    pdf_script: Option<String>,
    pdf_deploy: Option<String>,
}

/// A RESTlet and its deployment, by their script ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) id: String,
    pub(crate) deployment: String,
}

/// The deployment of the script that `suitescript/` installs.
pub(crate) const FILES_DEPLOYMENT: &str = "customdeploy_tieout_files";

impl Script {
    fn of(id: Option<&str>, deployment: Option<&str>) -> Result<Option<Self>, ConnectError> {
        let Some(id) = id else {
            let alone = deployment.map(|text| {
                wrong(
                    "pdf_deploy",
                    text,
                    "give `pdf_script` too, or leave both out",
                )
            });
            return alone.map_or(Ok(None), Err);
        };
        let deployment = deployment.unwrap_or(FILES_DEPLOYMENT);
        Ok(Some(Self {
            id: script_id("pdf_script", "customscript", id)?,
            deployment: script_id("pdf_deploy", "customdeploy", deployment)?,
        }))
    }
}

/// An id that people write with or without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Number(u64),
    Text(String),
}

impl Text {
    fn into_id(self, key: &str) -> Result<Option<RemoteId>, ConnectError> {
        let text = match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.trim().to_owned(),
        };
        if text.is_empty() {
            return Ok(None);
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Some(RemoteId::new(text)));
        }
        Err(wrong(key, &text, "give the internal id, a whole number"))
    }
}

impl Settings {
    pub(crate) fn from_table(table: &Map<String, Value>) -> Result<Self, ConnectError> {
        let table: Table =
            serde_json::from_value(Value::Object(table.clone())).map_err(|error| ConnectError {
                code: Code::new("config-value"),
                cause: format!("the NetSuite settings can't be read: {error}"),
            })?;
        let account = table
            .account
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| ConnectError {
                code: Code::new("config-missing"),
                cause: "`account` is missing: give the account id from Setup > Company > Company \
                        Information, such as 1234567 or 1234567_SB1"
                    .to_owned(),
            })?;
        let concurrency = table.concurrency.unwrap_or(4);
        if !(1..=50).contains(&concurrency) {
            return Err(wrong(
                "concurrency",
                &concurrency.to_string(),
                "give 1 to 50",
            ));
        }
        let subsidiary = table
            .subsidiary
            .map(|id| id.into_id("subsidiary"))
            .transpose()?
            .flatten();
        let mut payables_accounts = Vec::new();
        for id in table.payables_accounts {
            payables_accounts.extend(id.into_id("payables_accounts")?);
        }
        Ok(Self {
            account: AccountId::parse(&account)?,
            subsidiary,
            base_url: table.base_url.as_deref().map(base_url).transpose()?,
            settle: duration("settle", table.settle.as_deref().unwrap_or("15 minutes"))?,
            concurrency,
            payables_accounts,
            receivables: table.receivables,
            files: Script::of(table.pdf_script.as_deref(), table.pdf_deploy.as_deref())?,
            preferences_record: table
                .preferences_record
                .as_deref()
                .map(|id| script_id("preferences_record", "customrecord", id))
                .transpose()?,
        })
    }

    /// Where the record and query services and the token endpoint are.
    pub(crate) fn services(&self) -> String {
        self.base_url
            .clone()
            .unwrap_or_else(|| self.account.services_host())
    }

    /// Where the services around tokens are: who am I, and the first step of asking for a token.
    pub(crate) fn token_services(&self) -> String {
        self.base_url
            .clone()
            .unwrap_or_else(|| self.account.restlets_host())
    }

    /// Where the hosts of an account are told to anybody.
    pub(crate) fn discovery(&self) -> String {
        let host = self.base_url.as_deref().unwrap_or(DISCOVERY_HOST);
        format!(
            "{host}/rest/datacenterurls?account={}",
            self.account.as_str()
        )
    }
}

/// The one host that belongs to no account.
const DISCOVERY_HOST: &str = "https://rest.netsuite.com";

/// Reads the account however it was pasted, and says which host and environment follow from it.
pub(crate) fn understand(table: &Map<String, Value>) -> Result<Understood, ConnectError> {
    let settings = Settings::from_table(table)?;
    let account = &settings.account;
    Ok(Understood {
        kept: vec![("account", account.as_str().to_owned())],
        follows: vec![
            ("account ID", account.as_str().to_owned()),
            ("host", settings.services()),
            ("environment", account.environment().to_owned()),
        ],
    })
}

/// A script id, of the kind that its beginning tells: it becomes part of an address.
fn script_id(key: &str, beginning: &str, text: &str) -> Result<String, ConnectError> {
    let id = text.trim().to_ascii_lowercase();
    let fits = id
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if fits && id.starts_with(beginning) && id.len() <= 60 {
        Ok(id)
    } else {
        let rule = format!(
            "give the ID as NetSuite's pages under Customization show it, which begins with {beginning}"
        );
        Err(wrong(key, text, &rule))
    }
}

fn wrong(key: &str, value: &str, rule: &str) -> ConnectError {
    ConnectError {
        code: Code::new("config-value"),
        cause: format!("`{key}` can't be `{value}`: {rule}"),
    }
}

/// No request is on its way for longer.
const LONGEST: Duration = Duration::from_hours(24);

fn duration(key: &str, text: &str) -> Result<Duration, ConnectError> {
    let rule = "write a length of time up to a day, such as \"15 minutes\"";
    let span: jiff::SignedDuration = text.trim().parse().map_err(|_| wrong(key, text, rule))?;
    let span = Duration::try_from(span).map_err(|_| wrong(key, text, rule))?;
    // Longer than any request may be on its way, and nothing would ever be sent again.
    let may_be = span <= LONGEST;
    may_be.then_some(span).ok_or_else(|| wrong(key, text, rule))
}

/// Plain HTTP is accepted for loopback only: a token must not travel in the clear.
fn base_url(text: &str) -> Result<String, ConnectError> {
    let rule = "give an https:// address without query (http:// for loopback only)";
    let url = Url::parse(text.trim()).map_err(|_| wrong("base_url", text, rule))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if safe && bare && url.password().is_none() {
        Ok(url.as_str().trim_end_matches('/').to_owned())
    } else {
        Err(wrong("base_url", text, rule))
    }
}

/// An account's id, in the one form it is kept in: upper-case with an underscore, `1234567_SB1`.
///
/// Hosts want the other form, `1234567-sb1`; signatures of token-based authentication want this one
/// (README §Accounts and hosts; scenario 228).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountId(String);

impl AccountId {
    /// Reads either form, or a pasted address of one of the account's pages.
    pub(crate) fn parse(text: &str) -> Result<Self, ConnectError> {
        let text = text.trim();
        let rule = "give the account id (1234567, 1234567_SB1) or paste one of the addresses under \
                    Setup > Company > Company Information > Company URLs";
        let label = if text.contains("://") || text.contains('.') {
            let address = if text.contains("://") {
                text.to_owned()
            } else {
                format!("https://{text}")
            };
            let url = Url::parse(&address).map_err(|_| wrong("account", text, rule))?;
            let host = url.host_str().unwrap_or_default().to_owned();
            let label = host
                .strip_suffix(".netsuite.com")
                .and_then(|rest| rest.split_once('.'))
                .map(|(label, _)| label.to_owned());
            label.ok_or_else(|| wrong("account", text, rule))?
        } else {
            text.to_owned()
        };
        // The id becomes part of a host name: nothing but letters, digits and single separators may pass.
        let fits = label
            .split(['_', '-'])
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !fits || label.len() > 40 {
            return Err(wrong("account", text, rule));
        }
        Ok(Self(label.to_ascii_uppercase().replace('-', "_")))
    }

    /// `1234567_SB1`: the realm of signatures, and the account in keys and markers.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// `1234567-sb1`: the first label of the account's hosts.
    pub(crate) fn host_label(&self) -> String {
        self.0.to_ascii_lowercase().replace('_', "-")
    }

    /// The account's own address of the record and query services.
    pub(crate) fn services_host(&self) -> String {
        format!("https://{}.suitetalk.api.netsuite.com", self.host_label())
    }

    /// The account's own address of scripts and of the services around tokens.
    pub(crate) fn restlets_host(&self) -> String {
        format!("https://{}.restlets.api.netsuite.com", self.host_label())
    }

    /// The account's own address of the pages that people use.
    pub(crate) fn pages_host(&self) -> String {
        format!("https://{}.app.netsuite.com", self.host_label())
    }

    /// The documented address of the account's token endpoint: the audience of every assertion, also when
    /// the request goes to another address, so that a wrong account is refused.
    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}{TOKEN_PATH}", self.services_host())
    }

    /// What kind of account its id says it is.
    pub(crate) fn environment(&self) -> &'static str {
        let suffix = self.0.rsplit_once('_').map_or("", |(_, suffix)| suffix);
        if suffix.starts_with("SB") {
            "sandbox"
        } else if suffix.starts_with("RP") {
            "release preview"
        } else if self.0.starts_with("TSTDRV") || self.0.starts_with("TD") {
            "test drive"
        } else {
            "production"
        }
    }
}

/// The path of every RESTlet.
pub(crate) const RESTLETS: &str = "/app/site/hosting/restlet.nl";

/// The path of the token endpoint.
pub(crate) const TOKEN_PATH: &str = "/services/rest/auth/oauth2/v1/token";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(value: Value) -> Result<Settings, ConnectError> {
        let Value::Object(map) = value else {
            panic!("an object")
        };
        Settings::from_table(&map)
    }

    #[test]
    fn s228_an_account_is_understood_in_every_form_it_is_written() {
        for text in [
            "1234567_SB1",
            "1234567-sb1",
            " 1234567_sb1 ",
            "https://1234567-sb1.app.netsuite.com/app/center/card.nl",
            "1234567-sb1.suitetalk.api.netsuite.com",
        ] {
            let account = AccountId::parse(text).unwrap();
            assert_eq!(account.as_str(), "1234567_SB1", "{text}");
            assert_eq!(
                account.services_host(),
                "https://1234567-sb1.suitetalk.api.netsuite.com",
                "{text}"
            );
        }
        assert_eq!(
            AccountId::parse("tstdrv1234567").unwrap().environment(),
            "test drive"
        );
        assert_eq!(
            AccountId::parse("1234567-rp1").unwrap().as_str(),
            "1234567_RP1"
        );
        for text in [
            "evil.com/x",
            "1234567/..",
            "a b",
            "_SB1",
            "1234567__SB1",
            "https://evil.com",
            "",
        ] {
            assert!(AccountId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn settings_are_checked_and_name_the_key_at_fault() {
        let settings = table(
            json!({"account": "1234567", "subsidiary": 3, "credential": "x",
            "base_url": "http://127.0.0.1:9101/", "settle": "1 second"}),
        )
        .unwrap();
        assert_eq!(settings.subsidiary, Some(RemoteId::new("3")));
        assert_eq!(settings.services(), "http://127.0.0.1:9101");
        assert_eq!(settings.settle, Duration::from_secs(1));
        for (value, word) in [
            (json!({}), "account"),
            (json!({"account": "1", "subsidiary": "US"}), "subsidiary"),
            (
                json!({"account": "1", "base_url": "http://example.com"}),
                "base_url",
            ),
            (json!({"account": "1", "settle": "soon"}), "settle"),
            (json!({"account": "1", "concurrency": 0}), "concurrency"),
            (json!({"account": "1", "sorcery": true}), "sorcery"),
            (
                json!({"account": "1", "pdf_script": "customscript_x&y"}),
                "pdf_script",
            ),
            (
                json!({"account": "1", "pdf_deploy": "customdeploy_x"}),
                "pdf_deploy",
            ),
        ] {
            let error = table(value).unwrap_err();
            assert!(error.cause.contains(word), "{}", error.cause);
        }
        let settings = table(json!({"account": "1"})).unwrap();
        assert_eq!(settings.settle, Duration::from_secs(900));
    }
}
