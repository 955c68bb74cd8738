//! Writing: intents and attempts are journaled before anything is sent, outcomes after.
//!
//! A page of intents is one commit. Another one, right before calls are made, says that their writes may have
//! been sent from now on: the far side's settling time is counted from there, so it must not come long before
//! the call. The outcomes of all batches that have answered meanwhile are one commit. An outcome that is lost
//! in a crash only becomes *unknown*.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, Either, select};
use futures::stream::FuturesUnordered;
use tieout_domain::code::Code;
use tieout_domain::port::{Action, Answer, Observed, Order, Receipt, Write};
use tieout_domain::{Fault, Kind, Money, Outcome, RecordRef, RemoteId, Side, State};
use tieout_flows::Step;
use tieout_store::{Commit, Due, Fact, Known, Stop, StoreError};

use crate::files;
use crate::lag::{Lag, written};
use crate::mapping::of_link;
use crate::pull::{in_population, read_again, seen};
use crate::run::Run;
use crate::settle::said_again_after;
use crate::{EngineError, Sides};

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
    fn due(&self) -> Due {
        Due {
            flow: self.flow.to_owned(),
            record: self.record.clone(),
        }
    }

    /// Says what became of it as the record's state.
    fn stated(&self, outcome: Outcome) -> Fact {
        Fact::Stated {
            flow: self.flow.to_owned(),
            record: self.record.clone(),
            outcome,
            label: self.label.clone(),
            amount: self.amount,
        }
    }
}

/// One call: writes of one side, kind and action, with their ids in the journal.
struct Batch {
    number: usize,
    side: Side,
    kind: Kind,
    writes: Vec<(u64, Intent)>,
}

impl Batch {
    /// Where it goes, and its writes.
    fn call(&self) -> (Side, Kind, Vec<u64>) {
        let ids = self.writes.iter().map(|(write, _)| *write).collect();
        (self.side, self.kind, ids)
    }
}

/// A call under way. Whoever stops waiting for it, because the lease is lost, stops it: a batch may be many
/// requests, and those not sent yet are another's to decide on.
struct Call(tokio::task::JoinHandle<Vec<Answer>>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abort();
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
    let (mut ready, mut commit) = sift(run, intents).await?;
    mark_resent(run, &mut ready).await?;
    commit.facts = run.news(commit.facts).await?;
    let stated: Vec<RecordRef> = commit.facts.iter().filter_map(stated).cloned().collect();
    run.imported(&stated, false, &mut commit);
    if !commit.facts.is_empty() || !commit.settled.is_empty() {
        run.connection.store.commit(commit).await?;
    }
    if ready.is_empty() {
        return Ok(Applied::default());
    }
    let writes = journal(run, ready).await?;
    send(run, batches(run, writes)).await
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

/// Journals the intents. Nothing has been sent yet.
async fn journal(run: &Run<'_>, intents: Vec<Intent>) -> Result<Vec<(u64, Intent)>, EngineError> {
    let facts = intents
        .iter()
        .filter(|intent| intent.again.is_none())
        .map(|intent| Fact::Intended {
            flow: intent.flow.to_owned(),
            record: intent.record.clone(),
            role: intent.step.role.clone(),
            order: order(&intent.step),
            because: intent.step.because.clone(),
        })
        .collect();
    let mut new = run
        .connection
        .store
        .commit(Commit {
            facts,
            ..run.commit()
        })
        .await?
        .into_iter();
    let numbered = |intent: Intent| Some((intent.again.or_else(|| new.next())?, intent));
    Ok(intents.into_iter().filter_map(numbered).collect())
}

/// Sorts writes into calls of the size that the far side takes.
///
/// What is sent once more never shares a call with what is new: a call is carried out or refused as a whole, and the
/// first sending of one, should it have come through after all, must not take new ones down with it.
fn batches(run: &Run<'_>, writes: Vec<(u64, Intent)>) -> Vec<Batch> {
    let mut groups: BTreeMap<_, Vec<(u64, Intent)>> = BTreeMap::new();
    for (write, intent) in writes {
        let sort = (
            intent.step.side,
            intent.step.document.kind(),
            intent.step.action,
            intent.resent,
        );
        groups.entry(sort).or_default().push((write, intent));
    }
    let mut batches = Vec::new();
    for ((side, kind, action, _), group) in groups {
        let max = run
            .connection
            .sides
            .writer(side, kind)
            .map_or(1, |writer| writer.bulk_max(action))
            .max(1);
        // Each batch gets memory of its own size: parts that are split off a long list keep all of its room.
        let mut group = group.into_iter();
        loop {
            let writes: Vec<_> = group.by_ref().take(max).collect();
            if writes.is_empty() {
                break;
            }
            batches.push(Batch {
                number: 0,
                side,
                kind,
                writes,
            });
        }
    }
    batches
}

/// Calls under way, and the writes of each.
#[derive(Default)]
struct UnderWay {
    calls: FuturesUnordered<BoxFuture<'static, (Batch, Option<Vec<Answer>>)>>,
    writes: BTreeMap<usize, (Side, Kind, Vec<u64>)>,
    launched: usize,
}

impl UnderWay {
    /// Whether another call to this side may begin, beside those under way and so many more. A call that would
    /// only wait for its turn is not begun: its settling time would run before it is sent.
    fn has_room(&self, run: &Run<'_>, side: Side, more: usize) -> bool {
        let now = self.writes.values().filter(|(of, ..)| *of == side).count();
        now + more < run.connection.sides.of(side).in_flight_max.max(1)
    }

    /// Makes a call, whose attempt is journaled. It goes on while [`answers`](Self::answers) are waited for.
    fn launch(&mut self, sides: &Sides, writer: Arc<dyn Write>, mut batch: Batch) {
        batch.number = self.launched;
        self.launched += 1;
        self.writes.insert(batch.number, batch.call());
        let orders: Vec<Order> = batch
            .writes
            .iter()
            .map(|(_, intent)| order(&intent.step))
            .collect();
        let files = sides.ledger.files.clone();
        self.calls.push(Box::pin(async move {
            // A task of its own, so that the answer is taken in while outcomes are being committed.
            let call = async move { files::write(&*writer, files.as_ref(), orders).await };
            let mut call = Call(tokio::spawn(call));
            let answers = (&mut call.0).await;
            (batch, answers.ok())
        }));
    }

    /// How long until it must be said again that these calls are being made.
    fn say_again_after(&self, run: &Run<'_>) -> Option<Duration> {
        let kinds = self.writes.values().map(|(side, kind, _)| (*side, *kind));
        let writers = kinds.filter_map(|(side, kind)| run.connection.sides.writer(side, kind));
        writers
            .filter_map(|writer| said_again_after(writer.settle()))
            .min()
    }

    /// Waits for answers, and says of calls that take long, again and again, that they are still being made.
    async fn answers(
        &mut self,
        run: &Run<'_>,
    ) -> Result<Vec<(Batch, Option<Vec<Answer>>)>, EngineError> {
        let first = loop {
            let Some(after) = self.say_again_after(run) else {
                break self.calls.next().await;
            };
            let pause = run.connection.timer.sleep(after);
            match select(self.calls.next(), pause).await {
                Either::Left((first, _)) => break first,
                Either::Right(_) => {
                    if let Some(stop) = attempt(run, self.writes.values()).await? {
                        // No more of them may be sent: what was sent of them is looked for later.
                        return Err(StoreError::Stopped(stop).into());
                    }
                }
            }
        };
        let mut answered: Vec<_> = first.into_iter().collect();
        while let Some(Some(more)) = futures::FutureExt::now_or_never(self.calls.next()) {
            answered.push(more);
        }
        for (batch, _) in &answered {
            self.writes.remove(&batch.number);
        }
        Ok(answered)
    }
}

/// Sends the batches, as many at once as each side allows, and records what is answered.
async fn send(run: &mut Run<'_>, batches: Vec<Batch>) -> Result<Applied, EngineError> {
    let mut applied = Applied::default();
    let mut under_way = UnderWay::default();
    let mut waiting = batches;
    loop {
        let mut next: Vec<(Arc<dyn Write>, Batch)> = Vec::new();
        for batch in std::mem::take(&mut waiting) {
            if let Some(fault) = run.barred.get(&batch.side).cloned() {
                // Intended in the journal, and certainly not sent.
                record(run, vec![failed(batch, &fault)], &mut applied).await?;
                continue;
            }
            let more = next
                .iter()
                .filter(|(_, one)| one.side == batch.side)
                .count();
            let writer = run.connection.sides.writer(batch.side, batch.kind);
            match writer.cloned() {
                Some(writer) if under_way.has_room(run, batch.side, more) => {
                    next.push((writer, batch));
                }
                _ => waiting.push(batch),
            }
        }
        let calls: Vec<_> = next.iter().map(|(_, batch)| batch.call()).collect();
        if let Some(stop) = attempt(run, calls.iter()).await? {
            // Stopped since it was decided, perhaps by another process: what was intended is given back.
            let fault = run.stop(stop);
            let refused = next.into_iter().map(|(_, batch)| failed(batch, &fault));
            record(run, refused.collect(), &mut applied).await?;
            continue;
        }
        for (writer, batch) in next {
            under_way.launch(&run.connection.sides, writer, batch);
        }
        let answered = under_way.answers(run).await?;
        if answered.is_empty() {
            return Ok(applied);
        }
        let answered = answered
            .into_iter()
            .map(|(batch, answers)| {
                let lost = || {
                    Answer::Failed(Fault::Unknown {
                        cause: "the writer broke off".into(),
                    })
                };
                let mut answers = answers.unwrap_or_default();
                answers.resize_with(batch.writes.len(), lost);
                (batch, answers)
            })
            .collect();
        record(run, answered, &mut applied).await?;
    }
}

/// What became of a batch of which nothing was sent.
fn failed(batch: Batch, fault: &Fault) -> (Batch, Vec<Answer>) {
    let answers = vec![Answer::Failed(fault.clone()); batch.writes.len()];
    (batch, answers)
}

/// Journals that these calls are made now. From here on a crash leaves their writes unknown. Gives what forbids
/// them, if remote writes are stopped: then nothing was journaled, and nothing may be sent.
async fn attempt(
    run: &Run<'_>,
    calls: impl Iterator<Item = &(Side, Kind, Vec<u64>)>,
) -> Result<Option<Stop>, EngineError> {
    let mut writes: BTreeMap<Side, Vec<u64>> = BTreeMap::new();
    for (side, _, of_call) in calls {
        writes.entry(*side).or_default().extend(of_call);
    }
    if writes.is_empty() {
        return Ok(None);
    }
    run.keep_lease().await?;
    let now = run.connection.timer.uptime();
    let facts = writes
        .into_iter()
        .map(|(side, writes)| Fact::Attempted {
            writes,
            there: run.connection.sides.of(side).whole.time_at(now),
        })
        .collect();
    let commit = Commit {
        facts,
        ..run.commit()
    };
    match run.connection.store.commit(commit).await {
        Ok(_) => Ok(None),
        Err(StoreError::Stopped(stop)) => Ok(Some(stop)),
        Err(error) => Err(error.into()),
    }
}

/// Records what became of the writes, all in one commit.
async fn record(
    run: &mut Run<'_>,
    answered: Vec<(Batch, Vec<Answer>)>,
    applied: &mut Applied,
) -> Result<(), EngineError> {
    let mut commit = run.commit();
    let versions = versions_before(run, &answered).await?;
    for (batch, answers) in answered {
        for ((write, intent), answer) in batch.writes.into_iter().zip(answers) {
            run.connection.progress.advance(1);
            let applied_it = matches!(answer, Answer::Applied(_));
            run.imported([&intent.record], applied_it, &mut commit);
            match answer {
                Answer::Applied(receipt) => {
                    applied.records.push(intent.record.clone());
                    run.written += 1;
                    let before = versions.get(&(batch.side, batch.kind, receipt.id.clone()));
                    take_receipt(run, &mut commit, write, &intent, receipt, before);
                }
                Answer::Failed(fault) => {
                    if take_fault(run, &mut commit, write, &intent, fault) {
                        applied.unknown.push(intent.record);
                    }
                }
            }
        }
    }
    run.connection.store.commit(commit).await?;
    Ok(())
}

/// In which versions changed records are known that the answers to their changes don't show.
async fn versions_before(
    run: &Run<'_>,
    answered: &[(Batch, Vec<Answer>)],
) -> Result<HashMap<(Side, Kind, RemoteId), Known>, EngineError> {
    let mut versions = HashMap::new();
    for (batch, answers) in answered {
        let changes = batch.writes.iter().zip(answers);
        let unshown: Vec<RemoteId> = changes
            .filter_map(|((_, intent), answer)| match answer {
                Answer::Applied(receipt) if intent.step.action == Action::Amend => {
                    receipt.observed.is_none().then(|| receipt.id.clone())
                }
                _ => None,
            })
            .collect();
        let store = &run.connection.store;
        for (id, known) in store.known(batch.side, batch.kind, &unshown).await? {
            versions.insert((batch.side, batch.kind, id), known);
        }
    }
    Ok(versions)
}

/// A write was applied: link, mirror, mapping.
fn take_receipt(
    run: &mut Run<'_>,
    commit: &mut Commit,
    write: u64,
    intent: &Intent,
    receipt: Receipt,
    before: Option<&Known>,
) {
    let step = &intent.step;
    let target = RecordRef {
        side: step.side,
        kind: step.document.kind(),
        id: receipt.id.clone(),
    };
    commit.facts.push(Fact::Applied {
        write,
        target: target.clone(),
        adopted: receipt.adopted,
    });
    if step.action == Action::Create {
        commit.facts.extend(of_link(
            &intent.record,
            &intent.label,
            &target,
            &step.because,
        ));
    }
    match receipt.observed {
        Some(observed) => commit.records.push(seen(step.side, observed)),
        None if step.action == Action::Create => {
            // What was written, until the closing pull shows what is there.
            let observed = Observed {
                id: receipt.id,
                version: String::new(),
                created: None,
                document: step.document.clone(),
            };
            commit.records.push(seen(step.side, observed));
        }
        None if let Some(over) = before => {
            let now = run.connection.timer.uptime();
            let at = run.connection.time_there(step.side, now);
            let observed = Observed {
                id: receipt.id,
                version: written(at, over),
                created: None,
                document: step.document.clone(),
            };
            commit.records.push(seen(step.side, observed));
        }
        // The mirror still shows it as it was: look again when the closing pull has been there.
        None => run.rest_until_confirmed(intent.flow, intent.record.clone()),
    }
    commit.due.push(intent.due());
    commit.due.extend(read_again(step.side, &step.document));
    commit.due.extend(
        step.expect
            .iter()
            .flat_map(|before| read_again(step.side, before)),
    );
    if step.action == Action::Create {
        // Known from its own creation, it may come as no news with the closing pull.
        commit.due.extend(in_population(run, &target));
    }
}

/// A write was not applied, or nobody knows. Tells whether nobody knows.
fn take_fault(
    run: &mut Run<'_>,
    commit: &mut Commit,
    write: u64,
    intent: &Intent,
    fault: Fault,
) -> bool {
    let cause = fault.to_string();
    let code = fault.code();
    if intent.again.is_some() {
        // Of the second sending this tells that it failed; of the first it tells nothing.
        if let Fault::Denied { .. } | Fault::Later { after: Some(_), .. } = fault {
            run.bar(intent.step.side, fault.clone());
        }
        if let Fault::Denied { .. } | Fault::Drift { .. } = fault {
            run.problem(
                &fault,
                intent.step.side,
                matches!(fault, Fault::Denied { .. }),
            );
        }
        commit.facts.push(Fact::Unknown {
            write,
            cause: cause.clone(),
        });
        let outcome = Outcome::because(State::Hold, Code::new("settling"), cause);
        commit.facts.push(intent.stated(outcome));
        run.rest_until_settled(intent.flow, intent.record.clone());
        return false;
    }
    match &fault {
        // An answer that isn't as documented proves nothing either.
        Fault::Unknown { .. } | Fault::Drift { .. } => {
            if let Fault::Drift { .. } = fault {
                run.problem(&fault, intent.step.side, false);
            }
            commit.facts.push(Fact::Unknown {
                write,
                cause: cause.clone(),
            });
            let outcome = Outcome::because(State::Hold, Code::new("settling"), cause);
            commit.facts.push(intent.stated(outcome));
            run.rest_until_settled(intent.flow, intent.record.clone());
            true
        }
        Fault::Later { after, .. } => {
            commit.facts.push(Fact::Later {
                write,
                code: code.clone(),
                cause: cause.clone(),
            });
            commit
                .facts
                .push(intent.stated(Outcome::because(State::Hold, code, cause)));
            commit.due.push(intent.due());
            if after.is_some() {
                run.bar(intent.step.side, fault.clone());
            }
            run.rest_until_next_run(intent.flow, intent.record.clone());
            false
        }
        Fault::Refused { field, .. } => {
            commit.facts.push(Fact::Refused {
                write,
                code: code.clone(),
                field: field.clone(),
                cause: cause.clone(),
            });
            let text = match field {
                Some(field) => format!("{} was refused at `{field}`: {cause}", intent.label),
                None => format!("{} was refused: {cause}", intent.label),
            };
            commit
                .facts
                .push(intent.stated(Outcome::because(State::Blocked, code, text)));
            commit
                .settled
                .extend(run.looked_at(intent.flow, &intent.record));
            false
        }
        Fault::Denied { .. } => {
            commit.facts.push(Fact::Later {
                write,
                code: code.clone(),
                cause: cause.clone(),
            });
            commit
                .facts
                .push(intent.stated(Outcome::because(State::Hold, code, cause)));
            commit.due.push(intent.due());
            run.bar(intent.step.side, fault.clone());
            run.problem(&fault, intent.step.side, true);
            run.rest_until_next_run(intent.flow, intent.record.clone());
            false
        }
    }
}
