//! The other sides' evidence that the store is older than what was done (scenario 225).
//!
//! Every key is journaled before it is sent. So a record that bears a key or mark of this connection which the
//! history has never intended tells that the history lacks a part: the store was restored or lost, or a second
//! installation writes to the same accounts. It is looked for in what a pull has just read, at no call more.
//!
//! A record that had been seen with that key before has been judged before. And a copy that a person made of a
//! bill leads to a record that the history knows: it is no evidence.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;

use tieout_domain::port::Observed;
use tieout_domain::{Kind, RecordRef, RemoteId, Side};
use tieout_flows::trace::origins;
use tieout_store::{Commit, Fact, StopKind};

use crate::EngineError;
use crate::run::Run;

/// A record that has changed and bears a key or mark of this connection.
pub(crate) struct Trace {
    record: RecordRef,
    label: String,
    origins: Vec<RecordRef>,
    /// Whether the mirror had it before.
    seen_before: bool,
}

impl Trace {
    /// The trace that a record bears, if it does.
    pub(crate) fn of(
        run: &Run<'_>,
        side: Side,
        observed: &Observed,
        seen_before: bool,
    ) -> Option<Self> {
        let origins = origins(&run.facts, side, &observed.document);
        (!origins.is_empty()).then(|| Self {
            record: RecordRef::new(side, observed.document.kind(), observed.id.clone()),
            label: observed.document.label(),
            origins,
            seen_before,
        })
    }
}

/// Puts the connection into recovery if one of these bears a key that the history has never intended.
pub(crate) async fn notice_unknown(
    run: &Run<'_>,
    traces: Vec<Trace>,
    commit: &mut Commit,
) -> Result<(), EngineError> {
    if traces.is_empty() || run.evidence_given.load(Ordering::Relaxed) {
        return Ok(());
    }
    let store = &run.connection.store;
    let origins: Vec<RecordRef> = traces
        .iter()
        .flat_map(|trace| trace.origins.clone())
        .collect();
    let traced = store.traced(&origins).await?;
    let unknown: Vec<Trace> = traces
        .into_iter()
        .filter(|trace| !trace.origins.iter().any(|origin| traced.contains(origin)))
        .collect();
    let new = not_seen_so(run, unknown).await?;
    let Some(first) = new.first() else {
        return Ok(());
    };
    run.evidence_given.store(true, Ordering::Relaxed);
    let stops = store.stops().await?;
    if stops.iter().any(|stop| stop.kind == StopKind::Recovering) {
        return Ok(());
    }
    let system = run.connection.sides.of(first.record.side).system;
    let others = match new.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let cause = format!(
        "{} {} ({}) of {system} bears a key of this connection that its history has never given{others}: the \
         store was restored or lost, or another installation writes to the same accounts",
        first.record.kind, first.label, first.record.id
    );
    commit.facts.push(Fact::RecoveryNeeded { cause });
    Ok(())
}

/// Without those that had been seen with the same key before.
async fn not_seen_so(run: &Run<'_>, traces: Vec<Trace>) -> Result<Vec<Trace>, EngineError> {
    let mut asked: BTreeMap<(Side, Kind), Vec<RemoteId>> = BTreeMap::new();
    for trace in traces.iter().filter(|trace| trace.seen_before) {
        let place = (trace.record.side, trace.record.kind);
        asked
            .entry(place)
            .or_default()
            .push(trace.record.id.clone());
    }
    let mut before = HashMap::new();
    for ((side, kind), ids) in asked {
        for (id, mirrored) in run.connection.store.records(side, kind, &ids).await? {
            let bore = origins(&run.facts, side, &mirrored.observed.document);
            before.insert(RecordRef::new(side, kind, id), bore);
        }
    }
    Ok(traces
        .into_iter()
        .filter(|trace| before.get(&trace.record) != Some(&trace.origins))
        .collect())
}
