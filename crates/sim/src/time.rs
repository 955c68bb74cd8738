//! Virtual time: it stands still while anything can still be done, and jumps to the next sleeper when nothing
//! can. Nothing in a simulation ever waits.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tieout_domain::{Clock, Timer};
use tieout_kit::fake::FakeClock;

use crate::process::Process;

/// The world's time.
pub struct Time {
    clock: Arc<FakeClock>,
    start: Timestamp,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    quiet: Vec<Waker>,
    next: u64,
    quiets: u64,
}

impl Time {
    /// Time over the sandboxes' clock, which must stand still by itself.
    #[must_use]
    pub fn new(clock: Arc<FakeClock>) -> Arc<Self> {
        Arc::new(Self {
            start: clock.now(),
            clock,
            waiting: Mutex::default(),
        })
    }

    /// The present moment of the world.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How long the world has been going on.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::try_from(self.now().duration_since(self.start)).unwrap_or_default()
    }

    /// Returns once this long has passed in the world.
    pub fn sleep(self: &Arc<Self>, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let until = self.now().checked_add(duration).unwrap_or(Timestamp::MAX);
        Sleep {
            time: Arc::clone(self),
            until,
            key: None,
        }
    }

    /// Returns once nothing can be done any more at this moment.
    pub fn quiet(self: &Arc<Self>) -> impl Future<Output = ()> + Send + use<> {
        Quiet {
            time: Arc::clone(self),
            since: None,
        }
    }

    /// Nothing can be done at this moment: whoever waits for that is woken. Tells whether there was anybody.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut waiting = self.lock();
        if waiting.quiet.is_empty() {
            return false;
        }
        waiting.quiets += 1;
        let woken = std::mem::take(&mut waiting.quiet);
        drop(waiting);
        woken.into_iter().for_each(Waker::wake);
        true
    }

    /// Goes on to the next sleeper. Tells whether there was anybody.
    pub(crate) fn goes_on(&self) -> bool {
        let next = self.lock().sleepers.pop_first();
        let Some(((until, _), waker)) = next else {
            return false;
        };
        if until > self.clock.now() {
            self.clock.set(until);
        }
        waker.wake();
        true
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Sleep {
    time: Arc<Time>,
    until: Timestamp,
    key: Option<(Timestamp, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let time = Arc::clone(&self.time);
        let mut waiting = time.lock();
        if time.now() >= self.until {
            if let Some(key) = self.key.take() {
                waiting.sleepers.remove(&key);
            }
            return Poll::Ready(());
        }
        let key = match self.key {
            Some(key) => key,
            None => {
                waiting.next += 1;
                (self.until, waiting.next)
            }
        };
        waiting.sleepers.insert(key, context.waker().clone());
        drop(waiting);
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.time.lock().sleepers.remove(&key);
        }
    }
}

struct Quiet {
    time: Arc<Time>,
    since: Option<u64>,
}

impl Future for Quiet {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let time = Arc::clone(&self.time);
        let mut waiting = time.lock();
        match self.since {
            Some(since) if waiting.quiets > since => return Poll::Ready(()),
            Some(_) => {}
            None => self.since = Some(waiting.quiets),
        }
        waiting.quiet.push(context.waker().clone());
        Poll::Pending
    }
}

/// The clock of the machine that tieout runs on: people and time servers set it, and its processes can be
/// paused.
pub struct MachineClock {
    pub(crate) time: Arc<Time>,
    /// How far it is ahead of the world, in microseconds.
    pub(crate) ahead_us: Arc<AtomicI64>,
    pub(crate) process: Arc<Process>,
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_micros(self.ahead_us.load(Ordering::Relaxed));
        let now = self.time.now();
        now.checked_add(ahead).unwrap_or(now)
    }

    fn uptime(&self) -> Duration {
        self.time.elapsed()
    }
}

#[async_trait]
impl Timer for MachineClock {
    async fn sleep(&self, duration: Duration) {
        self.time.sleep(duration).await;
        self.process.awake().await;
    }
}
