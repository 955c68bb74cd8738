//! Keeping the caps of remote services: calls at once, calls in an hour, and calls in a second.
//!
//! A governor belongs to what is limited (a developer key, an organization, an account), not to who calls:
//! everything in the process that uses one key shares one governor, found by its name in [`Governors`]. What a service
//! allows at once or in an hour is the processes' together: each governor holds a part of it, which its keeper
//! ([`Kept`](crate::Kept)) shares out.

mod allowance;
mod concurrency;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tieout_domain::{Timer, Timestamp};

pub use allowance::{Allowance, Paused};
pub use concurrency::{Concurrency, Permit};

use crate::pace::Pace;

/// All governors of a process.
#[derive(Debug, Default)]
pub struct Governors {
    concurrency: Mutex<BTreeMap<String, Arc<Concurrency>>>,
    allowances: Mutex<BTreeMap<String, Arc<Allowance>>>,
    paces: Mutex<BTreeMap<String, Arc<Pace>>>,
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
                .or_insert_with(|| Arc::new(Concurrency::new(name, max))),
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
                .or_insert_with(|| Arc::new(Allowance::new(name, per_hour))),
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

    /// What this process holds and doesn't use goes back to the others.
    pub async fn rest(&self) {
        for concurrency in self.all_concurrency() {
            concurrency.rest().await;
        }
        let allowances: Vec<_> = {
            let all = self.allowances.lock();
            let all = all.unwrap_or_else(PoisonError::into_inner);
            all.values().cloned().collect()
        };
        for allowance in allowances {
            allowance.rest().await;
        }
    }

    /// Keeps what this process uses, and gives back what others wait for or what it has had no use for since the last
    /// time: for a service, about once a second.
    pub async fn tend(&self, timer: &dyn Timer) {
        for concurrency in self.all_concurrency() {
            concurrency.look_after(timer).await;
        }
    }

    fn all_concurrency(&self) -> Vec<Arc<Concurrency>> {
        let all = self.concurrency.lock();
        let all = all.unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }
}
