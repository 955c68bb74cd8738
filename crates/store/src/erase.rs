//! Erasing personal values (scenario 247): from the history's side table, from the state that was folded
//! from them, and from the mirror. Amounts, ids, states and the chain of hashes stay.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::AnyConnection;
use tieout_domain::Document;

use crate::chain::Stored;
use crate::commit::commit_in;
use crate::facts::{Commit, Fact, RecordRef};
use crate::private::{self, erased_text};
use crate::sql::{self, Cell, cells, json, text, with};
use crate::store::{ConnectionStore, Store};
use crate::{StoreError, fold, history, state};

impl ConnectionStore {
    /// Erases the personal values of these records, and of those they are linked with, and records that it
    /// was done. Returns from how many entries. What the remote systems still show comes back with the next
    /// pull: erase it there first.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn erase(
        &self,
        records: &[RecordRef],
        actor: &str,
        reason: &str,
    ) -> Result<u64, StoreError> {
        // Nothing is told of the records while they are erased.
        let mut transaction = self.store.begin_on(&self.chain).await?;
        let mut erased = 0;
        let mut facts = Vec::new();
        for record in records {
            let names = history::family(&mut transaction, &self.chain, record).await?;
            let entries = erase_family(&mut transaction, &self.chain, &names).await?;
            facts.push(Fact::Erased {
                record: record.clone(),
                entries,
                reason: reason.to_owned(),
            });
            erased += entries;
        }
        let commit = Commit {
            actor: actor.to_owned(),
            facts,
            ..Commit::default()
        };
        commit_in(&mut transaction, &self.store, &self.chain, &commit).await?;
        transaction.commit().await?;
        self.store.forget_erased().await?;
        Ok(erased)
    }
}

impl Store {
    /// What was erased is left in no other place of the database's files either.
    pub(crate) async fn forget_erased(&self) -> Result<(), StoreError> {
        if let Some(text) = self.inner.dialect.after_erasure() {
            self.run_alone(text).await?;
        }
        Ok(())
    }
}

async fn erase_family(
    database: &mut AnyConnection,
    chain: &str,
    names: &BTreeSet<String>,
) -> Result<u64, StoreError> {
    let names: Vec<Cell> = names.iter().map(|name| Cell::from(name.as_str())).collect();
    let fixed = cells![chain];
    let mut seqs = Vec::new();
    for row in sql::ENTRIES_BY_RECORD
        .fetch(database, &fixed, &names)
        .await?
    {
        seqs.push(Cell::from(Stored::read(&row)?.envelope.seq));
    }
    let erased = sql::PRIVATE_ERASE.execute(database, &fixed, &seqs).await?;
    blank_items(database, chain, &names).await?;
    blank_links(database, chain, &names).await?;
    for row in sql::WRITES_BY_RECORD
        .fetch(database, &fixed, &names)
        .await?
    {
        let write = fold::WriteRow::read(&row)?;
        if write.order.is_empty() {
            continue;
        }
        let cells = cells![blank_json(&write.order)?, chain, write.id];
        with(sql::WRITE_BLANK, cells)
            .execute(&mut *database)
            .await?;
    }
    for row in sql::DECISIONS_OF.fetch(database, &fixed, &names).await? {
        let found = state::decision(&row)?;
        let cells = cells![
            erased_text(&found.reason),
            chain,
            found.flow,
            found.record.to_string()
        ];
        with(sql::DECISION_BLANK, cells)
            .execute(&mut *database)
            .await?;
    }
    for row in sql::RECORDS_BY_NAME.fetch(database, &fixed, &names).await? {
        let document: Document = json(&blank_json(&text(&row, 6)?)?)?;
        let label = document.label();
        let folded = label.to_lowercase();
        let cells = cells![
            label,
            folded,
            sql::to_json(&document),
            chain,
            text(&row, 0)?
        ];
        with(sql::RECORD_BLANK, cells)
            .execute(&mut *database)
            .await?;
    }
    Ok(erased)
}

async fn blank_items(
    database: &mut AnyConnection,
    chain: &str,
    names: &[Cell],
) -> Result<(), StoreError> {
    for row in sql::ITEMS_OF.fetch(database, cells![chain], names).await? {
        let item = state::item(&row)?;
        let (label, cause) = (erased_text(&item.label), erased_text(&item.outcome.cause));
        let cells = cells![label, cause, chain, item.flow, item.record.to_string()];
        with(sql::ITEM_BLANK, cells).execute(&mut *database).await?;
    }
    Ok(())
}

async fn blank_links(
    database: &mut AnyConnection,
    chain: &str,
    names: &[Cell],
) -> Result<(), StoreError> {
    // Only a link's own record's entries made it: those of a mere target are another record's.
    for row in sql::LINKS_FROM
        .fetch(database, cells![chain], names)
        .await?
    {
        let link = state::link(&row)?;
        let applied = sql::maybe_text(&row, 6)?
            .map(|text| blank_json(&text))
            .transpose()?;
        let cells = cells![
            applied,
            link.drift.as_deref().map(erased_text),
            chain,
            link.flow,
            link.record.to_string(),
            link.role
        ];
        with(sql::LINK_BLANK, cells).execute(&mut *database).await?;
    }
    Ok(())
}

fn blank_json(text: &str) -> Result<String, StoreError> {
    let mut value: Value = json(text)?;
    private::erase(&mut value);
    Ok(value.to_string())
}
