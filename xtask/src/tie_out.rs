//! Measures a tie-out over many open documents: calls, seconds and memory, and what they come to per thousand.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::home::{CONNECTION, Home};
use crate::sandbox::Sandbox;
use crate::workspace::Workspace;

/// How often the memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How much to tie out.
#[derive(Debug, Args)]
pub(crate) struct TieOutArguments {
    /// Vendor bills in the ledger.
    #[arg(long, default_value_t = 100_000)]
    bills: u32,
    /// Leave the bills where they are: nothing is synced, and all of them are differences.
    #[arg(long)]
    unsynced: bool,
    /// Use this program, and build none.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Makes a world, syncs it, and ties it out.
pub(crate) fn run(workspace: &Workspace, arguments: &TieOutArguments) -> Result<bool> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => workspace.tieout(true)?,
    };
    let bills = arguments.bills.to_string();
    let vendors = (arguments.bills / 50).max(20).to_string();
    let world = ["--seed", "1", "--bills", &bills, "--vendors", &vendors].map(str::to_owned);
    let started = Instant::now();
    let sandbox = Sandbox::start(&program, &world)?;
    let home = Home::connected(&program, &sandbox)?;
    println!(
        "the world is there after {:.1} s",
        started.elapsed().as_secs_f64()
    );
    if !arguments.unsynced {
        let report = home.sync()?;
        println!(
            "synced in {} s",
            report.pointer("/runs/0/seconds").unwrap_or(&Value::Null)
        );
    }
    let (seconds, memory_kb, made) = tied_out(&home)?;
    let rows = |what: &str| -> u64 {
        let extracts = made
            .pointer("/completeness/extracts")
            .and_then(Value::as_array);
        let found = extracts
            .into_iter()
            .flatten()
            .find(|extract| extract["what"] == what);
        found
            .and_then(|extract| extract["rows"].as_u64())
            .unwrap_or(0)
    };
    let (here, there) = (
        rows("open items by posting period"),
        rows("bills of the platform"),
    );
    let items = made["items"].as_array().map_or(0, Vec::len);
    println!(
        "{here} open items in the ledger and {there} bills on the platform: {}, {items} differences",
        made["status"].as_str().unwrap_or_default()
    );
    let thousands = f64::from(u32::try_from(here + there)?) / 1000.0;
    println!(
        "{seconds:.1} s and {} MB: {:.3} s and {:.2} MB for a thousand",
        memory_kb / 1024,
        seconds / thousands,
        f64::from(u32::try_from(memory_kb)?) / 1024.0 / thousands
    );
    let residuals = made["residuals"]
        .as_object()
        .context("a report has residuals")?;
    let closed = residuals.values().all(|left| left == "0");
    println!(
        "{}",
        if closed {
            "all legs close"
        } else {
            "NOT CLOSED"
        }
    );
    Ok(closed)
}

/// Seconds, the most memory in kilobytes, and the report.
fn tied_out(home: &Home) -> Result<(f64, u64, Value)> {
    let started = Instant::now();
    let out = home.path().join("report.json");
    let mut child = home
        .command(&[
            "tie-out", CONNECTION, "--format", "json", "--quiet", "--out",
        ])
        .arg(&out)
        .stdin(Stdio::null())
        .spawn()
        .context("starting a tie-out")?;
    let mut most = 0;
    let status = loop {
        most = most.max(crate::walks::peak(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    if !status.success() {
        bail!("tie-out ended with {status}");
    }
    let text = std::fs::read_to_string(&out)?;
    Ok((
        started.elapsed().as_secs_f64(),
        most,
        serde_json::from_str(&text)?,
    ))
}
