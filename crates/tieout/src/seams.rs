//! The real clock and the real keeper of sealed values: what the simulation replaces.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tieout_domain::{Clock, Timer, Timestamp};
use tieout_kit::refusals::is_count;
use tieout_kit::seams::{Kept, KeptError, Portion, Share, Wish};
use tieout_store::{SlotsAsked, StoreError, Taken};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn uptime(&self) -> Duration {
        static START: OnceLock<Duration> = OnceLock::new();
        let now = running();
        now.saturating_sub(*START.get_or_init(|| now))
    }
}

/// How long the machine has been running, its sleep included: what was sent before it slept is as old as the far side
/// takes it for, and a lease has gone on to end.
#[cfg(target_os = "linux")]
fn running() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

/// How long this process has been running. Whether a machine's sleep counts is the platform's choice.
#[cfg(not(target_os = "linux"))]
fn running() -> Duration {
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

#[async_trait]
impl Timer for WallClock {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Keeps sessions and tokens sealed in the store. Names are kept apart by connection and side, unless a
/// system asks for one that is shared.
pub struct SealedInStore {
    kept: tieout_store::Kept,
    prefix: String,
}

impl SealedInStore {
    /// Keeps under this prefix.
    pub fn new(kept: tieout_store::Kept, prefix: String) -> Self {
        Self { kept, prefix }
    }

    fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }
}

#[async_trait]
impl Kept for SealedInStore {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, KeptError> {
        self.kept.get(&self.name(name)).await.map_err(said)
    }

    async fn put(
        &self,
        name: &str,
        value: &SecretString,
        expires: Timestamp,
    ) -> Result<(), KeptError> {
        let put = self.kept.put(&self.name(name), value, Some(expires)).await;
        put.map_err(said)
    }

    async fn remove(&self, name: &str) -> Result<(), KeptError> {
        self.kept.remove(&self.name(name)).await.map_err(said)
    }

    async fn take(&self, name: &str, now: Timestamp, most: u32) -> Result<bool, KeptError> {
        let taken = self.kept.take_allowance(&self.name(name), now, most).await;
        taken.map_err(said)
    }

    async fn take_some(
        &self,
        name: &str,
        now: Timestamp,
        some: u32,
        most: u32,
    ) -> Result<Portion, KeptError> {
        let name = self.name(name);
        let taken = self.kept.take_allowances(&name, now, some, most).await;
        let Taken { some, hour } = taken.map_err(said)?;
        Ok(Portion { some, hour })
    }

    async fn give_back_some(&self, name: &str, unused: Portion) -> Result<(), KeptError> {
        let Portion { some, hour } = unused;
        let unused = Taken { some, hour };
        let name = self.name(name);
        let given = self.kept.give_back_allowances(&name, unused).await;
        given.map_err(said)
    }

    async fn hold(
        &self,
        name: &str,
        wish: Wish,
        time: Duration,
    ) -> Result<Option<Share>, KeptError> {
        let asked = SlotsAsked {
            most: wish.most,
            in_use: wish.in_use,
            wanted: wish.wanted,
        };
        let held = self.kept.hold_slots(&self.name(name), asked, time).await;
        let held = held.map_err(said)?;
        Ok(Some(Share {
            held: held.held,
            others_wait: held.others_wait,
        }))
    }

    async fn others_wait(&self, name: &str) -> Result<bool, KeptError> {
        let waiting = self.kept.others_wait_for_slots(&self.name(name)).await;
        waiting.map_err(said)
    }

    async fn give_back(&self, name: &str) -> Result<(), KeptError> {
        let given = self.kept.give_back_slots(&self.name(name)).await;
        given.map_err(said)
    }

    async fn turn(
        &self,
        name: &str,
        now: Timestamp,
        every: Duration,
    ) -> Result<Timestamp, KeptError> {
        let turn = self.kept.take_turn(&self.name(name), now, every).await;
        turn.map_err(said)
    }
}

/// The store's own words.
fn said(error: StoreError) -> KeptError {
    KeptError(error.to_string())
}

/// Keeps sessions and tokens in memory, for one command: what tries a credential out must really sign in, and
/// must not leave a session behind.
#[derive(Default)]
pub struct InMemory(Mutex<HashMap<String, SecretString>>);

impl InMemory {
    fn values(&self) -> std::sync::MutexGuard<'_, HashMap<String, SecretString>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps sessions and tokens as [`InMemory`] does, and counts refused sign-ins and the hour's allowance where all
/// processes count them: a service doesn't ask why somebody signs in.
pub struct ForATrial {
    /// Sessions and tokens.
    pub sessions: Arc<InMemory>,
    /// What is counted.
    pub counted: SealedInStore,
}

#[async_trait]
impl Kept for ForATrial {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, KeptError> {
        if is_count(name) {
            return self.counted.get(name).await;
        }
        self.sessions.get(name).await
    }

    async fn put(
        &self,
        name: &str,
        value: &SecretString,
        expires: Timestamp,
    ) -> Result<(), KeptError> {
        if is_count(name) {
            return self.counted.put(name, value, expires).await;
        }
        self.sessions.put(name, value, expires).await
    }

    async fn remove(&self, name: &str) -> Result<(), KeptError> {
        if is_count(name) {
            return self.counted.remove(name).await;
        }
        self.sessions.remove(name).await
    }

    async fn take(&self, name: &str, now: Timestamp, most: u32) -> Result<bool, KeptError> {
        self.counted.take(name, now, most).await
    }

    async fn take_some(
        &self,
        name: &str,
        now: Timestamp,
        some: u32,
        most: u32,
    ) -> Result<Portion, KeptError> {
        self.counted.take_some(name, now, some, most).await
    }

    async fn give_back_some(&self, name: &str, unused: Portion) -> Result<(), KeptError> {
        self.counted.give_back_some(name, unused).await
    }

    async fn hold(
        &self,
        name: &str,
        wish: Wish,
        time: Duration,
    ) -> Result<Option<Share>, KeptError> {
        self.counted.hold(name, wish, time).await
    }

    async fn others_wait(&self, name: &str) -> Result<bool, KeptError> {
        self.counted.others_wait(name).await
    }

    async fn give_back(&self, name: &str) -> Result<(), KeptError> {
        self.counted.give_back(name).await
    }

    async fn turn(
        &self,
        name: &str,
        now: Timestamp,
        every: Duration,
    ) -> Result<Timestamp, KeptError> {
        self.counted.turn(name, now, every).await
    }
}

#[async_trait]
impl Kept for InMemory {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, KeptError> {
        Ok(self.values().get(name).cloned())
    }

    async fn put(
        &self,
        name: &str,
        value: &SecretString,
        _expires: Timestamp,
    ) -> Result<(), KeptError> {
        self.values().insert(name.to_owned(), value.clone());
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), KeptError> {
        self.values().remove(name);
        Ok(())
    }
}
