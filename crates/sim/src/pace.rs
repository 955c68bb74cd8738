//! How fast tieout calls a service, and how many calls are under way at once, as whoever stands at its machines' door sees
//! it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// What is counted together.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A call that is on its way for longer than this counts no more: see `systems/kit`, whose processes hold their slots for
/// longer than that.
const CALL: SignedDuration = SignedDuration::from_secs(30);

/// The requests that leave the machine for each service, which all of its processes call under one key.
#[derive(Debug, Default)]
pub struct Pace(Mutex<BTreeMap<u16, Left>>);

/// Those that left for one service.
#[derive(Debug, Default)]
struct Left {
    /// Within the second that ends now.
    now: VecDeque<Timestamp>,
    /// In any second so far.
    most: usize,
    /// Those that are under way, by number, and when they left.
    under_way: BTreeMap<u64, Timestamp>,
    /// The most that were under way at once.
    most_at_once: usize,
    next: u64,
}

/// A call that the service has not answered yet.
pub(crate) struct UnderWay {
    pace: Arc<Pace>,
    port: u16,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut all = self.pace.lock();
        if let Some(left) = all.get_mut(&self.port) {
            left.under_way.remove(&self.number);
        }
    }
}

impl Pace {
    /// A request leaves for the service at this port.
    pub(crate) fn leaves(&self, port: u16, now: Timestamp) {
        let mut all = self.lock();
        let left = all.entry(port).or_default();
        left.now.push_back(now);
        left.now.retain(|then| now.duration_since(*then) < SECOND);
        left.most = left.most.max(left.now.len());
    }

    /// A request is on its way, until what is given is dropped: when the service has answered.
    pub(crate) fn is_under_way(self: &Arc<Self>, port: u16, now: Timestamp) -> UnderWay {
        let mut all = self.lock();
        let left = all.entry(port).or_default();
        left.next += 1;
        left.under_way.insert(left.next, now);
        let lately = |then: &&Timestamp| now.duration_since(**then) < CALL;
        let at_once = left.under_way.values().filter(lately).count();
        left.most_at_once = left.most_at_once.max(at_once);
        UnderWay {
            pace: Arc::clone(self),
            port,
            number: left.next,
        }
    }

    /// The most that were under way at once to the service at this port.
    #[must_use]
    pub fn most_at_once(&self, port: u16) -> usize {
        self.lock().get(&port).map_or(0, |left| left.most_at_once)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u16, Left>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The most that left for the service at this port in any second.
    #[must_use]
    pub fn most(&self, port: u16) -> usize {
        self.lock().get(&port).map_or(0, |left| left.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_of_any_second_is_kept_for_each_service() {
        let pace = Pace::default();
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        for moment in [0, 300, 999, 1000, 1299, 5000] {
            pace.leaves(9104, at(moment));
        }
        pace.leaves(9101, at(5000));
        assert_eq!([9104, 9101, 9102].map(|port| pace.most(port)), [4, 1, 0]);
    }

    #[test]
    fn calls_at_once_are_counted_until_they_are_answered_or_take_long() {
        let pace = Arc::new(Pace::default());
        let at = |second| Timestamp::from_second(second).unwrap();
        let first = pace.is_under_way(9102, at(0));
        let second = pace.is_under_way(9102, at(1));
        drop(first);
        let third = pace.is_under_way(9102, at(2));
        assert_eq!(pace.most_at_once(9102), 2);
        let _fourth = pace.is_under_way(9102, at(60));
        assert_eq!(pace.most_at_once(9102), 2);
        drop((second, third));
    }
}
