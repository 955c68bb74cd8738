//! Everything that must hold before a change is taken, in the order in which it is cheapest to learn that
//! it doesn't.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context, Result};
use clap::Args;
use regex::Regex;

use crate::crash::pair::Pair;
use crate::steps::{End, Steps};
use crate::workspace::Workspace;
use crate::{
    book, browser, crash, disk, laws, packages, postgres, scenarios, simulate, suitescript,
};

/// How many times the slice of the crash walk kills, in either pair's world.
const KILLS: [(Pair, u32); 2] = [(Pair::Payables, 2), (Pair::Receivables, 1)];

/// At how many changes the disk fails in the slice of that walk.
const DISK_STEPS: u64 = 5;

/// The step in which tests that have a store have it on a server.
const ON_SERVER: &str = "tests-on-postgresql";

/// All tests but the examples.
const ALL: [&str; 4] = ["--workspace", "--lib", "--bins", "--tests"];

/// The tests that have a store of whatever kind, by their binaries. The store's own are on both kinds in any case; those
/// of the command line make homes whose store is a file. Of the whole workspace, as all tests are: of fewer packages the
/// libraries would be built anew, with fewer features.
const ON_EITHER: [&str; 5] = ["--workspace", "--test", "it", "--test", "api"];

/// What to test.
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// Only the steps of these names.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
}

/// Runs all steps; true if nothing failed.
pub(crate) fn run(workspace: &Workspace, arguments: &TestArguments) -> Result<bool> {
    let mut steps = Steps::only(&arguments.only);
    steps.step("toolchain", || toolchain(workspace));
    steps.step("formatting", || {
        let status = workspace
            .cargo()
            .args(["fmt", "--all", "--check"])
            .status()?;
        Ok(End::of(status.success(), "run `cargo fmt --all`"))
    });
    steps.step("laws", || all_laws(workspace));
    steps.step("packages", || Ok(listed(packages::check(workspace)?)));
    steps.step("advisories", || packages::advisories(workspace));
    steps.step("clippy", || clippy(workspace));
    if steps.wants("tests") {
        steps.step("browser", || Ok(brought(browser::install())));
        steps.step("auditor", || Ok(brought(browser::auditor(workspace))));
    }
    steps.step("suitescript", || suitescript::tests(workspace));
    let server = database(&mut steps);
    steps.step("tests", || {
        let mut command = runner(workspace, &ALL);
        if let Some(server) = &server {
            server.name_to(&mut command);
        }
        let encrypted =
            postgres::programs().and_then(|programs| postgres::Server::encrypted(&programs));
        if let Ok(encrypted) = &encrypted {
            encrypted.name_to(&mut command);
        }
        counted(&mut command)
    });
    steps.step(ON_SERVER, || match &server {
        None => Ok(End::Skipped("there is no PostgreSQL".to_owned())),
        Some(server) => tests_on_server(workspace, server),
    });
    drop(server);
    steps.step("examples", || {
        let mut command = workspace.cargo();
        command.args(["test", "--workspace", "--doc", "--locked", "--no-fail-fast"]);
        counted(&mut command)
    });
    steps.step("scenarios", || all_scenarios(workspace));
    steps.step("book", || {
        let current = book::run(workspace, true)?;
        Ok(End::of(
            current,
            "a generated page is out of date: run `cargo xtask book`",
        ))
    });
    let mut program = None;
    if ["demo", "crash", "disk"]
        .iter()
        .any(|step| steps.wants(step))
    {
        steps.step("build", || {
            program = Some(workspace.beside_the_tests("tieout")?);
            Ok(End::ok())
        });
        if program.is_none() && !arguments.only.is_empty() {
            program = workspace.beside_the_tests("tieout").ok();
        }
    }
    steps.step("demo", || demo(program.as_ref()));
    steps.step("simulation", || {
        let good = simulate::slice(workspace)?;
        Ok(End::of(
            good,
            "something must not have been: see the seeds above",
        ))
    });
    steps.step("walk", || {
        let good = simulate::walks(workspace)?;
        Ok(End::of(
            good,
            "something must not have been: see the mishaps above",
        ))
    });
    steps.step("crash", || {
        let program = program.clone().context("tieout doesn't build")?;
        let mut good = true;
        for (pair, kills) in KILLS {
            good &= crash::walk(&program, &crash::CrashArguments::slice(pair, kills))?;
        }
        Ok(End::of(good, "the killed run ended elsewhere"))
    });
    steps.step("disk", || {
        if let Some(why) = disk::missing() {
            return Ok(End::Skipped(why.to_owned()));
        }
        let program = program.clone().context("tieout doesn't build")?;
        let plan = disk::DiskArguments::slice(DISK_STEPS);
        Ok(End::of(
            disk::walk(workspace, &program, &plan)?,
            "a failure of the disk was not borne",
        ))
    });
    Ok(steps.close())
}

fn toolchain(workspace: &Workspace) -> Result<End> {
    let pinned: toml::Table = workspace.read("rust-toolchain.toml")?.parse()?;
    let channel = pinned
        .get("toolchain")
        .and_then(|table| table.get("channel")?.as_str())
        .context("rust-toolchain.toml names no channel")?;
    let output = Command::new("rustc")
        .arg("--version")
        .current_dir(workspace.root())
        .output()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    println!("{version}");
    let is_it = version.starts_with(&format!("rustc {channel} "));
    Ok(End::of(
        is_it,
        &format!("rust-toolchain.toml pins {channel}, this is {version}"),
    ))
}

fn all_laws(workspace: &Workspace) -> Result<End> {
    let held = laws::all(workspace)?;
    let total = held.len();
    let mut broken = Vec::new();
    for law in held.into_iter().filter(|law| !law.breaches.is_empty()) {
        println!("broken: {}", law.law);
        for breach in &law.breaches {
            println!("  {breach}");
        }
        broken.push(law.law);
    }
    Ok(if broken.is_empty() {
        End::Passed {
            passed: total,
            skipped: 0,
        }
    } else {
        let failed = broken.len();
        End::Failed {
            passed: total - failed,
            failed,
            skipped: 0,
            why: broken.join("; "),
        }
    })
}

fn all_scenarios(workspace: &Workspace) -> Result<End> {
    let (mut faults, proven) = scenarios::check(workspace)?;
    println!("{proven} proven");
    if proven < scenarios::PROVEN_MIN {
        faults.push(format!(
            "{proven} proven; {} is the least",
            scenarios::PROVEN_MIN
        ));
    }
    Ok(listed(faults))
}

/// One check that fails if the list isn't empty.
fn listed(faults: Vec<String>) -> End {
    for fault in &faults {
        println!("{fault}");
    }
    End::of(faults.is_empty(), &format!("{} faults", faults.len()))
}

fn clippy(workspace: &Workspace) -> Result<End> {
    let status = workspace
        .cargo()
        .args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--quiet",
        ])
        .args(["--", "--deny", "warnings"])
        .status()?;
    Ok(End::of(status.success(), "clippy has something to say"))
}

/// What the tests can do without: they say themselves what they skip.
fn brought(brought: Result<()>) -> End {
    match brought {
        Ok(()) => End::ok(),
        Err(why) => End::Skipped(why.to_string()),
    }
}

/// Starts a PostgreSQL for the store's tests, where there is one.
fn database(steps: &mut Steps) -> Option<postgres::Server> {
    if !steps.wants("tests") && !steps.wants(ON_SERVER) {
        return None;
    }
    let mut server = None;
    steps.step("postgresql", || {
        let programs: PathBuf = match postgres::programs() {
            Ok(programs) => programs,
            Err(why) => return Ok(End::Skipped(why.to_string())),
        };
        let started = postgres::Server::start(&programs)?;
        println!("{}", started.address);
        server = Some(started);
        Ok(End::ok())
    });
    if server.is_none() && !steps.wants("postgresql") {
        server = postgres::programs()
            .and_then(|programs| postgres::Server::start(&programs))
            .ok();
    }
    server
}

/// Runs these tests: with cargo-nextest where it is installed, else with cargo's own runner.
fn runner(workspace: &Workspace, which: &[&str]) -> Command {
    let mut asked = workspace.cargo();
    let nextest = asked.args(["nextest", "--version"]).output();
    let mut command = workspace.cargo();
    if nextest.is_ok_and(|output| output.status.success()) {
        command.args(["nextest", "run", "--locked", "--no-fail-fast"]);
        command.args(["--status-level", "fail", "--final-status-level", "slow"]);
        command.args(["--hide-progress-bar"]);
        // Most tests wait for sockets, timers and disks for most of their time.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        command.args(["--test-threads", &(2 * processors).to_string()]);
    } else {
        command.args(["test", "--locked", "--no-fail-fast"]);
    }
    command.args(which);
    command
}

/// The tests that have a store of whatever kind, once more on the server.
fn tests_on_server(workspace: &Workspace, server: &postgres::Server) -> Result<End> {
    let mut command = runner(workspace, &ON_EITHER);
    server.name_to(&mut command);
    command.env("TIEOUT_TEST_STORE", "postgres");
    counted(&mut command)
}

fn demo(program: Option<&PathBuf>) -> Result<End> {
    let program = program.context("tieout doesn't build")?;
    let status = Command::new(program)
        .args(["demo", "--once"])
        .stdin(Stdio::null())
        .status()?;
    Ok(End::of(
        status.success(),
        &format!("demo --once ended with {status}"),
    ))
}

/// Runs a command that runs tests, passes its words on, and counts.
fn counted(command: &mut Command) -> Result<End> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting cargo")?;
    let (sender, receiver) = mpsc::channel();
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as _),
        child.stderr.take().map(|pipe| Box::new(pipe) as _),
    ];
    for pipe in pipes.into_iter().flatten() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    drop(sender);
    let mut count = Count::default();
    for line in receiver {
        println!("{line}");
        count.add(&line);
    }
    let status = child.wait()?;
    Ok(count.end(status.success()))
}

/// The counts in the words of the test runners.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Count {
    /// `Summary [ 1.2s] 9 tests run: 8 passed (1 slow), 1 failed, 2 skipped` (cargo-nextest), or
    /// `test result: ok. 8 passed; 1 failed; 2 ignored; …` (cargo test).
    fn add(&mut self, line: &str) {
        // cargo-nextest repeats a failed test's own words, indented.
        let plain = line.trim_start();
        if !plain.starts_with("Summary [") && !line.starts_with("test result:") {
            return;
        }
        let number = |words: &str| {
            let pattern = Regex::new(&format!(r"(\d+) {words}\b")).ok()?;
            pattern
                .captures(plain)?
                .get(1)?
                .as_str()
                .parse::<usize>()
                .ok()
        };
        self.passed += number("passed").unwrap_or(0);
        self.failed += number("failed").unwrap_or(0);
        self.failed += number("timed out").unwrap_or(0);
        self.skipped += number("(?:skipped|ignored)").unwrap_or(0);
    }

    fn end(self, success: bool) -> End {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        if success && failed == 0 {
            End::Passed { passed, skipped }
        } else {
            // A runner that fails without a failed test didn't compile.
            let why = if failed == 0 {
                "it doesn't compile"
            } else {
                "tests failed"
            };
            End::Failed {
                passed,
                failed: failed.max(1),
                skipped,
                why: why.to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_understood() {
        let mut count = Count::default();
        count.add("     Summary [   1.234s] 9 tests run: 8 passed (1 slow), 1 failed, 2 skipped");
        count.add("test result: FAILED. 3 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out");
        count.add("test result of something: 7 passed");
        count.add("    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured");
        assert_eq!(
            count,
            Count {
                passed: 11,
                failed: 2,
                skipped: 6
            }
        );
    }
}
