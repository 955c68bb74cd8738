//! The results of a job side by side.

use serde_json::Value;

use crate::race::job::Job;
use crate::race::runner::{PEERS, REFERENCE, TIEOUT};
use crate::results::Results;

/// A runner's result of a job.
pub(crate) fn result<'a>(results: &'a Results, job: Job, runner: &str) -> Option<&'a Value> {
    results.get(&format!("{job} {runner}"))
}

/// All who race, in the order of tables.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    [TIEOUT]
        .into_iter()
        .chain(PEERS.iter().map(|peer| peer.name))
}

/// A number of a result.
pub(crate) fn number(result: &Value, name: &str) -> f64 {
    result[name].as_f64().unwrap_or_default()
}

/// Prints a job's results.
pub(crate) fn job(results: &Results, job: Job) {
    println!(
        "{:<10} {:>8} {:>8} {:>7} {:>9} {:>8} {:>7} {:>7} {:>6} {:>8}",
        "", "s", "bills/s", "bound", "reference", "whole s", "CPU s", "MB", "calls", "server"
    );
    let reference = result(results, job, REFERENCE).map(|result| number(result, "seconds"));
    for name in names() {
        let Some(one) = result(results, job, name) else {
            continue;
        };
        let seconds = number(one, "seconds");
        let of_bound = if job.latency == 0 {
            "-".to_owned()
        } else {
            format!("{:.2}", job.bound() / seconds)
        };
        let of_reference = reference.map_or("-".to_owned(), |reference| {
            format!("{:.2}", reference / seconds)
        });
        println!(
            "{name:<10} {seconds:>8.2} {:>8.0} {of_bound:>7} {of_reference:>9} {:>8.2} {:>7.2} {:>7.0} {:>6} {:>7.0}%",
            f64::from(job.bills) / seconds,
            number(one, "whole_seconds"),
            number(one, "cpu_seconds"),
            number(one, "peak_kib") / 1024.0,
            number(one, "calls"),
            number(one, "server_share") * 100.0,
        );
    }
}
