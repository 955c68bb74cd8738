//! `tieout sandbox`: the fake services on loopback.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use tieout_domain::code::Code;

use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::sandbox::{Sandbox, SandboxOptions};

/// What shapes the sandbox.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// The control panel's port; the services take the ones after it.
    #[arg(long, default_value_t = 9100)]
    pub port: u16,
    /// What chance starts from: the same seed makes the same world.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many vendors.
    #[arg(long)]
    pub vendors: Option<usize>,
    /// How many vendor bills.
    #[arg(long)]
    pub bills: Option<usize>,
    /// How many customers; without customers and invoices the company sells nothing.
    #[arg(long)]
    pub customers: Option<usize>,
    /// How many invoices to them; beside them one for every five began on Invoiced.
    #[arg(long)]
    pub invoices: Option<usize>,
    /// A CSV file of real payables lines to start from.
    #[arg(long, value_name = "FILE")]
    pub dataset: Option<PathBuf>,
    /// How long each call takes at least, such as 120ms.
    #[arg(long, value_parser = duration, default_value = "0ms")]
    pub latency: Duration,
    /// Whether the NetSuite account has subsidiaries.
    #[arg(long, action = clap::ArgAction::Set, default_value_t = true)]
    pub one_world: bool,
    /// The company's time zone.
    #[arg(long, default_value = "America/New_York")]
    pub time_zone: String,
    /// Starts bare.
    #[arg(long)]
    pub empty: bool,
    /// The NetSuite account's id.
    #[arg(long, value_name = "ID", value_parser = account)]
    pub account: Option<String>,
    /// How many subsidiaries beside those that every account has.
    #[arg(long, default_value_t = 0)]
    pub branches: usize,
}

/// An id is a part of host names.
fn account(text: &str) -> Result<String, String> {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric());
    if text.split('_').all(part) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is no account id; write one such as 1234567_SB1"
    ))
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text
        .parse()
        .map_err(|_| format!("`{text}` is no duration; write one such as 120ms or 2s"))?;
    parsed
        .try_into()
        .map_err(|_| format!("`{text}` is below zero"))
}

/// Serves until told to stop.
pub async fn run(_global: &Global, args: &SandboxArgs) -> Result<Exit, Failure> {
    let sandbox = Sandbox::start(&SandboxOptions {
        port: Some(args.port),
        seed: args.seed,
        vendors: args.vendors,
        bills: args.bills,
        customers: args.customers,
        invoices: args.invoices,
        dataset: args.dataset.clone(),
        latency: args.latency,
        one_world: args.one_world,
        time_zone: args.time_zone.clone(),
        empty: args.empty,
        account: args.account.clone(),
        branches: args.branches,
    })
    .await?;
    let mut out = std::io::stdout();
    let printed = writeln!(out, "{}", sandbox.description).and_then(|()| out.flush());
    printed.map_err(|error| {
        Failure::failed(
            Code::new("file"),
            format!("can't print the addresses: {error}"),
        )
    })?;
    sandbox.serve_until_told().await;
    Ok(Exit::Done)
}
