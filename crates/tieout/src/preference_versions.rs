//! A change of preferences that somebody made in `tieout.toml` by hand: it is noticed when the file is next read, told
//! in the history like any other, and is the file's.

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tieout_desk::preferences::{differences, facts, put, told};
use tieout_domain::hexadecimal;
use tieout_flows::Preferences;
use tieout_store::{Entry, Fact};

use crate::config::Config;
use crate::failure::Failure;
use crate::home::Home;

/// Who made a change that was found in the file.
pub const FILE: &str = "file";

/// Under this name it is remembered how the preferences of all connections stood when they were last looked at.
const SEEN: &str = "preferences-seen";

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
    let told = told(&home.store).await?;
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
    hexadecimal(&Sha256::digest(json!(all).to_string()))
}
