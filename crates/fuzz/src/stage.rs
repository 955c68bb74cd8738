//! What a client needs from outside, without anything outside: a clock that waits for nobody, no chance.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use tieout_domain::{Clock, Timer, Timestamp};
use tieout_kit::governor::Governors;
use tieout_kit::{Entropy, Kept, KeptError, Kit, Transport};

/// The second since 1970 at which every input begins: 2026-06-20T10:30:00Z.
pub const START_SECOND: i64 = 1_781_951_400;

/// Runs a future to its end on this thread.
///
/// # Panics
/// If the operating system gives no runtime.
pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime of one thread can be made");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A kit around this transport, as new.
pub fn kit(transport: Arc<dyn Transport>) -> Kit {
    Kit {
        transport,
        timer: Arc::new(Virtual(Mutex::new(start()))),
        entropy: Arc::new(Constant),
        kept: Arc::new(Forgetful::default()),
        governors: Arc::new(Governors::default()),
        far_clock: Arc::default(),
    }
}

/// The moment at which every input begins.
///
/// # Panics
/// Never: the second is one of the calendar's.
#[must_use]
pub fn start() -> Timestamp {
    Timestamp::from_second(START_SECOND).expect("the second lies within the calendar")
}

/// A clock that jumps when it is waited on.
struct Virtual(Mutex<Timestamp>);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("nothing panicked before")
    }
}

#[async_trait]
impl Timer for Virtual {
    async fn sleep(&self, duration: Duration) {
        let mut now = self.0.lock().expect("nothing panicked before");
        *now = now.checked_add(duration).unwrap_or(Timestamp::MAX);
    }
}

struct Constant;

impl Entropy for Constant {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

/// Keeps values for as long as the input lasts.
#[derive(Default)]
struct Forgetful(Mutex<BTreeMap<String, String>>);

#[async_trait]
impl Kept for Forgetful {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, KeptError> {
        let kept = self.0.lock().expect("nothing panicked before");
        Ok(kept.get(name).map(|value| value.clone().into()))
    }

    async fn put(
        &self,
        name: &str,
        value: &SecretString,
        _expires: Timestamp,
    ) -> Result<(), KeptError> {
        let mut kept = self.0.lock().expect("nothing panicked before");
        kept.insert(name.to_owned(), value.expose_secret().to_owned());
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), KeptError> {
        self.0.lock().expect("nothing panicked before").remove(name);
        Ok(())
    }
}
