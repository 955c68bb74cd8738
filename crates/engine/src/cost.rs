//! What a run costs: calls, of those that a service allows in an hour, and time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tieout_domain::port::Action;
use tieout_domain::{Kind, Side};
use tieout_flows::Flow;

use crate::plan::PlannedStep;
use crate::run::Run;
use crate::to_read::to_read;
use crate::{Connection, EngineError};

/// Under this name the store remembers how long a call to each system took in the last run.
const PACE: &str = "pace of calls";

/// So many calls of a run tell how long a call takes; fewer are mostly sign-ins.
const TELLING: u64 = 5;

/// What a system was sent so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many requests.
    pub calls: u64,
    /// How long their answers took, one after the other.
    pub took: Duration,
}

impl Sent {
    /// What was sent since this was.
    #[must_use]
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(before.calls),
            took: self.took.saturating_sub(before.took),
        }
    }
}

/// What a sync of a plan takes, at least: looking at both sides for changes, the writes in the largest bulk calls, and
/// reading them back. What is refused, answered late or changed meanwhile comes on top of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// How many calls, by system.
    pub calls: BTreeMap<String, u64>,
    /// How many calls a system allows in an hour, by system; nothing of those that don't limit them so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub allowances: BTreeMap<String, u64>,
    /// For how many seconds, from what is allowed at once and in an hour, and how long calls took in the last run. Nothing
    /// while no run has told that yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// The calls that each system was sent since `before`.
pub(crate) fn sent_since(
    connection: &Connection,
    before: &BTreeMap<String, Sent>,
) -> BTreeMap<String, Sent> {
    let now = (connection.sent)();
    let since = |(system, sent): (String, Sent)| {
        let before = before.get(&system).copied().unwrap_or_default();
        (system, sent.since(before))
    };
    now.into_iter().map(since).collect()
}

/// What is to be remembered of how long calls took.
pub(crate) async fn pace(
    connection: &Connection,
    sent: &BTreeMap<String, Sent>,
) -> Result<Option<(String, String)>, EngineError> {
    let before = remembered(connection).await?;
    let mut pace = before.clone();
    for (system, sent) in sent.iter().filter(|(_, sent)| sent.calls >= TELLING) {
        let each = sent.took.as_millis() / u128::from(sent.calls);
        pace.insert(system.clone(), u64::try_from(each).unwrap_or(u64::MAX));
    }
    let text = serde_json::to_string(&pace).unwrap_or_default();
    Ok((pace != before).then(|| (PACE.to_owned(), text)))
}

/// How many milliseconds a call to each system took in the last run that told.
async fn remembered(connection: &Connection) -> Result<BTreeMap<String, u64>, EngineError> {
    let text = connection.store.remembered(PACE).await?;
    let pace = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(pace.unwrap_or_default())
}

impl Run<'_> {
    /// What a sync that does these steps takes, at least.
    pub(crate) async fn cost(
        &self,
        flows: &[&dyn Flow],
        steps: &[PlannedStep],
    ) -> Result<Cost, EngineError> {
        let connection = self.connection;
        let sides = &connection.sides;
        let pace = remembered(connection).await?;
        let mut cost = Cost {
            allowances: connection.allowances.clone(),
            ..Cost::default()
        };
        let mut seconds = Some(0);
        for side in [Side::Ledger, Side::Platform] {
            let ports = sides.of(side);
            let kinds = to_read(flows).into_iter();
            let read = kinds.filter(|(of, kind)| *of == side && ports.read.contains_key(kind));
            let calls = read.count() as u64 + writes(connection, side, steps);
            let system = ports.system.as_str().to_owned();
            let allowed = connection.allowances.get(&system).copied();
            let at_once = ports.in_flight_max.max(1) as u64;
            let takes = pace.get(&system).map(|each| {
                let busy = calls.saturating_mul(*each) / at_once / 1000;
                busy.max(hours(calls, allowed) * 3600)
            });
            seconds = seconds
                .zip(takes)
                .map(|(so_far, of_this)| so_far.max(of_this));
            cost.calls.insert(system, calls);
        }
        cost.seconds = seconds;
        Ok(cost)
    }
}

/// How many whole hours must pass before the last of so many calls may be made.
fn hours(calls: u64, allowed: Option<u64>) -> u64 {
    let allowed = allowed.filter(|allowed| *allowed > 0);
    allowed.map_or(0, |allowed| calls.saturating_sub(1) / allowed)
}

/// The calls that write these steps on one side and read them back.
fn writes(connection: &Connection, side: Side, steps: &[PlannedStep]) -> u64 {
    let mut counts: BTreeMap<(Kind, Action), u64> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.side == side) {
        // What is there already is linked without a call.
        let action = Action::ALL
            .into_iter()
            .find(|it| it.as_str() == step.action);
        if let Some(action) = action {
            *counts.entry((step.kind, action)).or_default() += 1;
        }
    }
    let mut by_kind: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut calls = 0;
    for ((kind, action), count) in counts {
        let writer = connection.sides.writer(side, kind);
        let at_once = writer.map_or(1, |writer| writer.bulk_max(action).max(1)) as u64;
        calls += count.div_ceil(at_once);
        *by_kind.entry(kind).or_default() += count;
    }
    let reader = |kind| connection.sides.reader(side, kind);
    let pages = by_kind.into_iter().filter_map(|(kind, count)| {
        let page = reader(kind)?.page_max().max(1) as u64;
        Some(count.div_ceil(page))
    });
    calls + pages.sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_call_waits_for_its_hour() {
        assert_eq!(hours(20_000, Some(20_000)), 0);
        assert_eq!(hours(20_001, Some(20_000)), 1);
        assert_eq!(hours(105_000, Some(20_000)), 5);
        assert_eq!(hours(105_000, None), 0);
    }
}
