//! What the store says when its file is not what it wrote, or can't be written.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tieout_domain::code::Code;
use tieout_domain::{Clock, ConnectionName, Kind, Outcome, Side, State, Timestamp};
use tieout_store::{Commit, Fact, RecordRef, Store, StoreError, Verification};

/// SQLite's page, as the store's files have it.
const PAGE: usize = 4096;

/// What a WAL's frame has before its page.
const FRAME_HEAD: u64 = 24;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-06-20T12:00:00Z".parse().unwrap()
    }
}

fn name() -> ConnectionName {
    "acme".parse().unwrap()
}

fn stated(nth: u32) -> Commit {
    let fact = Fact::Stated {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, nth.to_string()),
        outcome: Outcome::because(State::Hold, Code::new("settling"), "it waits ".repeat(20)),
        label: format!("INV-{nth}"),
        amount: None,
    };
    Commit {
        actor: "engine".to_owned(),
        facts: vec![fact],
        ..Commit::default()
    }
}

async fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(&format!("sqlite:{}", path.display()), Arc::new(Noon)).await
}

/// Opens and verifies, as `audit verify` does.
async fn verified(path: &Path) -> Result<Verification, StoreError> {
    let store = open(path).await?;
    let verification = store.verify().await;
    store.close().await;
    verification
}

/// A store of some pages, closed in order.
async fn closed(folder: &TempDir, commits: u32) -> PathBuf {
    let path = folder.path().join("tieout.db");
    let store = open(&path).await.unwrap();
    for nth in 0..commits {
        store.connection(&name()).commit(stated(nth)).await.unwrap();
    }
    store.close().await;
    path
}

/// Whether the damage is told, as damage, with what to do about it.
#[track_caller]
fn assert_told(verified: &Result<Verification, StoreError>, what: &str) {
    match verified {
        Ok(verification) => assert!(!verification.holds(), "{what} is not told"),
        Err(error) => {
            assert_eq!(error.code().as_str(), "store-corrupt", "{what}: {error}");
            assert!(error.fix().contains("restore"), "{}", error.fix());
        }
    }
}

#[tokio::test]
async fn a_damaged_page_is_told_whichever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(&folder, 40).await;
    let whole = fs::read(&path).unwrap();
    assert!(verified(&path).await.unwrap().holds());
    let whole_again = fs::read(&path).unwrap();
    assert_eq!(whole.len(), whole_again.len());
    let pages = whole.len() / PAGE;
    assert!(pages > 20, "{pages} pages");
    for page in 0..pages {
        let mut damaged = whole.clone();
        damaged[page * PAGE..(page + 1) * PAGE].fill(0xa5);
        let beside = folder.path().join(format!("damaged-{page}.db"));
        fs::write(&beside, damaged).unwrap();
        assert_told(&verified(&beside).await, &format!("damage of page {page}"));
    }
}

#[tokio::test]
async fn a_file_that_was_cut_short_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(&folder, 40).await;
    let whole = fs::read(&path).unwrap();
    for length in [
        100,
        PAGE,
        whole.len() / 2,
        whole.len() - PAGE,
        whole.len() - 1,
    ] {
        let beside = folder.path().join(format!("cut-{length}.db"));
        fs::write(&beside, &whole[..length]).unwrap();
        assert_told(
            &verified(&beside).await,
            &format!("a file cut to {length} bytes"),
        );
    }
}

#[tokio::test]
async fn the_first_statement_that_meets_a_damaged_page_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(&folder, 400).await;
    let mut damaged = fs::read(&path).unwrap();
    // All that is not needed to open it.
    let from = damaged.len() / 4 / PAGE * PAGE;
    damaged[from..].fill(0xa5);
    fs::write(&path, damaged).unwrap();
    let read = match open(&path).await {
        Ok(store) => store
            .connection(&name())
            .entries_after(0, 10_000)
            .await
            .map(drop),
        Err(error) => Err(error),
    };
    assert_eq!(read.unwrap_err().code().as_str(), "store-corrupt");
}

/// What a killed process leaves: the file and its WAL, never closed.
async fn left_behind(folder: &TempDir, commits: u32) -> PathBuf {
    let path = folder.path().join("tieout.db");
    let store = open(&path).await.unwrap();
    for nth in 0..commits {
        store.connection(&name()).commit(stated(nth)).await.unwrap();
    }
    let left = folder.path().join("left.db");
    fs::copy(&path, &left).unwrap();
    fs::copy(
        folder.path().join("tieout.db-wal"),
        folder.path().join("left.db-wal"),
    )
    .unwrap();
    store.close().await;
    left
}

async fn entries(path: &Path) -> usize {
    let store = open(path).await.unwrap();
    let entries = store
        .connection(&name())
        .entries_after(0, 10_000)
        .await
        .unwrap();
    store.close().await;
    entries.len()
}

#[tokio::test]
async fn what_a_killed_process_had_committed_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let left = left_behind(&folder, 30).await;
    assert_eq!(entries(&left).await, 30);
    assert!(verified(&left).await.unwrap().holds());
}

#[tokio::test]
async fn a_commit_whose_last_page_never_reached_the_disk_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let left = left_behind(&folder, 30).await;
    let wal = folder.path().join("left.db-wal");
    let length = fs::metadata(&wal).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(&wal).unwrap();
    file.set_len(length - PAGE as u64 - FRAME_HEAD).unwrap();
    let there = entries(&left).await;
    assert!(there < 30, "half a commit counts");
    assert!(verified(&left).await.unwrap().holds());
}

#[tokio::test]
async fn a_store_that_can_not_be_written_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    // A folder where the file should be; a file where its folder should be.
    let in_the_way = folder.path().join("tieout.db");
    fs::create_dir(&in_the_way).unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [in_the_way, file.join("tieout.db")] {
        let error = open(&path).await.unwrap_err();
        assert_eq!(error.code().as_str(), "store-unreachable");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_in_a_folder_that_is_read_only_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = closed(&folder, 3).await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let writable = fs::write(folder.path().join("probe"), "").is_ok();
    let opened = open(&path).await;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    if writable {
        eprintln!("skipped: whoever runs this may write everywhere");
        return;
    }
    assert_eq!(opened.unwrap_err().code().as_str(), "store-unreachable");
}
