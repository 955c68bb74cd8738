//! How quick the service is: what it takes in, and how late it starts what is due. The figures depend on the machine
//! and on what else it does; no test asserts them.

use anyhow::{Context, Result};
use clap::Args;

use crate::workspace::Workspace;

/// What `bench-webhooks` takes.
#[derive(Debug, Args)]
pub(crate) struct WebhooksArguments {
    /// How long to send.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many send at once, each over a connection of its own.
    #[arg(long, default_value_t = 64)]
    senders: u64,
    /// How many are sent a second, all of them together.
    #[arg(long, default_value_t = 5000)]
    rate: u64,
    /// How many bills the sync beside them has to do with.
    #[arg(long, default_value_t = 20_000)]
    bills: u64,
    /// Use the development build.
    #[arg(long)]
    debug: bool,
}

/// What `bench-schedule` takes.
#[derive(Debug, Args)]
pub(crate) struct ScheduleArguments {
    /// How long to watch.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Every how many seconds each connection is due.
    #[arg(long, default_value_t = 900)]
    pace: u64,
    /// How many connections there are.
    #[arg(long, default_value_t = 1000)]
    connections: u64,
    /// Use the development build.
    #[arg(long)]
    debug: bool,
}

/// Prints how many notifications a second are taken beside a sync, how long they wait, and whether a kill loses one.
pub(crate) fn webhooks(workspace: &Workspace, arguments: &WebhooksArguments) -> Result<bool> {
    let numbers = [
        arguments.seconds,
        arguments.senders,
        arguments.rate,
        arguments.bills,
    ];
    example(workspace, "bench_webhooks", &numbers, arguments.debug)
}

/// Prints how late runs begin, and how much memory the service takes.
pub(crate) fn schedule(workspace: &Workspace, arguments: &ScheduleArguments) -> Result<bool> {
    let numbers = [arguments.seconds, arguments.pace, arguments.connections];
    example(workspace, "bench_schedule", &numbers, arguments.debug)
}

fn example(workspace: &Workspace, name: &str, numbers: &[u64], debug: bool) -> Result<bool> {
    let program = workspace.tieout(!debug)?;
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--package", "tieout", "--example", name]);
    if !debug {
        cargo.arg("--release");
    }
    cargo
        .arg("--")
        .arg(program)
        .args(numbers.iter().map(u64::to_string));
    let status = cargo
        .status()
        .with_context(|| format!("{name} can't be run"))?;
    Ok(status.success())
}

/// A part of `bench`: the same, with what it prints kept.
pub(super) fn measure(bench: &mut super::Bench<'_>, part: &str) -> Result<()> {
    let name = format!("bench_{part}");
    let mut cargo = bench.workspace.cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "tieout"]);
    cargo.args(["--example", &name, "--"]).arg(bench.program);
    let output = cargo
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("{name} can't be run"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    anyhow::ensure!(
        output.status.success(),
        "{name} ended with {}",
        output.status
    );
    let lines: Vec<&str> = text.lines().collect();
    bench.keep(part, serde_json::json!({ "lines": lines }))
}
