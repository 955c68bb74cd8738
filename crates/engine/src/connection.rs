//! A connection: two sides, the flows between them, and the memory of what was done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::tz::TimeZone;
use tieout_domain::port::{Action, Ports, Read, Write};
use tieout_domain::{Currency, Fingerprint, Holding, Kind, Side, Timer, Timestamp};
use tieout_flows::{Flow, Preferences};
use tieout_store::ConnectionStore;

use crate::{EngineError, Progress, Sent};

/// The two sides.
#[derive(Clone)]
pub struct Sides {
    /// The books.
    pub ledger: Ports,
    /// The platform.
    pub platform: Ports,
}

impl Sides {
    /// One of the two.
    #[must_use]
    pub fn of(&self, side: Side) -> &Ports {
        match side {
            Side::Ledger => &self.ledger,
            Side::Platform => &self.platform,
        }
    }

    /// The reader of a kind, if that side has one.
    #[must_use]
    pub fn reader(&self, side: Side, kind: Kind) -> Option<&Arc<dyn Read>> {
        self.of(side).read.get(&kind)
    }

    /// The writer of a kind, if that side has one.
    #[must_use]
    pub fn writer(&self, side: Side, kind: Kind) -> Option<&Arc<dyn Write>> {
        self.of(side).write.get(&kind)
    }

    /// Tells both that a run begins.
    pub(crate) fn run_begins(&self) {
        self.ledger.whole.run_begins();
        self.platform.whole.run_begins();
    }

    /// A fault of a side as an error.
    #[must_use]
    pub fn failed(&self, side: Side, fault: tieout_domain::Fault) -> EngineError {
        EngineError::Side {
            side,
            system: self.of(side).system.as_str(),
            fault,
        }
    }
}

/// Everything that a run of one connection works with.
pub struct Connection {
    /// The two sides.
    pub sides: Sides,
    /// The flows, in the order in which they depend on each other.
    pub flows: Vec<Arc<dyn Flow>>,
    /// The preferences.
    pub preferences: Preferences,
    /// The currency of the platform's organization.
    pub home_currency: Currency,
    /// The company's time zone: decides what day it is.
    pub time_zone: TimeZone,
    /// The memory.
    pub store: ConnectionStore,
    /// Time.
    pub timer: Arc<dyn Timer>,
    /// Until when requests may be sent: both sides' transports look at it, the engine keeps it in step with
    /// its lease.
    pub holding: Arc<Holding>,
    /// Where progress is shown.
    pub progress: Arc<dyn Progress>,
    /// What each system was sent so far, by its name.
    pub sent: Arc<dyn Fn() -> BTreeMap<String, Sent> + Send + Sync>,
    /// How many requests a system allows in an hour, by its name, where it limits them so.
    pub allowances: BTreeMap<String, u64>,
    /// Gives back what this process holds of limits that it shares with others: called when a run has ended.
    pub at_rest: Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
    /// Who is running: written into the history and the lease.
    pub actor: String,
    /// Names this process among those that may hold the connection.
    pub holder: String,
}

impl Connection {
    /// A side's own time at a moment of our uptime; our own clock's time now, as long as that side has not
    /// answered yet.
    pub(crate) fn time_there(&self, side: Side, uptime: Duration) -> Timestamp {
        let there = self.sides.of(side).whole.time_at(uptime);
        there.unwrap_or_else(|| self.timer.now())
    }

    /// The flow of this name.
    #[must_use]
    pub fn flow(&self, name: &str) -> Option<&dyn Flow> {
        self.flows
            .iter()
            .find(|flow| flow.name() == name)
            .map(AsRef::as_ref)
    }

    /// The same, to be taken along.
    pub(crate) fn shared_flow(&self, name: &str) -> Option<&Arc<dyn Flow>> {
        self.flows.iter().find(|flow| flow.name() == name)
    }

    /// What the flows decide by, besides the records: when it changes, all decisions are due again.
    #[must_use]
    pub(crate) fn rules(&self) -> Fingerprint {
        let zone = self.time_zone.iana_name().unwrap_or_default();
        let sides = [&self.sides.ledger, &self.sides.platform]
            .map(|side| (&side.account, side.subsidiary.as_ref()));
        let version = env!("CARGO_PKG_VERSION");
        let platform = (self.sides.platform.ways, self.lacks());
        let decided_by = (version, &self.preferences, self.home_currency, zone);
        Fingerprint::of(&(decided_by, sides, platform))
    }

    /// What can't be done to the platform's records: by the platform, or for want of the ledger's files.
    fn lacks(&self) -> BTreeSet<(Kind, Action)> {
        let mut lacks = self.sides.platform.lacks();
        if self.sides.ledger.files.is_none() {
            for kind in [Kind::InvoicePdf, Kind::Attachment] {
                lacks.extend(Action::ALL.map(|action| (kind, action)));
            }
        }
        lacks
    }

    /// What a flow may look at, with nothing loaded yet.
    #[must_use]
    pub(crate) fn facts(&self) -> tieout_flows::Connection {
        tieout_flows::Connection {
            ledger_prefix: self.sides.ledger.key_prefix,
            ledger_account: self.sides.ledger.account.clone(),
            platform_prefix: self.sides.platform.key_prefix,
            platform_account: self.sides.platform.account.clone(),
            subsidiary: self.sides.ledger.subsidiary.clone(),
            home_currency: self.home_currency,
            today: self.timer.now().to_zoned(self.time_zone.clone()).date(),
            ways: self.sides.platform.ways,
            lacks: self.lacks(),
        }
    }
}
