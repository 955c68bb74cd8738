//! A run with nothing new over many linked documents, and what each of them takes on the disk.

use anyhow::Result;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bench::Bench;
use crate::bench::first_sync::{first, ratio};
use crate::home::Home;
use crate::payables;
use crate::sandbox::Sandbox;

/// How many runs are measured for one figure.
const RUNS: u32 = 10;

/// How many documents, the second ten times the first: what a run with nothing new costs must not grow with them.
const SIZES: [u32; 2] = [10_000, 100_000];
const SMALL: [u32; 1] = [1_000];

/// Syncs once, then again and again.
pub(crate) fn measure(bench: &mut Bench<'_>, quick: bool) -> Result<()> {
    let sizes: &[u32] = if quick { &SMALL } else { &SIZES };
    for bills in sizes {
        let kept = over(bench, *bills)?;
        bench.keep(&format!("nothing-new {bills}"), kept)?;
    }
    Ok(())
}

fn over(bench: &Bench<'_>, bills: u32) -> Result<Value> {
    let folder = TempDir::new()?;
    let path = folder.path().join("bills.csv");
    let vendors = (bills / 50).max(1);
    payables::write(&path, bills, vendors)?;
    let world = ["--dataset".to_owned(), path.display().to_string()];
    let sandbox = Sandbox::start(bench.program, &world)?;
    let home = Home::connected(bench.program, &sandbox)?;
    let made = first(&home)?;
    println!(
        "{bills} bills of {vendors} vendors linked in {:.1} s",
        made.seconds
    );
    // What the first one wrote is looked at once more: only then is nothing new.
    first(&home)?;
    sandbox.forget_calls(&bench.caller)?;
    let (mut seconds, mut cpu, mut peak_kib) = (0.0, 0.0, 0);
    for _ in 0..RUNS {
        let taken = first(&home)?;
        seconds += taken.seconds / f64::from(RUNS);
        cpu += taken.cpu / f64::from(RUNS);
        peak_kib = peak_kib.max(taken.peak_kib);
    }
    let calls = calls_a_run(&sandbox.calls(&bench.caller)?);
    let bytes = bytes_of(home.path())?;
    let records = u64::from(bills) + u64::from(vendors);
    println!(
        "a run with nothing new: {seconds:.3} s, {cpu:.3} s of CPU, {} MiB; calls:",
        peak_kib / 1024
    );
    for (route, count) in &calls {
        println!("  {count:>5.1}  {route}");
    }
    println!(
        "the home holds {:.1} MB: {:.0} bytes for each of {records} records",
        ratio(bytes, 1_000_000),
        ratio(bytes, records)
    );
    let calls: Vec<Value> = calls
        .into_iter()
        .map(|(route, count)| json!({"route": route, "calls": count}))
        .collect();
    Ok(json!({
        "bills": bills,
        "vendors": vendors,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_kib": peak_kib,
        "calls": calls,
        "home_bytes": bytes,
        "bytes_a_record": ratio(bytes, records),
        "first_seconds": made.seconds,
        "first_cpu_seconds": made.cpu,
    }))
}

/// What one of the runs asked each side for, in the mean.
fn calls_a_run(calls: &Value) -> Vec<(String, f64)> {
    let mut all = Vec::new();
    for service in ["netsuite", "bill"] {
        let by_path = calls[service]["by_path"].as_object();
        for (route, count) in by_path.into_iter().flatten() {
            let count = count.as_f64().unwrap_or_default() / f64::from(RUNS);
            all.push((format!("{service}: {route}"), count));
        }
    }
    all
}

/// The bytes of all files in a folder.
fn bytes_of(folder: &std::path::Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_for_one_run() {
        let calls =
            json!({"bill": {"by_path": {"GET /v3/bills": 10}}, "netsuite": {"by_path": {}}});
        assert_eq!(
            calls_a_run(&calls),
            [("bill: GET /v3/bills".to_owned(), 1.0)]
        );
    }
}
