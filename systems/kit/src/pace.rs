//! Keeping a cap of calls in any second, over everything that uses one key: tasks of this process, and other processes
//! that share the store.
//!
//! Calls are spaced evenly. A turn that was missed, because the machine was busy, is not made up for: another is taken,
//! so that turns never pile up and are used at once.

use std::time::Duration;

use tieout_domain::Timestamp;
use tokio::sync::Mutex;

use crate::Kit;

/// How late a turn may still be used. Of `n` turns the first may be as late as this and the last may be on time, so that
/// the space between turns has to leave room for it.
const LATE: Duration = Duration::from_millis(40);
/// After so many turns in a row that were missed, the next is used however late: who is that slow isn't fast.
const MISSED_MAX: u32 = 20;

/// Spaces calls under one key.
#[derive(Debug)]
pub struct Pace {
    name: String,
    every: Duration,
    /// When the last turn was used, by our uptime.
    last: Mutex<Option<Duration>>,
}

impl Pace {
    pub(crate) fn new(name: &str, every: Duration) -> Self {
        Self {
            name: name.to_owned(),
            every,
            last: Mutex::default(),
        }
    }

    /// Waits for the next turn. Whoever has it sends at once.
    pub async fn turn(&self, kit: &Kit) {
        // Whoever waits here waits in order, and holds the others back for as long.
        let mut last = self.last.lock().await;
        for _ in 0..MISSED_MAX {
            // The first turn of a process keeps its distance too: the one before it may have called a moment ago, and a
            // clock that was set meanwhile hides that.
            let since = last.map_or(Duration::ZERO, |last| {
                kit.timer.uptime().saturating_sub(last)
            });
            let left = self.every.saturating_sub(since);
            if !left.is_zero() {
                kit.timer.sleep(left).await;
            }
            let turn = self.shared_turn(kit).await;
            let early = span(kit.timer.now(), turn);
            if !early.is_zero() {
                kit.timer.sleep(early).await;
            }
            *last = Some(kit.timer.uptime());
            if span(turn, kit.timer.now()) <= LATE {
                return;
            }
        }
        tracing::warn!(
            name = self.name,
            "turns to call are missed again and again: this machine is too busy"
        );
    }

    /// The moment of the next turn among all processes.
    async fn shared_turn(&self, kit: &Kit) -> Timestamp {
        let now = kit.timer.now();
        let turn = kit.kept.turn(&self.name, now, self.every).await;
        turn.unwrap_or_else(|error| {
            tracing::warn!(%error, name = self.name, "calls can't be spaced in the store; spacing them here alone");
            now
        })
    }
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

    use async_trait::async_trait;
    use bytes::Bytes;
    use secrecy::SecretString;
    use tieout_domain::{Clock, Lost, Timer};

    use super::*;
    use crate::governor::Governors;
    use crate::seams::SystemEntropy;
    use crate::{Kept, KeptError, Transport};

    const EVERY: Duration = Duration::from_millis(210);

    /// A clock in milliseconds that sleeping moves, and that oversleeps as often as it is told.
    #[derive(Default)]
    struct Drowsy {
        millis: AtomicI64,
        oversleeps: AtomicU32,
    }

    impl Clock for Drowsy {
        fn now(&self) -> Timestamp {
            Timestamp::from_millisecond(self.millis.load(Ordering::SeqCst)).unwrap()
        }
    }

    #[async_trait]
    impl Timer for Drowsy {
        async fn sleep(&self, duration: Duration) {
            let over = self
                .oversleeps
                .try_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                })
                .map_or(0, |_| 500);
            let millis = i64::try_from(duration.as_millis()).unwrap() + over;
            self.millis.fetch_add(millis, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    }

    /// The turns of a store that two processes share.
    #[derive(Default)]
    struct Turns(std::sync::Mutex<Option<Timestamp>>);

    #[async_trait]
    impl Kept for Turns {
        async fn get(&self, _: &str) -> Result<Option<SecretString>, KeptError> {
            Ok(None)
        }

        async fn put(&self, _: &str, _: &SecretString, _: Timestamp) -> Result<(), KeptError> {
            Ok(())
        }

        async fn remove(&self, _: &str) -> Result<(), KeptError> {
            Ok(())
        }

        async fn turn(
            &self,
            _: &str,
            now: Timestamp,
            every: Duration,
        ) -> Result<Timestamp, KeptError> {
            let mut next = self.0.lock().unwrap();
            let turn = next.map_or(now, |next| next.max(now));
            *next = Some(turn + every);
            Ok(turn)
        }
    }

    struct Nowhere;

    #[async_trait]
    impl Transport for Nowhere {
        async fn send(
            &self,
            _: http::Request<Bytes>,
            _: Duration,
        ) -> Result<http::Response<Bytes>, Lost> {
            Err(Lost::NeverLeft("nowhere".to_owned()))
        }
    }

    fn kit(timer: &Arc<Drowsy>, kept: &Arc<Turns>) -> Kit {
        Kit {
            transport: Arc::new(Nowhere),
            timer: Arc::clone(timer) as Arc<dyn Timer>,
            entropy: Arc::new(SystemEntropy),
            kept: Arc::clone(kept) as Arc<dyn Kept>,
            governors: Arc::new(Governors::default()),
            far_clock: Arc::default(),
        }
    }

    /// Whether any second holds more than five of these.
    fn crowded(mut sent: Vec<i64>) -> bool {
        sent.sort_unstable();
        sent.windows(6).any(|six| six[5] - six[0] <= 1000)
    }

    async fn sent(kit: &Kit, timer: &Drowsy, calls: usize) -> Vec<i64> {
        let pace = kit.governors.pace("key", EVERY);
        let mut sent = Vec::new();
        for _ in 0..calls {
            pace.turn(kit).await;
            sent.push(timer.millis.load(Ordering::SeqCst));
        }
        sent
    }

    #[tokio::test]
    async fn never_more_than_five_in_any_second_over_two_processes() {
        let (timer, kept) = (Arc::<Drowsy>::default(), Arc::<Turns>::default());
        let (one, other) = (kit(&timer, &kept), kit(&timer, &kept));
        let (a, b, c) = futures::join!(
            sent(&one, &timer, 15),
            sent(&one, &timer, 15),
            sent(&other, &timer, 15)
        );
        let all = [a, b, c].concat();
        assert_eq!(all.len(), 45);
        assert!(!crowded(all));
    }

    #[tokio::test]
    async fn the_first_turn_of_a_process_keeps_its_distance_whatever_the_store_says() {
        let (timer, kept) = (Arc::<Drowsy>::default(), Arc::<Turns>::default());
        assert_eq!(sent(&kit(&timer, &kept), &timer, 1).await, [210]);
    }

    #[tokio::test]
    async fn turns_that_were_missed_are_not_made_up_for() {
        let (timer, kept) = (Arc::<Drowsy>::default(), Arc::<Turns>::default());
        let kit = kit(&timer, &kept);
        let mut all = sent(&kit, &timer, 5).await;
        timer.oversleeps.store(3, Ordering::SeqCst);
        all.extend(sent(&kit, &timer, 10).await);
        assert!(!crowded(all));
    }
}
