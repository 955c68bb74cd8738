//! What the face asks for while two systems are connected, one step for each form.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::SecretString;
use tieout_desk::DeskError;
use tieout_domain::ConnectionName;
use tieout_domain::port::Choice;

use super::CredentialKindInfo;

/// What a connection can be made of.
#[derive(Debug, Clone, Default)]
pub struct Connectable {
    /// The pairs there are: `netsuite-bill`.
    pub pairs: Vec<String>,
    /// The templates of the configuration.
    pub templates: Vec<String>,
    /// Connections that were begun and not yet stored.
    pub under_way: Vec<ConnectionName>,
}

/// A connection that is being made.
#[derive(Debug, Clone)]
pub struct ConnectStanding {
    /// Its pair.
    pub pair: String,
    /// The ledger's side, and the platform's.
    pub sides: [ConnectSide; 2],
}

/// A side of a connection that is being made.
#[derive(Debug, Clone)]
pub struct ConnectSide {
    /// The system, as addresses and the configuration name it: `netsuite`.
    pub system: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What a person is asked for before anybody can sign in.
    pub settings: Vec<ConnectSetting>,
    /// What follows from that, label and value, for a person to recognise; why it doesn't fit where it doesn't.
    pub understood: Result<Vec<(&'static str, String)>, String>,
    /// The sealed credential that is used.
    pub credential: Option<String>,
    /// Sealed credentials that would fit.
    pub fitting: Vec<String>,
    /// The kinds of credential that can be entered, best first.
    pub kinds: Vec<CredentialKindInfo>,
    /// The kind whose key pair was made here, and the certificate to upload.
    pub certificate: Option<(&'static str, String)>,
}

/// A setting that a person is asked for.
#[derive(Debug, Clone)]
pub struct ConnectSetting {
    /// Its key.
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// Where a person finds it.
    pub help: &'static str,
    /// Its value so far; empty where there is none.
    pub value: String,
}

/// What an account lists to choose from.
#[derive(Debug, Clone, Default)]
pub struct ConnectChoices {
    /// All of it; empty where the account has no parts.
    pub choices: Vec<Choice>,
    /// The value that is chosen.
    pub chosen: Option<String>,
    /// What the account calls itself, label and value, once nothing is left to choose: for a person to confirm.
    pub identity: Vec<(String, String)>,
}

/// Connecting two systems. Who acts is named as the history has it: `user:NAME`.
#[async_trait]
pub trait Connects: Send + Sync {
    /// What a connection can be made of.
    ///
    /// # Errors
    /// Where the configuration can't be read.
    fn connectable(&self) -> Result<Connectable, DeskError>;

    /// Begins one; one of the name that is under way goes on. The template may be empty.
    ///
    /// # Errors
    /// `connection-exists`; an unknown pair or template.
    async fn begin(
        &self,
        name: &ConnectionName,
        pair: &str,
        template: &str,
        by: &str,
    ) -> Result<(), DeskError>;

    /// How it stands; `None` where none of the name is under way. Asks neither side.
    ///
    /// # Errors
    /// Where what was given can't be read.
    async fn standing(&self, name: &ConnectionName) -> Result<Option<ConnectStanding>, DeskError>;

    /// Signs in on a side, and gives what the account lists to choose from.
    ///
    /// # Errors
    /// What signing in comes to.
    async fn choices(
        &self,
        name: &ConnectionName,
        system: &str,
    ) -> Result<ConnectChoices, DeskError>;

    /// Takes a side's settings, by their keys.
    ///
    /// # Errors
    /// What the system says of them.
    async fn settings(
        &self,
        name: &ConnectionName,
        system: &str,
        values: &BTreeMap<String, String>,
        by: &str,
    ) -> Result<(), DeskError>;

    /// Takes a credential that is sealed already, once it has signed in; none where another is to be given.
    ///
    /// # Errors
    /// What signing in comes to.
    async fn use_credential(
        &self,
        name: &ConnectionName,
        system: &str,
        credential: Option<&str>,
        by: &str,
    ) -> Result<(), DeskError>;

    /// Seals a new credential, and takes it once it has signed in. The fields are a JSON object.
    ///
    /// # Errors
    /// `credential-malformed`; what signing in comes to, and then it is not kept.
    async fn enter_credential(
        &self,
        name: &ConnectionName,
        system: &str,
        kind: &str,
        fields: SecretString,
        by: &str,
    ) -> Result<(), DeskError>;

    /// Makes a key pair; the private key is sealed, and its certificate waits in [`ConnectSide::certificate`].
    ///
    /// # Errors
    /// `credential-kind`, `certificate`.
    async fn make_certificate(
        &self,
        name: &ConnectionName,
        system: &str,
        kind: &str,
        by: &str,
    ) -> Result<(), DeskError>;

    /// Chooses from what the account lists.
    ///
    /// # Errors
    /// `config-value` where it isn't listed.
    async fn choose(
        &self,
        name: &ConnectionName,
        system: &str,
        value: &str,
        by: &str,
    ) -> Result<(), DeskError>;

    /// Looks at both sides and stores the connection, paused: see [`is_new`](Self::is_new).
    ///
    /// # Errors
    /// What is missing or refused on a side; `environments-mixed`. Then nothing is stored.
    async fn store(&self, name: &ConnectionName, by: &str) -> Result<(), DeskError>;

    /// Gives it up; credentials that were sealed for it are forgotten.
    ///
    /// # Errors
    /// The store's.
    async fn abandon(&self, name: &ConnectionName, by: &str) -> Result<(), DeskError>;

    /// Whether this is the reason of the pause in which a connection is stored.
    fn is_new(&self, reason: &str) -> bool;
}
