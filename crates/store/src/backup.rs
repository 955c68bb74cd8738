//! A consistent copy of the database while others work on it.

use std::path::Path;
use std::sync::Arc;

use sqlx::Executor as _;

use crate::sql::text;
use crate::store::{Store, cannot_open, make_private_file};
use crate::{ChainHead, StoreError};

/// A copy that was made and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// How far each chain in it goes.
    pub chains: Vec<ChainHead>,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Store {
    /// Copies the database, as it is at one moment, into a new file that only its owner can read, and checks
    /// the copy: its pages, every hash, and the state that follows from the history. A sync that is under way
    /// goes on meanwhile.
    ///
    /// Sealed credentials are in it; the key that opens them is not.
    ///
    /// # Errors
    /// [`StoreError::BackupElsewhere`] on PostgreSQL, [`StoreError::BackupExists`],
    /// [`StoreError::BackupBroken`] for a copy that does not hold, and what a database can answer. Whatever
    /// goes wrong, there is no file afterwards.
    pub async fn backup(&self, path: &Path) -> Result<Backup, StoreError> {
        if self.inner.path.is_none() {
            return Err(StoreError::BackupElsewhere);
        }
        if path.exists() {
            return Err(StoreError::BackupExists {
                path: path.to_owned(),
            });
        }
        let made = self.copy(path).await;
        if made.is_err() {
            for suffix in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                // What was never made can't be removed.
                let _ = std::fs::remove_file(name);
            }
        }
        made
    }

    async fn copy(&self, path: &Path) -> Result<Backup, StoreError> {
        let Some(name) = path.to_str() else {
            return Err(StoreError::Unreachable {
                cause: format!("{} is no Unicode text", path.display()),
            });
        };
        // SQLite writes into an empty file that is there.
        make_private_file(path)?;
        let mut reader = self.reader().await?;
        sqlx::query("VACUUM INTO $1")
            .bind(name.to_owned())
            .execute(&mut *reader)
            .await?;
        drop(reader);
        let copy = Self::open(
            &format!("sqlite:{name}"),
            Arc::clone(&self.inner.seams.clock),
        )
        .await?;
        let checked = copy.check().await;
        copy.close().await;
        let chains = checked?;
        let file = std::fs::File::open(path).map_err(|error| cannot_open(path, &error))?;
        file.sync_all().map_err(|error| cannot_open(path, &error))?;
        let bytes = file
            .metadata()
            .map_err(|error| cannot_open(path, &error))?
            .len();
        Ok(Backup { chains, bytes })
    }

    /// Whether every page and every entry is as it must be.
    async fn check(&self) -> Result<Vec<ChainHead>, StoreError> {
        let mut reader = self.reader().await?;
        let row = reader.fetch_one("PRAGMA integrity_check").await?;
        let found = text(&row, 0)?;
        drop(reader);
        if found != "ok" {
            return Err(StoreError::BackupBroken { cause: found });
        }
        let verification = self.verify().await?;
        match verification.faults.first() {
            None => Ok(verification.chains),
            Some(fault) => Err(StoreError::BackupBroken {
                cause: format!("{}: {}", fault.chain, fault.cause),
            }),
        }
    }
}
