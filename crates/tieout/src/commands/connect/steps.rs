//! A connect that goes on by pages: each form that a person sends is one step, and what was given lies in the home
//! between the steps, where the command line's guide finds it too.
//!
//! It is stored as soon as both sides let us in, and paused: mappings, preferences and the first plan are then looked at
//! as those of any other connection, and nothing is written before a person lets it go live.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tieout_desk::pause;
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;
use tieout_domain::port::{Choice, Identity};
use tieout_kit::System;
use tieout_kit::system::{CredentialKind, Setting};
use tieout_store::Fact;

use super::guided::kept;
use super::{Asking, Connecting, Values, first_fault, given, refuse_mixed, table};
use crate::commands::credentials::certificate::{self, MakingArgs};
use crate::commands::{credentials, preferences};
use crate::config::{Config, held};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::pending::{self, Fields};

/// Why a connection that was just stored doesn't write yet.
pub(crate) const REASON: &str = "not live yet: somebody has to look at its first plan";

/// A connect that is under way.
pub(crate) struct Steps<'h> {
    connecting: Connecting<'h>,
}

/// How a side stands.
pub(crate) struct SideStanding {
    /// The settings that a person gives, each with its value so far.
    pub(crate) settings: Vec<(&'static Setting, String)>,
    /// What follows from them, label and value; why they don't fit where they don't.
    pub(crate) understood: Result<Vec<(&'static str, String)>, String>,
    /// The sealed credential that it names.
    pub(crate) credential: Option<String>,
    /// Sealed credentials that would fit.
    pub(crate) fitting: Vec<String>,
    /// The kind whose key pair was made and waits for the upload's id, with its certificate.
    pub(crate) certificate: Option<(&'static CredentialKind, String)>,
}

/// The pairs there are.
pub(crate) fn pairs() -> Vec<String> {
    given::pairs()
}

/// The templates of the configuration's file.
///
/// # Errors
/// Where the file can't be read.
pub(crate) fn templates(home: &Home) -> Result<Vec<String>, Failure> {
    let document = given::document(&home.config.path)?;
    Ok(match document.get("templates") {
        Some(Value::Object(templates)) => templates.keys().cloned().collect(),
        _ => Vec::new(),
    })
}

/// The connects that were begun and not ended, here or on the command line.
///
/// # Errors
/// Where the home can't be read.
pub(crate) fn under_way(home: &Home) -> Result<Vec<ConnectionName>, Failure> {
    kept::all(&home.folder)
}

impl<'h> Steps<'h> {
    /// Begins one.
    ///
    /// # Errors
    /// `connection-exists`; an unknown pair or template.
    pub(crate) async fn begin(
        home: &'h Home,
        name: &ConnectionName,
        (pair, template): (&str, &str),
        by: &str,
    ) -> Result<(), Failure> {
        if kept::read(&home.folder, name)?.is_some() {
            return Ok(());
        }
        let mut values = Values::new();
        values.insert("pair".to_owned(), Value::from(pair));
        if !template.is_empty() {
            values.insert("template".to_owned(), Value::from(template));
        }
        let steps = Self::of(home, name, values, by)?;
        steps.keep()?;
        steps.note("begun").await
    }

    /// The one of this name that is under way.
    ///
    /// # Errors
    /// Where what was kept can't be read, or doesn't fit the configuration any more.
    pub(crate) fn open(
        home: &'h Home,
        name: &ConnectionName,
        by: &str,
    ) -> Result<Option<Self>, Failure> {
        let Some(values) = kept::read(&home.folder, name)? else {
            return Ok(None);
        };
        Self::of(home, name, values, by).map(Some)
    }

    fn of(
        home: &'h Home,
        name: &ConnectionName,
        values: Values,
        by: &str,
    ) -> Result<Self, Failure> {
        let told = |values: &Values, _: Option<&_>, template: &Values| {
            let text = given::text_of(values, "pair").or_else(|| given::text_of(template, "pair"));
            Ok(text.unwrap_or_default().to_owned())
        };
        let given = given::put_together(name.clone(), values, &home.config, false, told)?;
        Ok(Self {
            connecting: Connecting {
                home,
                given,
                asking: Asking { terminal: false },
                sealed: Vec::new(),
                moving_over: false,
                actor: by.to_owned(),
            },
        })
    }

    fn keep(&self) -> Result<(), Failure> {
        let (home, given) = (self.connecting.home, &self.connecting.given);
        kept::write(&home.folder, &given.name, &given.values)
    }

    async fn note(&self, what: &str) -> Result<(), Failure> {
        let Connecting {
            home, given, actor, ..
        } = &self.connecting;
        let text = format!("connecting `{}` ({}): {what}", given.name, given.pair);
        let installation = home.store.installation();
        installation
            .commit(actor, vec![Fact::Note { text }])
            .await?;
        Ok(())
    }

    /// The pair.
    pub(crate) fn pair(&self) -> &str {
        &self.connecting.given.pair
    }

    /// The ledger's and the platform's system.
    pub(crate) fn systems(&self) -> [&'static System; 2] {
        [self.connecting.given.ledger, self.connecting.given.platform]
    }

    /// The side of this system.
    ///
    /// # Errors
    /// `config-value` where the pair has none.
    pub(crate) fn system(&self, id: &str) -> Result<&'static System, Failure> {
        let mut systems = self.systems().into_iter();
        systems
            .find(|system| system.id.as_str() == id)
            .ok_or_else(|| {
                let cause = format!("`{}` has no side `{id}`", self.pair());
                Failure::usage(Code::new("config-value"), cause)
            })
    }

    /// How a side stands. Sends nothing.
    ///
    /// # Errors
    /// The store's and the vault's.
    pub(crate) async fn side(&self, system: &'static System) -> Result<SideStanding, Failure> {
        let Connecting { home, given, .. } = &self.connecting;
        let settings = asked(system).map(|setting| {
            let value = given.text(system, setting.name);
            (setting, value.unwrap_or_default())
        });
        let understood = (system.understand)(&given.table(system));
        let rows = home.store.credentials().list().await?.into_iter();
        let fits = |kind: &str| system.credentials.iter().any(|known| known.name == kind);
        let fitting = rows.filter(|row| fits(&row.kind) && !pending::is_aside(home, &row.name));
        Ok(SideStanding {
            settings: settings.collect(),
            understood: understood
                .map(|understood| understood.follows)
                .map_err(|error| error.cause),
            credential: given.text(system, "credential"),
            fitting: fitting.map(|row| row.name).collect(),
            certificate: self.certificate(system).await?,
        })
    }

    async fn certificate(
        &self,
        system: &'static System,
    ) -> Result<Option<(&'static CredentialKind, String)>, Failure> {
        let (home, name) = (self.connecting.home, self.credential_name(system));
        let Some((kind, _)) = pending::opened(home, &pending::next_name(&name)).await? else {
            return Ok(None);
        };
        let file = home.folder.join(format!("{name}.pem"));
        let text = std::fs::read_to_string(&file);
        Ok(Some((
            kind,
            text.map_err(|error| Failure::file("can't read", &file, &error))?,
        )))
    }

    /// The name under which a credential that is entered here is sealed.
    fn credential_name(&self, system: &System) -> String {
        format!("{}-{}", self.connecting.given.name, system.id)
    }

    /// Takes a side's settings, if they fit.
    ///
    /// # Errors
    /// What the system says of them.
    pub(crate) async fn set(
        &mut self,
        system: &'static System,
        values: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let given = &mut self.connecting.given;
        for setting in asked(system) {
            if let Some(text) = values.get(setting.name) {
                given.put(system, setting.name, given::value(text));
            }
        }
        let understood = (system.understand)(&given.table(system))
            .map_err(|error| Failure::usage(error.code, error.cause))?;
        for (key, value) in understood.kept {
            given.put(system, key, Value::String(value));
        }
        self.keep()?;
        self.note(&format!("settings of {}", system.title)).await
    }

    /// Takes a credential that is sealed already, once it has signed in.
    ///
    /// # Errors
    /// `credential-kind`; what signing in comes to.
    pub(crate) async fn use_credential(
        &mut self,
        system: &'static System,
        name: &str,
    ) -> Result<(), Failure> {
        self.connecting.known_credential(system, name).await?;
        let given = &mut self.connecting.given;
        given.put(system, "credential", Value::from(name));
        self.signed_in(system).await
    }

    /// Seals a new credential, and takes it once it has signed in. One that is refused is not kept.
    ///
    /// # Errors
    /// `credential-malformed`; what signing in comes to.
    pub(crate) async fn enter_credential(
        &mut self,
        system: &'static System,
        kind: &str,
        fields: &SecretString,
    ) -> Result<(), Failure> {
        let kind = known_kind(system, kind)?;
        let home = self.connecting.home;
        let next = pending::next_name(&self.credential_name(system));
        let mut entered = Fields::default();
        if let Some((of, made)) = pending::opened(home, &next).await?
            && of.name == kind.name
        {
            entered = made;
        }
        entered.take(Fields::read(fields.expose_secret())?, kind)?;
        self.connecting.seal(system, kind, entered.json()).await?;
        let done = self.signed_in(system).await;
        self.connecting.unseal(done.is_ok()).await;
        done?;
        let actor = &self.connecting.actor;
        pending::forget(home, &next, actor).await
    }

    /// Signs in on a side; what it names then is kept.
    async fn signed_in(&mut self, system: &'static System) -> Result<(), Failure> {
        self.choices(system).await?;
        self.keep()?;
        let name = self.connecting.given.text(system, "credential");
        let name = name.unwrap_or_default();
        self.note(&format!("`{name}` signs in to {}", system.title))
            .await
    }

    /// Puts a side's credential back: another one is to be given.
    ///
    /// # Errors
    /// Where the home can't be written.
    pub(crate) fn forget_credential(&mut self, system: &'static System) -> Result<(), Failure> {
        let given = &mut self.connecting.given;
        given.put(system, "credential", Value::Null);
        self.keep()
    }

    /// Makes a key pair for a kind of credential that has one; the private key is sealed at once.
    ///
    /// # Errors
    /// `credential-kind`, `certificate`, `file`.
    pub(crate) async fn make_certificate(
        &self,
        system: &'static System,
        kind: &str,
    ) -> Result<(), Failure> {
        let kind = known_kind(system, kind)?;
        let (home, name) = (self.connecting.home, self.credential_name(system));
        let mut fields = Fields::default();
        certificate::make(home, &name, &mut fields, &MakingArgs::default())?;
        let next = pending::next_name(&name);
        pending::seal(home, &next, kind, &fields, &self.connecting.actor).await?;
        self.note(&format!("a key pair for {}", system.title)).await
    }

    /// Signs in, and gives what the account lists to choose from.
    ///
    /// # Errors
    /// `too-many-refusals`; what signing in comes to.
    pub(crate) async fn choices(&self, system: &'static System) -> Result<Vec<Choice>, Failure> {
        let ports = self.connecting.ports(system).await?;
        let name = self.connecting.given.text(system, "credential");
        crate::trial::refuse_a_fifth(&name.unwrap_or_default(), &ports).await?;
        ports.whole.choices().await.map_err(|fault| Failure {
            code: fault.code(),
            cause: fault.to_string(),
            exit: Exit::Side,
        })
    }

    /// Which of what the account lists is chosen; nothing where a person has to say, or there is nothing to choose.
    pub(crate) fn chosen<'a>(&self, system: &System, choices: &'a [Choice]) -> Option<&'a Choice> {
        let setting = choices.first()?.setting;
        let value = self.connecting.given.text(system, setting)?;
        choices.iter().find(|choice| choice.value == value)
    }

    /// What the account calls itself, for a person to recognise: company, account, and what else it tells.
    ///
    /// # Errors
    /// What signing in comes to.
    pub(crate) async fn identity(&self, system: &'static System) -> Result<Identity, Failure> {
        let ports = self.connecting.ports(system).await?;
        ports.whole.ping().await.map_err(|fault| Failure {
            code: fault.code(),
            cause: fault.to_string(),
            exit: Exit::Side,
        })
    }

    /// Chooses from what the account lists.
    ///
    /// # Errors
    /// `config-value` where it isn't listed.
    pub(crate) async fn choose(
        &mut self,
        system: &'static System,
        value: &str,
    ) -> Result<(), Failure> {
        let choices = self.choices(system).await?;
        let Some(choice) = choices.iter().find(|choice| choice.value == value) else {
            let cause = format!("{} lists no `{value}`", system.title);
            return Err(Failure::usage(Code::new("config-value"), cause));
        };
        let given = &mut self.connecting.given;
        given.put(system, choice.setting, Value::from(value));
        self.keep()?;
        let (title, name) = (system.title, &choice.name);
        self.note(&format!("{title}: {name} ({value}) is chosen"))
            .await
    }

    /// Looks at both sides and stores the connection, paused.
    ///
    /// # Errors
    /// What is missing or refused on a side; `environments-mixed`. Then nothing is stored.
    pub(crate) async fn store(self) -> Result<(), Failure> {
        let Connecting {
            home, given, actor, ..
        } = &self.connecting;
        let path = &home.config.path;
        let text = table::written(path, given)?;
        let config = Config::parse(&text, path)?;
        let found = self.connecting.check(&config).await?;
        if let Some((system, fault)) = first_fault(&found) {
            return Err(Failure {
                code: fault.code(),
                cause: format!("{}: {fault}; nothing was stored", system.title),
                exit: Exit::Side,
            });
        }
        refuse_mixed(Some(&found))?;
        let store = home.store.connection(&given.name);
        pause::pause(&store, REASON, actor).await?;
        let known = home.config.connections.get(&given.name);
        let before = known.map(|known| known.preferences.clone());
        // Others may have been stored or changed while both sides were looked at.
        let held = held(path).await?;
        let text = table::written(path, given)?;
        let config = Config::parse(&text, path)?;
        preferences::replace(path, &text)?;
        drop(held);
        self.connecting.note().await?;
        let before = before.unwrap_or_default();
        preferences::version(home, &config, given.name.as_str(), &before, actor).await?;
        kept::forget(&home.folder, &given.name);
        Ok(())
    }

    /// Gives it up. Credentials that were sealed for it and that no connection uses are forgotten.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn abandon(self) -> Result<(), Failure> {
        let Connecting {
            home, given, actor, ..
        } = &self.connecting;
        for system in self.systems() {
            let own = self.credential_name(system);
            let named = given.text(system, "credential");
            for name in [pending::next_name(&own), own] {
                let waits = name.ends_with("-next") || named.as_ref() == Some(&name);
                if waits && crate::trial::uses(home, &name).is_empty() {
                    pending::forget(home, &name, actor).await?;
                }
            }
        }
        kept::forget(&home.folder, &given.name);
        self.note("given up").await
    }
}

/// The settings that a person is asked for: what a connection can't be without. The others, addresses among them, are
/// set in the configuration's file or come from a template of it.
fn asked(system: &'static System) -> impl Iterator<Item = &'static Setting> {
    let settings = system.settings.iter();
    settings.filter(|setting| setting.required && setting.name != "credential")
}

fn known_kind(system: &System, name: &str) -> Result<&'static CredentialKind, Failure> {
    if system.credentials.iter().any(|kind| kind.name == name) {
        return credentials::known_kind(name);
    }
    let cause = format!("`{name}` is no kind of credential for {}", system.title);
    Err(Failure::usage(Code::new("credential-kind"), cause))
}
