//! Tokens of the API: shown once, when they are made.

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::users::existing;
use super::words::{ApiToken, NewToken, TokenChange, User};
use super::{People, check_name, new_secret, secret_hash, users};
use crate::StoreError;
use crate::chain::{INSTALLATION, moment};
use crate::facts::Fact;
use crate::sql::{self, cells, int, maybe_int, parse, text, with};

/// How often it is written down that a token is used.
const USED_EVERY_US: i64 = 60 * 1_000_000;
/// What a token begins with, so that a scanner of sources knows one that was left behind.
const PREFIX: &str = "tieout_";

impl People {
    /// All tokens, by name.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let mut reader = self.store.reader().await?;
        tokens(&mut reader).await
    }

    /// Makes a token for a user and returns it; it is nowhere else.
    ///
    /// # Errors
    /// [`StoreError::NameUnfit`], [`StoreError::UserMissing`] and [`StoreError::TokenExists`]. Also what a
    /// database can answer.
    pub async fn make_token(
        &self,
        new: &NewToken,
        actor: &str,
    ) -> Result<SecretString, StoreError> {
        check_name(&new.name)?;
        let secret = format!("{PREFIX}{}", new_secret(&self.store)?);
        let mut transaction = self.begin().await?;
        existing(&mut transaction, &new.user).await?;
        let there = tokens(&mut transaction).await?;
        if there.iter().any(|token| token.name == new.name) {
            return Err(StoreError::TokenExists {
                name: new.name.clone(),
            });
        }
        let fact = Fact::Token {
            token: new.name.clone(),
            user: new.user.clone(),
            change: TokenChange::Made,
            scope: new.scope,
            expires: new.expires,
            tenants: users::sorted(&new.tenants),
        };
        self.record(&mut transaction, fact, actor).await?;
        let cells = cells![secret_hash(&secret), INSTALLATION, new.name.as_str()];
        with(sql::TOKEN_SECRET, cells)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(SecretString::from(secret))
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`StoreError::TokenMissing`]. Also what a database can answer.
    pub async fn revoke_token(&self, name: &str, actor: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let all = tokens(&mut transaction).await?;
        let Some(token) = all.into_iter().find(|token| token.name == name) else {
            return Err(StoreError::TokenMissing {
                name: name.to_owned(),
            });
        };
        self.record(&mut transaction, revoked(token), actor).await?;
        transaction.commit().await
    }

    /// The token of this secret and its owner; `None` when it is over, or its owner may not sign in any more.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn token(
        &self,
        secret: &SecretString,
    ) -> Result<Option<(ApiToken, User)>, StoreError> {
        let hash = secret_hash(secret.expose_secret());
        let mut reader = self.store.reader().await?;
        let row = with(sql::TOKEN_BY_SECRET, cells![INSTALLATION, hash])
            .fetch_optional(&mut reader)
            .await?;
        drop(reader);
        let Some(row) = row else { return Ok(None) };
        let user = users::read(&row)?;
        let at = users::COLUMNS;
        let (expires, used) = (maybe_int(&row, at + 3)?, maybe_int(&row, at + 4)?);
        let now = self.store.now_us();
        if user.is_kept_out(moment(now)?) || expires.is_some_and(|expires| expires <= now) {
            return Ok(None);
        }
        let token = ApiToken {
            name: text(&row, at)?,
            user: user.name.clone(),
            scope: parse(&text(&row, at + 1)?)?,
            created: moment(int(&row, at + 2)?)?,
            expires: expires.map(moment).transpose()?,
            used: used.map(moment).transpose()?,
            tenants: users::of_column(&text(&row, at + 5)?)?,
        };
        if used.is_none_or(|used| now - used >= USED_EVERY_US) {
            let mut transaction = self.store.begin().await?;
            with(
                sql::TOKEN_USED,
                cells![now, INSTALLATION, token.name.as_str()],
            )
            .execute(&mut transaction)
            .await?;
            transaction.commit().await?;
        }
        Ok(Some((token, user)))
    }

    /// Revokes all tokens of a user.
    pub(super) async fn revoke_all(
        &self,
        transaction: &mut AnyConnection,
        user: &str,
        actor: &str,
    ) -> Result<(), StoreError> {
        for token in tokens(transaction).await? {
            if token.user == user {
                self.record(transaction, revoked(token), actor).await?;
            }
        }
        Ok(())
    }
}

fn revoked(token: ApiToken) -> Fact {
    Fact::Token {
        token: token.name,
        user: token.user,
        change: TokenChange::Revoked,
        scope: token.scope,
        expires: token.expires,
        tenants: token.tenants,
    }
}

async fn tokens(database: &mut AnyConnection) -> Result<Vec<ApiToken>, StoreError> {
    let rows = with(sql::TOKENS, cells![INSTALLATION])
        .fetch_all(database)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        name: text(row, 0)?,
        user: text(row, 1)?,
        scope: parse(&text(row, 2)?)?,
        created: moment(int(row, 3)?)?,
        expires: maybe_int(row, 4)?.map(moment).transpose()?,
        used: maybe_int(row, 5)?.map(moment).transpose()?,
        tenants: users::of_column(&text(row, 6)?)?,
    })
}
