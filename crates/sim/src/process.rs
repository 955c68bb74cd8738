//! A process of tieout that can die or be paused at any of its boundaries: the moments right before and after
//! something becomes durable, in the store or over there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tieout_store::{StoreError, Turn, Watch};
use tokio::sync::Notify;

use crate::dice::Dice;
use crate::gate::Gate;
use crate::time::Time;

/// Where a process is when it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Boundary {
    /// A transaction is about to become durable.
    BeforeCommit,
    /// A transaction has become durable.
    AfterCommit,
    /// A request is about to be sent.
    BeforeSend,
    /// An answer has come.
    AfterAnswer,
}

/// What is to befall a process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fate {
    /// It dies at the boundary of this number, counted from 1.
    pub dies_at: Option<u64>,
    /// It stands still from the boundary of this number on for so long, with all that it does.
    pub pauses_at: Option<(u64, Duration)>,
    /// How often its disk is full.
    pub disk_full: f64,
    /// The answer to its write of this number, counted from 1, is lost.
    pub loses: Option<(u64, Lost)>,
}

/// Where the answer to a write is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// With the request: it is never carried out.
    Before,
    /// On the way back: it was carried out.
    After,
}

/// A process.
pub struct Process {
    time: Arc<Time>,
    fate: Fate,
    reached: AtomicU64,
    writes: AtomicU64,
    dead: AtomicBool,
    died: Notify,
    died_at: Mutex<Option<Boundary>>,
    asleep_until: Mutex<Option<Timestamp>>,
}

impl Process {
    /// A process with this fate.
    #[must_use]
    pub fn new(time: &Arc<Time>, fate: Fate) -> Arc<Self> {
        Arc::new(Self {
            time: Arc::clone(time),
            fate,
            reached: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            died: Notify::new(),
            died_at: Mutex::default(),
            asleep_until: Mutex::default(),
        })
    }

    /// How many boundaries it has reached.
    #[must_use]
    pub fn reached(&self) -> u64 {
        self.reached.load(Ordering::Relaxed)
    }

    /// How many writes it has sent to the services.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// It sends a write. Tells whether the answer to it is to be lost.
    pub(crate) fn sends_write(&self) -> Option<Lost> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        let (at, lost) = self.fate.loses?;
        (at == number).then_some(lost)
    }

    /// Where it died, if it has.
    #[must_use]
    pub fn died_at(&self) -> Option<Boundary> {
        *self.died_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until the work is done or the process dies; then everything of it is gone at once.
    pub async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let death = async {
            self.died.notified().await;
            // Other branches of the same process go on to where they have to wait: then it is over.
            self.time.quiet().await;
        };
        let (work, death) = (std::pin::pin!(work), std::pin::pin!(death));
        match futures::future::select(work, death).await {
            futures::future::Either::Left((done, _)) if !self.dead.load(Ordering::Relaxed) => {
                Some(done)
            }
            _ => None,
        }
    }

    /// Returns unless the process is dead.
    pub(crate) async fn alive(&self) {
        if self.dead.load(Ordering::Relaxed) {
            std::future::pending().await
        }
    }

    /// Returns unless the process is dead, and not while it is paused.
    pub(crate) async fn awake(&self) {
        loop {
            self.alive().await;
            let until = *self
                .asleep_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let left = until.map(|until| until.duration_since(self.time.now()));
            match left.and_then(|left| Duration::try_from(left).ok()) {
                Some(left) if !left.is_zero() => self.time.sleep(left).await,
                _ => return,
            }
        }
    }

    /// A boundary is reached. A process that is to die here never comes back from it.
    pub(crate) async fn reach(&self, boundary: Boundary) {
        // A request that has passed the guard is on its way, and a transaction that is complete goes on to its
        // commit: a pause there is a slow network, or a slow disk.
        let stoppable = matches!(boundary, Boundary::AfterCommit | Boundary::AfterAnswer);
        if stoppable {
            self.awake().await;
        } else {
            self.alive().await;
        }
        let number = self.reached.fetch_add(1, Ordering::Relaxed) + 1;
        if self.fate.dies_at == Some(number) {
            self.dead.store(true, Ordering::Relaxed);
            *self.died_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(boundary);
            self.died.notify_one();
            return std::future::pending().await;
        }
        if let Some((at, pause)) = self.fate.pauses_at
            && at <= number
            && stoppable
            && self
                .asleep_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_none()
        {
            let until = self.time.now().checked_add(pause).ok();
            *self
                .asleep_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = until;
            self.awake().await;
        }
    }
}

/// The store as one process sees it: calls take turns, so that their order doesn't depend on threads; the
/// process may die at a commit, and the disk may be full.
pub(crate) struct Watched {
    pub(crate) process: Arc<Process>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) dice: Arc<Dice>,
}

impl Watched {
    /// A boundary inside a turn. Whoever doesn't come back from it keeps its turn and does nothing with it, until it is
    /// taken away: what it had begun is taken back then.
    async fn reach(&self, boundary: Boundary) {
        let _abandoned = Abandoned::at(&self.gate);
        self.process.reach(boundary).await;
    }
}

/// Whoever has the turn waits for what may never come.
struct Abandoned<'a>(&'a Gate);

impl<'a> Abandoned<'a> {
    fn at(gate: &'a Gate) -> Self {
        gate.abandon(true);
        Self(gate)
    }
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.abandon(false);
    }
}

impl Watch for Watched {
    fn turn(&self) -> BoxFuture<'_, Turn> {
        async {
            let turn = self.gate.turn().await;
            if self.process.dead.load(Ordering::Relaxed) {
                drop(turn);
                return std::future::pending().await;
            }
            Box::new(turn) as Turn
        }
        .boxed()
    }

    fn before_commit(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        async {
            self.reach(Boundary::BeforeCommit).await;
            if self.process.fate.disk_full > 0.0 && self.dice.chance(self.process.fate.disk_full) {
                return Err(StoreError::Full {
                    cause: "no space is left".to_owned(),
                });
            }
            Ok(())
        }
        .boxed()
    }

    fn after_commit(&self) -> BoxFuture<'_, ()> {
        self.process.reach(Boundary::AfterCommit).boxed()
    }
}
