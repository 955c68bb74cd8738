//! Connections that are kept open, and lent to one caller at a time.
//!
//! The library's own pool holds on to one address, and waits for it as long as it takes. This one asks
//! [`Servers`] for each connection anew, so that it follows the primary; it looks at a connection before it is lent;
//! and it takes none back that doesn't answer.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::{AnyConnection, Connection as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::dialect::Dialect;
use crate::seams::Turn;
use crate::servers::Servers;
use crate::{StoreError, sql};

/// How long a caller waits for a connection before it is told that the store is busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a server that takes writes is looked for: a failover takes a while.
const SEEK_MAX: Duration = Duration::from_secs(20);
/// How long is waited between two looks.
const SEEK_EVERY: Duration = Duration::from_millis(250);
/// How long a transaction may take to be taken back before its connection is given up.
const ROLL_BACK_MAX: Duration = Duration::from_secs(10);

/// Connections of one purpose.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    most: u32,
}

struct Shared {
    servers: Arc<Servers>,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<AnyConnection>>,
}

impl Pool {
    /// At most so many connections, of which one may be open already.
    pub(crate) fn new(servers: &Arc<Servers>, most: u32, first: Option<AnyConnection>) -> Self {
        let shared = Shared {
            servers: Arc::clone(servers),
            permits: Arc::new(Semaphore::new(most as usize)),
            idle: Mutex::new(first.into_iter().collect()),
        };
        Self {
            shared: Arc::new(shared),
            most,
        }
    }

    /// Lends a connection to a database that takes writes, for a turn that ends when the connection is back.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when none comes free, [`StoreError::Unreachable`] when no server takes writes.
    pub(crate) async fn lend(&self, turn: Option<Turn>) -> Result<Lent, StoreError> {
        let asked = Arc::clone(&self.shared.permits).acquire_owned();
        let permit = match timeout(PATIENCE, asked).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => {
                let cause = "it was closed".to_owned();
                return Err(StoreError::Unreachable { cause });
            }
            Err(_) => {
                let cause = format!("no connection came free within {} s", PATIENCE.as_secs());
                return Err(StoreError::Busy { cause });
            }
        };
        let connection = self.shared.connection().await?;
        Ok(Lent {
            connection: Some(connection),
            permit: Some(permit),
            turn,
            shared: Arc::clone(&self.shared),
            in_transaction: false,
        })
    }

    /// Waits until every connection was given back, and closes them.
    pub(crate) async fn close(&self) {
        // An error means that it was closed before.
        let all = self.shared.permits.acquire_many(self.most).await;
        self.shared.permits.close();
        let idle = std::mem::take(&mut *self.shared.idle());
        for connection in idle {
            // It goes away in any case.
            let _ = connection.close().await;
        }
        drop(all);
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<AnyConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connection(&self) -> Result<AnyConnection, StoreError> {
        loop {
            let Some(mut connection) = self.idle().pop() else {
                return self.seek().await;
            };
            if self.servers.is_good(&mut connection).await {
                return Ok(connection);
            }
        }
    }

    /// Opens a connection; while no server takes writes, for a while, again and again.
    async fn seek(&self) -> Result<AnyConnection, StoreError> {
        if self.servers.dialect == Dialect::Sqlite {
            return self.servers.open().await;
        }
        let mut last = StoreError::Unreachable {
            cause: format!("no answer within {} s", SEEK_MAX.as_secs()),
        };
        let found = timeout(SEEK_MAX, async {
            loop {
                match self.servers.open().await {
                    Err(error @ (StoreError::Unreachable { .. } | StoreError::Busy { .. })) => {
                        last = error;
                        sleep(SEEK_EVERY).await;
                    }
                    done => return done,
                }
            }
        })
        .await;
        found.unwrap_or(Err(last))
    }

    fn keep(&self, connection: AnyConnection) {
        if !self.permits.is_closed() {
            self.idle().push(connection);
        }
    }
}

/// A connection that is lent. It goes back when it is dropped; a transaction that is open then is taken back first.
pub(crate) struct Lent {
    connection: Option<AnyConnection>,
    permit: Option<OwnedSemaphorePermit>,
    turn: Option<Turn>,
    shared: Arc<Shared>,
    in_transaction: bool,
}

impl Lent {
    /// Begins a transaction. It is taken back unless it is [committed](Self::commit).
    pub(crate) async fn begin(&mut self, statement: &'static str) -> Result<(), StoreError> {
        // Before it has begun: whoever goes away meanwhile leaves it to be taken back.
        self.in_transaction = true;
        let dialect = self.shared.servers.dialect;
        let begun = sql::answered(dialect, sqlx::raw_sql(statement).execute(&mut **self)).await;
        self.in_transaction = begun.is_ok();
        begun.map(drop)
    }

    /// Makes a transaction durable. Whether it is so is not known where the answer is lost.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        let dialect = self.shared.servers.dialect;
        sql::answered(dialect, sqlx::raw_sql("COMMIT").execute(&mut **self)).await?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let (shared, lent) = (
            Arc::clone(&self.shared),
            (self.permit.take(), self.turn.take()),
        );
        if !self.in_transaction {
            shared.keep(connection);
            drop(lent);
            return;
        }
        // Without a runtime it is closed, which takes the transaction back as well.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let rolled_back = sqlx::raw_sql("ROLLBACK").execute(&mut connection);
                if matches!(timeout(ROLL_BACK_MAX, rolled_back).await, Ok(Ok(_))) {
                    shared.keep(connection);
                }
                drop(lent);
            });
        }
    }
}

impl Deref for Lent {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("it is taken when it is dropped, and not before"),
        }
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("it is taken when it is dropped, and not before"),
        }
    }
}
