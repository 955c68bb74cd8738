//! What the service has at hand. What a page or a call is handed of it is a [`View`](crate::view::View).

use std::sync::Arc;

use tieout_domain::Clock;
use tieout_store::Store;

use crate::counts::Counts;
use crate::hooks::Hook;
use crate::program::Program;

/// What the service has at hand, all of it. Cheap to clone.
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
    /// What this process has counted.
    pub counts: Arc<Counts>,
}

/// How the service looks from outside.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// The address that others reach it by, without a slash at its end: `https://tieout.example.com`.
    pub public_url: Option<String>,
    /// Who is told of what happens, by hooks.
    pub hooks: Vec<Hook>,
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
    /// Whether people may sign in by a password.
    #[must_use]
    pub fn takes_passwords(&self) -> bool {
        takes_passwords(self.program.as_ref())
    }
}

/// Whether people may sign in by a password: they may unless only the identity provider lets them in.
pub(crate) fn takes_passwords(program: &dyn Program) -> bool {
    program.openid().is_none_or(|openid| openid.passwords)
}
