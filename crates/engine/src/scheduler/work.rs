//! Living by the agenda.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use tieout_domain::{ConnectionName, Timer};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::agenda::{Agenda, Entry, Standing};
use super::job::{Ended, Job, Mark};

/// How long a run that was cut has to say how it ended.
const AFTER_CUT: Duration = Duration::from_secs(10);

/// Makes the runs.
#[async_trait]
pub trait Runs: Send + Sync + 'static {
    /// Makes one run to its end, and says how it ended.
    async fn run(&self, job: Job) -> Ended;

    /// Ends the runs that are on at the next point where nothing is left half said: nothing more is sent, and what
    /// was sent is journaled.
    fn cut(&self);

    /// A number between 0 and 1, by chance.
    fn chance(&self) -> f64;
}

/// How far the scheduler is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    NotYet,
    Working,
    Draining,
}

/// Starts what is due, with a bounded number of workers.
pub struct Scheduler {
    agenda: Mutex<Agenda>,
    changed: Notify,
    phase: watch::Sender<Phase>,
    timer: Arc<dyn Timer>,
    workers: usize,
    /// Whether it starts nothing for now.
    rests: AtomicBool,
}

impl Scheduler {
    /// Nothing is due yet. At most `workers` runs will be on at once, and at least one.
    #[must_use]
    pub fn new(timer: Arc<dyn Timer>, workers: usize) -> Self {
        Self {
            agenda: Mutex::new(Agenda::for_workers(workers.max(1))),
            changed: Notify::new(),
            phase: watch::Sender::new(Phase::NotYet),
            timer,
            workers: workers.max(1),
            rests: AtomicBool::new(false),
        }
    }

    /// The connections as they are configured now: see [`Agenda::set`].
    pub fn set(&self, entries: Vec<Entry>) {
        self.lock().set(entries, self.timer.now());
        self.changed.notify_one();
    }

    /// Something may have changed, or somebody asks: see [`Agenda::mark`]. While a run is on, it is done right after.
    pub fn mark(&self, connection: &ConnectionName, mark: Mark) -> bool {
        let taken = self.lock().mark(connection, mark, self.timer.now());
        self.changed.notify_one();
        taken
    }

    /// What kept a connection waiting has been mended.
    pub fn forgive(&self, connection: &ConnectionName) {
        self.lock().forgive(connection, self.timer.now());
        self.changed.notify_one();
    }

    /// How a connection stands.
    #[must_use]
    pub fn standing(&self, connection: &ConnectionName) -> Option<Standing> {
        self.lock().standing(connection)
    }

    /// How many runs are on, and how many connections wait for a worker.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        let agenda = self.lock();
        (agenda.running(), agenda.waiting())
    }

    /// Whether it starts what is due.
    #[must_use]
    pub fn works(&self) -> bool {
        *self.phase.borrow() == Phase::Working
    }

    /// Starts nothing for now, or starts again what is due. Runs that are on go on.
    pub fn rest(&self, rests: bool) {
        if self.rests.swap(rests, Ordering::Relaxed) != rests {
            self.changed.notify_one();
        }
    }

    /// Whether it starts nothing for now.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.rests.load(Ordering::Relaxed)
    }

    /// Starts nothing any more. [`work`](Self::work) returns once the runs that are on have ended.
    pub fn drain(&self) {
        self.phase.send_replace(Phase::Draining);
    }

    /// Works until it is drained. Runs that are on then have `patience` to end by themselves; after that they are
    /// cut.
    pub async fn work(&self, runs: Arc<dyn Runs>, patience: Duration) {
        let mut phase = self.phase.subscribe();
        self.phase.send_if_modified(|phase| {
            let begins = *phase == Phase::NotYet;
            if begins {
                *phase = Phase::Working;
            }
            begins
        });
        let mut under_way = JoinSet::new();
        while *phase.borrow_and_update() != Phase::Draining {
            let changed = self.changed.notified();
            while under_way.len() < self.workers {
                let Some(job) = self.take() else { break };
                under_way.spawn(carried_out(Arc::clone(&runs), job));
            }
            let somebody_is_free = under_way.len() < self.workers && !self.rests();
            tokio::select! {
                Some(done) = under_way.join_next() => self.done(done, &*runs),
                () = changed => {}
                () = self.until_something_is_due(somebody_is_free) => {}
                _ = phase.changed() => {}
            }
        }
        if !self.all_ended(&mut under_way, &*runs, patience).await {
            runs.cut();
            if !self.all_ended(&mut under_way, &*runs, AFTER_CUT).await {
                // As if the process had been killed: the next run looks for what was left without an answer.
                under_way.shutdown().await;
            }
        }
    }

    /// Waits until the runs that are on have ended, but no longer than so. Tells whether they have.
    async fn all_ended(
        &self,
        under_way: &mut JoinSet<(ConnectionName, Ended)>,
        runs: &dyn Runs,
        patience: Duration,
    ) -> bool {
        let mut patience = self.timer.sleep(patience);
        while !under_way.is_empty() {
            tokio::select! {
                Some(done) = under_way.join_next() => self.done(done, runs),
                () = &mut patience => return false,
            }
        }
        true
    }

    fn take(&self) -> Option<Job> {
        if self.rests() {
            return None;
        }
        self.lock().take(self.timer.now())
    }

    /// Sleeps until the next alarm; for ever if there is none, or nobody free to heed it.
    async fn until_something_is_due(&self, somebody_is_free: bool) {
        let at = self.lock().wakes_at().filter(|_| somebody_is_free);
        let Some(at) = at else {
            return std::future::pending().await;
        };
        let left = at.duration_since(self.timer.now());
        self.timer
            .sleep(Duration::try_from(left).unwrap_or_default())
            .await;
    }

    fn done(&self, done: Result<(ConnectionName, Ended), tokio::task::JoinError>, runs: &dyn Runs) {
        match done {
            Ok((connection, ended)) => {
                let now = self.timer.now();
                self.lock().ended(&connection, ended, now, runs.chance());
            }
            // The runtime itself is going down: panics are caught where the run is made.
            Err(error) => tracing::warn!(%error, "a run was dropped"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Agenda> {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One run. A bug in it stops no other connection, and not its own for good.
async fn carried_out(runs: Arc<dyn Runs>, job: Job) -> (ConnectionName, Ended) {
    let connection = job.connection.clone();
    let run = AssertUnwindSafe(runs.run(job)).catch_unwind();
    match run.await {
        Ok(ended) => (connection, ended),
        Err(_) => {
            tracing::error!(%connection, "a run ended in a bug");
            (connection, Ended::Failed)
        }
    }
}

#[cfg(test)]
mod tests;
