//! A home of its own for a walk: made with the program's own commands, as a user would.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::sandbox::Sandbox;

/// The one connection of a walk.
pub(crate) const CONNECTION: &str = "walk";

/// The names of a home's configuration and of its key.
const CONFIG: &str = "tieout.toml";
const KEY: &str = "tieout.key";

/// What payables need to have chosen.
const PAYABLES_PREFERENCES: &str =
    "lists.create_missing = true\ntransactions.payment_account = \"1090\"\n";

/// Exit statuses of a sync that did its work: done, and done with exceptions.
const DONE: [i32; 2] = [0, 3];

/// What a walk sets itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// How many records go into one bulk call to BILL at most.
    pub(crate) bulk: u32,
    /// How long an unanswered write may still be running over there.
    pub(crate) settle: &'static str,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            bulk: 100,
            settle: "1 second",
        }
    }
}

/// A temporary home.
pub(crate) struct Home {
    folder: TempDir,
    tieout: PathBuf,
}

/// What a command printed, and how it ended.
pub(crate) struct Printed {
    /// Its exit status.
    pub(crate) status: i32,
    /// Its output.
    pub(crate) stdout: String,
    /// Its log.
    pub(crate) stderr: String,
}

impl Home {
    /// Makes a home that is connected to the sandbox: configuration, store, credentials, confirmed mapping.
    pub(crate) fn connected(tieout: &Path, sandbox: &Sandbox) -> Result<Self> {
        Self::connected_in(tieout, sandbox, Manner::default())
    }

    /// The same, with settings of its own.
    pub(crate) fn connected_in(tieout: &Path, sandbox: &Sandbox, manner: Manner) -> Result<Self> {
        let preferences = PAYABLES_PREFERENCES.parse()?;
        let home = Self::of_pair(tieout, sandbox, PAYABLES, manner, preferences)?;
        home.map()?;
        Ok(home)
    }

    /// Makes a home of receivables. Nothing is mapped, and nothing written to the ledger.
    pub(crate) fn receiving(tieout: &Path, sandbox: &Sandbox) -> Result<Self> {
        let (manner, none) = (Manner::default(), toml::Table::new());
        Self::of_pair(tieout, sandbox, RECEIVABLES, manner, none)
    }

    /// Makes a home of receivables with these preferences, and a confirmed mapping.
    pub(crate) fn trading(
        tieout: &Path,
        sandbox: &Sandbox,
        manner: Manner,
        preferences: toml::Table,
    ) -> Result<Self> {
        let home = Self::of_pair(tieout, sandbox, RECEIVABLES, manner, preferences)?;
        home.map()?;
        Ok(home)
    }

    /// The same with Alternative Payments, whose account was given everything.
    pub(crate) fn paid_out(
        tieout: &Path,
        sandbox: &Sandbox,
        manner: Manner,
        preferences: toml::Table,
    ) -> Result<Self> {
        let home = Self::of_pair(tieout, sandbox, PAYOUTS, manner, preferences)?;
        home.map()?;
        Ok(home)
    }

    /// A home of payables on a store elsewhere.
    pub(crate) fn connected_to(
        tieout: &Path,
        sandbox: &Sandbox,
        manner: Manner,
        store: &str,
    ) -> Result<Self> {
        let preferences = PAYABLES_PREFERENCES.parse()?;
        let text = configuration(&sandbox.described, PAYABLES, manner, preferences)?;
        let mut root: toml::Table = text.parse()?;
        let url = [("url".to_owned(), store.into())];
        root.insert("store".to_owned(), toml::Table::from_iter(url).into());
        let home = Self::of_configuration(tieout, &toml::to_string(&root)?)?;
        home.seal(sandbox)?;
        home.map()?;
        Ok(home)
    }

    fn map(&self) -> Result<Printed> {
        self.must(&["map", "suggest", CONNECTION, "--confirm-exact"], None)
    }

    fn of_pair(
        tieout: &Path,
        sandbox: &Sandbox,
        pair: Pair,
        manner: Manner,
        preferences: toml::Table,
    ) -> Result<Self> {
        let text = configuration(&sandbox.described, pair, manner, preferences)?;
        let home = Self::of_configuration(tieout, &text)?;
        home.seal_for(sandbox, pair)?;
        Ok(home)
    }

    /// Makes a home with this configuration: its key, and its store if there is none yet.
    pub(crate) fn of_configuration(tieout: &Path, text: &str) -> Result<Self> {
        let home = Self {
            folder: TempDir::new()?,
            tieout: tieout.to_owned(),
        };
        std::fs::write(home.folder.path().join(CONFIG), text)?;
        home.must(&["init"], None)?;
        Ok(home)
    }

    /// One more home on the same store and with the same key, as another machine has it.
    pub(crate) fn beside(&self, text: &str) -> Result<Self> {
        let home = Self {
            folder: TempDir::new()?,
            tieout: self.tieout.clone(),
        };
        std::fs::copy(self.path().join(KEY), home.path().join(KEY))?;
        std::fs::write(home.path().join(CONFIG), text)?;
        Ok(home)
    }

    /// Gives the store the sandbox's credentials.
    pub(crate) fn seal(&self, sandbox: &Sandbox) -> Result<()> {
        self.seal_for(sandbox, PAYABLES)
    }

    fn seal_for(&self, sandbox: &Sandbox, pair: Pair) -> Result<()> {
        for (system, described) in services(&sandbox.described, pair) {
            // The first kind is the one its maker calls best.
            let Some((kind, fields)) = credential(described) else {
                bail!("the sandbox told no credentials for {system}");
            };
            let set = ["credentials", "set", system, "--kind", kind];
            self.must(&set, Some(&fields.to_string()))?;
        }
        Ok(())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command in this home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.tieout);
        command
            .arg("--home")
            .arg(self.folder.path())
            .args(arguments)
            .env_remove("TIEOUT_HOME")
            .env_remove("TIEOUT_KEY_FILE")
            .env_remove("TIEOUT_PASSPHRASE");
        command
    }

    /// Starts a sync whose output nobody reads.
    pub(crate) fn start_sync(&self) -> Result<Child> {
        self.command(&["sync", CONNECTION, "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting a sync")
    }

    /// Runs a sync to its end and gives its report.
    pub(crate) fn sync(&self) -> Result<Value> {
        let printed = self.run(&["sync", CONNECTION, "--json"], None)?;
        if !DONE.contains(&printed.status) {
            bail!(
                "sync ended with {}: {}\n{}",
                printed.status,
                printed.stderr,
                printed.stdout
            );
        }
        serde_json::from_str(&printed.stdout).context("sync --json printed no JSON")
    }

    /// Runs a command.
    pub(crate) fn run(&self, arguments: &[&str], input: Option<&str>) -> Result<Printed> {
        let mut child = self
            .command(arguments)
            .stdin(if input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting tieout {}", arguments.join(" ")))?;
        if let (Some(text), Some(mut pipe)) = (input, child.stdin.take()) {
            pipe.write_all(text.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        Ok(Printed {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command that must end with 0, or with 3: exceptions are allowed to wait.
    pub(crate) fn must(&self, arguments: &[&str], input: Option<&str>) -> Result<Printed> {
        let printed = self.run(arguments, input)?;
        if !DONE.contains(&printed.status) {
            let command = arguments.join(" ");
            bail!(
                "tieout {command} ended with {}: {}",
                printed.status,
                printed.stderr
            );
        }
        Ok(printed)
    }
}

/// The two systems that a walk connects.
type Pair = [&'static str; 2];

const PAYABLES: Pair = ["netsuite", "bill"];
const RECEIVABLES: Pair = ["netsuite", "invoiced"];
const PAYOUTS: Pair = ["netsuite", "alternative-payments"];

/// Those of the pair, of all the services that the sandbox describes.
fn services(described: &Value, pair: Pair) -> impl Iterator<Item = (&str, &Value)> {
    described
        .as_object()
        .into_iter()
        .flatten()
        .filter(move |(name, service)| pair.contains(&name.as_str()) && service.is_object())
        .map(|(name, service)| (name.as_str(), service))
}

/// A service's credentials: its first field that is an object.
pub(crate) fn credential(service: &Value) -> Option<(&str, &Value)> {
    let fields = service
        .as_object()?
        .iter()
        .find(|(_, value)| value.is_object())?;
    Some((fields.0.as_str(), fields.1))
}

/// A configuration for what the sandbox describes: its plain fields are the settings of each side.
fn configuration(
    described: &Value,
    pair: Pair,
    manner: Manner,
    preferences: toml::Table,
) -> Result<String> {
    let mut connection = toml::Table::new();
    connection.insert("pair".to_owned(), pair.join("-").into());
    for (system, service) in services(described, pair) {
        let mut settings = toml::Table::new();
        for (name, value) in service.as_object().into_iter().flatten() {
            if let Some(text) = value.as_str() {
                settings.insert(name.clone(), text.into());
            }
        }
        settings.insert("credential".to_owned(), system.into());
        settings.insert("settle".to_owned(), manner.settle.into());
        if system == PAYOUTS[1] {
            settings.insert("capabilities".to_owned(), "all".into());
        } else if system != "netsuite" {
            settings.insert("environment".to_owned(), "sandbox".into());
        }
        if system == "invoiced" {
            settings.insert("time_zone".to_owned(), "America/New_York".into());
        }
        if system == "bill" {
            settings.insert("bulk".to_owned(), i64::from(manner.bulk).into());
        }
        connection.insert(system.to_owned(), settings.into());
    }
    connection.insert("preferences".to_owned(), preferences.into());
    let mut connections = toml::Table::new();
    connections.insert(CONNECTION.to_owned(), connection.into());
    let mut root = toml::Table::new();
    root.insert("connections".to_owned(), connections.into());
    Ok(toml::to_string(&root)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sandboxs_words_become_a_configuration() {
        let described = serde_json::json!({
            "control": "http://127.0.0.1:1",
            "netsuite": {"base_url": "http://127.0.0.1:2", "account": "1_SB1", "subsidiary": "3",
                "netsuite-m2m": {"client_id": "c"}},
            "bill": {"base_url": "http://127.0.0.1:3/connect", "organization": "008",
                "bill": {"dev_key": "k"}},
        });
        let text =
            configuration(&described, PAYABLES, Manner::default(), toml::Table::new()).unwrap();
        let table: toml::Table = text.parse().unwrap();
        let walk = &table["connections"][CONNECTION];
        assert_eq!(walk["netsuite"]["subsidiary"].as_str(), Some("3"));
        assert_eq!(walk["bill"]["environment"].as_str(), Some("sandbox"));
        assert!(
            walk["netsuite"].get("netsuite-m2m").is_none(),
            "a secret in the configuration"
        );
        let (kind, _) = credential(&described["netsuite"]).unwrap();
        assert_eq!(kind, "netsuite-m2m");
    }
}
