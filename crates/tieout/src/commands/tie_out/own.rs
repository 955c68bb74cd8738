//! `tieout tie-out own`: somebody looks after a difference, and says what there is to say.

use clap::Args;
use serde_json::json;
use tieout_domain::RecordRef;
use tieout_domain::code::Code;
use tieout_flows::tie_out::Category;
use tieout_store::{Commit, Fact};

use super::{NOTES, OWNED_BY, ScopeArgs, make, the_only};
use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use tieout_desk::record::find;

/// What `tie-out own` takes.
#[derive(Debug, Args)]
pub struct OwnArgs {
    /// Which connection.
    #[arg(value_name = "CONN")]
    pub connection: String,
    /// The record that the difference names, by SIDE/KIND/ID, id or number.
    #[arg(value_name = "RECORD", required_unless_present = "category")]
    pub record: Option<String>,
    /// All differences of this category that the month's report names, instead of one.
    #[arg(long, value_name = "CODE", conflicts_with = "record")]
    pub category: Option<Category>,
    /// The month of that report, as 2026-06; the present one if none is named.
    #[arg(long, value_name = "MONTH", requires = "category")]
    pub period: Option<String>,
    /// Its currency; the organization's own if none is named.
    #[arg(long, value_name = "CODE", requires = "category")]
    pub currency: Option<String>,
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
    let (name, _) = the_only(home.config.chosen(&names)?)?;
    let store = home.store.connection(name);
    let records = match (&args.record, args.category) {
        (Some(text), _) => vec![match text.parse::<RecordRef>() {
            Ok(record) => record,
            Err(_) => the_one(find(&store, text).await?, text)?,
        }],
        (None, Some(category)) => {
            let scope = ScopeArgs {
                connection: Some(args.connection.clone()),
                period: args.period.clone(),
                currency: args.currency.clone(),
            };
            let report = make(global, home, &scope).await?.report;
            let items = report.items.into_iter();
            items
                .filter(|item| item.category == category)
                .filter_map(|item| item.ledger.or(item.platform))
                .map(|document| document.record)
                .collect()
        }
        (None, None) => Vec::new(),
    };
    let facts = records
        .iter()
        .map(|record| Fact::Decided {
            flow: NOTES.to_owned(),
            record: record.clone(),
            decision: format!("{OWNED_BY}{}", args.owner.trim()),
            reason: args.comment.trim().to_owned(),
        })
        .collect();
    let commit = Commit {
        actor: actor(),
        facts,
        ..Commit::default()
    };
    store.commit(commit).await?;
    if global.json {
        output::json(&json!({"connection": name, "records": records, "owner": args.owner}));
    } else {
        for record in &records {
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
