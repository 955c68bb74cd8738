//! Runs libFuzzer over the targets of `crates/fuzz`, built with the counters that the stable compiler offers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use regex::Regex;

use crate::workspace::Workspace;

/// What makes libFuzzer see which branches an input takes, and what was compared with what.
const COUNTERS: &str = "-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
    -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
    -C llvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// The longest input that is made.
const BYTES_MAX: u32 = 4_096;

/// An input that takes longer than this is one that hangs.
const SECONDS_MAX: u32 = 20;

/// What to fuzz.
#[derive(Debug, Args)]
pub(crate) struct FuzzArguments {
    /// Inputs for each target.
    #[arg(long, default_value_t = 1_000_000)]
    runs: u64,
    /// Only this target.
    #[arg(long)]
    target: Option<String>,
    /// Decides the changes.
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// Builds and runs all targets, and prints what came of each; true if nothing was found.
pub(crate) fn run(workspace: &Workspace, arguments: &FuzzArguments) -> Result<bool> {
    let compiler = Command::new("c++").arg("--version").output();
    if !compiler.is_ok_and(|output| output.status.success()) {
        println!("skipped: libFuzzer is built with a C++ compiler, and there is none");
        return Ok(true);
    }
    let targets = chosen(workspace, arguments.target.as_deref())?;
    let program = build(workspace)?;
    println!(
        "{:<18} {:>9} {:>9} {:>8}  found",
        "target", "runs", "coverage", "seconds"
    );
    let mut clean = true;
    for target in targets {
        let ended = fuzz(workspace, &program, &target, arguments)?;
        let found = if ended.found.is_empty() {
            "nothing"
        } else {
            &ended.found
        };
        println!(
            "{target:<18} {:>9} {:>9} {:>8}  {found}",
            ended.runs, ended.coverage, ended.seconds
        );
        clean &= ended.clean;
    }
    Ok(clean)
}

/// The targets: each has a folder of seeds.
fn chosen(workspace: &Workspace, only: Option<&str>) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(workspace.root().join("crates/fuzz/corpus"))? {
        targets.push(entry?.file_name().to_string_lossy().into_owned());
    }
    targets.sort();
    if let Some(only) = only {
        if !targets.iter().any(|target| target == only) {
            bail!("`{only}` is no target; there are {}", targets.join(", "));
        }
        targets.retain(|target| target == only);
    }
    Ok(targets)
}

fn build(workspace: &Workspace) -> Result<PathBuf> {
    let version = Command::new("rustc")
        .arg("-vV")
        .current_dir(workspace.root())
        .output()?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    // With a target named, build scripts and macros are left without counters.
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc doesn't name its host")?;
    let status = workspace
        .cargo()
        .args([
            "build",
            "--locked",
            "--release",
            "--manifest-path",
            "fuzz/Cargo.toml",
            "--target",
            host,
        ])
        .env("RUSTFLAGS", COUNTERS)
        .status()?;
    ensure!(status.success(), "the fuzzer doesn't build");
    Ok(workspace
        .root()
        .join("fuzz/target")
        .join(host)
        .join("release/fuzz"))
}

/// What came of a target.
struct Ended {
    runs: String,
    coverage: String,
    seconds: u64,
    found: String,
    clean: bool,
}

fn fuzz(
    workspace: &Workspace,
    program: &Path,
    target: &str,
    arguments: &FuzzArguments,
) -> Result<Ended> {
    let folder = workspace.root().join("target/fuzz").join(target);
    let (grown, found) = (folder.join("corpus"), folder.join("found"));
    std::fs::create_dir_all(&grown)?;
    std::fs::create_dir_all(&found)?;
    let start = Instant::now();
    let output = Command::new(program)
        .env("TIEOUT_FUZZ_TARGET", target)
        .arg(format!("-runs={}", arguments.runs))
        .arg(format!("-seed={}", arguments.seed))
        .arg(format!("-max_len={BYTES_MAX}"))
        .arg(format!("-timeout={SECONDS_MAX}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg(&grown)
        .arg(workspace.root().join("crates/fuzz/corpus").join(target))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    std::fs::write(folder.join("log"), &said)?;
    let clean = output.status.success();
    let last = |pattern: &str| -> Result<String> {
        let pattern = Regex::new(pattern)?;
        let all = pattern
            .captures_iter(&said)
            .filter_map(|found| found.get(1));
        Ok(all
            .last()
            .map_or_else(|| "-".to_owned(), |found| found.as_str().to_owned()))
    };
    let input = last(r"Test unit written to (\S+)")?;
    let found = if clean {
        String::new()
    } else {
        format!("{input}: keep it under crates/fuzz/corpus/{target} when it is mended")
    };
    Ok(Ended {
        runs: last(r"(?m)^#(\d+)\s")?,
        coverage: last(r"cov: (\d+)")?,
        seconds: start.elapsed().as_secs(),
        found,
        clean,
    })
}
