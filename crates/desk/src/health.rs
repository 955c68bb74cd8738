//! How a connection is: what runs, what stands where, what is stuck and what it is worth. What a glance at it
//! must tell.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::{Amount, ConnectionName, Currency, Money, State, Timestamp};
use tieout_engine::{InitialSync, initial_sync, initial_syncs, pending_initial_syncs};
use tieout_store::{
    Among, ConnectionStore, Entry, Fact, Pulses, RunRow, Stop, StopKind, Store, StoreError,
};

use crate::error::DeskError;
use crate::{exceptions, run};

/// How many runs are looked through for each flow's last success.
const RUNS: u32 = 60;
/// The same where many connections are looked at together.
const RUNS_OF_MANY: u32 = 30;

/// How a connection is.
#[derive(Debug, Clone)]
pub struct Health {
    /// What stops its remote writes, the oldest first.
    pub stops: Vec<Stop>,
    /// The latest runs, the latest first.
    pub runs: Vec<RunRow>,
    /// Whether one is on, in this or another process.
    pub running: bool,
    /// When each flow was last gone through to its end.
    pub last_successes: BTreeMap<String, Timestamp>,
    /// Each flow's population by state, in the order of [`State::ALL`].
    pub counts: BTreeMap<String, [u64; 8]>,
    /// How many records wait for a person.
    pub stuck: u64,
    /// What those are worth, by currency.
    pub at_stake: Vec<Money>,
    /// The tie-out that was signed last.
    pub signed: Option<Signed>,
    /// How far the initial sync is, where there is one: of receivables.
    pub initial: Option<InitialSync>,
}

/// A signed tie-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Of which period.
    pub period: String,
    /// In which currency.
    pub currency: String,
    /// What it came to.
    pub status: String,
    /// As what it was signed: `preparer`, `reviewer`.
    pub role: String,
    /// By whom.
    pub actor: String,
}

/// How a connection stands, in a word. The first that holds, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its links must be rebuilt before anything is written.
    Recovering,
    /// A person has paused it, or all.
    Paused,
    /// A run is on.
    Running,
    /// The last run failed.
    Failing,
    /// Its initial sync is not through.
    Pending,
    /// Records wait for a person.
    Exceptions,
    /// It has never run.
    New,
    /// Nothing is left to do.
    Agrees,
}

/// What a standing is told by.
#[derive(Debug, Clone, Copy, Default)]
struct Signs<'a> {
    recovering: bool,
    paused: bool,
    running: bool,
    /// How the last run that ended came out.
    last_end: Option<&'a str>,
    pending: bool,
    stuck: u64,
}

impl Signs<'_> {
    fn standing(self) -> Standing {
        if self.recovering {
            Standing::Recovering
        } else if self.paused {
            Standing::Paused
        } else if self.running {
            Standing::Running
        } else if self.last_end == Some("failed") {
            Standing::Failing
        } else if self.pending {
            Standing::Pending
        } else if self.stuck > 0 {
            Standing::Exceptions
        } else if self.last_end.is_none() {
            Standing::New
        } else {
            Standing::Agrees
        }
    }
}

impl Health {
    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let stopped = |kind| self.stops.iter().any(|stop| stop.kind == kind);
        let last = self.runs.iter().find(|run| run.ended.is_some());
        let signs = Signs {
            recovering: stopped(StopKind::Recovering),
            paused: stopped(StopKind::Paused),
            running: self.running,
            last_end: last.map(|run| run.status.as_str()),
            pending: self.initial.as_ref().is_some_and(InitialSync::is_pending),
            stuck: self.stuck,
        };
        signs.standing()
    }

    /// How many records are in each state, over all flows, in the order of [`State::ALL`].
    #[must_use]
    pub fn totals(&self) -> Vec<(State, u64)> {
        State::ALL
            .into_iter()
            .enumerate()
            .map(|(at, state)| (state, self.counts.values().map(|counts| counts[at]).sum()))
            .collect()
    }
}

/// Looks how a connection is.
///
/// # Errors
/// The store's.
pub async fn health(store: &ConnectionStore) -> Result<Health, DeskError> {
    let runs = store.runs(RUNS).await?;
    let causes = exceptions::causes(store, false).await?;
    Ok(Health {
        stops: store.stops().await?,
        running: is_running(store).await?,
        last_successes: run::last_successes(&runs),
        counts: store.counts().await?,
        stuck: causes.iter().map(exceptions::Cause::count).sum(),
        at_stake: sums(causes.iter().flat_map(exceptions::Cause::amounts)),
        signed: store.signatures().await?.pop().and_then(signed),
        initial: initial_sync(store).await?,
        runs,
    })
}

fn signed(entry: Entry) -> Option<Signed> {
    match entry.fact {
        Fact::Signed {
            period,
            currency,
            role,
            status,
            ..
        } => Some(Signed {
            period,
            currency,
            status,
            role,
            actor: entry.actor,
        }),
        _ => None,
    }
}

/// How each of many connections stands, and how much of it waits for a person: what a list of them is put in order by.
#[derive(Debug, Clone, Default)]
pub struct Glances {
    pulses: Pulses,
    stopped: BTreeSet<(StopKind, Option<ConnectionName>)>,
    pending: BTreeSet<ConnectionName>,
}

impl Glances {
    /// How this one stands.
    #[must_use]
    pub fn standing(&self, name: &ConnectionName) -> Standing {
        let stopped = |kind| {
            let one = (kind, Some(name.clone()));
            self.stopped.contains(&(kind, None)) || self.stopped.contains(&one)
        };
        let signs = Signs {
            recovering: stopped(StopKind::Recovering),
            paused: stopped(StopKind::Paused),
            running: self.pulses.running.contains(name),
            last_end: self.pulses.last_ends.get(name).map(String::as_str),
            pending: self.pending.contains(name),
            stuck: self.stuck(name),
        };
        signs.standing()
    }

    /// How many of its records wait for a person.
    #[must_use]
    pub fn stuck(&self, name: &ConnectionName) -> u64 {
        self.pulses.waiting.get(name).copied().unwrap_or_default()
    }
}

/// Looks how connections stand, all of them at once.
///
/// # Errors
/// The store's.
pub(crate) async fn glances(store: &Store, among: Among<'_>) -> Result<Glances, DeskError> {
    let pulses = store.pulses(among).await?;
    let stops = pulses.stops.iter();
    Ok(Glances {
        stopped: stops.map(|it| (it.kind, it.connection.clone())).collect(),
        pending: pending_initial_syncs(store).await?,
        pulses,
    })
}

/// Looks how each of these connections is, in as few questions as for one.
///
/// # Errors
/// The store's.
pub(crate) async fn healths(
    store: &Store,
    names: &[ConnectionName],
) -> Result<BTreeMap<ConnectionName, Health>, DeskError> {
    let only: BTreeSet<ConnectionName> = names.iter().cloned().collect();
    let among = Among::These(&only);
    let pulses = store.pulses(among).await?;
    let mut runs = store.runs_of(names, RUNS_OF_MANY).await?;
    let mut groups = store.exceptions_of(among, false).await?;
    let mut counts = store.counts_of(names).await?;
    let mut signatures = store.last_signatures_of(names).await?;
    let mut initials = initial_syncs(store, names).await?;
    let health = |name: ConnectionName| {
        let runs = runs.remove(&name).unwrap_or_default();
        let groups = groups.remove(&name).unwrap_or_default();
        let stops = pulses.stops.iter();
        let stops = stops.filter(|it| it.connection.as_ref().is_none_or(|of| *of == name));
        let health = Health {
            stops: stops.cloned().collect(),
            running: pulses.running.contains(&name),
            last_successes: run::last_successes(&runs),
            counts: counts.remove(&name).unwrap_or_default(),
            stuck: groups.iter().map(|group| group.count).sum(),
            at_stake: sums(groups.into_iter().flat_map(|group| group.amounts)),
            signed: signatures.remove(&name).and_then(signed),
            initial: initials.remove(&name),
            runs,
        };
        (name, health)
    };
    Ok(only.iter().cloned().map(health).collect())
}

/// Whether a run holds the connection now, in whichever process.
///
/// # Errors
/// The store's.
pub async fn is_running(store: &ConnectionStore) -> Result<bool, DeskError> {
    let holder = store.lease_holder().await?;
    Ok(matches!(
        holder,
        Some(StoreError::Held { run: Some(_), .. })
    ))
}

/// The sums by currency.
pub fn sums(amounts: impl IntoIterator<Item = Money>) -> Vec<Money> {
    let mut sums: BTreeMap<Currency, Amount> = BTreeMap::new();
    for money in amounts {
        let sum = sums.entry(money.currency).or_insert(Amount::ZERO);
        *sum = [*sum, money.amount].into_iter().sum();
    }
    sums.into_iter()
        .map(|(currency, amount)| amount.of(currency))
        .collect()
}
