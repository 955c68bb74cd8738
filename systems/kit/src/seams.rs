//! The seams that tests and the simulation replace, gathered into one [`Kit`] that a system is connected
//! with.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tieout_domain::{Timer, Timestamp};

use crate::governor::Governors;
use crate::guard::FarClock;
use crate::transport::Transport;

/// Where randomness comes from: nonces, jitter, idempotency headers. Never keys of economic events.
pub trait Entropy: Send + Sync {
    /// Fills the bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A random lower-case hexadecimal text of twice this many characters.
    fn hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0; bytes];
        self.fill(&mut buffer);
        buffer.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A random fraction in `0.0..1.0`, for jitter.
    fn fraction(&self) -> f64 {
        let mut buffer = [0; 4];
        self.fill(&mut buffer);
        f64::from(u32::from_le_bytes(buffer)) / (f64::from(u32::MAX) + 1.0)
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// Why a kept value can't be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct KeptError(pub String);

/// A part of an hour's allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// How many calls.
    pub some: u32,
    /// Of which clock hour, counted since 1970.
    pub hour: i64,
}

/// What a process wishes for of the slots for calls at once that all processes share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// How many there are in all.
    pub most: u64,
    /// How many it is using now.
    pub in_use: u64,
    /// How many it could use.
    pub wanted: u64,
}

/// What it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many it holds from now on: never fewer than are in use, unless it had lost them.
    pub held: u64,
    /// Whether others want more than they have.
    pub others_wait: bool,
}

/// Keeps small secrets sealed from run to run: sessions, tokens, what a probe found out. A value that is
/// lost costs one more sign-in, nothing else.
#[async_trait]
pub trait Kept: Send + Sync {
    /// The value, if there is one that has not expired.
    async fn get(&self, name: &str) -> Result<Option<SecretString>, KeptError>;

    /// Keeps a value until then.
    async fn put(
        &self,
        name: &str,
        value: &SecretString,
        expires: Timestamp,
    ) -> Result<(), KeptError>;

    /// Forgets a value.
    async fn remove(&self, name: &str) -> Result<(), KeptError>;

    /// Takes one of so many that a service allows in the clock hour of `now`, counted over all processes;
    /// `false` when they are used up. A keeper that doesn't outlive its process has nothing to count: the
    /// process's own [`Governors`] do.
    async fn take(&self, _name: &str, _now: Timestamp, _most: u32) -> Result<bool, KeptError> {
        Ok(true)
    }

    /// Takes some of so many that a service allows in the clock hour of `now`, or what is left of them, as
    /// [`take`](Self::take) does. A keeper that doesn't outlive its process gives whatever it is asked for.
    async fn take_some(
        &self,
        _name: &str,
        now: Timestamp,
        some: u32,
        _most: u32,
    ) -> Result<Portion, KeptError> {
        let hour = now.as_second().div_euclid(3600);
        Ok(Portion { some, hour })
    }

    /// Gives back what of a portion was not used.
    async fn give_back_some(&self, _name: &str, _unused: Portion) -> Result<(), KeptError> {
        Ok(())
    }

    /// Takes slots for calls at once, or renews what is held, for so long from now on. `None` from a keeper that doesn't
    /// outlive its process: there is nobody to share with.
    async fn hold(
        &self,
        _name: &str,
        _wish: Wish,
        _time: Duration,
    ) -> Result<Option<Share>, KeptError> {
        Ok(None)
    }

    /// Whether others want more slots than they have. Asked often: it writes nothing.
    async fn others_wait(&self, _name: &str) -> Result<bool, KeptError> {
        Ok(false)
    }

    /// Gives slots back.
    async fn give_back(&self, _name: &str) -> Result<(), KeptError> {
        Ok(())
    }

    /// The next free moment, at or after `now`, of turns that are `every` apart, counted over all processes; it is the
    /// caller's. A keeper that doesn't outlive its process gives `now`: the process spaces its calls by itself.
    async fn turn(
        &self,
        _name: &str,
        now: Timestamp,
        _every: Duration,
    ) -> Result<Timestamp, KeptError> {
        Ok(now)
    }
}

/// Everything a system needs from outside to work.
#[derive(Clone)]
pub struct Kit {
    /// Sends requests.
    pub transport: Arc<dyn Transport>,
    /// Tells the time, and waits.
    pub timer: Arc<dyn Timer>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Sealed values that outlive the process.
    pub kept: Arc<dyn Kept>,
    /// The limits that everything using one key, organization or account shares.
    pub governors: Arc<Governors>,
    /// The system's own clock, as its answers tell it.
    pub far_clock: Arc<FarClock>,
}
