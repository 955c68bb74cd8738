//! How many entries of the history are written in a second, beside what the disk and the database do without one.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::bench::Bench;
use crate::postgres;

/// Measures on SQLite, and on PostgreSQL where it is there; both with full durability.
pub(crate) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let example = bench.workspace.example("tieout-store", "bench_journal")?;
    let kept = on(&example, None)?;
    bench.keep("journal sqlite", kept)?;
    match postgres::programs().and_then(|programs| postgres::Server::durable(&programs)) {
        Ok(server) => {
            let kept = on(&example, Some(&server.address))?;
            bench.keep("journal postgresql", kept)
        }
        Err(error) => {
            println!("skipped  PostgreSQL: {error:#}");
            Ok(())
        }
    }
}

fn on(example: &Path, address: Option<&str>) -> Result<Value> {
    let output = Command::new(example)
        .args(address)
        .stderr(Stdio::inherit())
        .output()
        .context("bench_journal can't be run")?;
    if !output.status.success() {
        bail!("bench_journal ended with {}", output.status);
    }
    let measured: Value =
        serde_json::from_slice(&output.stdout).context("bench_journal printed no JSON")?;
    println!("{}:", measured["database"].as_str().unwrap_or_default());
    println!(
        "  {:>8.0} times a second a file is made durable",
        measured["syncs"].as_f64().unwrap_or_default()
    );
    for group in measured["groups"].as_array().into_iter().flatten() {
        let number = |name: &str| group[name].as_f64().unwrap_or_default();
        println!(
            "  {:>5} in a commit: {:>8.0} entries/s, {:>8.0} bare rows/s of the same size: {:.2} of it",
            number("size"),
            number("entries"),
            number("rows"),
            number("entries") / number("rows")
        );
    }
    Ok(measured)
}
