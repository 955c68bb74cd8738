//! A copy of a whole store in another database: from a file to a server, and back.
//!
//! It is read in one moment's state, table by table and row by row, so that memory stays flat. The goal is marked until
//! all of it is there and was checked: a store with the mark is opened by nobody. Leases stay behind: whoever has one
//! has it of the old store.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use serde::Serialize;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::catalogue::{self, Table};
use crate::dialect::Dialect;
use crate::migrate::How;
use crate::seams::Seams;
use crate::sql::{self, Cell, cells, count, maybe_int, maybe_text, text, with, with_built};
use crate::store::{Reading, Store};
use crate::{ChainHead, StopKind, StoreError, StoreOptions};

/// Under which name a database remembers that it is the goal of a copy.
const COPYING: &str = "copying";
/// What each database has of its own.
const OWN: [&str; 7] = [
    "store_schema",
    "store_state",
    "leases",
    "slots",
    "slot_pools",
    "nodes",
    "claims",
];
/// How many rows one statement writes.
const ROWS: usize = 64;
/// How many rows are one transaction of the goal.
const PAGE: usize = 64 * 64;

/// A copy that was made and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// How many rows of each table.
    pub tables: Vec<CopiedTable>,
    /// How far each history in it goes.
    pub chains: Vec<ChainHead>,
}

/// A table of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
}

impl Store {
    /// Copies everything into another database, which must be empty, or left behind by a copy that did not come to its
    /// end. Remote writes of the whole installation must be paused, so that neither store does what the other one
    /// doesn't know; the pause is part of the copy.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::NotEmpty`], [`StoreError::CopyDiffers`], and what opening and reading a
    /// database can answer. What of the copy is there then is opened by nobody.
    pub async fn copy_to(
        &self,
        goal: &StoreOptions,
        seams: Seams,
        told: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Copied, StoreError> {
        self.take_up_hints().await?;
        let goal = Self::connect(goal, seams, &[]).await?;
        let copied = self.copy_into(&goal, told).await;
        goal.close().await;
        copied
    }

    async fn copy_into(
        &self,
        goal: &Self,
        told: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Copied, StoreError> {
        let schema = self.schema().await?;
        if schema.found > schema.known {
            // It has columns that the goal, made by this program, would lack.
            return Err(StoreError::Newer {
                found: schema.found,
                known: schema.known,
            });
        }
        let mut source = self.snapshot().await?;
        self.refuse_in_use(&mut source).await?;
        let tables = copied_tables(&mut source, self.inner.dialect).await?;
        goal.begin_copy(&tables, self.now_us()).await?;
        let mut done = Vec::new();
        for (name, table) in &tables {
            told(name);
            let rows = copy_table(&mut source, goal, name, table).await?;
            done.push(CopiedTable {
                name: name.clone(),
                rows,
            });
        }
        told("");
        let chains = goal.check_copy(&mut source, &done).await?;
        goal.end_copy().await?;
        Ok(Copied {
            from: self.place().to_owned(),
            to: goal.place().to_owned(),
            tables: done,
            chains,
        })
    }

    /// What services told of and no process has taken over yet goes along.
    async fn take_up_hints(&self) -> Result<(), StoreError> {
        if self.inner.path.is_none() {
            return Ok(());
        }
        let opened = self.hint_log().map_err(|error| StoreError::Full {
            cause: error.to_string(),
        })?;
        let Some((_log, left)) = opened else {
            return Err(in_use("`tieout serve` is at work on it; stop it first"));
        };
        if !left.is_empty() {
            self.keep_hints(&left).await?;
        }
        Ok(())
    }

    async fn refuse_in_use(&self, source: &mut Reading) -> Result<(), StoreError> {
        let stops = crate::stops::of_installation(source).await?;
        if !stops.iter().any(|stop| stop.kind == StopKind::Paused) {
            return Err(in_use(
                "remote writes go on; stop them all with `tieout pause`, and stop `tieout serve`",
            ));
        }
        let node = self.nodes().await?.into_iter().find(|node| node.alive);
        if let Some(node) = node {
            let name = node.name;
            return Err(in_use(&format!(
                "`tieout serve` is at work as {name}; stop it first"
            )));
        }
        let now = self.time_us(source).await?;
        let row = with(sql::LEASES_GOOD, cells![now])
            .fetch_optional(source)
            .await?;
        match row {
            None => Ok(()),
            Some(row) => Err(in_use(&format!(
                "{} is at work on {}; wait until it has ended",
                text(&row, 1)?,
                text(&row, 0)?
            ))),
        }
    }

    /// Makes the goal's schema and marks it; refuses one with something in it.
    async fn begin_copy(
        &self,
        tables: &BTreeMap<String, Table>,
        now_us: i64,
    ) -> Result<(), StoreError> {
        if self.schema().await?.found > 0 && self.copying().await?.is_some() {
            self.drop_all().await?;
        }
        self.bring_up_to_date(How::ByItself).await?;
        let mut transaction = self.begin().await?;
        let there = copied_tables(&mut transaction, self.inner.dialect).await?;
        if there != *tables {
            let cause = "its tables are not those of the store".to_owned();
            return Err(StoreError::CopyDiffers { cause });
        }
        for name in tables.keys() {
            let found = with_built(format!("SELECT 1 FROM {name} LIMIT 1"), cells![])
                .fetch_optional(&mut transaction)
                .await?;
            if found.is_some() {
                return Err(StoreError::NotEmpty {
                    place: self.place().to_owned(),
                    table: name.clone(),
                });
            }
        }
        let since = crate::chain::moment(now_us)?;
        with(sql::STORE_STATE_SET, cells![COPYING, format!("{since:.0}")])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// Takes away what an unfinished copy left behind.
    async fn drop_all(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let tables = catalogue::tables(&mut transaction, self.inner.dialect).await?;
        // The mark goes with the last of them, in the same transaction.
        for name in tables.keys() {
            with_built(format!("DROP TABLE {name}"), cells![])
                .execute(&mut transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// Since when this is the goal of a copy, if it is.
    async fn copying(&self) -> Result<Option<String>, StoreError> {
        let mut reader = self.reader().await?;
        let row = with(sql::STORE_STATE, cells![COPYING])
            .fetch_optional(&mut reader)
            .await?;
        row.map(|row| text(&row, 0)).transpose()
    }

    /// Refuses to open the goal of a copy that did not come to its end.
    pub(crate) async fn refuse_unfinished_copy(&self) -> Result<(), StoreError> {
        match self.copying().await? {
            None => Ok(()),
            Some(since) => Err(StoreError::Incomplete { since }),
        }
    }

    /// Whether everything is there: every row, every hash, and the state that follows from the history.
    async fn check_copy(
        &self,
        source: &mut Reading,
        tables: &[CopiedTable],
    ) -> Result<Vec<ChainHead>, StoreError> {
        let mut reader = self.reader().await?;
        for table in tables {
            let found = catalogue::rows(&mut reader, &table.name).await?;
            if found != table.rows {
                let (name, rows) = (&table.name, table.rows);
                let cause = format!("`{name}` has {found} rows in it, and {rows} were read");
                return Err(StoreError::CopyDiffers { cause });
            }
        }
        drop(reader);
        let verification = self.verify().await?;
        if let Some(fault) = verification.faults.first() {
            let cause = format!("{}: {}", fault.chain, fault.cause);
            return Err(StoreError::CopyDiffers { cause });
        }
        let heads = with(sql::CHAINS, cells![]).fetch_all(source).await?;
        for row in &heads {
            let (chain, entries, hash) = (text(row, 0)?, count(row, 1)?, text(row, 2)?);
            let same = |head: &ChainHead| {
                head.chain == chain && head.entries == entries && head.hash == hash
            };
            if !verification.chains.iter().any(same) {
                let cause = format!("the history of {chain} ends elsewhere");
                return Err(StoreError::CopyDiffers { cause });
            }
        }
        Ok(verification.chains)
    }

    /// Takes the mark off: from now on it is a store.
    async fn end_copy(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        with(sql::STORE_STATE_DROP, cells![COPYING])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        if let Some(text) = self.inner.dialect.after_much() {
            self.run_alone(text).await?;
        }
        Ok(())
    }
}

/// The tables that a copy has to have, by name.
async fn copied_tables(
    connection: &mut AnyConnection,
    dialect: Dialect,
) -> Result<BTreeMap<String, Table>, StoreError> {
    let mut tables = catalogue::tables(connection, dialect).await?;
    tables.retain(|name, _| !OWN.contains(&name.as_str()));
    Ok(tables)
}

/// Copies a table, and says how many rows it has.
async fn copy_table(
    source: &mut AnyConnection,
    goal: &Store,
    name: &str,
    table: &Table,
) -> Result<u64, StoreError> {
    let select = format!(
        "SELECT {} FROM {name} ORDER BY {}",
        table.names(),
        table.key()
    );
    let mut rows = with_built(select, cells![]).fetch(source);
    let mut page = Vec::with_capacity(PAGE);
    let mut copied = 0;
    while let Some(row) = rows.try_next().await? {
        page.push(read(&row, table)?);
        copied += 1;
        if page.len() == PAGE {
            write(goal, name, table, &mut page).await?;
        }
    }
    write(goal, name, table, &mut page).await?;
    Ok(copied)
}

fn read(row: &AnyRow, table: &Table) -> Result<Vec<Cell>, StoreError> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(at, column)| match column.is_text {
            true => maybe_text(row, at).map(Cell::MaybeText),
            false => maybe_int(row, at).map(Cell::MaybeInt),
        })
        .collect()
}

/// Writes a page of rows in one transaction.
async fn write(
    goal: &Store,
    name: &str,
    table: &Table,
    page: &mut Vec<Vec<Cell>>,
) -> Result<(), StoreError> {
    if page.is_empty() {
        return Ok(());
    }
    let mut transaction = goal.begin().await?;
    for rows in page.chunks(ROWS) {
        let text = insert(goal.inner.dialect, name, table, rows.len());
        let cells = rows.iter().flatten().cloned().collect();
        with_built(text, cells).execute(&mut transaction).await?;
    }
    page.clear();
    transaction.commit().await
}

fn insert(dialect: Dialect, name: &str, table: &Table, rows: usize) -> String {
    let width = table.columns.len();
    let row = |row: usize| {
        let cells: Vec<_> = (1..=width)
            .map(|column| dialect.placeholder(row * width + column))
            .collect();
        format!("({})", cells.join(","))
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO {name} ({}) VALUES {}",
        table.names(),
        rows.join(",")
    )
}

fn in_use(cause: &str) -> StoreError {
    StoreError::InUse {
        cause: cause.to_owned(),
    }
}
