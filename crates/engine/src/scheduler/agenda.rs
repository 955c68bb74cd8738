//! What is due, what is being done, and what comes next. Pure: the present moment is passed in, and nothing waits.
//!
//! - One run of a connection at a time. What becomes due meanwhile is done once, right after.
//! - Whoever has been due longest comes first, and who has just had a turn goes to the end: nobody starves.
//! - Starts that were missed are made up for by one.
//! - A connection whose side can't be reached waits longer each time, by chance a little more or less; one that is
//!   not let in waits until refusals no longer count over there. What a person asks for waits for neither.
//! - Where calls are scarce, what moves money comes first (scenario 214): of each connection, and of all of them.
//! - A client with many connections has its share of the workers and no more while others wait; and never all of them,
//!   so that whoever comes next need not wait for the end of a long run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tieout_domain::{ConnectionName, Timestamp};

use super::due::Due;
use super::job::{Cause, Ended, Job, Mark};
use crate::schedule::Timetable;

/// After the first failure a connection waits so long, then twice as long each time.
const BACK_OFF: Duration = Duration::from_secs(30);
/// But never longer than this.
const BACK_OFF_MAX: Duration = Duration::from_secs(3600);
/// The services remember refused sign-ins for half an hour.
const DENIED: Duration = Duration::from_secs(31 * 60);
/// How soon it is looked again whether another node has done what is due.
const ELSEWHERE: Duration = Duration::from_secs(2);
/// What is left over where calls are scarce comes after everybody else for so long. A node that is always busy would never
/// come to it.
const LEFT_OVER: Duration = Duration::from_secs(3600);
/// So many runs of single records may wait for a connection; a person sees the rest refused.
const ASKED_MAX: usize = 32;

/// What a timetable is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// All flows.
    Everything,
    /// One flow.
    Flow(String),
    /// All flows, everything read again.
    Whole,
}

/// A timetable of a connection, with what is to be done by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What.
    pub work: Work,
    /// When.
    pub times: Timetable,
    /// When it was last done, if it ever was: a start missed since then is due at once.
    pub last: Option<Timestamp>,
}

/// A connection as the agenda knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Which.
    pub connection: ConnectionName,
    /// Whose: those of one client share the workers that are theirs.
    pub tenant: String,
    /// Its timetables.
    pub lines: Vec<Line>,
    /// The flows that move money.
    pub urgent: Vec<String>,
    /// Its quiet hours, as a timetable that knows them: what a webhook tells waits until they end.
    pub quiet: Timetable,
}

/// How a connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether a run is on.
    pub running: bool,
    /// When the next run begins, as far as that is known.
    pub next: Option<Timestamp>,
    /// How often in a row a run could not be made.
    pub failures: u32,
    /// Until when it waits after that.
    pub waits_until: Option<Timestamp>,
}

/// All connections, and what is due.
#[derive(Debug, Default)]
pub struct Agenda {
    all: BTreeMap<ConnectionName, State>,
    /// When which connection has to be looked at next.
    alarms: BTreeSet<(Timestamp, ConnectionName)>,
    /// Who could start now, in the order in which they will.
    ready: BTreeSet<(Rank, ConnectionName)>,
    /// How many runs may be on at once; any number if 0.
    workers: usize,
    /// How many runs are on, of each client that has any.
    on: BTreeMap<String, usize>,
    /// How many connections could start now, of each client that has any.
    wanting: BTreeMap<String, usize>,
    /// How many clients there are.
    tenants: usize,
}

/// The place of a connection among those that could start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// What is left over where calls are scarce comes after everybody else.
    left_over: bool,
    since: Timestamp,
}

#[derive(Debug)]
struct State {
    entry: Entry,
    /// The next start of each line.
    next: Vec<Option<Timestamp>>,
    due: Option<Due>,
    asked: VecDeque<Job>,
    running: bool,
    failures: u32,
    waits_until: Option<Timestamp>,
    calls: Calls,
    /// What the run that is on does.
    under_way: Option<Due>,
    /// It is configured no longer; only its run goes on.
    gone: bool,
    alarm: Option<Timestamp>,
    rank: Option<Rank>,
}

/// Whether a side still allows calls, as far as the runs have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calls {
    /// It does.
    Enough,
    /// They were used up.
    Scarce,
    /// They were used up; since then what moves money has had its turn, and the rest has not.
    ScarceMoneyMoved,
}

fn one_more(of: &mut BTreeMap<String, usize>, tenant: &str) {
    match of.get_mut(tenant) {
        Some(number) => *number += 1,
        None => {
            of.insert(tenant.to_owned(), 1);
        }
    }
}

fn one_less(of: &mut BTreeMap<String, usize>, tenant: &str) {
    if let Some(number) = of.get_mut(tenant) {
        *number -= 1;
        if *number == 0 {
            of.remove(tenant);
        }
    }
}

impl Agenda {
    /// For so many runs at once, which clients share.
    #[must_use]
    pub fn for_workers(workers: usize) -> Self {
        Self {
            workers,
            ..Self::default()
        }
    }

    /// The connections as they are configured now. Those that stay keep what is due of them and how they stand;
    /// those that are gone are forgotten, once their run has ended.
    pub fn set(&mut self, entries: Vec<Entry>, now: Timestamp) {
        let mut before = std::mem::take(&mut self.all);
        self.alarms.clear();
        self.ready.clear();
        self.wanting.clear();
        let tenants = entries.iter().map(|entry| entry.tenant.as_str());
        self.tenants = tenants.collect::<BTreeSet<_>>().len();
        for entry in entries {
            let name = entry.connection.clone();
            let state = match before.remove(&name) {
                Some(known) => known.under(entry, now),
                None => State::new(entry, now),
            };
            self.all.insert(name.clone(), state);
            self.file(&name, now);
        }
        for (name, state) in before.into_iter().filter(|(_, state)| state.running) {
            self.all.insert(name, state.gone());
        }
        self.on.clear();
        for state in self.all.values().filter(|state| state.running) {
            one_more(&mut self.on, &state.entry.tenant);
        }
    }

    /// Something may have changed, or somebody asks. `false` if there is no such connection, or if too many wishes
    /// wait already.
    pub fn mark(&mut self, name: &ConnectionName, mark: Mark, now: Timestamp) -> bool {
        let Some(state) = self.all.get_mut(name).filter(|state| !state.gone) else {
            return false;
        };
        let taken = state.mark(mark, now);
        self.file(name, now);
        taken
    }

    /// The next run to be made now, if there is one. It counts as under way until it has [ended](Self::ended).
    pub fn take(&mut self, now: Timestamp) -> Option<Job> {
        self.look(now);
        let name = self.next_of_all()?;
        let state = self.all.get_mut(&name)?;
        let job = state.start(now);
        if job.is_some() {
            let tenant = state.entry.tenant.clone();
            one_more(&mut self.on, &tenant);
        }
        self.file(&name, now);
        job
    }

    /// Who could start now and has been due longest, of those whose client has not got its share already.
    fn next_of_all(&self) -> Option<ConnectionName> {
        let most = self.share();
        let has_room = |name: &ConnectionName| {
            let state = self.all.get(name);
            let on = state.and_then(|state| self.on.get(&state.entry.tenant));
            on.is_none_or(|on| *on < most)
        };
        let mut ready = self.ready.iter().map(|(_, name)| name);
        ready.find(|name| has_room(name)).cloned()
    }

    /// How many runs of one client may be on now.
    fn share(&self) -> usize {
        if self.workers == 0 {
            return usize::MAX;
        }
        let others = self.on.keys();
        let others = others.filter(|tenant| !self.wanting.contains_key(*tenant));
        let sharing = (self.wanting.len() + others.count()).max(1);
        let left_free = match (self.tenants, self.workers) {
            (..=1, _) | (_, ..=1) => 0,
            (_, workers) => (workers / 4).max(1),
        };
        self.workers.div_ceil(sharing).min(self.workers - left_free)
    }

    /// A run has ended. `chance`, between 0 and 1, spreads what waits after a failure.
    pub fn ended(&mut self, name: &ConnectionName, ended: Ended, now: Timestamp, chance: f64) {
        let Some(state) = self.all.get_mut(name) else {
            return;
        };
        let tenant = state.entry.tenant.clone();
        if state.running {
            one_less(&mut self.on, &tenant);
        }
        state.end(ended, now, chance);
        if state.gone {
            self.unfile(name);
            self.all.remove(name);
            return;
        }
        self.file(name, now);
    }

    /// What kept a connection waiting has been mended: its credential is another, its configuration too.
    pub fn forgive(&mut self, name: &ConnectionName, now: Timestamp) {
        if let Some(state) = self.all.get_mut(name) {
            state.failures = 0;
            state.waits_until = None;
            self.file(name, now);
        }
    }

    /// When to look again; `None` if only a mark or the end of a run changes anything.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Timestamp> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// How a connection stands.
    #[must_use]
    pub fn standing(&self, name: &ConnectionName) -> Option<Standing> {
        let state = self.all.get(name)?;
        let starts = state.next.iter().flatten().min().copied();
        let next = match &state.due {
            Some(due) => Some(due.not_before.map_or(due.since, |at| at.max(due.since))),
            None => starts,
        };
        let next = match (next, state.waits_until) {
            (Some(next), Some(until)) => Some(next.max(until)),
            (next, _) => next,
        };
        Some(Standing {
            running: state.running,
            next,
            failures: state.failures,
            waits_until: state.waits_until,
        })
    }

    /// How many could start now and wait for a worker.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// How many runs are on.
    #[must_use]
    pub fn running(&self) -> usize {
        self.all.values().filter(|state| state.running).count()
    }

    /// Looks at every connection whose alarm has gone off.
    fn look(&mut self, now: Timestamp) {
        while let Some((_, name)) = self.alarms.first().filter(|(at, _)| *at <= now).cloned() {
            if let Some(state) = self.all.get_mut(&name) {
                state.tick(now);
            }
            self.file(&name, now);
        }
    }

    fn unfile(&mut self, name: &ConnectionName) {
        let Some(state) = self.all.get_mut(name) else {
            return;
        };
        if let Some(at) = state.alarm.take() {
            self.alarms.remove(&(at, name.clone()));
        }
        if let Some(rank) = state.rank.take() {
            self.ready.remove(&(rank, name.clone()));
            one_less(&mut self.wanting, &state.entry.tenant);
        }
    }

    /// Puts a connection where it belongs: among those that could start, and under its next alarm.
    fn file(&mut self, name: &ConnectionName, now: Timestamp) {
        self.unfile(name);
        let Some(state) = self.all.get_mut(name) else {
            return;
        };
        state.alarm = state.next_alarm(now);
        state.rank = state.rank_at(now);
        if let Some(at) = state.alarm {
            self.alarms.insert((at, name.clone()));
        }
        if let Some(rank) = state.rank {
            self.ready.insert((rank, name.clone()));
            one_more(&mut self.wanting, &state.entry.tenant);
        }
    }
}

impl State {
    fn new(entry: Entry, now: Timestamp) -> Self {
        let next = entry.lines.iter().map(|line| first_start(line, now));
        Self {
            next: next.collect(),
            entry,
            due: None,
            asked: VecDeque::new(),
            running: false,
            failures: 0,
            waits_until: None,
            calls: Calls::Enough,
            under_way: None,
            gone: false,
            alarm: None,
            rank: None,
        }
    }

    /// The same connection, configured anew: a timetable that is the same keeps its next start.
    fn under(self, entry: Entry, now: Timestamp) -> Self {
        let lines = entry.lines.iter();
        let next = lines.map(|line| {
            let same = |old: &Line| old.work == line.work && old.times == line.times;
            match self.entry.lines.iter().position(same) {
                Some(at) => self.next.get(at).copied().flatten(),
                None => line.times.after(now),
            }
        });
        Self {
            next: next.collect(),
            entry,
            gone: false,
            rank: None,
            ..self
        }
    }

    /// Its run goes on, and nothing after it.
    fn gone(mut self) -> Self {
        self.gone = true;
        self.entry.lines.clear();
        self.next.clear();
        self.due = None;
        self.asked.clear();
        self.alarm = None;
        self.rank = None;
        self
    }

    /// Makes due what should have started by now: once, however often it was missed.
    fn tick(&mut self, now: Timestamp) {
        for at in 0..self.next.len() {
            let Some(start) = self.next[at].filter(|start| *start <= now) else {
                continue;
            };
            let line = &self.entry.lines[at];
            self.next[at] = line.times.after(now);
            let mark = Mark {
                flows: match &line.work {
                    Work::Flow(flow) => vec![flow.clone()],
                    Work::Everything | Work::Whole => Vec::new(),
                },
                whole: line.work == Work::Whole,
                trigger: "schedule".to_owned(),
                ..Mark::default()
            };
            self.due(mark, start.min(now), None, Cause::Tick(start));
        }
    }

    fn mark(&mut self, mark: Mark, now: Timestamp) -> bool {
        if !mark.only.is_empty() || mark.import.is_some() {
            let job = Job {
                connection: self.entry.connection.clone(),
                flows: mark.flows,
                only: mark.only,
                whole: mark.whole,
                import: mark.import,
                trigger: mark.trigger,
                by: mark.by,
                cause: Cause::Asked,
            };
            if self.asked.contains(&job) {
                return true;
            }
            let room = self.asked.len() < ASKED_MAX;
            if room {
                self.asked.push_back(job);
            }
            return room;
        }
        let not_before = match mark.by {
            Some(_) => None,
            None => Some(self.entry.quiet.release(now)).filter(|at| *at > now),
        };
        if mark.by.is_some() {
            self.waits_until = None;
        }
        let cause = match mark.trigger.as_str() {
            "webhook" if mark.by.is_none() => Cause::Told,
            _ => Cause::Asked,
        };
        self.due(mark, now, not_before, cause);
        true
    }

    /// Adds to what is due: it is done in one run.
    fn due(&mut self, mark: Mark, since: Timestamp, not_before: Option<Timestamp>, cause: Cause) {
        let more = Due::of(mark, since, not_before, cause);
        match &mut self.due {
            // What was due before keeps its place.
            Some(due) => due.and(more),
            None => self.due = Some(more),
        }
    }

    /// From when on what is due may start.
    fn may_start(&self) -> Option<Timestamp> {
        if self.running {
            return None;
        }
        if !self.asked.is_empty() {
            return Some(Timestamp::MIN);
        }
        let due = self.due.as_ref()?;
        let bounds = [due.not_before, self.waits_until];
        Some(bounds.into_iter().flatten().max().unwrap_or(Timestamp::MIN))
    }

    fn next_alarm(&self, now: Timestamp) -> Option<Timestamp> {
        let starts = self.next.iter().flatten().min().copied();
        let waits = self.may_start().filter(|at| *at > now);
        let left_over = self.left_over_until().filter(|at| *at > now);
        [starts, waits, left_over].into_iter().flatten().min()
    }

    /// Until when what is due comes after everybody else; `None` if it doesn't.
    fn left_over_until(&self) -> Option<Timestamp> {
        let is_left_over = self.asked.is_empty() && self.calls == Calls::ScarceMoneyMoved;
        let due = self.due.as_ref().filter(|_| is_left_over)?;
        due.since.checked_add(LEFT_OVER).ok()
    }

    fn rank_at(&self, now: Timestamp) -> Option<Rank> {
        self.may_start().filter(|at| *at <= now)?;
        let since = self.due.as_ref().map_or(now, |due| due.since);
        Some(Rank {
            left_over: self.left_over_until().is_some_and(|until| until > now),
            since: if self.asked.is_empty() {
                since
            } else {
                Timestamp::MIN
            },
        })
    }

    /// What of that which is due moves money.
    fn urgent_due(&self) -> Vec<String> {
        let Some(due) = &self.due else {
            return Vec::new();
        };
        let wanted = |flow: &&String| due.work.includes(flow);
        self.entry.urgent.iter().filter(wanted).cloned().collect()
    }

    /// Takes what is due; where calls are scarce, first the part of it that moves money.
    fn start(&mut self, now: Timestamp) -> Option<Job> {
        if let Some(job) = self.asked.pop_front() {
            self.running = true;
            return Some(job);
        }
        let urgent = self.urgent_due();
        if self.calls == Calls::Scarce && !urgent.is_empty() {
            let due = self.due.as_mut()?;
            let first = due.only(urgent);
            due.since = now;
            self.calls = Calls::ScarceMoneyMoved;
            return Some(self.begin(first));
        }
        let due = self.due.take()?;
        self.calls = Calls::Enough;
        Some(self.begin(due))
    }

    fn begin(&mut self, due: Due) -> Job {
        self.running = true;
        let job = Job {
            connection: self.entry.connection.clone(),
            flows: due.work.flows(),
            only: Vec::new(),
            whole: due.work.whole,
            import: None,
            trigger: due.trigger.clone(),
            by: due.by.clone(),
            cause: due.cause,
        };
        self.under_way = Some(due);
        job
    }

    fn end(&mut self, ended: Ended, now: Timestamp, chance: f64) {
        self.running = false;
        let under_way = self.under_way.take();
        if let Some(due) = &mut self.due {
            // Who has just had a turn goes to the end.
            due.since = due.since.max(now);
        }
        let chance = chance.clamp(0.0, 1.0);
        let wait = match ended {
            Ended::Elsewhere => {
                self.waits_until = now.checked_add(ELSEWHERE).ok();
                if let Some(undone) = under_way.filter(|_| !self.gone) {
                    self.put_back(undone);
                }
                return;
            }
            Ended::Made => {
                self.failures = 0;
                self.waits_until = None;
                return;
            }
            Ended::Failed => {
                let doubled = BACK_OFF.saturating_mul(1 << self.failures.min(10));
                doubled.min(BACK_OFF_MAX).mul_f64(0.5 + chance / 2.0)
            }
            Ended::Denied => DENIED.mul_f64(1.0 + chance / 10.0),
            Ended::Scarce(wait) => {
                self.calls = Calls::Scarce;
                wait.saturating_add(Duration::from_secs(10).mul_f64(chance))
            }
        };
        self.failures = self.failures.saturating_add(1);
        self.waits_until = now.checked_add(wait).ok();
        // A person sees how it ended, and asks again. Nobody else would.
        let unasked = under_way.and_then(Due::unasked);
        if let Some(mark) = unasked.filter(|_| !self.gone) {
            self.due(mark, now, None, Cause::Asked);
        }
    }

    /// What was to be done is due as before.
    fn put_back(&mut self, undone: Due) {
        match &mut self.due {
            Some(due) => {
                due.since = due.since.min(undone.since);
                due.and(undone);
            }
            None => self.due = Some(undone),
        }
    }
}

/// The first start of a timetable that is new here: at once if one was missed since it was last done.
fn first_start(line: &Line, now: Timestamp) -> Option<Timestamp> {
    line.times.after(line.last.unwrap_or(now))
}

#[cfg(test)]
mod tests;
