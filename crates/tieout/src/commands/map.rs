//! `tieout map`: which account, dimension, funding account, item or terms stand for which.

use clap::{Args, Subcommand};
use serde_json::json;
use tieout_desk::mapping::{self, Said};
use tieout_domain::code::Code;
use tieout_engine::mapping::propose;
use tieout_store::MapEntry;

use super::sync::{connections, run_id};
use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `map` takes.
#[derive(Debug, Args)]
pub struct MapArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the mappings.
    List {
        /// Which connections; all if none is named.
        #[arg(value_name = "CONN")]
        connections: Vec<String>,
    },
    /// Reads the lists of both sides and proposes mappings.
    Suggest {
        /// Which connections; all if none is named.
        #[arg(value_name = "CONN")]
        connections: Vec<String>,
        /// Confirm what matches one to one, and mark for creation what is missing where the preference
        /// lists.create_missing allows it.
        #[arg(long)]
        confirm_exact: bool,
    },
    /// Confirms what is suggested.
    Confirm {
        /// Which connection.
        #[arg(value_name = "CONN")]
        connection: String,
        /// Everything that is suggested.
        #[arg(long)]
        all: bool,
        /// Only these, by the id they lead from.
        #[arg(value_name = "FROM")]
        from: Vec<String>,
    },
    /// Sets one mapping. An empty TO takes it back.
    Set {
        /// Which connection.
        #[arg(value_name = "CONN")]
        connection: String,
        /// account, department, class, location or funding; for receivables item or terms.
        kind: String,
        /// Id, number or name of what is mapped.
        from: String,
        /// Id, number or name of what it stands for.
        to: String,
    },
}

/// Carries out the action.
pub async fn run(global: &Global, args: &MapArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        Action::List { connections } => list(global, &home, connections).await,
        Action::Suggest {
            connections,
            confirm_exact,
        } => suggest(global, &home, connections, *confirm_exact).await,
        Action::Confirm {
            connection,
            all,
            from,
        } => confirm(global, &home, connection, *all, from).await,
        Action::Set {
            connection,
            kind,
            from,
            to,
        } => {
            for (name, config) in home.config.chosen(std::slice::from_ref(connection))? {
                let said = Said {
                    kind: mapping::known_kind(&config.flow_names(), kind)?,
                    from,
                    to: Some(to.as_str()).filter(|to| !to.is_empty()),
                    why: "set by a person",
                };
                mapping::set(&home.store.connection(name), &said, &actor()).await?;
            }
            Ok(Exit::Done)
        }
    }
}

async fn list(global: &Global, home: &Home, names: &[String]) -> Result<Exit, Failure> {
    let mut all = Vec::new();
    let mut rows = Vec::new();
    for (name, _) in home.config.chosen(names)? {
        let entries = home.store.connection(name).maps().await?;
        for entry in &entries {
            let to = match &entry.to {
                Some(to) => format!("{} ({to})", entry.label_to),
                None => String::new(),
            };
            rows.push(vec![
                name.to_string(),
                entry.kind.clone(),
                format!("{} ({})", entry.label_from, entry.from),
                to,
                entry.status.as_str().to_owned(),
                entry.why.clone(),
            ]);
        }
        all.push(json!({"connection": name, "maps": entries}));
    }
    if global.json {
        output::json(&json!({ "connections": all }));
    } else {
        let header = ["connection", "kind", "from", "to", "status", "why"];
        output::line(&output::table(&header, rows, &[]));
    }
    Ok(Exit::Done)
}

async fn suggest(
    global: &Global,
    home: &Home,
    names: &[String],
    confirm_exact: bool,
) -> Result<Exit, Failure> {
    let mut all = Vec::new();
    for connection in connections(global, home, names).await? {
        let suggestions = propose(&connection, confirm_exact, &run_id()).await?;
        let name = connection.store.name().to_string();
        if !global.json {
            let rows = suggestions
                .iter()
                .map(|s| {
                    vec![
                        s.kind.to_string(),
                        s.from_label.clone(),
                        s.to_label.clone(),
                        format!("{:?}", s.confidence).to_lowercase(),
                        s.why.clone(),
                    ]
                })
                .collect();
            output::line(&format!(
                "{name}: {} without a confirmed mapping",
                suggestions.len()
            ));
            if !global.quiet && !suggestions.is_empty() {
                let header = ["kind", "from", "to", "match", "why"];
                output::line(&output::table(&header, rows, &[]));
            }
        }
        all.push(json!({"connection": name, "suggestions": suggestions}));
    }
    if global.json {
        output::json(&json!({ "connections": all }));
    }
    Ok(Exit::Done)
}

async fn confirm(
    global: &Global,
    home: &Home,
    name: &String,
    all: bool,
    from: &[String],
) -> Result<Exit, Failure> {
    if !all && from.is_empty() {
        let cause = "say which: `--all`, or the ids they lead from".to_owned();
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    let mut count = 0;
    for (name, _) in home.config.chosen(std::slice::from_ref(name))? {
        let wanted = |entry: &MapEntry| all || from.iter().any(|id| entry.from.as_str() == id);
        count += mapping::confirm(&home.store.connection(name), wanted, &actor()).await?;
    }
    if global.json {
        output::json(&json!({ "confirmed": count }));
    } else if !global.quiet {
        output::line(&format!("{count} confirmed"));
    }
    Ok(Exit::Done)
}
