//! `tieout nodes`: who serves from this store, and which of them is to begin nothing new.

use clap::{Args, Subcommand};
use serde_json::json;
use tieout_domain::code::Code;
use tieout_store::Node;

use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `nodes` takes.
#[derive(Debug, Args)]
pub struct NodesArgs {
    #[command(subcommand)]
    command: Option<NodesCommand>,
}

#[derive(Debug, Subcommand)]
enum NodesCommand {
    /// Lists the nodes, those that have gone within the last day too.
    List,
    /// A node begins no run any more, also after it has started again; those that are on go on to their end.
    Drain {
        /// Its name.
        #[arg(value_name = "NODE")]
        node: String,
    },
    /// A node begins again what is due.
    Undrain {
        /// Its name.
        #[arg(value_name = "NODE")]
        node: String,
    },
}

/// Does what it says.
pub async fn run(global: &Global, args: &NodesArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.command {
        None | Some(NodesCommand::List) => list(global, &home.store.nodes().await?),
        Some(NodesCommand::Drain { node }) => {
            known(&home, node).await?;
            let changed = home.store.drain(node, &actor()).await?;
            let said = format!("{node} begins nothing new; its runs go on to their end");
            told(global, node, true, changed, &said);
        }
        Some(NodesCommand::Undrain { node }) => {
            let changed = home.store.undrain(node).await?;
            let said = format!("{node} begins again what is due");
            told(global, node, false, changed, &said);
        }
    }
    Ok(Exit::Done)
}

fn told(global: &Global, node: &str, drained: bool, changed: bool, said: &str) {
    if global.json {
        output::json(&json!({"node": node, "drained": drained, "changed": changed}));
    } else {
        output::line(said);
    }
}

async fn known(home: &Home, name: &str) -> Result<(), Failure> {
    let nodes = home.store.nodes().await?;
    if nodes.iter().any(|node| node.name == name) {
        return Ok(());
    }
    let known: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
    let cause = match known.as_slice() {
        [] => format!("`{name}` is no node: none has served from this store within a day"),
        known => format!("`{name}` is no node; the nodes are {}", known.join(", ")),
    };
    Err(Failure::usage(Code::new("unknown-node"), cause))
}

fn list(global: &Global, nodes: &[Node]) {
    if global.json {
        let all: Vec<_> = nodes.iter().map(as_json).collect();
        output::json(&json!({ "nodes": all }));
        return;
    }
    let header = [
        "node",
        "stands",
        "runs",
        "version",
        "schema",
        "since",
        "last heard of",
    ];
    let rows = nodes.iter().map(|node| {
        vec![
            node.name.clone(),
            stands(node),
            node.runs.to_string(),
            node.version.clone(),
            node.schema.to_string(),
            format!("{:.0}", node.since),
            format!("{:.0}", node.beat),
        ]
    });
    output::line(&output::table(&header, rows.collect(), &[2, 4]));
}

fn stands(node: &Node) -> String {
    match (&node.drain, node.alive) {
        (Some(drain), true) => format!("drained by {}", drain.by),
        (None, true) => "serves".to_owned(),
        (_, false) => "gone".to_owned(),
    }
}

fn as_json(node: &Node) -> serde_json::Value {
    let drain = node.drain.as_ref();
    json!({
        "name": node.name,
        "alive": node.alive,
        "drained": drain.map(|drain| json!({"by": drain.by, "since": drain.since})),
        "runs": node.runs,
        "version": node.version,
        "schema": node.schema,
        "since": node.since,
        "beat": node.beat,
    })
}
