//! What the face asks of the program that put it together: whatever needs a system, the configuration or a run.

mod connecting;
mod renewing;

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use tieout_desk::DeskError;
use tieout_desk::preferences::Standing;
use tieout_desk::tie_out::{Made, Scope};
use tieout_domain::check::Check;
use tieout_domain::code::Code;
use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{ConnectionName, Date, RecordRef, TenantName, Timestamp};
use tieout_engine::{Extent, Plan};
use tieout_store::{CredentialRow, Role};

pub use connecting::{
    ConnectChoices, ConnectSetting, ConnectSide, ConnectStanding, Connectable, Connects,
};
pub use renewing::{
    Differs, RenewalAsks, RenewalReached, RenewalSent, RenewalStanding, RenewalState, RenewalStep,
    Renews,
};

/// A connection as it is configured.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// Its name.
    pub name: ConnectionName,
    /// Its pair: `netsuite-bill`.
    pub pair: String,
    /// Whose it is; the installation's own if nothing is said.
    pub tenant: Option<TenantName>,
    /// Whether it runs at all: `disconnect` switches it off.
    pub enabled: bool,
    /// The ledger's name for people: `NetSuite`.
    pub ledger: String,
    /// The platform's name for people: `BILL`.
    pub platform: String,
    /// The company's time zone: days and times are shown in it.
    pub time_zone: TimeZone,
    /// When it runs, in the words of the configuration.
    pub schedule: Option<String>,
    /// The flows that it has, in their order.
    pub flows: Vec<String>,
    /// How many calls its systems allow in an hour, by name, where they limit them so.
    pub allowances: BTreeMap<String, u64>,
    /// When it runs next, as far as that is known.
    pub next_run: Option<Timestamp>,
    /// Whether a run is on.
    pub running: bool,
}

/// A run that somebody asks for.
#[derive(Debug, Clone, Default)]
pub struct SyncAsked {
    /// Only these flows; all if none is named.
    pub flows: Vec<String>,
    /// Only these records, and what they depend on.
    pub only: Vec<String>,
    /// Read everything again.
    pub whole: bool,
    /// What set it off, as the history keeps it: `user:NAME`, `token:NAME`.
    pub by: String,
}

/// A credential, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CredentialInfo {
    /// What is kept of it in the clear.
    #[serde(flatten)]
    pub row: CredentialRow,
    /// Which connections use it.
    pub used_by: Vec<ConnectionName>,
    /// For what else it is used, by the keys of the configuration: `server.mail`.
    pub serves: Vec<String>,
    /// When it was last used, to the hour.
    pub last_used: Option<Timestamp>,
    /// The last day on which it is good, where that is known.
    pub expires: Option<Date>,
    /// How many days that is from today; below zero after it.
    pub days_left: Option<i64>,
}

/// A kind of credential, as a person is asked for it.
#[derive(Debug, Clone)]
pub struct CredentialKindInfo {
    /// Its name: `netsuite-m2m`.
    pub name: &'static str,
    /// The system's name for people.
    pub system: &'static str,
    /// Its fields.
    pub fields: Vec<CredentialFieldInfo>,
    /// How a person comes by one, and renews it.
    pub guides: Vec<GuideInfo>,
}

/// A field of a credential.
#[derive(Debug, Clone)]
pub struct CredentialFieldInfo {
    /// Its name.
    pub name: &'static str,
    /// The vendor's own label for it.
    pub label: &'static str,
    /// Whether it must never be shown.
    pub secret: bool,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it has several lines: a private key.
    pub lines: bool,
}

/// What a person has to do in a vendor's own pages, in the only order that is safe.
#[derive(Debug, Clone)]
pub struct GuideInfo {
    /// Whether it is for the first credential of a connection, or for a new one in the place of another.
    pub renewal: bool,
    /// For a renewal, the kind that it starts from.
    pub from: &'static str,
    /// The steps, in order.
    pub steps: Vec<GuideStep>,
}

/// One step of a guide.
#[derive(Debug, Clone)]
pub struct GuideStep {
    /// What is done, in a few words.
    pub title: &'static str,
    /// The path through the vendor's menus; empty where the step is tieout's own.
    pub menu: &'static str,
    /// What to do there.
    pub instructions: &'static [&'static str],
    /// What to mind before the page is opened; empty where there is nothing.
    pub warning: &'static str,
}

/// What came of a new value for a credential.
#[derive(Debug, Clone, Default)]
pub struct CredentialSet {
    /// Its version now.
    pub version: u64,
    /// For which connections it signed in before it took effect.
    pub proven: Vec<ConnectionName>,
    /// Connections whose last run had been stopped by the old value.
    pub released: Vec<ConnectionName>,
}

/// What a service sent without being asked.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// Which system, by the path.
    pub system: &'a str,
    /// For which connection, by the path.
    pub connection: &'a ConnectionName,
    /// The secret in the path, if there is one.
    pub secret: Option<&'a str>,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, as it came.
    pub body: &'a [u8],
}

/// The identity provider by which people may sign in (OpenID Connect).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenId {
    /// Its name, which is the address under which it tells of itself: `https://login.example.com`.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What the button says.
    pub label: String,
    /// The role of whoever it knows and nobody has added; nobody is added by itself if nothing is said.
    pub default_role: Option<Role>,
    /// Whether people may sign in by a password as well.
    pub passwords: bool,
}

impl OpenId {
    /// Who somebody is for this provider and no other: what [`User::subject`](tieout_store::User::subject) holds. A
    /// subject alone is one only within its issuer.
    #[must_use]
    pub fn subject(&self, subject: &str) -> String {
        format!("{} {subject}", self.issuer)
    }
}

/// How much of what a service allows in an hour this process has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The service.
    pub system: String,
    /// Whose: a fingerprint of the key that the service counts by, and what is counted if it isn't calls.
    pub key: String,
    /// How many in this clock hour.
    pub used: u64,
    /// How many it allows.
    pub most: u64,
}

/// Whatever needs a system, the configuration or a run.
#[async_trait]
pub trait Program: Send + Sync {
    /// All connections, by name.
    fn connections(&self) -> Vec<ConnectionInfo>;

    /// Asks for a run. One that is on already is joined; it is enough that this returns for the run to come.
    ///
    /// # Errors
    /// An unknown or disconnected connection, an unknown flow.
    async fn sync(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<(), DeskError>;

    /// What a run would do; nothing is written.
    ///
    /// # Errors
    /// As for [`sync`](Self::sync); a side that can't be read.
    async fn plan(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<Plan, DeskError>;

    /// Every preference of a connection, in the order of the catalogue.
    ///
    /// # Errors
    /// An unknown connection.
    fn preferences(&self, connection: &ConnectionName) -> Result<Vec<Standing>, DeskError>;

    /// Changes preferences, all or none; null puts the default back.
    ///
    /// # Errors
    /// An unknown preference, a value that it can't have, a configuration that can't be written.
    async fn change_preferences(
        &self,
        connection: &ConnectionName,
        values: BTreeMap<String, Value>,
        by: &str,
    ) -> Result<(), DeskError>;

    /// How much the first sync to the ledger would take, by flow. Reads both sides, and writes nothing.
    ///
    /// # Errors
    /// As for [`plan`](Self::plan).
    async fn first_sync(&self, _connection: &ConnectionName) -> Result<Vec<Extent>, DeskError> {
        Ok(Vec::new())
    }

    /// All credentials by name, without their values.
    ///
    /// # Errors
    /// The store's and the vault's.
    async fn credentials(&self) -> Result<Vec<CredentialInfo>, DeskError>;

    /// Reads both sides' lists and suggests a mapping for whatever has none; gives how many are without a confirmed
    /// one.
    ///
    /// # Errors
    /// A run is on; a side can't be read.
    async fn propose_mappings(&self, connection: &ConnectionName) -> Result<usize, DeskError>;

    /// The kinds of credentials that there are, with how a person comes by them.
    fn credential_kinds(&self) -> Vec<CredentialKindInfo>;

    /// Seals a credential, in the place of the old one if there is one. The fields are a JSON object. A value for a
    /// credential that is in use signs in for every connection that uses it before it takes effect.
    ///
    /// # Errors
    /// An unknown kind; a field that is missing; `credential-not-accepted`, and then the old value stays.
    async fn set_credential(
        &self,
        name: &str,
        kind: &str,
        fields: SecretString,
        by: &str,
    ) -> Result<CredentialSet, DeskError>;

    /// Connecting two systems; `None` where this program can't.
    fn connects(&self) -> Option<&dyn Connects> {
        None
    }

    /// Whether this is why a connection is paused that was stored and has never gone live. Known also to those who are
    /// limited to tenants, and connect nothing.
    fn is_new(&self, reason: &str) -> bool {
        self.connects().is_some_and(|it| it.is_new(reason))
    }

    /// Renewing credentials; `None` where this program can't.
    fn renews(&self) -> Option<&dyn Renews> {
        None
    }

    /// Checks everything that can be wrong with a connection; each check with the system that it is about, empty
    /// where it is about both.
    ///
    /// # Errors
    /// An unknown connection. Everything else becomes a check.
    async fn examine(&self, connection: &ConnectionName)
    -> Result<Vec<(String, Check)>, DeskError>;

    /// Reads both sides and makes a tie-out.
    ///
    /// # Errors
    /// A month or currency that isn't there; a side can't be read.
    async fn tie_out(&self, connection: &ConnectionName, scope: &Scope) -> Result<Made, DeskError>;

    /// A person has paused a connection: whatever held its writes back for a while, a renewal, doesn't let them go
    /// on when it ends. Nothing to do where nothing ever holds them back.
    ///
    /// # Errors
    /// What a database can answer.
    async fn stays_paused(&self, _connection: &ConnectionName, _by: &str) -> Result<(), DeskError> {
        Ok(())
    }

    /// Refuses if a connection that is paused must not go on: the platform's own sync is at work beside it, or it is
    /// being moved over from that (scenario 249).
    ///
    /// # Errors
    /// `other-sync-active`, `moving-over-unfinished`.
    async fn may_go_on(&self, _connection: &ConnectionName) -> Result<(), DeskError> {
        Ok(())
    }

    /// Where a person finds a record in the service's own pages, if that is known.
    fn address(&self, connection: &ConnectionName, record: &RecordRef) -> Option<String>;

    /// What `[server] two_people` says: whether some acts take two people. Nothing if it says nothing; see
    /// [`approval::needed`](tieout_desk::approval::needed).
    fn two_people(&self) -> Option<bool> {
        None
    }

    /// The identity provider by which people may sign in, if there is one.
    fn openid(&self) -> Option<OpenId> {
        None
    }

    /// The secret by which the identity provider knows us.
    ///
    /// # Errors
    /// The store's and the vault's. Also where there is none.
    async fn openid_secret(&self) -> Result<SecretString, DeskError> {
        Err(no_provider())
    }

    /// Sends a request to the identity provider, once, and reads a short answer. Redirects are not followed.
    ///
    /// # Errors
    /// `openid-provider`, where it can't be reached or answers with too much.
    async fn ask_provider(
        &self,
        _request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, DeskError> {
        Err(no_provider())
    }

    /// How much of what services allow in an hour this process has used.
    fn budgets(&self) -> Vec<Budget> {
        Vec::new()
    }

    /// How many sign-ins services have refused this process since it began, by service.
    fn credentials_refused(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// Proves that a notification comes from the service that it names, and takes the hint in it. Nothing else of it is
    /// believed.
    ///
    /// # Errors
    /// [`Rejected`]. Also where nobody subscribed for that address: whoever sends it learns nothing.
    fn hint(&self, _notification: &Notification<'_>) -> Result<Hint, Rejected> {
        Err(Rejected::Unsigned {
            why: "nobody subscribed for this address",
        })
    }

    /// Something of a connection may have changed: it is due.
    fn changed(&self, _connection: &ConnectionName) {}

    /// Why no new work can be taken on; empty while all is well.
    async fn not_ready(&self) -> Vec<String>;
}

fn no_provider() -> DeskError {
    let cause = "no identity provider is configured";
    DeskError::usage(Code::new("openid-provider"), cause)
}
