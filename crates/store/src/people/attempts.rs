//! Sign-ins that fail, counted for each user and for each source, over all processes that share the store.
//!
//! A try is counted before its password is looked at, and forgiven when it was right: tries that are made at
//! the same time can't be more than the count allows.

use tieout_domain::Timestamp;

use super::People;
use crate::StoreError;
use crate::chain::moment;
use crate::sql::{self, cells, int, with};

const SECOND_US: i64 = 1_000_000;
/// After so long without a try the count begins anew.
const FORGOTTEN_US: i64 = 24 * 3600 * SECOND_US;
/// The longest that somebody must wait.
const WAIT_MAX_US: i64 = 15 * 60 * SECOND_US;

/// Whether a sign-in may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may, and is counted as failed until it is forgiven.
    Counted,
    /// Not before this moment.
    Wait(Timestamp),
}

impl People {
    /// Counts a try to sign in under this name (a user, a source); so many are free, and from then on each one
    /// has to wait twice as long, up to a quarter of an hour.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn attempt(&self, name: &str, free: u32) -> Result<Attempt, StoreError> {
        let now = self.store.now_us();
        self.store
            .tidy(sql::ATTEMPTS_OVER, cells![now - FORGOTTEN_US])
            .await?;
        let mut transaction = self.store.begin().await?;
        let row = with(sql::ATTEMPT_HOLD, cells![name, now])
            .fetch_one(&mut transaction)
            .await?;
        let (failed, until) = (int(&row, 0)?, int(&row, 1)?);
        if until > now {
            return moment(until).map(Attempt::Wait);
        }
        let failed = failed.saturating_add(1);
        let until = now + wait_us(failed, free);
        with(sql::ATTEMPT_SET, cells![failed, now, until, name])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(Attempt::Counted)
    }

    /// Takes back one try that was right after all: another right one need not wait for it.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn forgive_attempt(&self, name: &str) -> Result<(), StoreError> {
        self.alter_attempts(sql::ATTEMPT_FORGIVE, name).await
    }

    /// Takes back all tries: somebody has proven who they are.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn clear_attempts(&self, name: &str) -> Result<(), StoreError> {
        self.alter_attempts(sql::ATTEMPT_DROP, name).await
    }

    /// A sign-in that was begun elsewhere, named by its state, comes to its end: `false` if it did so before.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn finish_sign_in(&self, state: &str) -> Result<bool, StoreError> {
        let now = self.store.now_us();
        self.store
            .tidy(sql::SIGN_INS_FORGET, cells![now - FORGOTTEN_US])
            .await?;
        let mut transaction = self.store.begin().await?;
        let finished = with(sql::SIGN_IN_FINISH, cells![state, now])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(finished.rows_affected() == 1)
    }

    async fn alter_attempts(&self, text: &'static str, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        with(text, cells![name]).execute(&mut transaction).await?;
        transaction.commit().await
    }
}

/// How long the next try has to wait after so many that failed.
fn wait_us(failed: i64, free: u32) -> i64 {
    match (failed - i64::from(free)).min(10) {
        over @ 1.. => (SECOND_US << over).min(WAIT_MAX_US),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_beyond_the_free_ones_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        let seconds = |failed| wait_us(failed, 5) / SECOND_US;
        let waits: Vec<_> = (4..10).map(seconds).collect();
        assert_eq!(waits, [0, 0, 2, 4, 8, 16]);
        assert_eq!(seconds(40), 15 * 60);
        assert_eq!(seconds(i64::MAX), 15 * 60);
    }
}
