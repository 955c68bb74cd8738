//! `tieout replay`: does a failed write again, under the same key.

use clap::Args;
use serde_json::json;
use tieout_desk::replay;
use tieout_engine::RunOptions;

use super::sync::{connections, exit, print_report, run_id};
use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `replay` takes.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A record by SIDE/KIND/ID, id or number; or a run, for every write of it that failed.
    #[arg(value_name = "RECORD|RUN")]
    pub what: String,
    /// Why: goes into the history.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Only of this connection.
    #[arg(long, value_name = "CONN")]
    pub connection: Option<String>,
}

/// Replays.
pub async fn run(global: &Global, args: &ReplayArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let names: Vec<String> = args.connection.iter().cloned().collect();
    let mut worst = None;
    let mut reports = Vec::new();
    for connection in connections(global, &home, &names).await? {
        let failed = replay::failed_writes(&connection.store, &args.what).await?;
        if failed.is_empty() {
            continue;
        }
        replay::prepare(&connection.store, &failed, &args.reason, &actor()).await?;
        let options = RunOptions {
            only: failed
                .keys()
                .map(|(_, record)| record.to_string())
                .collect(),
            ..RunOptions::new(run_id(), "replay")
        };
        let report = tieout_engine::sync(&connection, options).await?;
        if !global.json {
            print_report(&report, global.quiet);
        }
        worst = worst.max(Some(exit(&report)));
        reports.push(report);
    }
    let Some(worst) = worst else {
        return Err(replay::nothing(&args.what).into());
    };
    if global.json {
        output::json(&json!({ "runs": reports }));
    }
    Ok(worst)
}
