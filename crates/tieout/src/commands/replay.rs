//! `tieout replay`: does a failed write again, under the same key.
//!
//! The key is derived from the far side's own ids and so is the same; the look-up before a creation finds
//! what an earlier attempt made. A replay can't have a second effect (scenario 143).

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;
use tieout_domain::RecordRef;
use tieout_domain::code::Code;
use tieout_engine::{Connection, RunOptions};
use tieout_store::{Commit, ConnectionStore, Due, Fact, RunId};

use super::sync::{connections, exit, print_report, run_id};
use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use tieout_desk::record::find;

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

/// How many entries are read at once.
const PAGE: u32 = 1000;

/// Replays.
pub async fn run(global: &Global, args: &ReplayArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let names: Vec<String> = args.connection.iter().cloned().collect();
    let mut worst = None;
    let mut reports = Vec::new();
    for connection in connections(global, &home, &names).await? {
        let failed = failed_writes(&connection, &args.what).await?;
        if failed.is_empty() {
            continue;
        }
        prepare(&connection.store, &failed, &args.reason).await?;
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
        let cause = format!(
            "`{}` names no record or run with a write that failed",
            args.what
        );
        return Err(Failure::usage(Code::new("nothing-to-replay"), cause));
    };
    if global.json {
        output::json(&json!({ "runs": reports }));
    }
    Ok(worst)
}

/// Flow and record of each write that failed, with the ids of those writes.
type Failed = BTreeMap<(String, RecordRef), Vec<u64>>;

/// The failed writes of a run, or of a record. A record without any is looked at again all the same.
async fn failed_writes(connection: &Connection, what: &str) -> Result<Failed, Failure> {
    let store = &connection.store;
    let run = RunId::new(what);
    let mut failed = Failed::new();
    if store.run(&run).await?.is_some() {
        let mut intended = BTreeMap::new();
        let mut after = 0;
        loop {
            let page = store.run_facts(&run, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(failed);
            };
            after = last.seq;
            for entry in page {
                match entry.fact {
                    Fact::Intended { flow, record, .. } => {
                        intended.insert(entry.seq, (flow, record));
                    }
                    Fact::Refused { write, .. } | Fact::Later { write, .. } => {
                        if let Some(of) = intended.get(&write) {
                            failed.entry(of.clone()).or_default().push(write);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    for record in find(store, what).await? {
        for flow in &connection.flows {
            let known = store
                .items(flow.name(), std::slice::from_ref(&record))
                .await?;
            if !known.is_empty() {
                failed.insert((flow.name().to_owned(), record.clone()), Vec::new());
            }
        }
        for entry in store.history(&record).await? {
            if let Fact::Refused { write, .. } | Fact::Later { write, .. } = entry.fact
                && let Some((_, writes)) = failed.iter_mut().find(|((_, r), _)| *r == record)
            {
                writes.push(write);
            }
        }
    }
    Ok(failed)
}

/// Makes the records due, and links the replay to the writes that it repeats.
async fn prepare(store: &ConnectionStore, failed: &Failed, reason: &str) -> Result<(), Failure> {
    let mut commit = Commit {
        actor: actor(),
        ..Commit::default()
    };
    for ((flow, record), writes) in failed {
        let writes: Vec<_> = writes.iter().map(ToString::to_string).collect();
        let original = if writes.is_empty() {
            String::new()
        } else {
            format!(" (write {})", writes.join(", "))
        };
        commit.facts.push(Fact::Decided {
            flow: flow.clone(),
            record: record.clone(),
            decision: String::new(),
            reason: format!("replay{original}: {reason}"),
        });
        commit.due.push(Due {
            flow: flow.clone(),
            record: record.clone(),
        });
    }
    store.commit(commit).await?;
    Ok(())
}
