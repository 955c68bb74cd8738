//! The versions of a connection's preferences, as the history tells them: what was changed together is one.

use serde_json::json;
use tieout_domain::Timestamp;
use tieout_domain::code::Code;
use tieout_flows::Preferences;
use tieout_store::Fact;

use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::preference_versions;

/// What was changed together.
struct Version {
    at: Timestamp,
    actor: String,
    /// Key, value before, value since.
    changes: Vec<(String, String, String)>,
}

/// The versions of a connection's preferences, the first one first.
async fn versions(home: &Home, connection: &str) -> Result<Vec<Version>, Failure> {
    let mut versions: Vec<Version> = Vec::new();
    for entry in preference_versions::told(home).await? {
        let Fact::Preference {
            connection: whose,
            name,
            before,
            after,
        } = entry.fact
        else {
            continue;
        };
        if whose != connection {
            continue;
        }
        let change = (name, before, after);
        match versions.last_mut() {
            Some(same) if same.at == entry.at && same.actor == entry.actor => {
                same.changes.push(change);
            }
            _ => versions.push(Version {
                at: entry.at,
                actor: entry.actor,
                changes: vec![change],
            }),
        }
    }
    Ok(versions)
}

/// Lists the versions: when, who, what.
pub(super) async fn list(global: &Global, home: &Home, connection: &str) -> Result<Exit, Failure> {
    super::of(&home.config, connection)?;
    let versions = versions(home, connection).await?;
    if global.json {
        let versions: Vec<_> = (1..)
            .zip(&versions)
            .map(|(number, version)| {
                let changes: Vec<_> = version
                    .changes
                    .iter()
                    .map(|(key, before, after)| json!({"key": key, "before": before, "after": after}))
                    .collect();
                json!({"version": number, "at": version.at, "who": version.actor, "changes": changes})
            })
            .collect();
        output::json(&json!({"connection": connection, "versions": versions}));
        return Ok(Exit::Done);
    }
    let mut rows = Vec::new();
    for (number, version) in (1..).zip(versions) {
        for (key, before, after) in version.changes {
            rows.push(vec![
                number.to_string(),
                format!("{:.0}", version.at),
                version.actor.clone(),
                key,
                before,
                after,
            ]);
        }
    }
    let header = ["version", "when", "who", "preference", "before", "after"];
    output::line(&output::table(&header, rows, &[0]));
    Ok(Exit::Done)
}

/// The preferences as they were at a version: what was changed since is taken back, the last change first.
///
/// # Errors
/// `usage` if there is no such version.
pub(super) async fn at(
    home: &Home,
    connection: &str,
    version: usize,
) -> Result<Preferences, Failure> {
    let mut preferences = super::of(&home.config, connection)?;
    let versions = versions(home, connection).await?;
    if version > versions.len() {
        let cause = format!(
            "`{connection}` has {} versions, no version {version}",
            versions.len()
        );
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    for later in versions.iter().skip(version).rev() {
        for (key, before, _) in later.changes.iter().rev() {
            preference_versions::put(&mut preferences, key, before)
                .map_err(|error| super::unfit(&error))?;
        }
    }
    Ok(preferences)
}
