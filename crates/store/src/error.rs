//! What can go wrong with the store. Each has a code with a page, a cause, and a fix.

use std::path::PathBuf;

use tieout_domain::Timestamp;
use tieout_domain::code::Code;

use crate::facts::RunId;
use crate::stops::Stop;

/// A failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database can't be opened or reached.
    #[error("the store can't be reached: {cause}")]
    Unreachable {
        /// What was tried and what was answered.
        cause: String,
    },
    /// The database was written by a newer tieout.
    #[error("the store has schema {found}; this tieout knows {known} and older")]
    Newer {
        /// The schema's number in the database.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The address of a store can't be one, or would be less safe than it looks.
    #[error("the store's address won't do: {cause}")]
    AddressUnfit {
        /// Why.
        cause: String,
    },
    /// The server is older than what is known to do.
    #[error("the server is PostgreSQL {found}; {known} is the oldest that will do")]
    ServerOld {
        /// Its version.
        found: i64,
        /// The oldest that will do.
        known: i64,
    },
    /// The database lacks steps of the schema that other programs at work may not go on beside.
    #[error(
        "the store has schema {found}, this tieout needs {known}, and others may be at work on it"
    )]
    Older {
        /// The schema's number in the database.
        found: i64,
        /// The one that this program needs.
        known: i64,
    },
    /// The database is the goal of a copy that did not come to its end.
    #[error("the store is a copy that did not come to its end, begun {since}")]
    Incomplete {
        /// When it was begun.
        since: String,
    },
    /// The goal of a copy has something in it.
    #[error("{place} is not empty: it has rows in `{table}`")]
    NotEmpty {
        /// Where it is.
        place: String,
        /// The table.
        table: String,
    },
    /// Somebody is at work on what is to be copied.
    #[error("the store is in use: {cause}")]
    InUse {
        /// Who, and what to do.
        cause: String,
    },
    /// A copy doesn't have what it was made of.
    #[error("the copy does not hold: {cause}")]
    CopyDiffers {
        /// Where they differ.
        cause: String,
    },
    /// The database's role lacks a right.
    #[error("the store's role lacks a right: {cause}")]
    Denied {
        /// The database's own words.
        cause: String,
    },
    /// What the database holds can't be true.
    #[error("the store is damaged: {cause}")]
    Corrupt {
        /// What and where.
        cause: String,
    },
    /// The database can't be written: no space, or the disk fails.
    #[error("the store can't be written: {cause}")]
    Full {
        /// The database's own words.
        cause: String,
    },
    /// Somebody else kept the database locked for too long.
    #[error("the store is busy: {cause}")]
    Busy {
        /// The database's own words.
        cause: String,
    },
    /// The commit was decided under a lease that has passed to somebody else.
    #[error(
        "this worker's lease on {connection} has passed on: its fence is {given}, the present one {current}"
    )]
    Fenced {
        /// Whose lease.
        connection: String,
        /// The fence of the commit.
        given: u64,
        /// The present fence.
        current: u64,
    },
    /// Remote writes are stopped: paused by a person, or in recovery.
    #[error("{0}")]
    Stopped(Stop),
    /// A copy can't be made here: the database has a backup of its own.
    #[error("a PostgreSQL store is copied by PostgreSQL's own backup, not by this command")]
    BackupElsewhere,
    /// The place of the copy is taken.
    #[error("{} is there already, and nothing is overwritten", path.display())]
    BackupExists {
        /// The place.
        path: PathBuf,
    },
    /// The copy that was made does not hold.
    #[error("the copy does not hold: {cause}")]
    BackupBroken {
        /// What is wrong with it.
        cause: String,
    },
    /// Another worker has the lease.
    #[error("{by} is at work on {connection} until {until} at least")]
    Held {
        /// Whose lease.
        connection: String,
        /// Who has it.
        by: String,
        /// Until when it is good without being renewed.
        until: Timestamp,
        /// In which run.
        run: Option<RunId>,
    },
    /// The commit contradicts what is recorded: nothing of it was kept.
    #[error("the store refuses an entry that contradicts its history: {cause}")]
    Contradiction {
        /// What contradicts what.
        cause: String,
    },
    /// No key for the sealed credentials was given, or its file is not there.
    #[error("no key for the sealed credentials: {cause}")]
    VaultKeyMissing {
        /// What was looked for, and where.
        cause: String,
    },
    /// The key does not open what is sealed.
    #[error("the key does not open the sealed credentials: {cause}")]
    VaultKeyWrong {
        /// What it did not open.
        cause: String,
    },
    /// There is no credential of this name.
    #[error("there is no credential named `{name}`")]
    CredentialMissing {
        /// The name.
        name: String,
    },
    /// What is to be a name of a user or a token can't be one.
    #[error("`{name}` can't be a name: {cause}")]
    NameUnfit {
        /// The name.
        name: String,
        /// Why.
        cause: String,
    },
    /// There is a user of this name, or for this subject, already.
    #[error("there is a user `{name}` already")]
    UserExists {
        /// The name.
        name: String,
    },
    /// There is no user of this name.
    #[error("there is no user `{name}`")]
    UserMissing {
        /// The name.
        name: String,
    },
    /// Only who was removed is erased.
    #[error("`{name}` is still a user")]
    UserStillThere {
        /// The name.
        name: String,
    },
    /// Nobody would be left to keep the users.
    #[error("`{name}` is the last admin who can sign in")]
    LastAdmin {
        /// The name.
        name: String,
    },
    /// What is to be a password can't be one.
    #[error("this can't be a password: {cause}")]
    PasswordUnfit {
        /// Why.
        cause: String,
    },
    /// There is a token of this name already.
    #[error("there is a token `{name}` already")]
    TokenExists {
        /// The name.
        name: String,
    },
    /// There is no token of this name.
    #[error("there is no token `{name}`")]
    TokenMissing {
        /// The name.
        name: String,
    },
    /// The same is asked for already.
    #[error("{by} has asked for this already, and nobody has decided yet")]
    ApprovalOpen {
        /// Who.
        by: String,
    },
    /// The request was decided, or never made.
    #[error("request {request} is not open: {cause}")]
    ApprovalClosed {
        /// Its id.
        request: u64,
        /// What became of it.
        cause: String,
    },
    /// Who asked can't approve.
    #[error("{user} has asked for this, so somebody else must approve it")]
    ApprovalByAsker {
        /// Who.
        user: String,
    },
}

impl StoreError {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::new("store-unreachable"),
            Self::Newer { .. } => Code::new("store-newer"),
            Self::AddressUnfit { .. } => Code::new("store-address"),
            Self::ServerOld { .. } => Code::new("store-server-old"),
            Self::Older { .. } => Code::new("store-older"),
            Self::Incomplete { .. } => Code::new("store-incomplete"),
            Self::NotEmpty { .. } => Code::new("store-not-empty"),
            Self::InUse { .. } => Code::new("store-in-use"),
            Self::CopyDiffers { .. } => Code::new("store-copy-differs"),
            Self::Denied { .. } => Code::new("store-denied"),
            Self::Corrupt { .. } => Code::new("store-corrupt"),
            Self::Full { .. } => Code::new("store-full"),
            Self::Busy { .. } => Code::new("store-busy"),
            Self::Fenced { .. } => Code::new("fenced"),
            Self::Stopped(stop) => stop.code(),
            Self::BackupElsewhere => Code::new("backup-elsewhere"),
            Self::BackupExists { .. } => Code::new("backup-exists"),
            Self::BackupBroken { .. } => Code::new("backup-broken"),
            Self::Held { .. } => Code::new("lease-held"),
            Self::Contradiction { .. } => Code::new("store-contradiction"),
            Self::VaultKeyMissing { .. } => Code::new("vault-key-missing"),
            Self::VaultKeyWrong { .. } => Code::new("vault-key-wrong"),
            Self::CredentialMissing { .. } => Code::new("credential-missing"),
            Self::NameUnfit { .. } => Code::new("name-unfit"),
            Self::UserExists { .. } => Code::new("user-exists"),
            Self::UserMissing { .. } => Code::new("user-missing"),
            Self::UserStillThere { .. } => Code::new("user-still-there"),
            Self::LastAdmin { .. } => Code::new("last-admin"),
            Self::PasswordUnfit { .. } => Code::new("password-unfit"),
            Self::TokenExists { .. } => Code::new("token-exists"),
            Self::TokenMissing { .. } => Code::new("token-missing"),
            Self::ApprovalOpen { .. } => Code::new("approval-open"),
            Self::ApprovalClosed { .. } => Code::new("approval-closed"),
            Self::ApprovalByAsker { .. } => Code::new("approval-by-asker"),
        }
    }

    /// What happened, in one sentence.
    #[must_use]
    pub fn cause(&self) -> String {
        self.to_string()
    }

    /// What to do next.
    #[must_use]
    pub fn fix(&self) -> String {
        self.code().fix()
    }

    pub(crate) fn corrupt(cause: impl Into<String>) -> Self {
        Self::Corrupt {
            cause: cause.into(),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let cause = error.to_string();
        match &error {
            sqlx::Error::Database(database) => {
                of_database(database.code().as_deref().unwrap_or_default(), cause)
            }
            sqlx::Error::PoolTimedOut => Self::Busy { cause },
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::RowNotFound => Self::Corrupt { cause },
            _ => Self::Unreachable { cause },
        }
    }
}

/// SQLite gives its extended result code in decimal (<https://www.sqlite.org/rescode.html>), PostgreSQL a
/// five-character SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn of_database(code: &str, cause: String) -> StoreError {
    if code.len() == 5 {
        return match code {
            "53100" | "58030" => StoreError::Full { cause },
            // Another transaction was first, or a statement took longer than it may.
            "40001" | "40P01" | "55P03" | "23505" | "57014" => StoreError::Busy { cause },
            // The server has become a standby; the next connection looks for the one that takes writes.
            "25006" | "25P03" => StoreError::Unreachable { cause },
            "42501" => StoreError::Denied { cause },
            _ if code.starts_with("08") || code.starts_with("57P") || code.starts_with("28") => {
                StoreError::Unreachable { cause }
            }
            _ if code.starts_with("53") => StoreError::Busy { cause },
            _ => StoreError::Corrupt { cause },
        };
    }
    // The low byte is the primary code; the rest tells more than is needed here.
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        5 | 6 => StoreError::Busy { cause },
        10 | 13 => StoreError::Full { cause },
        3 | 8 | 14 => StoreError::Unreachable { cause },
        _ => StoreError::Corrupt { cause },
    }
}
