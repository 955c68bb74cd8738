//! The processes that serve, for as long as each says that it is there.
//!
//! A node has a name that people know it by, and a life that begins with each start. One that doesn't say that it is
//! there for a while is taken for dead: what it had begun, others go on with.

use std::time::Duration;

use sqlx::any::AnyRow;
use tieout_domain::Timestamp;

use crate::StoreError;
use crate::chain::moment;
use crate::sql::{self, cells, count, int, maybe_int, maybe_text, text, with};
use crate::store::{Store, Writing, micros};

/// How long a node that is gone is still told of.
const REMEMBERED_US: i64 = 24 * 3600 * 1_000_000;

/// What a node says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Its program's version.
    pub version: &'a str,
    /// How many runs it makes now.
    pub runs: u64,
    /// For how long this is good.
    pub time: Duration,
}

/// That a node is to begin nothing new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drain {
    /// Who wants it.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
}

/// A node, as the others know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What people call it.
    pub name: String,
    /// Its program's version.
    pub version: String,
    /// The newest schema of the store that its program knows.
    pub schema: i64,
    /// How many runs it made when it last said something.
    pub runs: u64,
    /// When it began.
    pub since: Timestamp,
    /// When it last said that it is there.
    pub beat: Timestamp,
    /// Whether it is there, as far as that can be told.
    pub alive: bool,
    /// Whether it is this process.
    pub this: bool,
    /// Whether it is to begin nothing new.
    pub drain: Option<Drain>,
}

impl Store {
    /// Says that this process serves under a name, and for how long that is good. Tells whether it is to begin nothing
    /// new.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn beat(&self, beat: Beat<'_>) -> Result<Option<Drain>, StoreError> {
        let me = self.inner.holder.id()?;
        let mut transaction = self.begin().await?;
        let now = self.time_us(&mut transaction).await?;
        let until = now.saturating_add(micros(beat.time));
        let known = crate::migrate::known();
        let cells = cells![me, beat.name, beat.version, known, beat.runs, now, until];
        with(sql::NODE_PUT, cells).execute(&mut transaction).await?;
        with(sql::NODES_REPLACED, cells![beat.name, me, now])
            .execute(&mut transaction)
            .await?;
        with(sql::NODES_AGED, cells![now - REMEMBERED_US])
            .execute(&mut transaction)
            .await?;
        let row = with(sql::DRAIN, cells![beat.name])
            .fetch_optional(&mut transaction)
            .await?;
        transaction.commit().await?;
        row.map(|row| {
            Ok(Drain {
                by: text(&row, 0)?,
                since: moment(int(&row, 1)?)?,
            })
        })
        .transpose()
    }

    /// This process serves no longer: what it leaves undone is free at once.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn leave(&self) -> Result<(), StoreError> {
        let me = self.inner.holder.id()?;
        let mut transaction = self.begin().await?;
        with(sql::NODE_DROP, cells![me])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// All nodes, by name, those that are gone for less than a day too.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let mut reader = self.reader().await?;
        let now = self.time_us(&mut reader).await?;
        let rows = with(sql::NODES, cells![]).fetch_all(&mut reader).await?;
        rows.iter().map(|row| self.node(row, now)).collect()
    }

    fn node(&self, row: &AnyRow, now: i64) -> Result<Node, StoreError> {
        let holder = text(row, 0)?;
        let drain = match (maybe_text(row, 8)?, maybe_int(row, 9)?) {
            (Some(by), Some(at)) => Some(Drain {
                by,
                since: moment(at)?,
            }),
            _ => None,
        };
        Ok(Node {
            name: text(row, 1)?,
            version: text(row, 2)?,
            schema: int(row, 3)?,
            runs: count(row, 4)?,
            since: moment(int(row, 5)?)?,
            beat: moment(int(row, 6)?)?,
            alive: int(row, 7)? > now && !self.inner.holder.is_dead(&holder),
            this: self.inner.holder.is(&holder),
            drain,
        })
    }

    /// The node of this name is to begin nothing new, also after it has started again. `false` if that was wanted before.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn drain(&self, name: &str, by: &str) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let now = self.time_us(&mut transaction).await?;
        let done = with(sql::DRAIN_PUT, cells![name, by, now])
            .execute(&mut transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
        Ok(done == 1)
    }

    /// The node of this name may begin again. `false` if nothing kept it from that.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn undrain(&self, name: &str) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = with(sql::DRAIN_DROP, cells![name])
            .execute(&mut transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
        Ok(done == 1)
    }

    /// Whether the process of this name still serves.
    pub(crate) async fn serves_still(
        &self,
        database: &mut Writing,
        holder: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        if self.inner.holder.is_dead(holder) {
            return Ok(false);
        }
        let row = with(sql::NODE_UNTIL, cells![holder])
            .fetch_optional(database)
            .await?;
        let until = row.map(|row| int(&row, 0)).transpose()?;
        Ok(until.is_some_and(|until| until > now))
    }
}
