//! This node among the others that serve from the same store.

use std::sync::Arc;
use std::time::Duration;

use tieout_domain::ConnectionName;
use tieout_engine::scheduler::{Cause, Job, Mark};
use tieout_store::{Beat, Claim, StoreError, Wakes};

use super::Service;

/// How often a node says that it is there.
const BEAT: Duration = Duration::from_secs(5);
/// For how long that is good: whoever is silent for longer is taken for dead.
const GOOD: Duration = Duration::from_secs(20);
/// A node takes up what others left only after it has reached the store so often in a row: after a time in which nobody
/// reached it, everybody looks dead for a moment.
const CERTAIN: u32 = 4;
/// How often it is looked whether others wait for what this node holds of limits that all share.
const TEND: Duration = Duration::from_secs(1);
/// What the claim on a connection's run is called, before the connection's name.
const RUN: &str = "run/";

/// The machine's name, as far as it tells it.
#[must_use]
pub fn host_name() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let told = told.ok().map(|name| name.trim().to_owned());
    told.or_else(|| std::env::var("HOSTNAME").ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "node".to_owned())
}

impl Service {
    /// Says again and again that this node is there, begins nothing while people want it to, and takes up what others left
    /// undone or were told of: for as long as the service lives.
    pub async fn live(self: Arc<Self>) {
        let mut reached = 0;
        loop {
            match self.beat().await {
                Ok(()) => reached += 1,
                Err(error) => {
                    reached = 0;
                    tracing::warn!(%error, "this node can't say that it is there");
                }
            }
            if reached >= CERTAIN
                && let Err(error) = self.take_up().await
            {
                tracing::warn!(%error, "what other nodes left undone can't be looked up");
            }
            self.shared.timer.sleep(BEAT).await;
        }
    }

    /// Keeps this node's part of the limits that all share, and gives back what it has no use for: for as long as the
    /// service lives.
    pub async fn share(self: Arc<Self>) {
        loop {
            self.shared.governors.tend(&*self.shared.timer).await;
            self.shared.timer.sleep(TEND).await;
        }
    }

    /// Takes up at once what services told other nodes: for as long as the service lives, where they can be heard.
    pub async fn hear(self: Arc<Self>) {
        loop {
            match self.home.store.wakes().await {
                Ok(Some(wakes)) => self.heard(wakes).await,
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "other nodes can't be heard"),
            }
            // Until then it is looked for.
            self.shared.timer.sleep(BEAT).await;
        }
    }

    async fn heard(&self, mut wakes: Wakes) {
        loop {
            match wakes.next().await {
                Ok(connection) if self.is_idle(&connection) => self.told(&connection),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "other nodes can't be heard any more");
                    return;
                }
            }
        }
    }

    /// This node serves no longer: what it holds is free at once.
    pub async fn leave(&self) {
        self.shared.governors.rest().await;
        if let Err(error) = self.home.store.leave().await {
            tracing::warn!(%error, "that this node ends can't be told to the others; they will notice");
        }
    }

    async fn beat(&self) -> Result<(), StoreError> {
        let (runs, _) = self.scheduler.load();
        let drain = self
            .home
            .store
            .beat(Beat {
                name: &self.node,
                version: env!("CARGO_PKG_VERSION"),
                runs: runs as u64,
                time: GOOD,
            })
            .await?;
        let drained = drain.is_some();
        if drained != self.scheduler.rests() {
            match &drain {
                Some(drain) => tracing::info!(by = drain.by, "this node begins nothing new"),
                None => tracing::info!("this node begins again what is due"),
            }
        }
        self.scheduler.rest(drained);
        Ok(())
    }

    async fn take_up(&self) -> Result<(), StoreError> {
        for what in self.home.store.left_undone().await? {
            let connection = what.strip_prefix(RUN).and_then(|name| name.parse().ok());
            if let Some(connection) = connection.filter(|it| self.is_idle(it)) {
                tracing::warn!(%connection, "its node is gone; a run goes on here");
                let mark = Mark {
                    trigger: "schedule".to_owned(),
                    ..Mark::default()
                };
                self.scheduler.mark(&connection, mark);
            }
        }
        for connection in self.home.store.hinted().await? {
            if self.is_idle(&connection) {
                self.told(&connection);
            }
        }
        Ok(())
    }

    /// Whether no run of it is on here.
    fn is_idle(&self, connection: &ConnectionName) -> bool {
        let standing = self.scheduler.standing(connection);
        standing.is_some_and(|standing| !standing.running)
    }

    /// Whether a run is this node's to make.
    pub(super) async fn claim(&self, job: &Job) -> Result<Claim, StoreError> {
        let store = &self.home.store;
        let due = match job.cause {
            Cause::Tick(tick) => Some(tick),
            Cause::Told => {
                let connection = store.connection(&job.connection);
                if connection.hints_waiting_since().await?.is_none() {
                    return Ok(Claim::Done);
                }
                None
            }
            Cause::Asked => None,
        };
        let parts = parts(job);
        store.claim(&claimed(&job.connection), &parts, due).await
    }

    /// A run that was claimed has ended, and with it all that it included.
    pub(super) async fn end_claim(&self, job: &Job) {
        let claim = claimed(&job.connection);
        let mut done = parts(job);
        if job.flows.is_empty() {
            let config = self.config();
            let config = config.connections.get(&job.connection);
            let flows = config.into_iter().flat_map(|config| &config.timing.flows);
            done.extend(flows.map(|(flow, _)| format!("{claim}/flow/{flow}")));
            if job.whole {
                done.push(format!("{claim}/all"));
            }
        }
        if let Err(error) = self.home.store.end_claim(&claim, &done).await {
            tracing::warn!(
                connection = %job.connection, %error,
                "that a run has ended can't be told to other nodes"
            );
        }
    }
}

fn claimed(connection: &ConnectionName) -> String {
    format!("{RUN}{connection}")
}

/// What of a connection's runs a job is: each timetable's tick has been kept only by a run that included its work.
fn parts(job: &Job) -> Vec<String> {
    let claim = claimed(&job.connection);
    match job.flows.as_slice() {
        [] if job.whole => vec![format!("{claim}/whole")],
        [] => vec![format!("{claim}/all")],
        flows => (flows.iter())
            .map(|flow| format!("{claim}/flow/{flow}"))
            .collect(),
    }
}
