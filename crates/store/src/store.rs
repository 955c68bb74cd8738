//! Opening the database, and handing out what is scoped to one connection.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Transaction};
use tieout_domain::{Clock, ConnectionName, Timestamp};

use crate::chain::{INSTALLATION, moment};
use crate::alive::Holder;
use crate::dialect::Dialect;
use crate::facts::{Commit, Fact};
use crate::seams::{Seams, Turn, Watch};
use crate::sql::{self, cells, int, text, with};
use crate::{Entry, StoreError, migrate};

/// How many connections read at once. One more writes.
const READERS: u32 = 4;
/// How long a caller waits for its turn to write before it is told that the store is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The memory of tieout: one database. Cheap to clone; all clones share its connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) writer: AnyPool,
    pub(crate) reader: AnyPool,
    pub(crate) dialect: Dialect,
    pub(crate) seams: Seams,
    /// Where the database lies, for SQLite: its locks lie beside it.
    pub(crate) path: Option<PathBuf>,
    /// This process among those that share the database.
    pub(crate) holder: Holder,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address of a PostgreSQL database may hold a password.
        f.debug_struct("Store")
            .field("path", &self.inner.path)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database at `sqlite:PATH` or `postgres://…`; an empty one is brought to the present schema,
    /// and a SQLite file that isn't there is made, readable by its owner alone.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::Newer`] for a schema that a newer tieout wrote, and what a
    /// database can answer.
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_with(url, Seams::of(clock), &[]).await
    }

    /// Opens the database as [`open`](Self::open) does, with seams of the caller's own.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub async fn open_among(url: &str, seams: Seams) -> Result<Self, StoreError> {
        Self::open_with(url, seams, &[]).await
    }

    pub(crate) async fn open_with(
        url: &str,
        seams: Seams,
        settings: &'static [&'static str],
    ) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let (dialect, url, path) = address(url)?;
        let turn = turn(&seams).await;
        if let Some(path) = &path {
            make_private_file(path)?;
        }
        // The pool would try again and again until its patience ends, and not say what went wrong.
        let mut first = AnyConnection::connect(&url).await.map_err(unreachable)?;
        for text in dialect.on_connect() {
            sqlx::raw_sql(*text)
                .execute(&mut first)
                .await
                .map_err(unreachable)?;
        }
        first.close().await?;
        let pool = |most: u32| {
            AnyPoolOptions::new()
                .max_connections(most)
                .acquire_timeout(PATIENCE)
                .idle_timeout(None)
                .max_lifetime(None)
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        for text in dialect.on_connect().iter().chain(settings) {
                            sqlx::raw_sql(*text).execute(&mut *connection).await?;
                        }
                        Ok(())
                    })
                })
        };
        let writer = pool(1).connect(&url).await.map_err(unreachable)?;
        let reader = pool(READERS).connect_lazy(&url).map_err(unreachable)?;
        drop(turn);
        let mut id = [0; 8];
        seams.salts.fill(&mut id)?;
        let holder = Holder::new(crate::private::hex(&id), path.as_deref());
        let store = Self {
            inner: Arc::new(Inner {
                writer,
                reader,
                dialect,
                seams,
                path,
                holder,
            }),
        };
        let mut transaction = store.begin().await?;
        migrate::migrate(&mut transaction, dialect, store.now_us()).await?;
        transaction.commit().await?;
        Ok(store)
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
        let rows = with(sql::CHAINS, cells![]).fetch_all(&mut *reader).await?;
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
            [sql::CHAIN_HEAD, sql::LEASE].map(|text| Arc::from(self.inner.dialect.locking(text))),
        );
        all.push(Arc::from(self.inner.dialect.sharing(sql::CHAIN_HEAD)));
        all.push(Arc::from(self.inner.dialect.locking(sql::CLAIM)));
        all.extend(self.inner.dialect.time().map(Arc::from));
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
        let begun = self.inner.writer.begin_with(self.inner.dialect.begin());
        Ok(Writing {
            transaction: begun.await?,
            watch: self.inner.seams.watch.clone(),
            turn,
        })
    }

    pub(crate) async fn reader(&self) -> Result<Reading, StoreError> {
        let turn = self.turn().await;
        Ok(Reading {
            connection: self.inner.reader.acquire().await?,
            _turn: turn,
        })
    }

    /// Waits until whoever watches lets a call begin.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        turn(&self.inner.seams).await
    }

    /// The time by which leases, slots and turns of all processes go: the database's own, where several machines share
    /// one.
    pub(crate) async fn time_us(&self, database: &mut AnyConnection) -> Result<i64, StoreError> {
        match self.inner.dialect.time().filter(|_| !self.goes_by_its_own_clock()) {
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
    transaction: Transaction<'static, Any>,
    watch: Option<Arc<dyn Watch>>,
    turn: Option<Turn>,
}

impl Writing {
    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        if let Some(watch) = &self.watch {
            watch.before_commit().await?;
        }
        self.transaction.commit().await?;
        drop(self.turn);
        if let Some(watch) = &self.watch {
            watch.after_commit().await;
        }
        Ok(())
    }
}

impl Deref for Writing {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.transaction
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}

/// A connection to read with.
pub(crate) struct Reading {
    connection: PoolConnection<Any>,
    _turn: Option<Turn>,
}

impl Deref for Reading {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
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

/// The database kind, the address in the library's form, and the path of a file.
fn address(url: &str) -> Result<(Dialect, String, Option<PathBuf>), StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok((Dialect::Postgres, url.to_owned(), None));
    }
    let Some(path) = url.strip_prefix("sqlite:") else {
        return Err(StoreError::Unreachable {
            cause: "its address begins with neither `sqlite:` nor `postgres://`".to_owned(),
        });
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.contains(":memory:") {
        return Err(StoreError::Unreachable {
            cause: "a store needs a file: write `sqlite:PATH`".to_owned(),
        });
    }
    let path = std::path::absolute(path).map_err(|error| cannot_open(Path::new(path), &error))?;
    let Some(text) = path.to_str() else {
        return Err(StoreError::Unreachable {
            cause: "its path is no Unicode text".to_owned(),
        });
    };
    // The library reads the address as a URL, where these four characters mean something else.
    let escaped = text
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23")
        .replace(' ', "%20");
    Ok((
        Dialect::Sqlite,
        format!("sqlite://{escaped}?mode=rwc"),
        Some(path),
    ))
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

/// At the start, whatever goes wrong with the connection itself means that there is none.
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
