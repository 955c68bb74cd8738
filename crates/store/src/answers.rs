//! Answers that are given again to who asks twice under the same key.

use crate::StoreError;
use crate::sql::{self, cells, maybe_int, text, with};
use crate::store::Store;

/// How long an answer is kept, in microseconds: a day.
const KEPT_US: i64 = 24 * 3600 * 1_000_000;
/// After this long, who was at work on an answer is taken for dead, in microseconds: ten minutes.
const AT_WORK_US: i64 = 600 * 1_000_000;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its HTTP status.
    pub status: u16,
    /// Its media type.
    pub kind: String,
    /// Its body.
    pub body: String,
}

/// What became of an earlier request under the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Earlier {
    /// There was none: the caller's is the first, and is to be answered.
    None,
    /// It was answered.
    Answered(Answered),
    /// It was another request.
    Other,
    /// It has not been answered yet.
    Running,
}

impl Store {
    /// Takes a key for a request of somebody's, or says what became of the one that took it before. Of two at the
    /// same time one is the first, whichever process they come to.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn answer_begun(
        &self,
        asker: &str,
        key: &str,
        request: &str,
    ) -> Result<Earlier, StoreError> {
        let now = self.now_us();
        self.tidy(sql::ANSWERS_AGED, cells![now - KEPT_US, now - AT_WORK_US])
            .await?;
        let row = loop {
            let mut transaction = self.begin().await?;
            let begun = with(sql::ANSWER_BEGIN, cells![asker, key, request, now])
                .execute(&mut transaction)
                .await?;
            if begun.rows_affected() == 1 {
                transaction.commit().await?;
                return Ok(Earlier::None);
            }
            let row = with(sql::ANSWER, cells![asker, key])
                .fetch_optional(&mut transaction)
                .await?;
            // It may have been given free between the two.
            if let Some(row) = row {
                break row;
            }
        };
        if text(&row, 0)? != request {
            return Ok(Earlier::Other);
        }
        let Some(status) = maybe_int(&row, 1)? else {
            return Ok(Earlier::Running);
        };
        Ok(Earlier::Answered(Answered {
            status: u16::try_from(status)
                .map_err(|_| StoreError::corrupt("an answer has no HTTP status"))?,
            kind: text(&row, 2)?,
            body: text(&row, 3)?,
        }))
    }

    /// Keeps the answer of the request that took the key.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn answer_given(
        &self,
        asker: &str,
        key: &str,
        answer: &Answered,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let cells = cells![
            asker,
            key,
            i64::from(answer.status),
            answer.kind.as_str(),
            answer.body.as_str()
        ];
        with(sql::ANSWER_GIVE, cells)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// Gives the key free: the request failed, and may be asked again.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn answer_failed(&self, asker: &str, key: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        with(sql::ANSWER_DROP, cells![asker, key])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }
}
