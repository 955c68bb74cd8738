//! How fast tieout calls a service, as whoever stands at the machine's door sees it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// What is counted together.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

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
}

impl Pace {
    /// A request leaves for the service at this port.
    pub(crate) fn leaves(&self, port: u16, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all.entry(port).or_default();
        left.now.push_back(now);
        left.now.retain(|then| now.duration_since(*then) < SECOND);
        left.most = left.most.max(left.now.len());
    }

    /// The most that left for the service at this port in any second.
    #[must_use]
    pub fn most(&self, port: u16) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&port).map_or(0, |left| left.most)
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
}
