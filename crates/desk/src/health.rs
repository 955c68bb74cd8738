//! How a connection is: what runs, what stands where, what is stuck and what it is worth. What a glance at it
//! must tell.

use std::collections::BTreeMap;

use tieout_domain::{Amount, Currency, Money, State, Timestamp};
use tieout_engine::{InitialSync, initial_sync};
use tieout_store::{ConnectionStore, Fact, RunRow, Stop, StopKind, StoreError};

use crate::error::DeskError;
use crate::{exceptions, run};

/// How many runs are looked through for each flow's last success.
const RUNS: u32 = 60;

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

impl Health {
    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let stopped = |kind| self.stops.iter().any(|stop| stop.kind == kind);
        let last = self.runs.iter().find(|run| run.ended.is_some());
        if stopped(StopKind::Recovering) {
            Standing::Recovering
        } else if stopped(StopKind::Paused) {
            Standing::Paused
        } else if self.running {
            Standing::Running
        } else if last.is_some_and(|run| run.status == "failed") {
            Standing::Failing
        } else if self.initial.as_ref().is_some_and(InitialSync::is_pending) {
            Standing::Pending
        } else if self.stuck > 0 {
            Standing::Exceptions
        } else if last.is_none() {
            Standing::New
        } else {
            Standing::Agrees
        }
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
    let signed = store.signatures().await?.pop();
    Ok(Health {
        stops: store.stops().await?,
        running: is_running(store).await?,
        last_successes: run::last_successes(&runs),
        counts: store.counts().await?,
        stuck: causes.iter().map(exceptions::Cause::count).sum(),
        at_stake: sums(causes.iter().flat_map(exceptions::Cause::amounts)),
        signed: signed.and_then(|entry| match entry.fact {
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
        }),
        initial: initial_sync(store).await?,
        runs,
    })
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
