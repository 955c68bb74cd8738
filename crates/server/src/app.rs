//! What every page, call and webhook has at hand.

use std::sync::Arc;

use tieout_domain::{Clock, ConnectionName};
use tieout_store::{ConnectionStore, Store};

use crate::program::Program;

/// What every handler has at hand. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The store.
    pub store: Store,
    /// Whatever needs a system.
    pub program: Arc<dyn Program>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How it looks from outside.
    pub outside: Arc<Outside>,
}

/// How the service looks from outside.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// The address that others reach it by, without a slash at its end: `https://tieout.example.com`.
    pub public_url: Option<String>,
}

impl Outside {
    /// Whether people reach it over HTTPS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        let url = self.public_url.as_deref();
        url.is_some_and(|url| url.starts_with("https://"))
    }
}

impl App {
    /// The store of a connection that is configured; `None` if there is none of that name.
    #[must_use]
    pub fn connection(&self, name: &str) -> Option<ConnectionStore> {
        let name: ConnectionName = name.parse().ok()?;
        let known = self.program.connections();
        known
            .iter()
            .any(|connection| connection.name == name)
            .then(|| self.store.connection(&name))
    }
}
