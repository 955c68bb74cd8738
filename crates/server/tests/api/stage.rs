//! A store with a little of everything, and a program that plays what needs a system.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::{Extension, Router};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde_json::{Value, json};
use tieout_desk::preferences::Standing;
use tieout_desk::tie_out::{Made, Scope};
use tieout_desk::{DeskError, Reason};
use tieout_domain::check::Check;
use tieout_domain::code::Code;
use tieout_domain::document::{Approval, Bill, BillStatus};
use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::port::Observed;
use tieout_domain::{
    Amount, Clock, ConnectionName, Currency, Document, Kind, Outcome, Reach, RecordRef, Side,
    State, TenantName, Timestamp,
};
use tieout_engine::Plan;
use tieout_flows::Preferences;
use tieout_flows::preferences::catalogue;
use tieout_server::app::{App, Outside};
use tieout_server::people::{Person, Role};
use tieout_server::program::{
    Budget, ConnectionInfo, CredentialInfo, CredentialKindInfo, CredentialSet, Notification,
    Program, SyncAsked,
};
use tieout_store::testing::TestStore;
use tieout_store::{
    Commit, CredentialRow, Fact, MapStatus, NewToken, NewUser, RecordChange, RunId, Store,
};
use tower::ServiceExt;

/// A clock that moves a millisecond with each look.
pub(crate) struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let us = self.0.fetch_add(1000, Ordering::Relaxed);
        Timestamp::from_microsecond(us).unwrap()
    }

    fn uptime(&self) -> Duration {
        Duration::ZERO
    }
}

/// Plays what needs a system.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) asked: Mutex<Vec<SyncAsked>>,
    pub(crate) plans: AtomicU32,
    pub(crate) preferences: Mutex<Preferences>,
    /// How long the credential lasts.
    pub(crate) days_left: Mutex<i64>,
    /// How it takes notifications; it believes none without.
    pub(crate) believe: Option<Box<Believe>>,
    /// What it does when a connection is due.
    pub(crate) changed: Option<Box<Changed>>,
    /// Whether its configuration can't be written.
    pub(crate) read_only: AtomicBool,
    /// Whose its connection is.
    pub(crate) tenant: Option<TenantName>,
    /// Further connections, each with a credential of its own.
    pub(crate) more: Vec<ConnectionInfo>,
    /// For which connections it was asked to do something.
    pub(crate) touched: Mutex<Vec<String>>,
}

impl Played {
    fn touch(&self, connection: &ConnectionName) {
        self.touched.lock().unwrap().push(connection.to_string());
    }

    fn credential(&self, name: &str, used_by: &str) -> CredentialInfo {
        CredentialInfo {
            row: CredentialRow {
                name: name.to_owned(),
                kind: "bill".to_owned(),
                version: 2,
                set_at: Timestamp::UNIX_EPOCH,
                set_by: "user:ann".to_owned(),
            },
            used_by: vec![used_by.parse().unwrap()],
            serves: Vec::new(),
            last_used: None,
            expires: Some("2027-06-30".parse().unwrap()),
            days_left: Some(*self.days_left.lock().unwrap()),
        }
    }
}

type Believe = dyn Fn(&Notification<'_>) -> Result<Hint, Rejected> + Send + Sync;
type Changed = dyn Fn() + Send + Sync;

#[async_trait]
impl Program for Played {
    fn budgets(&self) -> Vec<Budget> {
        vec![Budget {
            system: "bill".to_owned(),
            key: "6f1e".to_owned(),
            used: 7,
            most: 20_000,
        }]
    }

    fn credentials_refused(&self) -> BTreeMap<String, u64> {
        [("bill".to_owned(), 1)].into()
    }

    fn connections(&self) -> Vec<ConnectionInfo> {
        let own = ConnectionInfo {
            name: "acme-us".parse().unwrap(),
            pair: "netsuite-bill".to_owned(),
            tenant: self.tenant.clone(),
            enabled: true,
            ledger: "NetSuite".to_owned(),
            platform: "BILL".to_owned(),
            time_zone: TimeZone::get("America/New_York").unwrap(),
            schedule: Some("every 15 minutes".to_owned()),
            // Of both sorts, so that every operation finds something.
            flows: tieout_flows::all()
                .iter()
                .map(|flow| flow.name().to_owned())
                .collect(),
            allowances: [("bill".to_owned(), 20_000)].into(),
            next_run: Some(Timestamp::UNIX_EPOCH),
            running: false,
        };
        [vec![own], self.more.clone()].concat()
    }

    async fn sync(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<(), DeskError> {
        self.touch(connection);
        if asked.flows.iter().any(|flow| flow != "bills") {
            return Err(DeskError::usage(Code::new("unknown-flow"), "no such flow"));
        }
        self.asked.lock().unwrap().push(asked);
        Ok(())
    }

    async fn plan(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<Plan, DeskError> {
        self.touch(connection);
        self.plans.fetch_add(1, Ordering::Relaxed);
        if asked.only.iter().any(|only| only == "unreachable") {
            return Err(DeskError {
                code: Code::new("unreachable"),
                cause: "NetSuite gives no answer".to_owned(),
                reason: Reason::Side,
            });
        }
        Ok(Plan {
            connection: connection.to_string(),
            flows: asked.flows,
            steps: Vec::new(),
            states: BTreeMap::new(),
            choices: Vec::new(),
            first_sync: Vec::new(),
            later: None,
            stops: Vec::new(),
            cost: None,
        })
    }

    async fn propose_mappings(&self, connection: &ConnectionName) -> Result<usize, DeskError> {
        self.touch(connection);
        Ok(7)
    }

    async fn tie_out(&self, connection: &ConnectionName, _: &Scope) -> Result<Made, DeskError> {
        self.touch(connection);
        Err(DeskError {
            code: Code::new("unreachable"),
            cause: "BILL gives no answer".to_owned(),
            reason: Reason::Side,
        })
    }

    fn preferences(&self, _: &ConnectionName) -> Result<Vec<Standing>, DeskError> {
        let preferences = self.preferences.lock().unwrap();
        let standing = |entry: tieout_flows::preferences::Entry| Standing {
            value: preferences.get(entry.key).unwrap_or(Value::Null),
            from: "default".to_owned(),
            entry,
        };
        Ok(catalogue().into_iter().map(standing).collect())
    }

    async fn change_preferences(
        &self,
        connection: &ConnectionName,
        values: BTreeMap<String, Value>,
        _: &str,
    ) -> Result<(), DeskError> {
        self.touch(connection);
        if self.read_only.load(Ordering::Relaxed) {
            return Err(DeskError::failed(Code::new("file"), "it can't be written"));
        }
        let mut preferences = self.preferences.lock().unwrap();
        let mut changed = preferences.clone();
        for (key, value) in values {
            changed
                .set_value(&key, value)
                .map_err(|error| tieout_desk::preferences::unfit(&error))?;
        }
        *preferences = changed;
        Ok(())
    }

    async fn credentials(&self) -> Result<Vec<CredentialInfo>, DeskError> {
        let more = self.more.iter().map(|it| it.name.as_str());
        let own = self.credential("acme-bill", "acme-us");
        let others = more.map(|name| self.credential(&format!("{name}-bill"), name));
        Ok([own].into_iter().chain(others).collect())
    }

    fn credential_kinds(&self) -> Vec<CredentialKindInfo> {
        Vec::new()
    }

    async fn set_credential(
        &self,
        name: &str,
        _: &str,
        _: SecretString,
        _: &str,
    ) -> Result<CredentialSet, DeskError> {
        self.touched.lock().unwrap().push(name.to_owned());
        Ok(CredentialSet::default())
    }

    async fn examine(
        &self,
        connection: &ConnectionName,
    ) -> Result<Vec<(String, Check)>, DeskError> {
        self.touch(connection);
        Ok(Vec::new())
    }

    fn is_new(&self, reason: &str) -> bool {
        reason == NEW
    }

    async fn stays_paused(&self, _: &ConnectionName, _: &str) -> Result<(), DeskError> {
        Ok(())
    }

    fn address(&self, _: &ConnectionName, record: &RecordRef) -> Option<String> {
        (record.side == Side::Ledger).then(|| format!("https://example.com/{}", record.id))
    }

    fn hint(&self, notification: &Notification<'_>) -> Result<Hint, Rejected> {
        match &self.believe {
            Some(believe) => believe(notification),
            None => Err(Rejected::Unsigned {
                why: "nobody subscribed for this address",
            }),
        }
    }

    fn changed(&self, _: &ConnectionName) {
        if let Some(changed) = &self.changed {
            changed();
        }
    }

    async fn not_ready(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A router with a store behind it.
pub(crate) struct Stage {
    pub(crate) store: Store,
    pub(crate) program: Arc<Played>,
    app: App,
    clock: Arc<Ticking>,
    _database: TestStore,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::of(Played::default()).await
    }

    pub(crate) async fn of(played: Played) -> Self {
        let database = TestStore::new();
        let ticking = Arc::new(Ticking(AtomicI64::new(1_780_000_000_000_000)));
        let clock: Arc<dyn Clock> = Arc::clone(&ticking) as _;
        let store = Store::open(database.url(), Arc::clone(&clock))
            .await
            .unwrap();
        fill(&store).await;
        let program = Arc::new(played);
        *program.days_left.lock().unwrap() = 200;
        let app = App {
            store: store.clone(),
            program: Arc::clone(&program) as Arc<dyn Program>,
            clock,
            outside: Arc::new(Outside::default()),
            counts: Arc::default(),
        };
        Self {
            store,
            program,
            app,
            clock: ticking,
            _database: database,
        }
    }

    /// The router as this role sees it; as nobody sees it without one.
    pub(crate) fn router(&self, role: Option<Role>) -> Router {
        let router = tieout_server::router(self.app.clone());
        match role {
            None => router,
            Some(role) => router.layer(Extension(Person {
                name: role.as_str().to_owned(),
                role,
                form_token: String::new(),
                token: None,
                reach: Reach::All,
            })),
        }
    }

    pub(crate) fn app(&self) -> App {
        self.app.clone()
    }

    /// Lets so many seconds go by.
    pub(crate) fn advance(&self, seconds: i64) {
        self.clock
            .0
            .fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    pub(crate) async fn ask_as(&self, role: Option<Role>, request: Request<Body>) -> Answer {
        let answer = self.router(role).oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        self.ask_as(Some(Role::Admin), request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path, None)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(request(Method::POST, path, Some(body))).await
    }
}

/// A request; an address without a slash at its beginning is below the API's.
pub(crate) fn request(method: Method, path: &str, body: Option<Value>) -> Request<Body> {
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/api/v1/{path}")
    };
    let request = Request::builder().method(method).uri(path);
    match body {
        None => request.body(Body::empty()).unwrap(),
        Some(body) => request
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap(),
    }
}

/// Why a connection is paused that was stored and has never gone live.
pub(crate) const NEW: &str = "not live yet";

/// The runs' ids, the oldest first.
pub(crate) const RUNS: [&str; 3] = ["run-1", "run-2", "run-3"];

pub(crate) fn bill(number: &str) -> Document {
    Document::Bill(Bill {
        vendor: "7".into(),
        number: number.to_owned(),
        transaction_number: format!("VENDBILL{number}"),
        date: "2026-06-01".parse().unwrap(),
        due: None,
        discount: None,
        currency: Currency::USD,
        exchange_rate: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        lines: Vec::new(),
        total: "10.10".parse().unwrap(),
        open: "10.10".parse().unwrap(),
        scheduled: Amount::ZERO,
        status: BillStatus::Open,
        approval: Approval::Approved,
        memo: "for June".to_owned(),
        purchase_order: String::new(),
        payment_hold: false,
        marker: None,
        external_id: None,
    })
}

pub(crate) fn commit(run: Option<&str>, facts: Vec<Fact>) -> Commit {
    Commit {
        actor: "engine".to_owned(),
        run: run.map(RunId::new),
        facts,
        ..Commit::default()
    }
}

/// A bill's state.
pub(crate) fn stated(id: &str, outcome: Outcome) -> Fact {
    Fact::Stated {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, id),
        outcome,
        label: format!("INV-{id}"),
        amount: Some("10.10".parse::<Amount>().unwrap().of(Currency::USD)),
    }
}

/// What waits for the mapping of account 58.
pub(crate) fn unmapped() -> Outcome {
    let code = Code::new("unmapped-account");
    Outcome::because(State::Blocked, code, "account 58 has no counterpart").grouped("account:58")
}

/// A run's beginning and end.
pub(crate) fn a_run(status: &str, cause: &str) -> [Fact; 2] {
    let started = Fact::RunStarted {
        trigger: "command".to_owned(),
        flows: vec!["bills".to_owned()],
        limited: false,
    };
    let counts = BTreeMap::from([("BLOCKED".to_owned(), 3), ("DONE".to_owned(), 1)]);
    let ended = Fact::RunEnded {
        status: status.to_owned(),
        flows: BTreeMap::from([("bills".to_owned(), counts)]),
        calls: BTreeMap::from([("bill".to_owned(), 4)]),
        cause: cause.to_owned(),
        codes: Vec::new(),
    };
    [started, ended]
}

async fn fill(store: &Store) {
    let connection = store.connection(&"acme-us".parse().unwrap());
    for run in RUNS {
        let [started, ended] = a_run("exceptions", "");
        let facts = vec![started, ended];
        connection.commit(commit(Some(run), facts)).await.unwrap();
    }
    let seen = ["1", "2", "3", "4"].map(|id| RecordChange::Seen {
        side: Side::Ledger,
        observed: Observed {
            id: id.into(),
            version: "1".to_owned(),
            created: None,
            document: bill(&format!("INV-{id}")),
        },
        match_key: String::new(),
    });
    let link = Fact::Linked {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, "4"),
        role: "bill".to_owned(),
        target: RecordRef::new(Side::Platform, Kind::Bill, "00n4"),
        key: None,
        how: "match".to_owned(),
        applied: Some(bill("INV-4")),
    };
    let mapped = Fact::Mapped {
        kind: "account".to_owned(),
        from: "58".into(),
        to: Some("0ac1".into()),
        status: MapStatus::Suggested,
        label_from: "6000 Rent".to_owned(),
        label_to: "Rent".to_owned(),
        why: "the name alone".to_owned(),
    };
    let body = json!({"status": "TIED", "period": {"name": "Jun 2026"}, "currency": "USD"});
    let body = body.to_string();
    let signed = Fact::Signed {
        report: "tie-out".to_owned(),
        period: "2026-06".to_owned(),
        currency: "USD".to_owned(),
        role: "preparer".to_owned(),
        status: "TIED".to_owned(),
        sha256: tieout_store::frozen_name(&body),
        extract: tieout_store::frozen_name("[]"),
        comment: String::new(),
    };
    let everything = Commit {
        records: seen.into(),
        frozen: vec![body, "[]".to_owned()],
        ..commit(
            None,
            vec![
                stated("1", unmapped()),
                stated("2", unmapped()),
                stated("3", unmapped()),
                stated("4", Outcome::done()),
                link,
                mapped,
                signed,
                Fact::Paused {
                    reason: "month end".to_owned(),
                },
            ],
        )
    };
    connection.commit(everything).await.unwrap();
    let fact = Fact::Preference {
        connection: "acme-us".to_owned(),
        name: "transactions.partly_paid".to_owned(),
        before: "skip".to_owned(),
        after: "balance".to_owned(),
    };
    let installation = store.installation();
    installation.commit("user:ann", vec![fact]).await.unwrap();
    let ann = NewUser {
        name: "ann".to_owned(),
        display: "Ann".to_owned(),
        mail: "ann@example.com".to_owned(),
        role: Role::Viewer,
        subject: Some("idp-1".to_owned()),
        until: None,
        tenants: Vec::new(),
    };
    let token = NewToken {
        name: "ci".to_owned(),
        user: "ann".to_owned(),
        scope: tieout_store::Scope::Read,
        expires: None,
        tenants: Vec::new(),
    };
    let people = store.people();
    people.add(&ann, None, "user:root").await.unwrap();
    people.make_token(&token, "user:ann").await.unwrap();
}
