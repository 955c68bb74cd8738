//! `tieout audit erase`: somebody's personal values are taken out of the history, which still verifies
//! (scenario 247).

use clap::Args;
use serde_json::json;
use tieout_domain::RecordRef;
use tieout_domain::code::Code;

use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use tieout_desk::record::find;

/// What `audit erase` takes.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// The record, by SIDE/KIND/ID, id, number or name: a vendor, mostly.
    #[arg(value_name = "RECORD")]
    pub record: String,
    /// On whose demand, and why: part of the history.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Only of this connection.
    #[arg(long, value_name = "CONN")]
    pub connection: Option<String>,
}

/// Erases; where a text may mean several records, nothing.
pub async fn run(global: &Global, home: &Home, args: &EraseArgs) -> Result<Exit, Failure> {
    let names: Vec<String> = args.connection.iter().cloned().collect();
    let mut chosen = Vec::new();
    for (name, _) in home.config.chosen(&names)? {
        let store = home.store.connection(name);
        for record in find(&store, &args.record).await? {
            chosen.push((name, store.clone(), record));
        }
    }
    let records: Vec<RecordRef> = chosen.iter().map(|(_, _, record)| record.clone()).collect();
    let text = &args.record;
    let cause = match records.as_slice() {
        [_] => None,
        [] => Some(format!("`{text}` is no record that is known")),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Some(format!("`{text}` may be any of {}", names.join(", ")))
        }
    };
    if let Some(cause) = cause {
        return Err(Failure::usage(Code::new("unknown-record"), cause));
    }
    for (name, store, record) in chosen {
        let one = std::slice::from_ref(&record);
        let entries = store.erase(one, &actor(), &args.reason).await?;
        if global.json {
            output::json(&json!({"connection": name, "record": record, "entries": entries}));
        } else {
            output::line(&format!(
                "personal values of {record} are erased from {entries} entries; what the services still show comes \
                 back with the next sync: erase it there first"
            ));
        }
    }
    Ok(Exit::Done)
}
