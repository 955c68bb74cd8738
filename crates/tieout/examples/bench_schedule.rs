//! How late runs begin when a thousand connections are due at the same pace, and how much memory that takes: the real
//! program as a process of its own, with real runs against a sandbox at zero latency. `cargo xtask bench-schedule` runs
//! it.
//!
//! One sandbox stands in for a thousand companies: all connections share its account and its organization, with their
//! limits, which makes it harder and not easier. Its books are bare, as those of a company are between two syncs.

mod bench;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use bench::{Process, arguments, open, share};
use jiff::tz::TimeZone;
use serde_json::Value;
use tieout::commands::demo;
use tieout::home::CONFIG;
use tieout::sandbox::{Sandbox, SandboxOptions};
use tieout::seams::WallClock;
use tieout_domain::{Clock as _, Timestamp};
use tieout_engine::schedule::{Schedule, Timetable};

#[tokio::main]
async fn main() -> Result<()> {
    let (program, [seconds, pace, count]) = arguments([120, 900, 1000])?;
    let folder = tempfile::tempdir()?;
    let sandbox = Sandbox::start(&SandboxOptions {
        empty: true,
        ..SandboxOptions::default()
    })
    .await?;
    set_up(folder.path(), &sandbox.description, (pace, count)).await?;
    let begun = WallClock.now();
    let (serving, _) = Process::start(&program, folder.path(), &["serve", "--json"])?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let memory = serving.memory();
    drop(serving);
    let mut seen = lateness(folder.path(), pace, begun).await?;
    seen.late.sort_unstable();
    println!(
        "{count} connections, {} runs in {seconds} s ({} ended well): late p50 {:.1?}, p99 {:.1?}, longest {:.1?}; a run took {:.2?} in the middle; {} MB",
        seen.late.len(),
        seen.well,
        share(&seen.late, 500),
        share(&seen.late, 990),
        seen.late.last().copied().unwrap_or_default(),
        share(&seen.took, 500),
        memory.map_or("?".to_owned(), |memory| memory.to_string()),
    );
    Ok(())
}

/// As many connections as wanted, all to the same two stand-ins.
async fn set_up(folder: &Path, sandbox: &Value, (pace, count): (u64, u64)) -> Result<()> {
    let home = demo::set_up(folder, sandbox).await?;
    home.store.close().await;
    let path = folder.join(CONFIG);
    let one = std::fs::read_to_string(&path)?;
    let one = one.replacen(
        "pair = \"netsuite-bill\"\n",
        &format!(
            "pair = \"netsuite-bill\"\nschedule = \"every {pace} seconds\"\nwhole = \"never\"\n"
        ),
        1,
    );
    let mut all = "[server]\nlisten = \"127.0.0.1:0\"\n".to_owned();
    for number in 0..count {
        all.push_str(&one.replace(
            "connections.acme-us",
            &format!("connections.entity-{number}"),
        ));
    }
    std::fs::write(&path, all)?;
    Ok(())
}

/// What was seen of the runs.
#[derive(Default)]
struct Seen {
    late: Vec<Duration>,
    took: Vec<Duration>,
    well: usize,
}

/// How late each run by schedule began, and how long it took.
async fn lateness(folder: &Path, pace: u64, begun: Timestamp) -> Result<Seen> {
    let home = open(folder).await?;
    let schedule: Schedule = format!("every {pace} seconds").parse()?;
    let mut seen = Seen::default();
    for name in home.config.connections.keys() {
        let times = Timetable::new(schedule.clone(), TimeZone::UTC, None, name.as_str());
        for run in home.store.connection(name).runs(100).await? {
            let before = run.started.checked_sub(Duration::from_secs(pace))?;
            let due = times.after(before).filter(|due| *due >= begun);
            if let Some(due) = due {
                seen.late
                    .push(Duration::try_from(run.started.duration_since(due))?);
            }
            if let Some(ended) = run.ended {
                seen.took
                    .push(Duration::try_from(ended.duration_since(run.started))?);
                seen.well += usize::from(run.status == "done" || run.status == "exceptions");
            }
        }
    }
    seen.took.sort_unstable();
    Ok(seen)
}
