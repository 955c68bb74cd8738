//! Sealed credentials, shared by name, and what else is kept sealed: sessions, tokens, what a probe found.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use tieout_domain::Timestamp;

use crate::chain::{INSTALLATION, moment};
use crate::facts::{Commit, Fact};
use crate::sql::{self, cells, count, int, maybe_int, text, with};
use crate::store::Store;
use crate::{SlotsAsked, SlotsHeld, StoreError, Taken, Vault};

/// A credential without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CredentialRow {
    /// Its name.
    pub name: String,
    /// Its kind: `netsuite-m2m`, `bill`, …
    pub kind: String,
    /// Grows with each change.
    pub version: u64,
    /// When it was set.
    pub set_at: Timestamp,
    /// By whom.
    pub set_by: String,
}

impl CredentialRow {
    pub(crate) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            name: text(row, 0)?,
            kind: text(row, 1)?,
            version: count(row, 2)?,
            set_at: moment(int(row, 3)?)?,
            set_by: text(row, 4)?,
        })
    }

    pub(crate) fn context(&self) -> String {
        context(&self.name, &self.kind, self.version)
    }
}

fn context(name: &str, kind: &str, version: u64) -> String {
    format!("credential\n{name}\n{kind}\n{version}")
}

/// The sealed credentials. Every change is in the installation's history.
#[derive(Debug, Clone)]
pub struct Credentials {
    store: Store,
}

/// What is kept sealed for a while.
#[derive(Debug, Clone)]
pub struct Kept {
    store: Store,
    vault: Vault,
}

impl Store {
    /// The sealed credentials.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials {
            store: self.clone(),
        }
    }

    /// What is kept sealed: sessions, tokens and what a probe found.
    #[must_use]
    pub fn kept(&self, vault: &Vault) -> Kept {
        Kept {
            store: self.clone(),
            vault: vault.clone(),
        }
    }
}

impl Credentials {
    /// Seals a credential (its fields as JSON) under a name, and returns its version.
    ///
    /// # Errors
    /// [`StoreError::VaultKeyWrong`] when the store's key is another by now. Also what a database can answer.
    pub async fn set(
        &self,
        vault: &Vault,
        name: &str,
        kind: &str,
        secret: SecretString,
        actor: &str,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.store.begin().await?;
        vault.hold(&mut transaction).await?;
        let row = with(sql::CREDENTIAL, cells![name])
            .fetch_optional(&mut transaction)
            .await?;
        let version = row.map_or(Ok(0), |row| count(&row, 2))? + 1;
        let sealed = vault.seal(
            &context(name, kind, version),
            secret.expose_secret().as_bytes(),
        )?;
        let cells = cells![name, kind, version, sealed, self.store.now_us(), actor];
        with(sql::CREDENTIAL_SET, cells)
            .execute(&mut transaction)
            .await?;
        self.store
            .record_credential(&mut transaction, name, kind, "set", actor)
            .await?;
        transaction.commit().await?;
        Ok(version)
    }

    /// Opens a credential.
    ///
    /// # Errors
    /// [`StoreError::CredentialMissing`] and [`StoreError::VaultKeyWrong`]. Also what a database can answer.
    pub async fn get(
        &self,
        vault: &Vault,
        name: &str,
    ) -> Result<(CredentialRow, SecretString), StoreError> {
        let mut reader = self.store.reader().await?;
        let row = with(sql::CREDENTIAL, cells![name])
            .fetch_optional(&mut reader)
            .await?;
        let row = row.ok_or_else(|| StoreError::CredentialMissing {
            name: name.to_owned(),
        })?;
        let credential = CredentialRow::read(&row)?;
        let secret = vault.open(&credential.context(), &text(&row, 5)?)?;
        Ok((credential, secret_text(&secret)?))
    }

    /// All credentials, by name, without their secrets.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn list(&self) -> Result<Vec<CredentialRow>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = with(sql::CREDENTIALS, cells![])
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(CredentialRow::read).collect()
    }

    /// Removes a credential.
    ///
    /// # Errors
    /// [`StoreError::CredentialMissing`]. Also what a database can answer.
    pub async fn remove(&self, name: &str, actor: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        let dialect = self.store.inner.dialect;
        let row = sql::locking(dialect, sql::CREDENTIAL, cells![name])
            .fetch_optional(&mut transaction)
            .await?;
        let row = row.ok_or_else(|| StoreError::CredentialMissing {
            name: name.to_owned(),
        })?;
        with(sql::CREDENTIAL_DROP, cells![name])
            .execute(&mut transaction)
            .await?;
        self.store
            .record_credential(&mut transaction, name, &text(&row, 1)?, "removed", actor)
            .await?;
        transaction.commit().await
    }
}

impl Store {
    /// Puts a change of a credential, or of the key that seals them, into the history.
    pub(crate) async fn record_credential(
        &self,
        database: &mut AnyConnection,
        name: &str,
        kind: &str,
        change: &str,
        actor: &str,
    ) -> Result<(), StoreError> {
        let fact = Fact::Credential {
            name: name.to_owned(),
            kind: kind.to_owned(),
            change: change.to_owned(),
        };
        let commit = Commit {
            actor: actor.to_owned(),
            facts: vec![fact],
            ..Commit::default()
        };
        crate::commit::commit_in(database, self, INSTALLATION, &commit)
            .await
            .map(drop)
    }
}

impl Kept {
    /// What is kept under this name and has not expired.
    ///
    /// # Errors
    /// [`StoreError::VaultKeyWrong`]. Also what a database can answer.
    pub async fn get(&self, name: &str) -> Result<Option<SecretString>, StoreError> {
        let mut reader = self.store.reader().await?;
        let row = with(sql::KEPT, cells![name])
            .fetch_optional(&mut reader)
            .await?;
        let Some(row) = row else { return Ok(None) };
        if maybe_int(&row, 1)?.is_some_and(|expires| expires <= self.store.now_us()) {
            return Ok(None);
        }
        let secret = self.vault.open(&format!("kept\n{name}"), &text(&row, 0)?)?;
        secret_text(&secret).map(Some)
    }

    /// Keeps a value, in place of what was kept under this name; for ever if it doesn't expire.
    ///
    /// # Errors
    /// [`StoreError::VaultKeyWrong`] when the store's key is another by now. Also what a database can answer.
    pub async fn put(
        &self,
        name: &str,
        value: &SecretString,
        expires: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let sealed = self
            .vault
            .seal(&format!("kept\n{name}"), value.expose_secret().as_bytes())?;
        let cells = cells![name, sealed, expires.map(|at| at.as_microsecond())];
        let mut transaction = self.store.begin().await?;
        self.vault.hold(&mut transaction).await?;
        with(sql::KEPT_SET, cells).execute(&mut transaction).await?;
        transaction.commit().await
    }

    /// Takes one of what is allowed in an hour: see [`Store::take_allowance`].
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn take_allowance(
        &self,
        name: &str,
        now: Timestamp,
        most: u32,
    ) -> Result<bool, StoreError> {
        self.store.take_allowance(name, now, most).await
    }

    /// Takes some of what is allowed in an hour: see [`Store::take_allowances`].
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn take_allowances(
        &self,
        name: &str,
        now: Timestamp,
        some: u32,
        most: u32,
    ) -> Result<Taken, StoreError> {
        self.store.take_allowances(name, now, some, most).await
    }

    /// Gives back what of an hour was not used: see [`Store::give_back_allowances`].
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn give_back_allowances(&self, name: &str, unused: Taken) -> Result<(), StoreError> {
        self.store.give_back_allowances(name, unused).await
    }

    /// Takes slots or renews them: see [`Store::hold_slots`].
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn hold_slots(
        &self,
        name: &str,
        asked: SlotsAsked,
        time: Duration,
    ) -> Result<SlotsHeld, StoreError> {
        self.store.hold_slots(name, asked, time).await
    }

    /// Whether others want more slots than they have: see [`Store::others_wait_for_slots`].
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn others_wait_for_slots(&self, name: &str) -> Result<bool, StoreError> {
        self.store.others_wait_for_slots(name).await
    }

    /// Gives slots back: see [`Store::give_back_slots`].
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn give_back_slots(&self, name: &str) -> Result<(), StoreError> {
        self.store.give_back_slots(name).await
    }

    /// Takes the next free turn of calls that are spaced evenly: see [`Store::take_turn`].
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn take_turn(
        &self,
        name: &str,
        now: Timestamp,
        every: Duration,
    ) -> Result<Timestamp, StoreError> {
        self.store.take_turn(name, now, every).await
    }

    /// Forgets what is kept under this name.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn remove(&self, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        with(sql::KEPT_DROP, cells![name])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }
}

fn secret_text(bytes: &[u8]) -> Result<SecretString, StoreError> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| StoreError::corrupt("what is sealed is no text"))?;
    Ok(SecretString::from(text.to_owned()))
}
