//! `tieout audit`: one record's whole life, and the check of the history.

use clap::{Args, Subcommand};
use serde_json::json;
use tieout_desk::record::{Life, find, life};
use tieout_desk::story;
use tieout_domain::code::Code;
use tieout_store::Verification;

use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `audit` takes.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
pub struct AuditArgs {
    /// Something other than a record's life or the check.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// A record by SIDE/KIND/ID, id, number, name or external id, of either side; or `verify`.
    #[arg(value_name = "RECORD", required = true)]
    pub record: Option<String>,
    /// Only of this connection.
    #[arg(long, value_name = "CONN")]
    pub connection: Option<String>,
}

/// What else an auditor asks for.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// A month's evidence as files that can be read and checked without tieout.
    Export(super::export::ExportArgs),
    /// Takes a person's values out of the history, which still verifies.
    Erase(super::erase::EraseArgs),
}

/// Tells a record's life, verifies the history, exports a month of it, or erases a person's values.
pub async fn run(global: &Global, args: &AuditArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        None => {}
        Some(Action::Export(args)) => return super::export::run(global, &home, args).await,
        Some(Action::Erase(args)) => return super::erase::run(global, &home, args).await,
    }
    let sought = args.record.as_deref().unwrap_or_default();
    if sought == "verify" {
        return Ok(verify(global, &home.store.verify().await?));
    }
    let mut told = Vec::new();
    let names: Vec<String> = args.connection.iter().cloned().collect();
    for (name, _) in home.config.chosen(&names)? {
        let store = home.store.connection(name);
        for record in find(&store, sought).await? {
            let life = life(&store, record).await?;
            if !global.json {
                print(&life, name.as_str());
            }
            told.push(json!({
                "connection": name, "record": life.record, "now": life.now, "states": life.items,
                "links": life.links, "history": life.history,
            }));
        }
    }
    if told.is_empty() {
        let cause = format!("`{sought}` is no record that is known");
        return Err(Failure::usage(Code::new("unknown-record"), cause));
    }
    if global.json {
        output::json(&json!({ "records": told }));
    }
    Ok(Exit::Done)
}

fn print(life: &Life, connection: &str) {
    let label = life
        .now
        .as_ref()
        .map(|now| now.observed.document.label())
        .unwrap_or_default();
    let amount = life
        .now
        .as_ref()
        .and_then(|now| now.observed.document.amount())
        .map(|amount| format!(", {amount}"))
        .unwrap_or_default();
    let gone = if life.now.as_ref().is_some_and(|now| now.gone) {
        ", deleted there"
    } else {
        ""
    };
    output::line(&format!(
        "{connection}: {label} ({}{amount}{gone})",
        life.record
    ));
    for item in &life.items {
        let cause = &item.outcome.cause;
        let cause = if cause.is_empty() {
            String::new()
        } else {
            format!(": {cause}")
        };
        output::line(&format!(
            "  {}: {} since {:.0}{cause}",
            item.flow, item.outcome, item.since
        ));
    }
    for link in &life.links {
        let role = if link.role.is_empty() {
            String::new()
        } else {
            format!(" ({})", link.role)
        };
        output::line(&format!(
            "  {}: {} stands for {}{role}, by {}",
            link.flow, link.target, link.record, link.how
        ));
    }
    story::life(&life.history)
        .iter()
        .for_each(|text| output::line(text));
}

fn verify(global: &Global, verification: &Verification) -> Exit {
    if global.json {
        output::json(verification);
    } else {
        for chain in &verification.chains {
            output::line(&format!(
                "{}: {} entries, {}",
                chain.chain, chain.entries, chain.hash
            ));
        }
        for fault in &verification.faults {
            let entry = fault
                .seq
                .map(|seq| format!(" entry {seq}"))
                .unwrap_or_default();
            output::line(&format!("{}{entry}: {}", fault.chain, fault.cause));
        }
        output::line(if verification.holds() {
            "the history holds"
        } else {
            "the history is broken"
        });
    }
    if verification.holds() {
        Exit::Done
    } else {
        Exit::Failed
    }
}
