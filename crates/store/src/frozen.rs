//! What people signed: kept word for word, so that it can be shown as it was, and found out if it is not.

use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;

use crate::chain::Stored;
use crate::sql::{self, cells, text, with};
use crate::store::ConnectionStore;
use crate::{Entry, Fact, StoreError};

/// The SHA-256 of a text, in hexadecimal digits: the name under which it is frozen.
#[must_use]
pub fn frozen_name(body: &str) -> String {
    tieout_domain::hexadecimal(&Sha256::digest(body.as_bytes()))
}

/// Keeps these texts, in the caller's transaction.
pub(crate) async fn write(
    database: &mut AnyConnection,
    chain: &str,
    bodies: &[String],
) -> Result<(), StoreError> {
    for body in bodies {
        with(
            sql::FROZEN_PUT,
            cells![chain, frozen_name(body), body.as_str()],
        )
        .execute(&mut *database)
        .await?;
    }
    Ok(())
}

/// What is wrong with the texts that an entry signs, if something is.
pub(crate) async fn fault(
    database: &mut AnyConnection,
    chain: &str,
    fact: &Fact,
) -> Result<Option<String>, StoreError> {
    let Fact::Signed {
        sha256, extract, ..
    } = fact
    else {
        return Ok(None);
    };
    for name in [sha256, extract] {
        let row = with(sql::FROZEN_GET, cells![chain, name.as_str()])
            .fetch_optional(&mut *database)
            .await?;
        let Some(row) = row else {
            return Ok(Some(format!("what it signs, {name}, is not there")));
        };
        if frozen_name(&text(&row, 0)?) != *name {
            return Ok(Some(format!("what it signs, {name}, was changed")));
        }
    }
    Ok(None)
}

impl ConnectionStore {
    /// The entries in which something was signed, the oldest first.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn signatures(&self) -> Result<Vec<Entry>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = with(sql::ENTRIES_SIGNED, cells![&*self.chain])
            .fetch_all(&mut reader)
            .await?;
        rows.iter()
            .map(|row| Stored::read(row)?.entry(&self.chain))
            .collect()
    }

    /// What was signed under this hash.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is not what was signed. Also what a database can answer.
    pub async fn frozen(&self, sha256: &str) -> Result<Option<String>, StoreError> {
        let mut reader = self.store.reader().await?;
        let row = with(sql::FROZEN_GET, cells![&*self.chain, sha256])
            .fetch_optional(&mut reader)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let body = text(&row, 0)?;
        if frozen_name(&body) == sha256 {
            Ok(Some(body))
        } else {
            Err(StoreError::corrupt(format!(
                "what was signed under {sha256} was changed"
            )))
        }
    }
}
