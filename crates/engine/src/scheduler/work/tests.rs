//! Workers that are bounded, runs that panic, and an end that waits, then cuts.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::tz::TimeZone;
use tieout_domain::{Clock, Timestamp};

use super::*;
use crate::schedule::{Schedule, Timetable};

/// Nothing takes any time.
struct NoTime;

impl Clock for NoTime {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

#[async_trait]
impl Timer for NoTime {
    async fn sleep(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

/// Runs that end when they are let, or cut.
struct Held {
    on: AtomicUsize,
    most: AtomicUsize,
    made: AtomicUsize,
    may_end: watch::Sender<bool>,
    heeds_a_cut: bool,
}

impl Held {
    fn new(may_end: bool, heeds_a_cut: bool) -> Arc<Self> {
        Arc::new(Self {
            on: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
            may_end: watch::Sender::new(may_end),
            heeds_a_cut,
        })
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Runs for Held {
    async fn run(&self, job: Job) -> Ended {
        assert_ne!(job.connection.as_str(), "bug", "as it was to be");
        let on = self.on.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(on, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let mut may_end = self.may_end.subscribe();
        let _ = may_end.wait_for(|may| *may).await;
        self.on.fetch_sub(1, Ordering::SeqCst);
        self.made.fetch_add(1, Ordering::SeqCst);
        Ended::Made
    }

    fn cut(&self) {
        if self.heeds_a_cut {
            self.may_end.send_replace(true);
        }
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

fn scheduler(names: &[String], workers: usize) -> Arc<Scheduler> {
    let entry = |name: &String| {
        let quiet = Timetable::new(Schedule::Never, TimeZone::UTC, None, name);
        Entry {
            connection: name.parse().unwrap(),
            tenant: name.clone(),
            lines: Vec::new(),
            urgent: Vec::new(),
            quiet,
        }
    };
    let scheduler = Arc::new(Scheduler::new(Arc::new(NoTime), workers));
    scheduler.set(names.iter().map(entry).collect());
    for name in names {
        assert!(scheduler.mark(&name.parse().unwrap(), Mark::default()));
    }
    scheduler
}

fn work(scheduler: &Arc<Scheduler>, runs: &Arc<Held>) -> tokio::task::JoinHandle<()> {
    let (scheduler, runs) = (Arc::clone(scheduler), Arc::clone(runs));
    tokio::spawn(async move { scheduler.work(runs, Duration::ZERO).await })
}

async fn until(holds: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("in vain");
}

#[tokio::test]
async fn no_more_run_at_once_than_there_are_workers_and_all_get_their_turn() {
    let names: Vec<_> = (0..100).map(|number| format!("c{number}")).collect();
    let (scheduler, runs) = (scheduler(&names, 8), Held::new(true, true));
    let working = work(&scheduler, &runs);
    until(|| runs.made() == 100).await;
    assert_eq!(runs.most.load(Ordering::SeqCst), 8);
    scheduler.drain();
    working.await.unwrap();
}

#[tokio::test]
async fn a_bug_in_one_run_stops_nobody_else() {
    let names = ["a", "bug", "b"].map(str::to_owned);
    let (scheduler, runs) = (scheduler(&names, 1), Held::new(true, true));
    let working = work(&scheduler, &runs);
    until(|| runs.made() == 2).await;
    let standing = scheduler.standing(&"bug".parse().unwrap()).unwrap();
    assert!(!standing.running && standing.failures > 0, "{standing:?}");
    scheduler.drain();
    working.await.unwrap();
}

#[tokio::test]
async fn drained_it_starts_nothing_and_cuts_what_does_not_end() {
    let names = ["a", "b", "c"].map(str::to_owned);
    let (scheduler, runs) = (scheduler(&names, 2), Held::new(false, true));
    let working = work(&scheduler, &runs);
    until(|| runs.on.load(Ordering::SeqCst) == 2).await;
    assert!(scheduler.works());
    scheduler.drain();
    assert!(!scheduler.works());
    working.await.unwrap();
    assert_eq!(runs.made(), 2, "the third never began");
}

#[tokio::test]
async fn what_does_not_even_heed_a_cut_is_dropped() {
    let names = ["a".to_owned()];
    let (scheduler, runs) = (scheduler(&names, 1), Held::new(false, false));
    let working = work(&scheduler, &runs);
    until(|| runs.on.load(Ordering::SeqCst) == 1).await;
    scheduler.drain();
    working.await.unwrap();
    assert_eq!(runs.made(), 0);
}
