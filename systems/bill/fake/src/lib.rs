//! The BILL sandbox: sessions, limits, bulk calls, payments that move with time.
//!
//! Written from the system's README (`systems/bill/README.md`), never from the client: where the two
//! disagree, the README wins. It serves the v3 REST API under `/connect` and webhooks under
//! `/connect-events`.

mod approvals;
mod auth;
mod bills;
mod classifications;
mod coding;
mod control;
mod credits;
mod delivery;
mod documents;
mod figures;
mod funding;
mod ids;
mod inventory;
mod lag;
mod life;
mod limits;
mod list;
mod load;
mod money;
mod organization;
mod organizations;
mod payment_status;
mod payments;
mod problem;
mod receivables;
mod record;
mod route;
mod serve;
mod settings;
mod shape;
mod state;
mod table;
mod vendors;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tieout_kit::fake::json;
use tieout_kit::fake::world::World;
use tieout_kit::fake::{Chassis, ControlError, Fake, Faults};
use tieout_kit::transport::Transport;

pub use auth::MFA_CODE;
use json::Json;
use limits::InFlight;
use organization::Organization;

/// How the sandbox behaves where the service's own behaviour differs by account, or isn't documented.
#[derive(Clone)]
pub struct Options {
    /// Identifiers, keys and passwords come from it.
    pub seed: u64,
    /// Behave like production: payments need a trusted session (README §MFA).
    pub production: bool,
    /// Lists show archived records unless a filter says otherwise. Not documented; on by default.
    pub archived_in_lists: bool,
    /// Refuse a second bill of a vendor with the same invoice number (BDC_1171). Not documented for
    /// bills; off by default.
    pub unique_invoice_numbers: bool,
    /// A bill's `updatedTime` follows its payments. Not documented; on by default.
    pub payment_touches_bill: bool,
    /// Fill `last4CardNumber` with a whole (invented) card number, to see that a client cuts it.
    pub long_card_numbers: bool,
    /// Send notifications as a JSON string that holds the JSON, as the guide shows them.
    pub escaped_webhooks: bool,
    /// Calls at a time per developer key.
    pub concurrency: u32,
    /// Calls per clock hour and developer key.
    pub calls_per_hour: u32,
    /// Sign-ins per clock hour and developer key.
    pub logins_per_hour: u32,
    /// How long a void waits to be decided.
    pub void_delay: SignedDuration,
    /// What a second is when an unanswered notification waits for its next attempt.
    pub retry_unit: Duration,
    /// What carries notifications; the network by default.
    pub transport: Option<Arc<dyn Transport>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            production: false,
            archived_in_lists: true,
            unique_invoice_numbers: false,
            payment_touches_bill: true,
            long_card_numbers: false,
            escaped_webhooks: false,
            concurrency: 3,
            calls_per_hour: 20_000,
            logins_per_hour: 200,
            void_delay: SignedDuration::from_secs(5),
            retry_unit: Duration::from_secs(1),
            transport: None,
        }
    }
}

/// What calls and notifications share.
pub(crate) struct Shared {
    organization: Mutex<Organization>,
    /// Those beside the first, which has the caps of the developer key.
    pub(crate) others: organizations::Others,
    pub(crate) faults: Arc<Faults>,
    pub(crate) transport: OnceLock<Option<Arc<dyn Transport>>>,
    pub(crate) in_flight: InFlight,
    pub(crate) latency: Duration,
    pub(crate) views: Mutex<lag::Views>,
}

impl Shared {
    /// The organization, as of now: what is due has happened.
    pub(crate) fn organization(&self) -> MutexGuard<'_, Organization> {
        let mut organization = self
            .organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        life::catch_up(&mut organization);
        self.views().remember(&organization);
        organization
    }

    /// What lists that lag show.
    pub(crate) fn views(&self) -> MutexGuard<'_, lag::Views> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// BILL's days are days of US Pacific time, wherever the company is (scenario 135).
fn pacific() -> TimeZone {
    TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC)
}

/// The BILL sandbox.
pub struct BillFake {
    shared: Arc<Shared>,
}

impl BillFake {
    /// A sandbox that holds what the world says the platform holds.
    pub fn new(chassis: Chassis, world: &World, options: Options) -> Arc<Self> {
        let transport = OnceLock::new();
        if let Some(given) = &options.transport {
            drop(transport.set(Some(Arc::clone(given))));
        }
        let mut organization = Organization::new(Arc::clone(&chassis.clock), pacific(), options);
        load::load(&mut organization, world);
        Arc::new(Self {
            shared: Arc::new(Shared {
                organization: Mutex::new(organization),
                others: organizations::Others::default(),
                faults: chassis.faults,
                transport,
                in_flight: InFlight::default(),
                latency: chassis.latency,
                views: Mutex::default(),
            }),
        })
    }

    /// The name and value of the sync token, which signs in like a user and may not pay.
    #[must_use]
    pub fn sync_token(&self) -> (String, String) {
        let org = self.shared.organization();
        (
            org.auth.sync_token.name.clone(),
            org.auth.sync_token.value.clone(),
        )
    }
}

#[async_trait]
impl Fake for BillFake {
    fn service(&self) -> &'static str {
        "bill"
    }

    fn router(self: Arc<Self>) -> axum::Router {
        serve::router(Arc::clone(&self.shared))
    }

    fn describe(&self, base: &str) -> Value {
        let org = self.shared.organization();
        json!({
            "base_url": format!("{base}/connect"),
            "events_url": format!("{base}/connect-events"),
            "organization": org.id(),
            "bill": {
                "dev_key": org.auth.dev_key,
                "username": org.auth.user.name,
                "password": org.auth.user.value,
            },
        })
    }

    fn state(&self) -> Value {
        let mut state = state::state(&self.shared.organization());
        let others = self.shared.others.state();
        if !others.is_empty() {
            state["organizations"] = others.into();
        }
        state
    }

    fn records(&self) -> Value {
        let mut records = inventory::records(&self.shared.organization());
        let others = self.shared.others.records();
        if others.as_object().is_some_and(|others| !others.is_empty()) {
            records["organizations"] = others;
        }
        records
    }

    async fn control(&self, path: &[&str], body: Value) -> Result<Value, ControlError> {
        if path == ["organizations"] {
            let mut first = self.shared.organization();
            return self.shared.others.control(&mut first, &body);
        }
        let named = body.get("organization").and_then(Value::as_str);
        if let Some(at) = named.and_then(|id| self.shared.others.named(id)) {
            let body = Json::of(&body);
            let acted = self
                .shared
                .others
                .at(at, |org| control::control(org, path, &body));
            let gone = || Err(ControlError::missing("bill: the organization is gone"));
            return acted.unwrap_or_else(gone).map(|answer| answer.to_panel());
        }
        let answer = {
            let mut org = self.shared.organization();
            let answer = control::control(&mut org, path, &Json::of(&body));
            self.shared.views().remember(&org);
            answer
        };
        delivery::send_all(&self.shared);
        answer.map(|answer| answer.to_panel())
    }

    fn credential(&self, kind: &str, body: &Value) -> Option<Result<Value, ControlError>> {
        if kind != "bill" {
            return None;
        }
        let answer = self.shared.organization().auth.control(&Json::of(body));
        Some(answer.map(|answer| answer.to_panel()))
    }

    fn clock_moved(&self) {
        drop(self.shared.organization());
        delivery::send_all(&self.shared);
    }
}
