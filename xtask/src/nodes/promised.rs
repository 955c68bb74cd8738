//! What the nodes were promised by the database: each commit that was acknowledged, as a node's own log tells of it. All of
//! it must be there in the end.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// An entry by its chain and number.
type Place = (String, u64);

/// The last entry of each acknowledged commit, with the run that it was made in.
#[derive(Debug, Default)]
pub(crate) struct Promised {
    entries: BTreeMap<Place, String>,
    /// When commits were acknowledged, as the nodes' clocks have it.
    at: Vec<String>,
}

impl Promised {
    /// Reads a node's log.
    pub(crate) fn read(&mut self, log: &Path) -> Result<()> {
        let file = std::fs::File::open(log).with_context(|| log.display().to_string())?;
        for line in BufReader::new(file).split(b'\n') {
            // A node that is killed may leave half a line.
            if let Ok(said) = serde_json::from_slice::<Value>(&line?) {
                self.take(&said);
            }
        }
        Ok(())
    }

    fn take(&mut self, said: &Value) {
        if said["message"] != "committed" {
            return;
        }
        let (chain, entry) = (said["chain"].as_str(), said["entry"].as_u64());
        if let (Some(chain), Some(entry)) = (chain, entry) {
            let run = said["run"].as_str().unwrap_or_default();
            self.entries
                .insert((chain.to_owned(), entry), run.to_owned());
        }
        if let Some(at) = said["timestamp"].as_str() {
            self.at.push(at.to_owned());
        }
    }

    /// How many commits.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The longest time without a commit of any node, in seconds.
    pub(crate) fn longest_gap(&self) -> f64 {
        let mut at: Vec<f64> = self.at.iter().filter_map(|at| of_day(at)).collect();
        at.sort_by(f64::total_cmp);
        let gaps = at.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.fold(0.0, f64::max)
    }

    /// Which of them the store lacks, or has otherwise. The answer is to [`ENTRIES`].
    pub(crate) fn missing(&self, answer: &str) -> Vec<String> {
        let mut kept = BTreeMap::new();
        for line in answer.lines() {
            let mut fields = line.split('\t');
            if let (Some(chain), Some(seq)) = (fields.next(), fields.next())
                && let Ok(seq) = seq.parse::<u64>()
            {
                kept.insert((chain, seq), fields.next().unwrap_or_default());
            }
        }
        let broken = self.entries.iter().filter_map(|((chain, entry), run)| {
            let found = kept.get(&(chain.as_str(), *entry));
            match found {
                Some(found) if found == run => None,
                Some(found) => Some(format!(
                    "entry {entry} of {chain} is of run {found}, not of {run}"
                )),
                None => Some(format!("entry {entry} of {chain} is gone")),
            }
        });
        broken.collect()
    }
}

/// What is asked of the store.
pub(crate) const ENTRIES: &str = "SELECT chain, seq, COALESCE(run_id, '') FROM entries";

/// The second of the day in a moment such as `2026-07-01T10:00:00.5Z`. Trials don't last over midnight for long: a
/// difference below zero is no gap.
fn of_day(at: &str) -> Option<f64> {
    let (_, time) = at.split_once('T')?;
    let mut parts = time.trim_end_matches('Z').split(':');
    let mut part = || parts.next()?.parse::<f64>().ok();
    Some(part()? * 3600.0 + part()? * 60.0 + part()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_that_is_gone_or_another_run_s_is_found() {
        let mut promised = Promised::default();
        for (entry, at) in [(1, "10:00:00.25"), (2, "10:00:01.5")] {
            promised.take(
                &json!({"message": "committed", "chain": "a", "entry": entry, "run": "r",
                "timestamp": format!("2026-07-01T{at}Z")}),
            );
        }
        promised.take(&json!({"message": "something else", "chain": "a", "entry": 9}));
        assert_eq!(promised.len(), 2);
        assert!((promised.longest_gap() - 1.25).abs() < 1e-9);
        assert!(promised.missing("a\t1\tr\na\t2\tr\nb\t1\t\n").is_empty());
        assert_eq!(promised.missing("a\t1\tr\n").len(), 1);
        assert_eq!(promised.missing("a\t1\tr\na\t2\tq\n").len(), 1);
    }
}
