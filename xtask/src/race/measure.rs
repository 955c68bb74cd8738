//! One runner does one job, alone on the machine with the server of all.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::meter::{Group, Taken, cpu_of};
use crate::panel::Caller;
use crate::race::job::Job;
use crate::race::runner::Runner;
use crate::sandbox::Sandbox;

/// How often the server is asked how far it is: seldom enough to cost it little.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A job that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What a runner took for a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// From its first call to the end of the last call that made a bill.
    pub(crate) seconds: f64,
    /// From its start to its end.
    pub(crate) taken: Taken,
    /// The share of one processor that the server took meanwhile.
    pub(crate) server: f64,
    /// Calls to both services.
    pub(crate) calls: u64,
    /// Of them, turned away by a limit.
    pub(crate) refused: u64,
}

impl Measured {
    /// As it is kept.
    pub(crate) fn kept(&self, job: Job, runner: &Runner) -> Value {
        json!({
            "runner": runner.name(),
            "keeps": runner.keeps(),
            "bills": job.bills,
            "bulk": job.bulk,
            "latency_ms": job.latency,
            "bound_seconds": job.bound(),
            "seconds": self.seconds,
            "whole_seconds": self.taken.seconds,
            "cpu_seconds": self.taken.cpu,
            "peak_kib": self.taken.peak_kib,
            "server_share": self.server,
            "calls": self.calls,
            "refused": self.refused,
        })
    }
}

/// A sandbox with a job's bills.
pub(crate) fn sandbox(program: &std::path::Path, job: Job) -> Result<Sandbox> {
    let folder = TempDir::new()?;
    let path = folder.path().join("bills.csv");
    crate::payables::write(&path, job.bills, job.vendors())?;
    let arguments = [
        "--dataset".to_owned(),
        path.display().to_string(),
        "--latency".to_owned(),
        format!("{}ms", job.latency),
    ];
    Sandbox::start(program, &arguments)
}

/// What the server has seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// All calls.
    pub(crate) all: u64,
    /// Those that made bills.
    pub(crate) creations: u64,
    refused: u64,
}

impl Seen {
    /// So far.
    pub(crate) fn so_far(sandbox: &Sandbox, caller: &Caller) -> Result<Self> {
        let calls = sandbox.calls(caller)?;
        let services = ["netsuite", "bill"].map(|service| &calls[service]);
        let sum = |name: &str| services.iter().filter_map(|of| of[name].as_u64()).sum();
        let of = |route: &str| calls["bill"]["by_path"][route].as_u64().unwrap_or(0);
        Ok(Self {
            all: sum("total"),
            creations: of("POST /v3/bills") + of("POST /v3/bills/bulk"),
            refused: sum("refused"),
        })
    }
}

/// Lets a runner do a job on a server of its own; fails if it is not done completely in the end.
pub(crate) fn measure(
    program: &std::path::Path,
    caller: &Caller,
    runner: &Runner,
    job: Job,
) -> Result<Measured> {
    let sandbox = sandbox(program, job)?;
    let start = runner.ready(&sandbox, job)?;
    sandbox.forget_calls(caller)?;
    let cpu = || cpu_of(sandbox.process()).unwrap_or_default();
    let mut group = Group::start(start.command())?;
    let mut first: Option<(Instant, f64)> = None;
    let mut last = (0, Instant::now(), 0.0);
    let taken = loop {
        let ended = group.look()?;
        let now = Instant::now();
        let seen = Seen::so_far(&sandbox, caller)?;
        if first.is_none() && seen.all > 0 {
            first = Some((now, cpu()));
        }
        if seen.creations > last.0 {
            last = (seen.creations, Instant::now(), cpu());
        }
        if let Some(taken) = ended {
            break taken;
        }
        if group.elapsed() > PATIENCE {
            bail!("it hangs");
        }
        std::thread::sleep(BETWEEN_LOOKS);
    };
    if !start.done(taken.status.code()) {
        bail!("it ended with {}", taken.status);
    }
    let made = sandbox.state(caller)?["bill"]["bills"]["count"].as_u64();
    if made != Some(u64::from(job.bills)) {
        bail!("{made:?} bills are there in the end, and not {}", job.bills);
    }
    let seen = Seen::so_far(&sandbox, caller)?;
    let Some((began, cpu_began)) = first else {
        bail!("it called nobody");
    };
    let (_, ended, cpu_ended) = last;
    // A call is counted when it comes, and takes its time from then on.
    let seconds = (ended - began).as_secs_f64() + f64::from(job.latency) / 1000.0;
    Ok(Measured {
        seconds,
        taken,
        server: (cpu_ended - cpu_began) / seconds.max(0.01),
        calls: seen.all,
        refused: seen.refused,
    })
}
