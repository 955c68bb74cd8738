//! `connect` as a guided first hour: one step after the other, each checked before the next, and nothing
//! stored in `tieout.toml` before the first plan has been seen. A stopped one goes on where it was.

mod fields;
pub(super) mod kept;
mod review;
pub(super) mod talk;

use serde_json::Value;
use tieout_desk::pause;
use tieout_desk::preferences::questions;
use tieout_domain::Book;
use tieout_domain::check::Status;
use tieout_domain::code::Code;
use tieout_domain::other_sync::OtherSync;
use tieout_domain::port::Ports;
use tieout_engine::{Connection, RunOptions, mapping};
use tieout_flows::Preferences;
use tieout_flows::matching::Confidence;
use tieout_kit::System;
use tieout_kit::guide::Purpose;
use tieout_kit::system::CredentialKind;
use tieout_store::{Fact, MapEntry};

use self::talk::{ask, say, yes};
use super::{Connecting, given, kinds, refuse_mixed, table};
use crate::assemble::{self, Shared};
use crate::cli::Global;
use crate::commands::{ping, preferences, sync};
use crate::config::{Config, held};
use crate::failure::{Exit, Failure};
use crate::guide;
use crate::other_sync;
use crate::pending;

/// How many steps there are.
const STEPS: usize = 9;

/// How often one credential is tried before a person is asked to look first: a token is locked by five
/// refusals.
const TRIES: usize = 3;

impl Connecting<'_> {
    /// Goes through all steps.
    pub(super) async fn guide(&mut self, global: &Global) -> Result<Exit, Failure> {
        self.take_up()?;
        let (ledger, platform) = (self.given.ledger, self.given.platform);
        step(1, &format!("{}: which account", ledger.title));
        self.settings(ledger)?;
        step(2, &format!("{}: how tieout signs in", ledger.title));
        self.guided_credential(ledger).await?;
        step(3, &format!("{}: signing in", ledger.title));
        let listed = self.sign_in(ledger).await?;
        step(4, &format!("{}: which part of the account", ledger.title));
        self.choose(ledger, listed)?;
        step(
            5,
            &format!("{}: environment, credential, organization", platform.title),
        );
        self.settings(platform)?;
        self.guided_credential(platform).await?;
        let listed = self.sign_in(platform).await?;
        self.choose(platform, listed)?;
        let config = self.config()?;
        let found = self.check(&config).await?;
        for (_, system, result) in &found {
            ping::tell(self.given.name.as_str(), system.id.as_str(), result);
        }
        if let Some((_, fault)) = super::first_fault(&found) {
            let cause = format!("{fault}; nothing was stored, what you gave is kept");
            return Err(Failure {
                code: fault.code(),
                cause,
                exit: Exit::Side,
            });
        }
        refuse_mixed(Some(&found))?;
        self.keep()?;
        step(6, "What is there on both sides");
        say("Both sides are read now; nothing is written to either.");
        let connection = self.connection().await?;
        let plan =
            tieout_engine::plan(&connection, RunOptions::new(sync::run_id(), "plan")).await?;
        review::counts(&connection).await?;
        review::matches(&connection, &plan).await?;
        step(7, "Accounts, dimensions and funding accounts");
        let confirmed = self.mappings(&connection).await?;
        step(8, "Preferences");
        let mut other_is_on = self.preferences(&connection).await?;
        let seen = other_sync::check(self.home, &self.given.name, &connection.sides.ledger).await;
        other_is_on |= seen.status == Status::Failed;
        self.keep()?;
        step(9, "The first plan");
        let connection = self.connection().await?;
        if confirmed {
            // Whether what BILL lacks is made there has been said only now.
            mapping::propose(&connection, true, &sync::run_id()).await?;
        }
        let plan =
            tieout_engine::plan(&connection, RunOptions::new(sync::run_id(), "plan")).await?;
        sync::print_plan(&plan, global.quiet);
        say("Nothing of it has been written. A sync that you start yourself writes it.");
        if !yes("Store this connection?", true)? {
            return Err(talk::stopped(&self.given.name));
        }
        let held = held(&self.home.config.path).await?;
        let text = table::written(&self.home.config.path, &self.given)?;
        if self.moving_over {
            let reason = super::moving_over::REASON.to_owned();
            pause::say(
                &connection.store,
                Fact::Paused { reason },
                &assemble::actor(),
            )
            .await?;
        } else if other_is_on {
            pause(&connection).await?;
        }
        preferences::replace(&self.home.config.path, &text)?;
        drop(held);
        self.note().await?;
        let before = Preferences::default();
        let config = Config::parse(&text, &self.home.config.path)?;
        let name = self.given.name.as_str();
        preferences::version(self.home, &config, name, &before, &self.actor).await?;
        kept::forget(&self.home.folder, &self.given.name);
        self.done(global, Some(&found));
        Ok(Exit::Done)
    }

    /// Takes up what an earlier, stopped connect of this name was given.
    fn take_up(&mut self) -> Result<(), Failure> {
        if let Some(values) = kept::read(&self.home.folder, &self.given.name)? {
            say(&format!(
                "Going on with `{}` where it was stopped. What was given then is not asked again.",
                self.given.name
            ));
            self.given.fill(values);
        }
        Ok(())
    }

    /// Keeps what has been given so far: names and settings, no secret.
    fn keep(&mut self) -> Result<(), Failure> {
        // What has been sealed is used when this goes on.
        self.sealed.clear();
        kept::write(&self.home.folder, &self.given.name, &self.given.values)
    }

    /// Asks for the settings that a side needs before anybody can sign in.
    fn settings(&mut self, system: &'static System) -> Result<(), Failure> {
        loop {
            for setting in system
                .settings
                .iter()
                .filter(|s| s.required && s.name != "credential")
            {
                if self.given.text(system, setting.name).is_some() {
                    continue;
                }
                say(&format!(
                    "{}: where to find it: {}",
                    setting.label, setting.help
                ));
                let answer = ask(&self.given.name, setting.label)?;
                self.given.put(system, setting.name, given::value(&answer));
            }
            match (system.understand)(&self.given.table(system)) {
                Ok(understood) => {
                    for (key, value) in understood.kept {
                        self.given.put(system, key, Value::String(value));
                    }
                    for (label, value) in understood.follows {
                        say(&format!("  {label}: {value}"));
                    }
                    return self.keep();
                }
                Err(error) => {
                    say(&format!("That can't be right: {}", error.cause));
                    for setting in system
                        .settings
                        .iter()
                        .filter(|s| s.required && s.name != "credential")
                    {
                        self.given.put(system, setting.name, Value::Null);
                    }
                }
            }
        }
    }

    /// A credential: the one that is named or sealed already, else a new one, sealed at once.
    async fn guided_credential(&mut self, system: &'static System) -> Result<(), Failure> {
        if let Some(name) = self.given.text(system, "credential") {
            self.known_credential(system, &name).await?;
            say(&format!("The sealed credential `{name}` is used."));
            return Ok(());
        }
        if let Some((kind, fields)) = given::credential_from_environment(system)? {
            self.seal(system, kind, fields).await?;
            return self.keep();
        }
        self.new_credential(system).await
    }

    async fn new_credential(&mut self, system: &'static System) -> Result<(), Failure> {
        let kind = self.credential_kind(system)?;
        if let Some(guide) = guide::find(system, kind, Purpose::Setup) {
            say(&format!("In {}:\n{}", system.title, guide::text(guide)));
        }
        loop {
            let fields = self.fields(system, kind).await?;
            match self.seal(system, kind, fields).await {
                Ok(()) => {
                    let name = format!("{}-{}", self.given.name, system.id);
                    pending::forget(self.home, &pending::next_name(&name), &self.actor).await?;
                    return self.keep();
                }
                Err(failure) if failure.code == Code::new("credential-malformed") => {
                    say(&format!("That can't be right: {}", failure.cause));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn credential_kind(&self, system: &'static System) -> Result<&'static CredentialKind, Failure> {
        let [first, _, ..] = system.credentials else {
            return system
                .credentials
                .first()
                .ok_or_else(|| super::no_credential(system));
        };
        loop {
            let question = format!(
                "Which kind of credential: {}? Nothing means {}",
                kinds(system),
                first.name
            );
            let answer = ask(&self.given.name, &question)?;
            let found = system.credentials.iter().find(|kind| kind.name == answer);
            match found.or(Some(first).filter(|_| answer.is_empty())) {
                Some(kind) => return Ok(kind),
                None => say(&format!("`{answer}` is none of them.")),
            }
        }
    }

    /// Signs in, and gives what the account lists to choose from. A refused credential is asked for again, and
    /// never tried often enough to be locked.
    async fn sign_in(
        &mut self,
        system: &'static System,
    ) -> Result<Vec<tieout_domain::port::Choice>, Failure> {
        for tried in 1.. {
            let ports = self.ports(system).await?;
            let fault = match ports.whole.choices().await {
                Ok(choices) => {
                    say(&format!("Signed in to {}.", system.title));
                    return Ok(choices);
                }
                Err(fault) => fault,
            };
            let code = fault.code();
            say(&format!("{}: {fault}\n  fix: {}", system.title, code.fix()));
            let cause = format!("{fault}; nothing was stored, what you gave is kept");
            let failed = Failure {
                code,
                cause,
                exit: Exit::Side,
            };
            let denied = matches!(fault, tieout_domain::Fault::Denied { .. });
            if tried >= TRIES || !denied || !yes("Enter the credential anew?", true)? {
                return Err(failed);
            }
            self.new_credential(system).await?;
        }
        Ok(Vec::new())
    }

    /// Lets a person choose from what the account lists, where there is anything to choose.
    fn choose(
        &mut self,
        system: &'static System,
        choices: Vec<tieout_domain::port::Choice>,
    ) -> Result<(), Failure> {
        let Some(first) = choices.first() else {
            say("The account has no parts to choose from.");
            return Ok(());
        };
        let given = self.given.text(system, first.setting);
        let known = |value: &str| choices.iter().find(|choice| choice.value == value);
        let kept = given.as_deref().and_then(known);
        if kept.is_none() || choices.len() > 1 {
            say(&format!("{} lists:", system.title));
            for choice in &choices {
                say(&format!("  {} = {}", choice.value, choice.name));
            }
        }
        if let Some(choice) = kept {
            say(&format!("Chosen: {} = {}", choice.value, choice.name));
            return self.keep();
        }
        loop {
            let answer = ask(
                &self.given.name,
                &format!("Which {} (its id)", first.setting),
            )?;
            if let Some(choice) = known(&answer) {
                say(&format!("Chosen: {} = {}", choice.value, choice.name));
                self.given.put(system, first.setting, Value::String(answer));
                return self.keep();
            }
            say(&format!("`{answer}` is none of them."));
        }
    }

    /// One side, put together from what has been given so far.
    pub(super) async fn ports(&self, system: &'static System) -> Result<Ports, Failure> {
        let vault = self.home.vault().await?;
        let shared = Shared::new()?;
        let settings = self.given.table(system);
        let name = &self.given.name;
        assemble::one_side(self.home, &vault, &shared, name, system, &settings).await
    }

    /// The configuration as it would be stored.
    fn config(&self) -> Result<Config, Failure> {
        let text = table::written(&self.home.config.path, &self.given)?;
        Config::parse(&text, &self.home.config.path)
    }

    /// The connection as it would be stored.
    async fn connection(&self) -> Result<Connection, Failure> {
        self.put_together(&self.config()?).await
    }

    /// Shows what belongs together; true if what matches one to one was confirmed.
    async fn mappings(&self, connection: &Connection) -> Result<bool, Failure> {
        let run = sync::run_id();
        let proposed = mapping::propose(connection, false, &run).await?;
        let exact = |confidence: Confidence| confidence == Confidence::Exact;
        let (sure, others): (Vec<_>, Vec<_>) = proposed
            .into_iter()
            .partition(|suggestion| exact(suggestion.confidence));
        say(&format!("{} match one to one.", sure.len()));
        for suggestion in sure.iter().take(review::SHOWN) {
            say(&format!(
                "  {} {} = {}",
                suggestion.kind, suggestion.from_label, suggestion.to_label
            ));
        }
        let confirmed = sure.is_empty() || yes("Confirm them?", true)?;
        if confirmed {
            mapping::propose(connection, true, &run).await?;
        }
        for suggestion in others
            .iter()
            .filter(|s| s.confidence != Confidence::Missing)
        {
            let question = format!(
                "{} {} may be {} ({}). Confirm it?",
                suggestion.kind, suggestion.from_label, suggestion.to_label, suggestion.why
            );
            if yes(&question, false)? {
                let wanted = |entry: &MapEntry| {
                    entry.kind == suggestion.kind.as_str() && entry.from == suggestion.from
                };
                let actor = assemble::actor();
                tieout_desk::mapping::confirm(&connection.store, wanted, &actor).await?;
            }
        }
        let missing = others
            .iter()
            .filter(|s| s.confidence == Confidence::Missing)
            .count();
        if missing > 0 {
            say(&format!(
                "{missing} have no counterpart: `tieout map list` and `tieout map set` later."
            ));
        }
        Ok(confirmed)
    }

    /// Asks for the preferences that decide what goes where; the other sync's own are offered first. True if
    /// that sync may still be on.
    async fn preferences(&mut self, connection: &Connection) -> Result<bool, Failure> {
        let config = self.config()?;
        let mut chosen = preferences::of(&config, self.given.name.as_str())?;
        let others = match connection.sides.ledger.whole.other_syncs().await {
            Ok(others) => others,
            Err(fault) => {
                say(&format!(
                    "Whether BILL's own sync is on could not be read: {fault}\nMake sure that it is off before \
                     you go live."
                ));
                Vec::new()
            }
        };
        for other in &others {
            say(&preferences::shown_other(other));
            if other.may_be_active() {
                say("  That sync is on. Switch it off before you go live: two syncs pay twice.");
            }
            if yes("Take over what it says?", true)? {
                chosen = preferences::taken_over(&chosen, other).0;
            }
        }
        let book = self.given.platform.book.unwrap_or(Book::Payables);
        if book == Book::Payables {
            review::payment_accounts(connection).await?;
        }
        for (key, question) in questions(book) {
            loop {
                let now = chosen
                    .get(key)
                    .map(|value| tieout_desk::preferences::plain(&value))
                    .unwrap_or_default();
                let answer = ask(&self.given.name, &format!("{question} [{now}]"))?;
                if answer.is_empty() {
                    break;
                }
                match chosen.set(key, &answer) {
                    Ok(()) => break,
                    Err(error) => say(&error.to_string()),
                }
            }
        }
        let before = Preferences::default();
        for (key, _, value) in tieout_desk::preferences::differences(&before, &chosen) {
            self.given.put_preference(key, value);
        }
        Ok(others.iter().any(OtherSync::may_be_active))
    }
}

/// Two syncs pay twice: nothing is written while the other may be on, until a person says otherwise
/// (scenario 249).
async fn pause(connection: &Connection) -> Result<(), Failure> {
    let reason = "BILL's own sync is still on".to_owned();
    pause::say(
        &connection.store,
        Fact::Paused { reason },
        &assemble::actor(),
    )
    .await?;
    let name = connection.store.name();
    say(&format!(
        "`{name}` is paused, because BILL's own sync is still on. `tieout connect {name} --moving-over` stops that, links \
         what it made, and goes live."
    ));
    Ok(())
}

fn step(number: usize, title: &str) {
    say(&format!("\nStep {number} of {STEPS}. {title}"));
}
