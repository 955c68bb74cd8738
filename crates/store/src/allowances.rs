//! What a service allows so many times an hour, counted over all processes that share the store.

use tieout_domain::Timestamp;

use crate::StoreError;
use crate::sql::{self, cells, with};
use crate::store::Store;

impl Store {
    /// Takes one of so many that are allowed in the clock hour of `now`; `false` when they are used up.
    ///
    /// A process whose clock is behind takes from the hour that others are in already, so that no clock
    /// brings an allowance back.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn take_allowance(
        &self,
        name: &str,
        now: Timestamp,
        most: u32,
    ) -> Result<bool, StoreError> {
        let hour = now.as_second().div_euclid(3600);
        let mut transaction = self.begin().await?;
        let taken = with(sql::ALLOWANCE_TAKE, cells![name, hour, u64::from(most)])
            .fetch_optional(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(taken.is_some())
    }
}
