//! How this project does against what is possible: each figure beside a bound that follows from the services' limits, or
//! a baseline that was measured in the same run. The figures depend on the machine and on what else it does; no test
//! asserts them.

mod bound;
mod first_sync;
mod journal;
mod nothing_new;
mod page;
mod plot;
pub(crate) mod service;
mod size;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use serde_json::Value;

use crate::panel::Caller;
use crate::results::{Results, surroundings};
use crate::workspace::Workspace;

/// Where its results are, under `target`.
pub(crate) const RESULTS: &str = "bench";
const QUICK_RESULTS: &str = "bench/quick";

/// The parts, in the order in which they are measured.
const PARTS: [&str; 7] = [
    "size",
    "journal",
    "first-sync",
    "nothing-new",
    "memory",
    "webhooks",
    "schedule",
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// Only these: size, journal, first-sync, nothing-new, memory, webhooks, schedule.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The large sizes, too: a first sync of 100,000 bills, and the memory of 1,000,000.
    #[arg(long, conflicts_with = "quick")]
    large: bool,
    /// Small sizes, to see that everything works.
    #[arg(long)]
    quick: bool,
    /// How long each call of a first sync takes, in milliseconds.
    #[arg(long, default_value_t = 150)]
    latency: u32,
    /// Measure nothing: make the book's page of the last results of this and of the race.
    #[arg(long)]
    write: bool,
    /// Use this program, and build none.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Measures; true if everything that was to be measured could be.
pub(crate) fn run(workspace: &Workspace, arguments: &BenchArguments) -> Result<bool> {
    if arguments.write {
        return page::write(workspace);
    }
    if let Some(unknown) = arguments
        .only
        .iter()
        .find(|part| !PARTS.contains(&part.as_str()))
    {
        bail!("there is no part {unknown}; there are {}", PARTS.join(", "));
    }
    let program = match &arguments.program {
        Some(program) => program.canonicalize()?,
        None => workspace.tieout(true)?,
    };
    // Small sizes show that everything works, and are no measurement.
    let kept = if arguments.quick {
        QUICK_RESULTS
    } else {
        RESULTS
    };
    let mut bench = Bench {
        workspace,
        caller: Caller::new()?,
        with: surroundings(workspace, &program),
        results: Results::of(workspace, kept)?,
        program: &program,
    };
    let mut whole = true;
    for part in PARTS {
        if arguments.only.is_empty() || arguments.only.iter().any(|only| only == part) {
            println!("\n== {part}");
            if let Err(error) = bench.part(part, arguments) {
                println!("FAILED   {part}: {error:#}");
                whole = false;
            }
        }
    }
    Ok(whole)
}

/// A bench under way.
struct Bench<'a> {
    workspace: &'a Workspace,
    caller: Caller,
    with: Value,
    results: Results,
    program: &'a Path,
}

impl Bench<'_> {
    fn part(&mut self, part: &str, arguments: &BenchArguments) -> Result<()> {
        match part {
            "size" => size::measure(self, arguments.quick),
            "journal" => journal::measure(self),
            "first-sync" => first_sync::measure(self, arguments),
            "nothing-new" => nothing_new::measure(self, arguments.quick),
            "memory" => first_sync::memory(self, arguments),
            other => service::measure(self, other),
        }
    }

    /// Keeps a result.
    fn keep(&mut self, name: &str, result: Value) -> Result<()> {
        self.results.keep(name, &self.with, result)
    }
}
