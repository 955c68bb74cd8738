//! The rounds of a run: every flow looks at what is due, again and again, until none has anything left to do.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tieout_domain::{Kind, Money, Outcome, Period, RecordRef, Side, State, WaitsFor};
use tieout_flows::{Books, Flow, Link, Verdict};
use tieout_store::{Commit, Due, Fact, ItemFilter, OpenWrite, StopKind};

use crate::ahead::{Ahead, Page};
use crate::apply::{Intent, apply, order};
use crate::decide::{Decision, decide, maps};
use crate::error::EngineError;
use crate::initial::Waiting;
use crate::mapping::of_link;
use crate::options::{PAGE, Rebuild};
use crate::pull::in_population;
use crate::run::Run;
use crate::settle::{give_up, keep_open, settle};

/// How many of them are said in one commit.
const TOGETHER: usize = 200;

/// How often the flows are gone through before a run gives up on becoming quiet. Each level of a chart of
/// accounts takes one, and a bill with a new vendor two.
const ROUNDS_MAX: usize = 24;

/// So many writes are read back before their records are looked at again, and not after it: they would be looked at
/// twice.
const MANY: u64 = 50;

/// What is blocked only because several records could be meant.
const CHOICES: [&str; 2] = ["ambiguous-match", "choose-vendor"];

/// A record that is there already, to be linked without writing.
pub(crate) struct Adopted {
    pub(crate) label: String,
    pub(crate) amount: Option<Money>,
    pub(crate) how: &'static str,
    pub(crate) link: Link,
}

impl Run<'_> {
    /// Closes the differences, of the initial sync stage by stage.
    pub(crate) async fn close_stages(
        &mut self,
        flows: &[&dyn Flow],
        periods: &[Period],
    ) -> Result<(), EngineError> {
        loop {
            self.close_differences(flows, periods).await?;
            if !self.is_initial() || !self.next_stage(flows).await? {
                return self.keep_unwanted().await;
            }
        }
    }

    /// Keeps those writes open that could have been sent again and that nothing has wanted.
    async fn keep_unwanted(&mut self) -> Result<(), EngineError> {
        let mut commit = self.commit();
        for key in std::mem::take(&mut self.unwanted) {
            if let Some(open) = self.repeatable.remove(&key) {
                keep_open(self, &mut commit, open);
            }
        }
        if commit.facts.is_empty() {
            return Ok(());
        }
        commit.facts = self.news(commit.facts).await?;
        self.connection.store.commit(commit).await?;
        Ok(())
    }

    /// Goes through the flows until none has anything left to do.
    pub(crate) async fn close_differences(
        &mut self,
        flows: &[&dyn Flow],
        periods: &[Period],
    ) -> Result<(), EngineError> {
        let mut may_read_back = true;
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for flow in flows {
                moved |= self.drain(*flow, flows, periods).await?;
            }
            if !moved {
                return Ok(());
            }
            if may_read_back && self.written - self.read_back >= MANY {
                may_read_back = self.confirm(flows).await?;
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
        // Made for the first page: most flows have nothing due in most rounds.
        let mut base = None;
        let mut extra: Vec<RecordRef> = demanded.iter().cloned().collect();
        let mut aside = Waiting::default();
        let mut ahead: Option<Ahead> = None;
        loop {
            let known = match ahead.take() {
                Some(ahead) => ahead.page().await,
                None => None,
            };
            let Page { due, mut decided } = match known {
                Some(page) => page,
                None => self.due_page(flow.name(), after.as_ref()).await?,
            };
            after = due.last().map(|(record, _)| record.clone());
            let last = due.is_empty();
            self.stamps = due.into_iter().collect();
            let mut page: Vec<RecordRef> = self.stamps.keys().cloned().collect();
            self.leave_aside(&mut page, &mut aside).await?;
            page.extend(std::mem::take(&mut extra));
            page.retain(|record| self.is_wanted(flow, record, &demanded));
            // What is due and demanded too must not be decided on twice: it would be written twice.
            page.sort();
            page.dedup();
            if !page.is_empty() {
                let base = match &mut base {
                    Some(base) => base,
                    none => none.insert(Arc::new(self.books(periods).await?)),
                };
                let store = &self.connection.store;
                let mut decisions: Vec<Decision> = page
                    .iter()
                    .filter_map(|record| decided.remove(record))
                    .collect();
                let ahead_of_it: HashSet<&RecordRef> =
                    decisions.iter().map(|decision| &decision.record).collect();
                page.retain(|record| !ahead_of_it.contains(record));
                decisions.extend(decide(store, flow, &page, base, &self.overlay).await?);
                decisions.sort_by(|one, other| one.record.cmp(&other.record));
                if !last && self.may_look_ahead() {
                    let from = (after.clone(), self.page);
                    ahead = self
                        .connection
                        .shared_flow(flow.name())
                        .and_then(|flow| Ahead::of(&decisions, store, flow, from, base));
                }
                again.extend(self.follow(flow, flows, decisions).await?);
            }
            if last {
                break;
            }
        }
        self.connection.progress.end();
        self.aside.insert(flow.name().to_owned(), aside);
        let moved = !again.is_empty();
        for record in demanded {
            if again.contains(&record) {
                self.overlay
                    .due
                    .entry(flow.name().to_owned())
                    .or_default()
                    .insert(record);
            } else {
                // It has had its turn: whoever still waits for it is told so from now on.
                self.tried.insert(waits_for(flow.name(), &record));
            }
        }
        Ok(moved)
    }

    /// What is due next, with nothing decided.
    async fn due_page(&self, flow: &str, after: Option<&RecordRef>) -> Result<Page, EngineError> {
        let store = &self.connection.store;
        let due = store.due_page(flow, after, self.page).await?;
        Ok(Page {
            due,
            decided: HashMap::new(),
        })
    }

    /// Whether the next page may be decided on before this one is done: a plan decides each on what it has pretended,
    /// and a run of chosen records does not look at the others.
    fn may_look_ahead(&self) -> bool {
        self.planner.is_none() && self.only.is_none()
    }

    /// What all records of a flow are decided by.
    async fn books(&self, periods: &[Period]) -> Result<Books, EngineError> {
        let stopped_for = self.stopped.as_ref().map(|stop| stop.kind);
        Ok(Books {
            recovering: stopped_for == Some(StopKind::Recovering),
            taking_over: self.rebuild == Some(Rebuild::TakingOver),
            ..Books::new(
                self.connection.facts(),
                self.preferences(),
                maps(&self.connection.store).await?,
                periods.to_vec(),
            )
        })
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
        if !self.imports(record) {
            return false;
        }
        if self
            .planner
            .as_ref()
            .is_some_and(|planner| planner.has_rested(&key))
        {
            return demanded.contains(record);
        }
        self.only
            .as_ref()
            .is_none_or(|only| only.contains(record) || demanded.contains(record))
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
                    Repeats::Later => {
                        self.repeatable.insert(key.clone(), open);
                        self.unwanted.insert(key);
                        continue;
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
                Verdict::Adopt {
                    target,
                    role,
                    how,
                    key,
                } => {
                    again.push(decision.record.clone());
                    if adopted
                        .iter()
                        .any(|other: &Adopted| other.link.target == target)
                    {
                        // Both were decided before either was linked: this one looks again, and sees that the
                        // record over there is taken.
                        continue;
                    }
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
                    resent: same.is_some(),
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
                self.overlay
                    .due
                    .entry(flow.name().to_owned())
                    .or_default()
                    .extend(blocked);
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
            let Adopted {
                label, how, link, ..
            } = adopted;
            commit.due.push(Due {
                flow: link.flow.clone(),
                record: link.record.clone(),
            });
            commit
                .facts
                .extend(of_link(&link.record, &label, &link.target, how));
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
                Verdict::Rest(outcome) => is_choice(outcome),
                _ => false,
            };
            let mut blocked = self.blocked(flow).await?;
            blocked.extend(rested.iter().filter(is_blocked).map(|d| d.record.clone()));
            let due = |record| Due {
                flow: flow.name().to_owned(),
                record,
            };
            commit.due.extend(blocked.into_iter().map(due));
        }
        // In several commits if there are many: others wait for their turn to write meanwhile.
        let mut rested = rested.into_iter().peekable();
        while rested.peek().is_some() {
            let some: Vec<Decision> = rested.by_ref().take(TOGETHER).collect();
            let looked_at: Vec<RecordRef> = some.iter().map(|it| it.record.clone()).collect();
            self.state(flow, flows, some, &mut commit).await?;
            self.imported(&looked_at, false, &mut commit);
            let full = std::mem::replace(&mut commit, self.commit());
            self.keep(full).await?;
        }
        self.keep(commit).await?;
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

    /// The records of a flow that are blocked over a choice. What was adopted is no candidate for them any
    /// more, so that one may have none left: otherwise the end would depend on who was looked at first.
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
            let page = self
                .connection
                .store
                .items_page(&filter, from, PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(blocked);
            };
            after = Some((last.flow.clone(), last.record.clone()));
            let choice = page.into_iter().filter(|item| is_choice(&item.outcome));
            blocked.extend(choice.map(|item| item.record));
        }
    }

    /// A record that waits for an account, dimension or vendor whose flow has not had its turn yet: let it
    /// have its turn before the record is told to wait.
    fn demands(&mut self, outcome: &Outcome, flows: &[&dyn Flow]) -> bool {
        let Some(waits) = &outcome.waits_for else {
            return false;
        };
        let Some((list, record)) = awaited(waits) else {
            return false;
        };
        let what = waits.to_string();
        if self.tried.contains(&what) || !flows.iter().any(|flow| flow.name() == list) {
            return false;
        }
        self.overlay.demanded.insert(what);
        self.overlay.due.entry(list).or_default().insert(record);
        true
    }

    /// Commits what there is, if there is anything.
    async fn keep(&self, commit: Commit) -> Result<(), EngineError> {
        if !commit.facts.is_empty() || !commit.settled.is_empty() {
            self.connection.store.commit(commit).await?;
        }
        Ok(())
    }

    /// States of records that rest: those that changed are said, all are settled.
    async fn state(
        &self,
        flow: &dyn Flow,
        flows: &[&dyn Flow],
        rested: Vec<Decision>,
        commit: &mut Commit,
    ) -> Result<(), EngineError> {
        let records: Vec<_> = rested
            .iter()
            .map(|decision| decision.record.clone())
            .collect();
        let before = self.connection.store.items(flow.name(), &records).await?;
        for decision in rested {
            let item = before.get(&decision.record);
            commit
                .settled
                .extend(self.looked_at(flow.name(), &decision.record));
            match decision.verdict {
                Verdict::Rest(outcome) => {
                    // What a flow outside this run must bring about is due there, or it would never be told.
                    let awaited = outcome.waits_for.as_ref().and_then(awaited);
                    if let Some((list, record)) = awaited
                        && !flows.iter().any(|flow| flow.name() == list)
                    {
                        commit.due.push(Due { flow: list, record });
                    }
                    let importing = self.importing.as_ref();
                    let anew = importing.is_some_and(|it| it.says(&decision.record));
                    let same = !anew
                        && item.is_some_and(|item| {
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
}

/// What a new decision says of a write that may be sent again.
enum Repeats {
    /// It is the very same write.
    Same,
    /// Its record has been found under the same key.
    Found,
    /// Nothing is wanted yet; it may be once what needs its record has had its turn.
    Later,
    /// Something else is wanted by now: the write must have come to its end first.
    Other,
}

fn repeats(open: &OpenWrite, verdict: &Verdict) -> Repeats {
    match verdict {
        Verdict::Write(step) if step.role == open.role && order(step) == open.order => {
            Repeats::Same
        }
        Verdict::Adopt { key: Some(key), .. } if *key == open.order.key => Repeats::Found,
        Verdict::Rest(_) => Repeats::Later,
        _ => Repeats::Other,
    }
}

/// The flow and record that a wait is for, where a flow can bring it about.
fn awaited(waits: &WaitsFor) -> Option<(String, RecordRef)> {
    match waits {
        // Made when something needs them.
        WaitsFor::Link(flow, record) if matches!(record.kind, Kind::Vendor | Kind::Customer) => {
            Some((flow.clone(), record.clone()))
        }
        WaitsFor::Link(..) => None,
        WaitsFor::Map(kind, id) => {
            let kind: Kind = kind.parse().ok()?;
            let flow = match kind {
                Kind::Account => "accounts",
                Kind::Department | Kind::Class | Kind::Location => "dimensions",
                _ => return None,
            };
            Some((
                flow.to_owned(),
                RecordRef::new(Side::Ledger, kind, id.clone()),
            ))
        }
    }
}

/// The wait that a list flow's record answers.
fn waits_for(flow: &str, record: &RecordRef) -> String {
    match record.kind {
        Kind::Account | Kind::Department | Kind::Class | Kind::Location => {
            WaitsFor::Map(record.kind.as_str().to_owned(), record.id.clone()).to_string()
        }
        _ => WaitsFor::Link(flow.to_owned(), record.clone()).to_string(),
    }
}

/// Whether a record is blocked only because several records could be meant.
pub(crate) fn is_choice(outcome: &Outcome) -> bool {
    let code = outcome
        .code
        .as_ref()
        .map_or("", tieout_domain::code::Code::as_str);
    outcome.state == State::Blocked && CHOICES.contains(&code)
}
