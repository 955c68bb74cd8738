//! Runs worlds: each on a runtime of its own that lets time go on when nothing can be done.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::{Result, bail};
use futures::future::{Either, select};
use tokio::sync::Notify;

use crate::gate::Gate;
use crate::time::Time;

/// What one world runs on.
#[derive(Default)]
pub struct Host {
    /// The turns at its store.
    pub gate: Arc<Gate>,
    /// Where its home and what the services held in the end are kept, to be looked at.
    pub(crate) keep: Option<PathBuf>,
    time: OnceLock<Arc<Time>>,
    stuck: Notify,
}

impl Host {
    /// One whose world is kept in this folder, if in any.
    #[must_use]
    pub fn keeping(keep: Option<PathBuf>) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    /// From now on, time goes on when nothing can be done.
    pub fn time_goes_on(&self, time: &Arc<Time>) {
        drop(self.time.set(Arc::clone(time)));
    }

    /// Nothing can be done at this moment: what waits for that goes first, then the next call to the store;
    /// time goes on only when there is neither.
    fn idle(&self) {
        let Some(time) = self.time.get().filter(|_| !self.gate.is_busy()) else {
            return;
        };
        if !time.is_quiet() && !self.gate.grant() && !time.goes_on() {
            self.stuck.notify_one();
        }
    }
}

/// Runs one world on this thread.
///
/// # Errors
/// What the world ends with, and if it waits for something that can never be.
pub fn world<T, F>(make: impl FnOnce(Arc<Host>) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    world_on(Host::default(), make)
}

/// Runs one world on this thread, on this host.
///
/// # Errors
/// As [`world`].
pub fn world_on<T, F>(host: Host, make: impl FnOnce(Arc<Host>) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let host = Arc::new(host);
    let parked = Arc::clone(&host);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .on_thread_park(move || parked.idle())
        .build()?;
    runtime.block_on(async {
        let work = std::pin::pin!(make(Arc::clone(&host)));
        let stuck = std::pin::pin!(host.stuck.notified());
        match select(work, stuck).await {
            Either::Left((done, _)) => done,
            Either::Right(((), _)) => bail!("everybody waits for something that can't happen"),
        }
    })
}
