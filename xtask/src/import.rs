//! What an import costs: every customer and every open invoice of NetSuite goes to Invoiced, in calls and in memory.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use http::Method;
use serde_json::Value;

use crate::home::{CONNECTION, Home};
use crate::panel::Caller;
use crate::sandbox::Sandbox;
use crate::walks::{MEMORY_MIB_MAX, all_calls, number, peak, within};
use crate::workspace::Workspace;

/// The largest page of Invoiced's lists.
const PAGE_INVOICED: u64 = 100;

/// The largest page of SuiteQL.
const PAGE_NETSUITE: u64 = 1000;

/// What `import` takes.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// Invoices in the world; most of them are open.
    #[arg(long, default_value_t = 10_000)]
    invoices: u32,
    /// Customers in the world.
    #[arg(long, default_value_t = 3_000)]
    customers: u32,
    /// Use the development build.
    #[arg(long)]
    debug: bool,
}

/// Imports customers, then invoices, then both again; true if the calls are no more than a tenth above what page sizes
/// and single writes force, the memory is in bounds, and the second time makes nothing.
pub(crate) fn run(workspace: &Workspace, arguments: &ImportArguments) -> Result<bool> {
    let program = workspace.tieout(!arguments.debug)?;
    let caller = Caller::new()?;
    let (customers, invoices) = (
        arguments.customers.to_string(),
        arguments.invoices.to_string(),
    );
    let world = ["--seed", "1", "--vendors", "2", "--bills", "2"].map(str::to_owned);
    let sells = ["--customers", &customers, "--invoices", &invoices].map(str::to_owned);
    let sandbox = Sandbox::start(&program, &[world.as_slice(), &sells].concat())?;
    let home = Home::receiving(&program, &sandbox)?;
    let walk = Walk {
        sandbox: &sandbox,
        caller: &caller,
        home: &home,
    };
    let mut kept = true;
    let mut both = Cost::default();
    for list in ["customers", "invoices"] {
        let (good, cost) = walk.import(list)?;
        kept &= good;
        both.total += cost.total;
        both.forced += cost.forced;
    }
    kept &= within("calls of both", both.total, both.forced + both.forced / 10);
    for list in ["customers", "invoices"] {
        let again = walk.made(&walk.carried_out(list)?.0);
        kept &= within(&format!("made by a second import of {list}"), again, 0);
    }
    Ok(kept)
}

/// What an import cost in calls, and how many of them page sizes and single writes force. A customer who is linked by name is
/// written, too, with our mark.
#[derive(Default)]
struct Cost {
    total: u64,
    forced: u64,
}

/// A world, and a home connected to it.
struct Walk<'a> {
    sandbox: &'a Sandbox,
    caller: &'a Caller,
    home: &'a Home,
}

impl Walk<'_> {
    /// One import, and what it cost.
    fn import(&self, list: &str) -> Result<(bool, Cost)> {
        let before = self.held()?;
        self.sandbox.forget_calls(self.caller)?;
        let start = Instant::now();
        let (result, peak_kib) = self.carried_out(list)?;
        let seconds = start.elapsed().as_secs_f64();
        let calls = self.sandbox.calls(self.caller)?;
        let after = self.held()?;
        let writes = (after.customers + after.invoices) - (before.customers + before.invoices);
        let linked = result["counts"]["linked"].as_u64().unwrap_or(0);
        let forced =
            writes + linked + before.pages(list) + after.pages_since(&before) + after.ledger(list);
        let total = all_calls(&calls);
        let services = ["invoiced", "netsuite"].map(|service| {
            let calls = number(&calls, service, "total");
            format!("{service} {calls}")
        });
        println!("import of {list} in {seconds:.1} s: {}", result["counts"]);
        println!(
            "calls: {}; {total} of {forced} that are forced, ratio {:.3}",
            services.join(", "),
            ratio(total, forced)
        );
        let memory = within("MiB of memory", peak_kib.div_ceil(1024), MEMORY_MIB_MAX);
        let made = self.made(&result);
        if made == 0 {
            println!("TOO FEW   nothing was made");
        }
        Ok((memory && made > 0, Cost { total, forced }))
    }

    /// Runs the command; gives its result, and the most memory that it had.
    fn carried_out(&self, list: &str) -> Result<(Value, u64)> {
        let mut child = self
            .home
            .command(&["import", list, CONNECTION, "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("starting an import")?;
        let output = child.stdout.take().context("it has no output")?;
        // Its result is longer than a pipe holds.
        let reading = std::thread::spawn(move || std::io::read_to_string(output));
        let mut peak_kib = 0;
        while child.try_wait()?.is_none() {
            peak_kib = peak(child.id()).unwrap_or(peak_kib).max(peak_kib);
            std::thread::sleep(Duration::from_millis(20));
        }
        let Ok(text) = reading.join() else {
            bail!("the import's output can't be read");
        };
        let result = serde_json::from_str(&text?).context("import --json printed no JSON")?;
        Ok((result, peak_kib))
    }

    /// How many records of its list an import made.
    fn made(&self, result: &Value) -> u64 {
        result["counts"]["made"].as_u64().unwrap_or(0)
    }

    fn held(&self) -> Result<Held> {
        let records = self
            .sandbox
            .panel(self.caller, Method::GET, "records", None)?;
        let count = |pointer: &str| {
            let list = records.pointer(pointer).and_then(Value::as_array);
            list.map_or(0, |list| list.len() as u64)
        };
        Ok(Held {
            customers: count("/invoiced/customers"),
            invoices: count("/invoiced/invoices"),
            ledger_customers: count("/netsuite/customers"),
            ledger_invoices: count("/netsuite/transactions"),
        })
    }
}

/// How many records the services hold.
struct Held {
    customers: u64,
    invoices: u64,
    ledger_customers: u64,
    ledger_invoices: u64,
}

impl Held {
    /// The pages of Invoiced's lists that an import reads first.
    fn pages(&self, list: &str) -> u64 {
        let customers = pages(self.customers, PAGE_INVOICED);
        if list == "customers" {
            return customers;
        }
        customers + pages(self.invoices, PAGE_INVOICED)
    }

    /// The pages in which what was made is read back.
    fn pages_since(&self, before: &Self) -> u64 {
        let made = [
            self.customers - before.customers,
            self.invoices - before.invoices,
        ];
        made.map(|made| made.div_ceil(PAGE_INVOICED)).iter().sum()
    }

    /// The pages of NetSuite's lists.
    fn ledger(&self, list: &str) -> u64 {
        let customers = pages(self.ledger_customers, PAGE_NETSUITE);
        if list == "customers" {
            return customers;
        }
        customers + pages(self.ledger_invoices, PAGE_NETSUITE)
    }
}

/// An empty list takes a call, too.
fn pages(records: u64, size: u64) -> u64 {
    records.div_ceil(size).max(1)
}

#[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
fn ratio(found: u64, forced: u64) -> f64 {
    found as f64 / forced.max(1) as f64
}
