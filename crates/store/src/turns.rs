//! Turns that are spaced evenly over all processes that share the store.

use std::time::Duration;

use tieout_domain::Timestamp;

use crate::StoreError;
use crate::chain::moment;
use crate::sql::{self, cells, int, with};
use crate::store::{Store, micros};

/// A queue longer than this is none: a clock was far ahead of the others, and must not stop them.
const QUEUE_MAX_US: i64 = 10 * 60 * 1_000_000;

impl Store {
    /// Takes the next free turn at or after `now`, of turns that are `every` apart, and gives its moment by the asker's
    /// clock, whatever it is ahead of the others' or behind.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn take_turn(
        &self,
        name: &str,
        now: Timestamp,
        every: Duration,
    ) -> Result<Timestamp, StoreError> {
        let (asked, every) = (now.as_microsecond(), micros(every));
        let mut transaction = self.begin().await?;
        let now = if self.goes_by_its_own_clock() {
            asked
        } else {
            self.time_us(&mut transaction).await?
        };
        let (after_it, queue_end) = (now.saturating_add(every), now + QUEUE_MAX_US);
        let cells = cells![name, now, after_it, every, queue_end];
        let row = with(sql::TURN_TAKE, cells)
            .fetch_one(&mut transaction)
            .await?;
        transaction.commit().await?;
        moment(asked + int(&row, 0)? - every - now)
    }
}
