//! Calls on their way: planned, intended, announced, under way, answered, recorded.
//!
//! One commit moves all of them a step on: it records the outcomes of those that were answered, announces those that go out
//! next (their *attempts*: from here on a crash leaves them unknown), and journals the *intents* of those after them. Calls
//! go out as soon as others end, without waiting for a commit: those that were announced while others were under way, once
//! the store has said again that they may. An outcome that is lost in a crash only becomes *unknown*.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{BoxFuture, Either, FutureExt as _, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use tieout_domain::code::Code;
use tieout_domain::port::{Answer, Order, Write};
use tieout_domain::{Fault, Kind, Outcome, Side, State};
use tieout_store::{Commit, Fact, StoreError};

use crate::EngineError;
use crate::apply::{Applied, Intent, order, say_states};
use crate::files;
use crate::outcome::outcomes;
use crate::run::Run;
use crate::settle::said_again_after;

/// How many calls to a side are announced at most beyond those that it takes at once.
const AHEAD_MAX: usize = 64;

/// Where a call goes.
#[derive(Clone)]
pub(crate) struct To {
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    pub(crate) writer: Arc<dyn Write>,
}

/// A call that is to be made: writes of one side, kind and action.
pub(crate) struct Planned {
    pub(crate) to: To,
    pub(crate) intents: Vec<Intent>,
}

/// A call whose writes are in the journal, with their ids there.
struct Intended {
    to: To,
    writes: Vec<(u64, Intent)>,
    /// At which uptime it was last announced.
    said: Duration,
}

impl Intended {
    /// Its writes with what became of them, which is the same for all of them.
    fn failed(self, fault: &Fault) -> Answered {
        let answers = vec![Answer::Failed(fault.clone()); self.writes.len()];
        self.answered(answers)
    }

    /// Its writes with what was answered to each; where nothing was, nobody knows.
    fn answered(self, mut answers: Vec<Answer>) -> Answered {
        let lost = || {
            Answer::Failed(Fault::Unknown {
                cause: "the writer broke off".into(),
            })
        };
        answers.resize_with(self.writes.len(), lost);
        let writes = self.writes.into_iter().zip(answers);
        Answered {
            to: self.to,
            writes: writes
                .map(|((write, intent), answer)| (write, intent, answer))
                .collect(),
        }
    }

    fn ids(&self) -> impl Iterator<Item = u64> {
        self.writes.iter().map(|(write, _)| *write)
    }

    /// At which uptime it must be announced again, if it has not been answered by then: the far side's settling time is
    /// counted from its announcement, which must not come long before it is sent.
    fn say_again_at(&self) -> Option<Duration> {
        Some(self.said + said_again_after(self.to.writer.settle())?)
    }
}

/// A call whose outcome is to be recorded: its writes, each with its answer.
pub(crate) struct Answered {
    pub(crate) to: To,
    pub(crate) writes: Vec<(u64, Intent, Answer)>,
}

/// A call under way. Whoever stops waiting for it, because the lease is lost, stops it: a batch may be many
/// requests, and those not sent yet are another's to decide on.
struct Call(tokio::task::JoinHandle<Vec<Answer>>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The store's word whether announced calls may go out.
type MaySend = BoxFuture<'static, Result<(), StoreError>>;

/// What is waited for while a commit is made.
enum Event<T> {
    /// It was made.
    Done(T),
    /// A call was answered.
    Answered(Reply),
    /// The store has said whether others may go out.
    Told(Result<(), StoreError>),
}

/// The number of a call, and what was answered; nothing if the writer broke off.
type Reply = (usize, Option<Vec<Answer>>);

/// What the next commit says of calls that have not been answered.
#[derive(Default)]
struct Word {
    /// Announced: they go out next.
    announced: Vec<Intended>,
    /// Announced before, and not answered for long: their writes by side.
    again: BTreeMap<Side, Vec<u64>>,
    /// Their intents are journaled.
    intended: Vec<Planned>,
}

impl Word {
    fn is_empty(&self) -> bool {
        !self.announces() && self.intended.is_empty()
    }

    fn announces(&self) -> bool {
        !(self.announced.is_empty() && self.again.is_empty())
    }

    /// That these calls are made from now on.
    fn attempts(&self, run: &Run<'_>, now: Duration) -> Vec<Fact> {
        let mut writes = self.again.clone();
        for call in &self.announced {
            writes.entry(call.to.side).or_default().extend(call.ids());
        }
        let fact = |(side, writes): (Side, Vec<u64>)| Fact::Attempted {
            writes,
            there: run.connection.sides.of(side).whole.time_at(now),
        };
        writes.into_iter().map(fact).collect()
    }

    /// What is to be written. What is sent once more is known by its first intent.
    fn intents(&self) -> impl Iterator<Item = Fact> {
        let intents = self.intended.iter().flat_map(|call| &call.intents);
        intents
            .filter(|intent| intent.again.is_none())
            .map(|intent| Fact::Intended {
                flow: intent.flow.to_owned(),
                record: intent.record.clone(),
                role: intent.step.role.clone(),
                order: order(&intent.step),
                because: intent.step.because.clone(),
            })
    }
}

/// The calls, by how far they are.
struct Calls {
    planned: VecDeque<Planned>,
    intended: VecDeque<Intended>,
    announced: VecDeque<Intended>,
    under_way: BTreeMap<usize, Intended>,
    answers: FuturesUnordered<BoxFuture<'static, Reply>>,
    answered: Vec<Answered>,
    /// Why no announced call may go out any more.
    refused: Option<StoreError>,
    /// Sides that have just said that they take no more, which is not recorded yet.
    shut: BTreeSet<Side>,
    /// How many have begun.
    begun: usize,
    /// How many were recorded by the last commit that recorded any: so many end while a commit is made.
    recorded: usize,
}

/// Makes the calls, as many at once as each side allows, and records what is answered.
pub(crate) async fn send(run: &mut Run<'_>, planned: Vec<Planned>) -> Result<Applied, EngineError> {
    let mut applied = Applied::default();
    let mut calls = Calls {
        planned: planned.into(),
        intended: VecDeque::new(),
        announced: VecDeque::new(),
        under_way: BTreeMap::new(),
        answers: FuturesUnordered::new(),
        answered: Vec::new(),
        refused: None,
        shut: BTreeSet::new(),
        begun: 0,
        recorded: 0,
    };
    loop {
        match calls.refused.take() {
            Some(StoreError::Stopped(stop)) => drop(run.stop(stop)),
            Some(error) => return Err(error.into()),
            None => {}
        }
        calls.give_back(run).await?;
        let answered = std::mem::take(&mut calls.answered);
        if !answered.is_empty() {
            calls.recorded = answered.len();
        }
        let ended = outcomes(run, answered, &mut applied).await?;
        calls.shut.clear();
        let word = calls.next_word(run);
        if !word.is_empty() || !ended.facts.is_empty() {
            calls.say(run, ended, word).await?;
            calls.begin(run);
        } else if !calls.wait(run).await {
            return Ok(applied);
        }
    }
}

impl Calls {
    /// Takes back what would go to a side that takes no more writes in this run: certainly not sent.
    async fn give_back(&mut self, run: &mut Run<'_>) -> Result<(), EngineError> {
        if run.barred.is_empty() {
            return Ok(());
        }
        for queue in [&mut self.announced, &mut self.intended] {
            for call in std::mem::take(queue) {
                match run.barred.get(&call.to.side) {
                    Some(fault) => self.answered.push(call.failed(fault)),
                    None => queue.push_back(call),
                }
            }
        }
        let mut commit = run.commit();
        for call in std::mem::take(&mut self.planned) {
            let Some(fault) = run.barred.get(&call.to.side).cloned() else {
                self.planned.push_back(call);
                continue;
            };
            for intent in call.intents {
                // The first sending of what is sent once more is still without an outcome.
                let code = match intent.again {
                    Some(_) => Code::new("settling"),
                    None => fault.code(),
                };
                let outcome = Outcome::because(State::Hold, code, fault.to_string());
                commit.facts.push(intent.stated(outcome));
                run.rest_until_next_run(intent.flow, intent.record);
            }
        }
        say_states(run, commit).await
    }

    /// What is said next of those that were not answered yet.
    fn next_word(&mut self, run: &Run<'_>) -> Word {
        let mut word = Word::default();
        let now = run.connection.timer.uptime();
        for call in self.under_way.values().chain(&self.announced) {
            if call.say_again_at().is_some_and(|at| at <= now) {
                let again = word.again.entry(call.to.side).or_default();
                again.extend(call.ids());
            }
        }
        for call in std::mem::take(&mut self.intended) {
            let side = call.to.side;
            let next = word.announced.iter().filter(|one| one.to.side == side);
            let said = self.on_their_way(side) + next.count();
            if said < self.at_once(run, side) + self.ahead(run, side) {
                word.announced.push(call);
            } else {
                self.intended.push_back(call);
            }
        }
        for call in std::mem::take(&mut self.planned) {
            let side = call.to.side;
            let intended = self.intended.iter().map(|one| one.to.side);
            let next = word.intended.iter().map(|one| one.to.side);
            let before = intended.chain(next).filter(|of| *of == side).count();
            // The first of all go out as soon as they can.
            let is_idle = self.on_their_way(side) == 0 && word.announced.is_empty();
            let ahead = if is_idle { 0 } else { self.ahead(run, side) };
            if before < self.at_once(run, side) + ahead {
                word.intended.push(call);
            } else {
                self.planned.push_back(call);
            }
        }
        word
    }

    /// How many calls a side takes at once.
    fn at_once(&self, run: &Run<'_>, side: Side) -> usize {
        run.connection.sides.of(side).in_flight_max.max(1)
    }

    /// How many are announced beyond those: as many as begin while the next commit is made, and no more. Each
    /// announced call that a crash keeps from going out has to be looked for.
    fn ahead(&self, run: &Run<'_>, side: Side) -> usize {
        self.at_once(run, side).max(self.recorded).min(AHEAD_MAX)
    }

    /// How many to a side are announced or under way.
    fn on_their_way(&self, side: Side) -> usize {
        let calls = self.under_way.values().chain(&self.announced);
        calls.filter(|call| call.to.side == side).count()
    }

    /// Makes the commit that records what has ended and moves the others a step on; meanwhile calls end and begin.
    async fn say(
        &mut self,
        run: &mut Run<'_>,
        mut commit: Commit,
        word: Word,
    ) -> Result<(), EngineError> {
        if word.announces() {
            run.keep_lease().await?;
        }
        let store = &run.connection.store;
        let now = run.connection.timer.uptime();
        // What has ended is recorded although no more may be announced.
        let ended = (word.announces() && !commit.facts.is_empty()).then(|| commit.clone());
        commit.facts.extend(word.attempts(run, now));
        let first = commit.facts.len();
        commit.facts.extend(word.intents());
        match self.meanwhile(run, store.commit(commit)).await {
            Ok(ids) => {
                self.go_on(word, ids.into_iter().skip(first), now);
                Ok(())
            }
            Err(StoreError::Stopped(stop)) => {
                if let Some(ended) = ended {
                    self.meanwhile(run, store.commit(ended)).await?;
                }
                if !word.again.is_empty() {
                    // No more of them may be sent: what was sent of them is looked for later.
                    return Err(StoreError::Stopped(stop).into());
                }
                // Stopped since it was decided, perhaps by another process: what was not sent is given back.
                run.stop(stop);
                self.intended.extend(word.announced);
                self.planned.extend(word.intended);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// It was said: they are a step further.
    fn go_on(&mut self, word: Word, mut ids: impl Iterator<Item = u64>, now: Duration) {
        let Word {
            announced,
            again,
            intended,
        } = word;
        let is_again = |call: &Intended| {
            let again = again.get(&call.to.side);
            again.is_some_and(|ids| call.ids().any(|id| ids.contains(&id)))
        };
        for call in self.under_way.values_mut().chain(&mut self.announced) {
            if is_again(call) {
                call.said = now;
            }
        }
        self.announced.extend(
            announced
                .into_iter()
                .map(|call| Intended { said: now, ..call }),
        );
        for Planned { to, intents } in intended {
            let numbered = |intent: Intent| Some((intent.again.or_else(|| ids.next())?, intent));
            self.intended.push_back(Intended {
                to,
                writes: intents.into_iter().filter_map(numbered).collect(),
                said: now,
            });
        }
    }

    /// Begins the calls that were announced and that their side takes now.
    fn begin(&mut self, run: &Run<'_>) {
        for call in std::mem::take(&mut self.announced) {
            if self.may_begin(run, &call) {
                self.launch(run, call);
            } else {
                self.announced.push_back(call);
            }
        }
    }

    /// Whether an announced call can begin now. One that would only wait for its turn is not begun, nor one that was
    /// announced long ago: it is announced again first.
    fn may_begin(&self, run: &Run<'_>, call: &Intended) -> bool {
        let side = call.to.side;
        let under_way = self.under_way.values();
        let under_way = under_way.filter(|one| one.to.side == side).count();
        under_way < self.at_once(run, side)
            && self.refused.is_none()
            && !run.barred.contains_key(&side)
            && !self.shut.contains(&side)
            && call
                .say_again_at()
                .is_none_or(|at| at > run.connection.timer.uptime())
    }

    /// Makes a call. It goes on while commits are made and answers are waited for.
    fn launch(&mut self, run: &Run<'_>, call: Intended) {
        let number = self.begun;
        self.begun += 1;
        let orders: Vec<Order> = call
            .writes
            .iter()
            .map(|(_, intent)| order(&intent.step))
            .collect();
        let files = run.connection.sides.ledger.files.clone();
        let writer = Arc::clone(&call.to.writer);
        self.under_way.insert(number, call);
        let mut call = Call(tokio::spawn(async move {
            files::write(&*writer, files.as_ref(), orders).await
        }));
        self.answers.push(Box::pin(async move {
            let answers = (&mut call.0).await;
            (number, answers.ok())
        }));
    }

    fn take_in(&mut self, (number, answers): Reply) {
        let Some(call) = self.under_way.remove(&number) else {
            return;
        };
        let answers = answers.unwrap_or_default();
        if answers.iter().any(shuts) {
            self.shut.insert(call.to.side);
        }
        self.answered.push(call.answered(answers));
    }

    /// Does this while calls end, and others begin in their place. What was announced a moment ago is sent only after
    /// another look: after a pause, or a lease that has passed on, no call begins (scenario 239).
    async fn meanwhile<T>(&mut self, run: &Run<'_>, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let mut look: Option<MaySend> = None;
        loop {
            if look.is_none() && self.announced.iter().any(|call| self.may_begin(run, call)) {
                let (store, fence) = (run.connection.store.clone(), run.lease.fence);
                look = Some(Box::pin(async move { store.may_send(fence).await }));
            }
            let event = poll_fn(|context| {
                if let Poll::Ready(done) = work.as_mut().poll(context) {
                    return Poll::Ready(Event::Done(done));
                }
                if let Poll::Ready(Some(reply)) = self.answers.poll_next_unpin(context) {
                    return Poll::Ready(Event::Answered(reply));
                }
                match &mut look {
                    Some(look) => look.poll_unpin(context).map(Event::Told),
                    None => Poll::Pending,
                }
            });
            match event.await {
                Event::Done(done) => {
                    if let Some(look) = look {
                        let told = look.await;
                        self.told(run, told);
                    }
                    return done;
                }
                Event::Answered(reply) => self.take_in(reply),
                Event::Told(told) => {
                    look = None;
                    self.told(run, told);
                }
            }
        }
    }

    /// The store has said whether announced calls may go out.
    fn told(&mut self, run: &Run<'_>, told: Result<(), StoreError>) {
        match told {
            Ok(()) => self.begin(run),
            Err(error) => self.refused = Some(error),
        }
    }

    /// Waits until a call is answered, or one must be announced again. False if there is nothing to wait for.
    async fn wait(&mut self, run: &Run<'_>) -> bool {
        let mut answered = match self.say_again_after(run) {
            None => self.answers.next().await,
            Some(after) => {
                let pause = run.connection.timer.sleep(after);
                match select(self.answers.next(), pause).await {
                    Either::Left((answered, _)) => answered,
                    Either::Right(_) => return true,
                }
            }
        };
        let any = answered.is_some();
        while let Some(one) = answered {
            self.take_in(one);
            answered = self.answers.next().now_or_never().flatten();
        }
        any
    }

    /// How long until one of those that are not answered must be announced again.
    fn say_again_after(&self, run: &Run<'_>) -> Option<Duration> {
        let calls = self.under_way.values().chain(&self.announced);
        let at = calls.filter_map(Intended::say_again_at).min()?;
        Some(at.saturating_sub(run.connection.timer.uptime()))
    }
}

/// Whether a side says with this answer that it takes nothing more for now.
fn shuts(answer: &Answer) -> bool {
    matches!(
        answer,
        Answer::Failed(Fault::Denied { .. } | Fault::Later { after: Some(_), .. })
    )
}
