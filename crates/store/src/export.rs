//! Taking a chain out of the store, so that others can check it without the store.

use std::sync::Arc;

use serde::Serialize;
use tieout_domain::{ConnectionName, Timestamp};

use crate::chain::{INSTALLATION, Stored, VERSION};
use crate::commit::limit;
use crate::sql::{self, cells, count, text, with};
use crate::{Entry, Store, StoreError};

/// One chain, to be taken out of the store page by page.
#[derive(Debug, Clone)]
pub struct Export {
    store: Store,
    chain: Arc<str>,
}

/// An entry as its hash sees it: the parts in the order in which they are hashed, and the hash.
///
/// Each part is preceded by its length in bytes, in decimal digits, and a colon; a part that is missing is `-`.
/// The hash is SHA-256 over all of them, without anything between. Personal values are salted digests here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// The version of this form.
    pub version: &'static str,
    /// The hash of the entry before, empty for the first.
    pub before: String,
    /// Whose history.
    pub chain: String,
    /// The entry's number.
    pub seq: u64,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// Who.
    pub actor: String,
    /// In which run.
    pub run: Option<String>,
    /// The fact's word.
    pub fact: String,
    /// Which flow.
    pub flow: Option<String>,
    /// Which record.
    pub record: Option<String>,
    /// The fact as canonical JSON text, its personal values sealed.
    pub body: String,
    /// The hash, in hexadecimal digits.
    pub hash: String,
}

/// An entry as it is hashed, and as it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// As it is hashed.
    pub sealed: Sealed,
    /// As it reads, personal values included where they were not erased.
    pub entry: Entry,
}

impl Store {
    /// The chain of a connection, or the installation's own.
    #[must_use]
    pub fn export(&self, connection: Option<&ConnectionName>) -> Export {
        Export {
            store: self.clone(),
            chain: connection
                .map_or(INSTALLATION, ConnectionName::as_str)
                .into(),
        }
    }
}

impl Export {
    /// The chain's name, as it is hashed.
    #[must_use]
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// The number of the last entry before this moment; 0 if there is none.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn last_before(&self, moment: Timestamp) -> Result<u64, StoreError> {
        let mut reader = self.store.reader().await?;
        let cells = cells![&*self.chain, moment.as_microsecond()];
        let row = with(sql::ENTRY_BEFORE, cells)
            .fetch_one(&mut reader)
            .await?;
        count(&row, 0)
    }

    /// The entries after this number, at most so many, each checked against its hash and the one before.
    ///
    /// # Errors
    /// What a database can answer; [`StoreError::Corrupt`] for an entry that is missing, or isn't what its hash
    /// was made of.
    pub async fn page(&self, after: u64, rows: u32) -> Result<Vec<Exported>, StoreError> {
        let mut reader = self.store.reader().await?;
        let mut before = with(sql::ENTRY_HASH, cells![&*self.chain, after])
            .fetch_optional(&mut reader)
            .await?
            .map_or_else(|| Ok(String::new()), |row| text(&row, 0))?;
        let rows = with(sql::ENTRIES_AFTER, cells![&*self.chain, after, limit(rows)])
            .fetch_all(&mut reader)
            .await?;
        let mut page = Vec::with_capacity(rows.len());
        for (row, seq) in rows.iter().zip(after + 1..) {
            let stored = Stored::read(row)?;
            let envelope = &stored.envelope;
            if envelope.seq != seq || envelope.hash(&self.chain, &before) != stored.hash {
                let chain = &self.chain;
                let cause = format!("entry {seq} of {chain} is not what its hash was made of");
                return Err(StoreError::corrupt(cause));
            }
            let sealed = Sealed {
                version: VERSION,
                before: std::mem::replace(&mut before, stored.hash.clone()),
                chain: self.chain.to_string(),
                seq,
                at_us: envelope.at_us,
                actor: envelope.actor.clone(),
                run: envelope.run.clone(),
                fact: envelope.fact.clone(),
                flow: envelope.flow.clone(),
                record: envelope.record.clone(),
                body: envelope.body.clone(),
                hash: stored.hash.clone(),
            };
            let entry = stored.entry(&self.chain)?;
            page.push(Exported { sealed, entry });
        }
        Ok(page)
    }
}
