//! What the face asks of the program that put it together: whatever needs a system, the configuration or a run.

use async_trait::async_trait;
use http::HeaderMap;
use jiff::tz::TimeZone;
use tieout_desk::DeskError;
use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{ConnectionName, RecordRef, Timestamp};

/// A connection as it is configured.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// Its name.
    pub name: ConnectionName,
    /// Its pair: `netsuite-bill`.
    pub pair: String,
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

    /// Where a person finds a record in the service's own pages, if that is known.
    fn address(&self, connection: &ConnectionName, record: &RecordRef) -> Option<String>;

    /// What `[server] two_people` says: whether some acts take two people. Nothing if it says nothing; see
    /// [`approval::needed`](tieout_desk::approval::needed).
    fn two_people(&self) -> Option<bool> {
        None
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
