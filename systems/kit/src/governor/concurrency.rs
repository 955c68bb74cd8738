//! At most so many calls at once, over all processes that use one key.
//!
//! A process holds some of the slots for a while; while nobody else wants them, a call costs no question to the keeper.
//! The keeper is asked for more, asked to renew what is held, and asked now and then whether others wait. A call begins
//! only while its slot is held for longer than a call takes, counted by a clock that nobody sets from before the keeper
//! was asked: a process that was paused begins none on slots that others have by then.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};
use tieout_domain::Timer;
use tokio::sync::Notify;

use crate::seams::{Kept, Kit, Share, Wish};

/// For how long slots are held. Those of a process that dies are free after it.
const HELD: Duration = Duration::from_secs(45);
/// A call begins only on a slot that is held for so long: what a service works on a call whose caller has died. A longer
/// call keeps its slot by renewing it.
const CALL: Duration = Duration::from_secs(30);
/// How long what is held is not renewed.
const RENEW: Duration = Duration::from_secs(8);
/// How often it is looked whether others wait.
const LOOK: Duration = Duration::from_secs(1);
/// How soon it is asked again where there is nothing to be had, or the keeper didn't answer.
const AGAIN: Duration = Duration::from_millis(250);
/// How long a keeper that doesn't answer holds calls up. What is sent under a lease ends with that, long before.
const PATIENCE: Duration = Duration::from_secs(90);
/// After so many calls in a row that went well the limit grows.
const GOOD: usize = 20;

/// At most so many calls at once; fewer for a while when the service says it is too many (the limit may be
/// shared with others).
pub struct Concurrency {
    name: String,
    max: usize,
    state: Mutex<Flight>,
    freed: Notify,
    /// The keeper is asked by one at a time.
    asking: tokio::sync::Mutex<()>,
    /// Who is asked: whoever called last under a keeper that nobody shares, or else first.
    kept: Mutex<Option<Arc<dyn Kept>>>,
}

#[derive(Debug)]
struct Flight {
    now: usize,
    waiting: usize,
    limit: usize,
    good: usize,
    slots: Slots,
    /// Nobody begins while it is being settled how many slots there are.
    frozen: bool,
    /// When the keeper was last asked, and since when it has not answered.
    asked: Option<Duration>,
    failing_since: Option<Duration>,
    /// Whether nothing was under way when it was last looked after.
    was_idle: bool,
}

/// What is held of the slots.
#[derive(Debug, Clone, Copy)]
enum Slots {
    /// Nobody has asked yet.
    Unasked,
    /// There is nobody to share with.
    Own,
    /// So many.
    Held(Hold),
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    slots: usize,
    /// All of these by our uptime.
    until: Duration,
    renewed: Duration,
    looked: Duration,
    others_wait: bool,
}

/// What is to be done before a call may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Begin,
    /// The limit is reached: one must end first.
    Full,
    /// Nothing is to be had just now.
    Wait,
    Look,
    Ask,
}

impl Flight {
    fn next(&self, uptime: Duration) -> Next {
        if self.now >= self.limit {
            return Next::Full;
        }
        let fresh = |at: Duration, span: Duration| uptime.saturating_sub(at) < span;
        let asked_lately = self.asked.is_some_and(|asked| fresh(asked, AGAIN));
        let given_up = self
            .failing_since
            .is_some_and(|since| !fresh(since, PATIENCE));
        let hold = match self.slots {
            Slots::Own => return Next::Begin,
            _ if given_up => return Next::Begin,
            _ if self.frozen => return Next::Ask,
            Slots::Unasked if asked_lately => return Next::Wait,
            Slots::Unasked => return Next::Ask,
            Slots::Held(hold) => hold,
        };
        let can = self.now < hold.slots && uptime + CALL <= hold.until;
        match (can, asked_lately) {
            (false, true) => Next::Wait,
            (false, false) => Next::Ask,
            (true, false) if !fresh(hold.renewed, RENEW) => Next::Ask,
            (true, false) if !fresh(hold.looked, LOOK) => Next::Look,
            (true, _) => Next::Begin,
        }
    }

    /// How many are wished for. What is held is kept as long as nobody else wants it.
    fn wish(&self, max: usize) -> Wish {
        let needed = self.now + self.waiting;
        let held = match self.slots {
            Slots::Held(hold) if !hold.others_wait => hold.slots,
            _ => 0,
        };
        Wish {
            most: max as u64,
            in_use: self.now as u64,
            wanted: needed.max(held).min(max) as u64,
        }
    }
}

impl std::fmt::Debug for Concurrency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Concurrency")
            .field("name", &self.name)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Concurrency {
    pub(super) fn new(name: &str, max: usize) -> Self {
        let max = max.max(1);
        Self {
            name: name.to_owned(),
            max,
            state: Mutex::new(Flight {
                now: 0,
                waiting: 0,
                limit: max,
                good: 0,
                slots: Slots::Unasked,
                frozen: false,
                asked: None,
                failing_since: None,
                was_idle: false,
            }),
            freed: Notify::new(),
            asking: tokio::sync::Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// Waits for a place. The place is given back when the permit is dropped.
    pub async fn enter(self: &Arc<Self>, kit: &Kit) -> Permit {
        let kept = self.keeper(&kit.kept);
        let _waiting = Waiting::of(self);
        loop {
            let freed = self.freed.notified();
            match self.try_enter(kit.timer.uptime()) {
                Ok(permit) => return permit,
                Err(Next::Full) => freed.await,
                Err(Next::Wait) => {
                    select(pin!(freed), kit.timer.sleep(AGAIN)).await;
                }
                Err(Next::Begin | Next::Look | Next::Ask) => {
                    self.tend(&*kept, &*kit.timer).await;
                }
            }
        }
    }

    /// Who is asked from now on. What somebody tries out has a keeper that nobody shares: whoever comes next asks its own.
    fn keeper(&self, callers: &Arc<dyn Kept>) -> Arc<dyn Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.lock();
        let is_own = matches!(state.slots, Slots::Own);
        match &*kept {
            Some(known) if !is_own || Arc::ptr_eq(known, callers) => Arc::clone(known),
            _ => {
                state.slots = Slots::Unasked;
                state.asked = None;
                Arc::clone(kept.insert(Arc::clone(callers)))
            }
        }
    }

    fn known_keeper(&self) -> Option<Arc<dyn Kept>> {
        let kept = self.kept.lock();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn try_enter(self: &Arc<Self>, uptime: Duration) -> Result<Permit, Next> {
        let mut state = self.lock();
        match state.next(uptime) {
            Next::Begin => {
                state.now += 1;
                Ok(Permit {
                    of: Arc::clone(self),
                })
            }
            next => Err(next),
        }
    }

    /// Does what is due: looks whether others wait, renews, asks for more.
    async fn tend(&self, kept: &dyn Kept, timer: &dyn Timer) {
        let _one = self.asking.lock().await;
        let uptime = timer.uptime();
        // Somebody else may have done it meanwhile.
        let next = self.lock().next(uptime);
        if next == Next::Look {
            let others_wait = kept.others_wait(&self.name).await.unwrap_or(false);
            let mut state = self.lock();
            if let Slots::Held(hold) = &mut state.slots {
                (hold.looked, hold.others_wait) = (uptime, others_wait);
            }
            if !others_wait {
                return;
            }
        } else if next != Next::Ask {
            return;
        }
        self.ask(kept, timer).await;
    }

    /// Asks for as many as are needed, and holds what is given.
    async fn ask(&self, kept: &dyn Kept, timer: &dyn Timer) {
        let before = timer.uptime();
        let asked = Asked::begin(self, before);
        let answer = kept.hold(&self.name, asked.wish, HELD).await;
        let mut state = self.lock();
        match answer {
            Ok(None) => {
                state.slots = Slots::Own;
                state.failing_since = None;
            }
            Ok(Some(Share { held, others_wait })) => {
                state.failing_since = None;
                state.slots = Slots::Held(Hold {
                    slots: usize::try_from(held).unwrap_or(usize::MAX),
                    until: before + HELD,
                    renewed: before,
                    looked: before,
                    others_wait,
                });
            }
            Err(error) => {
                let first = state.failing_since.is_none();
                state.failing_since.get_or_insert(before);
                drop(state);
                if first {
                    tracing::warn!(%error, name = self.name, "slots for calls can't be held in the store");
                }
                return;
            }
        }
        drop(state);
        asked.answered();
    }

    /// What is held and not used goes back to the others.
    pub(super) async fn rest(&self) {
        let Some(kept) = self.known_keeper() else {
            return;
        };
        let _one = self.asking.lock().await;
        {
            let mut state = self.lock();
            let idle = state.now == 0 && state.waiting == 0;
            if !idle || !matches!(state.slots, Slots::Held(_)) {
                return;
            }
            state.slots = Slots::Unasked;
            state.asked = None;
        }
        if let Err(error) = kept.give_back(&self.name).await {
            tracing::debug!(%error, name = self.name, "slots for calls can't be given back; they end by themselves");
        }
    }

    /// For a service, about once a second: gives back what was idle since the last time, looks after the rest.
    pub(super) async fn look_after(&self, timer: &dyn Timer) {
        let Some(kept) = self.known_keeper() else {
            return;
        };
        let idle = {
            let mut state = self.lock();
            if !matches!(state.slots, Slots::Held(_)) {
                return;
            }
            let idle = state.now == 0 && state.waiting == 0;
            std::mem::replace(&mut state.was_idle, idle) && idle
        };
        if idle {
            self.rest().await;
        } else {
            self.tend(&*kept, timer).await;
        }
    }

    /// The service refused a call because too many were under way: halve the limit.
    pub fn too_many(&self) {
        let mut state = self.lock();
        state.limit = (state.limit / 2).max(1);
        state.good = 0;
    }

    /// A call went well: after twenty of them in a row the limit grows by one, up to the maximum.
    pub fn went_well(&self) {
        let mut state = self.lock();
        state.good += 1;
        if state.good >= GOOD && state.limit < self.max {
            state.limit += 1;
            state.good = 0;
            self.freed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Flight> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question to the keeper under way: nobody begins meanwhile. If no answer comes, only those are certain that were in
/// use.
struct Asked<'a> {
    of: &'a Concurrency,
    wish: Wish,
    answered: bool,
}

impl<'a> Asked<'a> {
    fn begin(of: &'a Concurrency, uptime: Duration) -> Self {
        let mut state = of.lock();
        state.frozen = true;
        state.asked = Some(uptime);
        Self {
            of,
            wish: state.wish(of.max),
            answered: false,
        }
    }

    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let mut state = self.of.lock();
        state.frozen = false;
        if let (false, Slots::Held(hold)) = (self.answered, &mut state.slots) {
            let in_use = usize::try_from(self.wish.in_use).unwrap_or_default();
            hold.slots = hold.slots.min(in_use);
        }
        drop(state);
        self.of.freed.notify_one();
    }
}

/// Somebody waits for a place.
struct Waiting<'a>(&'a Concurrency);

impl<'a> Waiting<'a> {
    fn of(concurrency: &'a Concurrency) -> Self {
        concurrency.lock().waiting += 1;
        Self(concurrency)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

/// A place among the calls under way.
#[derive(Debug)]
pub struct Permit {
    of: Arc<Concurrency>,
}

impl Permit {
    /// Waits for the end of a call, however long it takes, and keeps its slot meanwhile.
    pub async fn during<T>(&self, kit: &Kit, call: impl Future<Output = T>) -> T {
        if !self.of.is_shared() {
            return call.await;
        }
        match select(pin!(call), pin!(self.keep_on(&*kit.timer))).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    async fn keep_on(&self, timer: &dyn Timer) -> Infallible {
        loop {
            timer.sleep(RENEW).await;
            if let Some(kept) = self.of.known_keeper() {
                self.of.keep(&*kept, timer).await;
            }
        }
    }

    /// Gives the place back, and the slot with it, so that others need not wait until it is noticed.
    pub async fn end(self) {
        let of = Arc::clone(&self.of);
        drop(self);
        of.rest().await;
    }
}

impl Concurrency {
    /// Whether there is anybody to share with.
    fn is_shared(&self) -> bool {
        !matches!(self.lock().slots, Slots::Own)
    }

    /// Renews the slots of calls that are under way.
    async fn keep(&self, kept: &dyn Kept, timer: &dyn Timer) {
        let _one = self.asking.lock().await;
        let is_due = match self.lock().slots {
            Slots::Held(hold) => timer.uptime().saturating_sub(hold.renewed) >= RENEW,
            Slots::Unasked | Slots::Own => false,
        };
        if is_due {
            self.ask(kept, timer).await;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.of.lock().now -= 1;
        self.of.freed.notify_one();
    }
}

#[cfg(test)]
mod tests;
