//! What a service allows so many times an hour, counted over all processes that share the store.

use tieout_domain::Timestamp;

use crate::StoreError;
use crate::sql::{self, cells, count, int, with};
use crate::store::{Store, Writing};

/// A part of an hour's allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How many.
    pub some: u32,
    /// Of which clock hour, counted since 1970.
    pub hour: i64,
}

impl Store {
    /// Takes one of so many that are allowed in the clock hour of `now`; `false` when they are used up.
    ///
    /// The hour is told by the database where machines share one. A process whose clock is behind takes from the hour
    /// that others are in already, so that no clock brings an allowance back. An hour further ahead than the next one was
    /// told by a clock that was wrong: it counts no longer, or nobody could take anything until it comes.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn take_allowance(
        &self,
        name: &str,
        now: Timestamp,
        most: u32,
    ) -> Result<bool, StoreError> {
        Ok(self.take_allowances(name, now, 1, most).await?.some == 1)
    }

    /// Takes some of so many that are allowed, or what is left of them: who makes many calls doesn't ask for each.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn take_allowances(
        &self,
        name: &str,
        now: Timestamp,
        some: u32,
        most: u32,
    ) -> Result<Taken, StoreError> {
        let mut transaction = self.begin().await?;
        let hour = self.hour(&mut transaction, now).await?;
        let before = self.used(&mut transaction, name, hour).await?;
        let some = some.min(most.saturating_sub(before));
        let cells = cells![name, hour, u64::from(some), u64::from(most)];
        let row = with(sql::ALLOWANCE_TAKE_SOME, cells)
            .fetch_one(&mut transaction)
            .await?;
        let hour = int(&row, 1)?;
        transaction.commit().await?;
        Ok(Taken { some, hour })
    }

    /// Gives back what of an hour was taken and not used.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn give_back_allowances(&self, name: &str, unused: Taken) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let cells = cells![name, unused.hour, u64::from(unused.some)];
        with(sql::ALLOWANCE_GIVE_BACK, cells)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// How many are used of the hour, with nobody else taking any until the transaction ends.
    async fn used(&self, database: &mut Writing, name: &str, hour: i64) -> Result<u32, StoreError> {
        // Waits for whoever is taking some now.
        with(
            sql::ALLOWANCE_TAKE_SOME,
            cells![name, hour, 0_u64, u64::from(u32::MAX)],
        )
        .fetch_one(database)
        .await
        .and_then(|row| count(&row, 0))
        .map(|used| u32::try_from(used).unwrap_or(u32::MAX))
    }

    async fn hour(&self, database: &mut Writing, now: Timestamp) -> Result<i64, StoreError> {
        let second = if self.goes_by_its_own_clock() {
            now.as_second()
        } else {
            self.time_us(database).await?.div_euclid(1_000_000)
        };
        Ok(second.div_euclid(3600))
    }
}
