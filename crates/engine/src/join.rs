//! One run of a connection at a time: take the lease, or wait for the run that has it.

use std::collections::BTreeMap;
use std::time::Duration;

use tieout_domain::State;
use tieout_flows::Flow;
use tieout_store::{Commit, Fact, Lease, RunRow, StoreError};

use crate::Connection;
use crate::error::EngineError;
use crate::import::Import;
use crate::report::{FlowCounts, KILLED, RunReport, RunStatus};

/// How often it is looked whether the other run has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How far back runs are looked for that never ended: each is ended by whoever comes next.
const RUNS_BACK: u32 = 20;

/// How the connection was got.
pub(crate) enum Taken {
    /// It is ours.
    Lease(Lease),
    /// Another's run was waited for; this is its report.
    Joined(Box<RunReport>),
}

/// What to do while another run has the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// Wait for it and report it, if it includes these flows: it does what was to be done.
    Join,
    /// Wait until it has ended: it does something else.
    Wait,
    /// Refuse.
    Refuse,
}

/// Takes the lease, or does what is to be done while another run has it. Takes over if its holder dies.
pub(crate) async fn take(
    connection: &Connection,
    flows: &[&dyn Flow],
    meanwhile: Meanwhile,
    ttl: Duration,
) -> Result<Taken, EngineError> {
    let mut waiting_for = None;
    loop {
        match connection.store.lease(&connection.holder, ttl).await {
            Ok(lease) => {
                if let Some(report) = ended(connection, waiting_for.as_ref()).await? {
                    lease.release().await?;
                    return Ok(Taken::Joined(Box::new(report)));
                }
                end_killed(connection, &lease).await?;
                return Ok(Taken::Lease(lease));
            }
            Err(StoreError::Held { by, run, .. }) => {
                if meanwhile == Meanwhile::Refuse {
                    return Err(EngineError::Busy(format!(
                        "{by} is running this connection; wait until it has ended"
                    )));
                }
                if let (Some(id), Meanwhile::Join) = (run, meanwhile) {
                    let row = connection.store.run(&id).await?;
                    // The lease may still name the last holder's run while a new one takes it: what has ended
                    // is not waited for.
                    let is_on = |row: &RunRow| row.ended.is_none();
                    let row = row.filter(is_on).filter(|row| includes(row, flows));
                    waiting_for = row.map(|row| row.id).or(waiting_for);
                }
            }
            Err(error) => return Err(error.into()),
        }
        connection.timer.sleep(LOOK_AGAIN).await;
        if let Some(report) = ended(connection, waiting_for.as_ref()).await? {
            return Ok(Taken::Joined(Box::new(report)));
        }
    }
}

/// Whether a run does all that is to be done for these flows. One of other flows is waited out, but its report is not
/// ours; nor is that of an import or of single records, which do a part of what their flows do otherwise.
fn includes(run: &RunRow, flows: &[&dyn Flow]) -> bool {
    let does = |flow: &&dyn Flow| run.flows.iter().any(|name| name == flow.name());
    // Old entries tell of imports by the trigger alone.
    let is_limited = run.limited || Import::set_off(&run.trigger);
    !is_limited && flows.iter().all(does)
}

/// Ends the runs whose processes are gone: under this lease none of them can be running any more.
async fn end_killed(connection: &Connection, lease: &Lease) -> Result<(), EngineError> {
    for row in connection.store.runs(RUNS_BACK).await? {
        if row.ended.is_some() {
            continue;
        }
        let ended = Fact::RunEnded {
            codes: Vec::new(),
            status: KILLED.to_owned(),
            flows: BTreeMap::new(),
            calls: BTreeMap::new(),
            cause: "its process ended before the run did; the next one goes on from there"
                .to_owned(),
        };
        let commit = Commit {
            fence: Some(lease.fence),
            actor: connection.actor.clone(),
            run: Some(row.id),
            facts: vec![ended],
            ..Commit::default()
        };
        connection.store.commit(commit).await?;
    }
    Ok(())
}

/// The report of the latest run that this set off and that has ended, of those that lie not far back.
pub(crate) async fn last_report(
    connection: &Connection,
    trigger: &str,
) -> Result<Option<RunReport>, EngineError> {
    let rows = connection.store.runs(RUNS_BACK).await?;
    let mut rows = rows.into_iter();
    let last = rows.find(|row| row.trigger == trigger && row.ended.is_some());
    Ok(last.map(|row| report(connection, row)))
}

/// The report of the run that was waited for, once it has ended.
async fn ended(
    connection: &Connection,
    id: Option<&tieout_store::RunId>,
) -> Result<Option<RunReport>, EngineError> {
    let Some(id) = id else { return Ok(None) };
    let Some(row) = connection.store.run(id).await? else {
        return Ok(None);
    };
    // What was killed is taken over, not joined.
    if row.ended.is_none() || row.status == KILLED {
        return Ok(None);
    }
    let stopped = connection.store.stops().await?.into_iter().next();
    Ok(Some(RunReport {
        stopped,
        ..report(connection, row)
    }))
}

fn report(connection: &Connection, row: RunRow) -> RunReport {
    let seconds = row
        .ended
        .map_or(0.0, |ended| ended.duration_since(row.started).as_secs_f64());
    let flows: BTreeMap<String, FlowCounts> = row
        .counts
        .iter()
        .map(|(flow, counts)| {
            let of = |state: State| counts.get(state.as_str()).copied().unwrap_or(0);
            (
                flow.clone(),
                FlowCounts(State::ALL.iter().map(|s| (s.as_str(), of(*s))).collect()),
            )
        })
        .collect();
    RunReport {
        id: row.id.to_string(),
        connection: connection.store.name().to_string(),
        status: match row.status.as_str() {
            "done" => RunStatus::Done,
            "exceptions" => RunStatus::Exceptions,
            _ => RunStatus::Failed,
        },
        flows,
        calls: row.calls,
        allowances: connection.allowances.clone(),
        seconds,
        written: 0,
        joined: true,
        problems: Vec::new(),
        hindered: Vec::new(),
        initial: None,
        stopped: None,
    }
}
