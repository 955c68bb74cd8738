//! `serve`, put together: what its scheduler, its pages and its webhooks share.
//!
//! A connection is put together for each run and dropped after it: that costs a few milliseconds, and between runs
//! no credential is in memory: only the key that seals them, and what notifications are checked with.

mod connects;
mod courier;
mod drift;
mod hints;
mod imports;
mod nodes;
pub mod notify;
mod openid;
mod program;
mod renews;
mod runs;
mod settings;
mod sides;
mod telling;
mod timetables;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use axum::Router;
use tieout_domain::{ConnectionName, Holding, Reach};
use tieout_engine::scheduler::Scheduler;
use tieout_server::App;
use tieout_server::app::Outside;
use tieout_server::counts::Counts;
use tieout_server::hooks::Hook;
use tieout_store::Vault;
use tokio::sync::Notify;

use crate::assemble::Shared;
use crate::config::Config;
use crate::failure::Failure;
use crate::home::Home;
pub use nodes::host_name;

use crate::subscriptions::Proof;
use crate::telemetry::{Tracer, traced};

/// The service.
pub struct Service {
    /// What people call this node.
    pub node: String,
    /// Its home. The configuration in it is the one that it began with: see [`config`](Self::config).
    pub home: Home,
    /// Starts runs.
    pub scheduler: Scheduler,
    vault: Vault,
    shared: Shared,
    config: RwLock<Arc<Config>>,
    /// Told when the configuration has changed.
    configured: Notify,
    /// How notifications are proven, by system and connection.
    proofs: RwLock<HashMap<(String, ConnectionName), Proof>>,
    /// What holds the runs that are on, by their ids.
    on: Mutex<BTreeMap<String, Arc<Holding>>>,
    /// What the face counts.
    counts: Arc<Counts>,
    /// Makes spans, where traces go somewhere.
    tracer: Option<Arc<Tracer>>,
}

impl Service {
    /// Opens the vault, and sets the schedules of the home's configuration.
    ///
    /// # Errors
    /// Where the vault can't be opened, or the store not be read.
    pub async fn new(home: Home) -> Result<Arc<Self>, Failure> {
        Self::named(home, host_name()).await
    }

    /// The same as a node of this name.
    ///
    /// # Errors
    /// See [`new`](Self::new).
    pub async fn named(home: Home, node: String) -> Result<Arc<Self>, Failure> {
        Self::with(Shared::new()?, home, node).await
    }

    /// The same with seams of the caller's own.
    ///
    /// # Errors
    /// See [`new`](Self::new).
    pub async fn with(shared: Shared, home: Home, node: String) -> Result<Arc<Self>, Failure> {
        let config = Arc::new(home.config.clone());
        let tracer = config.telemetry.as_ref().map(|_| {
            let (timer, entropy) = (Arc::clone(&shared.timer), Arc::clone(&shared.entropy));
            Arc::new(Tracer::new(timer, entropy))
        });
        let service = Self {
            node,
            vault: home.vault().await?,
            scheduler: Scheduler::new(Arc::clone(&shared.timer), config.workers),
            shared,
            config: RwLock::new(Arc::clone(&config)),
            configured: Notify::new(),
            proofs: RwLock::default(),
            on: Mutex::default(),
            counts: Arc::default(),
            tracer,
            home,
        };
        service.scheduler.set(service.timetables(&config).await?);
        service.read_proofs(&config).await?;
        service.take_up_hints().await?;
        Ok(Arc::new(service))
    }

    /// Everything that is served.
    pub fn router(self: &Arc<Self>) -> Router {
        let routes = tieout_server::router(self.app());
        match &self.tracer {
            Some(tracer) => traced(routes, Arc::clone(tracer)),
            None => routes,
        }
    }

    /// Sends traces, if they go anywhere, and what is left of them once `over` ends. Nothing that fails here holds up a
    /// run.
    pub async fn trace(self: Arc<Self>, over: impl Future<Output = ()>) {
        let endpoint = &self.home.config.telemetry;
        if let (Some(tracer), Some(endpoint)) = (&self.tracer, endpoint) {
            tracer
                .send_to(endpoint, &*self.shared.transport, over)
                .await;
        }
    }

    /// What the face has at hand.
    fn app(self: &Arc<Self>) -> App {
        let config = self.config();
        let hooks = config.telling.hooks.iter().map(|(name, hook)| Hook {
            name: name.clone(),
            events: hook.events.clone(),
            reach: Reach::of(hook.tenant.as_slice()),
        });
        let outside = Outside {
            public_url: config.public_url.clone(),
            hooks: hooks.collect(),
        };
        App {
            store: self.home.store.clone(),
            program: Arc::<Self>::clone(self),
            clock: Arc::new(crate::seams::WallClock),
            outside: Arc::new(outside),
            counts: Arc::clone(&self.counts),
        }
    }

    /// The configuration as it was last read and found good.
    pub fn config(&self) -> Arc<Config> {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&config)
    }

    fn runs_on(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Holding>>> {
        self.on.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
