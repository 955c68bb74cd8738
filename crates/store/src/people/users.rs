//! Users: who they are, what they may do, and the passwords of those who have one.

use std::collections::BTreeSet;

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use tieout_domain::TenantName;

use super::words::{NewUser, Role, User, UserChange, UserEdit};
use super::{PasswordHash, People, check_name};
use crate::chain::{INSTALLATION, Stored, moment};
use crate::commit::{commit_in, limit};
use crate::facts::{Commit, Fact};
use crate::sql::{self, Cell, cells, int, maybe_int, maybe_text, parse, text, with};
use crate::store::Writing;
use crate::{Entry, StoreError};

/// How many entries are read at once.
const PAGE: u32 = 500;

impl People {
    /// All users, by name.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let mut reader = self.store.reader().await?;
        users(&mut reader).await
    }

    /// The user of this name.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        let mut reader = self.store.reader().await?;
        user(&mut reader, name).await
    }

    /// The user whom the identity provider knows by this subject.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn user_by_subject(&self, subject: &str) -> Result<Option<User>, StoreError> {
        let mut reader = self.store.reader().await?;
        by_subject(&mut reader, subject).await
    }

    /// Adds a user, with a password or with a subject to sign in by.
    ///
    /// # Errors
    /// [`StoreError::NameUnfit`] and [`StoreError::UserExists`]. Also what a database can answer.
    pub async fn add(
        &self,
        new: &NewUser,
        password: Option<&PasswordHash>,
        actor: &str,
    ) -> Result<User, StoreError> {
        check_name(&new.name)?;
        let mut transaction = self.begin().await?;
        if user(&mut transaction, &new.name).await?.is_some() {
            return Err(StoreError::UserExists {
                name: new.name.clone(),
            });
        }
        self.free_subject(&mut transaction, &new.name, new.subject.as_deref())
            .await?;
        let fact = Fact::User {
            user: new.name.clone(),
            change: UserChange::Added,
            name: new.display.clone(),
            email: new.mail.clone(),
            role: new.role,
            subject: new.subject.clone(),
            disabled: false,
            until: new.until,
            tenants: sorted(&new.tenants),
        };
        self.record(&mut transaction, fact, actor).await?;
        if let Some(password) = password {
            set_password(&mut transaction, &new.name, password).await?;
        }
        let added = existing(&mut transaction, &new.name).await?;
        transaction.commit().await?;
        Ok(added)
    }

    /// Changes a user. Whoever gets another role or other tenants, or is disabled, has to sign in again.
    ///
    /// # Errors
    /// [`StoreError::UserMissing`], [`StoreError::LastAdmin`], and [`StoreError::UserExists`] for the subject of
    /// another user. Also what a database can answer.
    pub async fn change(
        &self,
        name: &str,
        edit: &UserEdit,
        actor: &str,
    ) -> Result<User, StoreError> {
        let mut transaction = self.begin().await?;
        let before = existing(&mut transaction, name).await?;
        let subject = match edit.subject.as_deref() {
            None => before.subject.clone(),
            Some("") => None,
            Some(subject) => Some(subject.to_owned()),
        };
        let after = User {
            display: edit
                .display
                .clone()
                .unwrap_or_else(|| before.display.clone()),
            mail: edit.mail.clone().unwrap_or_else(|| before.mail.clone()),
            role: edit.role.unwrap_or(before.role),
            disabled: edit.disabled.unwrap_or(before.disabled),
            until: edit.until.unwrap_or(before.until),
            tenants: edit
                .tenants
                .as_deref()
                .map_or_else(|| before.tenants.clone(), sorted),
            subject,
            ..before.clone()
        };
        if after == before {
            return Ok(before);
        }
        if !keeps_users(&after) {
            keep_an_admin(&mut transaction, &before).await?;
        }
        self.free_subject(&mut transaction, name, after.subject.as_deref())
            .await?;
        let fact = told(&after, UserChange::Changed);
        self.record(&mut transaction, fact, actor).await?;
        let kept_out = (after.disabled, after.until) != (before.disabled, before.until);
        let may_other = (after.role, &after.tenants) != (before.role, &before.tenants);
        if may_other || kept_out {
            end_sessions(&mut transaction, name, "").await?;
        }
        transaction.commit().await?;
        Ok(after)
    }

    /// Gives a user another password. All of their sessions end but the one that is named, if one is.
    ///
    /// # Errors
    /// [`StoreError::UserMissing`]. Also what a database can answer.
    pub async fn set_password(
        &self,
        name: &str,
        password: &PasswordHash,
        but: Option<&str>,
        actor: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let user = existing(&mut transaction, name).await?;
        let fact = told(&user, UserChange::Password);
        self.record(&mut transaction, fact, actor).await?;
        set_password(&mut transaction, name, password).await?;
        end_sessions(&mut transaction, name, but.unwrap_or_default()).await?;
        transaction.commit().await
    }

    /// The password of a user who may sign in by one.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn password(&self, name: &str) -> Result<Option<PasswordHash>, StoreError> {
        let mut reader = self.store.reader().await?;
        let row = with(
            sql::PASSWORD,
            cells![INSTALLATION, name, self.store.now_us()],
        )
        .fetch_optional(&mut reader)
        .await?;
        let kept = row.map(|row| maybe_text(&row, 0)).transpose()?.flatten();
        Ok(kept.map(PasswordHash::from_store))
    }

    /// The same password, hashed with today's parameters, unless it was changed meanwhile. No change of the
    /// user's, and none in the history.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn rehash(
        &self,
        name: &str,
        before: &PasswordHash,
        after: &PasswordHash,
    ) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        let cells = cells![after.as_str(), INSTALLATION, name, before.as_str()];
        with(sql::PASSWORD_REHASH, cells)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// Removes a user, their sessions and their tokens. What they did stays in the history.
    ///
    /// # Errors
    /// [`StoreError::UserMissing`] and [`StoreError::LastAdmin`]. Also what a database can answer.
    pub async fn remove(&self, name: &str, actor: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let user = existing(&mut transaction, name).await?;
        keep_an_admin(&mut transaction, &user).await?;
        self.revoke_all(&mut transaction, name, actor).await?;
        let fact = told(&user, UserChange::Removed);
        self.record(&mut transaction, fact, actor).await?;
        end_sessions(&mut transaction, name, "").await?;
        transaction.commit().await
    }

    /// Takes the name, the mail and the identity provider's subject of somebody who was removed out of the history
    /// (scenario 247), and records that it was done. Returns from how many entries. The name they signed in with stays:
    /// it says who did what, and is part of the hash of each entry that says so.
    ///
    /// # Errors
    /// [`StoreError::UserStillThere`] for somebody who is a user now, and [`StoreError::UserMissing`] for a name that
    /// nobody ever had. Also what a database can answer.
    pub async fn erase(&self, name: &str, actor: &str) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        if user(&mut transaction, name).await?.is_some() {
            return Err(StoreError::UserStillThere {
                name: name.to_owned(),
            });
        }
        let entries = told_of(&mut transaction, name).await?;
        if entries.is_empty() {
            return Err(StoreError::UserMissing {
                name: name.to_owned(),
            });
        }
        let seqs: Vec<Cell> = entries.iter().map(|entry| Cell::from(entry.seq)).collect();
        let erased = sql::PRIVATE_ERASE
            .execute(&mut transaction, cells![INSTALLATION], &seqs)
            .await?;
        let fact = Fact::UserErased {
            user: name.to_owned(),
            entries: erased,
        };
        self.record(&mut transaction, fact, actor).await?;
        // Tries to sign in under the name are counted outside the history.
        with(sql::ATTEMPT_DROP, cells![format!("user:{name}")])
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        self.store.forget_erased().await?;
        Ok(erased)
    }

    /// Ends all sessions of a user.
    ///
    /// # Errors
    /// [`StoreError::UserMissing`]. Also what a database can answer.
    pub async fn sign_out(&self, name: &str, actor: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let user = existing(&mut transaction, name).await?;
        let fact = told(&user, UserChange::SignedOut);
        self.record(&mut transaction, fact, actor).await?;
        end_sessions(&mut transaction, name, "").await?;
        transaction.commit().await
    }

    /// A transaction in which nobody else changes the people: it holds the end of the installation's chain.
    pub(super) async fn begin(&self) -> Result<Writing, StoreError> {
        self.store.begin_on(INSTALLATION).await
    }

    pub(super) async fn record(
        &self,
        transaction: &mut AnyConnection,
        fact: Fact,
        actor: &str,
    ) -> Result<(), StoreError> {
        let commit = Commit {
            actor: actor.to_owned(),
            facts: vec![fact],
            ..Commit::default()
        };
        commit_in(transaction, &self.store, INSTALLATION, &commit)
            .await
            .map(drop)
    }

    async fn free_subject(
        &self,
        transaction: &mut AnyConnection,
        name: &str,
        subject: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(subject) = subject else {
            return Ok(());
        };
        match by_subject(transaction, subject).await? {
            Some(other) if other.name != name => Err(StoreError::UserExists { name: other.name }),
            _ => Ok(()),
        }
    }
}

/// Whether this user can keep the users, for good: whoever is limited to tenants keeps none.
fn keeps_users(user: &User) -> bool {
    let for_good = user.until.is_none() && user.tenants.is_empty();
    user.may(Role::Admin) && for_good && (user.has_password || user.subject.is_some())
}

/// Refuses to lose the last user who can keep the users. Where there never was one, there is none to lose.
async fn keep_an_admin(database: &mut AnyConnection, losing: &User) -> Result<(), StoreError> {
    if !keeps_users(losing) {
        return Ok(());
    }
    let others = users(database).await?;
    if others
        .iter()
        .any(|other| other.name != losing.name && keeps_users(other))
    {
        return Ok(());
    }
    Err(StoreError::LastAdmin {
        name: losing.name.clone(),
    })
}

/// What a user is, as the history tells it.
fn told(user: &User, change: UserChange) -> Fact {
    Fact::User {
        user: user.name.clone(),
        change,
        name: user.display.clone(),
        email: user.mail.clone(),
        role: user.role,
        subject: user.subject.clone(),
        disabled: user.disabled,
        until: user.until,
        tenants: user.tenants.clone(),
    }
}

/// Each once, in the order of the names.
pub(super) fn sorted(tenants: &[TenantName]) -> Vec<TenantName> {
    let each: BTreeSet<_> = tenants.iter().cloned().collect();
    each.into_iter().collect()
}

/// Tenants as a column has them: their names hold no comma.
pub(crate) fn as_column(tenants: &[TenantName]) -> String {
    let names: Vec<_> = tenants.iter().map(TenantName::as_str).collect();
    names.join(",")
}

/// The tenants of a column.
pub(super) fn of_column(text: &str) -> Result<Vec<TenantName>, StoreError> {
    let names = text.split(',').filter(|name| !name.is_empty());
    names.map(parse).collect()
}

/// The user of the first columns of a row.
pub(super) fn read(row: &AnyRow) -> Result<User, StoreError> {
    Ok(User {
        name: text(row, 0)?,
        display: text(row, 1)?,
        mail: text(row, 2)?,
        role: parse(&text(row, 3)?)?,
        subject: maybe_text(row, 4)?,
        disabled: int(row, 5)? != 0,
        created: moment(int(row, 6)?)?,
        has_password: int(row, 7)? != 0,
        signed_in: maybe_int(row, 8)?.map(moment).transpose()?,
        until: maybe_int(row, 9)?.map(moment).transpose()?,
        tenants: of_column(&text(row, 10)?)?,
    })
}

/// How many columns a user takes.
pub(super) const COLUMNS: usize = 11;

async fn users(database: &mut AnyConnection) -> Result<Vec<User>, StoreError> {
    let rows = with(sql::USERS, cells![INSTALLATION])
        .fetch_all(database)
        .await?;
    rows.iter().map(read).collect()
}

async fn user(database: &mut AnyConnection, name: &str) -> Result<Option<User>, StoreError> {
    let row = with(sql::USER, cells![INSTALLATION, name])
        .fetch_optional(database)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The entries that tell of a user, whoever had the name, the oldest first.
async fn told_of(database: &mut AnyConnection, name: &str) -> Result<Vec<Entry>, StoreError> {
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let cells = cells![INSTALLATION, "user", after, limit(PAGE)];
        let rows = with(sql::ENTRIES_OF_FACT, cells)
            .fetch_all(&mut *database)
            .await?;
        for row in &rows {
            let entry = Stored::read(row)?.entry(INSTALLATION)?;
            after = entry.seq;
            if matches!(&entry.fact, Fact::User { user, .. } if user == name) {
                found.push(entry);
            }
        }
        if rows.len() < PAGE as usize {
            return Ok(found);
        }
    }
}

pub(super) async fn existing(database: &mut AnyConnection, name: &str) -> Result<User, StoreError> {
    user(database, name)
        .await?
        .ok_or_else(|| StoreError::UserMissing {
            name: name.to_owned(),
        })
}

async fn by_subject(
    database: &mut AnyConnection,
    subject: &str,
) -> Result<Option<User>, StoreError> {
    let row = with(sql::USER_BY_SUBJECT, cells![INSTALLATION, subject])
        .fetch_optional(database)
        .await?;
    row.as_ref().map(read).transpose()
}

async fn set_password(
    transaction: &mut AnyConnection,
    name: &str,
    password: &PasswordHash,
) -> Result<(), StoreError> {
    let cells = cells![password.as_str(), INSTALLATION, name];
    with(sql::PASSWORD_SET, cells).execute(transaction).await?;
    Ok(())
}

async fn end_sessions(
    transaction: &mut AnyConnection,
    name: &str,
    but: &str,
) -> Result<(), StoreError> {
    with(sql::SESSIONS_END, cells![name, but])
        .execute(transaction)
        .await?;
    Ok(())
}
