//! `tieout connect`: gathers what a connection needs, signs in on both sides, and only then stores it.

mod all;
mod given;
mod guided;
pub(super) mod moving_over;
mod rows;
pub(crate) mod steps;
mod table;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tieout_desk::pause;
use tieout_domain::code::Code;
use tieout_domain::port::Identity;
use tieout_domain::{ConnectionName, Fault, Side};
use tieout_engine::Connection;
use tieout_kit::System;
use tieout_kit::system::CredentialKind;
use tieout_store::Fact;

use self::given::Given;
use self::moving_over::MovingArgs;
use super::{credentials, ping, preferences};
use crate::assemble::{self, Shared, actor};
use crate::cli::Global;
use crate::config::{Config, held};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::other_sync;
use crate::output;
use crate::progress::progress;

/// What `connect` takes. What neither a flag, the file nor the environment (`TIEOUT_NETSUITE_ACCOUNT`, …)
/// gives is asked for on a terminal.
#[derive(Debug, Clone, Args)]
pub struct ConnectArgs {
    /// The connection's name, such as acme-us.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Which two systems it connects, such as netsuite-bill.
    #[arg(long)]
    pub pair: Option<String>,
    /// The connection's table from a file, TOML or JSON; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// A value of the table, such as netsuite.account=1234567; after := it is read as TOML, such as
    /// bill.bulk:=50. May be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub values: Vec<String>,
    /// The sealed credential for the ledger's side.
    #[arg(long, value_name = "NAME")]
    pub ledger_credential: Option<String>,
    /// The sealed credential for the platform's side.
    #[arg(long, value_name = "NAME")]
    pub platform_credential: Option<String>,
    /// Change a connection that is there already; what isn't given stays as it is.
    #[arg(long)]
    pub replace: bool,
    /// Store it without signing in on both sides.
    #[arg(long)]
    pub no_check: bool,
    /// Connect every `[connections.NAME]` of the file, or every row of a CSV file; goes on after one that fails.
    #[arg(long, requires = "from", conflicts_with_all = ["name", "guided"])]
    pub all: bool,
    /// Ask step by step, up to a first plan; so it is on a terminal unless a file is given. Through a pipe,
    /// each line of standard input is an answer.
    #[arg(long, conflicts_with_all = ["from", "replace", "no_check"])]
    pub guided: bool,
    /// How moving over goes on.
    #[command(flatten)]
    pub moving: MovingArgs,
}

/// Gathers, checks, stores.
pub async fn run(global: &Global, args: &ConnectArgs) -> Result<Exit, Failure> {
    if let (true, Some(file)) = (args.all, &args.from) {
        all::refuse_input(file)?;
        return all::run(global, args, file).await;
    }
    let home = Home::open(&global.place()).await?;
    if args.moving.moving_over
        && let Some(name) = stored(&home, args.name.as_deref())
    {
        return moving_over::run(global, &args.moving, args.guided, &name).await;
    }
    if args.moving.status || args.moving.abandon {
        let cause = "there is no such connection yet that could be moving over";
        return Err(Failure::usage(Code::new("unknown-connection"), cause));
    }
    // Where standard input is the table, it can't hold the answers.
    let from_input = args.from.as_deref() == Some(Path::new("-"));
    let asking = Asking {
        terminal: !from_input && std::io::stdin().is_terminal(),
    };
    let guided = args.guided
        || asking.terminal
            && args.from.is_none()
            && !args.replace
            && !args.no_check
            && !global.json;
    let values = given::values(args)?;
    let given = if guided {
        given::begin(args, values, &home.config, &asking)?
    } else {
        given::gather(args, values, &home.config, &asking)?
    };
    let mut connecting = Connecting {
        home: &home,
        given,
        asking,
        sealed: Vec::new(),
        moving_over: args.moving.moving_over,
        actor: actor(),
    };
    let done = if guided {
        connecting.guide(global).await
    } else {
        connecting.through(global, args).await
    };
    let stored = matches!(done, Ok(Exit::Done));
    connecting.unseal(stored).await;
    if stored && args.moving.moving_over {
        let name = connecting.given.name;
        return moving_over::run(global, &args.moving, guided, &name).await;
    }
    done
}

/// The connection of this name, if it is stored and not disconnected.
fn stored(home: &Home, name: Option<&str>) -> Option<ConnectionName> {
    let all = home.config.connections.iter();
    let mut found = all.filter(|(known, config)| config.enabled && Some(known.as_str()) == name);
    found.next().map(|(name, _)| name.clone())
}

/// Asks a person, where there is one.
struct Asking {
    terminal: bool,
}

impl Asking {
    /// The answer, without blanks around it; empty where the person just went on.
    fn ask(&self, question: &str) -> Result<String, Failure> {
        if !self.terminal {
            return Ok(String::new());
        }
        eprint!("{question}: ");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map_err(|error| {
            Failure::failed(
                Code::new("file"),
                format!("can't read from the terminal: {error}"),
            )
        })?;
        Ok(answer.trim().to_owned())
    }
}

/// What was found on both sides.
type Found = [(&'static str, &'static System, Result<Identity, Fault>); 2];

/// What looking at both sides came to.
struct Look {
    /// Nothing where it was not wanted.
    found: Option<Found>,
}

struct Connecting<'h> {
    home: &'h Home,
    given: Given,
    asking: Asking,
    /// Credentials that were sealed on the way; taken back where nothing is stored.
    sealed: Vec<String>,
    /// It is stored paused, and goes live by the steps of moving over.
    moving_over: bool,
    /// Who connects, as the history names them.
    actor: String,
}

impl Connecting<'_> {
    async fn through(&mut self, global: &Global, args: &ConnectArgs) -> Result<Exit, Failure> {
        let mut look = self.credentials_and_look(args).await?;
        while let Some((system, fault)) = look.found.as_ref().and_then(first_fault) {
            self.tell(global, look.found.as_ref());
            if !self.correct(system, &fault).await? {
                self.not_stored(global, look.found.as_ref());
                return Ok(Exit::Side);
            }
            look = self.look(args).await?;
        }
        self.conclude(global, &look).await
    }

    /// Sees to both credentials, and looks at both sides.
    async fn credentials_and_look(&mut self, args: &ConnectArgs) -> Result<Look, Failure> {
        self.credential(self.given.ledger).await?;
        self.credential(self.given.platform).await?;
        self.look(args).await
    }

    /// Looks at both sides with what would be stored. Stores nothing.
    async fn look(&self, args: &ConnectArgs) -> Result<Look, Failure> {
        let text = table::written(&self.home.config.path, &self.given)?;
        // What would be refused at the next command is refused now.
        let config = Config::parse(&text, &self.home.config.path)?;
        if args.no_check {
            return Ok(Look { found: None });
        }
        let found = self.check(&config).await?;
        let goes_live = !self.given.existing || self.given.disconnected;
        if first_fault(&found).is_none() {
            refuse_mixed(Some(&found))?;
            if goes_live && !self.moving_over {
                self.refuse_beside_another_sync(&config).await?;
            }
        }
        Ok(Look { found: Some(found) })
    }

    /// Stores it, unless a side would not let us in.
    async fn conclude(&mut self, global: &Global, look: &Look) -> Result<Exit, Failure> {
        let found = look.found.as_ref();
        self.tell(global, found);
        if found.is_some_and(|found| first_fault(found).is_some()) {
            self.not_stored(global, found);
            return Ok(Exit::Side);
        }
        if self.moving_over {
            let store = self.home.store.connection(&self.given.name);
            let reason = moving_over::REASON.to_owned();
            pause::say(&store, Fact::Paused { reason }, &self.actor).await?;
        }
        // Another may have been stored since this one was looked at.
        let path = &self.home.config.path;
        let held = held(path).await?;
        let text = table::written(path, &self.given)?;
        let stored = Config::parse(&text, path)?;
        preferences::replace(path, &text)?;
        drop(held);
        self.note().await?;
        let name = self.given.name.as_str();
        let known = self.home.config.connections.get(&self.given.name);
        let before = known.map(|known| known.preferences.clone());
        let before = before.unwrap_or_default();
        preferences::version(self.home, &stored, name, &before, &self.actor).await?;
        self.done(global, found);
        Ok(Exit::Done)
    }

    /// Sees to it that a side's table names a credential: the one named; else the one that the environment
    /// or a person tells, sealed under the connection's and the system's name.
    async fn credential(&mut self, system: &'static System) -> Result<(), Failure> {
        if let Some(name) = self.given.text(system, "credential")
            && !self.was_forgotten(&name).await?
        {
            return self.known_credential(system, &name).await;
        }
        let (kind, fields) = match given::credential_from_environment(system)? {
            Some(found) => found,
            None if self.asking.terminal => self.ask_credential(system)?,
            None => return Err(no_credential(system)),
        };
        self.seal(system, kind, fields).await
    }

    /// Disconnecting forgot the credential that the table still names: it is given anew.
    async fn was_forgotten(&self, name: &str) -> Result<bool, Failure> {
        if !self.given.disconnected {
            return Ok(false);
        }
        let rows = self.home.store.credentials().list().await?;
        Ok(rows.iter().all(|row| row.name != name))
    }

    /// A named credential must be there and be of a kind that the system takes.
    async fn known_credential(&self, system: &System, name: &str) -> Result<(), Failure> {
        let rows = self.home.store.credentials().list().await?;
        let Some(row) = rows.iter().find(|row| row.name == name) else {
            return Err(tieout_store::StoreError::CredentialMissing {
                name: name.to_owned(),
            }
            .into());
        };
        if system.credentials.iter().any(|kind| kind.name == row.kind) {
            return Ok(());
        }
        let cause = format!(
            "credential `{name}` is of kind `{}`; {} takes {}",
            row.kind,
            system.title,
            kinds(system)
        );
        Err(Failure::usage(Code::new("credential-kind"), cause))
    }

    fn ask_credential(
        &self,
        system: &'static System,
    ) -> Result<(&'static CredentialKind, SecretString), Failure> {
        eprintln!("{}: how tieout signs in", system.title);
        let kind = match system.credentials {
            [only] => only,
            several => {
                let question = format!("kind of credential ({})", kinds(system));
                let answer = self.asking.ask(&question)?;
                let found = several.iter().find(|kind| kind.name == answer);
                let first = several.first().filter(|_| answer.is_empty());
                match found.or(first) {
                    Some(kind) => kind,
                    None => credentials::known_kind(&answer)?,
                }
            }
        };
        Ok((kind, credentials::prompt(kind)?))
    }

    async fn seal(
        &mut self,
        system: &'static System,
        kind: &'static CredentialKind,
        fields: SecretString,
    ) -> Result<(), Failure> {
        let taken = self.home.store.credentials().list().await?;
        let plain = format!("{}-{}", self.given.name, system.id);
        // Others may use what has that name already: it is never overwritten.
        let name = std::iter::once(plain.clone())
            .chain((2..).map(|number| format!("{plain}-{number}")))
            .find(|name| taken.iter().all(|row| row.name != *name))
            .unwrap_or(plain);
        credentials::seal(self.home, &name, kind, fields, &self.actor).await?;
        self.sealed.push(name.clone());
        self.given.put(system, "credential", Value::String(name));
        Ok(())
    }

    /// Takes back what was sealed on the way and isn't used: all of it where nothing was stored.
    async fn unseal(&mut self, stored: bool) {
        for name in std::mem::take(&mut self.sealed) {
            let sides = [self.given.ledger, self.given.platform];
            let names = |side: &System| self.given.text(side, "credential").as_ref() == Some(&name);
            if stored && sides.into_iter().any(names) {
                continue;
            }
            if let Err(error) = self
                .home
                .store
                .credentials()
                .remove(&name, &self.actor)
                .await
            {
                tracing::warn!("the credential `{name}` is still there: {error}");
            }
        }
    }

    /// The connection as a configuration has it.
    async fn put_together(&self, config: &Config) -> Result<Connection, Failure> {
        let name = &self.given.name;
        let Some(config) = config.connections.get(name) else {
            let cause = format!("`{name}` was not put together");
            return Err(Failure::failed(Code::new("unknown-connection"), cause));
        };
        let (vault, shared) = (self.home.vault().await?, Shared::new()?);
        assemble::connection(self.home, &vault, &shared, name, config, progress(true)).await
    }

    /// Two syncs make everything twice: nothing new goes live beside BILL's own (scenario 249).
    async fn refuse_beside_another_sync(&self, config: &Config) -> Result<(), Failure> {
        let connection = self.put_together(config).await?;
        let ledger = &connection.sides.ledger;
        let refused = other_sync::refuse(self.home, &self.given.name, ledger).await;
        refused.map_err(|failure| Failure {
            cause: format!("{}; nothing was stored", failure.cause),
            ..failure
        })
    }

    /// Signs in on both sides with what would be stored.
    async fn check(&self, config: &Config) -> Result<Found, Failure> {
        let connection = self.put_together(config).await?;
        let sides = &connection.sides;
        let (ledger, platform) =
            tokio::join!(sides.ledger.whole.ping(), sides.platform.whole.ping());
        Ok([
            ("ledger", self.given.ledger, ledger),
            ("platform", self.given.platform, platform),
        ])
    }

    /// Lets a person put right what a side declined. False where there is nobody, or they give up.
    async fn correct(&mut self, system: &'static System, fault: &Fault) -> Result<bool, Failure> {
        if !self.asking.terminal {
            return Ok(false);
        }
        let keys: Vec<_> = system.settings.iter().map(|setting| setting.name).collect();
        let question = format!(
            "{}: {fault}\nwhich to change ({}; nothing gives up)",
            system.title,
            keys.join(", ")
        );
        loop {
            let key = self.asking.ask(&question)?;
            if key.is_empty() {
                return Ok(false);
            }
            let Some(setting) = system.settings.iter().find(|setting| setting.name == key) else {
                continue;
            };
            if setting.name == "credential" {
                let (kind, fields) = self.ask_credential(system)?;
                self.seal(system, kind, fields).await?;
            } else {
                let answer = self
                    .asking
                    .ask(&format!("{} ({})", setting.label, setting.help))?;
                self.given.put(system, setting.name, given::value(&answer));
            }
            return Ok(true);
        }
    }

    fn tell(&self, global: &Global, found: Option<&Found>) {
        if global.json || global.quiet {
            return;
        }
        for (_, system, result) in found.into_iter().flatten() {
            ping::tell(self.given.name.as_str(), system.id.as_str(), result);
        }
    }

    fn not_stored(&self, global: &Global, found: Option<&Found>) {
        if global.json {
            output::json(&self.document(false, found));
        } else {
            eprintln!(
                "nothing was stored: `{}` can't sign in on both sides",
                self.given.name
            );
        }
    }

    fn done(&self, global: &Global, found: Option<&Found>) {
        if global.json && !self.moving_over {
            output::json(&self.document(true, found));
        }
        if global.json || global.quiet {
            return;
        }
        let name = &self.given.name;
        output::line(&format!(
            "stored `{name}` in {}",
            self.home.config.path.display()
        ));
        if self.moving_over {
            return;
        }
        output::line("what to do next:");
        if found.is_none() {
            output::line(&format!(
                "  tieout ping {name}         signs in on both sides"
            ));
        }
        output::line(&format!(
            "  tieout map suggest {name}  shows which accounts belong together"
        ));
        output::line(&format!(
            "  tieout plan {name}         shows what a sync would do"
        ));
    }

    fn document(&self, stored: bool, found: Option<&Found>) -> Value {
        let sides: Vec<_> = found
            .into_iter()
            .flatten()
            .map(|(side, system, result)| {
                ping::entry(self.given.name.as_str(), side, system.id.as_str(), result)
            })
            .collect();
        json!({
            "connection": self.given.name, "stored": stored, "checked": found.is_some(),
            "sides": sides, "file": self.home.config.path.display().to_string(),
        })
    }

    async fn note(&self) -> Result<(), Failure> {
        let done = if self.given.existing {
            "changed"
        } else {
            "connected"
        };
        let text = format!("{done} `{}` ({})", self.given.name, self.given.pair);
        self.home
            .store
            .installation()
            .commit(&self.actor, vec![Fact::Note { text }])
            .await?;
        Ok(())
    }
}

fn first_fault(found: &Found) -> Option<(&'static System, Fault)> {
    found
        .iter()
        .find_map(|(_, system, result)| Some((*system, result.as_ref().err()?.clone())))
}

/// Test data never meets real money: both sides are for production, or neither is (design of the
/// configuration: environments are never mixed).
fn refuse_mixed(found: Option<&Found>) -> Result<(), Failure> {
    let Some(found) = found else { return Ok(()) };
    let environment = |at: usize| -> Option<&str> {
        let identity = found[at].2.as_ref().ok()?;
        identity
            .details
            .iter()
            .find(|(label, _)| label == "environment")
            .map(|(_, v)| v.as_str())
    };
    let (Some(ledger), Some(platform)) = (environment(0), environment(1)) else {
        return Ok(());
    };
    if (ledger == "production") == (platform == "production") {
        return Ok(());
    }
    let cause = format!(
        "{} is a {ledger} account and {} a {platform} organization; nothing was stored",
        found[0].1.title, found[1].1.title
    );
    Err(Failure::usage(Code::new("environments-mixed"), cause))
}

fn no_credential(system: &System) -> Failure {
    let fields: Vec<_> = system
        .credentials
        .iter()
        .map(|kind| {
            let names: Vec<_> = kind
                .fields
                .iter()
                .filter(|field| field.required)
                .map(|field| given::variable(system, field.name))
                .collect();
            names.join(", ")
        })
        .collect();
    let side = if system.side == Side::Ledger {
        "ledger"
    } else {
        "platform"
    };
    let cause = format!(
        "{} has no credential: name a sealed one (--{side}-credential NAME), or set {}",
        system.title,
        fields.join("; or ")
    );
    Failure::usage(Code::new("connect-incomplete"), cause)
}

fn kinds(system: &System) -> String {
    let names: Vec<_> = system.credentials.iter().map(|kind| kind.name).collect();
    names.join(" or ")
}

/// A table of the configuration, as JSON.
type Values = Map<String, Value>;
