//! The versions of the connections' preferences: what changed, told in the history with who and when. A change that
//! somebody made in `tieout.toml` by hand is noticed when the file is next read, and is the file's.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tieout_flows::Preferences;
use tieout_flows::preferences::{PreferenceError, catalogue};
use tieout_store::{Entry, Fact};

use crate::config::Config;
use crate::failure::Failure;
use crate::home::Home;

/// What people read where there is no value.
pub const NOTHING: &str = "none";

/// Who made a change that was found in the file.
pub const FILE: &str = "file";

/// Under this name it is remembered how the preferences of all connections stood when they were last looked at.
const SEEN: &str = "preferences-seen";

/// How many entries of the history are read at once.
const PAGE: u32 = 1000;

/// A value as people read it.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) if text.is_empty() => NOTHING.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Keys whose values differ: key, before, after.
#[must_use]
pub fn differences(before: &Preferences, after: &Preferences) -> Vec<(&'static str, Value, Value)> {
    catalogue()
        .into_iter()
        .filter_map(|entry| {
            let before = before.get(entry.key).ok()?;
            let after = after.get(entry.key).ok()?;
            (before != after).then_some((entry.key, before, after))
        })
        .collect()
}

/// The facts of a change, one for each key.
#[must_use]
pub fn facts(connection: &str, changes: Vec<(&'static str, Value, Value)>) -> Vec<Fact> {
    let fact = |(key, before, after): (&str, Value, Value)| Fact::Preference {
        connection: connection.to_owned(),
        name: key.to_owned(),
        before: plain(&before),
        after: plain(&after),
    };
    changes.into_iter().map(fact).collect()
}

/// Sets a preference to what [`plain`] made of its value.
///
/// # Errors
/// If there is no such preference, or it can't be so.
pub fn put(preferences: &mut Preferences, key: &str, text: &str) -> Result<(), PreferenceError> {
    // The word for no value may be a value of its own.
    if text == NOTHING && preferences.set(key, "").is_ok() {
        return Ok(());
    }
    preferences.set(key, text)
}

/// Every change of preferences that the history tells, of all connections, the first one first.
///
/// # Errors
/// What a database can answer.
pub async fn told(home: &Home) -> Result<Vec<Entry>, Failure> {
    let store = home.store.installation();
    let mut told = Vec::new();
    let mut after = 0;
    loop {
        let page = store.entries_after(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(told);
        };
        after = last.seq;
        let changes = page
            .into_iter()
            .filter(|entry| matches!(entry.fact, Fact::Preference { .. }));
        told.extend(changes);
    }
}

/// Tells the history what was changed in the file by hand since it was last read. Costs one look where nothing was.
///
/// # Errors
/// What a database can answer.
pub async fn notice_edits(home: &Home) -> Result<(), Failure> {
    let now = fingerprint(&home.config);
    let store = home.store.installation();
    let seen = store.remembered(SEEN).await?;
    if seen.as_deref() == Some(now.as_str()) || home.config.connections.is_empty() {
        return Ok(());
    }
    let told = told(home).await?;
    let mut edits = Vec::new();
    for (name, connection) in &home.config.connections {
        let known = as_told(&told, name.as_str());
        edits.extend(facts(
            name.as_str(),
            differences(&known, &connection.preferences),
        ));
    }
    Ok(store.remember(FILE, edits, (SEEN.to_owned(), now)).await?)
}

/// A connection's preferences by what the history tells of them.
fn as_told(told: &[Entry], connection: &str) -> Preferences {
    let mut preferences = Preferences::default();
    for entry in told {
        if let Fact::Preference {
            connection: whose,
            name,
            after,
            ..
        } = &entry.fact
            && whose == connection
        {
            // One that there is no longer, or that may not be so any more, is nobody's edit.
            let _ = put(&mut preferences, name, after);
        }
    }
    preferences
}

fn fingerprint(config: &Config) -> String {
    let all: Vec<_> = config
        .connections
        .iter()
        .map(|(name, connection)| json!([name, connection.preferences]))
        .collect();
    let digest = Sha256::digest(json!(all).to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
