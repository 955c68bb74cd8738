//! Our tables as the database itself tells them. Whatever a later schema adds is among them without a line here.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AnyConnection;

use crate::StoreError;
use crate::dialect::Dialect;
use crate::migrate;
use crate::sql::{cells, count, int, text, with, with_built};

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Text; a number if not.
    pub(crate) is_text: bool,
    /// Its place in the key, from 1 on; 0 if it has none.
    pub(crate) key: i64,
}

impl Table {
    /// The names of its columns, with commas between.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|it| it.name.as_str()).collect();
        names.join(", ")
    }

    /// The names of the columns of its key, with commas between.
    pub(crate) fn key(&self) -> String {
        let mut key: Vec<_> = self.columns.iter().filter(|it| it.key > 0).collect();
        key.sort_unstable_by_key(|column| column.key);
        let names: Vec<_> = key.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }
}

/// Our tables that are there, by name.
pub(crate) async fn tables(
    connection: &mut AnyConnection,
    dialect: Dialect,
) -> Result<BTreeMap<String, Table>, StoreError> {
    let ours: BTreeSet<_> = migrate::tables().collect();
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let rows = with(dialect.tables(), cells![])
        .fetch_all(connection)
        .await?;
    for row in rows {
        let name = text(&row, 0)?;
        if !ours.contains(name.as_str()) {
            continue;
        }
        let column = Column {
            name: text(&row, 1)?,
            is_text: text(&row, 2)?.eq_ignore_ascii_case("text"),
            key: int(&row, 3)?,
        };
        tables.entry(name).or_default().columns.push(column);
    }
    Ok(tables)
}

/// How many rows a table has.
pub(crate) async fn rows(connection: &mut AnyConnection, table: &str) -> Result<u64, StoreError> {
    let row = with_built(format!("SELECT COUNT(*) FROM {table}"), cells![])
        .fetch_one(connection)
        .await?;
    count(&row, 0)
}
