//! `tieout plan` and `tieout sync`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tieout_desk::{cost, first_sync};
use tieout_domain::code::Code;
use tieout_engine::{Connection, InitialSync, Plan, RunOptions, RunReport, RunStatus, Sides};
use tieout_store::Stop;

use super::traced::{done_or_failed, with_traces};
use crate::assemble::{self, Shared};
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::progress::progress;
use crate::telemetry::{RunTrace, Watched};
use crate::trial::refuse_a_fifth;

/// What `plan` takes.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Which connections; all if none is named.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
    /// Only this flow; may be given more than once.
    #[arg(long = "flow", value_name = "NAME")]
    pub flows: Vec<String>,
    /// Only these records, by id, number, or SIDE/KIND/ID; and what they depend on.
    #[arg(long, value_name = "RECORD", num_args = 1..)]
    pub only: Vec<String>,
    /// Write the plan to this file, for `sync --plan`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What `sync` takes.
#[derive(Debug, Args)]
pub struct SyncArgs {
    /// Which connections; all if none is named.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
    /// Only this flow; may be given more than once.
    #[arg(long = "flow", value_name = "NAME")]
    pub flows: Vec<String>,
    /// Only these records, by id, number, or SIDE/KIND/ID; and what they depend on.
    #[arg(long, value_name = "RECORD", num_args = 1..)]
    pub only: Vec<String>,
    /// Do exactly what this file plans, or refuse.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Read everything again instead of what changed.
    #[arg(long)]
    pub whole: bool,
}

/// Puts the chosen connections together. One that was disconnected is left out, and refused where it is named.
pub async fn connections(
    global: &Global,
    home: &Home,
    names: &[String],
) -> Result<Vec<Connection>, Failure> {
    connections_by(&Shared::new()?, global, home, names).await
}

/// The same, by seams of the caller's.
pub async fn connections_by(
    shared: &Shared,
    global: &Global,
    home: &Home,
    names: &[String],
) -> Result<Vec<Connection>, Failure> {
    let made = connections_with(shared, global, home, names, |_| None).await?;
    Ok(made.into_iter().map(|(connection, _)| connection).collect())
}

/// The same with what traces each of them, if anything does.
pub async fn connections_with(
    shared: &Shared,
    global: &Global,
    home: &Home,
    names: &[String],
    trace: impl Fn(&str) -> Option<Arc<RunTrace>>,
) -> Result<Vec<(Connection, Option<Arc<RunTrace>>)>, Failure> {
    let chosen = home.config.chosen(names)?;
    let vault = home.vault().await?;
    let progress = progress(global.quiet || global.json);
    let mut connections = Vec::new();
    for (name, config) in chosen {
        if !config.enabled {
            if names.is_empty() {
                continue;
            }
            let cause = format!("`{name}` is disconnected; its links and history are still there");
            return Err(crate::trial::refusal(Code::new("disconnected"), cause));
        }
        let shown = Arc::clone(&progress);
        let made = match trace(name.as_str()) {
            None => (
                assemble::connection(home, &vault, shared, name, config, shown).await?,
                None,
            ),
            Some(trace) => {
                let shared = shared.traced(&trace);
                let watched = Arc::new(Watched {
                    shown,
                    trace: Arc::clone(&trace),
                });
                let made = assemble::connection(home, &vault, &shared, name, config, watched);
                (made.await?, Some(trace))
            }
        };
        connections.push(made);
    }
    Ok(connections)
}

/// A new run's id: sorts by time.
pub fn run_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Prints what a sync would do.
pub async fn plan(global: &Global, args: &PlanArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let which = (&*args.connections, "plan");
    let plans = with_traces(global, &home, which, async |connections| {
        let mut plans = Vec::new();
        for traced in connections {
            let work = async |connection: &Connection, id: String| {
                let options = RunOptions {
                    flows: args.flows.clone(),
                    only: args.only.clone(),
                    ..RunOptions::new(id, "plan")
                };
                tieout_engine::plan(connection, options).await
            };
            plans.push(traced.run(work, done_or_failed).await?);
        }
        Ok(plans)
    });
    let plans = plans.await?;
    if let Some(path) = &args.out {
        let text = serde_json::to_string_pretty(&json!({ "plans": plans })).unwrap_or_default();
        std::fs::write(path, text).map_err(|error| Failure::file("can't write", path, &error))?;
    }
    if global.json {
        output::json(&json!({ "plans": plans }));
    } else {
        for plan in &plans {
            print_plan(plan, global.quiet);
        }
    }
    Ok(Exit::Done)
}

/// Says who has stopped remote writes, when, why, and how they go on.
fn print_stop(stop: &Stop) {
    let code = stop.code();
    output::line(&format!("stopped[{code}]: {stop}"));
    output::line(&format!("  fix: {}", code.fix()));
}

/// How far an initial sync is, in a line.
pub(crate) fn initial_line(initial: &InitialSync) -> String {
    format!("initial sync: {}, {}", initial.as_str(), initial.words())
}

/// Prints a plan for people.
pub fn print_plan(plan: &Plan, quiet: bool) {
    let rows = plan
        .steps
        .iter()
        .map(|step| {
            vec![
                step.flow.clone(),
                step.action.clone(),
                step.label.clone(),
                step.amount.clone(),
                step.record.to_string(),
                step.because.clone(),
            ]
        })
        .collect();
    if plan.steps.is_empty() {
        output::line(&format!("{}: nothing to write", plan.connection));
    } else {
        let header = ["flow", "does", "document", "amount", "record", "because"];
        output::line(&output::table(&header, rows, &[3]));
        output::line(&format!("{}: {} writes", plan.connection, plan.steps.len()));
    }
    if let Some(cost) = &plan.cost {
        output::line(&format!("a sync of it: {}", cost::words(cost)));
    }
    if !plan.first_sync.is_empty() {
        output::line(&format!(
            "the first sync would also take {}: it waits for a yes (receivables.first_sync)",
            first_sync::words(&plan.first_sync)
        ));
    }
    if let Some(later) = plan.later.filter(|later| later.count > 0) {
        output::line(&format!(
            "{} records are dated before {} and follow once the last twelve months are through",
            later.count, later.before
        ));
    }
    for stop in &plan.stops {
        output::line("nothing of it is written at the moment:");
        print_stop(stop);
    }
    if !quiet {
        for (flow, states) in &plan.states {
            let states: Vec<_> = states
                .iter()
                .map(|(state, count)| format!("{count} {state}"))
                .collect();
            output::line(&format!("  {flow}: {}", states.join(", ")));
        }
    }
}

/// Reads plans from a file that `plan --out` or `plan --json` wrote.
fn read_plans(path: &Path) -> Result<Vec<Plan>, Failure> {
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::file("can't read", path, &error))?;
    plans_of(&text, path)
}

/// The plans in the text of a file.
///
/// # Errors
/// `plan-malformed`, with the line and the column.
pub fn plans_of(text: &str, path: &Path) -> Result<Vec<Plan>, Failure> {
    #[derive(serde::Deserialize)]
    struct File {
        plans: Vec<Plan>,
    }
    let file: File = serde_json::from_str(text).map_err(|error| {
        let cause = format!("{} is no plan: {error}", path.display());
        Failure::usage(Code::new("plan-malformed"), cause)
    })?;
    Ok(file.plans)
}

/// One run of each connection, now.
pub async fn sync(global: &Global, args: &SyncArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let mut plans = match &args.plan {
        None => None,
        Some(path) => Some(read_plans(path)?),
    };
    let mut names = args.connections.clone();
    if let (Some(plans), true) = (&plans, names.is_empty()) {
        names = plans.iter().map(|plan| plan.connection.clone()).collect();
    }
    let done = with_traces(global, &home, (&names, "command"), async |connections| {
        let mut done = Done::default();
        for traced in connections {
            let plan = plan_for(&mut plans, &traced.connection)?;
            let work = async |connection: &Connection, id: String| {
                let options = RunOptions {
                    flows: args.flows.clone(),
                    only: args.only.clone(),
                    whole: args.whole,
                    plan,
                    ..RunOptions::new(id, "command")
                };
                done.run(connection, options).await
            };
            traced.run(work, |status| status.as_str()).await;
        }
        Ok(done)
    });
    let done = done.await?;
    done.tell(global);
    Ok(done.exit())
}

/// One run of each connection of these names.
pub async fn run_all(global: &Global, home: &Home, names: &[String]) -> Result<Done, Failure> {
    let mut done = Done::default();
    for connection in connections(global, home, names).await? {
        done.run(&connection, RunOptions::new(run_id(), "command"))
            .await;
    }
    Ok(done)
}

/// A run, unless it could lock somebody out.
async fn one_run(connection: &Connection, options: RunOptions) -> Result<RunReport, Failure> {
    let Sides { ledger, platform } = &connection.sides;
    for ports in [ledger, platform] {
        let name = format!("the credential for {}", ports.system);
        refuse_a_fifth(&name, ports).await?;
    }
    Ok(tieout_engine::sync(connection, options).await?)
}

/// What runs came to.
#[derive(Default)]
pub struct Done {
    /// The reports of those that ran.
    pub reports: Vec<RunReport>,
    failure: Option<Failure>,
}

impl Done {
    /// Runs one more, and says how it ended. Where it can't, the others go on.
    pub async fn run(&mut self, connection: &Connection, options: RunOptions) -> RunStatus {
        match one_run(connection, options).await {
            Ok(report) => {
                let status = report.status;
                self.reports.push(report);
                status
            }
            Err(error) => {
                eprintln!("{}: {error}", connection.store.name());
                self.failure.get_or_insert(error);
                RunStatus::Failed
            }
        }
    }

    fn tell(&self, global: &Global) {
        if global.json {
            output::json(&json!({ "runs": self.reports }));
        } else {
            self.print(global.quiet);
        }
    }

    /// Prints the reports for people.
    pub fn print(&self, quiet: bool) {
        for report in &self.reports {
            print_report(report, quiet);
        }
    }

    /// The exit status that tells the worst of them.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let exits = self.reports.iter().map(exit);
        let failed = self.failure.as_ref().map(|failure| failure.exit);
        exits.chain(failed).max_by_key(rank).unwrap_or(Exit::Done)
    }
}

/// The plan that is to be done exactly, if one was given. Flows that it is of are the run's.
fn plan_for(
    plans: &mut Option<Vec<Plan>>,
    connection: &Connection,
) -> Result<Option<Plan>, Failure> {
    let Some(plans) = plans else { return Ok(None) };
    let name = connection.store.name().as_str();
    match plans.iter().position(|plan| plan.connection == name) {
        Some(at) => Ok(Some(plans.swap_remove(at))),
        None => {
            let cause = format!("the file holds no plan for `{name}`");
            Err(Failure::usage(Code::new("plan-malformed"), cause))
        }
    }
}

/// The exit status that a report stands for.
pub fn exit(report: &RunReport) -> Exit {
    if report.stopped.is_some() && report.status != RunStatus::Failed {
        return Exit::Refused;
    }
    ended(report)
}

/// The same for a run that was not to write.
pub fn ended(report: &RunReport) -> Exit {
    match report.status {
        RunStatus::Done => Exit::Done,
        RunStatus::Exceptions => Exit::Exceptions,
        RunStatus::Failed if report.problems.iter().any(|problem| problem.side_failed) => {
            Exit::Side
        }
        RunStatus::Failed => Exit::Failed,
    }
}

/// Which of several exit statuses is told: what stops work before what waits for a person.
fn rank(exit: &Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Exceptions => 1,
        Exit::Failed => 2,
        Exit::Usage => 3,
        Exit::Refused => 4,
        Exit::Side => 5,
    }
}

/// Prints a report for people.
pub fn print_report(report: &RunReport, quiet: bool) {
    let joined = if report.joined {
        " (another's run, waited for)"
    } else {
        ""
    };
    output::line(&format!(
        "{}: {}{joined}",
        report.connection,
        report.status.as_str()
    ));
    if quiet {
        return;
    }
    let header = [
        "flow", "done", "noop", "skipped", "hold", "blocked", "conflict", "reversed", "orphan",
        "all",
    ];
    let rows = report
        .flows
        .iter()
        .map(|(flow, counts)| {
            let mut row = vec![flow.clone()];
            row.extend(
                tieout_domain::State::ALL
                    .iter()
                    .map(|s| counts.of_state(*s).to_string()),
            );
            row.push(counts.population().to_string());
            row
        })
        .collect();
    output::line(&output::table(&header, rows, &[1, 2, 3, 4, 5, 6, 7, 8, 9]));
    output::line(&format!(
        "{} written, calls: {}, {:.1} s",
        report.written,
        cost::calls(&report.calls, &report.allowances),
        report.seconds
    ));
    if let Some(initial) = &report.initial {
        output::line(&initial_line(initial));
    }
    if let Some(stop) = &report.stopped {
        print_stop(stop);
    }
    for problem in &report.problems {
        let fix = problem.code.fix();
        output::line(&format!("problem[{}]: {}", problem.code, problem.cause));
        if !fix.is_empty() {
            output::line(&format!("  fix: {fix}"));
        }
    }
}
