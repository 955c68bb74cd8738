//! What a request sees: the app, as far as its person reaches.
//!
//! Pages and operations of the API are handed a [`View`] and never the [`App`]. Everything in it is within the
//! [reach](tieout_domain::Reach) of whoever asks: the store gives no connection of another tenant, and the program
//! knows of none. So it is enforced here and nowhere else, and what a page forgets to ask is answered with nothing.
//! What is the installation's own is behind [`View::whole`].

mod limited;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;
use serde_json::Value;
use tieout_desk::approval::Proposal;
use tieout_desk::within::Within;
use tieout_desk::{DeskError, pause, preferences};
use tieout_domain::{Clock, ConnectionName, Reach, TenantName};
use tieout_store::{ConnectionStore, Stop, StopKind, Store};

use crate::app::{App, Outside};
use crate::people::{Person, Role};
use crate::program::{ConnectionInfo, Program};

/// The app, as far as somebody reaches. Cheap to clone.
#[derive(Clone)]
pub struct View {
    /// The store, within reach.
    pub store: Within,
    /// Whatever needs a system, within reach.
    pub program: Arc<dyn Program>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How the service looks from outside.
    pub outside: Arc<Outside>,
}

/// What is asked for is the installation's own, and who asks is limited to tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beyond;

impl Beyond {
    /// What happened.
    pub const CAUSE: &str = "this is about the whole installation, and you are limited to tenants";
}

impl View {
    /// What somebody of this reach sees.
    #[must_use]
    pub fn of(app: &App, reach: &Reach) -> Self {
        let (store, program) = match reach {
            Reach::All => (Within::all(app.store.clone()), Arc::clone(&app.program)),
            Reach::Tenants(_) => {
                let all = app.program.connections().into_iter();
                let within = all.filter(|it| reach.includes(it.tenant.as_ref()));
                let names: BTreeSet<ConnectionName> = within.map(|it| it.name).collect();
                let program = limited::Limited::new(Arc::clone(&app.program), reach.clone());
                (
                    Within::only(app.store.clone(), names),
                    Arc::new(program) as Arc<dyn Program>,
                )
            }
        };
        Self {
            store,
            program,
            clock: Arc::clone(&app.clock),
            outside: Arc::clone(&app.outside),
        }
    }

    /// The whole store, with what is the installation's own.
    ///
    /// # Errors
    /// [`Beyond`] for somebody who is limited to tenants.
    pub fn whole(&self) -> Result<&Store, Beyond> {
        self.store.whole().ok_or(Beyond)
    }

    /// Whether they see everything.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.store.whole().is_some()
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
        let known = self.known(name)?;
        self.store.connection(&known.name).ok()
    }

    /// The tenants of the connections that they see, each once.
    #[must_use]
    pub fn tenants(&self) -> BTreeSet<TenantName> {
        let connections = self.program.connections().into_iter();
        connections.filter_map(|it| it.tenant).collect()
    }

    /// Whether some acts of this connection take two people.
    ///
    /// # Errors
    /// The store's.
    pub async fn takes_two_people(&self, connection: &ConnectionName) -> Result<bool, DeskError> {
        let tenant = self.known(connection.as_str()).and_then(|it| it.tenant);
        let switch = self.program.two_people();
        self.store.takes_two(tenant.as_ref(), switch).await
    }

    /// What another person approves before these preferences are changed, whichever way they come to be;
    /// `None` where it takes no second one.
    ///
    /// # Errors
    /// The store's.
    pub async fn preferences_for_two(
        &self,
        connection: &ConnectionName,
        values: &BTreeMap<String, Value>,
    ) -> Result<Option<Proposal>, DeskError> {
        let takes_two = values.keys().any(|key| preferences::takes_two(key));
        if takes_two && self.takes_two_people(connection).await? {
            return Ok(Some(preferences::proposal(values.clone())));
        }
        Ok(None)
    }

    /// Whether a connection was stored and has never gone live, told from what stops it.
    #[must_use]
    pub fn is_new(&self, stops: &[Stop]) -> bool {
        let mut paused = stops
            .iter()
            .filter(|stop| stop.kind == StopKind::Paused && stop.connection.is_some());
        paused.any(|stop| self.program.is_new(&stop.reason))
    }

    /// The least role that may let a connection go on: what has never gone live does by an administrator alone.
    ///
    /// # Errors
    /// The store's.
    pub async fn role_to_go_on(&self, store: &ConnectionStore) -> Result<Role, DeskError> {
        let is_new = self.is_new(&store.stops().await?);
        Ok(if is_new { Role::Admin } else { Role::Operator })
    }

    /// Whether people may sign in by a password.
    #[must_use]
    pub fn takes_passwords(&self) -> bool {
        crate::app::takes_passwords(self.program.as_ref())
    }

    /// Whether remote writes may go on that are paused: of one connection, or of all that nothing else stops.
    ///
    /// # Errors
    /// As for [`Program::may_go_on`].
    pub async fn may_go_on(&self, one: Option<&ConnectionName>) -> Result<(), DeskError> {
        for connection in self.program.connections() {
            let stops = self.store.connection(&connection.name)?.stops().await?;
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
}

impl FromRequestParts<App> for View {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        match parts.extensions.get::<Person>() {
            Some(person) => Ok(Self::of(app, &person.reach)),
            None => Err(StatusCode::UNAUTHORIZED.into_response()),
        }
    }
}
