//! Connecting: to a file, or to the first of several servers that takes writes.
//!
//! The order is the person's; a server that only reads (a standby, or a primary that was put down) is passed over, and
//! so is one that doesn't answer in time. Every new connection looks again, so that a failover needs nobody.

use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tokio::time::timeout;

use crate::StoreError;
use crate::address::Server;
use crate::dialect::Dialect;
use crate::sql::{int, text};

/// The oldest server that is known to do: the oldest that its makers still mend.
const VERSION_MIN: i64 = 15;

/// How connections are opened.
pub(crate) struct Servers {
    pub(crate) dialect: Dialect,
    pub(crate) all: Vec<Server>,
    /// Run on every new connection.
    pub(crate) settings: String,
    /// How long one server may take.
    pub(crate) patience: Duration,
}

impl Servers {
    /// The same servers, for connections that write.
    pub(crate) fn set_to_write(&self) -> Self {
        let more = self.dialect.on_connect_to_write();
        let settings = [Some(self.settings.as_str()), more];
        Self {
            dialect: self.dialect,
            all: self.all.clone(),
            settings: settings
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; "),
            patience: self.patience,
        }
    }

    /// Opens a connection to the first server that takes writes.
    ///
    /// # Errors
    /// What each of them answered.
    pub(crate) async fn open(&self) -> Result<AnyConnection, StoreError> {
        let mut answers = Vec::new();
        for server in &self.all {
            match self.reach(server).await {
                Ok(connection) => return Ok(connection),
                Err(error @ StoreError::ServerOld { .. }) => return Err(error),
                Err(error) if self.all.len() == 1 => return Err(error),
                Err(StoreError::Unreachable { cause } | StoreError::Corrupt { cause }) => {
                    answers.push(format!("{}: {cause}", server.name));
                }
                Err(error) => answers.push(format!("{}: {error}", server.name)),
            }
        }
        Err(StoreError::Unreachable {
            cause: answers.join("; "),
        })
    }

    /// Whether a connection that was idle still leads to a server that takes writes.
    pub(crate) async fn is_good(&self, connection: &mut AnyConnection) -> bool {
        if self.dialect == Dialect::Sqlite {
            return connection.ping().await.is_ok();
        }
        let looked = timeout(self.patience, self.refuse_reader(connection)).await;
        matches!(looked, Ok(Ok(())))
    }

    async fn reach(&self, server: &Server) -> Result<AnyConnection, StoreError> {
        if self.dialect == Dialect::Sqlite {
            return self.enter(server).await;
        }
        match timeout(self.patience, self.enter(server)).await {
            Ok(entered) => entered,
            Err(_) => Err(StoreError::Unreachable {
                cause: format!("no answer within {} s", self.patience.as_secs()),
            }),
        }
    }

    async fn enter(&self, server: &Server) -> Result<AnyConnection, StoreError> {
        let mut connection = AnyConnection::connect_with(&server.options)
            .await
            .map_err(unreachable)?;
        sqlx::raw_sql(AssertSqlSafe(self.settings.clone()))
            .execute(&mut connection)
            .await
            .map_err(unreachable)?;
        if self.dialect == Dialect::Postgres {
            refuse_old(&mut connection).await?;
            self.refuse_reader(&mut connection).await?;
        }
        Ok(connection)
    }

    async fn refuse_reader(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT current_setting('transaction_read_only')")
            .fetch_one(connection)
            .await
            .map_err(unreachable)?;
        if text(&row, 0)? == "off" {
            return Ok(());
        }
        Err(StoreError::Unreachable {
            cause: "the server takes no writes: it is a standby, or was set so".to_owned(),
        })
    }
}

async fn refuse_old(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT CAST(current_setting('server_version_num') AS BIGINT) / 10000")
        .fetch_one(connection)
        .await
        .map_err(unreachable)?;
    let found = int(&row, 0)?;
    if found >= VERSION_MIN {
        return Ok(());
    }
    Err(StoreError::ServerOld {
        found,
        known: VERSION_MIN,
    })
}

/// While a connection is opened, whatever goes wrong with it means that there is none.
fn unreachable(error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Corrupt { cause }
            if !["not a database", "malformed"]
                .iter()
                .any(|word| cause.contains(word)) =>
        {
            StoreError::Unreachable { cause }
        }
        other => other,
    }
}
