//! When something last happened that leaves no entry in the history: a backup, the use of a credential.

use std::collections::BTreeMap;

use tieout_domain::Timestamp;

use crate::StoreError;
use crate::chain::moment;
use crate::sql::{self, cells, int, text, with};
use crate::store::Store;

/// The name under which a backup is remembered.
const BACKUP: &str = "backup";
/// The name under which a change of how notifications are proven is remembered.
const WEBHOOKS: &str = "webhooks";
/// The name under which it is remembered that a service is at work.
const SERVING: &str = "serving";
/// What stands before a credential's name.
const CREDENTIAL: &str = "credential/";
/// A use of a credential within so long after another one is not written down.
const USED_EVERY_US: i64 = 3600 * 1_000_000;

/// When what is remembered last happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moments {
    /// The last backup that was made and checked.
    pub backup: Option<Timestamp>,
    /// The last change of how notifications are proven.
    pub webhooks: Option<Timestamp>,
    /// When a service last said that it is at work.
    pub serving: Option<Timestamp>,
    /// The last use of each credential by name, to the hour.
    pub credentials: BTreeMap<String, Timestamp>,
}

impl Store {
    /// When what is remembered last happened.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn moments(&self) -> Result<Moments, StoreError> {
        let mut reader = self.reader().await?;
        let rows = with(sql::MOMENTS, cells![]).fetch_all(&mut reader).await?;
        let mut moments = Moments::default();
        for row in &rows {
            let (name, at) = (text(row, 0)?, moment(int(row, 1)?)?);
            match name.strip_prefix(CREDENTIAL) {
                Some(credential) => {
                    moments.credentials.insert(credential.to_owned(), at);
                }
                None if name == BACKUP => moments.backup = Some(at),
                None if name == WEBHOOKS => moments.webhooks = Some(at),
                None if name == SERVING => moments.serving = Some(at),
                None => {}
            }
        }
        Ok(moments)
    }

    /// A backup was made and checked.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn backed_up(&self) -> Result<(), StoreError> {
        self.set_moment(BACKUP).await
    }

    /// How notifications are proven has changed: whoever receives them reads it anew.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn webhooks_kept(&self) -> Result<(), StoreError> {
        self.set_moment(WEBHOOKS).await
    }

    /// A service is at work: whoever asks for something that takes long may leave it to it.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn serves(&self) -> Result<(), StoreError> {
        self.set_moment(SERVING).await
    }

    /// A credential is used now. Written down once an hour at most.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn credential_used(&self, name: &str) -> Result<(), StoreError> {
        let name = format!("{CREDENTIAL}{name}");
        let mut reader = self.reader().await?;
        let row = with(sql::MOMENT, cells![name.as_str()])
            .fetch_optional(&mut reader)
            .await?;
        drop(reader);
        let last = row.map(|row| int(&row, 0)).transpose()?;
        if last.is_some_and(|last| self.now_us() - last < USED_EVERY_US) {
            return Ok(());
        }
        self.set_moment(&name).await
    }

    async fn set_moment(&self, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        with(sql::MOMENT_SET, cells![name, self.now_us()])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }
}
