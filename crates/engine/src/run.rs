//! One run of one connection, from lease to report.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tieout_domain::code::Code;
use tieout_domain::port::Depth;
use tieout_domain::{
    Fault, Kind, Money, Outcome, Period, RecordRef, RemoteId, Side, State, Timer, WaitsFor,
};
use tieout_flows::{Books, Flow, Link, Verdict};
use tieout_store::{Commit, Due, Fact, ItemFilter, Lease, OpenWrite, RunId, Settled, StoreError};

use crate::apply::{Intent, apply, mapped, order};
use crate::decide::{Decision, decide, maps};
use crate::error::EngineError;
use crate::join::{Meanwhile, Taken, take};
use crate::overlay::Overlay;
use crate::plan::{Plan, Planner};
use crate::pull::{Unread, in_population, pull};
use crate::report::{FlowCounts, Problem, RunReport, RunStatus};
use crate::settle::{give_up, keep_open, settle};
use crate::Connection;

/// How long a lease lasts without being renewed. Longer than any remote call's deadline.
const LEASE: Duration = Duration::from_secs(300);

/// How many records are decided on at once: six full bulk calls of bills, two for each call under way.
const PAGE: u32 = 600;

/// How often the flows are gone through before a run gives up on becoming quiet. Each level of a chart of
/// accounts takes one, and a bill with a new vendor two.
const ROUNDS_MAX: usize = 24;

/// How often the closing pull is followed by another look.
const CONFIRMATIONS_MAX: usize = 3;

/// Under this name the store remembers by what rules the last run decided.
const RULES: &str = "rules";

/// What to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// What set it off: `command`, `schedule`, `demo`.
    pub trigger: String,
    /// Only these flows; all if empty.
    pub flows: Vec<String>,
    /// Only these records, by `ledger/bill/4711`, id or number, and what they depend on; all if empty.
    pub only: Vec<String>,
    /// Do exactly this plan, or refuse.
    pub plan: Option<Plan>,
    /// Read what changed, or everything again.
    pub whole: bool,
    /// The run's id: unique, chosen by the caller.
    pub id: String,
}

impl RunOptions {
    /// An ordinary run.
    pub fn new(id: impl Into<String>, trigger: impl Into<String>) -> Self {
        Self {
            trigger: trigger.into(),
            flows: Vec::new(),
            only: Vec::new(),
            plan: None,
            whole: false,
            id: id.into(),
        }
    }
}

impl RunOptions {
    /// What another run that is under way is good for: an ordinary one does what an ordinary one would do.
    fn meanwhile(&self) -> Meanwhile {
        if self.plan.is_some() {
            Meanwhile::Refuse
        } else if self.only.is_empty() && !self.whole {
            Meanwhile::Join
        } else {
            Meanwhile::Wait
        }
    }
}

/// A run under way.
pub(crate) struct Run<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) id: RunId,
    lease: Arc<Lease>,
    /// The flows that were asked for; all if empty.
    flows: Vec<String>,
    pub(crate) overlay: Overlay,
    /// Sides that can't be written to for the rest of the run, and why.
    pub(crate) paused: BTreeMap<Side, Fault>,
    /// How many writes were applied.
    pub(crate) written: u64,
    /// Waits whose list flow has had its turn: who still waits for them is told so.
    tried: HashSet<String>,
    /// Records not to be looked at again before something has happened.
    resting: HashMap<(String, RecordRef), Rest>,
    /// Writes without an outcome that may be sent again as they were, and no other way.
    repeatable: HashMap<(String, RecordRef), OpenWrite>,
    /// Records whose open write was sent again in this run: once is enough.
    repeated: HashSet<(String, RecordRef)>,
    /// With which stamp the records at hand were due.
    stamps: HashMap<RecordRef, u64>,
    problems: RefCell<Vec<Problem>>,
    only: Option<BTreeSet<RecordRef>>,
    planner: Option<Planner>,
}

/// Until when a record rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// The closing pull.
    Confirmed,
    /// The settling of its open write.
    Settled,
    /// The next run.
    NextRun,
}

/// A record that is there already, to be linked without writing.
pub(crate) struct Adopted {
    pub(crate) label: String,
    pub(crate) amount: Option<Money>,
    pub(crate) how: &'static str,
    pub(crate) link: Link,
}

/// Makes one run: now, or by joining the one that is under way.
///
/// # Errors
/// [`EngineError`] when the run could not be made at all; what could not be done within it is in the report.
pub async fn sync(
    connection: &Connection,
    options: RunOptions,
) -> Result<RunReport, EngineError> {
    let flows = chosen(connection, &options.flows)?;
    let lease = match take(connection, &flows, options.meanwhile(), LEASE).await? {
        Taken::Lease(lease) => lease,
        Taken::Joined(report) => return Ok(*report),
    };
    let mut run = Run::new(connection, &options, lease);
    run.lease.set_run(&run.id).await?;
    let started = connection.timer.now();
    let calls_before = (connection.calls)();
    let names = flows.iter().map(|flow| flow.name().to_owned()).collect();
    run.say(Fact::RunStarted { trigger: options.trigger.clone(), flows: names }).await?;
    let result =
        while_held(run.lease(), &connection.timer, run.carry_out(&flows, &options)).await;
    let seconds = connection.timer.now().duration_since(started).as_secs_f64();
    let report = run.report(calls_before, seconds, &result).await;
    let released = run.release().await;
    result?;
    released?;
    report
}

/// What a run would do, touching nothing on either side.
///
/// # Errors
/// [`EngineError`] when a side can't be read.
pub async fn plan(connection: &Connection, options: RunOptions) -> Result<Plan, EngineError> {
    let flows = chosen(connection, &options.flows)?;
    let lease = match take(connection, &flows, Meanwhile::Refuse, LEASE).await? {
        Taken::Lease(lease) => lease,
        Taken::Joined(_) => return Err(EngineError::Busy("a run is under way".to_owned())),
    };
    let mut run = Run::new(connection, &options, lease);
    let result =
        while_held(run.lease(), &connection.timer, run.make_plan(&flows, &options)).await;
    let released = run.release().await;
    let plan = result?;
    released?;
    Ok(plan)
}

/// Works while the lease is renewed beside it, however long a single call takes; stops at once when the lease
/// has passed to somebody else.
pub(crate) async fn while_held<T>(
    lease: Arc<Lease>,
    timer: &Arc<dyn Timer>,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let lost = async {
        loop {
            timer.sleep(LEASE / 3).await;
            match lease.renew().await {
                Ok(()) => {}
                Err(error @ StoreError::Fenced { .. }) => return error,
                Err(error) if lease.until() <= timer.now() => return error,
                // The store may answer next time; there is time left.
                Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
            }
        }
    };
    let (work, lost) = (std::pin::pin!(work), std::pin::pin!(lost));
    match futures::future::select(work, lost).await {
        futures::future::Either::Left((result, _)) => result,
        futures::future::Either::Right((error, _)) => Err(error.into()),
    }
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
            return Err(EngineError::UnknownFlow { name: name.clone(), known });
        }
    }
    Ok(connection
        .flows
        .iter()
        .map(AsRef::as_ref)
        .filter(|flow| names.is_empty() || names.iter().any(|name| name == flow.name()))
        .collect())
}

/// What must be read for these flows: what they look at, what they write, and for payments the bills that
/// they pay and the accounts that fund them.
fn to_read(flows: &[&dyn Flow]) -> Vec<(Side, Kind)> {
    let mut kinds = BTreeSet::new();
    for flow in flows {
        kinds.extend(flow.population().iter().chain(flow.writes()).copied());
    }
    if kinds.iter().any(|(_, kind)| *kind == Kind::Payment) {
        kinds.extend([(Side::Ledger, Kind::Bill), (Side::Platform, Kind::Bill)]);
        kinds.insert((Side::Platform, Kind::FundingAccount));
    }
    kinds.into_iter().collect()
}

impl<'a> Run<'a> {
    pub(crate) fn new(connection: &'a Connection, options: &RunOptions, lease: Lease) -> Self {
        Self {
            connection,
            id: RunId::new(&options.id),
            lease: Arc::new(lease),
            flows: options.flows.clone(),
            overlay: Overlay::default(),
            paused: BTreeMap::new(),
            written: 0,
            tried: HashSet::new(),
            resting: HashMap::new(),
            repeatable: HashMap::new(),
            repeated: HashSet::new(),
            stamps: HashMap::new(),
            problems: RefCell::default(),
            only: None,
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
        let left = self.lease.until().duration_since(self.connection.timer.now());
        if Duration::try_from(left).unwrap_or_default() < LEASE / 2 {
            self.lease.renew().await?;
        }
        Ok(())
    }

    /// Gives the connection back.
    pub(crate) async fn release(self) -> Result<(), EngineError> {
        match Arc::into_inner(self.lease) {
            Some(lease) => Ok(lease.release().await?),
            None => Ok(()),
        }
    }

    /// The lease, to be [kept](while_held) beside the run.
    pub(crate) fn lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease)
    }

    /// Whether a flow was asked for.
    pub(crate) fn includes(&self, flow: &str) -> bool {
        self.flows.is_empty() || self.flows.iter().any(|name| name == flow)
    }

    async fn say(&self, fact: Fact) -> Result<(), EngineError> {
        self.connection.store.commit(Commit { facts: vec![fact], ..self.commit() }).await?;
        Ok(())
    }

    /// Notes what could not be done. The same thing is noted once.
    pub(crate) fn problem(&self, fault: &Fault, side: Side, side_failed: bool) {
        let system = self.connection.sides.of(side).system;
        self.note(Problem { code: fault.code(), cause: format!("{system}: {fault}"), side_failed });
    }

    /// Notes a record that can't be read.
    pub(crate) fn problem_record(&self, side: Side, kind: Kind, id: &RemoteId, cause: &str) {
        let system = self.connection.sides.of(side).system;
        let cause = format!("{system}: {kind} {id} can't be read: {cause}");
        self.note(Problem { code: Code::new("drift"), cause, side_failed: false });
    }

    fn note(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Stops writing to a side for the rest of the run.
    pub(crate) fn pause(&mut self, side: Side, fault: Fault) {
        self.paused.entry(side).or_insert(fault);
    }

    pub(crate) fn rest_until_confirmed(&mut self, flow: &str, record: RecordRef) {
        self.resting.insert((flow.to_owned(), record), Rest::Confirmed);
    }

    pub(crate) fn rest_until_settled(&mut self, flow: &str, record: RecordRef) {
        self.resting.insert((flow.to_owned(), record), Rest::Settled);
    }

    pub(crate) fn rest_until_next_run(&mut self, flow: &str, record: RecordRef) {
        self.resting.insert((flow.to_owned(), record), Rest::NextRun);
    }

    /// The open write of a record has been settled: it may be looked at again.
    pub(crate) fn settled(&mut self, flow: &str, record: &RecordRef) {
        let key = (flow.to_owned(), record.clone());
        self.resting.remove(&key);
        self.repeatable.remove(&key);
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
        Some(Settled { due: Due { flow: flow.to_owned(), record: record.clone() }, stamp })
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
        let is_news = |fact: &Fact| match fact {
            Fact::Stated { flow, record, outcome, label, amount } => said
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
    ) -> Result<(), EngineError> {
        self.connection.sides.run_begins();
        let kinds = to_read(flows);
        let depth = if options.whole { Depth::Whole } else { Depth::Changes };
        settle(self).await?;
        self.wake(flows).await?;
        self.connection.progress.begin("reading", None);
        let unread = pull(self, &kinds, depth).await?;
        self.connection.progress.end();
        let flows = self.readable(flows, &unread);
        self.find_only(&options.only).await?;
        let periods = self.periods(&flows).await?;
        if let Some(expected) = &options.plan {
            let plan = self.plan_now(&flows, &periods).await?;
            expected.compare(&plan).map_err(EngineError::PlanOutdated)?;
            self.planner = None;
            self.forget_pretences();
        }
        self.close_differences(&flows, &periods).await?;
        for _ in 0..CONFIRMATIONS_MAX {
            let written = self.written;
            self.confirm(&flows, &unread).await?;
            self.close_differences(&flows, &periods).await?;
            if self.written == written {
                break;
            }
        }
        Ok(())
    }

    /// Makes due what no change of a record would: what is on HOLD for a date, a period or an approval, and
    /// everything after the rules have changed.
    async fn wake(&self, flows: &[&dyn Flow]) -> Result<(), EngineError> {
        let store = &self.connection.store;
        for flow in flows {
            store.mark_holds_due(flow.name()).await?;
        }
        let rules = self.connection.rules().to_string();
        if store.remembered(RULES).await?.as_ref() == Some(&rules) {
            return Ok(());
        }
        for flow in &self.connection.flows {
            store.mark_all_due(flow.name()).await?;
            for (side, kind) in flow.population() {
                store.mark_records_due(flow.name(), *side, *kind).await?;
            }
        }
        let remember = vec![(RULES.to_owned(), rules)];
        store.commit(Commit { remember, ..self.commit() }).await?;
        Ok(())
    }

    async fn make_plan(
        &mut self,
        flows: &[&dyn Flow],
        options: &RunOptions,
    ) -> Result<Plan, EngineError> {
        self.connection.sides.run_begins();
        self.wake(flows).await?;
        self.connection.progress.begin("reading", None);
        let depth = if options.whole { Depth::Whole } else { Depth::Changes };
        let unread = pull(self, &to_read(flows), depth).await?;
        self.connection.progress.end();
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
        self.planner = Some(Planner::default());
        self.close_differences(flows, periods).await?;
        let names: Vec<_> = flows.iter().map(|flow| flow.name()).collect();
        let planner = self.planner.take().unwrap_or_default();
        Ok(planner.finish(self.connection.store.name().as_str(), &names))
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
            .filter(|flow| !to_read(&[**flow]).iter().any(|kind| unread.contains_key(kind)))
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

    /// Posting periods are read where payments are posted.
    async fn periods(&self, flows: &[&dyn Flow]) -> Result<Vec<Period>, EngineError> {
        if !flows.iter().any(|flow| flow.writes().contains(&(Side::Ledger, Kind::Payment))) {
            return Ok(Vec::new());
        }
        match self.connection.sides.ledger.whole.periods().await {
            Ok(periods) => Ok(periods),
            Err(fault) => Err(self.connection.sides.failed(Side::Ledger, fault)),
        }
    }

    /// Goes through the flows until none has anything left to do.
    async fn close_differences(
        &mut self,
        flows: &[&dyn Flow],
        periods: &[Period],
    ) -> Result<(), EngineError> {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for flow in flows {
                moved |= self.drain(*flow, flows, periods).await?;
            }
            if !moved {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks at everything of one flow that is due. Tells whether anything came of it.
    async fn drain(
        &mut self,
        flow: &dyn Flow,
        flows: &[&dyn Flow],
        periods: &[Period],
    ) -> Result<bool, EngineError> {
        let mut again = HashSet::new();
        let mut after = None;
        let demanded = self.overlay.due.remove(flow.name()).unwrap_or_default();
        let total = self.connection.store.due_count(flow.name()).await?;
        self.connection.progress.begin(flow.name(), Some(total));
        let base = Books::new(
            self.connection.facts(),
            self.connection.preferences.clone(),
            maps(&self.connection.store).await?,
            periods.to_vec(),
        );
        let mut extra: Vec<RecordRef> = demanded.iter().cloned().collect();
        loop {
            let due = self.connection.store.due_page(flow.name(), after.as_ref(), PAGE).await?;
            after = due.last().map(|(record, _)| record.clone());
            let last = due.is_empty();
            self.stamps = due.into_iter().collect();
            let mut page: Vec<RecordRef> = self.stamps.keys().cloned().collect();
            page.extend(std::mem::take(&mut extra));
            page.retain(|record| self.is_wanted(flow, record, &demanded));
            // What is due and demanded too must not be decided on twice: it would be written twice.
            page.sort();
            page.dedup();
            if !page.is_empty() {
                let decisions =
                    decide(&self.connection.store, flow, &page, &base, &self.overlay).await?;
                again.extend(self.follow(flow, flows, decisions).await?);
            }
            if last {
                break;
            }
        }
        self.connection.progress.end();
        let moved = !again.is_empty();
        for record in demanded {
            if again.contains(&record) {
                self.overlay.due.entry(flow.name().to_owned()).or_default().insert(record);
            } else {
                // It has had its turn: whoever still waits for it is told so from now on.
                self.tried.insert(waits_for(flow.name(), &record));
            }
        }
        Ok(moved)
    }

    fn is_wanted(
        &self,
        flow: &dyn Flow,
        record: &RecordRef,
        demanded: &BTreeSet<RecordRef>,
    ) -> bool {
        let key = (flow.name().to_owned(), record.clone());
        if self.resting.contains_key(&key) {
            return false;
        }
        if self.planner.as_ref().is_some_and(|planner| planner.has_rested(&key)) {
            return demanded.contains(record);
        }
        self.only.as_ref().is_none_or(|only| only.contains(record) || demanded.contains(record))
    }

    /// Does what was decided, or in a plan pretends to. Gives the records that must be looked at again.
    async fn follow(
        &mut self,
        flow: &dyn Flow,
        flows: &[&dyn Flow],
        decisions: Vec<Decision>,
    ) -> Result<Vec<RecordRef>, EngineError> {
        let mut again = Vec::new();
        let mut rested = Vec::new();
        let mut intents = Vec::new();
        let mut adopted = Vec::new();
        let mut repeated = Vec::new();
        for decision in decisions {
            let key = (flow.name().to_owned(), decision.record.clone());
            if let Verdict::Rest(outcome) = &decision.verdict
                && self.demands(outcome, flows)
            {
                again.push(decision.record);
                continue;
            }
            let open = self.repeatable.remove(&key);
            let mut same = None;
            if let Some(open) = open {
                match repeats(&open, &decision.verdict) {
                    Repeats::Same => {
                        self.repeated.insert(key);
                        same = Some(open.write);
                    }
                    Repeats::Found => repeated.push((open, true)),
                    Repeats::Other => {
                        repeated.push((open, false));
                        continue;
                    }
                }
            }
            match decision.verdict {
                Verdict::Rest(_) | Verdict::Elsewhere => rested.push(decision),
                Verdict::Adopt { target, role, how, key } => {
                    again.push(decision.record.clone());
                    adopted.push(Adopted {
                        label: decision.label,
                        amount: decision.amount,
                        how,
                        link: Link {
                            flow: flow.name().to_owned(),
                            record: decision.record,
                            role,
                            target,
                            key,
                            applied: None,
                        },
                    });
                }
                Verdict::Write(step) => intents.push(Intent {
                    flow: self.static_name(flow),
                    record: decision.record,
                    label: decision.label,
                    amount: decision.amount,
                    step: *step,
                    again: same,
                }),
            }
        }
        let any_adopted = !adopted.is_empty();
        if let Some(planner) = &mut self.planner {
            let overlay = &mut self.overlay;
            again.extend(planner.pretend(flow.name(), overlay, rested, intents, adopted));
            if any_adopted {
                let mut blocked = planner.blocked(flow.name());
                blocked.extend(self.blocked(flow).await?);
                self.overlay.due.entry(flow.name().to_owned()).or_default().extend(blocked);
            }
            return Ok(again);
        }
        let mut commit = self.commit();
        for (open, found) in repeated {
            if found {
                give_up(&mut commit, &open, "its record was found");
            } else {
                keep_open(self, &mut commit, open);
            }
        }
        for adopted in adopted {
            let Adopted { label, how, link, .. } = adopted;
            commit.due.push(Due { flow: link.flow.clone(), record: link.record.clone() });
            commit.facts.extend(mapped(&link.record, &label, &link.target, how));
            // It is no record of its own any more.
            commit.due.extend(in_population(self, &link.target));
            commit.facts.push(Fact::Linked {
                flow: link.flow,
                record: link.record,
                role: link.role,
                target: link.target,
                key: link.key,
                how: how.to_owned(),
                applied: None,
            });
        }
        if any_adopted {
            let is_blocked = |decision: &&Decision| match &decision.verdict {
                Verdict::Rest(outcome) => outcome.state == State::Blocked,
                _ => false,
            };
            let mut blocked = self.blocked(flow).await?;
            blocked.extend(rested.iter().filter(is_blocked).map(|d| d.record.clone()));
            let due = |record| Due { flow: flow.name().to_owned(), record };
            commit.due.extend(blocked.into_iter().map(due));
        }
        self.state(flow, flows, rested, &mut commit).await?;
        if !commit.facts.is_empty() || !commit.settled.is_empty() {
            self.connection.store.commit(commit).await?;
        }
        if !intents.is_empty() {
            let applied = apply(self, intents).await?;
            again.extend(applied.records);
            if !applied.unknown.is_empty() {
                settle(self).await?;
                again.extend(applied.unknown);
            }
        }
        Ok(again)
    }

    /// A flow's name with the lifetime of the connection's flows.
    fn static_name(&self, flow: &dyn Flow) -> &'static str {
        flow.name()
    }

    /// The records of a flow that are blocked. What was adopted is no candidate for them any more, so that
    /// one that is blocked over the choice may have none left: otherwise the end would depend on who was
    /// looked at first.
    async fn blocked(&self, flow: &dyn Flow) -> Result<Vec<RecordRef>, EngineError> {
        let filter = ItemFilter {
            flow: Some(flow.name().to_owned()),
            states: vec![State::Blocked],
            ..ItemFilter::default()
        };
        let mut blocked = Vec::new();
        let mut after: Option<(String, RecordRef)> = None;
        loop {
            let from = after.as_ref().map(|(flow, record)| (flow.as_str(), record));
            let page = self.connection.store.items_page(&filter, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(blocked) };
            after = Some((last.flow.clone(), last.record.clone()));
            blocked.extend(page.into_iter().map(|item| item.record));
        }
    }

    /// A record that waits for an account, dimension or vendor whose flow has not had its turn yet: let it
    /// have its turn before the record is told to wait.
    fn demands(&mut self, outcome: &Outcome, flows: &[&dyn Flow]) -> bool {
        let Some(waits) = &outcome.waits_for else { return false };
        let Some((list, record)) = awaited(waits) else { return false };
        let what = waits.to_string();
        if self.tried.contains(&what) || !flows.iter().any(|flow| flow.name() == list) {
            return false;
        }
        self.overlay.demanded.insert(what);
        self.overlay.due.entry(list).or_default().insert(record);
        true
    }

    /// States of records that rest: those that changed are said, all are settled.
    async fn state(
        &self,
        flow: &dyn Flow,
        flows: &[&dyn Flow],
        rested: Vec<Decision>,
        commit: &mut Commit,
    ) -> Result<(), EngineError> {
        let records: Vec<_> = rested.iter().map(|decision| decision.record.clone()).collect();
        let before = self.connection.store.items(flow.name(), &records).await?;
        for decision in rested {
            let item = before.get(&decision.record);
            commit.settled.extend(self.looked_at(flow.name(), &decision.record));
            match decision.verdict {
                Verdict::Rest(outcome) => {
                    // What a flow outside this run must bring about is due there, or it would never be told.
                    let awaited = outcome.waits_for.as_ref().and_then(awaited);
                    if let Some((list, record)) = awaited
                        && !flows.iter().any(|flow| flow.name() == list)
                    {
                        commit.due.push(Due { flow: list, record });
                    }
                    let same = item.is_some_and(|item| {
                        item.outcome == outcome
                            && item.label == decision.label
                            && item.amount == decision.amount
                    });
                    if !same {
                        commit.facts.push(Fact::Stated {
                            flow: flow.name().to_owned(),
                            record: decision.record,
                            outcome,
                            label: decision.label,
                            amount: decision.amount,
                        });
                    }
                }
                _ if item.is_some() => commit.facts.push(Fact::Forgotten {
                    flow: flow.name().to_owned(),
                    record: decision.record,
                }),
                _ => {}
            }
        }
        Ok(())
    }

    /// The closing pull: reads back what was written.
    async fn confirm(&mut self, flows: &[&dyn Flow], unread: &Unread) -> Result<(), EngineError> {
        if self.written == 0 {
            return Ok(());
        }
        let kinds: Vec<_> = flows
            .iter()
            .flat_map(|flow| flow.writes())
            .filter(|kind| !unread.contains_key(kind))
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        self.connection.progress.begin("confirming", None);
        let unread = pull(self, &kinds, Depth::Changes).await?;
        self.connection.progress.end();
        for ((side, _), fault) in &unread {
            self.problem(fault, *side, false);
        }
        if unread.is_empty() {
            self.resting.retain(|_, rest| *rest != Rest::Confirmed);
        }
        Ok(())
    }

    async fn report(
        &self,
        calls_before: BTreeMap<String, u64>,
        seconds: f64,
        result: &Result<(), EngineError>,
    ) -> Result<RunReport, EngineError> {
        if let Err(error) = result {
            let side_failed = matches!(error, EngineError::Side { .. });
            self.note(Problem { code: error.code(), cause: error.to_string(), side_failed });
        }
        let counts = self.connection.store.counts().await?;
        let flows: BTreeMap<String, FlowCounts> = self
            .connection
            .flows
            .iter()
            .map(|flow| {
                let counts = counts.get(flow.name()).copied().unwrap_or_default();
                (flow.name().to_owned(), FlowCounts::of(&counts))
            })
            .collect();
        let mut calls = (self.connection.calls)();
        for (system, count) in &mut calls {
            *count -= calls_before.get(system).copied().unwrap_or(0).min(*count);
        }
        let waiting = |counts: &FlowCounts| {
            State::ALL.iter().any(|state| state.needs_a_person() && counts.of_state(*state) > 0)
        };
        let problems = self.problems.borrow().clone();
        let status = if !problems.is_empty() {
            RunStatus::Failed
        } else if flows.values().any(waiting) {
            RunStatus::Exceptions
        } else {
            RunStatus::Done
        };
        let ended = Fact::RunEnded {
            status: status.as_str().to_owned(),
            flows: flows
                .iter()
                .map(|(flow, counts)| {
                    let counts = counts.0.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect();
                    (flow.clone(), counts)
                })
                .collect(),
            calls: calls.clone(),
            cause: problems.iter().map(|p| p.cause.as_str()).collect::<Vec<_>>().join("; "),
        };
        self.say(ended).await?;
        Ok(RunReport {
            id: self.id.to_string(),
            connection: self.connection.store.name().to_string(),
            status,
            flows,
            calls,
            seconds,
            written: self.written,
            joined: false,
            problems,
        })
    }
}

/// What a new decision says of a write that may be sent again.
enum Repeats {
    /// It is the very same write.
    Same,
    /// Its record has been found under the same key.
    Found,
    /// Something else is wanted by now: the write must have come to its end first.
    Other,
}

fn repeats(open: &OpenWrite, verdict: &Verdict) -> Repeats {
    match verdict {
        Verdict::Write(step) if step.role == open.role && order(step) == open.order => Repeats::Same,
        Verdict::Adopt { key: Some(key), .. } if *key == open.order.key => Repeats::Found,
        _ => Repeats::Other,
    }
}

/// The flow and record that a wait is for, where a flow can bring it about.
fn awaited(waits: &WaitsFor) -> Option<(String, RecordRef)> {
    match waits {
        WaitsFor::Link(flow, id) if flow == "vendors" => {
            Some((flow.clone(), RecordRef::new(Side::Ledger, Kind::Vendor, id.clone())))
        }
        WaitsFor::Link(..) => None,
        WaitsFor::Map(kind, id) => {
            let kind: Kind = kind.parse().ok()?;
            let flow = match kind {
                Kind::Account => "accounts",
                Kind::Department | Kind::Class | Kind::Location => "dimensions",
                _ => return None,
            };
            Some((flow.to_owned(), RecordRef::new(Side::Ledger, kind, id.clone())))
        }
    }
}

/// The wait that a list flow's record answers.
fn waits_for(flow: &str, record: &RecordRef) -> String {
    match record.kind {
        Kind::Account | Kind::Department | Kind::Class | Kind::Location => {
            WaitsFor::Map(record.kind.as_str().to_owned(), record.id.clone()).to_string()
        }
        _ => WaitsFor::Link(flow.to_owned(), record.id.clone()).to_string(),
    }
}
