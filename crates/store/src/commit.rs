//! One commit is one transaction: history, state, mirror, marks and work change together or not at all.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AnyConnection;
use tokio::task::JoinSet;

use crate::chain::{self, Envelope};
use crate::dialect::Dialect;
use crate::facts::{Commit, Fact, Settled};
use crate::fold::{Recorded, Writes};
use crate::sql::{self, Cell, cells, count, signed, text, with};
use crate::store::{ConnectionStore, Store};
use crate::{StoreError, batch, frozen, mirror, stops, witness};

/// How often a commit is tried again that met another one on PostgreSQL.
const TRIES: usize = 5;

impl ConnectionStore {
    /// Makes all of this true at once and returns the number of each fact's entry.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] under an old fence, [`StoreError::Stopped`] for an attempt while remote writes
    /// are stopped, and [`StoreError::Contradiction`] for a fact that can't
    /// follow from the history, such as the outcome of a closed write: nothing was kept. Also what a database
    /// can answer.
    pub async fn commit(&self, commit: Commit) -> Result<Vec<u64>, StoreError> {
        self::commit(&self.store, &self.chain, commit).await
    }

    /// Whether what an attempt was journaled for may still be sent: the lease of this fence has not passed on, and
    /// remote writes are not stopped. It is what a commit of that attempt would say now, without one.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::Stopped`], and what a database can answer.
    pub async fn may_send(&self, fence: u64) -> Result<(), StoreError> {
        let mut reader = self.store.reader().await?;
        let row = with(
            sql::LEASE_AND_STOPS,
            cells![&*self.chain, chain::INSTALLATION],
        )
        .fetch_optional(&mut reader)
        .await?;
        let (current, stopped) = match &row {
            Some(row) => (count(row, 0)?, count(row, 1)? > 0),
            None => (0, true),
        };
        fenced(&self.chain, fence, current)?;
        if stopped {
            stops::refuse(&mut reader, &self.chain).await?;
        }
        Ok(())
    }
}

/// See [`ConnectionStore::commit`].
pub(crate) async fn commit(
    store: &Store,
    chain: &str,
    commit: Commit,
) -> Result<Vec<u64>, StoreError> {
    // Whoever watches decides what comes after what.
    if store.inner.seams.watch.is_some() {
        return tries(store, chain, &commit).await;
    }
    let (store, chain) = (store.clone(), chain.to_owned());
    apart(async move { tries(&store, &chain, &commit).await }).await
}

/// Does this in a task of its own: a run that has much to think over meanwhile doesn't make others wait longer for
/// their turn to write. Whoever goes away takes it with him.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let mut task = JoinSet::new();
    task.spawn(work);
    match task.join_next().await {
        Some(Ok(done)) => done,
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down.
        Some(Err(_)) | None => std::future::pending().await,
    }
}

async fn tries(store: &Store, chain: &str, commit: &Commit) -> Result<Vec<u64>, StoreError> {
    for _ in 1..TRIES {
        match commit_once(store, chain, commit).await {
            // SQLite has waited as long as it may; on PostgreSQL two commits met and one goes first.
            Err(StoreError::Busy { .. }) if store.inner.dialect == Dialect::Postgres => {}
            done => return done,
        }
    }
    commit_once(store, chain, commit).await
}

async fn commit_once(store: &Store, chain: &str, commit: &Commit) -> Result<Vec<u64>, StoreError> {
    let mut transaction = store.begin().await?;
    let seqs = commit_in(&mut transaction, store, chain, commit).await?;
    let witnessed = commit.facts.iter().any(witness::is_witnessed);
    let head = match witnessed {
        true => Some(head(&mut transaction, store.inner.dialect, chain).await?),
        false => None,
    };
    transaction.commit().await?;
    if let Some(entry) = seqs.last() {
        let run = commit.run.as_ref().map(crate::RunId::as_str);
        tracing::trace!(chain, entry, run, "committed");
    }
    if let Some((seq, hash)) = head {
        witness::write(store, chain, seq, hash);
    }
    Ok(seqs)
}

/// A commit as a part of the caller's transaction.
pub(crate) async fn commit_in(
    database: &mut AnyConnection,
    store: &Store,
    chain: &str,
    commit: &Commit,
) -> Result<Vec<u64>, StoreError> {
    let head = head(database, store.inner.dialect, chain).await?;
    if let Some(fence) = commit.fence {
        check_fence(database, store.inner.dialect, chain, fence).await?;
    }
    if commit
        .facts
        .iter()
        .any(|fact| matches!(fact, Fact::Attempted { .. }))
    {
        stops::refuse_stopped(database, store.inner.dialect, chain).await?;
    }
    let seqs: Vec<u64> = (head.0 + 1..).take(commit.facts.len()).collect();
    let at_us = store.now_us();
    let mut wakes = Vec::new();
    if !commit.facts.is_empty() {
        let facts = seqs.iter().copied().zip(&commit.facts);
        let writes = batch::load_writes(database, chain, facts.clone()).await?;
        record(database, store, chain, &head, at_us, commit, &writes).await?;
        let recorded: Vec<_> = facts
            .map(|(seq, fact)| Recorded {
                seq,
                at_us,
                actor: &commit.actor,
                run: commit.run.as_ref().map(crate::RunId::as_str),
                fact,
            })
            .collect();
        wakes = batch::apply(database, chain, &recorded, &writes).await?;
    }
    mirror::write(database, chain, &commit.records).await?;
    write_marks(database, chain, commit).await?;
    write_due(database, chain, commit, wakes).await?;
    write_remembered(database, chain, commit).await?;
    frozen::write(database, chain, &commit.frozen).await?;
    Ok(seqs)
}

/// The end of the chain: its number and hash. Kept from moving until the transaction ends.
pub(crate) async fn head(
    database: &mut AnyConnection,
    dialect: Dialect,
    chain: &str,
) -> Result<(u64, String), StoreError> {
    for _ in 0..2 {
        let row = sql::locking(dialect, sql::CHAIN_HEAD, cells![chain])
            .fetch_optional(&mut *database)
            .await?;
        if let Some(row) = row {
            return Ok((count(&row, 0)?, text(&row, 1)?));
        }
        with(sql::CHAIN_START, cells![chain])
            .execute(&mut *database)
            .await?;
    }
    Err(StoreError::corrupt(
        "a chain that was just begun is not there",
    ))
}

/// Whether the lease is still the one under which this was decided. It can't pass to another before the
/// transaction ends: whoever takes over sees all that was said under it.
async fn check_fence(
    database: &mut AnyConnection,
    dialect: Dialect,
    chain: &str,
    given: u64,
) -> Result<(), StoreError> {
    let row = sql::locking(dialect, sql::LEASE, cells![chain])
        .fetch_optional(&mut *database)
        .await?;
    fenced(chain, given, row.map_or(Ok(0), |row| count(&row, 0))?)
}

/// Refuses what was decided under another fence than the present one.
fn fenced(chain: &str, given: u64, current: u64) -> Result<(), StoreError> {
    if current == given {
        return Ok(());
    }
    Err(StoreError::Fenced {
        connection: chain.to_owned(),
        given,
        current,
    })
}

/// Appends the facts to the chain.
async fn record(
    database: &mut AnyConnection,
    store: &Store,
    chain: &str,
    (head_seq, head_hash): &(u64, String),
    at_us: i64,
    commit: &Commit,
    writes: &Writes,
) -> Result<(), StoreError> {
    let mut entries = Vec::with_capacity(commit.facts.len());
    let mut private_values = Vec::new();
    let salts = salts(store, commit.facts.len())?;
    let mut hash = head_hash.clone();
    let mut seq = *head_seq;
    for (fact, salt) in commit.facts.iter().zip(&salts) {
        seq += 1;
        let (body, kept) = chain::seal(fact, salt);
        if !kept.is_empty() {
            let values = serde_json::Value::Object(kept).to_string();
            private_values.push(cells![chain, seq, Some(salt.clone()), Some(values)]);
        }
        let (flow, record) = subject(fact, writes);
        let envelope = Envelope {
            seq,
            at_us,
            actor: commit.actor.clone(),
            run: commit.run.as_ref().map(ToString::to_string),
            fact: fact.word().to_owned(),
            flow,
            record,
            body,
        };
        hash = envelope.hash(chain, &hash);
        entries.push(envelope.cells(chain, &hash));
    }
    sql::ENTRY_ROWS.write(database, entries).await?;
    sql::PRIVATE_ROWS.write(database, private_values).await?;
    let cells = cells![seq, hash, chain, *head_seq, head_hash.as_str()];
    let moved = with(sql::CHAIN_MOVE, cells)
        .execute(&mut *database)
        .await?
        .rows_affected();
    if moved == 1 {
        return Ok(());
    }
    Err(StoreError::Busy {
        cause: "another commit was first".to_owned(),
    })
}

/// The flow and record that a fact is about: its own, or its write's.
fn subject(fact: &Fact, writes: &Writes) -> (Option<String>, Option<String>) {
    if let Some(write) = fact.write().and_then(|id| writes.get(&id)) {
        return (Some(write.flow.clone()), Some(write.record.clone()));
    }
    let (flow, record) = fact.subject();
    (flow.map(str::to_owned), record.map(ToString::to_string))
}

/// A salt of 16 random bytes for each entry: without it, a short value could be guessed from its digest.
fn salts(store: &Store, count: usize) -> Result<Vec<String>, StoreError> {
    let mut bytes = vec![0; count * 16];
    store.inner.seams.salts.fill(&mut bytes)?;
    Ok(bytes.chunks(16).map(tieout_domain::hexadecimal).collect())
}

async fn write_marks(
    database: &mut AnyConnection,
    chain: &str,
    commit: &Commit,
) -> Result<(), StoreError> {
    // The last one given counts; a statement may not touch a row twice.
    let marks: BTreeMap<_, _> = commit
        .marks
        .iter()
        .map(|(side, kind, mark)| ((*side, *kind), mark))
        .collect();
    let rows = marks
        .into_iter()
        .map(|((side, kind), mark)| cells![chain, side.as_str(), kind.as_str(), mark.0.as_str()])
        .collect();
    sql::MARK_ROWS.write(database, rows).await
}

async fn write_due(
    database: &mut AnyConnection,
    chain: &str,
    commit: &Commit,
    wakes: Vec<String>,
) -> Result<(), StoreError> {
    for ((flow, stamp), ids) in by_stamp(&commit.settled) {
        sql::DUE_SETTLED
            .execute(database, cells![chain, flow, stamp], &ids)
            .await?;
    }
    // A statement may not touch a row twice.
    let due: BTreeSet<_> = commit.due.iter().collect();
    let rows = due
        .into_iter()
        .map(|due| cells![chain, due.flow.as_str(), due.record.to_string()])
        .collect();
    sql::DUE_ROWS.write(database, rows).await?;
    let waits: BTreeSet<&String> = wakes.iter().chain(&commit.wakes).collect();
    let waits: Vec<Cell> = waits
        .into_iter()
        .map(|wait| Cell::from(wait.as_str()))
        .collect();
    sql::DUE_WAITING
        .execute(database, cells![chain], &waits)
        .await?;
    Ok(())
}

fn by_stamp(settled: &[Settled]) -> BTreeMap<(&str, u64), Vec<Cell>> {
    let mut groups: BTreeMap<(&str, u64), Vec<Cell>> = BTreeMap::new();
    for Settled { due, stamp } in settled {
        let group = groups.entry((&due.flow, *stamp)).or_default();
        group.push(due.record.to_string().into());
    }
    groups
}

async fn write_remembered(
    database: &mut AnyConnection,
    chain: &str,
    commit: &Commit,
) -> Result<(), StoreError> {
    let values: BTreeMap<_, _> = commit
        .remember
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let rows = values
        .into_iter()
        .map(|(name, value)| cells![chain, name, value])
        .collect();
    sql::REMEMBERED_ROWS.write(database, rows).await
}

/// A number for a column.
pub(crate) fn limit(rows: u32) -> i64 {
    signed(u64::from(rows))
}
