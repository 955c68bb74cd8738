//! Lives through worlds in which everything goes wrong (`crates/sim`).

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::workspace::Workspace;

/// How many worlds the tests live through.
const SLICE: u64 = 1000;

/// No world of the slice begins after so many seconds: a slow machine lives through fewer, and says how many.
const SLICE_SECONDS: u64 = 240;

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
    /// Die only at every so-many-th boundary, and lose only every so-many-th answer.
    #[arg(long, default_value_t = 1)]
    step: u64,
}

/// Lives through them; true if all was as it must be.
pub(crate) fn run(workspace: &Workspace, arguments: &SimulateArguments) -> Result<bool> {
    let program = build(workspace, Build::Fast)?;
    let mut command = Command::new(program);
    command.arg("live");
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
    let lived = Command::new(&program)
        .args(["live", "--seeds", &SLICE.to_string()])
        .args(["--seconds", &SLICE_SECONDS.to_string()])
        .status()?;
    let again = Command::new(&program)
        .args(["live", "--seeds", "20", "--twice"])
        .status()?;
    Ok(lived.success() && again.success())
}

/// Dies at every boundary of a story in turn, and loses the answer to every write.
pub(crate) fn walk(workspace: &Workspace, arguments: &WalkArguments) -> Result<bool> {
    walk_by(workspace, arguments.step, Build::Fast)
}

/// The same with a step.
pub(crate) fn walk_by(workspace: &Workspace, step: u64, how: Build) -> Result<bool> {
    let program = build(workspace, how)?;
    let status = Command::new(program)
        .args(["walk", "--step", &step.to_string()])
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
    let build = ["build", "--quiet", "--release"];
    cargo.args(build).args(["--package", "tieout-sim"]);
    if !cargo.status()?.success() {
        bail!("the simulation doesn't build");
    }
    let program = target.join("release").join("tieout-sim");
    Ok(program.with_extension(std::env::consts::EXE_EXTENSION))
}
