//! Taking a connection out of the store for good: its state, its mirror, its work and its whole history.
//!
//! The history is append-only, and the database holds to that by triggers. This is the one exception, and it goes one
//! way: within a single transaction the chain is named in `leaving`, which the triggers look at, everything of it is
//! deleted, and the installation's history gets the proof, all or nothing. Nothing but a whole chain can go, and no
//! chain goes unsaid.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::AnyConnection;
use tieout_domain::TenantName;

use crate::chain::INSTALLATION;
use crate::commit::{commit_in, head};
use crate::facts::{Commit, Fact};
use crate::sql::{self, cells, count, with};
use crate::store::{ConnectionStore, Store};
use crate::{StoreError, witness};

/// The tables that hold something of a connection, with what takes its rows out. The history goes last.
const TABLES: [(&str, &str); 18] = [
    ("approvals", sql::DELETE_APPROVALS),
    ("items", sql::DELETE_ITEMS),
    ("links", sql::DELETE_LINKS),
    ("maps", sql::DELETE_MAPS),
    ("writes", sql::DELETE_WRITES),
    ("decisions", sql::DELETE_DECISIONS),
    ("runs", sql::DELETE_RUNS),
    ("stops", sql::DELETE_STOPS),
    ("records", sql::DELETE_RECORDS),
    ("marks", sql::DELETE_MARKS),
    ("due", sql::DELETE_DUE),
    ("remembered", sql::DELETE_REMEMBERED),
    ("hints", sql::DELETE_HINTS),
    ("heard", sql::DELETE_HEARD),
    ("frozen", sql::DELETE_FROZEN),
    ("private_values", sql::DELETE_PRIVATE),
    ("entries", sql::DELETE_ENTRIES),
    ("chains", sql::DELETE_CHAIN),
];

/// For how long nobody else may work on what is being deleted, at most.
const ALONE: Duration = Duration::from_secs(15 * 60);

/// What was taken out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Deleted {
    /// How many entries the history had.
    pub entries: u64,
    /// The hash of the last one; empty where there was none.
    pub hash: String,
    /// How many rows of each table went, those of which none did apart.
    pub rows: BTreeMap<String, u64>,
}

/// How much a connection takes in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Size {
    /// The entries of its history.
    pub entries: u64,
    /// The records in its mirror.
    pub records: u64,
    /// The bytes of both, as they were written. Indexes come on top.
    pub bytes: u64,
}

impl ConnectionStore {
    /// Takes the connection out of the store for good, and says so in the installation's history. What never was
    /// there, or is deleted already, leaves no second proof.
    ///
    /// # Errors
    /// [`StoreError::Held`] while somebody works on it. Also what a database can answer.
    pub async fn delete(
        &self,
        tenant: Option<&TenantName>,
        actor: &str,
        reason: &str,
    ) -> Result<Deleted, StoreError> {
        let alone = self.lease(actor, ALONE).await?;
        let mut transaction = self.store.begin().await?;
        let (entries, hash) = head(&mut transaction, self.store.inner.dialect, &self.chain).await?;
        // A year of a large connection takes longer than any other statement may.
        if let Some(text) = self.store.inner.dialect.without_hurry() {
            sqlx::raw_sql(text).execute(&mut *transaction).await?;
        }
        with(sql::LEAVING_PUT, cells![&*self.chain])
            .execute(&mut transaction)
            .await?;
        let mut rows = take_out(&mut transaction, &self.chain).await?;
        with(sql::LEAVING_DROP, cells![&*self.chain])
            .execute(&mut transaction)
            .await?;
        // The chain's own row was made by looking for it, if nothing else was.
        rows.remove("chains");
        let deleted = Deleted {
            entries,
            hash,
            rows,
        };
        if entries > 0 || !deleted.rows.is_empty() {
            let fact = Fact::HistoryDeleted {
                connection: self.chain.to_string(),
                tenant: tenant.cloned(),
                entries,
                hash: deleted.hash.clone(),
                rows: deleted.rows.clone(),
                reason: reason.to_owned(),
            };
            let commit = Commit {
                actor: actor.to_owned(),
                facts: vec![fact],
                ..Commit::default()
            };
            commit_in(&mut transaction, &self.store, INSTALLATION, &commit).await?;
        }
        // Its number stays and grows: whoever still holds an older one finds himself fenced off.
        with(sql::LEASE_BLANK, cells![&*self.chain, alone.fence])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        witness::forget(&self.store, &self.chain);
        self.store.forget_erased().await?;
        Ok(deleted)
    }

    /// How much it takes. Reads all of it.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn size(&self) -> Result<Size, StoreError> {
        let mut reader = self.store.reader().await?;
        let entries = with(sql::SIZE_OF_ENTRIES, cells![&*self.chain]);
        let entries = entries.fetch_one(&mut reader).await?;
        let records = with(sql::SIZE_OF_RECORDS, cells![&*self.chain]);
        let records = records.fetch_one(&mut reader).await?;
        Ok(Size {
            entries: count(&entries, 0)?,
            records: count(&records, 0)?,
            bytes: count(&entries, 1)? + count(&records, 1)?,
        })
    }
}

impl Store {
    /// The tables that [`ConnectionStore::delete`] takes rows out of, those of the outbox apart.
    #[must_use]
    pub fn deleted_tables(&self) -> Vec<&'static str> {
        TABLES.iter().map(|(table, _)| *table).collect()
    }
}

/// Deletes every row of a chain, and says how many there were by table. Letters about it that wait go too.
async fn take_out(
    database: &mut AnyConnection,
    chain: &str,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut rows = BTreeMap::new();
    let mut gone = |table: &str, number: u64| {
        if number > 0 {
            rows.insert(table.to_owned(), number);
        }
    };
    for (table, statement) in TABLES {
        let done = with(statement, cells![chain])
            .execute(&mut *database)
            .await?;
        gone(table, done.rows_affected());
    }
    // A letter's name says what it is about: way, target, connection, and the rest.
    let done = with(
        sql::DELETE_LETTERS,
        cells![format!("%/{}/%", literal(chain))],
    )
    .execute(&mut *database)
    .await?;
    gone("outbox", done.rows_affected());
    Ok(rows)
}

/// A name as `LIKE` takes it: `_` stands for any character there, and names may hold it.
fn literal(name: &str) -> String {
    name.replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_underscore_in_a_name_is_no_wildcard() {
        assert_eq!(literal("acme_us-2"), "acme\\_us-2");
    }
}
