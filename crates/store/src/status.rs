//! What is known of the database itself: where it is, how large, and which schema it has.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sql::{cells, count, text, with};
use crate::store::Store;
use crate::{Schema, StoreError, catalogue};

/// How a database stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoreStatus {
    /// Its address, without what is secret in it.
    pub place: String,
    /// The server that takes writes now; the file's engine has none.
    pub server: Option<String>,
    /// The version of the database's program.
    pub version: String,
    /// How its schema stands.
    pub schema: Schema,
    /// How many bytes it takes.
    pub bytes: u64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
}

impl Store {
    /// The address, without what is secret in it.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.inner.place
    }

    /// How the database stands. Counts every table: on a large one, that takes a while.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn status(&self) -> Result<StoreStatus, StoreError> {
        let schema = self.schema().await?;
        let bytes = self.bytes().await?;
        let dialect = self.inner.dialect;
        let mut snapshot = self.snapshot().await?;
        let answer = with(dialect.server(), cells![])
            .fetch_one(&mut snapshot)
            .await?;
        let server = text(&answer, 0)?;
        let mut rows = BTreeMap::new();
        for name in catalogue::tables(&mut snapshot, dialect).await?.into_keys() {
            let counted = catalogue::rows(&mut snapshot, &name).await?;
            rows.insert(name, counted);
        }
        Ok(StoreStatus {
            place: self.place().to_owned(),
            server: (!server.is_empty()).then_some(server),
            version: text(&answer, 1)?,
            schema,
            bytes,
            rows,
        })
    }

    /// How many bytes the database takes.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        let mut reader = self.reader().await?;
        let row = with(self.inner.dialect.bytes(), cells![])
            .fetch_one(&mut reader)
            .await?;
        count(&row, 0)
    }
}
