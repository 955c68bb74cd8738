//! `tieout connect NAME --moving-over`: from BILL's own sync to this one, in the one safe order (scenario 249). Theirs is
//! stopped, what it made is found on both sides and linked, the balance is agreed, and only then is anything written.
//! Each step may be the last for today: whoever runs the command again goes on from there.

mod show;
mod state;

use std::io::IsTerminal as _;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tieout_desk::{pause, tie_out as reports};
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;
use tieout_engine::recovery::{recover, release};
use tieout_engine::tie_out::{AsOf, TieOutOptions, tie_out};
use tieout_engine::{Connection, Plan, Rebuild, RunOptions};
use tieout_flows::tie_out::Status;
use tieout_store::{Fact, StopKind};

use self::state::State;
use super::guided::talk;
use crate::assemble::actor;
use crate::cli::Global;
use crate::commands::sync;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::other_sync;
use crate::output;
use crate::trial::refusal;

/// Why the connection is stopped meanwhile.
pub(super) const REASON: &str = "moving over from BILL's own sync";

/// What a person decides by linking, creating or ignoring before anything can go live.
const TO_DECIDE: [&str; 5] = [
    "resembles",
    "adopt-paid",
    "adopt-differs",
    "choose-vendor",
    "ambiguous-match",
];

/// How moving over goes on.
#[derive(Debug, Clone, Args)]
pub struct MovingArgs {
    /// Move over from BILL's own sync: stop it, link what it made, agree the balance, then go live.
    #[arg(long, conflicts_with_all = ["replace", "no_check", "all"])]
    pub moving_over: bool,
    /// A person has stopped BILL's own sync.
    #[arg(long, requires = "moving_over")]
    pub stopped: bool,
    /// Say yes to what is shown: the links, going live.
    #[arg(long, requires = "moving_over")]
    pub yes: bool,
    /// Show how far it has come, and do nothing.
    #[arg(long, requires = "moving_over", conflicts_with_all = ["stopped", "yes"])]
    pub status: bool,
    /// Give it up; the connection stays stopped.
    #[arg(long, requires = "moving_over", conflicts_with_all = ["stopped", "yes", "status"])]
    pub abandon: bool,
}

/// The steps, in the only order that is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// BILL's own sync is stopped.
    StopTheirs,
    /// What it made on both sides is linked.
    Link,
    /// Both sides agree, or every difference is somebody's.
    Balance,
    /// Writes are let go.
    Live,
}

impl Step {
    const ALL: [Self; 4] = [Self::StopTheirs, Self::Link, Self::Balance, Self::Live];

    fn id(self) -> &'static str {
        match self {
            Self::StopTheirs => "stop-theirs",
            Self::Link => "link",
            Self::Balance => "balance",
            Self::Live => "live",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::StopTheirs => "stop BILL's own sync (BILL: Settings > Sync > Setup > Disconnect)",
            Self::Link => "find what it made on both sides, and link it",
            Self::Balance => "agree the balance at cut-over",
            Self::Live => "go live",
        }
    }
}

/// How far a step came.
enum Reached {
    /// It is done, and this is how that is known.
    Done(String),
    /// A person has something to do first.
    Waits(String),
}

/// Goes on with a connection that is stored.
pub(super) async fn run(
    global: &Global,
    args: &MovingArgs,
    guided: bool,
    name: &ConnectionName,
) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let state = State::load(&home, name).await?;
    if args.status {
        show::status(global, name, state.as_ref());
        return Ok(Exit::Done);
    }
    if args.abandon {
        State::give_up(&home, name).await?;
        return Ok(abandoned(global, name));
    }
    let state = match state {
        Some(state) => state,
        None => State::begin(&home, name).await?,
    };
    let connection = connection(global, &home, name).await?;
    if state.next().is_some() {
        hold(&connection).await?;
    }
    let mut walk = Walk {
        global,
        home: &home,
        args,
        asks: guided || std::io::stdin().is_terminal(),
        name,
        connection,
        state,
        found: json!({}),
    };
    walk.on().await
}

/// Refuses to let a connection go that has not moved over to the end.
///
/// # Errors
/// `moving-over-unfinished`, with the step that is next.
pub(crate) async fn refuse_unfinished(home: &Home, name: &ConnectionName) -> Result<(), Failure> {
    let Some(next) = State::load(home, name)
        .await?
        .and_then(|state| state.next())
    else {
        return Ok(());
    };
    let cause = format!(
        "`{name}` is moving over from BILL's own sync and has not come to its end: `{}` is next ({})",
        next.id(),
        next.title()
    );
    Err(refusal(Code::new("moving-over-unfinished"), cause))
}

async fn connection(
    global: &Global,
    home: &Home,
    name: &ConnectionName,
) -> Result<Connection, Failure> {
    let made = sync::connections(global, home, &[name.to_string()]).await?;
    made.into_iter().next().ok_or_else(|| {
        let cause = format!("`{name}` was not put together");
        Failure::failed(Code::new("unknown-connection"), cause)
    })
}

/// Nothing is written until it goes live: by a pause, and by a recovery, in which what is there is known again.
async fn hold(connection: &Connection) -> Result<(), Failure> {
    let store = &connection.store;
    let stops = store.stops().await?;
    if !pause::is_paused(&stops, Some(store.name())) {
        let reason = REASON.to_owned();
        pause::say(store, Fact::Paused { reason }, &actor()).await?;
    }
    if !stops.iter().any(|stop| stop.kind == StopKind::Recovering) {
        let cause = REASON.to_owned();
        pause::say(store, Fact::RecoveryNeeded { cause }, &actor()).await?;
    }
    Ok(())
}

fn abandoned(global: &Global, name: &ConnectionName) -> Exit {
    if global.json {
        output::json(&json!({ "moving_over": Value::Null, "abandoned": name }));
    } else {
        output::line(&format!(
            "`{name}` moves over no longer; it stays stopped: see `tieout recover {name} --release` and `tieout \
             resume {name}`"
        ));
    }
    Exit::Done
}

/// A walk through the steps.
struct Walk<'a> {
    global: &'a Global,
    home: &'a Home,
    args: &'a MovingArgs,
    /// Whether somebody can be asked.
    asks: bool,
    name: &'a ConnectionName,
    connection: Connection,
    state: State,
    /// What was found on the way, for scripts.
    found: Value,
}

impl Walk<'_> {
    /// Goes on until a person has something to do, or all is done.
    async fn on(&mut self) -> Result<Exit, Failure> {
        while let Some(step) = self.state.next() {
            let reached = match step {
                Step::StopTheirs => self.stop_theirs().await?,
                Step::Link => self.link().await?,
                Step::Balance => self.balance().await?,
                Step::Live => self.live().await?,
            };
            match reached {
                Reached::Done(evidence) => {
                    self.say(&format!("{}: done, {evidence}", step.id()));
                    self.state
                        .finish(self.home, self.name, step, evidence)
                        .await?;
                }
                Reached::Waits(what) => {
                    self.say(&format!("{}: {what}", step.id()));
                    self.end();
                    return Ok(Exit::Exceptions);
                }
            }
        }
        self.say(&format!(
            "`{0}` is live. First one bill: `tieout sync {0} --only RECORD`; then all: `tieout sync {0}`",
            self.name
        ));
        self.end();
        Ok(Exit::Done)
    }

    fn end(&self) {
        if self.global.json {
            let document = show::document(self.name, Some(&self.state), &self.found);
            output::json(&json!({ "moving_over": document }));
        }
    }

    fn say(&self, text: &str) {
        if self.talks() {
            output::line(text);
        }
    }

    fn talks(&self) -> bool {
        !self.global.json && !self.global.quiet
    }

    /// A person agrees, beforehand or when asked.
    fn agrees(&self, beforehand: bool, question: &str) -> Result<bool, Failure> {
        if beforehand {
            return Ok(true);
        }
        Ok(self.asks && talk::yes(question, false)?)
    }

    /// A person says so, and nothing speaks against it.
    async fn stop_theirs(&self) -> Result<Reached, Failure> {
        if !self.agrees(
            self.args.stopped,
            "Is BILL's own sync disconnected (BILL: Settings > Sync > Setup > Disconnect)?",
        )? {
            return Ok(Reached::Waits(format!(
                "{}; then say so with --stopped",
                Step::StopTheirs.title()
            )));
        }
        let before = other_sync::stopped_at(self.home, self.name).await?;
        other_sync::said_stopped(self.home, self.name).await?;
        let ledger = &self.connection.sides.ledger;
        if let Err(failure) = other_sync::refuse(self.home, self.name, ledger).await {
            other_sync::take_back(self.home, self.name, before).await?;
            return Err(failure);
        }
        Ok(Reached::Done(
            "a person says so, and nothing of it is at work".to_owned(),
        ))
    }

    /// Shows what would be linked, links it after a yes, and goes on when nothing is left to decide.
    async fn link(&mut self) -> Result<Reached, Failure> {
        let plan = self.plan().await?;
        self.found["plan"] = json!(plan);
        if self.talks() {
            show::dry(&plan);
        }
        if !self.agrees(self.args.yes, "Link what belongs together?")? {
            return Ok(Reached::Waits(
                "look at what is to be linked, and say --yes".to_owned(),
            ));
        }
        let recovery = recover(&self.connection, sync::run_id(), Rebuild::TakingOver).await?;
        self.found["linked"] = json!(recovery.linked);
        self.found["waiting"] = json!(recovery.waiting);
        if self.talks() {
            show::linked(&recovery);
        }
        if sync::ended(&recovery.report) != Exit::Done
            && sync::ended(&recovery.report) != Exit::Exceptions
        {
            if !self.global.json {
                sync::print_report(&recovery.report, self.global.quiet);
            }
            return Ok(Reached::Waits(
                "not everything could be read; it is tried again".to_owned(),
            ));
        }
        let open: u64 = recovery
            .waiting
            .iter()
            .filter(|group| {
                let code = group.code.as_ref().map_or("", |code| code.as_str());
                TO_DECIDE.contains(&code)
            })
            .map(|group| group.count)
            .sum();
        if open > 0 {
            return Ok(Reached::Waits(format!(
                "{open} are to be decided first: `tieout exceptions {}`, then `tieout exceptions resolve`",
                self.name
            )));
        }
        let count: u64 = recovery.linked.iter().map(|linked| linked.count).sum();
        Ok(Reached::Done(format!("{count} are linked")))
    }

    /// Both sides tie out now, or every difference has an owner who says why.
    async fn balance(&mut self) -> Result<Reached, Failure> {
        let options = TieOutOptions {
            as_of: AsOf::PeriodEnd(reports::today(&self.connection)),
            id: sync::run_id(),
            notes: reports::notes(&self.connection.store).await?,
            notices: vec!["At cut-over from BILL's own sync.".to_owned()],
        };
        let made = tie_out(&self.connection, &options).await?;
        if self.talks() {
            show::reports(&made);
        }
        let told: Vec<_> = made
            .iter()
            .map(|one| {
                json!({
                    "currency": one.report.currency, "status": one.report.status,
                    "reasons": one.report.reasons,
                })
            })
            .collect();
        self.found["balance"] = json!(told);
        let agreed = |status| matches!(status, Status::Tied | Status::TiedWithExceptions);
        let against: Vec<_> = made
            .iter()
            .filter(|one| !agreed(one.report.status))
            .map(|one| {
                let report = &one.report;
                let reasons = report.reasons.join("; ");
                format!("{}: {}: {reasons}", report.currency, report.status.as_str())
            })
            .collect();
        if against.is_empty() {
            let statuses: Vec<_> = made
                .iter()
                .map(|one| format!("{} {}", one.report.currency, one.report.status.as_str()))
                .collect();
            return Ok(Reached::Done(statuses.join(", ")));
        }
        Ok(Reached::Waits(format!(
            "{}. Mend what is wrong, or let somebody own it: `tieout tie-out own {} --category CODE --owner NAME \
             --comment TEXT`",
            against.join(". "),
            self.name
        )))
    }

    /// Shows what the first run would write, and lets writes go after a yes.
    async fn live(&mut self) -> Result<Reached, Failure> {
        let ledger = &self.connection.sides.ledger;
        other_sync::refuse(self.home, self.name, ledger).await?;
        let plan = Plan {
            stops: Vec::new(),
            ..self.plan().await?
        };
        self.found["plan"] = json!(plan);
        if self.talks() {
            output::line("the first sync would write:");
            sync::print_plan(&plan, self.global.quiet);
        }
        if !self.agrees(self.args.yes, "Go live?")? {
            return Ok(Reached::Waits(
                "look at what would be written, and say --yes".to_owned(),
            ));
        }
        release(&self.connection, REASON).await?;
        let store = &self.connection.store;
        if pause::is_paused(&store.stops().await?, Some(store.name())) {
            let reason = "moved over from BILL's own sync".to_owned();
            pause::say(store, Fact::Resumed { reason }, &actor()).await?;
        }
        Ok(Reached::Done(format!(
            "a sync writes from now on, {} of it known",
            plan.steps.len()
        )))
    }

    async fn plan(&self) -> Result<Plan, Failure> {
        // It shows what is known again by what it pays, as the run after it will.
        let options = RunOptions {
            recovers: Some(Rebuild::TakingOver),
            ..RunOptions::new(sync::run_id(), "plan")
        };
        Ok(tieout_engine::plan(&self.connection, options).await?)
    }
}
