//! What every page, call and webhook has at hand.

use std::sync::Arc;

use tieout_desk::{DeskError, approval, pause};
use tieout_domain::{Clock, ConnectionName};
use tieout_store::{ConnectionStore, Store};

use crate::counts::Counts;
use crate::hooks::Hook;
use crate::program::{ConnectionInfo, Program};

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
    /// Whether some acts take two people.
    ///
    /// # Errors
    /// The store's.
    pub async fn takes_two_people(&self) -> Result<bool, DeskError> {
        approval::needed(&self.store, self.program.two_people()).await
    }

    /// Whether people may sign in by a password: they may unless only the identity provider lets them in.
    #[must_use]
    pub fn takes_passwords(&self) -> bool {
        self.program.openid().is_none_or(|openid| openid.passwords)
    }

    /// Whether remote writes may go on that are paused: of one connection, or of all that nothing else stops.
    ///
    /// # Errors
    /// As for [`Program::may_go_on`].
    pub async fn may_go_on(&self, one: Option<&ConnectionName>) -> Result<(), DeskError> {
        for connection in self.program.connections() {
            let stops = self.store.connection(&connection.name).stops().await?;
            let goes_on = match one {
                Some(one) => *one == connection.name && pause::is_paused(&stops, Some(one)),
                None => {
                    pause::is_paused(&stops, None)
                        && stops.iter().all(|stop| stop.connection.is_none())
                }
            };
            if goes_on && connection.enabled {
                self.program.may_go_on(&connection.name).await?;
            }
        }
        Ok(())
    }

    /// The connection of this name; `None` if none is configured.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<ConnectionInfo> {
        let mut known = self.program.connections().into_iter();
        known.find(|connection| connection.name.as_str() == name)
    }

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
