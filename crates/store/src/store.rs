//! Opening the database, and handing out what is scoped to one connection.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::AnyConnection;
use tieout_domain::{Clock, ConnectionName, Timestamp};

use crate::address::{Address, Server};
use crate::alive::Holder;
use crate::chain::{INSTALLATION, moment};
use crate::dialect::Dialect;
use crate::facts::{Commit, Fact};
use crate::options::{STATEMENT_MAX, StoreOptions};
use crate::pool::{Lent, Pool};
use crate::seams::{Seams, Turn, Watch};
use crate::servers::Servers;
use crate::sql::{self, cells, int, text, with};
use crate::{Entry, StoreError, commit, migrate};

/// The memory of tieout: one database. Cheap to clone; all clones share its connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) writer: Pool,
    pub(crate) reader: Pool,
    pub(crate) dialect: Dialect,
    pub(crate) seams: Seams,
    /// The address without what is secret in it.
    pub(crate) place: String,
    /// Where the database lies, for SQLite: its locks lie beside it.
    pub(crate) path: Option<PathBuf>,
    /// This process among those that share the database.
    pub(crate) holder: Holder,
    servers: Arc<Servers>,
}

impl Inner {
    /// The servers that other nodes may be heard through.
    pub(crate) fn listened_to(&self) -> &[Server] {
        match self.dialect {
            Dialect::Sqlite => &[],
            Dialect::Postgres => &self.servers.all,
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("place", &self.inner.place)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database at `sqlite:PATH` or `postgres://…`; an empty one is brought to the present schema,
    /// and a SQLite file that isn't there is made, readable by its owner alone.
    ///
    /// # Errors
    /// See [`open_with`](Self::open_with).
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_with(&StoreOptions::at(url), Seams::of(clock)).await
    }

    /// Opens the database as [`open`](Self::open) does, with seams of the caller's own.
    ///
    /// # Errors
    /// See [`open_with`](Self::open_with).
    pub async fn open_among(url: &str, seams: Seams) -> Result<Self, StoreError> {
        Self::open_with(&StoreOptions::at(url), seams).await
    }

    /// Opens the database that the options lead to. Its schema is brought up to date where nobody can mind.
    ///
    /// # Errors
    /// [`StoreError::AddressUnfit`], [`StoreError::Unreachable`], [`StoreError::ServerOld`]; [`StoreError::Newer`] for
    /// a schema that this program can't go by, [`StoreError::Older`] for one that a person must have changed,
    /// [`StoreError::Incomplete`] for a copy that did not come to its end. Also what a database can answer.
    pub async fn open_with(options: &StoreOptions, seams: Seams) -> Result<Self, StoreError> {
        let store = Self::connect(options, seams, &[]).await?;
        store.bring_up_to_date(migrate::How::ByItself).await?;
        store.refuse_unfinished_copy().await?;
        Ok(store)
    }

    /// Opens the database and leaves its schema as it is: for whoever asks about that.
    ///
    /// # Errors
    /// See [`open_with`](Self::open_with).
    pub async fn open_as_it_is(options: &StoreOptions, seams: Seams) -> Result<Self, StoreError> {
        Self::connect(options, seams, &[]).await
    }

    /// A database in a file that nobody needs after this process.
    pub(crate) async fn scratch(path: &Path, seams: Seams) -> Result<Self, StoreError> {
        let options = StoreOptions::at(format!("sqlite:{}", path.display()));
        let store = Self::connect(&options, seams, &["PRAGMA synchronous = OFF"]).await?;
        store.bring_up_to_date(migrate::How::ByItself).await?;
        Ok(store)
    }

    pub(crate) async fn connect(
        options: &StoreOptions,
        seams: Seams,
        settings: &[&str],
    ) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let (dialect, all, path, writers) = match options.address()? {
            Address::File { path, server } => (Dialect::Sqlite, vec![server], Some(path), 1),
            Address::Servers(all) => (Dialect::Postgres, all, None, options.writers.max(1)),
        };
        let turn = turn(&seams).await;
        if let Some(path) = &path {
            make_private_file(path)?;
        }
        let timeout = options.statement_timeout.min(STATEMENT_MAX);
        let mut on_connect = dialect.on_connect(timeout);
        for setting in settings {
            on_connect.push_str("; ");
            on_connect.push_str(setting);
        }
        let servers = Arc::new(Servers {
            dialect,
            all,
            settings: on_connect,
            patience: options.connect_timeout,
        });
        let writing = Arc::new(servers.set_to_write());
        // What is wrong is told at once: nobody has relied on it yet.
        let first = writing.open().await?;
        drop(turn);
        let mut id = [0; 8];
        seams.salts.fill(&mut id)?;
        let holder = Holder::new(tieout_domain::hexadecimal(&id), path.as_deref());
        Ok(Self {
            inner: Arc::new(Inner {
                writer: Pool::new(&writing, writers, Some(first)),
                reader: Pool::new(&servers, options.readers.max(1), None),
                dialect,
                seams,
                place: options.place(),
                path,
                holder,
                servers,
            }),
        })
    }

    /// Everything of one connection. Its history is the chain of its name.
    #[must_use]
    pub fn connection(&self, name: &ConnectionName) -> ConnectionStore {
        ConnectionStore {
            store: self.clone(),
            name: name.clone(),
            chain: name.as_str().into(),
        }
    }

    /// The installation's own history: users, credentials, preferences.
    #[must_use]
    pub fn installation(&self) -> InstallationStore {
        InstallationStore {
            store: self.clone(),
        }
    }

    /// The connections that have a history, by name.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn connections(&self) -> Result<Vec<ConnectionName>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = with(sql::CHAINS, cells![]).fetch_all(&mut reader).await?;
        let mut names = Vec::new();
        for row in rows {
            let chain = text(&row, 0)?;
            if chain != INSTALLATION {
                names.push(sql::parse(&chain)?);
            }
        }
        Ok(names)
    }

    /// Prepares every statement on this database, and says how many there are: a statement that one of the
    /// two databases does not understand is found before it is needed.
    ///
    /// # Errors
    /// The first statement that the database refuses.
    pub async fn prepare_all(&self) -> Result<usize, StoreError> {
        use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};
        let mut reader = self.reader().await?;
        let mut all = sql::all(self.inner.dialect);
        all.extend(
            [sql::CHAIN_HEAD, sql::LEASE, sql::CREDENTIAL]
                .map(|text| Arc::from(self.inner.dialect.locking(text))),
        );
        all.push(Arc::from(self.inner.dialect.sharing(sql::CHAIN_HEAD)));
        all.push(Arc::from(self.inner.dialect.locking(sql::CLAIM)));
        all.extend(self.inner.dialect.time().map(Arc::from));
        all.extend(self.inner.dialect.tell().map(Arc::from));
        for text in &all {
            let prepared = (&mut *reader)
                .prepare(AssertSqlSafe(Arc::clone(text)).into_sql_str())
                .await;
            prepared.map_err(|error| StoreError::corrupt(format!("{error} in {text:.300}")))?;
        }
        Ok(all.len())
    }

    /// Waits until nothing is being written and closes all connections; for a program that ends.
    pub async fn close(&self) {
        let _turn = self.turn().await;
        self.inner.reader.close().await;
        self.inner.writer.close().await;
    }

    /// A writing transaction. Rolled back unless it is committed.
    pub(crate) async fn begin(&self) -> Result<Writing, StoreError> {
        let turn = self.turn().await;
        let mut lent = self.inner.writer.lend(turn).await?;
        lent.begin(self.inner.dialect.begin()).await?;
        Ok(Writing {
            lent,
            watch: self.inner.seams.watch.clone(),
        })
    }

    /// Runs what must not be part of a transaction.
    pub(crate) async fn run_alone(&self, text: &'static str) -> Result<(), StoreError> {
        let turn = self.turn().await;
        let mut lent = self.inner.writer.lend(turn).await?;
        sqlx::raw_sql(text).execute(&mut *lent).await?;
        Ok(())
    }

    /// A writing transaction in which nobody else writes of this chain: it holds the chain's end, which comes before
    /// every other lock.
    pub(crate) async fn begin_on(&self, chain: &str) -> Result<Writing, StoreError> {
        let mut transaction = self.begin().await?;
        commit::head(&mut transaction, self.inner.dialect, chain).await?;
        Ok(transaction)
    }

    /// Clears away what nobody needs any more, in a transaction of its own: rows that others may be at, in no order.
    pub(crate) async fn tidy(
        &self,
        text: &'static str,
        cells: Vec<sql::Cell>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        match with(text, cells).execute(&mut transaction).await {
            Ok(_) => transaction.commit().await,
            // Somebody else is clearing away.
            Err(StoreError::Busy { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn reader(&self) -> Result<Reading, StoreError> {
        let turn = self.turn().await;
        Ok(Reading {
            lent: self.inner.reader.lend(turn).await?,
        })
    }

    /// A connection that reads one moment's state, however long it takes.
    pub(crate) async fn snapshot(&self) -> Result<Reading, StoreError> {
        let mut reading = self.reader().await?;
        reading.lent.begin(self.inner.dialect.snapshot()).await?;
        if let Some(text) = self.inner.dialect.without_hurry() {
            sqlx::raw_sql(text).execute(&mut *reading).await?;
        }
        Ok(reading)
    }

    /// Waits until whoever watches lets a call begin.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        turn(&self.inner.seams).await
    }

    /// The time by which leases, slots and turns of all processes go: the database's own, where several machines share
    /// one.
    pub(crate) async fn time_us(&self, database: &mut AnyConnection) -> Result<i64, StoreError> {
        match self
            .inner
            .dialect
            .time()
            .filter(|_| !self.goes_by_its_own_clock())
        {
            Some(text) => int(&with(text, cells![]).fetch_one(database).await?, 0),
            None => Ok(self.now_us()),
        }
    }

    /// Whether no other machine's clock is to be agreed with.
    pub(crate) fn goes_by_its_own_clock(&self) -> bool {
        self.inner.seams.own_time || self.inner.dialect.time().is_none()
    }

    /// The time that all processes agree on.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn time(&self) -> Result<Timestamp, StoreError> {
        let mut reader = self.reader().await?;
        moment(self.time_us(&mut reader).await?)
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.inner.seams.clock.now().as_microsecond()
    }
}

/// A span in the database's unit.
pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX / 4)
}

async fn turn(seams: &Seams) -> Option<Turn> {
    match &seams.watch {
        Some(watch) => Some(watch.turn().await),
        None => None,
    }
}

/// A writing transaction.
pub(crate) struct Writing {
    lent: Lent,
    watch: Option<Arc<dyn Watch>>,
}

impl Writing {
    /// Makes it durable.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if let Some(watch) = &self.watch {
            watch.before_commit().await?;
        }
        self.lent.commit().await?;
        drop(self.lent);
        if let Some(watch) = &self.watch {
            watch.after_commit().await;
        }
        Ok(())
    }
}

impl Deref for Writing {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.lent
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.lent
    }
}

/// A connection to read with.
pub(crate) struct Reading {
    lent: Lent,
}

impl Deref for Reading {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.lent
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.lent
    }
}

/// What is stored of one connection.
#[derive(Debug, Clone)]
pub struct ConnectionStore {
    pub(crate) store: Store,
    pub(crate) name: ConnectionName,
    pub(crate) chain: Arc<str>,
}

impl ConnectionStore {
    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &ConnectionName {
        &self.name
    }
}

/// The installation's history.
#[derive(Debug, Clone)]
pub struct InstallationStore {
    pub(crate) store: Store,
}

impl InstallationStore {
    /// Records facts about the installation, all or none, and returns the number of each entry.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn commit(&self, actor: &str, facts: Vec<Fact>) -> Result<Vec<u64>, StoreError> {
        let commit = Commit {
            actor: actor.to_owned(),
            facts,
            ..Commit::default()
        };
        crate::commit::commit(&self.store, INSTALLATION, commit).await
    }

    /// Records facts, and with them what is to be known under a name from now on, all or none.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn remember(
        &self,
        actor: &str,
        facts: Vec<Fact>,
        (name, text): (String, String),
    ) -> Result<(), StoreError> {
        let commit = Commit {
            actor: actor.to_owned(),
            facts,
            remember: vec![(name, text)],
            ..Commit::default()
        };
        crate::commit::commit(&self.store, INSTALLATION, commit)
            .await
            .map(drop)
    }

    /// What was last remembered under a name.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn remembered(&self, name: &str) -> Result<Option<String>, StoreError> {
        crate::state::remembered(&self.store, INSTALLATION, name).await
    }

    /// The entries after this number, at most `limit`.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn entries_after(&self, seq: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        crate::history::entries_after(&self.store, INSTALLATION, seq, limit).await
    }
}

/// Makes the file before the database does, so that it is never readable by others.
pub(crate) fn make_private_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| cannot_open(path, &error))
}

pub(crate) fn cannot_open(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unreachable {
        cause: format!("{}: {error}", path.display()),
    }
}
