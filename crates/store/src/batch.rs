//! Writes what the fold changes: as few statements as there can be, none of which touches a row twice.

use std::collections::HashSet;

use sqlx::AnyConnection;

use crate::StoreError;
use crate::facts::Fact;
use crate::fold::{Change, Keyed, Recorded, WriteRow, Writes, contradiction, fold};
use crate::sql::{self, Cell, cells, signed, with};

/// Loads the writes that these facts speak of and don't intend themselves.
pub(crate) async fn load_writes(
    database: &mut AnyConnection,
    connection: &str,
    facts: impl Iterator<Item = (u64, &Fact)>,
) -> Result<Writes, StoreError> {
    let mut writes = Writes::new();
    let mut wanted = Vec::new();
    for (seq, fact) in facts {
        if let Some(write) = WriteRow::intended(seq, fact) {
            writes.insert(seq, write);
        } else if let Some(id) = fact.write()
            && !writes.contains_key(&id)
        {
            wanted.push(Cell::from(id));
        }
    }
    for row in sql::WRITES_BY_ID
        .fetch(database, cells![connection], &wanted)
        .await?
    {
        let write = WriteRow::read(&row)?;
        writes.insert(write.id, write);
    }
    Ok(writes)
}

/// Changes that are written together: none touches a row that another one touches.
#[derive(Default)]
pub(crate) struct Batch {
    touched: HashSet<String>,
    runs: Vec<Vec<Cell>>,
    writes: Vec<Vec<Cell>>,
    attempts: Vec<(Vec<u64>, i64, u64)>,
    told: Vec<(u64, &'static str)>,
    links: Vec<Vec<Cell>>,
    items: Vec<Vec<Cell>>,
    maps: Vec<Vec<Cell>>,
    decisions: Vec<Vec<Cell>>,
    stops: Vec<Vec<Cell>>,
    single: Vec<(&'static str, Vec<Cell>)>,
    sure: Vec<(&'static str, Vec<Cell>, &'static str)>,
    wakes: Vec<String>,
}

impl Batch {
    /// Takes a change, after writing what it would collide with. Wakes may be repeated.
    pub(crate) async fn take(
        &mut self,
        database: &mut AnyConnection,
        connection: &str,
        (key, change): Keyed,
    ) -> Result<(), StoreError> {
        if let Change::Wake(wait) = change {
            self.wakes.push(wait);
            return Ok(());
        }
        if !self.touched.insert(key.clone()) {
            self.write(database, connection).await?;
            self.touched.insert(key);
        }
        match change {
            Change::StartRun(cells) => self.runs.push(cells),
            Change::EndRun(cells) => self.single.push((sql::RUN_END, cells)),
            Change::PutWrite(cells) => self.writes.push(cells),
            Change::Attempt(ids, at, seq) => match self.attempts.last_mut() {
                Some((last, _, by)) if *by == seq => last.extend(ids),
                _ => self.attempts.push((ids, at, seq)),
            },
            Change::Tell(id, status) => self.told.push((id, status)),
            Change::PutLink(cells) => self.links.push(cells),
            Change::AlterLink(text, cells) => self.single.push((text, cells)),
            Change::PutItem(cells) => self.items.push(cells),
            Change::DropItem(cells) => self.single.push((sql::ITEM_DROP, cells)),
            Change::PutMap(cells) => self.maps.push(cells),
            Change::PutDecision(cells) => self.decisions.push(cells),
            Change::DropDecision(cells) => self.single.push((sql::DECISION_DROP, cells)),
            Change::PutStop(cells) => self.stops.push(cells),
            Change::DropStop(cells) => self.single.push((sql::STOP_DROP, cells)),
            Change::Sure(text, cells, cause) => self.sure.push((text, cells, cause)),
            Change::Wake(_) => {}
        }
        Ok(())
    }

    /// Writes what was taken, apart from the wakes, which come last of all.
    async fn write(
        &mut self,
        database: &mut AnyConnection,
        connection: &str,
    ) -> Result<(), StoreError> {
        self.touched.clear();
        sql::RUN_ROWS
            .write(database, std::mem::take(&mut self.runs))
            .await?;
        sql::WRITE_ROWS
            .write(database, std::mem::take(&mut self.writes))
            .await?;
        for (ids, at, seq) in std::mem::take(&mut self.attempts) {
            let ids: Vec<Cell> = ids.into_iter().map(Cell::from).collect();
            let fixed = cells![at, format!(",{seq}"), connection];
            let changed = sql::WRITES_ATTEMPT.execute(database, &fixed, &ids).await?;
            all_open(changed, ids.len())?;
        }
        let told = std::mem::take(&mut self.told);
        for status in ["applied", "unknown", "later", "refused", "abandoned"] {
            let ids: Vec<Cell> = told
                .iter()
                .filter(|(_, of)| *of == status)
                .map(|(id, _)| Cell::Int(signed(*id)))
                .collect();
            let telling = match status {
                "unknown" => &sql::WRITES_TELL,
                _ => &sql::WRITES_CLOSE,
            };
            let changed = telling
                .execute(database, cells![status, connection], &ids)
                .await?;
            all_open(changed, ids.len())?;
        }
        sql::LINK_ROWS
            .write(database, std::mem::take(&mut self.links))
            .await?;
        sql::ITEM_ROWS
            .write(database, std::mem::take(&mut self.items))
            .await?;
        sql::MAP_ROWS
            .write(database, std::mem::take(&mut self.maps))
            .await?;
        sql::DECISION_ROWS
            .write(database, std::mem::take(&mut self.decisions))
            .await?;
        sql::STOP_ROWS
            .write(database, std::mem::take(&mut self.stops))
            .await?;
        for (text, cells) in std::mem::take(&mut self.single) {
            with(text, cells).execute(&mut *database).await?;
        }
        for (text, cells, cause) in std::mem::take(&mut self.sure) {
            let done = with(text, cells).execute(&mut *database).await?;
            if done.rows_affected() != 1 {
                return Err(contradiction(cause));
            }
        }
        Ok(())
    }

    /// Writes what is left and returns what has been made worth another look.
    pub(crate) async fn finish(
        mut self,
        database: &mut AnyConnection,
        connection: &str,
    ) -> Result<Vec<String>, StoreError> {
        self.write(database, connection).await?;
        self.wakes.sort_unstable();
        self.wakes.dedup();
        Ok(self.wakes)
    }
}

fn all_open(changed: u64, named: usize) -> Result<(), StoreError> {
    if changed == named as u64 {
        return Ok(());
    }
    Err(contradiction(format!(
        "{} of {named} writes were closed before, or were never intended",
        (named as u64).saturating_sub(changed)
    )))
}

/// Folds recorded facts into the state beside them.
pub(crate) async fn apply(
    database: &mut AnyConnection,
    connection: &str,
    recorded: &[Recorded<'_>],
    writes: &Writes,
) -> Result<Vec<String>, StoreError> {
    let mut batch = Batch::default();
    for recorded in recorded {
        for change in fold(connection, recorded, writes)? {
            batch.take(database, connection, change).await?;
        }
    }
    batch.finish(database, connection).await
}
