//! A database for a test: a SQLite file in a folder of its own or, where `TIEOUT_TEST_STORE` is `postgres`, a database of
//! its own on the server that `TIEOUT_TEST_POSTGRES` names (`postgres://USER@HOST:PORT/postgres`). It goes away with the
//! test.
//!
//! A test stops where there is no database to be had, so what goes wrong here is a panic.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;

/// The server on which databases for tests are made.
const SERVER: &str = "TIEOUT_TEST_POSTGRES";
/// Which of the two every test has that doesn't care.
const WHICH: &str = "TIEOUT_TEST_STORE";

/// A database for a test.
#[derive(Debug)]
pub struct TestStore {
    folder: TempDir,
    url: String,
    /// The server's own database, and the name of ours.
    server: Option<(String, String)>,
}

impl TestStore {
    /// The one that the environment asks for.
    ///
    /// # Panics
    /// Where none is to be had.
    #[must_use]
    pub fn new() -> Self {
        if std::env::var(WHICH).as_deref() != Ok("postgres") {
            return Self::file();
        }
        let Some(store) = Self::on_server() else {
            panic!("{WHICH} is `postgres`, and {SERVER} names no server");
        };
        store
    }

    /// A SQLite file, whatever the environment asks for.
    ///
    /// # Panics
    /// Where no folder can be made.
    #[must_use]
    pub fn file() -> Self {
        let folder = folder();
        Self {
            url: format!("sqlite:{}", folder.path().join("tieout.db").display()),
            folder,
            server: None,
        }
    }

    /// A database on the server; `None` where the environment names none.
    ///
    /// # Panics
    /// Where the server makes none.
    #[must_use]
    pub fn on_server() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var(SERVER) else {
            eprintln!("skipped: {SERVER} is not set");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // A number of a process comes again, and a test that was killed leaves its database behind.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = since.unwrap_or_default().as_nanos();
        let name = format!("tieout_test_{}_{number}_{nanos}", std::process::id());
        run(
            &server,
            &format!("CREATE DATABASE {name} STRATEGY file_copy"),
        );
        let (base, _) = server.rsplit_once('/').unwrap_or((&server, ""));
        Some(Self {
            folder: folder(),
            url: format!("{base}/{name}"),
            server: Some((server.clone(), name)),
        })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is on a server.
    #[must_use]
    pub fn is_on_server(&self) -> bool {
        self.server.is_some()
    }

    /// A folder of the test's own, in which the file lies if it is one.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What `tieout.toml` says of it; nothing of a file, which lies where a home keeps its own.
    #[must_use]
    pub fn table(&self) -> String {
        match &self.server {
            Some(_) => format!("[store]\nurl = \"{}\"\n", self.url),
            None => String::new(),
        }
    }
}

impl Default for TestStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server
            && !std::thread::panicking()
        {
            run(
                server,
                &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            );
        }
    }
}

/// Writes what the last program left in the log beside a store's file into that file, for a test that looks into it.
///
/// # Panics
/// Where the file is no store, or somebody holds it.
pub fn write_out(store: &Path) {
    let url = format!("sqlite:{}", store.display());
    run(&url, "PRAGMA wal_checkpoint(TRUNCATE)");
}

fn folder() -> TempDir {
    match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => panic!("a folder for a test: {error}"),
    }
}

/// Runs a statement on the server, on a thread of its own: a test may have a runtime, or none.
fn run(server: &str, text: &str) {
    sqlx::any::install_default_drivers();
    let ran = std::thread::scope(|scope| scope.spawn(|| blocking(server, text)).join());
    match ran {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{text}: {error}"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn blocking(server: &str, text: &str) -> Result<(), sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut connection = AnyConnection::connect(server).await?;
        sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
            .execute(&mut connection)
            .await?;
        connection.close().await
    })
}
