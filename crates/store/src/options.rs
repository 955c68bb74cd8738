//! Where a store lies and how it is reached.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::StoreError;
use crate::address::{self, Address};

/// The longest that one statement may take: see [`StoreOptions::statement_timeout`].
pub const STATEMENT_MAX: Duration = Duration::from_secs(60);

/// Where a store lies and how it is reached. What tells of a server counts for PostgreSQL alone.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite:PATH` or `postgres://USER@HOST:PORT,HOST:PORT/DATABASE?…`. Of several servers, the first that takes
    /// writes is the one.
    pub url: String,
    /// The password, in the place of one in the address.
    pub password: Option<SecretString>,
    /// What the paths of certificates in the address are relative to.
    pub folder: PathBuf,
    /// How many connections to the database read at once.
    pub readers: u32,
    /// How many connections to a server write at once. A file is written by one.
    pub writers: u32,
    /// After how long the server gives a statement up; no more than [`STATEMENT_MAX`]. So long, too, it keeps the
    /// locks of whoever has fallen silent in the middle of a transaction.
    pub statement_timeout: Duration,
    /// How long a server may take to let us in, before the next one is tried.
    pub connect_timeout: Duration,
}

impl StoreOptions {
    /// What holds where nothing else is said.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password: None,
            folder: PathBuf::from("."),
            readers: 4,
            writers: 4,
            statement_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
        }
    }

    /// The address without its password, for people.
    #[must_use]
    pub fn place(&self) -> String {
        address::shown(&self.url)
    }

    /// Whether it is a server, which several machines can share.
    #[must_use]
    pub fn is_server(&self) -> bool {
        address::is_server(&self.url)
    }

    /// Whether the address itself has a password in it.
    #[must_use]
    pub fn has_password_in_url(&self) -> bool {
        address::has_password(&self.url)
    }

    /// Reads the address, and reaches for nothing.
    ///
    /// # Errors
    /// [`StoreError::AddressUnfit`].
    pub fn check(&self) -> Result<(), StoreError> {
        self.address().map(drop)
    }

    pub(crate) fn address(&self) -> Result<Address, StoreError> {
        Address::read(&self.url, self.password.as_ref(), &self.folder)
    }
}

impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreOptions")
            .field("place", &self.place())
            .field("readers", &self.readers)
            .field("writers", &self.writers)
            .finish_non_exhaustive()
    }
}
