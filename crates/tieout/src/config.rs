//! `tieout.toml`: read whole, checked against what is known, and refused with the place and the nearest
//! known key where something is unknown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tieout_domain::code::Code;
use tieout_domain::{Book, ConnectionName, IdError, TenantName};
use tieout_flows::preferences::{Approvals, catalogue};
use tieout_flows::{Flow, Preferences};
use tieout_kit::System;
use tieout_systems::Entry;

use crate::failure::Failure;

mod held;
mod openid;
mod store;
mod telemetry;
mod telling;
mod timing;

pub(crate) use held::held;
pub use openid::OpenIdConfig;
pub use store::StoreConfig;
pub use telling::{HookConfig, MailConfig, MailTls, Telling};
pub use timing::Timing;

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it was read.
    pub path: PathBuf,
    /// Tells its text from any other.
    pub digest: [u8; 32],
    /// Where the store lies.
    pub store: StoreConfig,
    /// Where `serve` listens.
    pub listen: String,
    /// How many connections `serve` runs at once.
    pub workers: usize,
    /// Who is told of what happens.
    pub telling: Telling,
    /// The identity provider by which people may sign in.
    pub openid: Option<OpenIdConfig>,
    /// Where traces go, if they go anywhere.
    pub telemetry: Option<String>,
    /// How others reach it, for links and webhooks.
    pub public_url: Option<String>,
    /// Whether mappings of bank and clearing accounts, and replays of money, take two people; as soon as there are
    /// two who may, if nothing is said.
    pub two_people: Option<bool>,
    /// The connections by name.
    pub connections: BTreeMap<ConnectionName, ConnectionConfig>,
}

/// A connection.
#[derive(Clone)]
pub struct ConnectionConfig {
    /// Its pair: `netsuite-bill`.
    pub pair: String,
    /// Whose it is; the installation's own if nothing is said.
    pub tenant: Option<TenantName>,
    /// Whether it runs; `disconnect` switches it off.
    pub enabled: bool,
    /// The ledger and the platform.
    pub ledger: &'static Entry,
    /// See `ledger`.
    pub platform: &'static Entry,
    /// Each side's table.
    pub ledger_settings: Map<String, Value>,
    /// See `ledger_settings`.
    pub platform_settings: Map<String, Value>,
    /// When it runs by itself.
    pub timing: Timing,
    /// The company's time zone.
    pub time_zone: TimeZone,
    /// The preferences.
    pub preferences: Preferences,
    /// The preferences that are named in the file, by dotted key.
    pub named_preferences: Vec<String>,
    /// The template that the connection rests on, and the preferences that it alone names.
    pub template: Option<(String, Vec<String>)>,
}

impl std::fmt::Debug for ConnectionConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionConfig")
            .field("pair", &self.pair)
            .finish_non_exhaustive()
    }
}

impl ConnectionConfig {
    /// The flows of its pair, in the order in which a run takes them.
    #[must_use]
    pub fn flows(&self) -> Vec<Box<dyn Flow>> {
        let system = self.platform.system;
        let of = |book| tieout_flows::of(book, system.ways);
        system.book.map_or_else(Vec::new, of)
    }

    /// How many calls its systems allow in an hour, by name, where they limit them so.
    #[must_use]
    pub fn allowances(&self) -> BTreeMap<String, u64> {
        let systems = [self.ledger.system, self.platform.system].into_iter();
        let allowed = |system: &System| Some((system.id.to_string(), system.calls_an_hour?.into()));
        systems.filter_map(allowed).collect()
    }

    /// Their names.
    #[must_use]
    pub fn flow_names(&self) -> Vec<String> {
        let flows = self.flows();
        flows.iter().map(|flow| flow.name().to_owned()).collect()
    }
}

/// The time zone of a connection that names none: BILL's days are US Pacific, and so are NetSuite's servers.
const TIME_ZONE: &str = "America/Los_Angeles";

/// The key by which a ledger's table tells that the connection is of receivables.
const RECEIVABLES: &str = "receivables";

impl Config {
    /// Reads and checks the file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => crate::home::missing(path),
            _ => Failure::file("can't read", path, &error),
        })?;
        Self::parse(&text, path)
    }

    /// Checks the text of a file.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Failure> {
        let reader = Reader { text, path };
        let root: toml::Table = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| reader.line_at(span.start));
            let cause = format!("{}:{line}: {}", path.display(), error.message());
            Failure::usage(Code::new("config-syntax"), cause)
        })?;
        reader.only_known("", &root, &["store", "server", "templates", "connections"])?;
        let server = reader.table(&root, "", "server")?;
        reader.only_known(
            "server",
            &server,
            &[
                "listen",
                "public_url",
                "two_people",
                "workers",
                "mail",
                "hooks",
                "openid",
                "telemetry",
            ],
        )?;
        let templates = reader.table(&root, "", "templates")?;
        let mut connections = BTreeMap::new();
        for (name, value) in reader.table(&root, "", "connections")? {
            let at = format!("connections.{name}");
            let parsed = name.parse::<ConnectionName>();
            let parsed = parsed.map_err(|error| reader.wrong(&at, &error.to_string()))?;
            let toml::Value::Table(table) = value else {
                return Err(reader.wrong(&at, "it must be a table"));
            };
            connections.insert(parsed, reader.templated(&at, &table, &templates)?);
        }
        Ok(Self {
            path: path.to_owned(),
            digest: Sha256::digest(text.as_bytes()).into(),
            store: reader.store(&root)?,
            listen: reader.text_or(&server, "server", "listen", "127.0.0.1:8700")?,
            workers: reader.workers(&server)?,
            telling: reader.telling(&server)?,
            openid: reader.openid(&server)?,
            telemetry: reader.telemetry(&server)?,
            public_url: reader.optional_text(&server, "server", "public_url")?,
            two_people: reader.optional_switch(&server, "server", "two_people")?,
            connections,
        })
    }

    /// What of `[server]` uses a credential: mail, hooks, the identity provider.
    pub fn uses_itself(&self, credential: &str) -> Vec<String> {
        let openid = self.openid.as_ref().map(|openid| &openid.credential);
        let openid = openid.filter(|name| *name == credential);
        let mut used = self.telling.naming(credential);
        used.extend(openid.map(|_| "server.openid".to_owned()));
        used
    }

    /// The connections of a tenant.
    pub fn of_tenant(&self, tenant: &TenantName) -> Vec<(&ConnectionName, &ConnectionConfig)> {
        let all = self.connections.iter();
        all.filter(|(_, it)| it.tenant.as_ref() == Some(tenant))
            .collect()
    }

    /// The connections of these names; all of them if none is named.
    pub fn chosen(
        &self,
        names: &[String],
    ) -> Result<Vec<(&ConnectionName, &ConnectionConfig)>, Failure> {
        if self.connections.is_empty() {
            let cause = format!("{} has no connection yet", self.path.display());
            return Err(Failure::usage(Code::new("no-connection"), cause));
        }
        for name in names {
            if !self.connections.keys().any(|known| known.as_str() == name) {
                let known: Vec<_> = self
                    .connections
                    .keys()
                    .map(ConnectionName::as_str)
                    .collect();
                let cause = format!("`{name}` is no connection; there are {}", known.join(", "));
                return Err(Failure::usage(Code::new("unknown-connection"), cause));
            }
        }
        Ok(self
            .connections
            .iter()
            .filter(|(name, _)| names.is_empty() || names.iter().any(|n| n == name.as_str()))
            .collect())
    }
}

/// A ledger's table with what follows from the pair. What is written there by hand is no more than a reminder.
fn of_pair(mut table: Map<String, Value>, ledger: &Entry, platform: &Entry) -> Map<String, Value> {
    let mut known = ledger.system.settings.iter();
    if known.any(|setting| setting.name == RECEIVABLES) {
        let receivables = platform.system.book == Some(Book::Receivables);
        table.insert(RECEIVABLES.to_owned(), receivables.into());
    }
    table
}

/// Lays one table over another: what both hold is the upper one's, tables within tables likewise.
fn lay_over(under: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(inner)) => lay_over(there, inner),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Reads tables and knows where in the file they stand.
struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Reader<'_> {
    fn line_at(&self, byte: usize) -> usize {
        self.text[..byte.min(self.text.len())].matches('\n').count() + 1
    }

    /// The line on which the last part of a dotted key first stands as a key, after its table's heading.
    fn line_of(&self, dotted: &str) -> Option<usize> {
        let (table, key) = dotted.rsplit_once('.').unwrap_or(("", dotted));
        let mut inside = table.is_empty();
        for (number, line) in self.text.lines().enumerate() {
            let line = line.trim_start();
            if let Some(heading) = line.strip_prefix('[') {
                let heading = heading.split(']').next().unwrap_or_default().trim();
                if heading == dotted {
                    return Some(number + 1);
                }
                inside = heading == table || heading.starts_with(&format!("{dotted}."));
                if inside && heading != table {
                    return Some(number + 1);
                }
            } else if inside {
                let named = line.split(['=', '.', ' ']).next().unwrap_or_default();
                if named == key {
                    return Some(number + 1);
                }
            }
        }
        None
    }

    fn place(&self, dotted: &str) -> String {
        match self.line_of(dotted) {
            Some(line) => format!("{}:{line}: `{dotted}`", self.path.display()),
            None => format!("{}: `{dotted}`", self.path.display()),
        }
    }

    fn wrong(&self, dotted: &str, why: &str) -> Failure {
        let cause = format!("{}: {why}", self.place(dotted));
        Failure::usage(Code::new("config-value"), cause)
    }

    fn only_known(&self, at: &str, table: &toml::Table, known: &[&str]) -> Result<(), Failure> {
        for key in table.keys() {
            if known.contains(&key.as_str()) {
                continue;
            }
            let dotted = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}.{key}")
            };
            let near = known
                .iter()
                .map(|name| (strsim::damerau_levenshtein(name, key), *name))
                .min()
                .filter(|(distance, _)| *distance <= 3.max(key.len() / 3));
            let hint = match near {
                Some((_, name)) => format!("did you mean `{name}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            let cause = format!("{} is no known key; {hint}", self.place(&dotted));
            return Err(Failure::usage(Code::new("config-unknown-key"), cause));
        }
        Ok(())
    }

    fn table(&self, parent: &toml::Table, at: &str, key: &str) -> Result<toml::Table, Failure> {
        let dotted = if at.is_empty() {
            key.to_owned()
        } else {
            format!("{at}.{key}")
        };
        match parent.get(key) {
            None => Ok(toml::Table::new()),
            Some(toml::Value::Table(table)) => Ok(table.clone()),
            Some(_) => Err(self.wrong(&dotted, "it must be a table")),
        }
    }

    fn optional_text(
        &self,
        table: &toml::Table,
        at: &str,
        key: &str,
    ) -> Result<Option<String>, Failure> {
        match table.get(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => {
                let why = format!("it must be text in quotes, not {}", other.type_str());
                Err(self.wrong(&format!("{at}.{key}"), &why))
            }
        }
    }

    fn optional_switch(
        &self,
        table: &toml::Table,
        at: &str,
        key: &str,
    ) -> Result<Option<bool>, Failure> {
        match table.get(key) {
            None => Ok(None),
            Some(toml::Value::Boolean(on)) => Ok(Some(*on)),
            Some(_) => Err(self.wrong(&format!("{at}.{key}"), "it must be true or false")),
        }
    }

    /// Whose it is, or of whose it is told.
    fn tenant(&self, table: &toml::Table, at: &str) -> Result<Option<TenantName>, Failure> {
        let text = self.optional_text(table, at, "tenant")?;
        let read = text.map(|text| text.parse()).transpose();
        read.map_err(|error: IdError| self.wrong(&format!("{at}.tenant"), &error.to_string()))
    }

    fn text_or(
        &self,
        table: &toml::Table,
        at: &str,
        key: &str,
        default: &str,
    ) -> Result<String, Failure> {
        Ok(self
            .optional_text(table, at, key)?
            .unwrap_or_else(|| default.to_owned()))
    }

    /// A connection over the template that it names: its own keys win, table by table.
    fn templated(
        &self,
        at: &str,
        table: &toml::Table,
        templates: &toml::Table,
    ) -> Result<ConnectionConfig, Failure> {
        let Some(name) = self.optional_text(table, at, "template")? else {
            return self.connection(at, table);
        };
        let Some(toml::Value::Table(template)) = templates.get(&name) else {
            let known: Vec<_> = templates.keys().map(String::as_str).collect();
            let why = format!("`{name}` is no template; there are {}", known.join(", "));
            return Err(self.wrong(&format!("{at}.template"), &why));
        };
        let mut own = table.clone();
        own.remove("template");
        let mut whole = template.clone();
        lay_over(&mut whole, &own);
        let mut connection = self.connection(at, &whole)?;
        let (_, own) = self.preferences(at, &own)?;
        let named = connection.named_preferences.iter();
        let inherited = named.filter(|key| !own.contains(key)).cloned().collect();
        connection.template = Some((name, inherited));
        Ok(connection)
    }

    fn connection(&self, at: &str, table: &toml::Table) -> Result<ConnectionConfig, Failure> {
        let Some(pair) = self.optional_text(table, at, "pair")? else {
            let names: Vec<_> = tieout_systems::pairs().map(|(name, ..)| name).collect();
            return Err(self.wrong(
                at,
                &format!("`pair` is missing: one of {}", names.join(", ")),
            ));
        };
        let Some((ledger, platform)) = tieout_systems::pair(&pair) else {
            let names: Vec<_> = tieout_systems::pairs().map(|(name, ..)| name).collect();
            let why = format!("`{pair}` is no pair; there are {}", names.join(", "));
            return Err(self.wrong(&format!("{at}.pair"), &why));
        };
        let (l, p) = (ledger.system.id.as_str(), platform.system.id.as_str());
        let known = [
            "pair",
            "tenant",
            "enabled",
            "schedule",
            "schedules",
            "quiet",
            "whole",
            "time_zone",
            "preferences",
            l,
            p,
        ];
        self.only_known(at, table, &known)?;
        let zone = self.text_or(table, at, "time_zone", TIME_ZONE)?;
        let time_zone = TimeZone::get(&zone).map_err(|_| {
            let why = format!("`{zone}` is no time zone; write one such as America/New_York");
            self.wrong(&format!("{at}.time_zone"), &why)
        })?;
        let (preferences, named_preferences) = self.preferences(at, table)?;
        let enabled = self.optional_switch(table, at, "enabled")?.unwrap_or(true);
        Ok(ConnectionConfig {
            ledger_settings: of_pair(self.settings(at, table, ledger.system)?, ledger, platform),
            platform_settings: self.settings(at, table, platform.system)?,
            timing: self.timing(at, table)?,
            time_zone,
            preferences,
            named_preferences,
            enabled,
            template: None,
            tenant: self.tenant(table, at)?,
            pair,
            ledger,
            platform,
        })
    }

    /// A system's table, as JSON, with only keys that the system knows. What they hold is its to check.
    fn settings(
        &self,
        at: &str,
        table: &toml::Table,
        system: &System,
    ) -> Result<Map<String, Value>, Failure> {
        let id = system.id.as_str();
        if !table.contains_key(id) {
            return Err(self.wrong(at, &format!("the table `[{at}.{id}]` is missing")));
        }
        // Whose days a system's dates are is the connection's to say, where its own table doesn't.
        let time_zone = table.get("time_zone").cloned();
        let mut table = self.table(table, at, id)?;
        let known: Vec<_> = system.settings.iter().map(|setting| setting.name).collect();
        if let Some(zone) = time_zone.filter(|_| known.contains(&"time_zone")) {
            table.entry("time_zone").or_insert(zone);
        }
        self.only_known(&format!("{at}.{id}"), &table, &known)?;
        for setting in system.settings.iter().filter(|setting| setting.required) {
            if !table.contains_key(setting.name) {
                let why = format!("`{}` is missing: {}", setting.name, setting.help);
                return Err(self.wrong(&format!("{at}.{id}"), &why));
            }
        }
        match serde_json::to_value(table) {
            Ok(Value::Object(map)) => Ok(map),
            _ => Err(self.wrong(&format!("{at}.{id}"), "it holds what can't be read")),
        }
    }

    fn preferences(
        &self,
        at: &str,
        table: &toml::Table,
    ) -> Result<(Preferences, Vec<String>), Failure> {
        let at = format!("{at}.preferences");
        let given = self.table(table, at.trim_end_matches(".preferences"), "preferences")?;
        let entries = catalogue();
        let mut headings: Vec<&str> = entries
            .iter()
            .filter_map(|entry| Some(entry.key.split_once('.')?.0))
            .collect();
        headings.dedup();
        self.only_known(&at, &given, &headings)?;
        let mut named = Vec::new();
        let mut preferences = Preferences::default();
        for heading in headings {
            let group = self.table(&given, &at, heading)?;
            let known: Vec<_> = entries
                .iter()
                .filter_map(|entry| entry.key.strip_prefix(heading)?.strip_prefix('.'))
                .collect();
            self.only_known(&format!("{at}.{heading}"), &group, &known)?;
            for (key, value) in group {
                let dotted = format!("{heading}.{key}");
                let json = serde_json::to_value(&value).unwrap_or(Value::Null);
                preferences
                    .set_value(&dotted, json)
                    .map_err(|error| self.wrong(&format!("{at}.{dotted}"), &error.to_string()))?;
                named.push(dotted);
            }
        }
        if preferences.transactions.approvals != Approvals::Leave {
            let why = "BILL documents no way to name a bill's approvers; write \"leave\" and set up \
                       approval policies in BILL";
            return Err(self.wrong(&format!("{at}.transactions.approvals"), why));
        }
        Ok((preferences, named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
[templates.entity]
pair = "netsuite-bill"
netsuite = { account = "1234567", credential = "n" }
bill = { environment = "production", credential = "b" }
[templates.entity.preferences.transactions]
partly_paid = "balance"
closed_period = "next-open"
[connections.one]
template = "entity"
netsuite = { subsidiary = "3" }
bill = { organization = "0081" }
[connections.two]
template = "entity"
netsuite = { subsidiary = "4" }
bill = { organization = "0082" }
[connections.two.preferences.transactions]
closed_period = "hold"
"#;

    #[test]
    fn s229_a_connection_rests_on_its_template_and_its_own_keys_win() {
        let config = Config::parse(FILE, Path::new("tieout.toml")).unwrap();
        let of = |name: &str| &config.connections[&name.parse::<ConnectionName>().unwrap()];
        assert_eq!(of("one").ledger_settings["account"], "1234567");
        assert_eq!(of("two").ledger_settings["subsidiary"], "4");
        let value = |name: &str, key: &str| of(name).preferences.get(key).unwrap();
        assert_eq!(value("one", "transactions.closed_period"), "next-open");
        assert_eq!(value("two", "transactions.closed_period"), "hold");
        assert_eq!(value("two", "transactions.partly_paid"), "balance");
        let (name, inherited) = of("two").template.clone().unwrap();
        assert_eq!(name, "entity");
        assert_eq!(inherited, ["transactions.partly_paid"]);
    }

    #[test]
    fn what_a_ledger_must_know_of_the_pair_follows_from_it() {
        let file = |by_hand: &str| {
            format!(
                "[connections.ar]\npair = \"netsuite-invoiced\"\n\
                 netsuite = {{ account = \"1234567\", credential = \"n\"{by_hand} }}\n\
                 invoiced = {{ credential = \"i\", environment = \"sandbox\", time_zone = \"UTC\" }}\n"
            )
        };
        for by_hand in ["", ", receivables = true", ", receivables = false"] {
            let config = Config::parse(&file(by_hand), Path::new("tieout.toml")).unwrap();
            let connection = config.connections.values().next().unwrap();
            assert_eq!(connection.ledger_settings[RECEIVABLES], true);
            assert_eq!(
                connection.flow_names(),
                ["customers", "invoices", "credit-memos", "payments"]
            );
        }
        let config = Config::parse(FILE, Path::new("tieout.toml")).unwrap();
        let payables = config.connections.values().next().unwrap();
        assert_eq!(payables.ledger_settings[RECEIVABLES], false);
        assert!(payables.flow_names().contains(&"bills".to_owned()));
    }

    #[test]
    fn an_unknown_template_or_key_of_one_is_refused() {
        let wrong = FILE.replacen("template = \"entity\"", "template = \"entities\"", 1);
        let failure = Config::parse(&wrong, Path::new("tieout.toml")).unwrap_err();
        assert!(
            failure.cause.contains("`entities` is no template"),
            "{}",
            failure.cause
        );
        let wrong = FILE.replacen("partly_paid", "partly_payd", 1);
        let failure = Config::parse(&wrong, Path::new("tieout.toml")).unwrap_err();
        assert_eq!(failure.code, Code::new("config-unknown-key"));
    }
}
