//! Looking through the history from its newest end, and counting what happened over days.

use std::sync::Arc;

use sqlx::any::AnyRow;
use tieout_domain::Timestamp;

use crate::chain::{INSTALLATION, Stored, moment};
use crate::commit::limit;
use crate::facts::RunId;
use crate::sql::{self, Cell, cells, count, int, text, with};
use crate::store::{ConnectionStore, InstallationStore, Store};
use crate::{Entry, StoreError};

/// Which entries of a history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// By this actor only.
    pub actor: Option<String>,
    /// Whose fact has this [word](crate::Fact::word) only.
    pub word: Option<String>,
    /// Of this run only.
    pub run: Option<RunId>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// How many there were in a quarter of an hour: every time zone's days are made of whole ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The beginning of the quarter of an hour.
    pub at: Timestamp,
    /// The status of those that are counted.
    pub status: String,
    /// How many.
    pub count: u64,
}

/// A quarter of an hour, in microseconds.
const QUARTER_US: i64 = 900_000_000;

impl ConnectionStore {
    /// The newest entries, the newest first, before the one of this number.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn newest(
        &self,
        filter: &EntryFilter,
        before: Option<u64>,
        rows: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        newest(&self.store, &self.chain, filter, before, rows).await
    }

    /// How many runs there were since a moment, by status.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn run_tally(&self, since: Timestamp) -> Result<Vec<Tally>, StoreError> {
        self.tally(sql::RUN_TALLY, since).await
    }

    /// How many writes were applied since a moment, by when they were last sent.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn write_tally(&self, since: Timestamp) -> Result<Vec<Tally>, StoreError> {
        self.tally(sql::WRITE_TALLY, since).await
    }

    async fn tally(
        &self,
        statement: &'static str,
        since: Timestamp,
    ) -> Result<Vec<Tally>, StoreError> {
        let mut reader = self.store.reader().await?;
        let cells = cells![&*self.chain, since.as_microsecond()];
        let rows = with(statement, cells).fetch_all(&mut reader).await?;
        rows.iter().map(tally_row).collect()
    }
}

impl InstallationStore {
    /// The newest entries, the newest first, before the one of this number.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn newest(
        &self,
        filter: &EntryFilter,
        before: Option<u64>,
        rows: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        newest(&self.store, INSTALLATION, filter, before, rows).await
    }
}

async fn newest(
    store: &Store,
    chain: &str,
    filter: &EntryFilter,
    before: Option<u64>,
    rows: u32,
) -> Result<Vec<Entry>, StoreError> {
    let mut reader = store.reader().await?;
    let (text, cells) = statement(chain, filter, before, rows);
    let rows = sql::with_built(text, cells).fetch_all(&mut reader).await?;
    rows.iter()
        .map(|row| Stored::read(row)?.entry(chain))
        .collect()
}

/// The statement for a filter, put together from fixed pieces: so that the database can choose an index for
/// what is asked, and no more.
fn statement(
    chain: &str,
    filter: &EntryFilter,
    before: Option<u64>,
    rows: u32,
) -> (Arc<str>, Vec<Cell>) {
    let mut text = sql::ENTRIES_HEAD.to_owned();
    let mut cells = cells![chain];
    let mut narrow = |piece: &str, value: Option<Cell>| {
        if let Some(value) = value {
            cells.push(value);
            text.push_str(&piece.replace('$', &format!("${}", cells.len())));
        }
    };
    narrow(" AND e.actor = $", filter.actor.clone().map(Cell::from));
    narrow(" AND e.fact = $", filter.word.clone().map(Cell::from));
    let run = filter.run.as_ref().map(|run| run.as_str().into());
    narrow(" AND e.run_id = $", run);
    let moment = |at: Option<Timestamp>| at.map(|at| Cell::Int(at.as_microsecond()));
    narrow(" AND e.at_us >= $", moment(filter.from));
    narrow(" AND e.at_us < $", moment(filter.until));
    narrow(" AND e.seq < $", before.map(Cell::from));
    narrow(" ORDER BY e.seq DESC LIMIT $", Some(limit(rows).into()));
    (text.into(), cells)
}

pub(crate) fn tally_row(row: &AnyRow) -> Result<Tally, StoreError> {
    Ok(Tally {
        at: moment(int(row, 0)?.saturating_mul(QUARTER_US))?,
        status: text(row, 1)?,
        count: count(row, 2)?,
    })
}
