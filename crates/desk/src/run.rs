//! Runs: what was done, when, and what it came to.

use std::collections::BTreeMap;

use tieout_domain::Timestamp;
use tieout_domain::code::Code;
use tieout_store::{ConnectionStore, Entry, EntryFilter, Fact, RunId, RunRow};

use crate::error::DeskError;

/// How far back a beginning of an id is looked for.
const RECENT: u32 = 1000;

/// A run by its id, or the beginning of it.
///
/// # Errors
/// The store's.
pub async fn find(store: &ConnectionStore, text: &str) -> Result<Option<RunRow>, DeskError> {
    if let Some(run) = store.run(&RunId::new(text)).await? {
        return Ok(Some(run));
    }
    let runs = store.runs(RECENT).await?;
    Ok(runs
        .into_iter()
        .find(|run| !text.is_empty() && run.id.as_str().starts_with(text)))
}

/// The codes of what went wrong in a run, each once.
///
/// # Errors
/// The store's.
pub async fn codes(store: &ConnectionStore, run: &RunId) -> Result<Vec<Code>, DeskError> {
    let filter = EntryFilter {
        run: Some(run.clone()),
        word: Some("run-ended".to_owned()),
        ..EntryFilter::default()
    };
    let ended = store.newest(&filter, None, 1).await?;
    Ok(match ended.into_iter().next().map(|entry| entry.fact) {
        Some(Fact::RunEnded { codes, .. }) => codes,
        _ => Vec::new(),
    })
}

/// The newest entries of a run, the newest first: what it is at.
///
/// # Errors
/// The store's.
pub async fn newest(
    store: &ConnectionStore,
    run: &RunId,
    rows: u32,
) -> Result<Vec<Entry>, DeskError> {
    let filter = EntryFilter {
        run: Some(run.clone()),
        ..EntryFilter::default()
    };
    Ok(store.newest(&filter, None, rows).await?)
}

/// When each flow was last gone through to its end, as far as these runs tell (the latest first).
#[must_use]
pub fn last_successes(runs: &[RunRow]) -> BTreeMap<String, Timestamp> {
    let mut last = BTreeMap::new();
    for run in runs.iter().filter(|run| run.status != "failed") {
        let Some(ended) = run.ended else { continue };
        for flow in &run.flows {
            last.entry(flow.clone()).or_insert(ended);
        }
    }
    last
}

/// How long a run took, in seconds; `None` while it is on.
#[must_use]
pub fn seconds(run: &RunRow) -> Option<f64> {
    let ended = run.ended?;
    Some(ended.duration_since(run.started).as_secs_f64())
}
