//! How late runs begin when a thousand connections are due at the same pace, and how much memory that takes: the real
//! scheduler and the real store. A run here does what one does that finds nothing to do, without the two services.
//! `cargo xtask bench-schedule` runs it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use jiff::tz::TimeZone;
use tieout::seams::WallClock;
use tieout_domain::{Clock as _, ConnectionName, Timer as _, Timestamp};
use tieout_engine::schedule::{Schedule, Timetable};
use tieout_engine::scheduler::{Ended, Entry, Job, Line, Runs, Scheduler, Work};
use tieout_store::{Commit, Fact, RunId, Store};

/// Makes runs that find nothing to do, and notes how late each began.
struct Idle {
    store: Store,
    pace: Schedule,
    begun: Timestamp,
    late: Mutex<Vec<Duration>>,
}

#[async_trait]
impl Runs for Idle {
    async fn run(&self, job: Job) -> Ended {
        let now = WallClock.now();
        // Its last start before now; before the first, the bench itself was not there.
        let times = timetable(&self.pace, &job.connection);
        let pace = match &self.pace {
            Schedule::Every(every) => every.pace(),
            Schedule::Never | Schedule::Cron(_) => Duration::ZERO,
        };
        let due = now
            .checked_sub(pace)
            .ok()
            .and_then(|before| times.after(before));
        if let Some(due) = due.filter(|due| *due >= self.begun) {
            let late = Duration::try_from(now.duration_since(due)).unwrap_or_default();
            self.late
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(late);
        }
        match self.make(&job).await {
            Ok(()) => Ended::Made,
            Err(_) => Ended::Failed,
        }
    }

    fn cut(&self) {}

    fn chance(&self) -> f64 {
        0.5
    }
}

impl Idle {
    async fn make(&self, job: &Job) -> Result<()> {
        let store = self.store.connection(&job.connection);
        let lease = store.lease("bench", Duration::from_secs(300)).await?;
        let run = RunId::new(uuid::Uuid::now_v7().to_string());
        lease.set_run(&run).await?;
        let commit = |fact| Commit {
            fence: Some(lease.fence),
            actor: "bench".to_owned(),
            run: Some(run.clone()),
            facts: vec![fact],
            ..Commit::default()
        };
        let started = Fact::RunStarted {
            trigger: job.trigger.clone(),
            flows: Vec::new(),
        };
        store.commit(commit(started)).await?;
        let ended = Fact::RunEnded {
            codes: Vec::new(),
            status: "done".to_owned(),
            flows: Default::default(),
            calls: Default::default(),
            cause: String::new(),
        };
        store.commit(commit(ended)).await?;
        lease.release().await?;
        Ok(())
    }
}

fn timetable(pace: &Schedule, connection: &ConnectionName) -> Timetable {
    Timetable::new(pace.clone(), TimeZone::UTC, None, connection.as_str())
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let seconds = arguments.next().transpose()?.unwrap_or(60);
    let pace = arguments.next().transpose()?.unwrap_or(900);
    let count = arguments.next().transpose()?.unwrap_or(1000);
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("tieout.db").display());
    let store = Store::open(&url, Arc::new(WallClock)).await?;
    let pace: Schedule = format!("every {pace} seconds").parse()?;
    let mut entries = Vec::new();
    for number in 0..count {
        let connection: ConnectionName = format!("entity-{number}").parse()?;
        let times = timetable(&pace, &connection);
        entries.push(Entry {
            connection,
            lines: vec![Line {
                work: Work::Everything,
                times: times.clone(),
                last: None,
            }],
            urgent: Vec::new(),
            quiet: times,
        });
    }
    let scheduler = Arc::new(Scheduler::new(Arc::new(WallClock), 8));
    let runs = Arc::new(Idle {
        store,
        pace,
        begun: WallClock.now(),
        late: Mutex::default(),
    });
    scheduler.set(entries);
    let (working, making) = (Arc::clone(&scheduler), Arc::clone(&runs));
    let work = tokio::spawn(async move { working.work(making, Duration::from_secs(60)).await });
    WallClock.sleep(Duration::from_secs(seconds)).await;
    scheduler.drain();
    work.await?;
    let mut late = runs.late.lock().unwrap_or_else(PoisonError::into_inner);
    late.sort_unstable();
    let share = |per_mille: usize| late.get(late.len() * per_mille / 1000).copied();
    println!(
        "{count} connections, {} runs in {seconds} s: late p50 {:.1?}, p99 {:.1?}, longest {:.1?}; {}",
        late.len(),
        share(500).unwrap_or_default(),
        share(990).unwrap_or_default(),
        late.last().copied().unwrap_or_default(),
        memory(),
    );
    Ok(())
}

/// The most memory that the process has had, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(
        || "memory unknown".to_owned(),
        |peak| format!("memory {}", peak.trim()),
    )
}
