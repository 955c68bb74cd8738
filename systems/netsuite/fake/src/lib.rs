//! The NetSuite sandbox: SuiteQL executed for real, records, authentication, limits.
//!
//! Written from the README of the NetSuite system alone, never from its client. One in-memory SQLite
//! holds the books; its tables *are* the SuiteQL tables. What a person does in NetSuite's own pages is
//! done through [`Fake::control`](tieout_kit::fake::Fake::control).

mod account;
mod auth;
mod control;
mod http_surface;
mod inventory;
mod json;
mod lag;
mod ledger;
mod limits;
mod load;
mod options;
mod problem;
mod query;
mod records;
mod schema;
mod scripts;
mod state;
mod suiteql;
mod system;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use axum::Router;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tieout_kit::fake::world::World;
use tieout_kit::fake::{Chassis, ControlError, Fake};

use account::AccountName;
use auth::role::{Level, OVERRIDE_PERIODS, TABLE_PERMISSIONS};
use auth::{Caller, Credentials, M2M, TBA};
use http_surface::Call;
use limits::Limits;
pub use options::{Options, Quirks};

/// One NetSuite account.
pub struct NetSuiteFake {
    chassis: Chassis,
    options: Options,
    account: AccountName,
    /// Whether the account has subsidiaries.
    one_world: bool,
    /// The company's time zone: what day it is.
    company_zone: TimeZone,
    /// The subsidiary the payment platform pays for, counted from the root as 1.
    platform_subsidiary: usize,
    company: String,
    books: Mutex<Connection>,
    views: Mutex<lag::Views>,
    engine: suiteql::Engine,
    credentials: Credentials,
    limits: Limits,
    quirks: Mutex<Quirks>,
    shape: Mutex<Shape>,
    jobs: records::jobs::Jobs,
    custom: records::custom::CustomRecords,
    scripts: scripts::Scripts,
    /// Records that somebody else is said to have changed in the meantime: table, id, times.
    contended: Mutex<Vec<(String, i64, u32)>>,
    operations: AtomicU64,
}

/// What features and role hide.
#[derive(Debug, Default, Clone)]
pub(crate) struct Shape {
    /// Tables hidden on the panel.
    hidden_tables: BTreeSet<String>,
    /// Columns hidden on the panel.
    hidden_columns: BTreeSet<(String, String)>,
    /// Features switched off.
    features_off: BTreeSet<String>,
}

impl NetSuiteFake {
    /// An account holding `world`.
    ///
    /// # Panics
    /// When `options` name no possible account or time zone, or `world` holds amounts beyond 900 billion:
    /// errors of whoever puts the sandbox together, not of its users.
    #[must_use]
    pub fn new(chassis: Chassis, world: &World, options: Options) -> Arc<Self> {
        let account = AccountName::parse(&options.account)
            .expect("the account is letters and digits with _ or - between");
        let company_zone =
            TimeZone::get(&world.time_zone).expect("the world's time zone is an IANA name");
        let mut books = Connection::open_in_memory().expect("SQLite opens in memory");
        schema::create(&books).expect("the tables of an empty database can be made");
        load::load(&mut books, world, chassis.clock.now()).expect("the world fits the tables");
        Arc::new(Self {
            credentials: Credentials::new(account.clone(), options.seed),
            limits: Limits::new(options.concurrency),
            quirks: Mutex::new(options.quirks.clone()),
            one_world: options.one_world && world.one_world,
            platform_subsidiary: world.platform.subsidiary + 1,
            company: world
                .subsidiaries
                .first()
                .map_or_else(|| "Sandbox".to_owned(), |root| root.name.clone()),
            company_zone,
            account,
            options,
            chassis,
            books: Mutex::new(books),
            views: Mutex::default(),
            engine: suiteql::Engine::default(),
            shape: Mutex::default(),
            jobs: records::jobs::Jobs::default(),
            custom: records::custom::CustomRecords::default(),
            scripts: scripts::Scripts::default(),
            contended: Mutex::default(),
            operations: AtomicU64::new(1),
        })
    }

    /// Uploads one more certificate for the integration record: its public key as
    /// `SubjectPublicKeyInfo` (DER).
    ///
    /// # Errors
    /// A sentence, when the key is of a kind that NetSuite refuses (RSA below 3072 bits, other curves), or
    /// five certificates are active.
    pub fn register_certificate(
        &self,
        certificate_id: &str,
        public_key: &[u8],
    ) -> Result<(), &'static str> {
        self.credentials.register(certificate_id, public_key)
    }

    /// The e-mail address and password of the account's person, for `/rest/issuetoken`.
    pub fn person(&self) -> (&'static str, &str) {
        (auth::endpoints::PERSON, self.credentials.password())
    }

    /// The sandbox's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.chassis.clock.now()
    }

    /// The time signatures are judged by.
    pub(crate) fn wall(&self) -> Timestamp {
        (self.options.wall_clock)()
    }

    pub(crate) fn company_name(&self) -> &str {
        &self.company
    }

    pub(crate) fn quirks(&self) -> Quirks {
        lock(&self.quirks).clone()
    }

    /// Waits as long as each call takes at least.
    pub(crate) async fn pause(&self) {
        if !self.chassis.latency.is_zero() {
            tokio::time::sleep(self.chassis.latency).await;
        }
    }

    /// The number of the next operation: NetSuite puts one on every answer.
    pub(crate) fn next_operation(&self) -> u64 {
        self.operations.fetch_add(1, Ordering::Relaxed)
    }

    /// Runs `work` with the books.
    pub(crate) fn with_books<T>(&self, work: impl FnOnce(&Connection) -> T) -> T {
        let books = lock(&self.books);
        self.remember(&books);
        let done = work(&books);
        self.remember(&books);
        done
    }

    /// Runs `work` with the books as SuiteQL shows them: while it lags, as they were a while ago.
    pub(crate) fn with_shown<T>(&self, work: impl FnOnce(&Connection, &suiteql::Engine) -> T) -> T {
        let books = lock(&self.books);
        self.remember(&books);
        let views = lock(&self.views);
        match views.shown(self.now(), self.lag()) {
            Some((shown, engine)) => work(shown, engine),
            None => work(&books, &self.engine),
        }
    }

    fn lag(&self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_secs(self.quirks().suiteql_lag_seconds.into())
    }

    fn remember(&self, books: &Connection) {
        let remembered = lock(&self.views).remember(books, self.now(), self.lag());
        if let Err(error) = remembered {
            tracing::error!(%error, "the books could not be copied for queries that lag");
        }
    }

    /// The circumstances of a write by this caller; `None` for a person at the panel, who may all.
    pub(crate) fn context(&self, caller: Option<&Caller>) -> ledger::Context {
        let now = self.now();
        let quirks = self.quirks();
        ledger::Context {
            now,
            today: now.to_zoned(self.company_zone.clone()).date(),
            one_world: self.one_world,
            payment_touches_bill: quirks.payment_touches_bill,
            void_by_journal: quirks.void_by_journal,
            override_locked: caller
                .is_none_or(|caller| caller.role.may(OVERRIDE_PERIODS, Level::Full)),
        }
    }

    /// What this caller's queries run under.
    pub(crate) fn session(&self, caller: &Caller) -> suiteql::Session {
        let shape = lock(&self.shape).clone();
        let mut hidden_tables = shape.hidden_tables.clone();
        for (table, permission) in TABLE_PERMISSIONS {
            if !caller.role.may(permission, Level::View) {
                hidden_tables.insert(table.to_owned());
            }
        }
        let mut hidden_columns = shape.hidden_columns.clone();
        for feature in &shape.features_off {
            hidden_columns.extend(control::columns_of_feature(feature));
            hidden_tables.extend(control::tables_of_feature(feature));
        }
        suiteql::Session {
            time_zone: self.options.session_zone(),
            date_format: self.options.date_format(),
            now: self.now(),
            one_world: self.one_world && !shape.features_off.contains("SUBSIDIARIES"),
            hidden_tables,
            hidden_columns,
            allow_with: self.quirks().allow_with,
        }
    }

    /// Whether a feature is switched off.
    pub(crate) fn is_off(&self, feature: &str) -> bool {
        lock(&self.shape).features_off.contains(feature)
    }

    /// Writes a failed sign-in to the login audit trail: the one place that tells why.
    pub(crate) fn audit_login(&self, reason: &str, call: &Call) {
        let written = self.with_books(|books| {
            books.execute(
                "INSERT INTO loginaudit (date, status, detail, emailaddress, requesturi)
                 VALUES (?1, 'Failure', ?2, ?3, ?4)",
                params![
                    schema::stamp(self.now()),
                    reason,
                    auth::endpoints::PERSON,
                    call.raw_path
                ],
            )
        });
        if let Err(error) = written {
            tracing::error!(%error, "the login audit trail could not be written");
        }
    }

    /// Whether somebody else has "just changed" the record: once per time asked for on the panel.
    pub(crate) fn takes_contention(&self, table: &str, id: i64) -> bool {
        let mut contended = lock(&self.contended);
        let Some(entry) = contended
            .iter_mut()
            .find(|entry| entry.0 == table && entry.1 == id)
        else {
            return false;
        };
        entry.2 -= 1;
        contended.retain(|entry| entry.2 > 0);
        true
    }
}

/// Locks, also after a panic elsewhere: what is guarded is consistent between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Fake for NetSuiteFake {
    fn service(&self) -> &'static str {
        "netsuite"
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .fallback(http_surface::handle)
            .with_state(self)
    }

    fn describe(&self, base: &str) -> Value {
        let (m2m, tba) = self.credentials.describe();
        let mut described = json!({
            "base_url": base,
            "account": self.account.realm(),
            M2M: m2m,
            TBA: tba,
        });
        if self.one_world {
            described["subsidiary"] = json!(self.platform_subsidiary.to_string());
        }
        described
    }

    fn state(&self) -> Value {
        let mut state = self.with_books(state::state).unwrap_or_else(|error| {
            tracing::error!(%error, "the books could not be counted");
            json!({"error": error.to_string()})
        });
        state["script"] = json!({"asked": self.scripts.asked()});
        state
    }

    fn records(&self) -> Value {
        let records = self.with_books(inventory::records);
        let mut records = records.unwrap_or_else(|error| {
            tracing::error!(%error, "the books could not be read");
            json!({"error": error.to_string()})
        });
        records["files"] = self.scripts.attachments.records().into();
        records
    }

    async fn control(&self, path: &[&str], body: Value) -> Result<Value, ControlError> {
        control::control(self, path, &body)
    }

    fn credential(&self, kind: &str, body: &Value) -> Option<Result<Value, ControlError>> {
        (kind == M2M || kind == TBA).then(|| self.credentials.control(kind, body, self.now()))
    }

    fn clock_moved(&self) {}
}
