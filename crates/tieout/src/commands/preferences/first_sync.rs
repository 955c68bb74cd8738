//! Switching the writing to the ledger on: how much the first sync takes is shown, and asked about once.

use std::io::IsTerminal;

use tieout_desk::first_sync::{is_asked, looked_at, words};
use tieout_domain::code::Code;
use tieout_engine::{Connection, Extent, RunOptions};
use tieout_flows::Preferences;
use tieout_flows::preferences::FirstSync;

use crate::cli::Global;
use crate::commands::sync::{connections, run_id};
use crate::failure::Failure;
use crate::home::Home;

/// Asks, if this change is one to be asked about. A yes is put into the preferences that are to be. Without a terminal
/// and without `--yes` nothing is asked: what the first sync would take waits until somebody says yes.
pub(super) async fn ask(
    global: &Global,
    home: &Home,
    connection: &str,
    (before, after): (&Preferences, &mut Preferences),
    yes: bool,
) -> Result<(), Failure> {
    if !is_asked(before, after) {
        return Ok(());
    }
    let terminal = std::io::stdin().is_terminal();
    let extent = match look(global, home, connection).await {
        Err(failure) if !yes && !terminal => {
            eprintln!(
                "how much the first sync takes can't be told now: {}",
                failure.cause
            );
            wait(connection);
            return Ok(());
        }
        looked => looked?,
    };
    eprintln!("the first sync takes to the ledger: {}", words(&extent));
    if !yes && !terminal && !extent.is_empty() {
        wait(connection);
        return Ok(());
    }
    if !yes && !extent.is_empty() && !confirmed()? {
        let cause = "writing to the ledger stays switched off".to_owned();
        return Err(Failure::usage(Code::new("not-confirmed"), cause));
    }
    after.receivables.first_sync = FirstSync::All;
    Ok(())
}

/// Reads both sides, and sums up what would be taken. Nothing is written.
async fn look(global: &Global, home: &Home, connection: &str) -> Result<Vec<Extent>, Failure> {
    let names = [connection.to_owned()];
    let mut all = Vec::new();
    for made in connections(global, home, &names).await? {
        all.extend(extent(made).await?);
    }
    Ok(all)
}

/// How much the first sync of a connection would take.
pub(crate) async fn extent(connection: Connection) -> Result<Vec<Extent>, Failure> {
    let asking = Connection {
        preferences: looked_at(&connection.preferences),
        ..connection
    };
    let plan = tieout_engine::plan(&asking, RunOptions::new(run_id(), "plan")).await?;
    Ok(plan.first_sync)
}

fn wait(connection: &str) {
    eprintln!(
        "it waits until somebody says yes: tieout preferences set {connection} receivables.first_sync all"
    );
}

fn confirmed() -> Result<bool, Failure> {
    eprint!("take all of it? [y/N] ");
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::failed(Code::new("file"), error.to_string()))?;
    let answer = answer.trim().to_ascii_lowercase();
    Ok(matches!(answer.as_str(), "y" | "yes"))
}
