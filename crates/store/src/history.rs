//! Reading the history: a record's whole life, runs, and what happened since.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use tieout_domain::Timestamp;

use crate::chain::{Stored, moment};
use crate::commit::limit;
use crate::facts::{Fact, RecordRef, RunId};
use crate::fold::WriteRow;
use crate::sql::{self, Cell, cells, int, json, maybe_int, text, with};
use crate::state;
use crate::store::{ConnectionStore, Store};
use crate::{Entry, RunRow, StoreError};

impl ConnectionStore {
    /// All that happened to a record and to those it is linked with, the attempts of their writes included,
    /// in the order in which it happened.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn history(&self, record: &RecordRef) -> Result<Vec<Entry>, StoreError> {
        let mut reader = self.store.reader().await?;
        let family = family(&mut reader, &self.chain, record).await?;
        let names: Vec<Cell> = family.into_iter().map(Cell::from).collect();
        let fixed = cells![&*self.chain];
        let mut entries = BTreeMap::new();
        for row in sql::ENTRIES_BY_RECORD
            .fetch(&mut reader, &fixed, &names)
            .await?
        {
            let entry = Stored::read(&row)?.entry(&self.chain)?;
            entries.insert(entry.seq, entry);
        }
        let mut attempts = BTreeSet::new();
        for row in sql::WRITES_BY_RECORD
            .fetch(&mut reader, &fixed, &names)
            .await?
        {
            let seqs = WriteRow::read(&row)?.attempt_seqs;
            for seq in seqs.split(',').filter(|seq| !seq.is_empty()) {
                attempts.insert(sql::parse::<i64>(seq)?);
            }
        }
        let attempts: Vec<Cell> = attempts.into_iter().map(Cell::Int).collect();
        for row in sql::ENTRIES_BY_SEQ
            .fetch(&mut reader, &fixed, &attempts)
            .await?
        {
            let entry = Stored::read(&row)?.entry(&self.chain)?;
            entries.insert(entry.seq, entry);
        }
        Ok(entries.into_values().collect())
    }

    /// The entries after this number, at most so many.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn entries_after(&self, seq: u64, rows: u32) -> Result<Vec<Entry>, StoreError> {
        entries_after(&self.store, &self.chain, seq, rows).await
    }

    /// When what this entry tells of was attempted, by the far side's own clock where its time was known then; `None` if it
    /// tells of no attempt.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn attempted_in(&self, seq: u64) -> Result<Option<Timestamp>, StoreError> {
        let entries = self.entries_after(seq.saturating_sub(1), 1).await?;
        Ok(entries.first().and_then(|entry| match &entry.fact {
            Fact::Attempted { there, .. } => Some(there.unwrap_or(entry.at)),
            _ => None,
        }))
    }

    /// The entries after this number whose fact has this [word](crate::Fact::word), at most so many.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn entries_of(
        &self,
        word: &str,
        after: u64,
        rows: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut reader = self.store.reader().await?;
        let cells = cells![&*self.chain, word, after, limit(rows)];
        let rows = with(sql::ENTRIES_OF_FACT, cells)
            .fetch_all(&mut reader)
            .await?;
        rows.iter()
            .map(|row| Stored::read(row)?.entry(&self.chain))
            .collect()
    }

    /// The latest runs, the latest first.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn runs(&self, rows: u32) -> Result<Vec<RunRow>, StoreError> {
        let mut reader = self.store.reader().await?;
        let cells = cells![&*self.chain, limit(rows)];
        let rows = with(sql::RUNS, cells).fetch_all(&mut reader).await?;
        rows.iter().map(run_row).collect()
    }

    /// The runs before this one, the latest first.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn runs_before(&self, id: &RunId, rows: u32) -> Result<Vec<RunRow>, StoreError> {
        let mut reader = self.store.reader().await?;
        let cells = cells![&*self.chain, id.as_str(), limit(rows)];
        let rows = with(sql::RUNS_BEFORE, cells).fetch_all(&mut reader).await?;
        rows.iter().map(run_row).collect()
    }

    /// One run.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn run(&self, id: &RunId) -> Result<Option<RunRow>, StoreError> {
        let mut reader = self.store.reader().await?;
        let cells = cells![&*self.chain, id.as_str()];
        let row = with(sql::RUN, cells).fetch_optional(&mut reader).await?;
        row.as_ref().map(run_row).transpose()
    }

    /// A run's entries after this number, at most so many.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn run_facts(
        &self,
        id: &RunId,
        after: u64,
        rows: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut reader = self.store.reader().await?;
        let cells = cells![&*self.chain, id.as_str(), after, limit(rows)];
        let rows = with(sql::ENTRIES_OF_RUN, cells)
            .fetch_all(&mut reader)
            .await?;
        rows.iter()
            .map(|row| Stored::read(row)?.entry(&self.chain))
            .collect()
    }
}

/// See [`ConnectionStore::entries_after`].
pub(crate) async fn entries_after(
    store: &Store,
    chain: &str,
    seq: u64,
    rows: u32,
) -> Result<Vec<Entry>, StoreError> {
    let mut reader = store.reader().await?;
    let cells = cells![chain, seq, limit(rows)];
    let rows = with(sql::ENTRIES_AFTER, cells)
        .fetch_all(&mut reader)
        .await?;
    rows.iter()
        .map(|row| Stored::read(row)?.entry(chain))
        .collect()
}

/// The record and those that it is linked with, either way.
pub(crate) async fn family(
    database: &mut AnyConnection,
    chain: &str,
    record: &RecordRef,
) -> Result<BTreeSet<String>, StoreError> {
    let name = [Cell::from(record.to_string())];
    let fixed = cells![chain];
    let mut rows = sql::LINKS_FROM.fetch(database, &fixed, &name).await?;
    rows.extend(sql::LINKS_BY_TARGET.fetch(database, &fixed, &name).await?);
    let mut family = BTreeSet::from([record.to_string()]);
    for row in &rows {
        let link = state::link(row)?;
        family.extend([link.record.to_string(), link.target.to_string()]);
    }
    Ok(family)
}

pub(crate) fn run_row(row: &AnyRow) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        id: RunId::new(text(row, 0)?),
        trigger: text(row, 1)?,
        flows: json(&text(row, 2)?)?,
        actor: text(row, 3)?,
        started: moment(int(row, 4)?)?,
        ended: maybe_int(row, 5)?.map(moment).transpose()?,
        status: text(row, 6)?,
        counts: json(&text(row, 7)?)?,
        calls: json(&text(row, 8)?)?,
        cause: text(row, 9)?,
        limited: int(row, 10)? != 0,
    })
}
