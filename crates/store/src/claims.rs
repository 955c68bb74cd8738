//! What is to be done once over all nodes: the run of a tick, a check that is made once a day.
//!
//! Each node knows by itself when something is due. Whoever claims it first does it; the others see that it is done, or
//! that somebody is at it. What a node had begun that is there no longer is anybody's again. A claim saves work that
//! would be done twice: what must not be done twice is guarded by the lease.
//!
//! One claim says who is at it; what of it was done when is kept by name beside it. A run that left out the part that is
//! due has not done it, however late it began.

use sqlx::any::AnyRow;
use tieout_domain::Timestamp;

use crate::StoreError;
use crate::sql::{self, cells, int, maybe_int, text, with};
use crate::store::{Store, Writing};

/// What came of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is ours to do.
    Ours,
    /// It has been done since it was due.
    Done,
    /// Another node is at it.
    Elsewhere,
}

impl Store {
    /// Claims what is due since a moment; without one, it is done whenever it was done last. With `parts` it is done only
    /// if each of them was.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn claim(
        &self,
        what: &str,
        parts: &[String],
        due: Option<Timestamp>,
    ) -> Result<Claim, StoreError> {
        let me = self.inner.holder.id()?;
        let mut transaction = self.begin().await?;
        let now = self.time_us(&mut transaction).await?;
        let due_us = due.map_or(now, |due| due.as_microsecond());
        let begun = with(sql::CLAIM_BEGIN, cells![what, me, due_us, now])
            .execute(&mut transaction)
            .await?;
        if begun.rows_affected() == 1 {
            // Nobody was ever at it, so that no part of it was done.
            transaction.commit().await?;
            return Ok(Claim::Ours);
        }
        let row = sql::locking(self.inner.dialect, sql::CLAIM, cells![what])
            .fetch_one(&mut transaction)
            .await?;
        let (holder, due_before) = (text(&row, 0)?, int(&row, 1)?);
        let has_ended = maybe_int(&row, 3)?.is_some();
        let is_anothers = !self.inner.holder.is(&holder);
        if !has_ended && is_anothers && self.serves_still(&mut transaction, &holder, now).await? {
            return Ok(Claim::Elsewhere);
        }
        let done = match parts {
            [] => has_ended && last(&row)? >= due_us,
            parts => were_done(&mut transaction, parts, due_us).await?,
        };
        if due.is_some() && done {
            return Ok(Claim::Done);
        }
        with(
            sql::CLAIM_TAKE,
            cells![what, me, due_us.max(due_before), now],
        )
        .execute(&mut transaction)
        .await?;
        transaction.commit().await?;
        Ok(Claim::Ours)
    }

    /// What was claimed is done, and with it these parts.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn end_claim(&self, what: &str, parts: &[String]) -> Result<(), StoreError> {
        let me = self.inner.holder.id()?;
        let mut transaction = self.begin().await?;
        let now = self.time_us(&mut transaction).await?;
        let ended = with(sql::CLAIM_END, cells![what, me, now])
            .execute(&mut transaction)
            .await?;
        if ended.rows_affected() == 1 && !parts.is_empty() {
            let row = with(sql::CLAIM, cells![what])
                .fetch_one(&mut transaction)
                .await?;
            let (due, started) = (int(&row, 1)?, int(&row, 2)?);
            for part in parts {
                with(
                    sql::CLAIM_KEPT,
                    cells![part.as_str(), me, due, started, now],
                )
                .execute(&mut transaction)
                .await?;
            }
        }
        transaction.commit().await
    }

    /// What was begun by nodes that are there no longer.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn left_undone(&self) -> Result<Vec<String>, StoreError> {
        let mut reader = self.reader().await?;
        let now = self.time_us(&mut reader).await?;
        let rows = with(sql::CLAIMS_LEFT, cells![])
            .fetch_all(&mut reader)
            .await?;
        let mut left = Vec::new();
        for row in rows {
            let (what, holder) = (text(&row, 0)?, text(&row, 1)?);
            let is_there = maybe_int(&row, 2)?.is_some_and(|until| until > now);
            let is_anothers = !self.inner.holder.is(&holder);
            if is_anothers && (!is_there || self.inner.holder.is_dead(&holder)) {
                left.push(what);
            }
        }
        Ok(left)
    }
}

/// Since when a claim's work counts as done. A node whose clock is ahead began before our tick: then its tick was this
/// one.
fn last(row: &AnyRow) -> Result<i64, StoreError> {
    Ok(int(row, 1)?.max(int(row, 2)?))
}

/// Whether each of these was done since then. They are written only by who has the claim they are parts of.
async fn were_done(
    transaction: &mut Writing,
    parts: &[String],
    due_us: i64,
) -> Result<bool, StoreError> {
    for part in parts {
        let row = with(sql::CLAIM, cells![part.as_str()])
            .fetch_optional(transaction)
            .await?;
        if row.map(|row| last(&row)).transpose()? < Some(due_us) {
            return Ok(false);
        }
    }
    Ok(true)
}
