//! Replay: a failed write is done again, under the same key.
//!
//! The key is derived from the far side's own ids and so is the same; the look-up before a creation finds
//! what an earlier attempt made. A replay can't have a second effect (scenario 143).

use std::collections::BTreeMap;

use tieout_domain::RecordRef;
use tieout_domain::code::Code;
use tieout_store::{Commit, ConnectionStore, Due, Fact, RunId};

use crate::approval::Proposal;
use crate::error::DeskError;
use crate::record;

/// How many entries are read at once.
const PAGE: u32 = 1000;

/// Flow and record of each write that failed, with the ids of those writes.
pub type Failed = BTreeMap<(String, RecordRef), Vec<u64>>;

/// The failed writes of a run, or of a record named by SIDE/KIND/ID, id or number. A record without any is looked at
/// again all the same.
///
/// # Errors
/// The store's.
pub async fn failed_writes(store: &ConnectionStore, what: &str) -> Result<Failed, DeskError> {
    let run = RunId::new(what);
    if store.run(&run).await?.is_some() {
        return of_run(store, &run).await;
    }
    let mut failed = Failed::new();
    for record in record::find(store, what).await? {
        for flow in record::flow_names() {
            let known = store.items(flow, std::slice::from_ref(&record)).await?;
            if !known.is_empty() {
                failed.insert((flow.to_owned(), record.clone()), Vec::new());
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

async fn of_run(store: &ConnectionStore, run: &RunId) -> Result<Failed, DeskError> {
    let mut failed = Failed::new();
    let mut intended = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = store.run_facts(run, after, PAGE).await?;
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

/// Makes the records due, and links the replay to the writes that it repeats: the next run does them again.
///
/// # Errors
/// The store's.
pub async fn prepare(
    store: &ConnectionStore,
    failed: &Failed,
    reason: &str,
    actor: &str,
) -> Result<(), DeskError> {
    let Proposal { facts, due, .. } = proposal(failed, reason);
    let commit = Commit {
        actor: actor.to_owned(),
        facts,
        due,
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(())
}

/// The same for another person to approve.
#[must_use]
pub fn proposal(failed: &Failed, reason: &str) -> Proposal {
    let records: Vec<_> = failed
        .keys()
        .map(|(_, record)| record.to_string())
        .collect();
    let mut proposal = Proposal {
        text: format!("the writes for {} are done again", records.join(", ")),
        ..Proposal::default()
    };
    for ((flow, record), writes) in failed {
        let writes: Vec<_> = writes.iter().map(ToString::to_string).collect();
        let original = if writes.is_empty() {
            String::new()
        } else {
            format!(" (write {})", writes.join(", "))
        };
        proposal.facts.push(Fact::Decided {
            flow: flow.clone(),
            record: record.clone(),
            decision: String::new(),
            reason: format!("replay{original}: {reason}"),
        });
        proposal.due.push(Due {
            flow: flow.clone(),
            record: record.clone(),
        });
    }
    proposal
}

/// There is nothing to replay.
#[must_use]
pub fn nothing(what: &str) -> DeskError {
    let cause = format!("`{what}` names no record or run with a write that failed");
    DeskError::usage(Code::new("nothing-to-replay"), cause)
}
