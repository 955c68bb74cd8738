//! Gathers the samples.

use std::collections::BTreeMap;

use tieout_desk::{DeskError, exceptions, run};
use tieout_domain::{State, Timestamp};
use tieout_store::{ConnectionStore, Node, RunRow, StopKind, Store, WriteStatus};

use super::family::{
    BACKUP, BUDGET_MOST, BUDGET_USED, BUILD, CREDENTIAL, CREDENTIAL_REFUSED, DUE, EXCEPTIONS, LAG,
    MEMORY, NODE_ALIVE, NODE_DRAINED, NODE_RUNS, OPEN_WRITES, OUTBOX, RECORDS, RUN_CALLS,
    RUN_ENDED, RUN_SECONDS, RUNNING, SIGN_INS_REFUSED, STOPPED, STORE, Samples, WEBHOOK_AGE,
    WEBHOOKS,
};
use crate::app::App;
use crate::program::ConnectionInfo;
use crate::view::View;

/// How many runs are looked through for each flow's last success.
const RUNS: u32 = 60;

/// Everything that is told now of what is in view.
pub(super) async fn gather(app: &App, view: &View) -> Result<Samples, DeskError> {
    let mut samples = Samples::default();
    samples.add(BUILD, &[env!("CARGO_PKG_VERSION")], 1.0);
    let now = view.clock.now();
    for connection in view.program.connections() {
        let store = view.store.connection(&connection.name)?;
        records(&mut samples, &store).await?;
        runs(&mut samples, &store, &connection, now).await?;
        let since = store.hints_waiting_since().await?;
        let age = since.map_or(0.0, |since| now.duration_since(since).as_secs_f64());
        samples.add(WEBHOOK_AGE, &[connection.name.as_str()], age.max(0.0));
    }
    for credential in view.program.credentials().await? {
        if let Some(days) = credential.days_left {
            let row = &credential.row;
            samples.add(CREDENTIAL, &[&row.name, &row.kind], whole(days));
        }
    }
    if let Ok(store) = view.whole() {
        counted(&mut samples, app);
        installation(&mut samples, store).await?;
    }
    Ok(samples)
}

/// What is of the whole installation.
async fn installation(samples: &mut Samples, store: &Store) -> Result<(), DeskError> {
    if let Some(at) = store.moments().await?.backup {
        samples.add(BACKUP, &[], whole(at.as_second()));
    }
    let letters = store.letters().await?;
    samples.add(OUTBOX, &["waiting"], count(letters.waiting));
    samples.add(OUTBOX, &["given-up"], count(letters.given_up));
    nodes(samples, store).await?;
    samples.add(STORE, &[], count(store.bytes().await?));
    if let Some(bytes) = resident_bytes() {
        samples.add(MEMORY, &[], count(bytes));
    }
    Ok(())
}

/// Who serves from the same store. Of two lives of one name, the one that is there counts.
async fn nodes(samples: &mut Samples, store: &Store) -> Result<(), DeskError> {
    let mut by_name: BTreeMap<String, Node> = BTreeMap::new();
    for node in store.nodes().await? {
        let known = by_name.get(&node.name);
        if known.is_none_or(|known| node.alive || !known.alive) {
            by_name.insert(node.name.clone(), node);
        }
    }
    for (name, node) in by_name {
        samples.add(NODE_ALIVE, &[&name, &node.version], switch(node.alive));
        samples.add(NODE_DRAINED, &[&name], switch(node.drain.is_some()));
        let runs = if node.alive { node.runs } else { 0 };
        samples.add(NODE_RUNS, &[&name], count(runs));
    }
    Ok(())
}

/// What this process has counted since it began.
fn counted(samples: &mut Samples, app: &App) {
    for (outcome, number) in app.counts.webhooks() {
        samples.add(WEBHOOKS, &[&outcome], count(number));
    }
    for (code, number) in app.counts.sign_ins_refused() {
        samples.add(SIGN_INS_REFUSED, &[&code], count(number));
    }
    for (system, number) in app.program.credentials_refused() {
        samples.add(CREDENTIAL_REFUSED, &[&system], count(number));
    }
    for budget in app.program.budgets() {
        let labels = [budget.system.as_str(), budget.key.as_str()];
        samples.add(BUDGET_USED, &labels, count(budget.used));
        samples.add(BUDGET_MOST, &labels, count(budget.most));
    }
}

/// Where records stand, what waits, what is under way.
async fn records(samples: &mut Samples, store: &ConnectionStore) -> Result<(), DeskError> {
    let name = store.name().as_str();
    for (flow, counts) in store.counts().await? {
        for (state, number) in State::ALL.iter().zip(counts) {
            samples.add(RECORDS, &[name, &flow, state.as_str()], count(number));
        }
        let due = store.due_count(&flow).await?;
        samples.add(DUE, &[name, &flow], count(due));
    }
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    for cause in exceptions::causes(store, false).await? {
        let code = cause.code.as_ref().map(ToString::to_string);
        *codes.entry(code.unwrap_or_default()).or_default() += cause.count();
    }
    for (code, number) in codes {
        samples.add(EXCEPTIONS, &[name, &code], count(number));
    }
    let open = store.open_writes().await?;
    for (status, word) in [
        (WriteStatus::Intended, "intended"),
        (WriteStatus::Attempted, "attempted"),
        (WriteStatus::Unknown, "unknown"),
    ] {
        let number = open.iter().filter(|write| write.status == status).count();
        samples.add(OPEN_WRITES, &[name, word], count(number as u64));
    }
    let stops = store.stops().await?;
    for kind in [StopKind::Paused, StopKind::Recovering] {
        let on = stops.iter().any(|stop| stop.kind == kind);
        samples.add(STOPPED, &[name, kind.as_str()], switch(on));
    }
    Ok(())
}

/// What runs came to, and how long ago.
async fn runs(
    samples: &mut Samples,
    store: &ConnectionStore,
    connection: &ConnectionInfo,
    now: Timestamp,
) -> Result<(), DeskError> {
    let name = store.name().as_str();
    let runs = store.runs(RUNS).await?;
    samples.add(RUNNING, &[name], switch(connection.running));
    for status in ["done", "exceptions", "failed"] {
        let last = runs.iter().find(|run| run.status == status);
        if let Some(ended) = last.and_then(|run| run.ended) {
            samples.add(RUN_ENDED, &[name, status], whole(ended.as_second()));
        }
    }
    for (flow, at) in run::last_successes(&runs) {
        let lag = now.duration_since(at).as_secs_f64();
        samples.add(LAG, &[name, &flow], lag.max(0.0));
    }
    if let Some(last) = runs.iter().find(|run| run.ended.is_some()) {
        last_run(samples, name, last);
    }
    Ok(())
}

fn last_run(samples: &mut Samples, name: &str, last: &RunRow) {
    if let Some(seconds) = run::seconds(last) {
        samples.add(RUN_SECONDS, &[name], seconds);
    }
    for (system, calls) in &last.calls {
        samples.add(RUN_CALLS, &[name, system], count(*calls));
    }
}

/// A monitor takes floats: counts are exact up to 2⁵³, and no amount is among them.
#[allow(clippy::cast_precision_loss, reason = "see above")]
fn count(number: u64) -> f64 {
    number as f64
}

#[allow(clippy::cast_precision_loss, reason = "as for counts")]
fn whole(number: i64) -> f64 {
    number as f64
}

fn switch(on: bool) -> f64 {
    if on { 1.0 } else { 0.0 }
}

/// How much memory the process holds, where the operating system tells (Linux).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
