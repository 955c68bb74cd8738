//! A connection to PostgreSQL that is cut in the middle of a commit: whether it was carried out is not known, so
//! it is reported as failed, is never tried again by itself, and nothing is sent on it.
//!
//! Runs where `TIEOUT_TEST_POSTGRES` names a server (`postgres://user@host:port/postgres`).

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tieout_domain::code::Code;
use tieout_domain::{Clock, ConnectionName, Kind, Outcome, Side, State, Timestamp};
use tieout_store::{Commit, Fact, RecordRef, Store};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-06-20T12:00:00Z".parse().unwrap()
    }
}

/// Lets everything through.
const OPEN: u8 = 0;
/// Cuts before a commit reaches the server.
const BEFORE: u8 = 1;
/// Cuts when the server has answered a commit, before the client hears it.
const AFTER: u8 = 2;
/// The commit is on its way; its answer is not let through.
const DEAF: u8 = 3;

/// A server between the two that cuts the line at the next commit.
struct Line {
    port: u16,
    mode: Arc<AtomicU8>,
}

impl Line {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = Arc::new(AtomicU8::new(OPEN));
        let shared = Arc::clone(&mode);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(&server) else {
                    break;
                };
                let (back, there) = (client.try_clone().unwrap(), far.try_clone().unwrap());
                let (up, down) = (Arc::clone(&shared), Arc::clone(&shared));
                std::thread::spawn(move || carry(client, far, &up, true));
                std::thread::spawn(move || carry(there, back, &down, false));
            }
        });
        Self { port, mode }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, mode: &AtomicU8, to_server: bool) {
    let mut bytes = [0; 16 * 1024];
    loop {
        let length = match from.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        let commits = to_server && bytes[..length].windows(6).any(|window| window == b"COMMIT");
        match mode.load(Ordering::SeqCst) {
            BEFORE if commits => break,
            AFTER if commits => mode.store(DEAF, Ordering::SeqCst),
            DEAF if !to_server => break,
            _ => {}
        }
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn stated(id: &str) -> Commit {
    let fact = Fact::Stated {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, id),
        outcome: Outcome::because(State::Hold, Code::new("settling"), "it waits"),
        label: format!("INV-{id}"),
        amount: None,
    };
    Commit {
        actor: "engine".to_owned(),
        facts: vec![fact],
        ..Commit::default()
    }
}

async fn run(url: &str, text: &str) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Cuts a commit so, and says how many entries there are afterwards.
async fn cut(mode: u8) -> Option<usize> {
    let Ok(server) = std::env::var("TIEOUT_TEST_POSTGRES") else {
        eprintln!("skipped: TIEOUT_TEST_POSTGRES is not set");
        return None;
    };
    let database = format!("tieout_doubt_{}_{mode}", std::process::id());
    run(&server, &format!("CREATE DATABASE {database}")).await;
    let (base, _) = server.rsplit_once('/').unwrap();
    let (user, host) = base.rsplit_once('@').unwrap();
    let host_and_port = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:5432")
    };
    let line = Line::to(host_and_port);
    let direct = format!("{base}/{database}");
    let cut = format!("{user}@127.0.0.1:{}/{database}", line.port);
    let name: ConnectionName = "acme".parse().unwrap();

    let store = Store::open(&cut, Arc::new(Noon)).await.unwrap();
    store.connection(&name).commit(stated("1")).await.unwrap();
    line.mode.store(mode, Ordering::SeqCst);
    let failed = store
        .connection(&name)
        .commit(stated("2"))
        .await
        .unwrap_err();
    assert_eq!(failed.code().as_str(), "store-unreachable", "{failed}");
    assert!(!failed.fix().is_empty());

    let sound = Store::open(&direct, Arc::new(Noon)).await.unwrap();
    let entries = sound.connection(&name).entries_after(0, 100).await.unwrap();
    assert!(sound.verify().await.unwrap().holds());
    sound.close().await;
    run(&server, &format!("DROP DATABASE {database} WITH (FORCE)")).await;
    Some(entries.len())
}

#[tokio::test]
async fn a_commit_that_was_cut_off_before_it_arrived_is_none() {
    if let Some(entries) = cut(BEFORE).await {
        assert_eq!(entries, 1);
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_cut_off_is_reported_as_failed_and_is_there_once() {
    if let Some(entries) = cut(AFTER).await {
        assert_eq!(entries, 2);
    }
}
