//! Lives through worlds in which everything goes wrong (`crates/sim`).

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::workspace::Workspace;

/// How many worlds the tests live through.
const SLICE: u64 = 1000;

/// The pairs whose worlds the tests live through. No world of a pair begins after so many seconds: a slow machine
/// lives through fewer, and says how many.
const SLICE_SECONDS: [(&str, u64); 3] = [
    (PAYABLES, 40),
    ("netsuite-invoiced", 24),
    ("netsuite-alternative-payments", 24),
];

/// In the tests, a walk takes only every so-many-th mishap of a sort.
const WALK_STEPS: [(&str, u64); 3] = [
    (PAYABLES, 400),
    ("netsuite-invoiced", 400),
    ("netsuite-alternative-payments", 400),
];

/// The pair that is meant where none is named.
const PAYABLES: &str = "netsuite-bill";

/// The pairs that have worlds.
pub(crate) fn pairs() -> impl Iterator<Item = &'static str> {
    SLICE_SECONDS.iter().map(|(pair, _)| *pair)
}

/// How the simulation is built.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Build {
    /// For thousands of worlds, in a profile of its own.
    Fast,
    /// As the other tests are: half as fast, and nothing is compiled twice for a slice.
    AsTests,
}

/// What to live through.
#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// Which pair's worlds.
    #[arg(long, default_value = PAYABLES)]
    pair: String,
    /// How many worlds.
    #[arg(long, default_value_t = SLICE)]
    seeds: u64,
    /// The first one's seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Live through each twice, and compare the histories.
    #[arg(long)]
    twice: bool,
    /// Stop at the first world in which something must not have been.
    #[arg(long)]
    fail_fast: bool,
    /// No new world after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
}

/// What to walk through.
#[derive(Debug, Args)]
pub(crate) struct WalkArguments {
    /// Which pair's story.
    #[arg(long, default_value = PAYABLES)]
    pair: String,
    /// Die only at every so-many-th boundary, and lose only every so-many-th answer.
    #[arg(long, default_value_t = 1)]
    step: u64,
}

/// What to sync.
#[derive(Debug, Args)]
pub(crate) struct HistoryArguments {
    /// How many invoices the ledger has.
    #[arg(long, default_value_t = 50_000)]
    invoices: u64,
    /// How many processes die on the way.
    #[arg(long, default_value_t = 3)]
    kills: u64,
}

/// Lives through them; true if all was as it must be.
pub(crate) fn run(workspace: &Workspace, arguments: &SimulateArguments) -> Result<bool> {
    let program = build(workspace, Build::Fast)?;
    let mut command = Command::new(program);
    command.args(["live", "--pair", &arguments.pair]);
    command.args(["--seeds", &arguments.seeds.to_string()]);
    command.args(["--first", &arguments.first.to_string()]);
    if arguments.twice {
        command.arg("--twice");
    }
    if arguments.fail_fast {
        command.arg("--fail-fast");
    }
    if let Some(seconds) = arguments.seconds {
        command.args(["--seconds", &seconds.to_string()]);
    }
    Ok(command.status()?.success())
}

/// The worlds that the tests live through, as far as the time for them reaches, and some of them twice.
pub(crate) fn slice(workspace: &Workspace) -> Result<bool> {
    let program = build(workspace, Build::AsTests)?;
    let mut good = true;
    for (pair, seconds) in SLICE_SECONDS {
        let live = ["live", "--pair", pair];
        let lived = Command::new(&program)
            .args(live)
            .args(["--seeds", &SLICE.to_string()])
            .args(["--seconds", &seconds.to_string()])
            .status()?;
        let again = Command::new(&program)
            .args(live)
            .args(["--seeds", "6", "--twice"])
            .status()?;
        good &= lived.success() && again.success();
    }
    Ok(good)
}

/// Dies at every boundary of a pair's story in turn, and loses the answer to every write.
pub(crate) fn walk(workspace: &Workspace, arguments: &WalkArguments) -> Result<bool> {
    let program = build(workspace, Build::Fast)?;
    walk_by(&program, &arguments.pair, arguments.step)
}

/// The same for all pairs, with steps that the tests have time for.
pub(crate) fn walks(workspace: &Workspace) -> Result<bool> {
    let program = build(workspace, Build::AsTests)?;
    let mut good = true;
    for (pair, step) in WALK_STEPS {
        good &= walk_by(&program, pair, step)?;
    }
    Ok(good)
}

/// Syncs a whole history to Alternative Payments, in stages and across processes that die.
pub(crate) fn history(workspace: &Workspace, arguments: &HistoryArguments) -> Result<bool> {
    let program = build(workspace, Build::Fast)?;
    let status = Command::new(program)
        .arg("history")
        .args(["--invoices", &arguments.invoices.to_string()])
        .args(["--kills", &arguments.kills.to_string()])
        .status()?;
    Ok(status.success())
}

fn walk_by(program: &Path, pair: &str, step: u64) -> Result<bool> {
    let status = Command::new(program)
        .args(["walk", "--pair", pair, "--step", &step.to_string()])
        .status()?;
    Ok(status.success())
}

fn build(workspace: &Workspace, how: Build) -> Result<PathBuf> {
    match how {
        Build::Fast => fast(workspace.cargo(), &workspace.root().join("target")),
        Build::AsTests => workspace.beside_the_tests("tieout-sim"),
    }
}

/// Builds the simulation for thousands of worlds, by this cargo and in this target folder.
pub(crate) fn fast(mut cargo: Command, target: &Path) -> Result<PathBuf> {
    cargo.env("CARGO_TARGET_DIR", target);
    // Of the whole workspace: its libraries are then those of every other release build.
    let build = ["build", "--quiet", "--release", "--workspace"];
    cargo.args(build).args(["--bin", "tieout-sim"]);
    if !cargo.status()?.success() {
        bail!("the simulation doesn't build");
    }
    let program = target.join("release").join("tieout-sim");
    Ok(program.with_extension(std::env::consts::EXE_EXTENSION))
}
