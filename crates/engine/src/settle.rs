//! Unknown outcomes: look on the far side, adopt what is there, and give free only what is certainly not.
//!
//! A look-up that finds counts at once. One that doesn't find proves something only when it began after the
//! far side's settling time, counted from the journaled attempt. Both moments are told by the far side's own
//! clock, which its answers carry: a step of this machine's clock ends no window early.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::SignedDuration;

use tieout_domain::code::Code;
use tieout_domain::port::{Action, Observed, Order};
use tieout_domain::{Fault, Kind, Outcome, RecordRef, RemoteId, Side, State, Timestamp};
use tieout_flows::Decided;
use tieout_flows::matching::{Judgement, judge, recognise};
use tieout_store::{Commit, Due, Fact, OpenWrite, WriteStatus};

use crate::EngineError;
use crate::mapping::of_link;
use crate::pull::{fetch, in_population, read_again, take_records};
use crate::run::Run;

/// Windows that end within this are waited for; longer ones end as `HOLD(settling)`.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Far clocks are told in whole seconds.
const WHOLE_SECOND: Duration = Duration::from_secs(1);

/// An attempt is not said again sooner: where commits take longer than a quarter of the settling time, nothing would ever
/// be sent.
const SAID_AGAIN_MIN: Duration = Duration::from_secs(2);

/// How far the far side's clock may be behind ours.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// Settles what can be settled of the open writes of this run's flows. Records whose write stays open rest for
/// this run; writes of other flows are left alone, and so are their records.
pub(crate) async fn settle(run: &mut Run<'_>) -> Result<(), EngineError> {
    let open = run.connection.store.open_writes().await?;
    let mut groups: BTreeMap<(Side, Kind, bool), Vec<OpenWrite>> = BTreeMap::new();
    let mut commit = run.commit();
    for write in open {
        // Whatever becomes of it: until it is settled, nothing else is written for this record.
        run.rest_until_settled(&write.flow, write.record.clone());
        if !run.includes(&write.flow) {
            continue;
        }
        if write.status == WriteStatus::Intended {
            give_up(&mut commit, &write, "it was never sent");
            run.settled(&write.flow, &write.record);
        } else {
            let side = write_side(run, &write);
            let creates = write.order.action == Action::Create;
            groups
                .entry((side, write.order.document.kind(), creates))
                .or_default()
                .push(write);
        }
    }
    if !commit.facts.is_empty() {
        run.connection.store.commit(commit).await?;
    }
    for ((side, kind, creates), writes) in groups {
        if creates {
            settle_creations(run, side, kind, writes).await?;
        } else {
            settle_changes(run, side, kind, writes).await?;
        }
    }
    Ok(())
}

/// Which side a write goes to. A flow writes a kind to one side only.
fn write_side(run: &Run<'_>, write: &OpenWrite) -> Side {
    let kind = write.order.document.kind();
    run.connection
        .flow(&write.flow)
        .and_then(|flow| {
            let mut sides = flow
                .writes()
                .iter()
                .filter(|(_, k)| *k == kind)
                .map(|(side, _)| *side);
            // A payment is written to the side that its record didn't come from.
            sides
                .clone()
                .find(|side| *side != write.record.side)
                .or_else(|| sides.next())
        })
        .unwrap_or_else(|| write.record.side.other())
}

/// A change that may have been made: read the record again. If it is as it was to be, the change was made. If
/// not, it may still be under way; once it can't be any more, the flow decides on what is there then.
async fn settle_changes(
    run: &mut Run<'_>,
    side: Side,
    kind: Kind,
    mut writes: Vec<OpenWrite>,
) -> Result<(), EngineError> {
    let Some(reader) = run.connection.sides.reader(side, kind).cloned() else {
        return settle_unseen(run, side, kind, writes).await;
    };
    let settle = run
        .connection
        .sides
        .writer(side, kind)
        .map_or(Duration::ZERO, |w| w.settle());
    for _ in 0..2 {
        let began = run.connection.timer.uptime();
        let told = run.connection.sides.of(side).whole.time_at(began);
        let mut ids: Vec<_> = writes
            .iter()
            .filter_map(|write| write.order.target.clone())
            .collect();
        ids.sort();
        ids.dedup();
        let fetched = match fetch(&*reader, &ids).await {
            Ok(fetched) => fetched,
            Err(fault) => return stay_open(run, side, &writes, &fault).await,
        };
        let found = fetched.records;
        for (id, cause) in &fetched.unreadable {
            run.problem_record(side, kind, id, cause);
        }
        let looked_at = told.unwrap_or_else(|| run.connection.time_there(side, began));
        let mut commit = run.commit();
        let mut open = Vec::new();
        for write in writes {
            let target = write.order.target.as_ref();
            if let Some(cause) = target.and_then(|id| fetched.unreadable.get(id)) {
                // Nobody can tell whether it was changed; the others go their way.
                let cause =
                    format!("it can't be read, so whether it was changed is not known: {cause}");
                state(
                    &mut commit,
                    &write,
                    Outcome::because(State::Hold, Code::new("settling"), cause),
                );
                continue;
            }
            match judge(&write.order, &found) {
                Judgement::Found(id) => {
                    let target = RecordRef { side, kind, id };
                    adopt(run, &mut commit, &write, &target);
                }
                _ if write_settled(&write, settle, looked_at) => {
                    give_up(
                        &mut commit,
                        &write,
                        "the record was read again and is not changed",
                    );
                    run.sent_in_vain(&write.flow, &write.record);
                }
                _ => open.push(write),
            }
        }
        take_records(run, side, kind, found, Vec::new(), &mut commit).await?;
        commit.facts = run.news(commit.facts).await?;
        run.connection.store.commit(commit).await?;
        writes = open;
        if !wait(run, side, &writes, settle).await? {
            break;
        }
    }
    hold(run, &writes, settle).await
}

/// Changes of what can't be read back: made again, where that has no second effect.
async fn settle_unseen(
    run: &mut Run<'_>,
    side: Side,
    kind: Kind,
    writes: Vec<OpenWrite>,
) -> Result<(), EngineError> {
    let Some(writer) = run.connection.sides.writer(side, kind).cloned() else {
        return stay_open(run, side, &writes, &no_writer(kind)).await;
    };
    let mut commit = run.commit();
    for write in writes {
        if writer.repeatable(write.order.action) {
            commit.due.push(due(&write));
            run.may_repeat(write);
        }
    }
    run.connection.store.commit(commit).await?;
    Ok(())
}

async fn settle_creations(
    run: &mut Run<'_>,
    side: Side,
    kind: Kind,
    mut writes: Vec<OpenWrite>,
) -> Result<(), EngineError> {
    let Some(writer) = run.connection.sides.writer(side, kind).cloned() else {
        return stay_open(run, side, &writes, &no_writer(kind)).await;
    };
    // Twice at most: now, and once more when the windows have ended.
    for _ in 0..2 {
        let orders: Vec<Order> = writes.iter().map(|write| write.order.clone()).collect();
        let first = first_attempts(run, &writes).await?;
        let since = first.values().min().copied();
        let since = since.unwrap_or_else(|| run.connection.timer.now());
        let began = run.connection.timer.uptime();
        let told = run.connection.sides.of(side).whole.time_at(began);
        let candidates = match writer.candidates(&orders, since).await {
            Ok(candidates) => candidates,
            // One record that can't be read is looked for by itself: what is found by its own key needs no other's.
            Err(Fault::Drift { .. }) if writes.len() > 1 && writer.repeatable(Action::Create) => {
                let right = writes.split_off(writes.len() / 2);
                Box::pin(settle_creations(run, side, kind, writes)).await?;
                return Box::pin(settle_creations(run, side, kind, right)).await;
            }
            Err(fault) => return stay_open(run, side, &writes, &fault).await,
        };
        // By what was known when the window was waited for: each answer tells whole seconds anew.
        let looked_at = told.unwrap_or_else(|| run.connection.time_there(side, began));
        let decided = decisions(run, &writes).await?;
        let mut commit = run.commit();
        let mut taken = linked(run, side, kind, &candidates).await?;
        let recognised: HashMap<RemoteId, u64> = writes
            .iter()
            .filter_map(|write| {
                let first = first.get(&write.write).copied();
                let fits = |c: &&Observed| !taken.contains(&c.id) && may_be_of(first, c);
                let free: Vec<Observed> = candidates.iter().filter(fits).cloned().collect();
                Some((recognise(&write.order, &free)?, write.write))
            })
            .collect();
        let anothers = |id: &RemoteId, write: &OpenWrite| {
            recognised.get(id).is_some_and(|of| *of != write.write)
        };
        let mut open = Vec::new();
        for write in writes {
            let settled = write_settled(&write, writer.settle(), looked_at);
            let free: Vec<Observed> = candidates
                .iter()
                .filter(|c| {
                    let first = first.get(&write.write).copied();
                    !taken.contains(&c.id) && !anothers(&c.id, &write) && may_be_of(first, c)
                })
                .cloned()
                .collect();
            let said = decided.get(&(write.flow.clone(), write.record.clone()));
            let judgement = match judge(&write.order, &free) {
                Judgement::Ambiguous(ids) => chosen(said, ids, side, kind),
                judgement => judgement,
            };
            match judgement {
                Judgement::Found(id) => {
                    taken.insert(id.clone());
                    let observed = free
                        .into_iter()
                        .filter(|candidate| candidate.id == id)
                        .collect();
                    let target = RecordRef { side, kind, id };
                    adopt(run, &mut commit, &write, &target);
                    take_records(run, side, kind, observed, Vec::new(), &mut commit).await?;
                }
                Judgement::Absent if settled => {
                    let cause = "it was looked for and is not there";
                    give_up(&mut commit, &write, cause);
                    // Known as one that was sent before, until it is decided on anew.
                    let outcome = Outcome::because(State::Hold, Code::new("settling"), cause);
                    state(&mut commit, &write, outcome);
                    run.sent_in_vain(&write.flow, &write.record);
                }
                Judgement::Absent if writer.repeatable(Action::Create) => {
                    // An upsert under the same key can be repeated, as long as it says the same.
                    commit.due.push(due(&write));
                    run.may_repeat(write);
                }
                Judgement::Absent => open.push(write),
                Judgement::Ambiguous(ids) => {
                    let ids = ids
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", ");
                    let cause = format!(
                        "a write whose answer was lost may have made any of {ids}; say which one"
                    );
                    let outcome =
                        Outcome::because(State::Blocked, Code::new("ambiguous-outcome"), cause);
                    state(&mut commit, &write, outcome);
                }
            }
        }
        commit.facts = run.news(commit.facts).await?;
        run.connection.store.commit(commit).await?;
        writes = open;
        if !wait(run, side, &writes, writer.settle()).await? {
            break;
        }
    }
    hold(run, &writes, writer.settle()).await
}

/// When each of these writes was first attempted. A call of many requests is said again to be under way for as long as it
/// is: what its first request made is older than what was last said of it.
async fn first_attempts(
    run: &Run<'_>,
    writes: &[OpenWrite],
) -> Result<HashMap<u64, Timestamp>, EngineError> {
    let mut entries: HashMap<u64, Option<Timestamp>> = HashMap::new();
    let mut first = HashMap::new();
    for write in writes {
        let mut moment = write.attempted_at;
        if let Some(seq) = write.first_attempt.filter(|_| write.attempts > 1) {
            let known = match entries.get(&seq) {
                Some(known) => *known,
                None => {
                    let said = run.connection.store.attempted_in(seq).await?;
                    entries.insert(seq, said);
                    said
                }
            };
            // Clocks differ, and are set: the earlier of the two leaves nothing out.
            moment = known.into_iter().chain(moment).min();
        }
        first.extend(moment.map(|moment| (write.write, moment)));
    }
    Ok(first)
}

/// Whether a record can be what a write made that was first attempted then: it is not older, apart from clocks that differ.
fn may_be_of(first: Option<Timestamp>, candidate: &Observed) -> bool {
    match (candidate.created, first) {
        (Some(created), Some(attempted)) => attempted
            .checked_sub(CLOCKS)
            .is_ok_and(|earliest| created >= earliest),
        _ => true,
    }
}

type Said = HashMap<(String, RecordRef), String>;

/// What people have decided about the records of these writes.
async fn decisions(run: &Run<'_>, writes: &[OpenWrite]) -> Result<Said, EngineError> {
    let mut records: BTreeMap<&str, Vec<RecordRef>> = BTreeMap::new();
    for write in writes {
        records
            .entry(&write.flow)
            .or_default()
            .push(write.record.clone());
    }
    let mut said = Said::new();
    for (flow, records) in records {
        for (record, decision) in run.connection.store.decisions(flow, &records).await? {
            said.insert((flow.to_owned(), record), decision.decision);
        }
    }
    Ok(said)
}

/// Which of several a person has said it is: one of them, or none.
fn chosen(said: Option<&String>, ids: Vec<RemoteId>, side: Side, kind: Kind) -> Judgement {
    match said.and_then(|text| text.parse::<Decided>().ok()) {
        Some(Decided::Link(record))
            if record.side == side && record.kind == kind && ids.contains(&record.id) =>
        {
            Judgement::Found(record.id)
        }
        Some(Decided::Create | Decided::Ignore) => Judgement::Absent,
        _ => Judgement::Ambiguous(ids),
    }
}

/// Which of the candidates are linked already: they are another record's.
async fn linked(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    candidates: &[Observed],
) -> Result<HashSet<RemoteId>, EngineError> {
    let targets: Vec<RecordRef> = candidates
        .iter()
        .map(|candidate| RecordRef {
            side,
            kind,
            id: candidate.id.clone(),
        })
        .collect();
    let links = run.connection.store.links_to(&targets).await?;
    Ok(links.into_iter().map(|link| link.target.id).collect())
}

/// How long after a journaled attempt it is journaled again, for as long as its call is under way: one that waits
/// for its turn, or is many requests, is sent later than it was begun. `None` where nothing has to settle.
pub(crate) fn said_again_after(settle: Duration) -> Option<Duration> {
    (!settle.is_zero()).then_some((settle / 4).max(SAID_AGAIN_MIN))
}

/// How much later than its last journaled attempt a write may have been sent, by a clock that tells whole seconds.
fn sent_within(settle: Duration) -> Duration {
    said_again_after(settle).map_or(Duration::ZERO, |again| again + WHOLE_SECOND)
}

/// The moment from which not finding a write proves that it isn't there.
fn settled_at(write: &OpenWrite, settle: Duration) -> Timestamp {
    let attempted = write.attempted_at.unwrap_or(Timestamp::MIN);
    attempted
        .checked_add(window(settle))
        .unwrap_or(Timestamp::MAX)
}

/// How long after its last journaled attempt a write may be under way, or not be shown yet.
pub(crate) fn window(settle: Duration) -> Duration {
    settle + sent_within(settle)
}

fn write_settled(write: &OpenWrite, settle: Duration, looked_at: Timestamp) -> bool {
    settled_at(write, settle) <= looked_at
}

/// Waits until the windows of these writes have ended, if that is soon. Tells whether to look once more.
async fn wait(
    run: &Run<'_>,
    side: Side,
    writes: &[OpenWrite],
    settle: Duration,
) -> Result<bool, EngineError> {
    let now = run
        .connection
        .time_there(side, run.connection.timer.uptime());
    let Some(until) = writes.iter().map(|write| settled_at(write, settle)).max() else {
        return Ok(false);
    };
    let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    if wait > WAIT_MAX {
        return Ok(false);
    }
    run.connection.timer.sleep(wait).await;
    run.keep_lease().await?;
    Ok(true)
}

fn due(write: &OpenWrite) -> Due {
    Due {
        flow: write.flow.clone(),
        record: write.record.clone(),
    }
}

/// Its answer was lost, and it was carried out.
fn adopt(run: &mut Run<'_>, commit: &mut Commit, write: &OpenWrite, target: &RecordRef) {
    commit.facts.push(Fact::Applied {
        write: write.write,
        target: target.clone(),
        adopted: true,
    });
    commit.due.push(due(write));
    commit
        .due
        .extend(read_again(target.side, &write.order.document));
    if write.order.action == Action::Create {
        let label = write.order.document.label();
        commit.facts.extend(of_link(
            &write.record,
            &label,
            target,
            "found after its answer was lost",
        ));
        // Read by its own look-up, it may come as no news with the next pull.
        commit.due.extend(in_population(run, target));
    }
    run.written += 1;
    run.settled(&write.flow, &write.record);
}

/// It was certainly not carried out.
pub(crate) fn give_up(commit: &mut Commit, write: &OpenWrite, cause: &str) {
    commit.facts.push(Fact::Abandoned {
        write: write.write,
        cause: cause.to_owned(),
    });
    commit.due.push(due(write));
}

/// It could be repeated, but is no longer what is wanted: it must have come to its end first.
pub(crate) fn keep_open(run: &mut Run<'_>, commit: &mut Commit, write: OpenWrite) {
    let side = write_side(run, &write);
    let writer = run
        .connection
        .sides
        .writer(side, write.order.document.kind());
    let until = settled_at(
        &write,
        writer.map_or(Duration::ZERO, |writer| writer.settle()),
    );
    let cause = format!(
        "a write was sent and not answered, and something else is wanted by now; it may still be running over \
         there until {until:.0}"
    );
    state(
        commit,
        &write,
        Outcome::because(State::Hold, Code::new("settling"), cause),
    );
    run.rest_until_settled(&write.flow, write.record);
}

fn state(commit: &mut Commit, write: &OpenWrite, outcome: Outcome) {
    commit.facts.push(Fact::Stated {
        flow: write.flow.clone(),
        record: write.record.clone(),
        outcome,
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
    run.problem(
        fault,
        side,
        matches!(fault, Fault::Denied { .. } | Fault::Later { .. }),
    );
    let mut commit = run.commit();
    for write in writes {
        let cause = format!("the outcome of a write can't be looked up now: {fault}");
        state(
            &mut commit,
            write,
            Outcome::because(State::Hold, Code::new("settling"), cause),
        );
    }
    commit.facts = run.news(commit.facts).await?;
    run.connection.store.commit(commit).await?;
    Ok(())
}

/// Why nothing can be asked about writes of a kind that the side could write when they were sent. It may have been
/// taken out of the configuration since. Nobody knows whether they were carried out, so they are not given up.
fn no_writer(kind: Kind) -> Fault {
    Fault::Refused {
        code: Code::new("not-supported"),
        field: None,
        cause: format!(
            "a {kind} can't be written there any more; if that was taken out of the configuration, put it back until \
             this is settled"
        ),
    }
}

/// Leaves writes open because their windows are still long.
async fn hold(
    run: &mut Run<'_>,
    writes: &[OpenWrite],
    settle: Duration,
) -> Result<(), EngineError> {
    if writes.is_empty() {
        return Ok(());
    }
    let mut commit = run.commit();
    for write in writes {
        let until = settled_at(write, settle);
        let cause = format!(
            "a write was sent and not answered; it may still be running over there until {until:.0}"
        );
        state(
            &mut commit,
            write,
            Outcome::because(State::Hold, Code::new("settling"), cause),
        );
    }
    commit.facts = run.news(commit.facts).await?;
    run.connection.store.commit(commit).await?;
    Ok(())
}
