//! The Alternative Payments sandbox: invoices, payments, payouts and their quirks.
//!
//! Written from the system's README (`systems/alternative-payments/README.md`), never from the client: where the two
//! disagree, the README wins.

mod account;
mod auth;
mod call;
mod capability;
mod control;
mod customers;
mod delivery;
mod external;
mod fees;
mod held;
mod inventory;
mod invoices;
mod lag;
mod life;
mod limits;
mod load;
mod money;
mod pages;
mod payments;
mod payouts;
mod pdf;
mod problem;
mod query;
mod random;
mod refunds;
mod requests;
mod route;
mod serve;
mod switches;
mod table;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tieout_kit::fake::json;
use tieout_kit::fake::world::World;
use tieout_kit::fake::{Chassis, ControlError, Fake, Faults};
use tieout_kit::transport::Transport;

use account::Account;
use capability::Capability;
use json::Json;
use limits::Window;

/// The service's name on the panel, and the kind of its credentials.
const SERVICE: &str = "alternative-payments";

/// What calls and notifications share.
pub(crate) struct Shared {
    account: Mutex<Account>,
    window: Mutex<Window>,
    views: Mutex<lag::Views>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) latency: Duration,
    pub(crate) wall_clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub(crate) transport: OnceLock<Option<Arc<dyn Transport>>>,
}

impl Shared {
    /// The account.
    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls of this second.
    pub(crate) fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What lists that lag show.
    pub(crate) fn views(&self) -> MutexGuard<'_, lag::Views> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The Alternative Payments sandbox.
pub struct AlternativePaymentsFake {
    shared: Arc<Shared>,
}

impl AlternativePaymentsFake {
    /// A sandbox that holds what began on the service. The same seed makes the same keys.
    pub fn new(chassis: Chassis, world: &World, seed: u64) -> Arc<Self> {
        let transport = OnceLock::new();
        if let Some(given) = chassis.outgoing {
            drop(transport.set(Some(given)));
        }
        let mut account = Account::new(chassis.clock, seed);
        load::load(&mut account, world);
        Arc::new(Self {
            shared: Arc::new(Shared {
                account: Mutex::new(account),
                window: Mutex::default(),
                views: Mutex::default(),
                faults: chassis.faults,
                latency: chassis.latency,
                wall_clock: chassis.wall_clock,
                transport,
            }),
        })
    }
}

#[async_trait]
impl Fake for AlternativePaymentsFake {
    fn service(&self) -> &'static str {
        SERVICE
    }

    fn router(self: Arc<Self>) -> axum::Router {
        serve::router(Arc::clone(&self.shared))
    }

    fn describe(&self, base: &str) -> Value {
        let mut account = self.shared.account();
        base.clone_into(&mut account.base);
        json!({
            "base_url": base,
            "environment": "demo",
            "capabilities": Capability::ALL.map(Capability::name),
            SERVICE: {
                "client_id": account.keys.client_id,
                "client_secret": account.keys.client_secret,
            },
        })
    }

    fn state(&self) -> Value {
        let mut account = self.shared.account();
        life::catch_up(&mut account);
        inventory::state(&account)
    }

    fn records(&self) -> Value {
        let mut account = self.shared.account();
        life::catch_up(&mut account);
        inventory::records(&account)
    }

    async fn control(&self, path: &[&str], body: Value) -> Result<Value, ControlError> {
        let answer = {
            let mut account = self.shared.account();
            let mut views = self.shared.views();
            views.remember(&account);
            let answer = control::control(&mut account, path, &Json::of(&body));
            views.remember(&account);
            answer
        };
        delivery::send_all(&self.shared);
        answer.map(|answer| answer.to_panel())
    }

    fn credential(&self, kind: &str, body: &Value) -> Option<Result<Value, ControlError>> {
        if kind != SERVICE {
            return None;
        }
        let answer = self.shared.account().keys.control(&Json::of(body));
        Some(answer.map(|answer| answer.to_panel()))
    }

    fn clock_moved(&self) {
        life::catch_up(&mut self.shared.account());
        delivery::send_all(&self.shared);
    }
}
