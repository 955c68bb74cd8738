//! `tieout credentials check`: opens credentials and signs in with them.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tieout_kit::Credential;
use tieout_store::{CredentialRow, StoreError};

use super::set::{entry, tell};
use super::{checked, known_kind};
use crate::bulk;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::pending;
use crate::trial::{Trial, Verdict};

/// Checks the credentials of these names; all of them if none is named.
pub(super) async fn run(global: &Global, home: &Home, names: &[String]) -> Result<Exit, Failure> {
    let rows = home.store.credentials().list().await?;
    if let Some(name) = names
        .iter()
        .find(|name| rows.iter().all(|row| row.name != **name))
    {
        return Err(StoreError::CredentialMissing { name: name.clone() }.into());
    }
    let trial = Trial::new(home).await?;
    let chosen: Vec<_> = rows
        .into_iter()
        .filter(|row| match names {
            // What is half put together, or on its way out, belongs to a renewal.
            [] => !pending::is_aside(home, &row.name),
            names => names.contains(&row.name),
        })
        .collect();
    let work = |row| async {
        let result = one(home, &trial, &row).await;
        (row, result)
    };
    let results = bulk::all(chosen, work).await;
    if global.json {
        let rows: Vec<_> = results
            .iter()
            .map(|(row, result)| document(row, result))
            .collect();
        output::json(&json!({ "credentials": rows }));
    } else {
        results.iter().for_each(|(row, result)| print(row, result));
    }
    let worst = results
        .iter()
        .filter_map(|(_, result)| failed(result))
        .max();
    Ok(worst.unwrap_or(Exit::Done))
}

async fn one(home: &Home, trial: &Trial<'_>, row: &CredentialRow) -> Result<Vec<Verdict>, Failure> {
    let vault = home.vault().await?;
    let (_, fields) = home.store.credentials().get(&vault, &row.name).await?;
    checked(known_kind(&row.kind)?, fields.expose_secret())?;
    let credential = Credential {
        kind: row.kind.clone(),
        fields,
    };
    trial.sign_in(&row.name, &credential).await
}

fn failed(result: &Result<Vec<Verdict>, Failure>) -> Option<Exit> {
    match result {
        Err(failure) => Some(failure.exit),
        Ok(verdicts) => verdicts
            .iter()
            .any(|verdict| verdict.result.is_err())
            .then_some(Exit::Side),
    }
}

fn document(row: &CredentialRow, result: &Result<Vec<Verdict>, Failure>) -> Value {
    match result {
        Ok(verdicts) => json!({
            "name": row.name,
            "status": if failed(result).is_some() { "failed" } else { "ok" },
            "connections": verdicts.iter().map(entry).collect::<Vec<_>>(),
        }),
        Err(failure) => json!({
            "name": row.name, "status": "failed", "code": failure.code, "cause": failure.cause,
            "fix": failure.code.fix(),
        }),
    }
}

fn print(row: &CredentialRow, result: &Result<Vec<Verdict>, Failure>) {
    match result {
        Err(failure) => output::line(&format!("{}: {failure}", row.name)),
        Ok(verdicts) if verdicts.is_empty() => {
            output::line(&format!("{}: ok, and no connection uses it", row.name));
        }
        Ok(verdicts) => {
            output::line(&format!("{}:", row.name));
            verdicts.iter().for_each(tell);
        }
    }
}
