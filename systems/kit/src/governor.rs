//! Keeping the caps of remote services: calls at once, calls in an hour, and calls in a second.
//!
//! A governor belongs to what is limited (a developer key, an organization, an account), not to who calls:
//! everything in the process that uses one key shares one governor, found by its name in [`Governors`].

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tieout_domain::Timestamp;
use tokio::sync::Notify;

use crate::pace::Pace;

/// All governors of a process.
#[derive(Debug, Default)]
pub struct Governors {
    concurrency: Mutex<HashMap<String, Arc<Concurrency>>>,
    allowances: Mutex<HashMap<String, Arc<Allowance>>>,
    paces: Mutex<HashMap<String, Arc<Pace>>>,
    refusals: Mutex<BTreeMap<String, u64>>,
}

/// How much of an hour's allowance is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The allowance's name.
    pub name: String,
    /// How many calls were made in this hour.
    pub used: u32,
    /// How many there may be.
    pub most: u32,
}

impl Governors {
    /// How much of each allowance is used in the clock hour of `now`, by name.
    #[must_use]
    pub fn used(&self, now: Timestamp) -> Vec<Used> {
        let all = self.allowances.lock();
        let all = all.unwrap_or_else(PoisonError::into_inner);
        let mut used: Vec<Used> = all
            .iter()
            .map(|(name, allowance)| Used {
                name: name.clone(),
                used: allowance.used(now),
                most: allowance.per_hour(),
            })
            .collect();
        used.sort_by(|a, b| a.name.cmp(&b.name));
        used
    }

    /// A sign-in at this system was refused.
    pub fn note_refusal(&self, system: &str) {
        let mut all = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        *all.entry(system.to_owned()).or_default() += 1;
    }

    /// How many sign-ins were refused since the process began, by system.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        let all = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }

    /// The governor of calls at once of this name; made with this maximum when it is first asked for.
    pub fn concurrency(&self, name: &str, max: usize) -> Arc<Concurrency> {
        let mut all = self
            .concurrency
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            all.entry(name.to_owned())
                .or_insert_with(|| Arc::new(Concurrency::new(max))),
        )
    }

    /// The governor of calls in an hour of this name; made with this allowance when it is first asked for.
    pub fn allowance(&self, name: &str, per_hour: u32) -> Arc<Allowance> {
        let mut all = self
            .allowances
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            all.entry(name.to_owned())
                .or_insert_with(|| Arc::new(Allowance::new(per_hour))),
        )
    }

    /// The spacing of calls of this name; made with this space between two when it is first asked for. Under the name the
    /// store keeps it for other processes.
    pub fn pace(&self, name: &str, every: Duration) -> Arc<Pace> {
        let mut all = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            all.entry(name.to_owned())
                .or_insert_with(|| Arc::new(Pace::new(name, every))),
        )
    }
}

/// At most so many calls at once; fewer for a while when the service says it is too many (the limit may be
/// shared with others).
#[derive(Debug)]
pub struct Concurrency {
    max: usize,
    state: Mutex<Flight>,
    freed: Notify,
}

#[derive(Debug)]
struct Flight {
    now: usize,
    limit: usize,
    good: usize,
}

impl Concurrency {
    fn new(max: usize) -> Self {
        let max = max.max(1);
        Self {
            max,
            state: Mutex::new(Flight {
                now: 0,
                limit: max,
                good: 0,
            }),
            freed: Notify::new(),
        }
    }

    /// Waits for a place. The place is given back when the permit is dropped.
    pub async fn enter(self: &Arc<Self>) -> Permit {
        loop {
            let freed = self.freed.notified();
            {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if state.now < state.limit {
                    state.now += 1;
                    return Permit {
                        of: Arc::clone(self),
                    };
                }
            }
            freed.await;
        }
    }

    /// The service refused a call because too many were under way: halve the limit.
    pub fn too_many(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.limit = (state.limit / 2).max(1);
        state.good = 0;
    }

    /// A call went well: after twenty of them in a row the limit grows by one, up to the maximum.
    pub fn went_well(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.good += 1;
        if state.good >= 20 && state.limit < self.max {
            state.limit += 1;
            state.good = 0;
            self.freed.notify_one();
        }
    }
}

/// A place among the calls under way.
#[derive(Debug)]
pub struct Permit {
    of: Arc<Concurrency>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.of
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .now -= 1;
        self.of.freed.notify_one();
    }
}

/// So many calls in a clock hour, and none while the service has blocked the key.
#[derive(Debug)]
pub struct Allowance {
    per_hour: u32,
    state: Mutex<Hour>,
}

#[derive(Debug, Default)]
struct Hour {
    start: i64,
    used: u32,
    paused_until: Option<Timestamp>,
}

/// No call may be made before this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paused {
    /// How long from now.
    pub after: Duration,
}

impl Allowance {
    fn new(per_hour: u32) -> Self {
        Self {
            per_hour,
            state: Mutex::new(Hour::default()),
        }
    }

    /// Takes one call out of this hour's allowance.
    ///
    /// # Errors
    /// [`Paused`] until the hour turns, when it is used up or the service has blocked the key.
    pub fn take(&self, now: Timestamp) -> Result<(), Paused> {
        let mut hour = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = hour.paused_until {
            if now < until {
                return Err(Paused {
                    after: span(now, until),
                });
            }
            hour.paused_until = None;
        }
        let start = now.as_second().div_euclid(3600) * 3600;
        if hour.start != start {
            hour.start = start;
            hour.used = 0;
        }
        if hour.used >= self.per_hour {
            return Err(Paused {
                after: span(now, next_hour(now)),
            });
        }
        hour.used += 1;
        Ok(())
    }

    /// How many were taken in the clock hour of `now`.
    #[must_use]
    pub fn used(&self, now: Timestamp) -> u32 {
        let hour = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if hour.start == now.as_second().div_euclid(3600) * 3600 {
            hour.used
        } else {
            0
        }
    }

    /// How many an hour.
    #[must_use]
    pub fn per_hour(&self) -> u32 {
        self.per_hour
    }

    /// The service says that the hour's allowance is used up: nothing more until it turns.
    pub fn pause_until_next_hour(&self, now: Timestamp) -> Paused {
        let until = next_hour(now);
        let mut hour = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        hour.paused_until = Some(until);
        Paused {
            after: span(now, until),
        }
    }
}

fn next_hour(now: Timestamp) -> Timestamp {
    let second = (now.as_second().div_euclid(3600) + 1) * 3600;
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn s215_never_more_calls_at_once_than_the_limit() {
        let governors = Governors::default();
        let one = governors.concurrency("org", 3);
        let same = governors.concurrency("org", 3);
        let permits = vec![one.enter().await, same.enter().await, one.enter().await];
        assert!(futures::poll!(std::pin::pin!(same.enter())).is_pending());
        drop(permits);
        let _fourth = same.enter().await;
    }

    #[tokio::test]
    async fn the_limit_halves_when_the_service_complains_and_grows_back() {
        let limit = Governors::default().concurrency("org", 4);
        limit.too_many();
        let _two = (limit.enter().await, limit.enter().await);
        assert!(futures::poll!(std::pin::pin!(limit.enter())).is_pending());
        for _ in 0..20 {
            limit.went_well();
        }
        let _third = limit.enter().await;
    }

    #[test]
    fn s214_a_blocked_key_pauses_everything_until_the_hour_turns() {
        let allowance = Governors::default().allowance("key", 2);
        let now: Timestamp = "2026-06-12T10:59:00Z".parse().unwrap();
        assert!(allowance.take(now).is_ok());
        assert!(allowance.take(now).is_ok());
        assert_eq!(allowance.used(now), 2);
        assert_eq!(
            allowance.take(now),
            Err(Paused {
                after: Duration::from_secs(60)
            })
        );
        let later: Timestamp = "2026-06-12T11:00:00Z".parse().unwrap();
        assert_eq!(allowance.used(later), 0);
        assert!(allowance.take(later).is_ok());
        assert_eq!(
            allowance.pause_until_next_hour(later).after,
            Duration::from_secs(3600)
        );
        assert!(allowance.take(later).is_err());
        assert!(
            allowance
                .take("2026-06-12T12:00:00Z".parse().unwrap())
                .is_ok()
        );
    }
}
