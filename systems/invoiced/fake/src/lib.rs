//! The Invoiced sandbox: customers, invoices, payments and their quirks.
//!
//! Written from the system's README (`systems/invoiced/README.md`), never from the client: where the two disagree,
//! the README wins.

mod account;
mod adjustments;
mod applications;
mod auth;
mod body;
mod call;
mod catalog;
mod charges;
mod control;
mod customers;
mod delivery;
mod documents;
mod events;
mod files;
mod inventory;
mod issuing;
mod kind;
mod lag;
mod life;
mod list;
mod load;
mod money;
mod notes;
mod outbound;
mod pages;
mod payments;
mod problem;
mod query;
mod random;
mod route;
mod serve;
mod shape;
mod show;
mod switches;
mod table;
mod totals;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tieout_kit::fake::json;
use tieout_kit::fake::world::World;
use tieout_kit::fake::{Chassis, ControlError, Fake, Faults};
use tieout_kit::transport::Transport;

use account::Account;
use json::Json;
use pages::Pages;
use serve::{Minute, Repeats};

/// What calls and notifications share.
pub(crate) struct Shared {
    account: Mutex<Account>,
    pub(crate) pages: Mutex<Pages>,
    repeats: Mutex<Repeats>,
    minute: Mutex<Minute>,
    views: Mutex<lag::Views>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) latency: Duration,
    pub(crate) transport: OnceLock<Option<Arc<dyn Transport>>>,
}

impl Shared {
    /// The account.
    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers that are repeated for the same idempotency key.
    pub(crate) fn repeats(&self) -> MutexGuard<'_, Repeats> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls of this minute.
    pub(crate) fn minute(&self) -> MutexGuard<'_, Minute> {
        self.minute.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What lists that lag show.
    pub(crate) fn views(&self) -> MutexGuard<'_, lag::Views> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The Invoiced sandbox.
pub struct InvoicedFake {
    shared: Arc<Shared>,
}

impl InvoicedFake {
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
                pages: Mutex::default(),
                repeats: Mutex::default(),
                minute: Mutex::default(),
                views: Mutex::default(),
                faults: chassis.faults,
                latency: chassis.latency,
                transport,
            }),
        })
    }

    /// An OAuth 2.0 token, which is as good as the key.
    #[must_use]
    pub fn access_token(&self) -> String {
        self.shared.account().keys.access_token.clone()
    }
}

#[async_trait]
impl Fake for InvoicedFake {
    fn service(&self) -> &'static str {
        "invoiced"
    }

    fn router(self: Arc<Self>) -> axum::Router {
        serve::router(Arc::clone(&self.shared))
    }

    fn describe(&self, base: &str) -> Value {
        let mut account = self.shared.account();
        base.clone_into(&mut account.webhooks.base);
        json!({
            "base_url": base,
            "invoiced": { "api_key": account.keys.api_key },
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
        if kind != "invoiced" {
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
