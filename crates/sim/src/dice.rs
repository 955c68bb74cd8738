//! Chance. One seed decides everything that befalls a world.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use tieout_kit::Entropy;
use tieout_store::{Salts, StoreError};

/// One stream of chance. What draws from one stream leaves the others as they are, so that a world can be
/// told apart from the same world under other weather.
#[derive(Debug)]
pub struct Dice(Mutex<StdRng>);

impl Dice {
    /// The stream of this purpose under a seed.
    #[must_use]
    pub fn of(seed: u64, purpose: &str) -> Self {
        let mixed = purpose
            .bytes()
            .fold(seed ^ 0x9E37_79B9_7F4A_7C15, |mixed, byte| {
                (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
            });
        Self(Mutex::new(StdRng::seed_from_u64(mixed)))
    }

    /// True this often.
    pub fn chance(&self, share: f64) -> bool {
        self.lock().random::<f64>() < share
    }

    /// A whole number from `least` up to and without `most`.
    pub fn between(&self, least: u64, most: u64) -> u64 {
        self.lock().random_range(least..most.max(least + 1))
    }

    /// A time from `least` up to and without `most`, to the millisecond.
    pub fn time(&self, least: Duration, most: Duration) -> Duration {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 2);
        Duration::from_millis(self.between(millis(least), millis(most)))
    }

    /// One of these; none if there is none.
    pub fn pick<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.between(0, of.len() as u64)).unwrap_or_default();
        of.get(at)
    }

    fn lock(&self) -> MutexGuard<'_, StdRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        self.lock().fill_bytes(bytes);
    }
}

impl Salts for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        self.lock().fill_bytes(bytes);
        Ok(())
    }
}
