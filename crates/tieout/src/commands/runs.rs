//! `tieout runs` and `tieout show RUN`.

use clap::Args;
use serde_json::json;
use tieout_desk::run;
use tieout_domain::code::Code;
use tieout_engine::{InitialSync, initial_sync};
use tieout_store::RunRow;

use super::sync::initial_line;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use tieout_desk::story::sentence;

/// What `runs` takes.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// Which connections; all if none is named.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
    /// How many of each connection.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
}

/// What `show` takes.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run's id, or the beginning of it.
    #[arg(value_name = "RUN")]
    pub run: String,
}

/// How many entries are read at once.
const PAGE: u32 = 1000;

/// Lists past runs, the newest first.
pub async fn runs(global: &Global, args: &RunsArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let mut all = Vec::new();
    let mut rows = Vec::new();
    let mut pending = Vec::new();
    for (name, _) in home.config.chosen(&args.connections)? {
        let store = home.store.connection(name);
        let initial = initial_sync(&store).await?;
        pending.extend(initial.filter(InitialSync::is_pending).map(|it| (name, it)));
        for run in store.runs(args.limit).await? {
            rows.push(row(name.as_str(), &run));
            all.push(json!({"connection": name, "run": run}));
        }
    }
    if global.json {
        output::json(&json!({ "runs": all }));
    } else {
        let header = [
            "run",
            "connection",
            "started",
            "seconds",
            "status",
            "calls",
            "by",
            "cause",
        ];
        output::line(&output::table(&header, rows, &[3, 5]));
        for (name, initial) in pending {
            output::line(&format!("{name}: {}", initial_line(&initial)));
        }
    }
    Ok(Exit::Done)
}

fn row(connection: &str, run: &RunRow) -> Vec<String> {
    let seconds = run::seconds(run)
        .map(|seconds| format!("{seconds:.1}"))
        .unwrap_or_default();
    vec![
        run.id.to_string(),
        connection.to_owned(),
        format!("{:.0}", run.started),
        seconds,
        run.status.clone(),
        run.calls.values().sum::<u64>().to_string(),
        format!("{} ({})", run.actor, run.trigger),
        run.cause.clone(),
    ]
}

/// Shows one run, record by record.
pub async fn show(global: &Global, args: &ShowArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    for name in home.config.connections.keys() {
        let store = home.store.connection(name);
        let Some(run) = run::find(&store, &args.run).await? else {
            continue;
        };
        let mut after = 0;
        let mut entries = Vec::new();
        if !global.json {
            output::line(&output::table(
                &[
                    "run",
                    "connection",
                    "started",
                    "seconds",
                    "status",
                    "calls",
                    "by",
                    "cause",
                ],
                vec![row(name.as_str(), &run)],
                &[3, 5],
            ));
        }
        loop {
            let page = store.run_facts(&run.id, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            if global.json {
                entries.extend(page);
            } else {
                page.iter()
                    .filter_map(sentence)
                    .for_each(|text| output::line(&text));
            }
        }
        if global.json {
            output::json(&json!({"connection": name, "run": run, "entries": entries}));
        }
        return Ok(Exit::Done);
    }
    let cause = format!("`{}` is no run of any connection", args.run);
    Err(Failure::usage(Code::new("unknown-run"), cause))
}
