//! What the histories of killed syncs tell of their writes: how many were left open, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::home::Home;

/// More runs than any round makes.
const RUNS_MAX: &str = "100000";

/// What became of writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Writes that were attempted.
    pub(super) attempted: u64,
    /// Of them, those whose outcome was unknown: no answer came, or nobody was left to hear it.
    pub(super) unknown: u64,
    /// Of these, those that were found over there and taken over.
    pub(super) adopted: u64,
    /// Of these, those that were sent again.
    pub(super) sent_again: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.attempted += other.attempted;
        self.unknown += other.unknown;
        self.adopted += other.adopted;
        self.sent_again += other.sent_again;
    }
}

/// A write, as far as its history tells.
#[derive(Debug, Default)]
struct Write {
    key: String,
    /// The runs in which it was attempted.
    attempts: BTreeSet<String>,
    unknown: bool,
    adopted: bool,
    sent_again: bool,
}

/// Goes through the history of a home.
pub(super) fn tally(home: &Home) -> Result<Tally> {
    let printed = home.must(&["runs", "--limit", RUNS_MAX, "--json"], None)?;
    let listed: Value = serde_json::from_str(&printed.stdout).context("runs --json")?;
    let mut ids = Vec::new();
    run_ids(&listed, &mut ids);
    let mut entries: Vec<(String, Value)> = Vec::new();
    for id in ids {
        let printed = home.must(&["show", &id, "--json"], None)?;
        let mut shown: Value = serde_json::from_str(&printed.stdout).context("show --json")?;
        if let Some(Value::Array(of_run)) = shown.get_mut("entries").map(Value::take) {
            entries.extend(of_run.into_iter().map(|entry| (id.clone(), entry)));
        }
    }
    Ok(of_entries(entries))
}

/// The ids of all runs in whatever way they are grouped.
fn run_ids(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| run_ids(value, ids)),
        Value::Object(object) => {
            if let (Some(id), true) = (object.get("id"), object.contains_key("started")) {
                ids.extend(id.as_str().map(str::to_owned));
            } else {
                object.values().for_each(|value| run_ids(value, ids));
            }
        }
        _ => {}
    }
}

/// What became of the writes that these entries tell of, each with its run's id.
fn of_entries(mut entries: Vec<(String, Value)>) -> Tally {
    let seq = |entry: &Value| entry.get("seq").and_then(Value::as_u64).unwrap_or_default();
    entries.sort_by_key(|(_, entry)| seq(entry));
    let mut writes: BTreeMap<u64, Write> = BTreeMap::new();
    // Keys whose write was given up without anybody knowing at first what had become of it.
    let mut given_up: BTreeMap<String, u64> = BTreeMap::new();
    for (run, entry) in &entries {
        let is = entry.pointer("/fact/is").unwrap_or(&Value::Null);
        let word = entry.pointer("/fact/fact").and_then(Value::as_str);
        let told = is.get("write").and_then(Value::as_u64);
        match (word, told) {
            (Some("intended"), _) => {
                let key = is.pointer("/order/key").and_then(Value::as_str);
                let write = writes.entry(seq(entry)).or_default();
                write.key = key.unwrap_or_default().to_owned();
            }
            (Some("attempted"), _) => {
                for id in is
                    .get("writes")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    let id = id.as_u64().unwrap_or_default();
                    let write = writes.entry(id).or_default();
                    write.sent_again |= write.attempts.iter().any(|of| of != run);
                    write.attempts.insert(run.clone());
                    if let Some(before) = given_up.remove(&write.key)
                        && let Some(before) = writes.get_mut(&before)
                    {
                        before.sent_again = true;
                    }
                }
            }
            (Some("unknown"), Some(id)) => writes.entry(id).or_default().unknown = true,
            (Some("applied" | "abandoned" | "later" | "refused"), Some(id)) => {
                let write = writes.entry(id).or_default();
                if write.attempts.is_empty() {
                    continue;
                }
                write.unknown |= !write.attempts.contains(run);
                if word == Some("abandoned") {
                    write.unknown = true;
                    given_up.insert(write.key.clone(), id);
                }
                let adopted = is.get("adopted").and_then(Value::as_bool) == Some(true);
                write.adopted = write.unknown && adopted;
            }
            _ => {}
        }
    }
    let count =
        |which: fn(&Write) -> bool| writes.values().filter(|write| which(write)).count() as u64;
    Tally {
        attempted: count(|write| !write.attempts.is_empty()),
        unknown: count(|write| write.unknown || write.attempts.len() > 1),
        adopted: count(|write| write.adopted),
        sent_again: count(|write| write.sent_again),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(run: &str, seq: u64, fact: &str, is: Value) -> (String, Value) {
        (
            run.to_owned(),
            json!({"seq": seq, "fact": {"fact": fact, "is": is}}),
        )
    }

    fn begun(key: &str) -> Vec<(String, Value)> {
        vec![
            entry("a", 1, "intended", json!({"order": {"key": key}})),
            entry("a", 2, "attempted", json!({"writes": [1]})),
        ]
    }

    #[test]
    fn an_answered_write_is_no_unknown_one() {
        let mut entries = begun("k");
        entries.push(entry(
            "a",
            3,
            "applied",
            json!({"write": 1, "adopted": false}),
        ));
        let tally = of_entries(entries);
        assert_eq!((tally.attempted, tally.unknown), (1, 0));
    }

    #[test]
    fn what_a_later_run_finds_was_unknown_and_is_adopted() {
        let mut entries = begun("k");
        entries.push(entry(
            "b",
            3,
            "applied",
            json!({"write": 1, "adopted": true}),
        ));
        let tally = of_entries(entries);
        assert_eq!((tally.unknown, tally.adopted, tally.sent_again), (1, 1, 0));
    }

    #[test]
    fn what_was_given_up_and_written_under_the_same_key_was_sent_again() {
        let mut entries = begun("k");
        entries.push(entry("b", 3, "abandoned", json!({"write": 1})));
        entries.push(entry("b", 4, "intended", json!({"order": {"key": "k"}})));
        entries.push(entry("b", 5, "attempted", json!({"writes": [4]})));
        entries.push(entry(
            "b",
            6,
            "applied",
            json!({"write": 4, "adopted": false}),
        ));
        let tally = of_entries(entries);
        assert_eq!((tally.attempted, tally.unknown), (2, 1));
        assert_eq!((tally.adopted, tally.sent_again), (0, 1));
    }

    #[test]
    fn an_upsert_that_another_run_attempts_again_was_sent_again() {
        let mut entries = begun("k");
        entries.push(entry("b", 3, "attempted", json!({"writes": [1]})));
        entries.push(entry(
            "b",
            4,
            "applied",
            json!({"write": 1, "adopted": false}),
        ));
        let tally = of_entries(entries);
        assert_eq!((tally.unknown, tally.sent_again), (1, 1));
    }

    #[test]
    fn an_intent_that_was_never_sent_counts_for_nothing() {
        let entries = vec![
            entry("a", 1, "intended", json!({"order": {"key": "k"}})),
            entry("b", 2, "abandoned", json!({"write": 1})),
        ];
        assert_eq!(of_entries(entries), Tally::default());
    }

    #[test]
    fn runs_are_found_in_every_grouping() {
        let mut ids = Vec::new();
        run_ids(&json!({"runs": [{"id": "a", "started": "x"}]}), &mut ids);
        run_ids(
            &json!([{"connection": "w", "runs": [{"id": "b", "started": "x"}]}]),
            &mut ids,
        );
        assert_eq!(ids, ["a", "b"]);
    }
}
