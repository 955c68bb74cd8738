//! What stops remote writes: the kill switch, and a recovery that nobody has released yet (scenarios 225
//! and 239).
//!
//! It is enforced where it can't be missed: nothing is sent that was not journaled as attempted, and a commit
//! that journals an attempt is refused while its connection, or the whole installation, is stopped. What was journaled as
//! attempted before the stop and has not begun asks once more right before it does: see
//! [`ConnectionStore::may_send`](crate::ConnectionStore::may_send).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use tieout_domain::code::Code;
use tieout_domain::{ConnectionName, Timestamp};

use crate::StoreError;
use crate::chain::{INSTALLATION, moment};
use crate::dialect::Dialect;
use crate::sql::{self, cells, count, int, parse, text, with};
use crate::store::{ConnectionStore, InstallationStore};

/// Why remote writes are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopKind {
    /// A person has paused them.
    Paused,
    /// The store lacks, or may lack, what was done: the links must be rebuilt first.
    Recovering,
}

impl StopKind {
    /// The word in the store and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Recovering => "recovering",
        }
    }
}

impl FromStr for StopKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Paused, Self::Recovering]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` stops nothing"))
    }
}

/// A stop of remote writes that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Of which connection; `None` for all of the installation.
    pub connection: Option<ConnectionName>,
    /// Why.
    pub kind: StopKind,
    /// Why, in the words of who stopped them.
    pub reason: String,
    /// Who stopped them.
    pub actor: String,
    /// Since when.
    pub at: Timestamp,
    /// The entry that says so, in the history of the connection or of the installation.
    pub seq: u64,
}

impl Stop {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self.kind {
            StopKind::Paused => Code::new("paused"),
            StopKind::Recovering => Code::new("recovering"),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.connection {
            Some(connection) => write!(f, "remote writes of {connection} are ")?,
            None => write!(f, "all remote writes are ")?,
        }
        match self.kind {
            StopKind::Paused => write!(f, "paused by {} since {:.0}", self.actor, self.at)?,
            StopKind::Recovering => {
                write!(
                    f,
                    "stopped since {:.0} until a person releases them",
                    self.at
                )?;
            }
        }
        if self.reason.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.reason)
        }
    }
}

impl ConnectionStore {
    /// What stops the remote writes of this connection now, the oldest first: its own stops, and those of the
    /// installation.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn stops(&self) -> Result<Vec<Stop>, StoreError> {
        let mut reader = self.store.reader().await?;
        stops(&mut reader, &self.chain).await
    }
}

impl InstallationStore {
    /// What stops the remote writes of all connections now.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn stops(&self) -> Result<Vec<Stop>, StoreError> {
        let mut reader = self.store.reader().await?;
        stops(&mut reader, INSTALLATION).await
    }
}

/// What stops the remote writes of all connections, seen from within a transaction.
pub(crate) async fn of_installation(database: &mut AnyConnection) -> Result<Vec<Stop>, StoreError> {
    stops(database, INSTALLATION).await
}

async fn stops(database: &mut AnyConnection, chain: &str) -> Result<Vec<Stop>, StoreError> {
    let rows = with(sql::STOPS, cells![chain, INSTALLATION])
        .fetch_all(database)
        .await?;
    rows.iter().map(stop_row).collect()
}

pub(crate) fn stop_row(row: &AnyRow) -> Result<Stop, StoreError> {
    let connection = text(row, 0)?;
    Ok(Stop {
        connection: match connection.as_str() {
            INSTALLATION => None,
            name => Some(parse(name)?),
        },
        kind: parse(&text(row, 1)?)?,
        reason: text(row, 2)?,
        actor: text(row, 3)?,
        at: moment(int(row, 4)?)?,
        seq: count(row, 5)?,
    })
}

/// Refuses while remote writes of this connection are stopped. A stop can't be committed between this answer
/// and the end of the caller's transaction: one of the connection would move the head of its chain, which the
/// caller holds, and one of the installation the head that is shared here.
pub(crate) async fn refuse_stopped(
    database: &mut AnyConnection,
    dialect: Dialect,
    chain: &str,
) -> Result<(), StoreError> {
    if dialect == Dialect::Postgres {
        with(sql::CHAIN_START, cells![INSTALLATION])
            .execute(&mut *database)
            .await?;
        sql::with_built(&*dialect.sharing(sql::CHAIN_HEAD), cells![INSTALLATION])
            .fetch_optional(&mut *database)
            .await?;
    }
    refuse(database, chain).await
}

/// Refuses while remote writes of this connection are stopped, as far as is known at this moment.
pub(crate) async fn refuse(database: &mut AnyConnection, chain: &str) -> Result<(), StoreError> {
    match stops(database, chain).await?.into_iter().next() {
        Some(stop) => Err(StoreError::Stopped(stop)),
        None => Ok(()),
    }
}

/// Whether a connection is in recovery, seen from within a transaction.
pub(crate) async fn is_recovering(
    database: &mut AnyConnection,
    chain: &str,
) -> Result<bool, StoreError> {
    let stops = stops(database, chain).await?;
    Ok(stops.iter().any(|stop| stop.kind == StopKind::Recovering))
}
