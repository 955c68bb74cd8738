//! The same job by others: the bills of a ledger are made on a platform, on the same server, by this project and by peers
//! that are known for moving records or for outliving kills. Time, processor, memory; then kills, and what is there twice.
//!
//! The server is the sandbox as a process of its own, with its limits and a chosen time for each call. A server made only
//! for the race would have to know what this project asks of NetSuite, and would be a second fake of it; the sandbox makes
//! several thousand bills a second, and each result says what it took of a processor.

mod install;
pub(crate) mod job;
mod kills;
mod measure;
pub(crate) mod runner;
pub(crate) mod table;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use serde_json::Value;

use crate::panel::Caller;
use crate::race::install::Shelf;
use crate::race::job::{ALL, Job, QUICK};
use crate::race::measure::Measured;
use crate::race::runner::{PEERS, REFERENCE, Runner, TIEOUT};
use crate::results::{Results, first_line, surroundings};
use crate::workspace::Workspace;

/// Where its results are, under `target`.
pub(crate) const RESULTS: &str = "race";
const QUICK_RESULTS: &str = "race/quick";

/// How to race.
#[derive(Debug, Args)]
pub(crate) struct RaceArguments {
    /// Only these: tieout, reference, singer, dlt, restate, dbos.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only these jobs, such as 3000-single-20ms,30000-bulk-0ms.
    #[arg(long, value_delimiter = ',')]
    jobs: Vec<Job>,
    /// Small jobs and few kills, to see that everything works.
    #[arg(long)]
    quick: bool,
    /// How often each is measured; the one in the middle counts.
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// How often each is killed; 0 leaves the kills out.
    #[arg(long)]
    kills: Option<u32>,
    /// Decides the moments of the kills.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Use this program, and build none.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

impl RaceArguments {
    fn jobs(&self) -> Vec<Job> {
        match (self.jobs.is_empty(), self.quick) {
            (false, _) => self.jobs.clone(),
            (true, true) => QUICK.to_vec(),
            (true, false) => ALL.to_vec(),
        }
    }

    /// Over how many bills, and how often.
    fn kills(&self) -> (u32, u32) {
        let (bills, kills) = if self.quick { (300, 3) } else { (1500, 10) };
        (bills, self.kills.unwrap_or(kills))
    }
}

/// Races; true if this project made nothing twice, and lost nothing.
pub(crate) fn run(workspace: &Workspace, arguments: &RaceArguments) -> Result<bool> {
    let names: Vec<&str> = [TIEOUT]
        .into_iter()
        .chain(PEERS.iter().map(|peer| peer.name))
        .collect();
    if let Some(unknown) = arguments
        .only
        .iter()
        .find(|name| !names.contains(&name.as_str()))
    {
        bail!("{unknown} doesn't race; these do: {}", names.join(", "));
    }
    let program = match &arguments.program {
        Some(program) => program.canonicalize()?,
        None => workspace.tieout(true)?,
    };
    let shelf = Shelf::of(workspace)?;
    let (runners, skipped) = runners(workspace, &shelf, &program, &arguments.only)?;
    // Small jobs show that everything works, and are no measurement.
    let kept = if arguments.quick {
        QUICK_RESULTS
    } else {
        RESULTS
    };
    let mut results = Results::of(workspace, kept)?;
    let mut with = surroundings(workspace, &program);
    with["packages"] = versions(&shelf);
    let race = Race {
        program: &program,
        caller: Caller::new()?,
        with,
    };
    for job in arguments.jobs() {
        println!(
            "\n{job}: at least {:.2} s for {} calls, three at once",
            job.bound(),
            job.calls()
        );
        for runner in &runners {
            race.job(&mut results, runner, job, arguments.repeat)?;
        }
        table::job(&results, job);
    }
    let clean = race.kills(&mut results, &runners, arguments)?;
    for (name, word) in skipped {
        println!("skipped  {name}: {word}");
    }
    Ok(clean)
}

/// Who races, and who can't be had, with the reason.
type Runners = (Vec<Runner>, Vec<(&'static str, String)>);

fn runners(
    workspace: &Workspace,
    shelf: &Shelf,
    program: &Path,
    only: &[String],
) -> Result<Runners> {
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    let mut runners = Vec::new();
    let mut skipped = Vec::new();
    if wanted(TIEOUT) {
        runners.push(Runner::Tieout {
            program: program.to_owned(),
        });
    }
    for peer in PEERS.iter().filter(|peer| wanted(peer.name)) {
        match Runner::of(workspace, shelf, peer)? {
            Ok(runner) => runners.push(runner),
            Err(word) => skipped.push((peer.name, word)),
        }
    }
    Ok((runners, skipped))
}

/// What raced in which version.
fn versions(shelf: &Shelf) -> Value {
    let mut all: Vec<String> = PEERS
        .iter()
        .flat_map(|peer| {
            let mut packages = shelf.packages("python", peer.name);
            packages.extend(shelf.packages("npm", peer.name));
            packages
        })
        .collect();
    let mut python = std::process::Command::new("python3");
    all.extend(first_line(python.arg("--version")));
    all.into()
}

/// A race under way.
struct Race<'a> {
    program: &'a Path,
    caller: Caller,
    with: Value,
}

impl Race<'_> {
    /// One runner, one job; what failed is said, and keeps nobody else from racing.
    fn job(&self, results: &mut Results, runner: &Runner, job: Job, times: usize) -> Result<()> {
        let mut all: Vec<Measured> = Vec::new();
        for _ in 0..times.max(1) {
            match measure::measure(self.program, &self.caller, runner, job) {
                Ok(measured) => all.push(measured),
                Err(error) => println!("FAILED   {} in {job}: {error:#}", runner.name()),
            }
        }
        all.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let Some(middle) = all.get(all.len() / 2) else {
            return Ok(());
        };
        let mut kept = middle.kept(job, runner);
        kept["all_seconds"] = all.iter().map(|one| one.seconds).collect();
        results.keep(&format!("{job} {}", runner.name()), &self.with, kept)
    }

    /// Kills everybody who keeps something; false if this project made something twice, or lost something.
    fn kills(
        &self,
        results: &mut Results,
        runners: &[Runner],
        arguments: &RaceArguments,
    ) -> Result<bool> {
        let (bills, planned) = arguments.kills();
        let mut clean = true;
        if planned == 0 {
            return Ok(clean);
        }
        println!(
            "\n{bills} bills one by one, killed {planned} times (seed {})",
            arguments.seed
        );
        for runner in runners.iter().filter(|runner| runner.name() != REFERENCE) {
            let how = (bills, planned, arguments.seed);
            match kills::kill(self.program, &self.caller, runner, how) {
                Ok(killed) => {
                    println!(
                        "{:<10} {:>3} kills, {:>4} duplicates, {:>4} lost",
                        runner.name(),
                        killed.kills,
                        killed.duplicates,
                        killed.lost
                    );
                    let wrong = killed.duplicates + killed.lost > 0;
                    clean &= !(wrong && runner.name() == TIEOUT);
                    let kept = killed.kept(bills, arguments.seed, runner);
                    results.keep(&format!("kills {}", runner.name()), &self.with, kept)?;
                }
                Err(error) => {
                    println!("FAILED   {}: {error:#}", runner.name());
                    clean &= runner.name() != TIEOUT;
                }
            }
        }
        Ok(clean)
    }
}
