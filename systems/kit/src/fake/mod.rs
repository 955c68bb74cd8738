//! The chassis of the fakes: what every sandbox service shares.
//!
//! A fake is written from its system's README alone; it never depends on its client. The chassis gives it
//! a clock that can be moved, faults on demand, a count of calls, and a [`world`] to start from; the
//! control panel drives all of them through one trait, [`Fake`].

mod calls;
mod clock;
mod dress;
mod faults;
pub mod json;
mod panel;
mod serve;
pub mod world;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

pub use calls::{Calls, Count, InFlight, Refused};
pub use clock::FakeClock;
pub use dress::{Dropped, ExpireSession, dress};
pub use faults::{Effect, FaultRule, Faults, Injection, Standing, WebhookEffect};
pub use panel::control_router;
pub use serve::serve;

use crate::transport::Transport;

/// What all fakes of one sandbox share. Cloning shares the same parts.
#[derive(Clone)]
pub struct Chassis {
    /// The sandbox's clock: starts at the wall clock and can be moved. Documents, payments and sessions
    /// live by it; signatures are judged by the wall clock.
    pub clock: Arc<FakeClock>,
    /// The faults to inject.
    pub faults: Arc<Faults>,
    /// The calls counted so far.
    pub calls: Arc<Calls>,
    /// How long each call takes at least. Zero by default. Each fake waits so long inside its own
    /// concurrency limit, so that the limit holds with and without latency; [`dress`] doesn't add it.
    pub latency: Duration,
    /// The time that signatures are judged by: the machine's, unless a simulation brings its own.
    pub wall_clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// What carries a fake's own requests, its notifications; the network if there is none.
    pub outgoing: Option<Arc<dyn Transport>>,
}

impl Chassis {
    /// A chassis without faults, calls or latency. The seed decides which calls a fault's share strikes.
    #[must_use]
    pub fn new(clock: FakeClock, seed: u64) -> Self {
        Self {
            clock: Arc::new(clock),
            faults: Arc::new(Faults::new(seed)),
            calls: Arc::new(Calls::new()),
            latency: Duration::ZERO,
            wall_clock: Arc::new(clock::machine),
            outgoing: None,
        }
    }

    /// The same chassis, with this latency.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }
}

/// One sandbox service. The vendor's HTTP surface is its [`router`](Fake::router); everything else here
/// serves the control panel.
#[async_trait]
pub trait Fake: Send + Sync {
    /// The service's name on the panel: `netsuite`, `bill`, …
    fn service(&self) -> &'static str;

    /// The vendor's HTTP surface alone, without chassis: [`dress`] adds counting and faults.
    fn router(self: Arc<Self>) -> axum::Router;

    /// What the sandbox prints for this service (design: base address, account or organization, and the
    /// credentials under their kinds' names). `base` is `http://127.0.0.1:PORT` without a trailing slash.
    fn describe(&self, base: &str) -> Value;

    /// Counts and totals of every object, for `GET /control/state`. Amounts are strings.
    fn state(&self) -> Value;

    /// Every record that money hangs on, one by one, by its table: what a checker looks at that must not
    /// believe the client. Amounts are strings.
    fn records(&self) -> Value;

    /// `POST /control/<service>/<path…>` with a JSON body: what a person does in the vendor's own screens.
    async fn control(&self, path: &[&str], body: Value) -> Result<Value, ControlError>;

    /// `POST /control/credentials/{kind}`: makes a sign-in fail in its own way (`revoke`, `block`,
    /// `expire`, `lock`, `role`), or puts it right again (`restore`). `None` if `kind` isn't this service's.
    fn credential(&self, kind: &str, body: &Value) -> Option<Result<Value, ControlError>>;

    /// The clock has been moved: let payments and sessions follow. Reads may also do this lazily.
    fn clock_moved(&self);
}

/// Why a control call was not carried out; becomes a JSON body `{"error": …}` with this status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ControlError {
    /// The HTTP status of the panel's answer: 400, 404 or 409.
    pub status: u16,
    /// What was wrong, and what is accepted.
    pub message: String,
}

impl ControlError {
    /// The call was malformed.
    pub fn bad(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            message: message.into(),
        }
    }

    /// What was addressed does not exist.
    pub fn missing(message: impl Into<String>) -> Self {
        Self {
            status: 404,
            message: message.into(),
        }
    }
}
