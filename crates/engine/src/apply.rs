//! Writing: what of a page can be written now, sorted into calls.
//!
//! Intents and attempts are journaled before anything is sent, outcomes after: see [`send`](crate::send).

use std::collections::{BTreeMap, HashSet};

use tieout_domain::code::Code;
use tieout_domain::port::Order;
use tieout_domain::{Kind, Money, Outcome, RecordRef, RemoteId, Side, State};
use tieout_flows::Step;
use tieout_store::{Commit, Due, Fact};

use crate::EngineError;
use crate::lag::Lag;
use crate::run::Run;
use crate::send::{Planned, To, send};

/// A write that a flow wants, with the record it is for.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) flow: &'static str,
    pub(crate) record: RecordRef,
    pub(crate) label: String,
    pub(crate) amount: Option<Money>,
    pub(crate) step: Step,
    /// The open write that this sends once more, unchanged. Nobody knows whether its first sending was carried
    /// out, and no answer but success to the second one tells.
    pub(crate) again: Option<u64>,
    /// Whether it, or a write like it, was sent before and looked for in vain.
    pub(crate) resent: bool,
}

/// The order that a step stands for.
pub(crate) fn order(step: &Step) -> Order {
    Order {
        key: step.key.clone(),
        action: step.action,
        target: step.target.clone(),
        document: step.document.clone(),
        expect: step.expect.clone(),
        file: None,
    }
}

impl Intent {
    pub(crate) fn due(&self) -> Due {
        Due {
            flow: self.flow.to_owned(),
            record: self.record.clone(),
        }
    }

    /// Says what became of it as the record's state.
    pub(crate) fn stated(&self, outcome: Outcome) -> Fact {
        Fact::Stated {
            flow: self.flow.to_owned(),
            record: self.record.clone(),
            outcome,
            label: self.label.clone(),
            amount: self.amount,
        }
    }
}

/// What came of a page of writes.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Records whose write was applied: they are looked at again.
    pub(crate) records: Vec<RecordRef>,
    /// Records whose write's outcome is unknown and must be looked for.
    pub(crate) unknown: Vec<RecordRef>,
}

/// Carries out a page of writes.
pub(crate) async fn apply(run: &mut Run<'_>, intents: Vec<Intent>) -> Result<Applied, EngineError> {
    let (mut ready, commit) = sift(run, intents).await?;
    mark_resent(run, &mut ready).await?;
    say_states(run, commit).await?;
    if ready.is_empty() {
        return Ok(Applied::default());
    }
    send(run, calls(run, ready)).await
}

/// Says the states of records that are not written now, as far as they are news.
pub(crate) async fn say_states(run: &mut Run<'_>, mut commit: Commit) -> Result<(), EngineError> {
    commit.facts = run.news(commit.facts).await?;
    let stated: Vec<RecordRef> = commit.facts.iter().filter_map(stated).cloned().collect();
    run.imported(&stated, false, &mut commit);
    if !commit.facts.is_empty() || !commit.settled.is_empty() {
        run.connection.store.commit(commit).await?;
    }
    Ok(())
}

/// The record whose state a fact says.
fn stated(fact: &Fact) -> Option<&RecordRef> {
    match fact {
        Fact::Stated { record, .. } => Some(record),
        _ => None,
    }
}

/// Takes out what can't be sent now: its side takes no writes in this run, or has no writer for the kind. And what must
/// never be: a second write for a record that has one whose outcome is open.
async fn sift(
    run: &mut Run<'_>,
    intents: Vec<Intent>,
) -> Result<(Vec<Intent>, Commit), EngineError> {
    let open = run.connection.store.open_writes().await?;
    let mut open: HashSet<(String, RecordRef)> = open
        .into_iter()
        .map(|write| (write.flow, write.record))
        .collect();
    let mut commit = run.commit();
    let mut ready = Vec::new();
    // One change of a record at a time: each is decided on what the one before has left.
    let mut changed = unseen(run, &intents).await?;
    for intent in intents {
        if !open.insert((intent.flow.to_owned(), intent.record.clone())) && intent.again.is_none() {
            run.rest_until_settled(intent.flow, intent.record);
            continue;
        }
        let side = intent.step.side;
        let kind = intent.step.document.kind();
        if target(&intent).is_some_and(|target| !changed.insert(target)) {
            let cause = "what was last written to it is not shown over there yet".to_owned();
            let outcome = Outcome::because(State::Hold, Code::new("settling"), cause);
            commit.facts.push(intent.stated(outcome));
            run.rest_until_confirmed(intent.flow, intent.record);
            continue;
        }
        if let Some(fault) = run.barred.get(&side) {
            let outcome = Outcome::because(State::Hold, fault.code(), fault.to_string());
            commit.facts.push(intent.stated(outcome));
            run.rest_until_next_run(intent.flow, intent.record);
        } else if run.connection.sides.writer(side, kind).is_none() {
            let cause = format!(
                "{} can't write a {kind}",
                run.connection.sides.of(side).system
            );
            let outcome = Outcome::because(State::Blocked, Code::new("not-supported"), cause);
            commit.facts.push(intent.stated(outcome));
            commit
                .settled
                .extend(run.looked_at(intent.flow, &intent.record));
        } else {
            ready.push(intent);
        }
    }
    Ok((ready, commit))
}

/// Finds those that were sent before: their records wait for the outcome of that until they are decided on anew.
async fn mark_resent(run: &Run<'_>, intents: &mut [Intent]) -> Result<(), EngineError> {
    let mut records: BTreeMap<&'static str, Vec<RecordRef>> = BTreeMap::new();
    for intent in intents.iter() {
        let of_flow = records.entry(intent.flow).or_default();
        of_flow.push(intent.record.clone());
    }
    for (flow, records) in records {
        let items = run.connection.store.items(flow, &records).await?;
        for intent in intents.iter_mut().filter(|intent| intent.flow == flow) {
            let code = items
                .get(&intent.record)
                .and_then(|item| item.outcome.code.as_ref());
            intent.resent |= code.is_some_and(|code| code.as_str() == "settling");
        }
    }
    Ok(())
}

/// A record that a write changes.
fn target(intent: &Intent) -> Option<RecordRef> {
    Some(RecordRef {
        side: intent.step.side,
        kind: intent.step.document.kind(),
        id: intent.step.target.clone()?,
    })
}

/// Which of the records to change were changed by us a moment ago, and may not be shown so yet: looking at them
/// before writing would show them as they were before, like somebody's edit.
async fn unseen(run: &Run<'_>, intents: &[Intent]) -> Result<HashSet<RecordRef>, EngineError> {
    let mut targets: BTreeMap<(Side, Kind), Vec<RemoteId>> = BTreeMap::new();
    for record in intents.iter().filter_map(target) {
        let ids = targets.entry((record.side, record.kind)).or_default();
        ids.push(record.id);
    }
    let mut unseen = HashSet::new();
    for ((side, kind), ids) in targets {
        let lag = Lag::of(run, side, kind);
        let known = run.connection.store.known(side, kind, &ids).await?;
        let late = known
            .into_iter()
            .filter(|(_, known)| lag.is_unseen(&known.version));
        unseen.extend(late.map(|(id, _)| RecordRef { side, kind, id }));
    }
    Ok(unseen)
}

/// Sorts writes into calls of the size that the far side takes.
///
/// What is sent once more never shares a call with what is new: a call is carried out or refused as a whole, and the
/// first sending of one, should it have come through after all, must not take new ones down with it.
fn calls(run: &Run<'_>, intents: Vec<Intent>) -> Vec<Planned> {
    let mut groups: BTreeMap<_, Vec<Intent>> = BTreeMap::new();
    for intent in intents {
        let sort = (
            intent.step.side,
            intent.step.document.kind(),
            intent.step.action,
            intent.resent,
        );
        groups.entry(sort).or_default().push(intent);
    }
    let mut calls = Vec::new();
    for ((side, kind, action, _), group) in groups {
        // What has no writer was taken out before.
        let Some(writer) = run.connection.sides.writer(side, kind) else {
            continue;
        };
        let to = To {
            side,
            kind,
            writer: writer.clone(),
        };
        let max = writer.bulk_max(action).max(1);
        // Each call gets memory of its own size: parts that are split off a long list keep all of its room.
        let mut group = group.into_iter();
        loop {
            let intents: Vec<_> = group.by_ref().take(max).collect();
            if intents.is_empty() {
                break;
            }
            let to = to.clone();
            calls.push(Planned { to, intents });
        }
    }
    calls
}
