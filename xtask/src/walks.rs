//! Longer walks over a large world: what an initial sync costs in calls and in memory, and a city's data.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::home::Home;
use crate::panel::Caller;
use crate::sandbox::Sandbox;
use crate::workspace::Workspace;

/// The most calls of an initial sync of 10,000 bills and 2,000 vendors, by service.
const CALLS_MAX: [(&str, u64); 2] = [("bill", 400), ("netsuite", 120)];

/// BILL takes no more at once.
const IN_FLIGHT_MAX: u64 = 3;

/// The most calls of a sync that finds nothing to do, both services together.
const IDLE_CALLS_MAX: u64 = 30;

/// The most memory of a sync, in MiB.
pub(crate) const MEMORY_MIB_MAX: u64 = 150;

/// A world to walk over.
#[derive(Debug, Args)]
pub(crate) struct WalkArguments {
    /// Bills in it: for calls 10,000 is the size the limits are given for, for memory 16,000.
    #[arg(long)]
    bills: Option<u32>,
    /// Vendors in it.
    #[arg(long, default_value_t = 2000)]
    vendors: u32,
    /// Take a city's payables instead.
    #[arg(long, value_name = "FILE")]
    dataset: Option<std::path::PathBuf>,
    /// Use the development build.
    #[arg(long)]
    debug: bool,
}

impl WalkArguments {
    fn world(&self, bills: u32) -> Vec<String> {
        if let Some(path) = &self.dataset {
            return vec!["--dataset".to_owned(), path.display().to_string()];
        }
        let bills = self.bills.unwrap_or(bills).to_string();
        let vendors = self.vendors.to_string();
        ["--seed", "1", "--bills", &bills, "--vendors", &vendors]
            .map(str::to_owned)
            .to_vec()
    }
}

/// Counts the calls of an initial sync.
pub(crate) fn budget(workspace: &Workspace, arguments: &WalkArguments) -> Result<bool> {
    let program = workspace.tieout(!arguments.debug)?;
    let caller = Caller::new()?;
    let sandbox = Sandbox::start(&program, &arguments.world(10_000))?;
    let home = Home::connected(&program, &sandbox)?;
    println!("mapping: {}", totals(&sandbox.calls(&caller)?));
    sandbox.forget_calls(&caller)?;
    let start = Instant::now();
    home.sync()?;
    println!("initial sync in {:.1} s", start.elapsed().as_secs_f64());
    let calls = sandbox.calls(&caller)?;
    println!("{calls:#}");
    let mut kept = true;
    for (service, most) in CALLS_MAX {
        kept &= within(
            &format!("calls to {service}"),
            number(&calls, service, "total"),
            most,
        );
    }
    let in_flight = number(&calls, "bill", "max_in_flight");
    kept &= within("calls to bill at once", in_flight, IN_FLIGHT_MAX);
    sandbox.forget_calls(&caller)?;
    home.sync()?;
    let calls = sandbox.calls(&caller)?;
    let idle = all_calls(&calls);
    if idle > IDLE_CALLS_MAX {
        println!("{calls:#}");
    }
    kept &= within("calls of a second sync", idle, IDLE_CALLS_MAX);
    Ok(kept)
}

/// Measures the peak memory of an initial sync.
pub(crate) fn memory(workspace: &Workspace, arguments: &WalkArguments) -> Result<bool> {
    let program = workspace.tieout(!arguments.debug)?;
    let sandbox = Sandbox::start(&program, &arguments.world(16_000))?;
    let home = Home::connected(&program, &sandbox)?;
    let mut sync = home.start_sync()?;
    let mut peak_kib = 0;
    while sync.try_wait()?.is_none() {
        peak_kib = peak(sync.id()).unwrap_or(peak_kib).max(peak_kib);
        std::thread::sleep(Duration::from_millis(20));
    }
    println!(
        "the sync ended; its home holds {} KiB",
        folder_kib(home.path())?
    );
    Ok(within(
        "MiB of memory",
        peak_kib.div_ceil(1024),
        MEMORY_MIB_MAX,
    ))
}

/// The demo over a city's payables, then two syncs over them.
pub(crate) fn dataset(workspace: &Workspace, path: &Path, debug: bool) -> Result<bool> {
    if !path.exists() {
        println!("skipped: {} doesn't exist", path.display());
        return Ok(true);
    }
    let path = path.canonicalize()?;
    let program = workspace.tieout(!debug)?;
    let demo = Command::new(&program)
        .args(["demo", "--once", "--dataset"])
        .arg(&path)
        .stdin(Stdio::null())
        .status()?;
    println!("demo --once --dataset ended with {demo}");
    let caller = Caller::new()?;
    let world = ["--dataset".to_owned(), path.display().to_string()];
    let sandbox = Sandbox::start(&program, &world)?;
    let home = Home::connected(&program, &sandbox)?;
    let start = Instant::now();
    let first = home.sync()?;
    println!("first sync in {:.1} s", start.elapsed().as_secs_f64());
    let settled = print_flows(&first);
    let before = sandbox.state(&caller)?;
    sandbox.forget_calls(&caller)?;
    let second = home.sync()?;
    println!("second sync: calls {}", second["runs"][0]["calls"]);
    let calls = all_calls(&sandbox.calls(&caller)?);
    let same_books = before == sandbox.state(&caller)?;
    if !same_books {
        println!("TOO MUCH  the second sync changed the books");
    }
    let idle = within("calls of a second sync", calls, IDLE_CALLS_MAX);
    Ok(demo.success() && settled && same_books && idle)
}

/// Prints the states of a sync's flows; true if every document is over there, or out by a rule.
fn print_flows(report: &Value) -> bool {
    let mut settled = true;
    for (flow, states) in report["runs"][0]["flows"].as_object().into_iter().flatten() {
        let count = |state: &str| states[state].as_u64().unwrap_or(0);
        let words: Vec<_> = states
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, count)| count.as_u64() != Some(0))
            .map(|(state, count)| format!("{state} {count}"))
            .collect();
        println!("  {flow}: {}", words.join(", "));
        let open = ["HOLD", "BLOCKED", "CONFLICT", "ORPHAN"]
            .map(count)
            .iter()
            .sum::<u64>();
        if open > 0 && ["bills", "vendor-credits"].contains(&flow.as_str()) {
            println!("TOO FEW   {open} of {flow} are neither over there nor out by a rule");
            settled = false;
        }
    }
    settled
}

pub(crate) fn within(what: &str, found: u64, most: u64) -> bool {
    let mark = if found <= most {
        "kept    "
    } else {
        "TOO MUCH"
    };
    println!("{mark}  {what}: {found}, at most {most}");
    found <= most
}

pub(crate) fn number(calls: &Value, service: &str, name: &str) -> u64 {
    calls
        .get(service)
        .and_then(|service| service.get(name)?.as_u64())
        .unwrap_or(0)
}

pub(crate) fn all_calls(calls: &Value) -> u64 {
    let services = calls.as_object().into_iter().flatten();
    services
        .map(|(_, service)| service.get("total").and_then(Value::as_u64).unwrap_or(0))
        .sum()
}

fn totals(calls: &Value) -> String {
    CALLS_MAX
        .map(|(service, _)| format!("{service} {}", number(calls, service, "total")))
        .join(", ")
}

/// The most memory that a process has had resident so far, in KiB, as the kernel counts it.
pub(crate) fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn folder_kib(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).context("reading the home")? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes / 1024)
}
