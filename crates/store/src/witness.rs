//! The witness of each chain: a small file beside a SQLite database that tells how far the chain had come.
//!
//! A database that was put back from a backup, or lost, can't tell that of itself: it is whole and consistent,
//! only older. The file is no part of it. It is written when a run begins and ends and whenever writes are
//! about to be sent, so that it never lags behind what was sent. It isn't forced to the disk: after a power
//! cut it may be old or empty, which proves nothing and accuses nobody, and it never tells of an entry that is
//! not on the disk.
//!
//! A PostgreSQL database has none: the machine beside it is not the one that keeps it. There the marks and
//! keys on the other side tell (`engine::evidence`).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use crate::StoreError;
use crate::facts::{Commit, Fact};
use crate::sql::{self, cells, text, with};
use crate::store::{ConnectionStore, Store};
use crate::{commit, stops};

/// Up to where a chain had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Witness {
    /// How many entries it had.
    entries: u64,
    /// The hash of the last one.
    hash: String,
}

/// Whether the witness is to know of this fact.
pub(crate) fn is_witnessed(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Attempted { .. }
            | Fact::RunStarted { .. }
            | Fact::RunEnded { .. }
            | Fact::RecoveryNeeded { .. }
            | Fact::Released { .. }
    )
}

/// Where a chain's witness lies.
fn place(store: &Store, chain: &str) -> Option<PathBuf> {
    let mut name = store.inner.path.as_ref()?.clone().into_os_string();
    name.push(format!(".{chain}.witness"));
    Some(name.into())
}

/// Writes down how far a chain has come. That it fails is no reason to stop: what it tells of is committed.
pub(crate) fn write(store: &Store, chain: &str, entries: u64, hash: String) {
    let Some(path) = place(store, chain) else {
        return;
    };
    let witness = Witness { entries, hash };
    if let Err(error) = replace(&path, &witness) {
        tracing::warn!(path = %path.display(), %error, "the witness of the history can't be written");
    }
}

/// The chain is gone, and was meant to go: nothing is to tell that it is missing.
pub(crate) fn forget(store: &Store, chain: &str) {
    let Some(path) = place(store, chain) else {
        return;
    };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "the witness of a deleted history is still there");
        }
        _ => {}
    }
}

fn replace(path: &Path, witness: &Witness) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // A temporary file is its owner's alone, and so is what it becomes.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut file, witness)?;
    file.write_all(b"\n")?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// What the witness tells, if it is there and whole.
fn read(path: &Path) -> Option<Witness> {
    let text = std::fs::read_to_string(path).ok()?;
    match serde_json::from_str(&text) {
        Ok(witness) => Some(witness),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the witness of the history can't be read");
            None
        }
    }
}

impl ConnectionStore {
    /// Puts the connection into recovery if its witness tells of a history that the database lacks. Gives the end of the
    /// history that says so: the witness is to tell of it once that is committed.
    pub(crate) async fn notice_lost_history(
        &self,
        database: &mut AnyConnection,
    ) -> Result<Option<(u64, String)>, StoreError> {
        let Some(witness) = place(&self.store, &self.chain).and_then(|path| read(&path)) else {
            return Ok(None);
        };
        let Some(cause) = contradiction(database, &self.chain, &witness).await? else {
            return Ok(None);
        };
        // A backup that was made during a recovery, and put back after it, brings that recovery's end with it: it has to
        // begin anew.
        let mut facts = Vec::new();
        if stops::is_recovering(database, &self.chain).await? {
            let reason = "the store was put back once more".to_owned();
            facts.push(Fact::Released { reason });
        }
        facts.push(Fact::RecoveryNeeded { cause });
        let commit = Commit {
            actor: "engine".to_owned(),
            facts,
            ..Commit::default()
        };
        commit::commit_in(database, &self.store, &self.chain, &commit).await?;
        let head = commit::head(database, self.store.inner.dialect, &self.chain).await?;
        Ok(Some(head))
    }
}

/// What of the witness the chain contradicts.
async fn contradiction(
    database: &mut AnyConnection,
    chain: &str,
    witness: &Witness,
) -> Result<Option<String>, StoreError> {
    if witness.entries == 0 {
        return Ok(None);
    }
    let row = with(sql::ENTRY_HASH, cells![chain, witness.entries])
        .fetch_optional(&mut *database)
        .await?;
    let found = row.map(|row| text(&row, 0)).transpose()?;
    if found.as_ref() == Some(&witness.hash) {
        return Ok(None);
    }
    let row = with(sql::CHAIN_HEAD, cells![chain])
        .fetch_optional(&mut *database)
        .await?;
    let entries = row.map_or(Ok(0), |row| sql::count(&row, 0))?;
    let had = witness.entries;
    Ok(Some(if found.is_some() {
        format!(
            "the history is another one from before entry {had} on: the store was put back from a backup"
        )
    } else if entries == 0 {
        format!("the history of {had} entries is gone: the store was lost")
    } else {
        format!(
            "the history had {had} entries and has {entries}: the store was put back from a backup"
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_that_is_broken_or_not_there_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db.acme.witness");
        assert_eq!(read(&path), None);
        for text in ["", "{", "{\"entries\":-1,\"hash\":\"\"}"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path), None, "{text}");
        }
        let witness = Witness {
            entries: 7,
            hash: "ab".to_owned(),
        };
        replace(&path, &witness).unwrap();
        assert_eq!(read(&path), Some(witness));
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "nothing is left beside it");
    }
}
