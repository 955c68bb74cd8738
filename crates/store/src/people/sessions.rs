//! Sessions: a secret in a browser, and its hash here.

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::any::AnyRow;

use super::words::{Session, SessionLimits, User};
use super::{People, new_secret, secret_hash, users};
use crate::StoreError;
use crate::chain::{INSTALLATION, moment};
use crate::sql::{self, cells, int, text, with};

/// How often it is written down that a session is used.
const SEEN_EVERY_US: i64 = 60 * 1_000_000;
/// The most that is kept of what a browser says it is.
const AGENT_MAX: usize = 200;

impl People {
    /// Opens a session for a user and returns its secret, which is nowhere else. What is over by now is
    /// forgotten.
    ///
    /// # Errors
    /// [`StoreError::UserMissing`] for one who isn't there or is disabled. Also what a database can answer.
    pub async fn open_session(
        &self,
        user: &str,
        limits: SessionLimits,
        source: &str,
        agent: &str,
    ) -> Result<SecretString, StoreError> {
        let secret = new_secret(&self.store)?;
        let now = self.store.now_us();
        let (idle, whole) = ends(now, limits);
        self.store
            .tidy(sql::SESSIONS_OVER, cells![idle, whole])
            .await?;
        let mut transaction = self.store.begin().await?;
        // Holds the user's row: no session is opened beside a change that ends them all.
        let signed_in = with(sql::USER_SIGNED_IN, cells![now, INSTALLATION, user, now])
            .execute(&mut transaction)
            .await?;
        if signed_in.rows_affected() != 1 {
            return Err(StoreError::UserMissing {
                name: user.to_owned(),
            });
        }
        let agent: String = agent.chars().take(AGENT_MAX).collect();
        let cells = cells![secret_hash(&secret), user, now, now, source, agent];
        with(sql::SESSION_START, cells)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(SecretString::from(secret))
    }

    /// The session that this secret opens, and its user; `None` when it is over, or its user may not sign in
    /// any more.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn session(
        &self,
        secret: &SecretString,
        limits: SessionLimits,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let hash = secret_hash(secret.expose_secret());
        let mut reader = self.store.reader().await?;
        let row = with(sql::SESSION, cells![INSTALLATION, hash.as_str()])
            .fetch_optional(&mut reader)
            .await?;
        drop(reader);
        let Some(row) = row else { return Ok(None) };
        let user = users::read(&row)?;
        let at = users::COLUMNS;
        let (created, seen) = (int(&row, at)?, int(&row, at + 1)?);
        let now = self.store.now_us();
        let (idle, whole) = ends(now, limits);
        if seen <= idle || created <= whole || user.is_kept_out(moment(now)?) {
            return Ok(None);
        }
        if now - seen >= SEEN_EVERY_US {
            let mut transaction = self.store.begin().await?;
            with(sql::SESSION_SEEN, cells![now, hash.as_str()])
                .execute(&mut transaction)
                .await?;
            transaction.commit().await?;
        }
        let session = Session {
            id: hash,
            user: user.name.clone(),
            created: moment(created)?,
            seen: moment(seen)?,
            source: text(&row, at + 2)?,
            agent: text(&row, at + 3)?,
        };
        Ok(Some((session, user)))
    }

    /// Ends a session, by its [`id`](Session::id).
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn end_session(&self, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        with(sql::SESSION_END, cells![id])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// The sessions that are not over, by user.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn sessions(&self, limits: SessionLimits) -> Result<Vec<Session>, StoreError> {
        let (idle, whole) = ends(self.store.now_us(), limits);
        let mut reader = self.store.reader().await?;
        let rows = with(sql::SESSIONS, cells![idle, whole])
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(read).collect()
    }
}

/// What was last used, or begun, at these moments or before is over.
fn ends(now: i64, limits: SessionLimits) -> (i64, i64) {
    let before = |duration: std::time::Duration| {
        now.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    };
    (before(limits.idle), before(limits.whole))
}

fn read(row: &AnyRow) -> Result<Session, StoreError> {
    Ok(Session {
        id: text(row, 0)?,
        user: text(row, 1)?,
        created: moment(int(row, 2)?)?,
        seen: moment(int(row, 3)?)?,
        source: text(row, 4)?,
        agent: text(row, 5)?,
    })
}
