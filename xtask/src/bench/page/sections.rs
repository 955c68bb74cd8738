//! What is measured of this project alone, on the page.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Page, number, whole};
use crate::bench::plot::{Bar, bars};
use crate::results::Results;

/// Adds all sections that something was measured for.
pub(super) fn add(page: &mut Page, results: &Results) {
    first_sync(page, results);
    nothing_new(page, results);
    memory(page, results);
    journal(page, results);
    size(page, results);
    service(page, results);
}

/// The results whose names begin so, the smallest first.
fn of<'a>(results: &'a Results, beginning: &str) -> Vec<&'a Value> {
    let mut all: Vec<&Value> = results
        .all()
        .iter()
        .filter(|(name, _)| name.starts_with(beginning))
        .map(|(_, result)| result)
        .collect();
    all.sort_by(|a, b| number(a, "bills").total_cmp(&number(b, "bills")));
    all
}

fn first_sync(page: &mut Page, results: &Results) {
    let all = of(results, "first-sync ");
    let Some(any) = all.first() else {
        return;
    };
    page.add(
        "## A first sync, against what it takes at least\n\n\
         The bound counts the calls that have to be made, and the longest chain (+) of those that wait for each other: BILL takes\n\
         three calls at once, and tells the address of a list's page with the page before it.\n\n\
         `cargo xtask bench --only first-sync`; `--large` for the second.",
    );
    page.measured(any);
    for one in all {
        let bound = &one["bound"];
        let mut text = format!(
            "### {} bills and {} vendors in the ledger, {} ms a call\n\n| | | calls | seconds |\n|---|---|--:|--:|\n",
            whole(number(one, "bills")),
            whole(number(one, "vendors")),
            one["latency_ms"]
        );
        for term in bound["terms"].as_array().into_iter().flatten() {
            let mark = if term["in_chain"] == true { "+" } else { "" };
            // Writing to a text can't fail.
            let _ = writeln!(
                text,
                "| {mark} | {} | {} | {:.2} |",
                term["what"].as_str().unwrap_or_default(),
                term["calls"],
                number(term, "seconds")
            );
        }
        let _ = writeln!(
            text,
            "| | **at least** | {} | {:.2} |\n| | **measured** | {} | {:.2} |\n\n\
             That is **{:.2} ×** the bound, with {:.2} s of processor time and {:.0} MB; the server took {:.0} % of a processor.\n\
             It made {} bills and {} vendors: the others of the ledger are paid, wait for approval, or are another\n\
             subsidiary's.",
            bound["calls"],
            number(bound, "seconds"),
            one["calls_sent"],
            number(one, "seconds"),
            number(one, "ratio"),
            number(one, "cpu_seconds"),
            number(one, "peak_kib") / 1024.0,
            number(one, "server_share") * 100.0,
            whole(number(&one["made"], "bills")),
            whole(number(&one["made"], "vendors")),
        );
        page.add(&text);
    }
}

fn nothing_new(page: &mut Page, results: &Results) {
    let all = of(results, "nothing-new ");
    let Some(any) = all.first() else {
        return;
    };
    page.add("## A run with nothing new\n\n`cargo xtask bench --only nothing-new`");
    page.measured(any);
    let mut text = "| linked bills | seconds | CPU s | MB | calls to NetSuite | to BILL | bytes kept for each record |\n\
                    |--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for one in &all {
        let to = |side: &str| -> f64 {
            let calls = one["calls"].as_array().into_iter().flatten();
            calls
                .filter(|call| {
                    call["route"]
                        .as_str()
                        .is_some_and(|route| route.starts_with(side))
                })
                .map(|call| number(call, "calls"))
                .sum()
        };
        let _ = writeln!(
            text,
            "| {} | {:.3} | {:.3} | {:.0} | {:.0} | {:.0} | {} |",
            whole(number(one, "bills")),
            number(one, "seconds"),
            number(one, "cpu_seconds"),
            number(one, "peak_kib") / 1024.0,
            to("netsuite:"),
            to("bill:"),
            whole(number(one, "bytes_a_record"))
        );
    }
    page.add(&text);
}

fn memory(page: &mut Page, results: &Results) {
    let all = of(results, "memory ");
    let Some(any) = all.first() else {
        return;
    };
    page.add(
        "## Memory of a first sync\n\nThe most that the process had. `cargo xtask bench --only memory`; `--large` for the last.",
    );
    page.measured(any);
    let plot: Vec<Bar> = all
        .iter()
        .map(|one| {
            let megabytes = number(one, "peak_kib") / 1024.0;
            Bar {
                label: format!("{} bills", whole(number(one, "bills"))),
                value: megabytes,
                shown: format!("{megabytes:.0} MB"),
                own: true,
            }
        })
        .collect();
    page.plot(
        "memory",
        "Memory of a first sync",
        bars("Memory of a first sync", &plot),
    );
}

fn journal(page: &mut Page, results: &Results) {
    let all = of(results, "journal ");
    let Some(any) = all.first() else {
        return;
    };
    page.add(
        "## The journal\n\n\
         Entries of the history a second, each hashed with the one before it and folded into the state in the same transaction,\n\
         with full durability: beside bare rows of the same size, in transactions of the same size, of the same database.\n\
         One of the commits of a group says only that its calls are about to be made.\n\n\
         `cargo xtask bench --only journal`",
    );
    page.measured(any);
    let mut text = "| database | entries in the larger commit | entries a second | bare rows a second | |\n|---|--:|--:|--:|--:|\n"
        .to_owned();
    for one in &all {
        for group in one["groups"].as_array().into_iter().flatten() {
            let (entries, rows) = (number(group, "entries"), number(group, "rows"));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {:.2} |",
                one["database"].as_str().unwrap_or_default(),
                group["size"],
                whole(entries),
                whole(rows),
                entries / rows
            );
        }
    }
    page.add(&text);
    page.add(&format!(
        "A file is made durable {} times a second on this machine.",
        whole(number(any, "syncs"))
    ));
}

fn size(page: &mut Page, results: &Results) {
    let Some(one) = results.get("size") else {
        return;
    };
    page.add("## Size\n\n`cargo xtask bench --only size`");
    page.measured(one);
    page.add(&format!(
        "| | |\n|---|--:|\n| the program | {:.1} MB |\n| `tieout --help` | {:.1} ms, of which a process that does nothing takes {:.1} ms |\n\
         | `serve`, idle with {} connections | {:.0} MB, {:.2} % of a processor |",
        number(one, "program_bytes") / 1_000_000.0,
        number(one, "help_milliseconds"),
        number(one, "process_milliseconds"),
        one["connections"],
        number(one, "idle_kib") / 1024.0,
        number(one, "idle_share") * 100.0
    ));
}

fn service(page: &mut Page, results: &Results) {
    let parts = [
        ("webhooks", "Notifications beside a sync"),
        ("schedule", "A thousand connections due at the same pace"),
    ];
    for (part, heading) in parts {
        let Some(one) = results.get(part) else {
            continue;
        };
        page.add(&format!(
            "## {heading}\n\n`cargo xtask bench --only {part}`"
        ));
        page.measured(one);
        let lines = one["lines"].as_array().into_iter().flatten();
        let lines: Vec<String> = lines
            .filter_map(|line| Some(format!("- {}", line.as_str()?)))
            .collect();
        page.add(&lines.join("\n"));
    }
}
