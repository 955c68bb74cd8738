//! Recovery: the links are rebuilt from both sides after the store was lost or put back from a backup
//! (scenarios 225–227).
//!
//! It is one more mode of a run, not a second engine. Both sides are read whole, and the flows decide as ever;
//! what they know again is linked, and what they would write waits, because the store refuses every attempt
//! while the connection is in recovery. So it can be killed anywhere and made again. At its end it is shown
//! what was linked and by what, what waits for a person, and what the next run would write; a person who has
//! seen that [releases](release) the connection.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tieout_domain::{Amount, Document, Kind, Money, RecordRef, RemoteId};
use tieout_store::{
    Commit, ConnectionStore, ExceptionGroup, Fact, Link, MapStatus, Stop, StopKind,
};

use crate::Connection;
use crate::error::EngineError;
use crate::options::{Rebuild, RunOptions};
use crate::plan::Plan;
use crate::report::{KILLED, RunReport, RunStatus};
use crate::run::{Run, conduct};

/// What sets off the runs that recover.
const TRIGGER: &str = "recovery";

/// How many links are taken out of the store at once.
const PAGE: u32 = 500;

/// How far back a finished recovery is looked for.
const RUNS_BACK: u32 = 1000;

/// How long a release may hold the connection.
const LEASE: Duration = Duration::from_secs(60);

/// What a recovery has found. Its JSON is what `tieout recover --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recovery {
    /// The run.
    #[serde(flatten)]
    pub report: RunReport,
    /// What was linked since the recovery began, by flow and evidence.
    pub linked: Vec<Relinked>,
    /// Those of the linked bills and credits on which money has moved already.
    pub paid: Vec<PaidLink>,
    /// How many mappings are proposed and not confirmed.
    pub proposed_mappings: u64,
    /// What a person must decide: proposals first, then what could be several.
    pub waiting: Vec<ExceptionGroup>,
    /// What the next run would write; `None` if another's run was waited for.
    pub plan: Option<Plan>,
}

/// How many links were found by one kind of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relinked {
    /// Which flow.
    pub flow: String,
    /// By what: `marker`, `external id`, `number and amount`, …
    pub how: String,
    /// How strong that is.
    pub tier: Tier,
    /// How many.
    pub count: u64,
}

/// How sure a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// tieout's own mark or key.
    Exact,
    /// Several things that agree, and only one record in which they do.
    Strong,
    /// A person said so.
    Person,
}

impl Tier {
    fn of(how: &str) -> Self {
        match how {
            "number and amount" | "name and two strong keys" | "vendor, amount and bills" => {
                Self::Strong
            }
            "a person's choice" => Self::Person,
            _ => Self::Exact,
        }
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Strong => "strong",
            Self::Person => "person",
        }
    }
}

/// A linked document on which money has moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaidLink {
    /// The ledger's document.
    pub record: RecordRef,
    /// The platform's.
    pub target: RecordRef,
    /// What people call it there.
    pub label: String,
    /// What is paid, scheduled or used of it there.
    pub paid: Money,
    /// Of how much.
    pub total: Money,
}

/// Rebuilds the links of a connection from both sides, writing nothing to either. The connection is in recovery
/// from then on, if it wasn't before, until it is [released](release).
///
/// # Errors
/// [`EngineError`] when the run could not be made at all; what could not be read is in its report.
pub async fn recover(
    connection: &Connection,
    id: impl Into<String>,
    why: Rebuild,
) -> Result<Recovery, EngineError> {
    let options = RunOptions {
        whole: true,
        recovers: Some(why),
        ..RunOptions::new(id, TRIGGER)
    };
    let (report, plan) = Box::pin(conduct(connection, &options)).await?;
    let store = &connection.store;
    let began = recovering(store).await?.map_or(0, |stop| stop.seq);
    let mut counts: BTreeMap<(usize, String), u64> = BTreeMap::new();
    let mut paid = Vec::new();
    for (place, flow) in connection.flows.iter().enumerate() {
        let mut after: Option<Link> = None;
        loop {
            let from = after
                .as_ref()
                .map(|link| (&link.record, link.role.as_str()));
            let page = store.links_page(flow.name(), from, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            let found: Vec<Link> = page.into_iter().filter(|link| link.seq > began).collect();
            for link in &found {
                *counts.entry((place, link.how.clone())).or_default() += 1;
            }
            paid.extend(paid_of(store, found).await?);
        }
    }
    let linked = counts.into_iter().map(|((place, how), count)| Relinked {
        flow: connection.flows[place].name().to_owned(),
        tier: Tier::of(&how),
        how,
        count,
    });
    let maps = store.maps().await?;
    let suggested = maps.iter().filter(|map| map.status == MapStatus::Suggested);
    Ok(Recovery {
        linked: linked.collect(),
        paid,
        proposed_mappings: suggested.count() as u64,
        waiting: store.exceptions(false).await?,
        plan,
        report,
    })
}

/// Ends a recovery: writes are possible from then on. Gives the stop that was lifted; `None` if the connection
/// was in no recovery.
///
/// # Errors
/// [`EngineError::RecoveryUnfinished`] while no run has rebuilt the links since the recovery began, and
/// [`EngineError::Busy`] while a run is under way.
pub async fn release(connection: &Connection, reason: &str) -> Result<Option<Stop>, EngineError> {
    let store = &connection.store;
    if recovering(store).await?.is_none() {
        return Ok(None);
    }
    let lease = store
        .lease(&connection.holder, LEASE)
        .await
        .map_err(|error| match error {
            tieout_store::StoreError::Held { by, .. } => EngineError::Busy(format!(
                "{by} is running this connection; wait until it has ended"
            )),
            other => other.into(),
        })?;
    let released = release_under(connection, lease.fence, reason).await;
    lease.release().await?;
    released
}

async fn release_under(
    connection: &Connection,
    fence: u64,
    reason: &str,
) -> Result<Option<Stop>, EngineError> {
    let store = &connection.store;
    // With the lease comes the look at the witness: a store that was put back once more has to be recovered once more.
    let Some(stop) = recovering(store).await? else {
        return Ok(None);
    };
    let runs = store.runs(RUNS_BACK).await?;
    let tries: Vec<_> = runs
        .iter()
        .filter(|run| run.trigger == TRIGGER && run.started >= stop.at && run.ended.is_some())
        .collect();
    let came_to_its_end = |status: &str| ![RunStatus::Failed.as_str(), KILLED].contains(&status);
    if !tries.iter().any(|run| came_to_its_end(&run.status)) {
        // One record that can't be read is enough: it may be the copy that would be made again.
        let why = tries
            .iter()
            .map(|run| &run.cause)
            .find(|why| !why.is_empty());
        let why = why.map_or_else(String::new, |why| format!("; the last try failed: {why}"));
        return Err(EngineError::RecoveryUnfinished(format!(
            "{} has not been recovered since {:.0}: its links must be rebuilt before anything is written{why}",
            store.name(),
            stop.at
        )));
    }
    store
        .commit(Commit {
            fence: Some(fence),
            actor: connection.actor.clone(),
            facts: vec![Fact::Released {
                reason: reason.to_owned(),
            }],
            ..Commit::default()
        })
        .await?;
    Ok(Some(stop))
}

async fn recovering(store: &ConnectionStore) -> Result<Option<Stop>, EngineError> {
    let stops = store.stops().await?;
    Ok(stops
        .into_iter()
        .find(|stop| stop.kind == StopKind::Recovering))
}

impl Run<'_> {
    /// Puts the connection into recovery, if it isn't yet.
    pub(crate) async fn begin_recovery(&self) -> Result<(), EngineError> {
        if recovering(&self.connection.store).await?.is_some() {
            return Ok(());
        }
        let cause = format!("{} asked for it", self.connection.actor);
        self.say(Fact::RecoveryNeeded { cause }).await
    }
}

/// Those of these links whose target money has moved on.
async fn paid_of(store: &ConnectionStore, links: Vec<Link>) -> Result<Vec<PaidLink>, EngineError> {
    let mut targets: BTreeMap<_, Vec<RemoteId>> = BTreeMap::new();
    for link in &links {
        if matches!(
            link.target.kind,
            Kind::Bill | Kind::VendorCredit | Kind::Invoice | Kind::CreditMemo
        ) {
            let place = (link.target.side, link.target.kind);
            targets
                .entry(place)
                .or_default()
                .push(link.target.id.clone());
        }
    }
    let mut paid = Vec::new();
    for ((side, kind), ids) in targets {
        let found = store.records(side, kind, &ids).await?;
        for link in &links {
            let target = &link.target;
            if (target.side, target.kind) != (side, kind) {
                continue;
            }
            let Some(document) = found.get(&target.id).map(|seen| &seen.observed.document) else {
                continue;
            };
            let used = used(document);
            if let (Some(total), Some(used)) = (document.amount(), used)
                && !used.is_zero()
            {
                paid.push(PaidLink {
                    record: link.record.clone(),
                    target: target.clone(),
                    label: document.label(),
                    paid: used.of(total.currency),
                    total,
                });
            }
        }
    }
    Ok(paid)
}

/// What of a bill is paid or scheduled, of a credit used.
fn used(document: &Document) -> Option<Amount> {
    match document {
        Document::Bill(bill) => {
            let used = bill.total.minus(bill.open).ok()?;
            Some(if used.is_zero() { bill.scheduled } else { used })
        }
        Document::VendorCredit(credit) => credit.total.minus(credit.open).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_agrees_by_content_is_no_exact_evidence() {
        assert_eq!(Tier::of("marker"), Tier::Exact);
        assert_eq!(Tier::of("number and amount"), Tier::Strong);
        assert_eq!(Tier::of("a person's choice"), Tier::Person);
    }
}
