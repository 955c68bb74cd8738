//! What the face asks of the program that put it together: whatever needs a system, the configuration or a run.

use async_trait::async_trait;
use jiff::tz::TimeZone;
use tieout_desk::DeskError;
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

    /// A person has paused a connection: whatever held its writes back for a while, a renewal, doesn't let them go
    /// on when it ends. Nothing to do where nothing ever holds them back.
    ///
    /// # Errors
    /// What a database can answer.
    async fn stays_paused(&self, _connection: &ConnectionName) -> Result<(), DeskError> {
        Ok(())
    }

    /// Where a person finds a record in the service's own pages, if that is known.
    fn address(&self, connection: &ConnectionName, record: &RecordRef) -> Option<String>;

    /// What `[server] two_people` says: whether some acts take two people. Nothing if it says nothing; see
    /// [`approval::needed`](tieout_desk::approval::needed).
    fn two_people(&self) -> Option<bool> {
        None
    }

    /// Why no new work can be taken on; empty while all is well.
    async fn not_ready(&self) -> Vec<String>;
}
