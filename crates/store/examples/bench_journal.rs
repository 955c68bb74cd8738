//! How many entries of the history the store takes in a second, in groups as a run commits them: intents, their attempt,
//! outcomes with the records' states. Beside them, in the same run: how often a second a file can be made durable, and how
//! many bare rows of the same size the database takes in groups of the same size. Prints one JSON document.
//! `cargo xtask bench --only journal` runs it.
#![allow(
    clippy::unwrap_used,
    reason = "a measurement stops where something is not as it must be"
)]

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tieout_domain::document::{Approval, Bill, BillStatus};
use tieout_domain::port::{Action, Order};
use tieout_domain::{Amount, Clock, Currency, Document, Key, Kind, Outcome, Side, Timestamp};
use tieout_store::{Commit, ConnectionStore, Fact, RecordRef, Store};

/// Writes in a group, and how many are measured.
const GROUPS: [(usize, usize); 3] = [(1, 100), (100, 4_000), (1_000, 8_000)];

/// How often a file is made durable for one figure.
const SYNCS: u32 = 200;

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let given = std::env::args().nth(1);
    let url = given.clone().unwrap_or_else(|| {
        let path = folder.path().join("journal.db");
        format!("sqlite:{}", path.display())
    });
    let syncs = syncs(folder.path());
    let store = Store::open(&url, Arc::new(WallClock)).await.unwrap();
    let connection = store.connection(&"journal".parse().unwrap());
    let mut groups = Vec::new();
    for (size, writes) in GROUPS {
        let (entries, bytes) = entries(&connection, size, writes).await;
        let rows = rows(&url, folder.path(), (3 * size, 3 * writes), bytes).await;
        groups
            .push(json!({"size": 2 * size, "entries": entries, "rows": rows, "row_bytes": bytes}));
    }
    let began = Instant::now();
    let verification = store.verify().await.unwrap();
    assert!(verification.holds());
    let verified = verification.chains[0].entries as f64 / began.elapsed().as_secs_f64();
    let database = if given.is_some() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    let measured =
        json!({"database": database, "syncs": syncs, "groups": groups, "verified": verified});
    println!("{measured}");
}

/// How often a second a few kilobytes at the end of a file can be made durable.
fn syncs(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("syncs")).unwrap();
    let began = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    f64::from(SYNCS) / began.elapsed().as_secs_f64()
}

/// Entries a second, and about how many bytes each of them says.
async fn entries(connection: &ConnectionStore, size: usize, writes: usize) -> (f64, usize) {
    let began = Instant::now();
    let mut entries = 0;
    for from in (0..writes).step_by(size) {
        let names: Vec<String> = (from..from + size)
            .map(|id| format!("{size}-{id}"))
            .collect();
        let intended = names.iter().map(|id| intended(id)).collect();
        let writes = commit(connection, intended).await;
        commit(connection, vec![attempted(&writes)]).await;
        let outcomes = writes
            .iter()
            .zip(&names)
            .flat_map(|(write, id)| [applied(*write, id), stated(id)])
            .collect();
        let outcomes = commit(connection, outcomes).await;
        entries += writes.len() + 1 + outcomes.len();
    }
    let a_second = entries as f64 / began.elapsed().as_secs_f64();
    let said: usize = [intended("1"), applied(1, "1"), stated("1")]
        .iter()
        .map(|fact| format!("{fact:?}").len())
        .sum();
    (a_second, said / 3)
}

async fn commit(connection: &ConnectionStore, facts: Vec<Fact>) -> Vec<u64> {
    let commit = Commit {
        actor: "engine".to_owned(),
        facts,
        ..Commit::default()
    };
    connection.commit(commit).await.unwrap()
}

/// Bare rows a second: of so many bytes, so many in a transaction.
async fn rows(url: &str, folder: &Path, (size, all): (usize, usize), bytes: usize) -> f64 {
    sqlx::any::install_default_drivers();
    let postgres = url.starts_with("postgres");
    let bare = format!("sqlite:{}?mode=rwc", folder.join("rows.db").display());
    let mut database = AnyConnection::connect(if postgres { url } else { &bare })
        .await
        .unwrap();
    if !postgres {
        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
            sqlx::query(pragma).execute(&mut database).await.unwrap();
        }
    }
    let table = format!("bare_{size}");
    let make = format!("CREATE TABLE {table} (id BIGINT PRIMARY KEY, said TEXT NOT NULL)");
    sqlx::query(AssertSqlSafe(make))
        .execute(&mut database)
        .await
        .unwrap();
    let places = if postgres { "$1, $2" } else { "?, ?" };
    let insert = format!("INSERT INTO {table} (id, said) VALUES ({places})");
    let said = "x".repeat(bytes);
    let began = Instant::now();
    for from in (0..all).step_by(size) {
        let mut transaction = database.begin().await.unwrap();
        for id in from..from + size {
            let id = i64::try_from(id).unwrap();
            let row = sqlx::query(AssertSqlSafe(insert.as_str()))
                .bind(id)
                .bind(&said);
            row.execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
    all as f64 / began.elapsed().as_secs_f64()
}

fn record(id: &str) -> RecordRef {
    RecordRef::new(Side::Ledger, Kind::Bill, id.to_owned())
}

fn intended(id: &str) -> Fact {
    Fact::Intended {
        flow: "bills".to_owned(),
        record: record(id),
        role: "bill".to_owned(),
        order: Order {
            key: Key::of(["ns", "1", id]),
            action: Action::Create,
            target: None,
            document: bill(id),
            expect: None,
            file: None,
        },
        because: format!("bill {id} is approved"),
    }
}

fn attempted(writes: &[u64]) -> Fact {
    Fact::Attempted {
        writes: writes.to_vec(),
        there: None,
    }
}

fn applied(write: u64, id: &str) -> Fact {
    Fact::Applied {
        write,
        target: RecordRef::new(Side::Platform, Kind::Bill, format!("00n{id}")),
        adopted: false,
    }
}

fn stated(id: &str) -> Fact {
    Fact::Stated {
        flow: "bills".to_owned(),
        record: record(id),
        outcome: Outcome::done(),
        label: format!("INV-{id}"),
        amount: Some("10.10".parse::<Amount>().unwrap().of(Currency::USD)),
    }
}

fn bill(number: &str) -> Document {
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
        external_id: Some(Key::of(["bill", number])),
    })
}
