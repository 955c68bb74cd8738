//! `tieout exceptions`: what waits for a person, grouped by cause, and what a person decides.

use clap::{Args, Subcommand};
use serde_json::json;
use tieout_desk::exceptions::{self, Cause, Ruling};
use tieout_domain::RecordRef;
use tieout_domain::code::Code;

use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `exceptions` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ExceptionsArgs {
    /// Which connections; all if none is named.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
    /// Show too what waits for something that resolves by itself.
    #[arg(long)]
    pub all: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Leaves records alone from now on: SKIPPED(ignored).
    Ignore(Chosen),
    /// Looks at records again, and takes back what was decided about them.
    Retry(Chosen),
    /// Says what a record is: linked to one over there, to be created, or accepted as it is.
    Resolve {
        #[command(flatten)]
        chosen: Chosen,
        /// It is this record over there, as SIDE/KIND/ID.
        #[arg(long, value_name = "SIDE/KIND/ID", conflicts_with_all = ["create", "accept"])]
        link: Option<RecordRef>,
        /// It has no counterpart: create it.
        #[arg(long, conflicts_with = "accept")]
        create: bool,
        /// The warning is understood: go on.
        #[arg(long)]
        accept: bool,
    },
}

#[derive(Debug, Args)]
struct Chosen {
    /// Records by SIDE/KIND/ID, id or number.
    #[arg(value_name = "RECORD")]
    records: Vec<String>,
    /// All records of this group, as `exceptions --json` names it.
    #[arg(long)]
    group: Option<String>,
    /// All records with this code.
    #[arg(long)]
    code: Option<String>,
    /// Why: goes into the history.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Only of this connection.
    #[arg(long, value_name = "CONN")]
    connection: Option<String>,
}

/// Lists what waits, or records what a person decides.
pub async fn run(global: &Global, args: &ExceptionsArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        None => list(global, &home, args).await,
        Some(Action::Ignore(chosen)) => decide(global, &home, chosen, &Ruling::Ignore).await,
        Some(Action::Retry(chosen)) => decide(global, &home, chosen, &Ruling::Retry).await,
        Some(Action::Resolve {
            chosen,
            link,
            create,
            accept,
        }) => {
            let ruling = match (link, create, accept) {
                (Some(target), ..) => Ruling::Link(target.clone()),
                (None, true, _) => Ruling::Create,
                (None, false, true) => Ruling::Accept,
                _ => {
                    let cause = "say what it is: --link SIDE/KIND/ID, --create or --accept";
                    return Err(Failure::usage(Code::new("usage"), cause));
                }
            };
            decide(global, &home, chosen, &ruling).await
        }
    }
}

async fn list(global: &Global, home: &Home, args: &ExceptionsArgs) -> Result<Exit, Failure> {
    let mut all = Vec::new();
    let mut waiting = false;
    for (name, _) in home.config.chosen(&args.connections)? {
        let causes = exceptions::causes(&home.store.connection(name), args.all).await?;
        waiting |= causes.iter().any(|cause| cause.state.needs_a_person());
        if !global.json {
            print(name.as_str(), &causes);
        }
        let causes: Vec<_> = causes.iter().map(Cause::to_json).collect();
        all.push(json!({"connection": name, "exceptions": causes}));
    }
    if global.json {
        output::json(&json!({ "connections": all }));
    }
    Ok(if waiting {
        Exit::Exceptions
    } else {
        Exit::Done
    })
}

fn print(connection: &str, causes: &[Cause]) {
    if causes.is_empty() {
        output::line(&format!("{connection}: nothing waits for a person"));
    }
    for cause in causes {
        let Some(first) = cause.first() else { continue };
        let code = cause.code.as_ref();
        let page = code.and_then(Code::page);
        let title = page.map_or("", |page| page.title());
        let amounts: Vec<_> = cause.amounts().iter().map(ToString::to_string).collect();
        let amounts = if amounts.is_empty() {
            String::new()
        } else {
            format!(", {}", amounts.join(" and "))
        };
        output::line(&format!(
            "{connection}: {} × {}({}): {title}{amounts}, oldest {:.0}",
            cause.count(),
            cause.state,
            code.map(ToString::to_string).unwrap_or_default(),
            first.oldest
        ));
        output::line(&format!("  {}", first.cause));
        for group in &cause.groups {
            let more = if group.count > group.labels.len() as u64 {
                ", …"
            } else {
                ""
            };
            let named: Vec<_> = group
                .labels
                .iter()
                .zip(&group.records)
                .map(|(label, record)| format!("{label} ({record})"))
                .collect();
            output::line(&format!("  {}: {}{more}", group.flow, named.join(", ")));
        }
        if let Some(page) = page {
            output::line(&format!("  fix ({}): {}", page.who(), page.fix()));
        }
    }
}

/// Records a person's decision in each connection that is meant.
async fn decide(
    global: &Global,
    home: &Home,
    chosen: &Chosen,
    ruling: &Ruling,
) -> Result<Exit, Failure> {
    let names: Vec<String> = chosen.connection.iter().cloned().collect();
    let which = exceptions::Chosen {
        records: chosen.records.clone(),
        group: chosen.group.clone(),
        code: chosen.code.as_ref().map(Code::from_text),
        seen: None,
    };
    let mut decided = Vec::new();
    for (name, _) in home.config.chosen(&names)? {
        let store = home.store.connection(name);
        let items = exceptions::decide(&store, &which, ruling, &chosen.reason, &actor()).await?;
        decided.extend(
            items
                .iter()
                .map(|item| format!("{name}: {} ({})", item.label, item.record)),
        );
    }
    if decided.is_empty() {
        let cause = "none of these is an exception of any connection".to_owned();
        return Err(Failure::usage(Code::new("unknown-record"), cause));
    }
    if global.json {
        output::json(&json!({ "decided": decided }));
    } else if !global.quiet {
        decided.iter().for_each(|text| output::line(text));
        output::line("the next sync acts on it");
    }
    Ok(Exit::Done)
}
