//! Each runner is killed in the middle of its work, started again, killed again; in the end the bills are counted.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::crash::killing::Dice;
use crate::meter::{Group, Taken};
use crate::panel::{Caller, Platform, marker};
use crate::race::job::job;
use crate::race::measure::{Seen, sandbox};
use crate::race::runner::{Runner, Start};
use crate::sandbox::Sandbox;

/// How long each call takes, in milliseconds: a kill then falls into one.
const LATENCY: u32 = 20;

/// A runner that doesn't come to its moment, or to its end, hangs.
const PATIENCE: Duration = Duration::from_secs(600);

/// What became of the bills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Killed {
    /// How often it was killed.
    pub(crate) kills: u32,
    /// Bills that are there once more than they should be.
    pub(crate) duplicates: usize,
    /// Bills that aren't there.
    pub(crate) lost: usize,
}

impl Killed {
    /// As it is kept.
    pub(crate) fn kept(&self, bills: u32, seed: u64, runner: &Runner) -> Value {
        json!({
            "runner": runner.name(),
            "keeps": runner.keeps(),
            "bills": bills,
            "seed": seed,
            "kills": self.kills,
            "duplicates": self.duplicates,
            "lost": self.lost,
        })
    }
}

/// Kills a runner so often over so many bills, one by one.
pub(crate) fn kill(
    program: &Path,
    caller: &Caller,
    runner: &Runner,
    (bills, planned, seed): (u32, u32, u64),
) -> Result<Killed> {
    let job = job(bills, false, LATENCY);
    let sandbox = sandbox(program, job)?;
    let start = runner.ready(&sandbox, job)?;
    let mut dice = Dice(seed);
    let mut kills = 0;
    for _ in 0..planned {
        // In the mean a kill comes after its share of the bills, so that the last comes before the end.
        let most = u64::from(bills) * 2 / u64::from(planned + 1);
        let after = 1 + dice.below(most);
        let moment = Duration::from_micros(dice.below(u64::from(LATENCY) * 1000));
        if !killed(&sandbox, caller, &start, (after, moment))? {
            break;
        }
        kills += 1;
    }
    let taken = finished(&start)?;
    if !start.done(taken.status.code()) {
        bail!("after its kills it ended with {}", taken.status);
    }
    let (there, distinct) = counted(&sandbox, caller)?;
    Ok(Killed {
        kills,
        duplicates: there - distinct,
        lost: usize::try_from(bills)?.saturating_sub(distinct),
    })
}

/// Starts it, and kills it a moment after so many calls that made bills; false if it has ended before.
fn killed(
    sandbox: &Sandbox,
    caller: &Caller,
    start: &Start,
    (after, moment): (u64, Duration),
) -> Result<bool> {
    let before = Seen::so_far(sandbox, caller)?.creations;
    let mut group = Group::start(start.command())?;
    while Seen::so_far(sandbox, caller)?.creations < before + after {
        if group.look()?.is_some() {
            return Ok(false);
        }
        if group.elapsed() > PATIENCE {
            bail!("it hangs after a kill");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(moment);
    if group.look()?.is_some() {
        return Ok(false);
    }
    group.kill()?;
    Ok(true)
}

fn finished(start: &Start) -> Result<Taken> {
    let began = Instant::now();
    let mut group = Group::start(start.command())?;
    loop {
        if let Some(taken) = group.look()? {
            return Ok(taken);
        }
        if began.elapsed() > PATIENCE {
            bail!("it doesn't come to its end after its kills");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How many bills are there, and of how many of the ledger's. Each has the mark of the one it was made from.
fn counted(sandbox: &Sandbox, caller: &Caller) -> Result<(usize, usize)> {
    let platform = Platform::sign_in(caller, &sandbox.described["bill"])?;
    let bills = platform.list("bills")?;
    let marks: BTreeSet<_> = bills
        .iter()
        .filter_map(|bill| marker(bill["description"].as_str()?))
        .collect();
    Ok((bills.len(), marks.len()))
}
