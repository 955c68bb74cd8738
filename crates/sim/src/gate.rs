//! What threads of their own carry out: calls to the store, and services at work. Each is let go on only when
//! nothing else can be done, one after the other in the order in which they were asked for, so that no thread's
//! speed ever decides anything.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The gate that all of a world's calls to the store go through.
#[derive(Default)]
pub struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: BTreeMap<u64, Waker>,
    next: u64,
    /// Let go on, and not yet aware of it.
    granted: Option<u64>,
    held: bool,
    /// Whoever has the turn is dying, and does nothing with it any more.
    abandoned: bool,
    services: u32,
}

impl Gate {
    /// Whether something is under way that ends without any time passing.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let state = self.lock();
        state.services > 0 || state.granted.is_some() || (state.held && !state.abandoned)
    }

    /// Lets the next one go on, if the gate is free. Tells whether there was one.
    #[must_use]
    pub fn grant(&self) -> bool {
        let mut state = self.lock();
        if state.held || state.granted.is_some() {
            return false;
        }
        let Some((number, waker)) = state.waiting.pop_first() else {
            return false;
        };
        state.granted = Some(number);
        drop(state);
        waker.wake();
        true
    }

    /// Waits for a turn; the turn lasts until what is given is dropped.
    pub(crate) fn turn(self: &Arc<Self>) -> impl Future<Output = Held> + Send + use<> {
        Asking {
            gate: Arc::clone(self),
            number: None,
        }
    }

    /// Whoever has the turn may never come back from where it is now.
    pub(crate) fn abandon(&self, abandoned: bool) {
        self.lock().abandoned = abandoned;
    }

    /// A service is at work, perhaps on another thread.
    pub(crate) async fn while_served<T>(&self, work: impl Future<Output = T>) -> T {
        self.lock().services += 1;
        let done = work.await;
        self.lock().services -= 1;
        done
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Asking {
    gate: Arc<Gate>,
    number: Option<u64>,
}

impl Future for Asking {
    type Output = Held;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Held> {
        let gate = Arc::clone(&self.gate);
        let mut state = gate.lock();
        let number = match self.number {
            Some(number) if state.granted == Some(number) => {
                state.granted = None;
                state.held = true;
                drop(state);
                self.number = None;
                return Poll::Ready(Held(gate));
            }
            Some(number) => number,
            None => {
                state.next += 1;
                state.next
            }
        };
        state.waiting.insert(number, context.waker().clone());
        drop(state);
        self.number = Some(number);
        Poll::Pending
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let mut state = self.gate.lock();
            state.waiting.remove(&number);
            if state.granted == Some(number) {
                state.granted = None;
            }
        }
    }
}

/// A turn.
pub(crate) struct Held(Arc<Gate>);

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.held = false;
        state.abandoned = false;
    }
}
