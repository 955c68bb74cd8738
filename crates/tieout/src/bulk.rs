//! Work on many connections at once: a few at a time, told in their order.
//!
//! Sign-ins are kept apart by the governors of what is limited (a developer key, an account), not here: a hundred
//! connections that begin together sign in one after the other and wait for nothing else of each other.

use std::future::Future;

use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;

/// How many connections are worked on at once.
pub const AT_ONCE: usize = 8;

/// Carries out the work of each, at most [`AT_ONCE`] at a time, and gives what it came to in the items' order.
pub async fn all<T, F: Future>(
    items: impl IntoIterator<Item = T>,
    work: impl FnMut(T) -> F,
) -> Vec<F::Output> {
    let works: Vec<F> = items.into_iter().map(work).collect();
    stream::iter(works).buffered(AT_ONCE).collect().await
}

/// The same, and does something with each as soon as it is its turn. The others go on meanwhile: what they hold, such as
/// a connection to the store, is never waited for by one that keeps them waiting.
pub async fn each<T, F: Future>(
    items: impl IntoIterator<Item = T>,
    work: impl FnMut(T) -> F,
    mut then: impl AsyncFnMut(F::Output),
) {
    let (done, mut waiting) = mpsc::unbounded_channel();
    let working = async move {
        let mut working = std::pin::pin!(stream::iter(items).map(work).buffered(AT_ONCE));
        while let Some(output) = working.next().await {
            if done.send(output).is_err() {
                break;
            }
        }
    };
    let telling = async {
        while let Some(output) = waiting.recv().await {
            then(output).await;
        }
    };
    tokio::join!(working, telling);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn never_more_than_the_bound_and_always_in_order() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |number: usize| {
            let (now, most) = (&now, &most);
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Later ones would be done first.
                for _ in number..40 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                number
            }
        };
        let done = all(0..40, work).await;
        assert_eq!(done, (0..40).collect::<Vec<_>>());
        assert_eq!(most.into_inner(), AT_ONCE);
    }

    #[tokio::test]
    async fn one_that_is_dealt_with_may_wait_for_those_that_still_work() {
        let store = tokio::sync::Mutex::new(());
        let work = |number: usize| {
            let store = &store;
            async move {
                let held = store.lock().await;
                tokio::task::yield_now().await;
                drop(held);
                number
            }
        };
        let mut told = Vec::new();
        each(0..40, work, async |number| {
            let _held = store.lock().await;
            told.push(number);
        })
        .await;
        assert_eq!(told, (0..40).collect::<Vec<_>>());
    }
}
