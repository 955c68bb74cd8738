//! `tieout recover CONN`, and `tieout recover CONN --release`.

use clap::Args;
use serde_json::json;
use tieout_engine::Rebuild;
use tieout_engine::recovery::{Recovery, recover, release};

use super::sync::{connections, ended, print_plan, print_report, run_id};
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `recover` takes.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// Which connection.
    #[arg(value_name = "CONN")]
    pub connection: String,
    /// End the recovery: from then on a sync writes again.
    #[arg(long, requires = "reason")]
    pub release: bool,
    /// Why it may end; part of the history.
    #[arg(long, value_name = "TEXT", requires = "release")]
    pub reason: Option<String>,
}

/// How many paid documents are listed on the screen; `--json` has them all.
const PAID_SHOWN: usize = 50;

/// What only a person can confirm, and for which something is proposed.
const PROPOSALS: [&str; 3] = ["resembles", "adopt-paid", "choose-vendor"];

/// Rebuilds the links, or ends the recovery.
pub async fn run(global: &Global, args: &RecoverArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let names = [args.connection.clone()];
    let mut worst = Exit::Done;
    for connection in connections(global, &home, &names).await? {
        if let (true, Some(reason)) = (args.release, &args.reason) {
            let lifted = release(&connection, reason).await?;
            if global.json {
                output::json(&json!({"connection": args.connection, "lifted": lifted}));
            } else if lifted.is_some() {
                output::line(&format!(
                    "{} is released: the next sync writes again",
                    args.connection
                ));
            } else {
                output::line(&format!("{} is in no recovery", args.connection));
            }
            continue;
        }
        let recovery = recover(&connection, run_id(), Rebuild::Lost).await?;
        worst = ended(&recovery.report);
        if global.json {
            output::json(&json!({ "recovery": recovery }));
        } else {
            print(&recovery, global.quiet);
        }
    }
    Ok(worst)
}

fn print(recovery: &Recovery, quiet: bool) {
    print_report(&recovery.report, quiet);
    let rows = recovery
        .linked
        .iter()
        .map(|linked| {
            vec![
                linked.flow.clone(),
                linked.tier.as_str().to_owned(),
                linked.how.clone(),
                linked.count.to_string(),
            ]
        })
        .collect();
    if recovery.linked.is_empty() {
        output::line("nothing had to be linked");
    } else {
        let header = ["linked in", "tier", "by", "records"];
        output::line(&output::table(&header, rows, &[3]));
    }
    print_paid(recovery);
    print_waiting(recovery);
    if recovery.proposed_mappings > 0 {
        output::line(&format!(
            "{} mappings are proposed: see `tieout map list`, then `tieout map confirm`",
            recovery.proposed_mappings
        ));
    }
    if let Some(plan) = &recovery.plan {
        output::line("the next sync would write, once this is released:");
        let plan = tieout_engine::Plan {
            stops: Vec::new(),
            ..plan.clone()
        };
        print_plan(&plan, quiet);
    }
    let name = &recovery.report.connection;
    output::line(&format!(
        "nothing was written; release it with `tieout recover {name} --release --reason TEXT`"
    ));
}

fn print_paid(recovery: &Recovery) {
    if recovery.paid.is_empty() {
        return;
    }
    let rows = recovery
        .paid
        .iter()
        .take(PAID_SHOWN)
        .map(|paid| {
            vec![
                paid.label.clone(),
                paid.target.to_string(),
                paid.paid.to_string(),
                paid.total.to_string(),
            ]
        })
        .collect();
    let header = ["linked, and paid or used", "record", "paid", "of"];
    output::line(&output::table(&header, rows, &[2, 3]));
    if recovery.paid.len() > PAID_SHOWN {
        output::line(&format!(
            "and {} more: --json has them all",
            recovery.paid.len() - PAID_SHOWN
        ));
    }
}

fn print_waiting(recovery: &Recovery) {
    let proposed = |code: &str| PROPOSALS.contains(&code);
    let rows: Vec<_> = recovery
        .waiting
        .iter()
        .map(|group| {
            let code = group.code.as_ref().map_or("", |code| code.as_str());
            vec![
                if proposed(code) {
                    "proposed"
                } else {
                    "to decide"
                }
                .to_owned(),
                group.flow.clone(),
                code.to_owned(),
                group.count.to_string(),
                group.cause.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let header = ["waits", "flow", "code", "records", "cause"];
        output::line(&output::table(&header, rows, &[3]));
        output::line("decide them with `tieout exceptions`, now or later");
    }
}
