//! Who may work on a connection: a lease with a fence, a number that only grows.
//!
//! On SQLite, where all workers share one machine, the holder also has a lock of the operating system on a
//! file beside the database. A process that is killed gives it back at once, and whoever takes it then takes
//! over, however long the row says that the lease is good.
//!
//! Where machines share the database, its clock alone says until when a lease is good. The holder counts what is left of
//! it by clocks of its own, from before it asked: so it never believes to have it longer than the database says.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::AnyConnection;
use tieout_domain::Timestamp;

use crate::StoreError;
use crate::chain::moment;
use crate::facts::RunId;
use crate::sql::{self, cells, count, int, maybe_text, text, with};
use crate::store::{ConnectionStore, Store, cannot_open, micros};
use crate::witness;

/// The right to work on a connection. Dropping it gives back what the operating system knows of it;
/// [`release`](Lease::release) also tells the store.
#[derive(Debug)]
pub struct Lease {
    /// Goes into every commit made under this lease.
    pub fence: u64,
    connection: ConnectionStore,
    time: Duration,
    good: Mutex<Good>,
    /// Held for its lock alone.
    _lock: Option<File>,
}

/// How far the clocks of two machines of a database may be apart, one of which takes the other's place.
const CLOCKS: Duration = Duration::from_secs(3);

/// Until when a lease is good, by the holder's own clocks.
#[derive(Debug, Clone, Copy)]
struct Good {
    until: Timestamp,
    uptime: Duration,
}

impl Good {
    /// Counted from now, which is before the database is asked.
    fn from_now(store: &Store, time: Duration) -> Self {
        let clock = &store.inner.seams.clock;
        let time = if store.goes_by_its_own_clock() {
            time
        } else {
            time.saturating_sub(CLOCKS)
        };
        Self {
            until: clock.now().checked_add(time).unwrap_or(Timestamp::MAX),
            uptime: clock.uptime().saturating_add(time),
        }
    }
}

struct Row {
    fence: u64,
    holder: String,
    run: Option<RunId>,
    until_us: i64,
}

impl ConnectionStore {
    /// Whether time alone tells the others that a holder has died: where machines share the database, or a test would have
    /// it so.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.store.inner.path.is_none() || self.store.inner.seams.own_time
    }

    /// Takes the lease for `ttl`; `holder` tells others who has it.
    ///
    /// Nobody works on a connection without it, so this is where it is noticed that the database lacks a part
    /// of the connection's history: the connection is then in recovery before anybody has the lease.
    ///
    /// # Errors
    /// [`StoreError::Held`] while another holder's lease is good. Also what a database can answer.
    pub async fn lease(&self, holder: &str, ttl: Duration) -> Result<Lease, StoreError> {
        let lock = match self.lock_path().map(|path| lock(&path)).transpose()? {
            // Another worker on this machine is alive and has it, whatever its row says.
            Some(None) => return Err(self.held().await?),
            Some(Some(file)) => Some(file),
            None => None,
        };
        let good = Good::from_now(&self.store, ttl);
        let mut transaction = self.store.begin().await?;
        let found = sql::locking(self.store.inner.dialect, sql::LEASE, cells![&*self.chain])
            .fetch_optional(&mut transaction)
            .await?
            .as_ref()
            .map(read)
            .transpose()?;
        let now_us = self.store.time_us(&mut transaction).await?;
        if lock.is_none()
            && let Some(row) = &found
            && row.until_us > now_us
        {
            return Err(self.held_by(row)?);
        }
        let fence = found.map_or(0, |row| row.fence) + 1;
        let noticed = self.notice_lost_history(&mut transaction).await?;
        let until_us = now_us.saturating_add(micros(ttl));
        let cells = cells![&*self.chain, fence, holder, until_us];
        let taken = with(sql::LEASE_TAKE, cells)
            .execute(&mut transaction)
            .await?;
        if taken.rows_affected() == 0 {
            // The very first lease has no row that could be held: another node has made it since we looked.
            drop(transaction);
            return Err(self.held().await?);
        }
        transaction.commit().await?;
        if let Some((entries, hash)) = noticed {
            witness::write(&self.store, &self.chain, entries, hash);
        }
        Ok(Lease {
            fence,
            connection: self.clone(),
            time: ttl,
            good: Mutex::new(good),
            _lock: lock,
        })
    }

    /// Who has the lease now, if anybody has.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn lease_holder(&self) -> Result<Option<StoreError>, StoreError> {
        let mut reader = self.store.reader().await?;
        let row = row(&mut reader, &self.chain).await?;
        let now_us = self.store.time_us(&mut reader).await?;
        let good = row.filter(|row| row.until_us > now_us);
        good.map(|row| self.held_by(&row)).transpose()
    }

    fn lock_path(&self) -> Option<PathBuf> {
        let database = self.store.inner.path.as_ref()?;
        let mut name = database.clone().into_os_string();
        name.push(format!(".{}.lock", self.chain));
        Some(name.into())
    }

    async fn held(&self) -> Result<StoreError, StoreError> {
        let mut reader = self.store.reader().await?;
        match row(&mut reader, &self.chain).await? {
            Some(row) => self.held_by(&row),
            // It has the lock and is about to say so.
            None => Ok(StoreError::Held {
                connection: self.chain.to_string(),
                by: "another process".to_owned(),
                until: moment(self.store.now_us())?,
                run: None,
            }),
        }
    }

    fn held_by(&self, row: &Row) -> Result<StoreError, StoreError> {
        Ok(StoreError::Held {
            connection: self.chain.to_string(),
            by: row.holder.clone(),
            until: moment(row.until_us)?,
            run: row.run.clone(),
        })
    }
}

impl Lease {
    /// Makes it good for its whole time again, from now.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if it has passed to somebody else. Also what a database can answer.
    pub async fn renew(&self) -> Result<(), StoreError> {
        let good = Good::from_now(&self.connection.store, self.time);
        self.change(self.time).await?;
        *self.lock() = good;
        Ok(())
    }

    /// Lets others see in which run it is used.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if it has passed to somebody else. Also what a database can answer.
    pub async fn set_run(&self, run: &RunId) -> Result<(), StoreError> {
        let chain = &*self.connection.chain;
        let mut transaction = self.connection.store.begin().await?;
        let cells = cells![run.as_str(), chain, self.fence];
        let done = with(sql::LEASE_RUN, cells)
            .execute(&mut transaction)
            .await?
            .rows_affected();
        self.expect_one(&mut transaction, done).await?;
        transaction.commit().await
    }

    /// Gives it back.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if it has passed to somebody else. Also what a database can answer.
    pub async fn release(self) -> Result<(), StoreError> {
        self.change(Duration::ZERO).await
    }

    /// How long it is good, each time that it is renewed.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.time
    }

    /// Until when it is good by the holder's clock, if it isn't renewed again.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.lock().until
    }

    /// The same by the count that nobody sets ([`Clock::uptime`](tieout_domain::Clock::uptime)).
    #[must_use]
    pub fn until_uptime(&self) -> Duration {
        self.lock().uptime
    }

    fn lock(&self) -> MutexGuard<'_, Good> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Good for so long from now on.
    async fn change(&self, time: Duration) -> Result<(), StoreError> {
        let chain = &*self.connection.chain;
        let mut transaction = self.connection.store.begin().await?;
        let now_us = self.connection.store.time_us(&mut transaction).await?;
        let until_us = now_us.saturating_add(micros(time));
        let cells = cells![until_us, chain, self.fence];
        let done = with(sql::LEASE_EXTEND, cells)
            .execute(&mut transaction)
            .await?
            .rows_affected();
        self.expect_one(&mut transaction, done).await?;
        transaction.commit().await
    }

    async fn expect_one(&self, database: &mut AnyConnection, done: u64) -> Result<(), StoreError> {
        if done == 1 {
            return Ok(());
        }
        let chain = &*self.connection.chain;
        let current = row(database, chain).await?.map_or(0, |row| row.fence);
        Err(StoreError::Fenced {
            connection: chain.to_owned(),
            given: self.fence,
            current,
        })
    }
}

async fn row(database: &mut AnyConnection, chain: &str) -> Result<Option<Row>, StoreError> {
    let row = with(sql::LEASE, cells![chain])
        .fetch_optional(database)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &sqlx::any::AnyRow) -> Result<Row, StoreError> {
    Ok(Row {
        fence: count(row, 0)?,
        holder: text(row, 1)?,
        run: maybe_text(row, 2)?.map(RunId::new),
        until_us: int(row, 3)?,
    })
}

/// The lock, or `None` while another has it.
pub(crate) fn lock(path: &std::path::Path) -> Result<Option<File>, StoreError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options
        .open(path)
        .map_err(|error| cannot_open(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(cannot_open(path, &error)),
    }
}
