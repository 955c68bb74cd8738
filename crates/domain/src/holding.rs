//! How long this process may still speak for a connection.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// Until when a connection is held. The engine keeps it in step with its lease; whoever sends requests for the
/// connection sends none after that moment, and waits for no answer beyond it.
///
/// The far side can't be asked whether a request comes from the present holder or from one that was paused in
/// the middle of a step and woke up too late: only the sender can keep it back.
#[derive(Debug)]
pub struct Holding {
    until_us: AtomicI64,
}

impl Default for Holding {
    fn default() -> Self {
        Self {
            until_us: AtomicI64::new(i64::MAX),
        }
    }
}

impl Holding {
    /// Nothing is held, and nothing forbidden: a check of a sign-in needs no lease.
    pub fn free(&self) {
        self.until_us.store(i64::MAX, Ordering::Relaxed);
    }

    /// It is held until this moment.
    pub fn extend(&self, until: Timestamp) {
        self.until_us
            .store(until.as_microsecond(), Ordering::Relaxed);
    }

    /// It has passed to somebody else: nothing more may be sent.
    pub fn end(&self) {
        self.until_us.store(i64::MIN, Ordering::Relaxed);
    }

    /// What is left of it, in microseconds: none, or for ever.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> std::time::Duration {
        let left = self
            .until_us
            .load(Ordering::Relaxed)
            .saturating_sub(now.as_microsecond());
        std::time::Duration::from_micros(u64::try_from(left).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_after_its_end_and_everything_before_it_began() {
        let now: Timestamp = "2026-06-12T10:00:00Z".parse().unwrap();
        let minute = std::time::Duration::from_secs(60);
        let holding = Holding::default();
        assert!(holding.left(now) > minute * 1_000_000);
        holding.extend(now.checked_add(minute).unwrap());
        assert_eq!(holding.left(now), minute);
        assert!(holding.left(now.checked_add(minute * 2).unwrap()).is_zero());
        holding.end();
        assert!(holding.left(now).is_zero());
        holding.free();
        assert!(!holding.left(now).is_zero());
    }
}
