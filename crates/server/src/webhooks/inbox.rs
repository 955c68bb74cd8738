//! Keeping hints durably, many by one write of the disk: whoever comes while one is made shares the next one.
//!
//! Where the database is a file of our own they go to the log beside it first, and from there into the database, many at
//! once, so that nobody who tells something waits for a run that is writing. Elsewhere they go into the database at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tieout_store::{HintLog, NewHint, Store};
use tokio::sync::{Notify, OnceCell, oneshot};

/// So many may wait to be kept; what comes beyond that is told to come again.
const WAITING_MAX: usize = 4096;
/// So many are kept by one write.
const TOGETHER: usize = 512;
/// So long the log gathers before what is in it goes over into the database.
const GATHERS: Duration = Duration::from_millis(100);
/// So long until it is tried again where the database didn't take it.
const AGAIN: Duration = Duration::from_secs(5);

/// Why a hint is not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotKept {
    /// Too many wait already.
    #[error("{WAITING_MAX} wait already")]
    Full,
    /// The disk or the store refused it; the log has said why.
    #[error("the store didn't keep it")]
    Store,
}

/// What is done with a hint once the database has it, and knows whether it is new.
pub(super) type Kept = Box<dyn Fn(&NewHint, bool) + Send + Sync>;

/// Hints on their way into the store.
pub(super) struct Inbox {
    store: Store,
    kept: Kept,
    waiting: Mutex<Vec<(NewHint, oneshot::Sender<()>)>>,
    turn: tokio::sync::Mutex<()>,
    log: OnceCell<Option<Arc<Log>>>,
}

/// The log, and what of it the database doesn't have yet.
struct Log {
    file: Mutex<HintLog>,
    logged: Mutex<Vec<NewHint>>,
    more: Notify,
}

impl Inbox {
    pub(super) fn new(store: Store, kept: Kept) -> Arc<Self> {
        Arc::new(Self {
            store,
            kept,
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            log: OnceCell::new(),
        })
    }

    /// Takes over what an earlier process left behind: it need not wait for the next notification.
    pub(super) async fn begin(self: Arc<Self>) {
        self.log().await;
    }

    /// Keeps a hint. Once this has returned it is durable.
    pub(super) async fn keep(self: &Arc<Self>, hint: NewHint) -> Result<(), NotKept> {
        let (tell, told) = oneshot::channel();
        {
            let mut waiting = lock(&self.waiting);
            if waiting.len() >= WAITING_MAX {
                return Err(NotKept::Full);
            }
            waiting.push((hint, tell));
        }
        // A task of its own: a caller who goes away takes no others with him.
        let inbox = Arc::clone(self);
        tokio::spawn(async move { inbox.commit().await });
        told.await.map_err(|_| NotKept::Store)
    }

    /// Keeps what waits. There is nothing left to do where another has kept it meanwhile.
    async fn commit(self: &Arc<Self>) {
        let _turn = self.turn.lock().await;
        let batch = {
            let mut waiting = lock(&self.waiting);
            let together = waiting.len().min(TOGETHER);
            waiting.drain(..together).collect::<Vec<_>>()
        };
        if batch.is_empty() {
            return;
        }
        let (hints, tell): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let done = match self.log().await {
            Some(log) => log.write(hints).await,
            None => self.stored(&hints).await,
        };
        if done {
            for tell in tell {
                // Who is no longer there need not be told.
                let _ = tell.send(());
            }
        }
    }

    /// The log, with what an earlier process left in it taken over into the database.
    async fn log(self: &Arc<Self>) -> Option<Arc<Log>> {
        let log = self.log.get_or_init(|| async {
            let (file, left) = match self.store.hint_log() {
                Ok(opened) => opened?,
                Err(error) => {
                    tracing::warn!(%error, "notifications go into the database at once: their log can't be opened");
                    return None;
                }
            };
            // It is written over from here on: what is in it must be in the database first.
            for some in left.chunks(TOGETHER) {
                self.store_surely(some).await;
            }
            let log = Arc::new(Log {
                file: Mutex::new(file),
                logged: Mutex::default(),
                more: Notify::new(),
            });
            let (inbox, of) = (Arc::downgrade(self), Arc::clone(&log));
            tokio::spawn(async move {
                loop {
                    of.more.notified().await;
                    tokio::time::sleep(GATHERS).await;
                    let Some(inbox) = inbox.upgrade() else { return };
                    inbox.move_over(&of).await;
                }
            });
            Some(log)
        });
        log.await.clone()
    }

    /// Has the database take what the log holds.
    async fn move_over(&self, log: &Log) {
        let hints = {
            let mut file = lock(&log.file);
            file.turn();
            std::mem::take(&mut *lock(&log.logged))
        };
        for some in hints.chunks(TOGETHER) {
            self.store_surely(some).await;
        }
    }

    /// Puts hints into the database, however often that must be tried.
    async fn store_surely(&self, hints: &[NewHint]) {
        while !self.stored(hints).await {
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Puts hints into the database; false if it doesn't take them.
    async fn stored(&self, hints: &[NewHint]) -> bool {
        match self.store.keep_hints(hints).await {
            Ok(are_new) => {
                for (hint, is_new) in hints.iter().zip(are_new) {
                    (self.kept)(hint, is_new);
                }
                true
            }
            Err(error) => {
                tracing::error!(%error, "notifications can't be kept");
                false
            }
        }
    }
}

impl Log {
    /// Writes hints to the log; false if the disk doesn't take them.
    async fn write(self: Arc<Self>, hints: Vec<NewHint>) -> bool {
        let written = tokio::task::spawn_blocking(move || {
            let mut file = lock(&self.file);
            file.append(&hints)?;
            lock(&self.logged).extend(hints);
            self.more.notify_one();
            Ok::<(), std::io::Error>(())
        });
        match written.await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::error!(%error, "notifications can't be written to their log");
                false
            }
            // The runtime is shutting down.
            Err(_) => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
