//! A first sync: how long, against the bound; and how much memory, against a tenth of the size.

use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::{Value, json};

use crate::bench::bound::{Amounts, Bound};
use crate::bench::{Bench, BenchArguments};
use crate::home::{CONNECTION, Home};
use crate::meter::{Group, Taken, cpu_of};
use crate::sandbox::Sandbox;
use crate::walks::{MEMORY_MIB_MAX, number};

/// Bills and vendors.
type Size = (u32, u32);

const SIZE: Size = (10_000, 2_000);
const LARGE: Size = (100_000, 20_000);
const HUGE: Size = (1_000_000, 20_000);
const SMALL: Size = (1_000, 200);

/// What the ledger is asked for the length of its lists.
const COUNTS: [&str; 9] = [
    "SELECT COUNT(*) AS n FROM account",
    "SELECT COUNT(*) AS n FROM department",
    "SELECT COUNT(*) AS n FROM classification",
    "SELECT COUNT(*) AS n FROM location",
    "SELECT COUNT(*) AS n FROM vendor",
    "SELECT COUNT(*) AS n FROM transaction WHERE type = 'VendBill'",
    "SELECT COUNT(*) AS n FROM transaction WHERE type = 'VendCred'",
    "SELECT COUNT(*) AS n FROM transaction WHERE type = 'VendPymt'",
    "SELECT COUNT(*) AS n FROM transactionline l JOIN transaction t ON t.id = l.transaction \
     WHERE t.type IN ('VendBill', 'VendCred', 'VendPymt')",
];

/// The lists whose records may lie below each other.
const TREES: [&str; 4] = ["account", "department", "classification", "location"];

/// Times first syncs, and holds each against its bound.
pub(crate) fn measure(bench: &mut Bench<'_>, arguments: &BenchArguments) -> Result<()> {
    let sizes: &[Size] = match (arguments.quick, arguments.large) {
        (true, _) => &[SMALL],
        (false, false) => &[SIZE],
        (false, true) => &[SIZE, LARGE],
    };
    for size in sizes {
        let kept = timed(bench, *size, arguments.latency)?;
        bench.keep(&format!("first-sync {}", size.0), kept)?;
    }
    Ok(())
}

fn timed(bench: &Bench<'_>, (bills, vendors): Size, latency: u32) -> Result<Value> {
    let world = world((bills, vendors), latency);
    let sandbox = Sandbox::start(bench.program, &world)?;
    let home = Home::connected(bench.program, &sandbox)?;
    let before = sandbox.state(&bench.caller)?;
    sandbox.forget_calls(&bench.caller)?;
    let cpu = || cpu_of(sandbox.process()).unwrap_or_default();
    let cpu_before = cpu();
    let taken = first(&home)?;
    let server = (cpu() - cpu_before) / taken.seconds;
    let calls = sandbox.calls(&bench.caller)?;
    let after = sandbox.state(&bench.caller)?;
    let amounts = amounts(bench, &sandbox, (&before, &after))?;
    let bound = Bound::of(&amounts, f64::from(latency) / 1000.0);
    let sent = number(&calls, "bill", "total") + number(&calls, "netsuite", "total");
    println!(
        "{bills} bills and {vendors} vendors in the ledger, {latency} ms a call: {} bills, {} vendors and {} credits made",
        amounts.bills, amounts.vendors, amounts.credits
    );
    for term in &bound.terms {
        let mark = if term.in_chain { "+" } else { " " };
        println!(
            "  {mark} {:>6.2} s  {:>5} calls  {}",
            term.seconds, term.calls, term.what
        );
    }
    println!(
        "  = {:.2} s and {} calls at least; it took {:.2} s ({:.2} × the bound), {sent} calls ({:.2} ×), \
         {:.2} s of CPU, {} MiB; the server took {:.0} % of a processor",
        bound.seconds,
        bound.calls,
        taken.seconds,
        taken.seconds / bound.seconds,
        ratio(sent, bound.calls),
        taken.cpu,
        taken.peak_kib / 1024,
        server * 100.0
    );
    Ok(json!({
        "bills": bills,
        "vendors": vendors,
        "latency_ms": latency,
        "made": {"bills": amounts.bills, "vendors": amounts.vendors, "credits": amounts.credits},
        "bound": bound.kept(),
        "seconds": taken.seconds,
        "ratio": taken.seconds / bound.seconds,
        "calls": calls,
        "calls_sent": sent,
        "cpu_seconds": taken.cpu,
        "peak_kib": taken.peak_kib,
        "server_share": server,
    }))
}

/// The memory of first syncs without latency, each ten times the one before.
pub(crate) fn memory(bench: &mut Bench<'_>, arguments: &BenchArguments) -> Result<()> {
    let sizes: &[Size] = match (arguments.quick, arguments.large) {
        (true, _) => &[SMALL],
        (false, false) => &[SIZE, LARGE],
        (false, true) => &[SIZE, LARGE, HUGE],
    };
    let mut before: Option<u64> = None;
    for size in sizes {
        let sandbox = Sandbox::start(bench.program, &world(*size, 0))?;
        let home = Home::connected(bench.program, &sandbox)?;
        let taken = first(&home)?;
        let times = before.map(|before| ratio(taken.peak_kib, before));
        println!(
            "{} bills: {} MiB at most (of {MEMORY_MIB_MAX}){}, {:.1} s, {:.1} s of CPU",
            size.0,
            taken.peak_kib / 1024,
            times.map_or(String::new(), |times| format!(
                ", {times:.2} × the smaller one"
            )),
            taken.seconds,
            taken.cpu
        );
        before = Some(taken.peak_kib);
        let kept = json!({
            "bills": size.0,
            "vendors": size.1,
            "peak_kib": taken.peak_kib,
            "times_the_smaller": times,
            "seconds": taken.seconds,
            "cpu_seconds": taken.cpu,
        });
        bench.keep(&format!("memory {}", size.0), kept)?;
    }
    Ok(())
}

/// Runs a sync to its end. Exceptions may wait in the end, as in every company.
pub(crate) fn first(home: &Home) -> Result<Taken> {
    let mut command = home.command(&["sync", CONNECTION, "--json"]);
    command.stderr(std::process::Stdio::null());
    let taken = Group::start(command)?.finish()?;
    if !matches!(taken.status.code(), Some(0 | 3)) {
        bail!("a sync ended with {}", taken.status);
    }
    Ok(taken)
}

fn world((bills, vendors): Size, latency: u32) -> Vec<String> {
    let numbers = [("--seed", 1), ("--bills", bills), ("--vendors", vendors)];
    let mut world: Vec<String> = numbers
        .iter()
        .flat_map(|(name, number)| [(*name).to_owned(), number.to_string()])
        .collect();
    world.extend(["--latency".to_owned(), format!("{latency}ms")]);
    world
}

/// What had to be read and made.
fn amounts(
    bench: &Bench<'_>,
    sandbox: &Sandbox,
    (before, after): (&Value, &Value),
) -> Result<Amounts> {
    let made = |pointer: &str| -> u64 {
        let count = |state: &Value| state.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        count(after).saturating_sub(count(before))
    };
    let classifications = [
        "chartOfAccounts",
        "departments",
        "accountingClasses",
        "locations",
    ]
    .map(|list| made(&format!("/bill/classifications/{list}")));
    let mut levels = 0;
    for tree in TREES {
        levels = levels.max(depth(&ask(
            bench,
            sandbox,
            &format!("SELECT id, parent FROM {tree}"),
        )?));
    }
    let mut ledger_rows = Vec::new();
    for count in COUNTS {
        let rows = ask(bench, sandbox, count)?;
        let count = rows.first().and_then(|row| whole(&row["n"]));
        ledger_rows.push(count.context("the ledger doesn't count")?);
    }
    Ok(Amounts {
        ledger_rows,
        bills: made("/bill/bills/count"),
        vendors: made("/bill/vendors/count"),
        credits: made("/bill/vendor_credits/count"),
        classifications: classifications.to_vec(),
        levels,
    })
}

fn ask(bench: &Bench<'_>, sandbox: &Sandbox, query: &str) -> Result<Vec<Value>> {
    let body = json!({ "q": query });
    let mut answer = sandbox.panel(&bench.caller, Method::POST, "netsuite/query", Some(&body))?;
    match answer.get_mut("items").map(Value::take) {
        Some(Value::Array(rows)) => Ok(rows),
        _ => bail!("the ledger's answer has no items: {answer}"),
    }
}

/// SuiteQL's numbers may be texts.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The number of levels of a list whose records name the one above them.
fn depth(rows: &[Value]) -> u64 {
    let parent = |id: u64| {
        let row = rows.iter().find(|row| whole(&row["id"]) == Some(id))?;
        whole(&row["parent"])
    };
    let level = |row: &Value| {
        let mut level = 1;
        let mut above = whole(&row["parent"]);
        while let Some(id) = above {
            level += 1;
            above = parent(id);
        }
        level
    };
    rows.iter().map(level).max().unwrap_or(0)
}

#[allow(clippy::cast_precision_loss, reason = "shown with two digits")]
pub(crate) fn ratio(found: u64, of: u64) -> f64 {
    found as f64 / of.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_from_the_top() {
        let rows = [
            json!({"id": "1"}),
            json!({"id": "2", "parent": "1"}),
            json!({"id": 3, "parent": 2}),
            json!({"id": "4", "parent": null}),
        ];
        assert_eq!(depth(&rows), 3);
        assert_eq!(depth(&[]), 0);
    }
}
