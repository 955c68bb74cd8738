//! How long this process may still speak for a connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::Clock;

/// Until when a connection is held. The engine keeps it in step with its lease; whoever sends requests for the
/// connection sends none after that moment, and waits for no answer beyond it.
///
/// The far side can't be asked whether a request comes from the present holder or from one that was paused in
/// the middle of a step and woke up too late: only the sender can keep it back.
///
/// The end is told by two clocks, and the first one to reach it counts: a step back of the time that people set
/// lengthens nothing, and the count that nobody sets may stand still while a machine sleeps.
#[derive(Debug, Default)]
pub struct Holding {
    until: Mutex<Until>,
    cut: AtomicBool,
}

#[derive(Debug, Clone, Copy, Default)]
enum Until {
    /// Nothing is held, and nothing forbidden.
    #[default]
    Free,
    /// Until this time, and this [`uptime`](Clock::uptime).
    Both(Timestamp, Duration),
    /// It has passed to somebody else.
    Ended,
}

impl Holding {
    /// Nothing is held, and nothing forbidden: a check of a sign-in needs no lease.
    pub fn free(&self) {
        *self.lock() = Until::Free;
    }

    /// It is held until this time, and this [`uptime`](Clock::uptime).
    pub fn extend(&self, until: Timestamp, uptime: Duration) {
        *self.lock() = Until::Both(until, uptime);
    }

    /// It has passed to somebody else: nothing more may be sent.
    pub fn end(&self) {
        *self.lock() = Until::Ended;
    }

    /// This process is to stop: nothing more is sent, whatever is held. What was sent is still answered, so that
    /// nothing is left half said.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    /// Whether it was [cut](Self::cut).
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// What is left of it: nothing, or for ever.
    #[must_use]
    pub fn left(&self, clock: &dyn Clock) -> Duration {
        if self.is_cut() {
            return Duration::ZERO;
        }
        match *self.lock() {
            Until::Free => Duration::MAX,
            Until::Ended => Duration::ZERO,
            Until::Both(until, uptime) => {
                let left = Duration::try_from(until.duration_since(clock.now()));
                left.unwrap_or_default()
                    .min(uptime.saturating_sub(clock.uptime()))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Until> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(&'static str, u64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            self.0.parse().unwrap()
        }

        fn uptime(&self) -> Duration {
            Duration::from_secs(self.1)
        }
    }

    const TEN: At = At("2026-06-12T10:00:00Z", 500);

    fn held() -> Holding {
        let holding = Holding::default();
        holding.extend(
            "2026-06-12T10:01:00Z".parse().unwrap(),
            Duration::from_secs(560),
        );
        holding
    }

    #[test]
    fn nothing_is_left_after_its_end_and_everything_before_it_began() {
        assert_eq!(Holding::default().left(&TEN), Duration::MAX);
        let holding = held();
        assert_eq!(holding.left(&TEN), Duration::from_secs(60));
        assert!(holding.left(&At("2026-06-12T10:02:00Z", 620)).is_zero());
        holding.end();
        assert!(holding.left(&TEN).is_zero());
        holding.free();
        assert_eq!(holding.left(&TEN), Duration::MAX);
    }

    #[test]
    fn what_is_cut_stays_so() {
        let holding = held();
        holding.cut();
        holding.free();
        assert!(holding.is_cut() && holding.left(&TEN).is_zero());
    }

    #[test]
    fn s224_neither_a_step_back_nor_a_machine_that_sleeps_lengthens_it() {
        // The time was set back by an hour.
        let stepped = At("2026-06-12T09:00:30Z", 530);
        assert_eq!(held().left(&stepped), Duration::from_secs(30));
        // The machine slept for an hour, and its count stood still.
        assert!(held().left(&At("2026-06-12T11:00:00Z", 500)).is_zero());
    }
}
