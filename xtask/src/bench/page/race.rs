//! The race on the page: a table for each job, plots of four of them, and what kills left behind.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Page, number, whole};
use crate::bench::plot::{Bar, bars};
use crate::race::job::{ALL, Job, job};
use crate::race::runner::{REFERENCE, TIEOUT};
use crate::race::table::{names, result};
use crate::results::Results;

/// The jobs that are shown as plots.
const SHOWN: [Job; 4] = [
    job(3_000, false, 20),
    job(3_000, true, 20),
    job(3_000, false, 0),
    job(30_000, true, 0),
];

const ABOUT: &str = "## The race\n\n\
    The same job on the same server: the vendors of a ledger, then its open bills, are made in BILL, one by one or a hundred\n\
    in a call, at most three calls at once. The peers are known for moving records (dlt, Singer) or for outliving kills\n\
    (Restate, DBOS on PostgreSQL); the reference is asyncio with three workers, and keeps nothing. Their parts of the job lie\n\
    in `xtask/race`; they read the bills and make them. tieout does all that a first sync does: it reads vendors, accounts, terms, payments\n\
    and credits as well, makes accounts, and reads back what it made. *Seconds* count from the first call to the end of the\n\
    last one that made a bill, *bound* is how much of that three calls at once would have taken, *reference* how quick it is\n\
    beside the reference; *whole* is from the start of the program to its end. Processor time and memory are those of all\n\
    processes that a runner starts, without PostgreSQL's.\n\n\
    Nobody can make more than 20,000 bills an hour one by one: so many calls BILL takes.\n\n\
    `cargo xtask race` races, and kills: about an hour; `--jobs 3000-single-20ms --kills 0` takes one job.";

/// Adds the race.
pub(super) fn add(page: &mut Page, results: &Results) {
    let jobs: Vec<Job> = ALL
        .into_iter()
        .filter(|job| names().any(|name| result(results, *job, name).is_some()))
        .collect();
    let Some(any) = results.all().values().next() else {
        return;
    };
    page.add(ABOUT);
    page.measured(any);
    let packages = any["surroundings"]["packages"].as_array();
    let packages: Vec<&str> = packages
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !packages.is_empty() {
        page.add(&format!("With {}.", packages.join(", ")));
    }
    page.add(&overview(results, &jobs));
    for job in jobs {
        page.add(&format!("### {}", heading(job)));
        if SHOWN.contains(&job) {
            let svg = bars(
                &format!("{}: bills a second", heading(job)),
                &bars_of(results, job),
            );
            page.plot(&job.to_string(), &heading(job), svg);
        }
        page.add(&table(results, job));
    }
    kills(page, results);
}

fn heading(job: Job) -> String {
    let how = if job.bulk {
        "a hundred in a call"
    } else {
        "one by one"
    };
    format!(
        "{} bills, {how}, {} ms a call",
        whole(f64::from(job.bills)),
        job.latency
    )
}

/// Seconds of everybody in every job.
fn overview(results: &Results, jobs: &[Job]) -> String {
    let mut text = "| seconds | at least |".to_owned();
    let mut line = "|---|--:|".to_owned();
    for name in names() {
        let _ = write!(text, " {name} |");
        line.push_str("--:|");
    }
    let _ = writeln!(text, "\n{line}");
    for job in jobs {
        let _ = write!(text, "| {} | {:.2} |", heading(*job), job.bound());
        for name in names() {
            let seconds = result(results, *job, name).map(|one| number(one, "seconds"));
            let _ = match seconds {
                Some(seconds) => write!(text, " {seconds:.2} |"),
                None => write!(text, " |"),
            };
        }
        text.push('\n');
    }
    text
}

fn bars_of(results: &Results, job: Job) -> Vec<Bar> {
    names()
        .filter_map(|name| {
            let a_second = f64::from(job.bills) / number(result(results, job, name)?, "seconds");
            Some(Bar {
                label: name.to_owned(),
                value: a_second,
                shown: whole(a_second),
                own: name == TIEOUT,
            })
        })
        .collect()
}

fn table(results: &Results, job: Job) -> String {
    let reference = result(results, job, REFERENCE).map(|result| number(result, "seconds"));
    let mut text =
        "| | seconds | bills a second | bound | reference | whole | CPU s | MB | server |\n\
                    |---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
    for name in names() {
        let Some(one) = result(results, job, name) else {
            continue;
        };
        let seconds = number(one, "seconds");
        let bound = if job.latency == 0 {
            String::new()
        } else {
            format!("{:.2}", job.bound() / seconds)
        };
        let of_reference = reference.map_or(String::new(), |reference| {
            format!("{:.2}", reference / seconds)
        });
        // Writing to a text can't fail.
        let _ = writeln!(
            text,
            "| {name} | {seconds:.2} | {} | {bound} | {of_reference} | {:.2} | {:.2} | {:.0} | {:.0} % |",
            whole(f64::from(job.bills) / seconds),
            number(one, "whole_seconds"),
            number(one, "cpu_seconds"),
            number(one, "peak_kib") / 1024.0,
            number(one, "server_share") * 100.0,
        );
    }
    text
}

fn kills(page: &mut Page, results: &Results) {
    let all: Vec<&Value> = names()
        .filter_map(|name| results.get(&format!("kills {name}")))
        .collect();
    let Some(any) = all.first() else {
        return;
    };
    let mut text = format!(
        "### Killed, and started again\n\n{} bills one by one, at 20 ms a call; all processes of a runner are killed with SIGKILL \
         at moments that a seed ({}) draws,\nand it is started again. In the end the bills in BILL are counted.\n\n\
         | | keeps | kills | made twice | missing |\n|---|---|--:|--:|--:|\n",
        whole(number(any, "bills")),
        any["seed"]
    );
    for one in all {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            one["runner"].as_str().unwrap_or_default(),
            one["keeps"].as_str().unwrap_or_default(),
            one["kills"],
            one["duplicates"],
            one["lost"]
        );
    }
    page.add(&text);
}
