//! The history as an auditor reads it: from its newest end, narrowed by who, what and when, and its check.

use serde::{Deserialize, Serialize};
use tieout_domain::Timestamp;
use tieout_store::{Fact, Store, Verification};

use crate::error::DeskError;

/// The name under which the last check is kept.
const CHECKED: &str = "history-checked";

/// The words of all facts, in the order of the alphabet: what a history can be narrowed to.
pub const WORDS: [&str; 33] = [
    "abandoned",
    "applied",
    "approval-asked",
    "approval-decided",
    "attempted",
    "confirmed",
    "credential",
    "decided",
    "drifted",
    "erased",
    "forgotten",
    "history-deleted",
    "imported",
    "intended",
    "later",
    "linked",
    "mapped",
    "note",
    "paused",
    "preference",
    "recovery-needed",
    "refused",
    "released",
    "resumed",
    "run-ended",
    "run-started",
    "signed",
    "stated",
    "token",
    "unknown",
    "unlinked",
    "user",
    "user-erased",
];

/// The last check of all histories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// When.
    pub at: Timestamp,
    /// Who asked for it.
    pub actor: String,
    /// How many entries were checked.
    pub entries: u64,
    /// What was wrong, each with its history; empty where all agreed.
    pub faults: Vec<String>,
}

/// Checks all histories and what is folded from them, and keeps what it came to. Reads everything: on a large
/// store it takes its time.
///
/// # Errors
/// The store's.
pub async fn check(store: &Store, actor: &str, now: Timestamp) -> Result<Checked, DeskError> {
    let Verification { chains, faults } = store.verify().await?;
    let checked = Checked {
        at: now,
        actor: actor.to_owned(),
        entries: chains.iter().map(|chain| chain.entries).sum(),
        faults: faults
            .iter()
            .map(|fault| match fault.seq {
                Some(seq) => format!("{}, entry {seq}: {}", fault.chain, fault.cause),
                None => format!("{}: {}", fault.chain, fault.cause),
            })
            .collect(),
    };
    let text = format!(
        "checked the history: {} entries, {} faults",
        checked.entries,
        checked.faults.len()
    );
    // What can't be written as JSON is not kept; the check itself counts.
    if let Ok(kept) = serde_json::to_string(&checked) {
        let kept = (CHECKED.to_owned(), kept);
        let facts = vec![Fact::Note { text }];
        store.installation().remember(actor, facts, kept).await?;
    }
    Ok(checked)
}

/// The last check, if there was one.
///
/// # Errors
/// The store's.
pub async fn last_check(store: &Store) -> Result<Option<Checked>, DeskError> {
    let kept = store.installation().remembered(CHECKED).await?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted_and_each_is_there_once() {
        assert!(WORDS.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
