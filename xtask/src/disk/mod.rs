//! Lets the disk fail at every change of the store's files that a sync makes, one after the other: full, broken,
//! or full in the middle of a write. The sync must end with a clear refusal, must have sent nothing that isn't
//! on record, and the next one, on a disk that is well again, must end as if nothing had happened.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use http::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::crash::books::Books;
use crate::crash::check::{compare, compare_states, left_to_do};
use crate::crash::killing::Dice;
use crate::home::{CONNECTION, Home, Printed};
use crate::panel::{Caller, Platform, marker};
use crate::sandbox::Sandbox;
use crate::workspace::Workspace;

/// What stands before libc.
const SOURCE: &str = "xtask/src/disk/fault.c";

/// How the disk fails: what it says, and whether it is well again after that one change.
const FAILURES: [(&str, bool); 4] = [
    ("full", false),
    ("half", false),
    ("broken", true),
    ("broken", false),
];

/// How to walk.
#[derive(Debug, Args)]
pub(crate) struct DiskArguments {
    /// At how many changes the disk fails, drawn from all of them; 0 for every one.
    #[arg(long, default_value_t = 0)]
    steps: u64,
    /// Decides which; chosen by the clock, and printed, if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Fail at this change only.
    #[arg(long)]
    at: Option<u64>,
    /// Fail in this way only: full, half, broken, broken-once.
    #[arg(long)]
    failure: Option<String>,
    /// Bills in the sandbox's world.
    #[arg(long, default_value_t = 12)]
    bills: u32,
    /// Use the release build.
    #[arg(long)]
    release: bool,
}

impl DiskArguments {
    /// A short slice with so many steps.
    pub(crate) fn slice(steps: u64) -> Self {
        Self {
            steps,
            seed: None,
            at: None,
            failure: None,
            bills: 12,
            release: false,
        }
    }
}

/// Why there can be no walk on this machine, if there can't.
pub(crate) fn missing() -> Option<&'static str> {
    if !cfg!(target_os = "linux") {
        return Some("only Linux's libc is stood before");
    }
    let compiler = Command::new("cc").arg("--version").output();
    (!compiler.is_ok_and(|output| output.status.success())).then_some("there is no C compiler")
}

/// Builds, and walks.
pub(crate) fn run(workspace: &Workspace, arguments: &DiskArguments) -> Result<bool> {
    if let Some(why) = missing() {
        println!("skipped: {why}");
        return Ok(true);
    }
    let program = workspace.tieout(arguments.release)?;
    walk(workspace, &program, arguments)
}

/// Walks; true if every failure was borne.
pub(crate) fn walk(
    workspace: &Workspace,
    program: &Path,
    arguments: &DiskArguments,
) -> Result<bool> {
    let seed = crate::crash::seed(arguments.seed);
    println!("seed {seed} (repeat with --seed {seed})");
    let disk = Disk::build(workspace)?;
    let caller = Caller::new()?;
    let well = round(program, arguments, &caller, &disk, None)?;
    println!("{} changes in an undisturbed sync", well.changes);
    let mut borne = 0_u64;
    let mut broken = 0_u64;
    let mut dice = Dice(seed);
    for step in steps(arguments, well.changes, &mut dice) {
        let drawn = FAILURES[usize::try_from(dice.below(4))?];
        let (error, once) = match arguments.failure.as_deref() {
            None => drawn,
            Some(name) => named(name)?,
        };
        let failure = Failure { step, error, once };
        match bear(program, arguments, &caller, &disk, &failure, &well) {
            Ok(how) => {
                borne += 1;
                println!("  change {step}, {failure}: {how}");
            }
            Err(error) => {
                broken += 1;
                println!("  change {step}, {failure}: BROKEN: {error:#}");
            }
        }
    }
    println!("{borne} failures borne, {broken} not");
    Ok(broken == 0)
}

/// The changes at which the disk is to fail, in their order.
fn steps(arguments: &DiskArguments, changes: u64, dice: &mut Dice) -> Vec<u64> {
    if let Some(at) = arguments.at {
        return vec![at];
    }
    if arguments.steps == 0 || arguments.steps >= changes {
        return (1..=changes).collect();
    }
    let mut chosen = BTreeSet::new();
    while u64::try_from(chosen.len()).is_ok_and(|chosen| chosen < arguments.steps) {
        chosen.insert(1 + dice.below(changes));
    }
    chosen.into_iter().collect()
}

/// The failure of this name.
fn named(name: &str) -> Result<(&'static str, bool)> {
    let (error, once) = match name.strip_suffix("-once") {
        Some(error) => (error, true),
        None => (name, false),
    };
    let known = FAILURES
        .iter()
        .find(|(known, is_once)| *known == error && *is_once == once);
    known.copied().with_context(|| {
        format!("`{name}` is no failure; there are full, half, broken and broken-once")
    })
}

/// A failure of the disk.
struct Failure {
    step: u64,
    error: &'static str,
    once: bool,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.error, if self.once { " once" } else { "" })
    }
}

/// The library that stands before libc.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn build(workspace: &Workspace) -> Result<Self> {
        let folder = TempDir::new()?;
        let disk = Self { folder };
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(disk.library())
            .arg(workspace.root().join(SOURCE))
            .arg("-ldl")
            .status()?;
        ensure!(status.success(), "{SOURCE} doesn't compile");
        Ok(disk)
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("fault.so")
    }

    fn count(&self) -> PathBuf {
        self.folder.path().join("count")
    }

    /// Syncs on this disk. Gives what was printed, how many changes there were, and whether one failed.
    fn sync(&self, home: &Home, failure: Option<&Failure>) -> Result<(Printed, u64, bool)> {
        let _ = std::fs::remove_file(self.count());
        let mut command = home.command(&["sync", CONNECTION, "--json"]);
        command
            .env("LD_PRELOAD", self.library())
            .env("DISK_FILES", home.path().join("tieout.db"))
            .env("DISK_COUNT", self.count());
        if let Some(failure) = failure {
            command.env("DISK_STEP", failure.step.to_string());
            command.env("DISK_ERROR", failure.error);
            if failure.once {
                command.env("DISK_ONCE", "1");
            }
        }
        let output = command.output().context("starting a sync")?;
        let printed = Printed {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let told = std::fs::read_to_string(self.count())
            .with_context(|| format!("the sync was not counted; it said {}", printed.stderr))?;
        let (changes, failed) = told.trim().split_once(' ').context("an odd count")?;
        Ok((printed, changes.parse()?, failed != "0"))
    }
}

/// How a round ended.
struct Ended {
    state: Value,
    books: Books,
    changes: u64,
    how: String,
    /// The report of the sync on the good disk.
    healed: Value,
}

/// A round with a failure; says how it was borne.
fn bear(
    program: &Path,
    arguments: &DiskArguments,
    caller: &Caller,
    disk: &Disk,
    failure: &Failure,
    well: &Ended,
) -> Result<String> {
    let ended = round(program, arguments, caller, disk, Some(failure))?;
    let mut findings = compare(&well.books, &ended.books);
    findings
        .differences
        .extend(compare_states(&well.state, &ended.state));
    ensure!(
        findings.none(),
        "after {} it ends elsewhere: {}; the sync on the good disk said {}",
        ended.how,
        findings.told().join("; "),
        ended.healed
    );
    Ok(ended.how)
}

/// One world, one home: a sync on this disk; then, on a good one, what it left is looked at, and one more sync.
fn round(
    program: &Path,
    arguments: &DiskArguments,
    caller: &Caller,
    disk: &Disk,
    failure: Option<&Failure>,
) -> Result<Ended> {
    let world = [
        "--seed",
        "1",
        "--bills",
        &arguments.bills.to_string(),
        "--vendors",
        "10",
    ]
    .map(str::to_owned);
    let sandbox = Sandbox::start(program, &world)?;
    let home = Home::connected(program, &sandbox)?;
    let (printed, changes, failed) = disk.sync(&home, failure)?;
    let how = refused(&printed, failed)?;
    let service = &sandbox.described["bill"];
    let platform = Platform::sign_in(caller, service)?;
    on_record(&home, &platform.list("bills")?)?;
    home.must(&["audit", "verify"], None)?;
    let healed = home.sync()?;
    home.must(&["audit", "verify"], None)?;
    let planned = home.must(&["plan", CONNECTION, "--json"], None)?;
    let left = left_to_do(&planned.stdout);
    ensure!(
        left.is_empty(),
        "after {how} there is still something to do: {}; the sync on the good disk said {healed}",
        left.join("; ")
    );
    Ok(Ended {
        state: sandbox.panel(caller, Method::GET, "state", None)?,
        books: Books::read(&sandbox, caller)?,
        changes,
        how,
        healed,
    })
}

/// A sync whose disk failed says so, and how to mend it. It may say that it is done only where nothing that
/// counts was lost: at a clean-up after its last commit, or at something that is tried again.
fn refused(printed: &Printed, failed: bool) -> Result<String> {
    let said = &printed.stderr;
    ensure!(!said.contains("panicked"), "it panicked: {said}");
    match printed.status {
        0 | 3 if failed => {
            let report: Value = serde_json::from_str(&printed.stdout)?;
            let status = report.pointer("/runs/0/status").and_then(Value::as_str);
            ensure!(
                matches!(status, Some("done" | "exceptions")),
                "status {} with a report of {report}",
                printed.status
            );
            Ok(format!("status {}: nothing that counts", printed.status))
        }
        0 | 3 => Ok("undisturbed".to_owned()),
        1 if failed => {
            let code = said
                .split("error[")
                .nth(1)
                .and_then(|rest| rest.split(']').next());
            let code = code.unwrap_or_default();
            ensure!(
                code.starts_with("store-"),
                "it doesn't name the store: {said}"
            );
            ensure!(said.contains("fix:"), "it says no fix: {said}");
            Ok(format!("refused as {code}"))
        }
        status => bail!("it ended with {status}: {said}"),
    }
}

/// Whatever is in BILL with a mark of ours was on record as attempted before it was sent.
fn on_record(home: &Home, bills: &[Value]) -> Result<()> {
    let marks = bills
        .iter()
        .filter_map(|bill| marker(bill.get("description")?.as_str()?));
    for mark in marks {
        let id = mark.rsplit(':').next().unwrap_or_default();
        let record = format!("ledger/bill/{id}");
        let life = home.must(&["audit", &record, "--json"], None)?;
        let life: Value = serde_json::from_str(&life.stdout)?;
        let history = life.pointer("/records/0/history").and_then(Value::as_array);
        let is_attempt = |entry: &Value| entry.to_string().contains("\"attempted\"");
        ensure!(
            history.is_some_and(|entries| entries.iter().any(is_attempt)),
            "{mark} is in BILL, and no attempt is on record: {life}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(status: i32, stdout: &str, stderr: &str) -> Printed {
        Printed {
            status,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn only_a_refusal_with_code_and_fix_is_borne() {
        let good = "error[store-full]: the store can't be written: disk\n  fix: make room";
        assert_eq!(
            refused(&printed(1, "", good), true).unwrap(),
            "refused as store-full"
        );
        for (status, said) in [
            (1, "thread 'main' panicked at …"),
            (1, "error[drift]: …\n  fix: …"),
            (1, "error[store-full]: …"),
            (4, good),
            (101, good),
        ] {
            assert!(
                refused(&printed(status, "", said), true).is_err(),
                "{status} {said}"
            );
        }
        assert!(refused(&printed(0, r#"{"runs":[{"status":"failed"}]}"#, ""), true).is_err());
    }

    #[test]
    fn a_seed_draws_different_steps() {
        let arguments = DiskArguments::slice(5);
        let drawn = steps(&arguments, 100, &mut Dice(7));
        assert_eq!(drawn.len(), 5);
        assert_eq!(drawn, steps(&arguments, 100, &mut Dice(7)));
        assert_eq!(steps(&DiskArguments::slice(0), 3, &mut Dice(7)), [1, 2, 3]);
    }
}
