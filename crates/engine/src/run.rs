//! One run of one connection, from lease to report.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tieout_domain::code::Code;
use tieout_domain::port::Depth;
use tieout_domain::{Fault, Kind, Period, RecordRef, RemoteId, Side};
use tieout_flows::Flow;
use tieout_store::{Commit, Due, Fact, Lease, OpenWrite, RunId, Settled, Stop, StopKind};

use crate::Connection;
use crate::error::EngineError;
use crate::import::Importing;
use crate::initial::{InitialSync, Waiting};
use crate::join::{Meanwhile, Taken, take};
use crate::keep::{lease_time, while_held};
use crate::mapping::propose_read;
use crate::options::{Rebuild, RunOptions};
use crate::overlay::Overlay;
use crate::plan::{Plan, Planner};
use crate::pull::{Unread, pull};
use crate::report::{Problem, RunReport};
use crate::settle::settle;
use crate::to_read::to_read;

/// How often the closing pull is followed by another look.
const CONFIRMATIONS_MAX: usize = 3;

/// A run under way.
pub(crate) struct Run<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) id: RunId,
    pub(crate) lease: Arc<Lease>,
    /// The flows that were asked for; all if empty.
    pub(crate) flows: Vec<String>,
    pub(crate) overlay: Overlay,
    /// Sides that can't be written to for the rest of the run, and why.
    pub(crate) barred: BTreeMap<Side, Fault>,
    /// What stops all writes, if something does: a pause or a recovery.
    pub(crate) stopped: Option<Stop>,
    /// What of the connection doesn't change within a run.
    pub(crate) facts: tieout_flows::Connection,
    /// Whether a record told that the history lacks a part: once is enough.
    pub(crate) evidence_given: AtomicBool,
    /// How many writes were applied.
    pub(crate) written: u64,
    /// How many of them have been read back.
    pub(crate) read_back: u64,
    /// What could not be read when the run began.
    pub(crate) unread: Unread,
    /// Waits whose list flow has had its turn: who still waits for them is told so.
    pub(crate) tried: HashSet<String>,
    /// Records not to be looked at again before something has happened.
    pub(crate) resting: HashMap<(String, RecordRef), Rest>,
    /// Writes without an outcome that may be sent again as they were, and no other way.
    pub(crate) repeatable: HashMap<(String, RecordRef), OpenWrite>,
    /// Of these, the ones that nothing has wanted so far: what needs the record may still have its turn.
    pub(crate) unwanted: BTreeSet<(String, RecordRef)>,
    /// Records whose open write was sent again in this run: once is enough.
    pub(crate) repeated: HashSet<(String, RecordRef)>,
    /// Records whose write was sent in vain in this run: after a second time they wait for the next one.
    pub(crate) in_vain: HashSet<(String, RecordRef)>,
    /// With which stamp the records at hand were due.
    pub(crate) stamps: HashMap<RecordRef, u64>,
    /// Why the links are rebuilt, if they are.
    pub(crate) rebuild: Option<Rebuild>,
    /// How many records are decided on together.
    pub(crate) page: u32,
    problems: Mutex<Vec<Problem>>,
    /// What of a side kept the run from something.
    faults: Mutex<Vec<Fault>>,
    pub(crate) only: Option<BTreeSet<RecordRef>>,
    /// The import that this is a run of.
    pub(crate) importing: Option<Importing>,
    /// The initial sync, of a run that is a part of it.
    pub(crate) initial: Option<InitialSync>,
    /// What its present stage leaves aside, by flow.
    pub(crate) aside: BTreeMap<String, Waiting>,
    pub(crate) planner: Option<Planner>,
}

/// Until when a record rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// The closing pull.
    Confirmed,
    /// The settling of its open write.
    Settled,
    /// The next run.
    NextRun,
}

/// Makes one run: now, or by joining the one that is under way.
///
/// # Errors
/// [`EngineError`] when the run could not be made at all; what could not be done within it is in the report.
pub async fn sync(connection: &Connection, options: RunOptions) -> Result<RunReport, EngineError> {
    Ok(Box::pin(conduct(connection, &options)).await?.0)
}

/// Makes one run; gives its report, and for one that recovers, what would be written if writes weren't stopped.
pub(crate) async fn conduct(
    connection: &Connection,
    options: &RunOptions,
) -> Result<(RunReport, Option<Plan>), EngineError> {
    let flows = chosen(connection, &options.flows)?;
    let lease = match take(
        connection,
        &flows,
        options.meanwhile(),
        lease_time(&connection.store),
    )
    .await?
    {
        Taken::Lease(lease) => lease,
        Taken::Joined(report) => return Ok((*report, None)),
    };
    let mut run = Run::new(connection, options, lease);
    run.lease.set_run(&run.id).await?;
    if options.recovers.is_some() {
        run.begin_recovery().await?;
    }
    if let Some(import) = options.import
        && let Some(report) = run.take_up(import).await?
    {
        run.release().await?;
        return Ok((report, None));
    }
    let started = connection.timer.now();
    let sent_before = (connection.sent)();
    let names = flows.iter().map(|flow| flow.name().to_owned()).collect();
    run.say(Fact::RunStarted {
        trigger: options.trigger.clone(),
        flows: names,
        limited: !options.only.is_empty() || options.plan.is_some() || options.import.is_some(),
    })
    .await?;
    let result = while_held(
        run.lease(),
        connection,
        Box::pin(run.carry_out(&flows, options)),
    )
    .await;
    let seconds = connection.timer.now().duration_since(started).as_secs_f64();
    // What left a part unread, or was of some flows alone, is no reading of the whole.
    let read_all =
        options.only.is_empty() && flows.len() == connection.flows.len() && run.unread.is_empty();
    if options.whole && read_all && result.is_ok() {
        run.remember_whole_read(started).await?;
    }
    let ended = result.as_ref().map(drop);
    let report = run.report(&sent_before, seconds, ended).await;
    let released = run.release().await;
    let plan = result?;
    released?;
    Ok((report?, plan))
}

/// What a run would do, touching nothing on either side.
///
/// # Errors
/// [`EngineError`] when a side can't be read.
pub async fn plan(connection: &Connection, options: RunOptions) -> Result<Plan, EngineError> {
    let flows = chosen(connection, &options.flows)?;
    let lease = match take(
        connection,
        &flows,
        Meanwhile::Refuse,
        lease_time(&connection.store),
    )
    .await?
    {
        Taken::Lease(lease) => lease,
        Taken::Joined(_) => return Err(EngineError::Busy("a run is under way".to_owned())),
    };
    let mut run = Run::new(connection, &options, lease);
    let result = while_held(
        run.lease(),
        connection,
        Box::pin(run.make_plan(&flows, &options)),
    )
    .await;
    let released = run.release().await;
    let plan = result?;
    released?;
    Ok(plan)
}

/// The flows that were named, in their own order.
fn chosen<'a>(
    connection: &'a Connection,
    names: &[String],
) -> Result<Vec<&'a dyn Flow>, EngineError> {
    for name in names {
        if connection.flow(name).is_none() {
            let known: Vec<_> = connection.flows.iter().map(|flow| flow.name()).collect();
            let known = known.join(", ");
            return Err(EngineError::UnknownFlow {
                name: name.clone(),
                known,
            });
        }
    }
    Ok(connection
        .flows
        .iter()
        .map(AsRef::as_ref)
        .filter(|flow| names.is_empty() || names.iter().any(|name| name == flow.name()))
        .collect())
}

impl<'a> Run<'a> {
    pub(crate) fn new(connection: &'a Connection, options: &RunOptions, lease: Lease) -> Self {
        Self {
            connection,
            id: RunId::new(&options.id),
            lease: Arc::new(lease),
            flows: options.flows.clone(),
            overlay: Overlay::default(),
            barred: BTreeMap::new(),
            stopped: None,
            facts: connection.facts(),
            evidence_given: AtomicBool::new(false),
            written: 0,
            read_back: 0,
            unread: Unread::new(),
            tried: HashSet::new(),
            resting: HashMap::new(),
            repeatable: HashMap::new(),
            unwanted: BTreeSet::new(),
            repeated: HashSet::new(),
            in_vain: HashSet::new(),
            stamps: HashMap::new(),
            problems: Mutex::default(),
            faults: Mutex::default(),
            only: None,
            rebuild: options.recovers,
            page: options.page.max(1),
            importing: None,
            initial: None,
            aside: BTreeMap::new(),
            planner: None,
        }
    }

    /// An empty commit of this run.
    pub(crate) fn commit(&self) -> Commit {
        Commit {
            fence: Some(self.lease.fence),
            actor: self.connection.actor.clone(),
            run: Some(self.id.clone()),
            ..Commit::default()
        }
    }

    /// Renews the lease when half of it has passed.
    pub(crate) async fn keep_lease(&self) -> Result<(), EngineError> {
        let Connection { holding, timer, .. } = self.connection;
        if holding.left(&**timer) < self.lease.time() / 2 {
            self.lease.renew().await?;
            holding.extend(self.lease.until(), self.lease.until_uptime());
        }
        Ok(())
    }

    /// Gives the connection back.
    pub(crate) async fn release(self) -> Result<(), EngineError> {
        let released = match Arc::into_inner(self.lease) {
            Some(lease) => lease.release().await,
            None => Ok(()),
        };
        (self.connection.at_rest)().await;
        Ok(released?)
    }

    /// The lease, to be [kept](while_held) beside the run.
    pub(crate) fn lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease)
    }

    /// Whether a flow was asked for.
    pub(crate) fn includes(&self, flow: &str) -> bool {
        self.flows.is_empty() || self.flows.iter().any(|name| name == flow)
    }

    pub(crate) async fn say(&self, fact: Fact) -> Result<(), EngineError> {
        self.connection
            .store
            .commit(Commit {
                facts: vec![fact],
                ..self.commit()
            })
            .await?;
        Ok(())
    }

    /// Notes what could not be done. The same thing is noted once.
    pub(crate) fn problem(&self, fault: &Fault, side: Side, side_failed: bool) {
        let system = self.connection.sides.of(side).system;
        if side_failed {
            self.hindered_by(fault);
        }
        self.note(Problem {
            code: fault.code(),
            cause: format!("{system}: {fault}"),
            side_failed,
        });
    }

    /// Notes a record that can't be read.
    pub(crate) fn problem_record(&self, side: Side, kind: Kind, id: &RemoteId, cause: &str) {
        let system = self.connection.sides.of(side).system;
        let cause = format!("{system}: {kind} {id} can't be read: {cause}");
        self.note(Problem {
            code: Code::new("drift"),
            cause,
            side_failed: false,
        });
    }

    /// What could not be done so far.
    pub(crate) fn problems(&self) -> MutexGuard<'_, Vec<Problem>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What of a side kept the run from something so far.
    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A side kept the run from something.
    pub(crate) fn hindered_by(&self, fault: &Fault) {
        self.faults().push(fault.clone());
    }

    pub(crate) fn note(&self, problem: Problem) {
        let mut problems = self.problems();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Looks what stops the connection's writes now, and heeds it. It is the store that refuses an attempt
    /// under a stop: this is so that nothing is even intended.
    pub(crate) async fn heed_stops(&mut self) -> Result<(), EngineError> {
        let mut stops = self.connection.store.stops().await?;
        // A recovery is what decides otherwise; a pause only waits.
        stops.sort_by_key(|stop| stop.kind == StopKind::Paused);
        if let Some(stop) = stops.into_iter().next() {
            self.stop(stop);
        }
        Ok(())
    }

    /// Writes nothing for the rest of the run. Gives what the records say that something was wanted for.
    pub(crate) fn stop(&mut self, stop: Stop) -> Fault {
        let fault = Fault::Later {
            code: stop.code(),
            cause: stop.to_string(),
            after: None,
        };
        self.bar(Side::Ledger, fault.clone());
        self.bar(Side::Platform, fault.clone());
        self.stopped.get_or_insert(stop);
        fault
    }

    /// Stops writing to a side for the rest of the run.
    pub(crate) fn bar(&mut self, side: Side, fault: Fault) {
        // A stop of our own says nothing of a side, and has no time at which it ends.
        if let Fault::Denied { .. } | Fault::Later { after: Some(_), .. } = fault {
            self.hindered_by(&fault);
        }
        self.barred.entry(side).or_insert(fault);
    }

    pub(crate) fn rest_until_confirmed(&mut self, flow: &str, record: RecordRef) {
        self.resting
            .insert((flow.to_owned(), record), Rest::Confirmed);
    }

    pub(crate) fn rest_until_settled(&mut self, flow: &str, record: RecordRef) {
        self.resting
            .insert((flow.to_owned(), record), Rest::Settled);
    }

    pub(crate) fn rest_until_next_run(&mut self, flow: &str, record: RecordRef) {
        self.resting
            .insert((flow.to_owned(), record), Rest::NextRun);
    }

    /// The open write of a record has been settled: it may be looked at again.
    pub(crate) fn settled(&mut self, flow: &str, record: &RecordRef) {
        let key = (flow.to_owned(), record.clone());
        self.resting.remove(&key);
        self.repeatable.remove(&key);
    }

    /// Its write was certainly not carried out: it may be decided on again, but not for ever in one run. A side that
    /// answers no write is not asked again and again.
    pub(crate) fn sent_in_vain(&mut self, flow: &str, record: &RecordRef) {
        self.settled(flow, record);
        if !self.in_vain.insert((flow.to_owned(), record.clone())) {
            self.rest_until_next_run(flow, record.clone());
        }
    }

    /// The record may be looked at again, and its open write sent again if it is decided on once more.
    pub(crate) fn may_repeat(&mut self, write: OpenWrite) {
        let key = (write.flow.clone(), write.record.clone());
        if !self.repeated.contains(&key) {
            self.resting.remove(&key);
            self.repeatable.insert(key, write);
        }
    }

    /// That a record of the present page has been looked at. Nothing if it was not due by the store.
    pub(crate) fn looked_at(&self, flow: &str, record: &RecordRef) -> Option<Settled> {
        let stamp = *self.stamps.get(record)?;
        Some(Settled {
            due: Due {
                flow: flow.to_owned(),
                record: record.clone(),
            },
            stamp,
        })
    }

    /// States that are not said yet: what is said again and again makes the history grow for nothing.
    pub(crate) async fn news(&self, facts: Vec<Fact>) -> Result<Vec<Fact>, EngineError> {
        let mut records: BTreeMap<&str, Vec<RecordRef>> = BTreeMap::new();
        for fact in &facts {
            if let Fact::Stated { flow, record, .. } = fact {
                records.entry(flow).or_default().push(record.clone());
            }
        }
        let mut said = HashMap::new();
        for (flow, records) in records {
            for (record, item) in self.connection.store.items(flow, &records).await? {
                said.insert((flow.to_owned(), record), item);
            }
        }
        let importing = self.importing.as_ref();
        let is_news = |fact: &Fact| match fact {
            Fact::Stated { record, .. } if importing.is_some_and(|it| it.says(record)) => true,
            Fact::Stated {
                flow,
                record,
                outcome,
                label,
                amount,
            } => said
                .get(&(flow.clone(), record.clone()))
                .is_none_or(|item| {
                    (&item.outcome, &item.label, &item.amount) != (outcome, label, amount)
                }),
            _ => true,
        };
        Ok(facts.into_iter().filter(is_news).collect())
    }

    async fn carry_out(
        &mut self,
        flows: &[&dyn Flow],
        options: &RunOptions,
    ) -> Result<Option<Plan>, EngineError> {
        self.connection.sides.run_begins();
        self.heed_stops().await?;
        let kinds = to_read(flows);
        let depth = if options.whole {
            Depth::Whole
        } else {
            Depth::Changes
        };
        settle(self).await?;
        self.take_up_initial(options).await?;
        self.connection.progress.begin("reading", None);
        let unread = pull(self, &kinds, depth).await?;
        self.connection.progress.end();
        self.wake(flows).await?;
        self.heed_stops().await?;
        let flows = self.readable(flows, &unread);
        self.unread = unread;
        self.find_only(&options.only).await?;
        self.begin_import().await?;
        let periods = self.periods(&flows).await?;
        if let Some(expected) = &options.plan {
            let plan = self.plan_now(&flows, &periods).await?;
            expected.compare(&plan).map_err(EngineError::PlanOutdated)?;
            self.planner = None;
            self.forget_pretences();
        }
        if options.recovers.is_some() {
            propose_read(self, false).await?;
            self.relink(&flows, &periods).await?;
        }
        self.close_stages(&flows, &periods).await?;
        for _ in 0..CONFIRMATIONS_MAX {
            let written = self.written;
            self.confirm(&flows).await?;
            self.close_stages(&flows, &periods).await?;
            if self.written == written {
                break;
            }
        }
        self.end_import(&flows).await?;
        if options.recovers.is_none() {
            return Ok(None);
        }
        self.forget_pretences();
        for flow in &flows {
            self.connection
                .store
                .mark_holds_due(flow.name(), &[])
                .await?;
        }
        self.plan_now(&flows, &periods).await.map(Some)
    }

    /// Looks at everything twice: what is known again by its vendor can be so only once the vendor is.
    async fn relink(&mut self, flows: &[&dyn Flow], periods: &[Period]) -> Result<(), EngineError> {
        for _ in 0..2 {
            for flow in flows {
                self.connection.store.mark_all_due(flow.name()).await?;
                for (side, kind) in flow.population() {
                    let store = &self.connection.store;
                    store.mark_records_due(flow.name(), *side, *kind).await?;
                }
            }
            self.close_differences(flows, periods).await?;
        }
        Ok(())
    }

    async fn make_plan(
        &mut self,
        flows: &[&dyn Flow],
        options: &RunOptions,
    ) -> Result<Plan, EngineError> {
        self.connection.sides.run_begins();
        self.heed_stops().await?;
        self.take_up_initial(options).await?;
        self.connection.progress.begin("reading", None);
        let depth = if options.whole {
            Depth::Whole
        } else {
            Depth::Changes
        };
        let unread = pull(self, &to_read(flows), depth).await?;
        self.connection.progress.end();
        self.wake(flows).await?;
        if let Some(((side, _), fault)) = unread.into_iter().next() {
            return Err(self.connection.sides.failed(side, fault));
        }
        self.find_only(&options.only).await?;
        let periods = self.periods(flows).await?;
        self.plan_now(flows, &periods).await
    }

    async fn plan_now(
        &mut self,
        flows: &[&dyn Flow],
        periods: &[Period],
    ) -> Result<Plan, EngineError> {
        for write in self.connection.store.open_writes().await? {
            self.rest_until_settled(&write.flow, write.record);
        }
        for flow in flows {
            self.connection.store.mark_waits_due(flow.name()).await?;
        }
        self.planner = Some(Planner::default());
        self.close_differences(flows, periods).await?;
        let names: Vec<_> = flows.iter().map(|flow| flow.name()).collect();
        let planner = self.planner.take().unwrap_or_default();
        let stops = self.connection.store.stops().await?;
        let plan = planner.finish(self.connection.store.name().as_str(), &names);
        let records: Vec<RecordRef> = plan.steps.iter().map(|it| it.record.clone()).collect();
        Ok(Plan {
            stops,
            later: self.to_come_later(&records).await?,
            cost: Some(self.cost(flows, &plan.steps).await?),
            ..plan
        })
    }

    /// What a plan pretended is forgotten before it is done for real.
    fn forget_pretences(&mut self) {
        self.overlay = Overlay::default();
        self.tried.clear();
        // Records whose write is open rest in earnest.
        self.resting.retain(|_, rest| *rest == Rest::Settled);
    }

    /// The flows that can go on although some kinds could not be read.
    fn readable<'f>(&self, flows: &[&'f dyn Flow], unread: &Unread) -> Vec<&'f dyn Flow> {
        for ((side, _), fault) in unread {
            let shut = matches!(fault, Fault::Denied { .. } | Fault::Later { .. });
            self.problem(fault, *side, shut);
        }
        flows
            .iter()
            .filter(|flow| {
                !to_read(&[**flow])
                    .iter()
                    .any(|kind| unread.contains_key(kind))
            })
            .copied()
            .collect()
    }

    /// Turns the names given with `--only` into records.
    async fn find_only(&mut self, names: &[String]) -> Result<(), EngineError> {
        if names.is_empty() {
            return Ok(());
        }
        let mut only = BTreeSet::new();
        for name in names {
            if let Ok(record) = name.parse() {
                only.insert(record);
                continue;
            }
            let found = self.connection.store.find(name, 20).await?;
            if found.is_empty() {
                return Err(EngineError::UnknownRecord(format!(
                    "`{name}` is no record that is known; give an id, a number, or `ledger/bill/4711`"
                )));
            }
            only.extend(found.into_iter().map(|(record, _)| record));
        }
        self.only = Some(only);
        Ok(())
    }

    /// Posting periods are read where payments are posted, or payouts deposited.
    async fn periods(&self, flows: &[&dyn Flow]) -> Result<Vec<Period>, EngineError> {
        const POSTED: [Kind; 3] = [Kind::Payment, Kind::CustomerPayment, Kind::Deposit];
        let mut written = flows.iter().flat_map(|flow| flow.writes());
        if !written.any(|(side, kind)| *side == Side::Ledger && POSTED.contains(kind)) {
            return Ok(Vec::new());
        }
        match self.connection.sides.ledger.whole.periods().await {
            Ok(periods) => Ok(periods),
            Err(fault) => Err(self.connection.sides.failed(Side::Ledger, fault)),
        }
    }

    /// The closing pull: reads back what was written. Tells whether it could.
    pub(crate) async fn confirm(&mut self, flows: &[&dyn Flow]) -> Result<bool, EngineError> {
        if self.written == self.read_back {
            return Ok(true);
        }
        let written = self.written;
        let kinds: Vec<_> = flows
            .iter()
            .flat_map(|flow| flow.writes())
            .filter(|kind| !self.unread.contains_key(kind))
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        self.connection.progress.begin("confirming", None);
        let unread = pull(self, &kinds, Depth::Changes).await?;
        self.connection.progress.end();
        self.heed_stops().await?;
        for ((side, _), fault) in &unread {
            self.problem(fault, *side, false);
        }
        if unread.is_empty() {
            self.read_back = written;
            self.resting.retain(|_, rest| *rest != Rest::Confirmed);
        }
        Ok(unread.is_empty())
    }
}
