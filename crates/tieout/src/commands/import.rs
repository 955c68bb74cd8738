//! `tieout import customers|invoices CONN`: a whole list of the ledger goes to a platform of receivables, once.
//!
//! Where a service is at work it does it, and this command watches, as long as somebody likes; else it is done here.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tieout_desk::health::is_running;
use tieout_desk::import::{self, Came, Ended, Import, Row, Standing, summary};
use tieout_domain::code::Code;
use tieout_domain::{Clock, Timer, Timestamp};
use tieout_engine::{Progress, RunOptions};
use tieout_store::{ConnectionStore, RunId, RunRow};

use super::sync::{Done, connections, run_id};
use crate::address;
use crate::assemble::actor;
use crate::cli::Global;
use crate::config::ConnectionConfig;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::progress::progress;
use crate::seams::WallClock;

/// What `import` takes.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What to import.
    #[arg(value_name = "LIST", value_parser = ["customers", "invoices"])]
    pub list: String,
    /// The connection.
    #[arg(value_name = "CONN")]
    pub connection: String,
    /// Import nothing; show what the last one came to.
    #[arg(long, conflicts_with = "abandon")]
    pub last: bool,
    /// Go on no more with one that has not come to its end; what it has made stays.
    #[arg(long)]
    pub abandon: bool,
}

/// How often it is looked how far the service is.
const LOOK: Duration = Duration::from_millis(500);

/// A service that said within this time that it is at work is believed.
const SERVING: Duration = Duration::from_secs(90);

/// For so many looks nothing may happen before the import is done here.
const PATIENCE: u32 = 30;

/// So many records that wait are named; all are in the JSON and on the page.
const NAMED: usize = 40;

/// Carries it out.
pub async fn run(global: &Global, args: &ImportArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let names = [args.connection.clone()];
    let chosen = home.config.chosen(&names)?;
    let Some((name, config)) = chosen.into_iter().next() else {
        return Ok(Exit::Done);
    };
    let store = home.store.connection(name);
    let list = args.list.parse();
    let list: Import = list.map_err(|cause: String| Failure::usage(Code::new("usage"), cause))?;
    if args.abandon {
        return abandon(global, &store, list).await;
    }
    let mut exit = Exit::Done;
    if !args.last {
        if !config.enabled {
            let cause = format!("`{name}` is disconnected; its links and history are still there");
            return Err(crate::trial::refusal(Code::new("disconnected"), cause));
        }
        let flows = config.flow_names();
        let now = WallClock.now();
        let asked = import::ask(&store, &flows, list.as_str(), &actor(), now).await?;
        exit = match watched(global, &home, &store, &asked).await? {
            Watched::Ended => exit_of(&store, list).await?,
            Watched::Broken(run) => return Err(broken(list, &run)),
            Watched::Nobody => here(global, &home, &names, list).await?,
        };
    }
    let ended = import::ended_after(&store, 0).await?;
    let Some(ended) = ended.into_iter().rfind(|it| it.list == list) else {
        return nothing_yet(global, args, exit);
    };
    if import::pending(&store)
        .await?
        .iter()
        .any(|it| it.import == list)
    {
        return nothing_yet(global, args, exit);
    }
    tell(global, config, &store, &ended).await?;
    Ok(exit)
}

async fn abandon(global: &Global, store: &ConnectionStore, list: Import) -> Result<Exit, Failure> {
    let was = import::abandon(store, list, &actor()).await?;
    if global.json {
        output::json(&json!({"connection": store.name(), "list": list, "abandoned": was}));
    } else if was {
        output::line(&format!(
            "nobody goes on with the import of {list}; what it has made stays"
        ));
    } else {
        output::line(&format!("no import of {list} waits to be gone on with"));
    }
    Ok(Exit::Done)
}

/// There is no result to show.
fn nothing_yet(global: &Global, args: &ImportArgs, exit: Exit) -> Result<Exit, Failure> {
    if global.json {
        output::json(&json!({"connection": args.connection, "list": args.list, "ended": false}));
    } else {
        output::line(&format!(
            "the import of {} has not come to its end; give the command again to go on",
            args.list
        ));
    }
    Ok(exit)
}

/// What came of watching a service.
enum Watched {
    /// The import has come to its end.
    Ended,
    /// A run of it ended before its time. The service goes on by itself.
    Broken(Box<RunRow>),
    /// Nobody is at work on it.
    Nobody,
}

/// Watches while a service does it.
async fn watched(
    global: &Global,
    home: &Home,
    store: &ConnectionStore,
    asked: &Standing,
) -> Result<Watched, Failure> {
    let serving = home.store.moments().await?.serving;
    if !serving.is_some_and(|at| is_recent(at, WallClock.now())) {
        return Ok(Watched::Nobody);
    }
    if !global.quiet {
        eprintln!("the service imports; this command may be left, and the import goes on");
    }
    let mut bar = Bar::new(global);
    let mut idle = 0;
    loop {
        WallClock.sleep(LOOK).await;
        let pending = import::pending(store).await?;
        let Some(now) = pending.into_iter().find(|it| it.import == asked.import) else {
            return Ok(Watched::Ended);
        };
        bar.show(&now);
        let begun = now.runs.get(asked.runs.len()..).and_then(<[String]>::last);
        let run = match begun {
            Some(run) => store.run(&RunId::new(run)).await?,
            None => None,
        };
        if let Some(run) = run.filter(|run| run.ended.is_some()) {
            return Ok(Watched::Broken(Box::new(run)));
        }
        idle = if is_running(store).await? {
            0
        } else {
            idle + 1
        };
        if idle > PATIENCE {
            return Ok(Watched::Nobody);
        }
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    let passed = Duration::try_from(now.duration_since(at));
    passed.is_ok_and(|passed| passed < SERVING)
}

/// How far an import is that another process does.
struct Bar {
    progress: std::sync::Arc<dyn Progress>,
    shown: Option<(u64, u64)>,
}

impl Bar {
    fn new(global: &Global) -> Self {
        Self {
            progress: progress(global.quiet || global.json),
            shown: None,
        }
    }

    fn show(&mut self, standing: &Standing) {
        let Some(total) = standing.total else { return };
        let before = match self.shown {
            Some((of, done)) if of == total && done <= standing.done => done,
            _ => {
                self.progress.end();
                self.progress.begin(standing.import.as_str(), Some(total));
                0
            }
        };
        self.progress.advance(standing.done - before);
        self.shown = Some((total, standing.done));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.progress.end();
    }
}

/// Does it in this process.
async fn here(
    global: &Global,
    home: &Home,
    names: &[String],
    list: Import,
) -> Result<Exit, Failure> {
    let mut done = Done::default();
    for connection in connections(global, home, names).await? {
        let options = RunOptions::importing(run_id(), list);
        done.run(&connection, options).await;
    }
    if !global.json {
        done.print(global.quiet);
    }
    Ok(done.exit())
}

/// The exit status that the last run of an import stands for.
async fn exit_of(store: &ConnectionStore, list: Import) -> Result<Exit, Failure> {
    let ended = import::ended_after(store, 0).await?;
    let last = ended.into_iter().rfind(|it| it.list == list);
    let run = match last.as_ref().and_then(|it| it.runs.last()) {
        Some(run) => store.run(run).await?,
        None => None,
    };
    Ok(match run.as_ref().map(|run| run.status.as_str()) {
        Some("failed") => Exit::Failed,
        Some("exceptions") => Exit::Exceptions,
        _ => Exit::Done,
    })
}

fn broken(list: Import, run: &RunRow) -> Failure {
    let cause = format!(
        "a run of the import of {list} ended before its time; the service goes on with it by itself: {}",
        run.cause
    );
    Failure::failed(Code::new("import-unfinished"), cause)
}

async fn tell(
    global: &Global,
    config: &ConnectionConfig,
    store: &ConnectionStore,
    ended: &Ended,
) -> Result<(), Failure> {
    let rows = import::rows(store, ended).await?;
    if global.json {
        let rows: Vec<Value> = rows.iter().map(|row| row_json(config, row)).collect();
        output::json(&json!({
            "connection": store.name(), "list": ended.list, "ended": true, "import": ended.seq, "at": ended.at,
            "asked_by": ended.asked_by, "runs": ended.runs, "counts": ended.counts, "rows": rows,
        }));
        return Ok(());
    }
    output::line(&format!(
        "import of {} into {}: {}",
        ended.list,
        store.name(),
        summary(&ended.counts)
    ));
    if !global.quiet {
        print_rows(&rows);
    }
    Ok(())
}

fn row_json(config: &ConnectionConfig, row: &Row) -> Value {
    let target = row.target.as_ref();
    json!({
        "record": row.record.to_string(), "label": row.label, "amount": row.amount, "result": row.came,
        "target": target.map(ToString::to_string), "code": row.code, "cause": row.cause,
        "links": {
            "ledger": address::of(config, &row.record),
            "platform": target.and_then(|target| address::of(config, target)),
        },
    })
}

/// What was passed over or waits, with the reason. What went well is in the sum.
fn print_rows(rows: &[Row]) {
    let told = |row: &&Row| matches!(row.came, Came::Skipped | Came::Waiting);
    let all: Vec<&Row> = rows.iter().rev().filter(told).collect();
    if all.is_empty() {
        return;
    }
    let shown = all.iter().take(NAMED).map(|row| {
        let code = row.code.as_ref().map(ToString::to_string);
        vec![
            row.came.as_str().to_owned(),
            row.label.clone(),
            row.record.to_string(),
            code.unwrap_or_default(),
            row.cause.clone(),
        ]
    });
    let header = ["result", "name", "record", "code", "cause"];
    output::line(&output::table(&header, shown.collect(), &[]));
    if all.len() > NAMED {
        output::line(&format!(
            "the first {NAMED} of {}; all are given by --last --json, and on the connection's page",
            all.len()
        ));
    }
}
