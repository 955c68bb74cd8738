//! Keeping hints durably, many in one commit: whoever comes while a commit is made shares the next one.

use std::sync::{Arc, Mutex, PoisonError};

use tieout_store::{NewHint, Store};
use tokio::sync::oneshot;

/// So many may wait to be kept; what comes beyond that is told to come again.
const WAITING_MAX: usize = 4096;
/// So many are kept in one commit.
const TOGETHER: usize = 512;

/// Why a hint is not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotKept {
    /// Too many wait already.
    #[error("{WAITING_MAX} wait already")]
    Full,
    /// The store refused them; it has said why.
    #[error("the store didn't keep it")]
    Store,
}

/// Hints on their way into the store.
pub(super) struct Inbox {
    store: Store,
    waiting: Mutex<Vec<(NewHint, oneshot::Sender<bool>)>>,
    turn: tokio::sync::Mutex<()>,
}

impl Inbox {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Keeps a hint, and tells whether it is new. Once this has returned it is durable.
    pub(super) async fn keep(self: &Arc<Self>, hint: NewHint) -> Result<bool, NotKept> {
        let (tell, told) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
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
    async fn commit(&self) {
        let _turn = self.turn.lock().await;
        let batch = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let together = waiting.len().min(TOGETHER);
            waiting.drain(..together).collect::<Vec<_>>()
        };
        if batch.is_empty() {
            return;
        }
        let (hints, tell): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        match self.store.keep_hints(&hints).await {
            Ok(are_new) => {
                for (tell, is_new) in tell.into_iter().zip(are_new) {
                    // Who is no longer there need not be told.
                    let _ = tell.send(is_new);
                }
            }
            Err(error) => tracing::error!(%error, "notifications can't be kept"),
        }
    }
}
