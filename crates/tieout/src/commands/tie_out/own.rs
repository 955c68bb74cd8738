//! `tieout tie-out own`: somebody looks after a difference, and says what there is to say.

use clap::Args;
use serde_json::json;
use tieout_domain::RecordRef;
use tieout_domain::code::Code;
use tieout_store::{Commit, Fact};

use super::{NOTES, OWNED_BY};
use crate::assemble::actor;
use crate::cli::Global;
use crate::commands::audit::find;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `tie-out own` takes.
#[derive(Debug, Args)]
pub struct OwnArgs {
    /// Which connection.
    #[arg(value_name = "CONN")]
    pub connection: String,
    /// The record that the difference names, by SIDE/KIND/ID, id or number.
    #[arg(value_name = "RECORD")]
    pub record: String,
    /// Who looks after it.
    #[arg(long, value_name = "NAME")]
    pub owner: String,
    /// What there is to say of it.
    #[arg(long, value_name = "TEXT")]
    pub comment: String,
}

/// Records it.
pub(super) async fn run(global: &Global, home: &Home, args: &OwnArgs) -> Result<Exit, Failure> {
    let names = [args.connection.clone()];
    let chosen = home.config.chosen(&names)?;
    for (name, _) in chosen {
        let store = home.store.connection(name);
        let record = match args.record.parse::<RecordRef>() {
            Ok(record) => record,
            Err(_) => the_one(find(&store, &args.record).await?, &args.record)?,
        };
        let fact = Fact::Decided {
            flow: NOTES.to_owned(),
            record: record.clone(),
            decision: format!("{OWNED_BY}{}", args.owner.trim()),
            reason: args.comment.trim().to_owned(),
        };
        let commit = Commit {
            actor: actor(),
            facts: vec![fact],
            ..Commit::default()
        };
        store.commit(commit).await?;
        if global.json {
            output::json(&json!({"connection": name, "record": record, "owner": args.owner}));
        } else {
            output::line(&format!("{record} is {}'s", args.owner.trim()));
        }
    }
    Ok(Exit::Done)
}

fn the_one(mut found: Vec<RecordRef>, text: &str) -> Result<RecordRef, Failure> {
    match (found.pop(), found.is_empty()) {
        (Some(record), true) => Ok(record),
        (None, _) => {
            let cause = format!("`{text}` is no record that is known");
            Err(Failure::usage(Code::new("unknown-record"), cause))
        }
        (Some(last), false) => {
            let names: Vec<String> = found
                .iter()
                .chain([&last])
                .map(ToString::to_string)
                .collect();
            let cause = format!("`{text}` may be any of {}", names.join(", "));
            Err(Failure::usage(Code::new("unknown-record"), cause))
        }
    }
}
