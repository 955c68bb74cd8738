//! So many calls in a clock hour.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tieout_domain::Timestamp;

use crate::seams::{Kept, Kit, Portion};

/// The most that is taken out of the hour's allowance at once.
const PORTION_MAX: u32 = 50;
/// How far apart two clocks may be when an hour turns.
const TURNING: i64 = 60;
/// The first portion. Each is twice as large as the one before: a process that dies early takes little with it.
const PORTION_FIRST: u32 = 4;

/// So many calls in a clock hour, and none while the service has blocked the key.
pub struct Allowance {
    name: String,
    per_hour: u32,
    state: Mutex<Hour>,
    /// One portion is asked for at a time.
    asking: tokio::sync::Mutex<()>,
    kept: OnceLock<Arc<dyn Kept>>,
}

#[derive(Debug, Default)]
struct Hour {
    start: i64,
    used: u32,
    paused_until: Option<Timestamp>,
    /// What is at hand of the portions taken, and of which hour they are.
    at_hand: Option<Portion>,
    last_portion: u32,
}

/// No call may be made before this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paused {
    /// How long from now.
    pub after: Duration,
}

impl std::fmt::Debug for Allowance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Allowance")
            .field("name", &self.name)
            .field("per_hour", &self.per_hour)
            .finish_non_exhaustive()
    }
}

impl Allowance {
    pub(super) fn new(name: &str, per_hour: u32) -> Self {
        Self {
            name: name.to_owned(),
            per_hour,
            state: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            kept: OnceLock::new(),
        }
    }

    /// Takes one call out of this hour's allowance, which all processes share. The keeper is asked for a portion, and not
    /// for each call; while it doesn't answer, this process counts by itself.
    ///
    /// # Errors
    /// [`Paused`] until the hour turns, when it is used up or the service has blocked the key.
    pub async fn take_shared(&self, kit: &Kit) -> Result<(), Paused> {
        self.kept.get_or_init(|| Arc::clone(&kit.kept));
        let now = kit.timer.now();
        self.take(now)?;
        if self.lock().spend(now) {
            return Ok(());
        }
        let _one = self.asking.lock().await;
        if self.lock().spend(now) {
            return Ok(());
        }
        let some = match self.lock().last_portion {
            0 => PORTION_FIRST,
            last => (last * 2).min(PORTION_MAX),
        };
        let taken = kit.kept.take_some(&self.name, now, some, self.per_hour);
        match taken.await {
            Ok(Portion {
                some: 0,
                hour: used_up,
            }) => {
                let mut hour = self.lock();
                hour.used = hour.used.saturating_sub(1);
                // It is the keeper's hour that is used up; ours may have turned already.
                let turns = used_up.saturating_add(1).saturating_mul(3600);
                let until = turns.max(now.as_second().saturating_add(TURNING));
                Err(Paused {
                    after: span(now, moment(until)),
                })
            }
            Ok(portion) => {
                let mut hour = self.lock();
                hour.last_portion = some;
                hour.at_hand = Some(Portion {
                    some: portion.some - 1,
                    ..portion
                });
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, name = self.name, "calls can't be counted in the store; counting here alone");
                Ok(())
            }
        }
    }

    /// Takes one call out of this hour's allowance, as this process counts it.
    ///
    /// # Errors
    /// [`Paused`] until the hour turns, when it is used up or the service has blocked the key.
    pub fn take(&self, now: Timestamp) -> Result<(), Paused> {
        let mut hour = self.lock();
        if let Some(until) = hour.paused_until {
            if now < until {
                return Err(Paused {
                    after: span(now, until),
                });
            }
            hour.paused_until = None;
        }
        let start = start_of(now);
        if hour.start != start {
            hour.start = start;
            hour.used = 0;
            hour.last_portion = 0;
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
        let hour = self.lock();
        if hour.start == start_of(now) {
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

    /// The service says that the hour's allowance is used up: nothing more until it turns. Right after our clock's turn
    /// the service may still be in the hour before, so that it is asked again soon.
    pub fn pause_until_next_hour(&self, now: Timestamp) -> Paused {
        let turned = start_of(now).saturating_add(TURNING);
        let until = if now.as_second() < turned {
            moment(turned)
        } else {
            next_hour(now)
        };
        self.lock().paused_until = Some(until);
        Paused {
            after: span(now, until),
        }
    }

    /// What is at hand goes back to the others.
    pub(super) async fn rest(&self) {
        let _one = self.asking.lock().await;
        let at_hand = {
            let mut hour = self.lock();
            hour.last_portion = 0;
            hour.at_hand.take()
        };
        if let Some(unused) = at_hand.filter(|portion| portion.some > 0)
            && let Some(kept) = self.kept.get()
            && let Err(error) = kept.give_back_some(&self.name, unused).await
        {
            tracing::debug!(%error, name = self.name, "what is left of an hour's calls can't be given back");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Hour> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hour {
    /// Takes one of what is at hand, if it is of this hour. A portion of an hour that our clock has not reached is as
    /// good: the keeper's clock is the one that counts.
    fn spend(&mut self, now: Timestamp) -> bool {
        let this = now.as_second().div_euclid(3600);
        match &mut self.at_hand {
            Some(portion) if portion.some > 0 && portion.hour >= this => {
                portion.some -= 1;
                true
            }
            _ => false,
        }
    }
}

fn start_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(3600) * 3600
}

fn next_hour(now: Timestamp) -> Timestamp {
    moment(start_of(now) + 3600)
}

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::governor::Governors;

    use super::*;

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
        // The service's clock may be behind ours.
        assert_eq!(
            allowance.pause_until_next_hour(later).after,
            Duration::from_secs(60)
        );
        assert!(allowance.take(later).is_err());
        let settled: Timestamp = "2026-06-12T11:01:00Z".parse().unwrap();
        assert!(allowance.take(settled).is_ok());
        assert_eq!(
            allowance.pause_until_next_hour(settled).after,
            Duration::from_secs(59 * 60)
        );
        assert!(allowance.take(settled).is_err());
        assert!(
            allowance
                .take("2026-06-12T12:00:00Z".parse().unwrap())
                .is_ok()
        );
    }
}
