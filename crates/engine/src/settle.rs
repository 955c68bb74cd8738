//! Unknown outcomes: look on the far side, adopt what is there, and give free only what is certainly not.
//!
//! A look-up that finds counts at once. One that doesn't find proves something only when it began after the
//! far side's settling time, counted from the journaled attempt (design §4 `settle`).

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use tieout_domain::code::Code;
use tieout_domain::port::{Action, Order};
use tieout_domain::{Fault, Kind, Outcome, RecordRef, Side, State, Timestamp};
use tieout_flows::matching::{Judgement, judge};
use tieout_store::{Commit, Due, Fact, OpenWrite, WriteStatus};

use crate::EngineError;
use crate::apply::mapped;
use crate::pull::seen;
use crate::run::Run;

/// Windows that end within this are waited for; longer ones end as `HOLD(settling)`.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Settles what can be settled of all open writes. Records whose write stays open rest for this run.
pub(crate) async fn settle(run: &mut Run<'_>) -> Result<(), EngineError> {
    let open = run.connection.store.open_writes().await?;
    if open.is_empty() {
        return Ok(());
    }
    let mut groups: BTreeMap<(Side, Kind), Vec<OpenWrite>> = BTreeMap::new();
    let mut commit = run.commit();
    for write in open {
        let side = write_side(run, &write);
        if write.status == WriteStatus::Intended {
            abandon(&mut commit, &write, "it was never sent");
        } else {
            groups.entry((side, write.order.document.kind())).or_default().push(write);
        }
    }
    run.connection.store.commit(commit).await?;
    for ((side, kind), writes) in groups {
        settle_kind(run, side, kind, writes).await?;
    }
    Ok(())
}

/// Which side a write goes to. A flow writes a kind to one side only.
fn write_side(run: &Run<'_>, write: &OpenWrite) -> Side {
    let kind = write.order.document.kind();
    run.connection
        .flow(&write.flow)
        .and_then(|flow| {
            let mut sides = flow.writes().iter().filter(|(_, k)| *k == kind).map(|(side, _)| *side);
            // A payment is written to the side that its record didn't come from.
            sides.clone().find(|side| *side != write.record.side).or_else(|| sides.next())
        })
        .unwrap_or_else(|| write.record.side.other())
}

async fn settle_kind(
    run: &mut Run<'_>,
    side: Side,
    kind: Kind,
    writes: Vec<OpenWrite>,
) -> Result<(), EngineError> {
    let (created, changed): (Vec<_>, Vec<_>) =
        writes.into_iter().partition(|write| write.order.action == Action::Create);
    settle_changes(run, side, kind, changed).await?;
    settle_creations(run, side, kind, created).await
}

/// A change that may have been made: read the record again, and let the flow decide on what is there now.
/// It writes absolute values only, so that deciding again is safe.
async fn settle_changes(
    run: &mut Run<'_>,
    side: Side,
    kind: Kind,
    writes: Vec<OpenWrite>,
) -> Result<(), EngineError> {
    if writes.is_empty() {
        return Ok(());
    }
    let Some(reader) = run.connection.sides.reader(side, kind).cloned() else { return Ok(()) };
    let ids: Vec<_> = writes.iter().filter_map(|write| write.order.target.clone()).collect();
    match reader.fetch(&ids).await {
        Ok(found) => {
            let mut commit = run.commit();
            commit.records = found.into_iter().map(|observed| seen(side, observed)).collect();
            for write in &writes {
                abandon(&mut commit, write, "the record was read again");
            }
            run.connection.store.commit(commit).await?;
            for write in writes {
                run.settled(&write.flow, &write.record);
            }
            Ok(())
        }
        Err(fault) => stay_open(run, side, &writes, &fault).await,
    }
}

async fn settle_creations(
    run: &mut Run<'_>,
    side: Side,
    kind: Kind,
    mut writes: Vec<OpenWrite>,
) -> Result<(), EngineError> {
    let Some(writer) = run.connection.sides.writer(side, kind).cloned() else { return Ok(()) };
    // Twice at most: now, and once more when the windows have ended.
    for _ in 0..2 {
        if writes.is_empty() {
            return Ok(());
        }
        let orders: Vec<Order> = writes.iter().map(|write| write.order.clone()).collect();
        let since = writes.iter().filter_map(|write| write.attempted_at).min();
        let since = since.unwrap_or_else(|| run.connection.timer.now());
        let looked_at = run.connection.timer.now();
        let candidates = match writer.candidates(&orders, since).await {
            Ok(candidates) => candidates,
            Err(fault) => return stay_open(run, side, &writes, &fault).await,
        };
        let mut commit = run.commit();
        let mut taken = linked(run, side, kind, &candidates).await?;
        let mut open = Vec::new();
        for write in writes {
            let free: Vec<_> =
                candidates.iter().filter(|c| !taken.contains(&c.id)).cloned().collect();
            match judge(&write.order, &free) {
                Judgement::Found(id) => {
                    taken.insert(id.clone());
                    let target = RecordRef { side, kind, id: id.clone() };
                    adopt(&mut commit, &write, &target);
                    run.written += 1;
                    let observed = free.into_iter().find(|candidate| candidate.id == id);
                    commit.records.extend(observed.map(|observed| seen(side, observed)));
                    run.settled(&write.flow, &write.record);
                }
                Judgement::Absent if write_settled(&write, writer.settle(), looked_at) => {
                    abandon(&mut commit, &write, "it was looked for and is not there");
                    run.settled(&write.flow, &write.record);
                }
                Judgement::Absent if writer.repeatable(Action::Create) => {
                    abandon(&mut commit, &write, "an upsert under the same key can be repeated");
                    run.settled(&write.flow, &write.record);
                }
                Judgement::Absent => open.push(write),
                Judgement::Ambiguous(ids) => {
                    let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    let cause = format!(
                        "a write whose answer was lost may have made any of {ids}; say which one"
                    );
                    state(&mut commit, &write, State::Blocked, "ambiguous-outcome", cause);
                    run.rest_until_settled(&write.flow, write.record.clone());
                }
            }
        }
        run.connection.store.commit(commit).await?;
        writes = open;
        let Some(wait) = longest_wait(&writes, writer.settle(), run.connection.timer.now()) else {
            return Ok(());
        };
        if wait > WAIT_MAX {
            break;
        }
        run.connection.timer.sleep(wait).await;
        run.keep_lease().await?;
    }
    hold(run, &writes, writer.settle()).await
}

/// Which of the candidates are linked already: they are another record's.
async fn linked(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    candidates: &[tieout_domain::port::Observed],
) -> Result<HashSet<tieout_domain::RemoteId>, EngineError> {
    let targets: Vec<RecordRef> = candidates
        .iter()
        .map(|candidate| RecordRef { side, kind, id: candidate.id.clone() })
        .collect();
    let links = run.connection.store.links_to(&targets).await?;
    Ok(links.into_iter().map(|link| link.target.id).collect())
}

/// The moment from which not finding a write proves that it isn't there.
fn settled_at(write: &OpenWrite, settle: Duration) -> Timestamp {
    let attempted = write.attempted_at.unwrap_or(Timestamp::MIN);
    attempted.checked_add(settle).unwrap_or(Timestamp::MAX)
}

fn write_settled(write: &OpenWrite, settle: Duration, looked_at: Timestamp) -> bool {
    settled_at(write, settle) <= looked_at
}

fn longest_wait(writes: &[OpenWrite], settle: Duration, now: Timestamp) -> Option<Duration> {
    let until = writes.iter().map(|write| settled_at(write, settle)).max()?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

fn adopt(commit: &mut Commit, write: &OpenWrite, target: &RecordRef) {
    commit.facts.push(Fact::Applied { write: write.write, target: target.clone(), adopted: true });
    let label = write.order.document.label();
    commit.facts.extend(mapped(&write.record, &label, target, "found after its answer was lost"));
    commit.due.push(Due { flow: write.flow.clone(), record: write.record.clone() });
}

fn abandon(commit: &mut Commit, write: &OpenWrite, cause: &str) {
    commit.facts.push(Fact::Abandoned { write: write.write, cause: cause.to_owned() });
    commit.due.push(Due { flow: write.flow.clone(), record: write.record.clone() });
}

fn state(commit: &mut Commit, write: &OpenWrite, state: State, code: &'static str, cause: String) {
    commit.facts.push(Fact::Stated {
        flow: write.flow.clone(),
        record: write.record.clone(),
        outcome: Outcome::because(state, Code::new(code), cause),
        label: write.order.document.label(),
        amount: write.order.document.amount(),
    });
}

/// Leaves writes open because the far side can't be asked now.
async fn stay_open(
    run: &mut Run<'_>,
    side: Side,
    writes: &[OpenWrite],
    fault: &Fault,
) -> Result<(), EngineError> {
    run.problem(fault, side, matches!(fault, Fault::Denied { .. } | Fault::Later { .. }));
    let mut commit = run.commit();
    for write in writes {
        let cause = format!("the outcome of a write can't be looked up now: {fault}");
        state(&mut commit, write, State::Hold, "settling", cause);
        run.rest_until_settled(&write.flow, write.record.clone());
    }
    run.connection.store.commit(commit).await?;
    Ok(())
}

/// Leaves writes open because their windows are still long.
async fn hold(
    run: &mut Run<'_>,
    writes: &[OpenWrite],
    settle: Duration,
) -> Result<(), EngineError> {
    let mut commit = run.commit();
    for write in writes {
        let until = settled_at(write, settle);
        let cause = format!(
            "a write was sent and not answered; it may still be running over there until {until:.0}"
        );
        state(&mut commit, write, State::Hold, "settling", cause);
        run.rest_until_settled(&write.flow, write.record.clone());
    }
    run.connection.store.commit(commit).await?;
    Ok(())
}
