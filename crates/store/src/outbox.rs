//! What is to be told to others: how far they have been told, and letters that are sent once.
//!
//! A letter's name says what it is about, so that it is put in once, whichever process notices it. It is taken out
//! by one process at a time, for a while: one that dies with it in its hands leaves it to the next. So a letter that
//! went out just before such a death goes out again: its name is in it, for whoever must not act on it twice.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AnyConnection;
use tieout_domain::Timestamp;

use crate::StoreError;
use crate::chain::moment;
use crate::sql::{self, cells, count, int, text, with};
use crate::store::Store;

/// For how long the name of a letter that was sent is remembered, in microseconds: ninety days.
const REMEMBERED_US: i64 = 90 * 24 * 3600 * 1_000_000;

/// How far others have been told of a connection's history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// Up to which entry.
    pub seq: u64,
    /// What they know to be open, by names of the caller's own.
    pub open: BTreeSet<String>,
}

/// Something to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What it is about: the same is never put in twice.
    pub name: String,
    /// How it goes: `mail`, `hook`.
    pub way: String,
    /// To whom.
    pub target: String,
    /// What it says.
    pub body: String,
}

/// A letter that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The letter.
    pub letter: Letter,
    /// When it was put in.
    pub made: Timestamp,
    /// How often it was taken out, this time included.
    pub tries: u32,
}

/// How many letters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Letters {
    /// Still to be sent.
    pub waiting: u64,
    /// Given up.
    pub given_up: u64,
}

impl Store {
    /// How far others have been told of a chain's history; `None` if nobody has been told anything yet.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn heard(&self, chain: &str) -> Result<Option<Heard>, StoreError> {
        let mut reader = self.reader().await?;
        let row = with(sql::HEARD, cells![chain])
            .fetch_optional(&mut reader)
            .await?;
        row.map(|row| {
            Ok(Heard {
                seq: count(&row, 0)?,
                open: sql::json(&text(&row, 1)?)?,
            })
        })
        .transpose()
    }

    /// Moves on from what was heard before, and puts the letters about it in, all or none. `false` if somebody else
    /// was first: then nothing was put in.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn hear(
        &self,
        chain: &str,
        before: Option<&Heard>,
        now: &Heard,
        letters: &[Letter],
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let open = sql::to_json(&now.open);
        let moved = match before {
            None => with(sql::HEARD_BEGIN, cells![chain, now.seq, open]),
            Some(before) => with(
                sql::HEARD_MOVE,
                cells![chain, before.seq, sql::to_json(&before.open), now.seq, open],
            ),
        };
        let moved = moved.execute(&mut transaction).await?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        put(&mut transaction, letters, self.now_us()).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Puts letters in, but for those that were put in before.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn put_letters(&self, letters: &[Letter]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        put(&mut transaction, letters, self.now_us()).await?;
        transaction.commit().await
    }

    /// Takes letters out that are due, the longest due first. Until that moment nobody else takes them.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn take_letters(
        &self,
        most: u32,
        until: Timestamp,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let now = self.now_us();
        self.tidy(sql::OUTBOX_AGED, cells![now - REMEMBERED_US])
            .await?;
        let mut transaction = self.begin().await?;
        let rows = with(sql::OUTBOX_DUE, cells![now, i64::from(most)])
            .fetch_all(&mut transaction)
            .await?;
        let mut taken = Vec::new();
        for row in rows {
            let letter = Letter {
                name: text(&row, 0)?,
                way: text(&row, 1)?,
                target: text(&row, 2)?,
                body: text(&row, 3)?,
            };
            let cells = cells![letter.name.as_str(), int(&row, 5)?, until.as_microsecond()];
            let mine = with(sql::OUTBOX_TAKE, cells)
                .execute(&mut transaction)
                .await?;
            if mine.rows_affected() == 0 {
                continue;
            }
            taken.push(Outgoing {
                letter,
                made: moment(int(&row, 4)?)?,
                tries: u32::try_from(count(&row, 6)? + 1).unwrap_or(u32::MAX),
            });
        }
        transaction.commit().await?;
        Ok(taken)
    }

    /// A letter was sent. What it said is forgotten, its name is remembered.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn letter_sent(&self, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        with(sql::OUTBOX_SENT, cells![name])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// A letter could not be sent: it is tried again then, or given up.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn letter_failed(
        &self,
        name: &str,
        again: Option<Timestamp>,
        cause: &str,
    ) -> Result<(), StoreError> {
        let again = again.map(|at| at.as_microsecond());
        let mut transaction = self.begin().await?;
        with(sql::OUTBOX_FAILED, cells![name, again, cause])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// How many letters there are.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn letters(&self) -> Result<Letters, StoreError> {
        let mut reader = self.reader().await?;
        let row = with(sql::OUTBOX_COUNTS, cells![])
            .fetch_one(&mut reader)
            .await?;
        Ok(Letters {
            waiting: count(&row, 0)?,
            given_up: count(&row, 1)?,
        })
    }
}

async fn put(
    database: &mut AnyConnection,
    letters: &[Letter],
    now_us: i64,
) -> Result<(), StoreError> {
    // In one order: two processes that put the same letters in don't wait for each other in a circle.
    let letters: BTreeMap<&str, &Letter> = letters
        .iter()
        .rev()
        .map(|letter| (letter.name.as_str(), letter))
        .collect();
    for letter in letters.into_values() {
        let cells = cells![
            letter.name.as_str(),
            letter.way.as_str(),
            letter.target.as_str(),
            letter.body.as_str(),
            now_us
        ];
        with(sql::OUTBOX_PUT, cells).execute(&mut *database).await?;
    }
    Ok(())
}
