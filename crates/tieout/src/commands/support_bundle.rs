//! `tieout support-bundle`: what somebody who helps needs to know, in one file that can be read before it is
//! sent. Nothing secret is in it, and nobody's name or amount unless asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};
use tieout_domain::{Clock as _, State};
use tieout_store::{ConnectionStore, ExceptionGroup, RunRow, Stop, Verification};

use super::doctor;
use crate::assemble::Shared;
use crate::beside::write;
use crate::cli::Global;
use crate::config::ConnectionConfig;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::kept_log;
use crate::output;
use crate::seams::WallClock;

/// What `support-bundle` takes.
#[derive(Debug, Args)]
pub struct SupportBundleArgs {
    /// The file to make; it must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also the labels, amounts and causes of what waits: vendors' names and the like.
    #[arg(long)]
    with_records: bool,
    /// Ask nobody: leave out what `doctor` finds.
    #[arg(long)]
    offline: bool,
}

/// How many lines of the log.
const LINES: usize = 200;
/// How long doctor may take: who can't be reached must not keep the bundle from being made.
const DOCTOR: Duration = Duration::from_secs(120);
/// How many runs of each connection.
const RUNS: u32 = 20;
/// How many groups of exceptions of each connection.
const GROUPS: usize = 200;
/// How many faults that `audit verify` would tell.
const FAULTS: usize = 50;

/// Makes the file.
pub async fn run(global: &Global, args: &SupportBundleArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let moment = format!("{:.0}", WallClock.now());
    let file = args.out.clone().unwrap_or_else(|| {
        PathBuf::from(format!("tieout-support-{}.json", moment.replace(':', "")))
    });
    let mut connections = Map::new();
    for (name, config) in &home.config.connections {
        let store = home.store.connection(name);
        let told = connection(&store, config, args.with_records).await?;
        connections.insert(name.to_string(), told);
    }
    let bundle = json!({
        "made": moment,
        "tieout": env!("CARGO_PKG_VERSION"),
        "system": system(),
        "store": {
            "database": home.store.place().split(':').next(),
            "files": files(&home.folder),
            "verify": verify(&home.store.verify().await?),
            "stops": stops(&home.store.installation().stops().await?, args.with_records),
        },
        "doctor": if args.offline { Value::Null } else { doctor(&home, args.with_records).await },
        "log": log(&home, args.with_records),
        "credentials": credentials(&home).await?,
        "connections": connections,
    });
    let text = serde_json::to_string_pretty(&bundle).unwrap_or_default();
    write(&file, text.as_bytes())?;
    if global.json {
        output::json(&json!({"file": file, "bytes": text.len()}));
    } else {
        output::line(&format!(
            "made {}: {} bytes of text. Read it before you send it: nothing secret is in it",
            file.display(),
            text.len()
        ));
    }
    Ok(Exit::Done)
}

/// What doctor finds now. Causes may name people and companies.
async fn doctor(home: &Home, with_records: bool) -> Value {
    let shared = match Shared::new() {
        Ok(shared) => shared,
        Err(failure) => return json!({"code": failure.code}),
    };
    let found = doctor::examine(home, &shared, &[], None);
    let examined = match tokio::time::timeout(DOCTOR, found).await {
        Ok(Ok(examined)) => examined,
        Ok(Err(failure)) => return json!({"code": failure.code}),
        Err(_) => return json!({"code": "timeout"}),
    };
    let mut document = doctor::document(&examined);
    if let Some(checks) = document.get_mut("checks").and_then(Value::as_array_mut) {
        for check in checks.iter_mut().filter_map(Value::as_object_mut) {
            let well = check.get("status").is_some_and(|status| status == "ok");
            // Who one is signed in as is nothing that helps.
            if well || !with_records {
                check.remove("cause");
            }
        }
    }
    document["checks"].take()
}

/// The log's last lines, or only how many there are: they may name records.
fn log(home: &Home, with_records: bool) -> Value {
    let lines = kept_log::last_lines(&home.folder, LINES);
    if with_records {
        json!(lines)
    } else {
        json!({"lines": lines.len()})
    }
}

/// Names, kinds and versions: all that there is outside the vault.
async fn credentials(home: &Home) -> Result<Value, Failure> {
    let rows = home.store.credentials().list().await?;
    let rows = rows.iter().map(|row| {
        json!({"name": row.name, "kind": row.kind, "version": row.version, "set_at": row.set_at})
    });
    Ok(rows.collect())
}

async fn connection(
    store: &ConnectionStore,
    config: &ConnectionConfig,
    with_records: bool,
) -> Result<Value, Failure> {
    let counts: Map<String, Value> = store
        .counts()
        .await?
        .into_iter()
        .map(|(flow, counts)| (flow, states(&counts)))
        .collect();
    let groups = store.exceptions(true).await?;
    let exceptions: Vec<_> = groups
        .iter()
        .take(GROUPS)
        .map(|group| exception(group, with_records))
        .collect();
    let runs = store.runs(RUNS).await?;
    Ok(json!({
        "pair": config.pair,
        "settings": {
            config.ledger.system.id.as_str(): settings(&config.ledger_settings),
            config.platform.system.id.as_str(): settings(&config.platform_settings),
        },
        "time_zone": config.time_zone.iana_name(),
        "preferences_set": config.named_preferences,
        "population": counts,
        "open_writes": store.open_writes().await?.len(),
        "stops": stops(&store.stops().await?, with_records),
        "exceptions": exceptions,
        "exception_groups": groups.len(),
        "runs": runs.iter().map(|run| told(run, with_records)).collect::<Vec<_>>(),
    }))
}

fn states(counts: &[u64; 8]) -> Value {
    let named = State::ALL.iter().zip(counts);
    let named: Map<String, Value> = named
        .map(|(state, count)| (state.to_string(), json!(count)))
        .collect();
    named.into()
}

/// A credential's name and the hosts; numbers and switches; of every other text, that it is there.
fn settings(table: &Map<String, Value>) -> Value {
    let shown = table.iter().map(|(key, value)| {
        let shown = match value {
            Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::String(text) if key == "credential" => text.as_str().into(),
            Value::String(text) if key.ends_with("_url") => host(text).into(),
            _ => "set".into(),
        };
        (key.clone(), shown)
    });
    Value::Object(shown.collect())
}

/// The host alone: an address may hold a password, a path or a query.
fn host(address: &str) -> String {
    let host = address
        .parse::<http::Uri>()
        .ok()
        .and_then(|uri| uri.host().map(str::to_owned));
    host.unwrap_or_else(|| "set".to_owned())
}

fn exception(group: &ExceptionGroup, with_records: bool) -> Value {
    let mut told = json!({
        "flow": group.flow, "state": group.state, "code": group.code, "count": group.count,
        "oldest": group.oldest,
    });
    if with_records {
        told["cause"] = json!(group.cause);
        told["labels"] = json!(group.labels);
        told["amounts"] = json!(group.amounts);
        told["records"] = json!(group.records);
    }
    told
}

fn told(run: &RunRow, with_records: bool) -> Value {
    let mut told = json!({
        "run": run.id, "by": run.trigger, "flows": run.flows, "started": run.started,
        "ended": run.ended, "status": run.status, "counts": run.counts, "calls": run.calls,
    });
    if with_records {
        told["cause"] = json!(run.cause);
    }
    told
}

fn stops(stops: &[Stop], with_records: bool) -> Vec<Value> {
    let told = stops.iter().map(|stop| {
        let reason = with_records.then_some(&stop.reason);
        json!({"kind": stop.kind, "since": stop.at, "reason": reason})
    });
    told.collect()
}

/// The heads of the chains, and where something doesn't agree; what it is may name a record.
fn verify(verification: &Verification) -> Value {
    let faults: Vec<_> = verification
        .faults
        .iter()
        .take(FAULTS)
        .map(|fault| json!({"chain": fault.chain, "entry": fault.seq}))
        .collect();
    json!({"holds": verification.holds(), "chains": verification.chains, "faults": faults})
}

fn system() -> Value {
    json!({
        "os": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "kernel": first_line("/proc/sys/kernel/osrelease"),
        "processors": std::thread::available_parallelism().ok().map(std::num::NonZero::get),
        "memory": first_line("/proc/meminfo"),
    })
}

/// The first line of a file of the kernel's, where there is one.
fn first_line(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().next().map(str::to_owned)
}

/// The names and sizes of what lies in the home.
fn files(folder: &Path) -> Map<String, Value> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Map::new();
    };
    let sizes = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let bytes = entry.metadata().ok()?.len();
        Some((
            entry.file_name().to_string_lossy().into_owned(),
            json!(bytes),
        ))
    });
    sizes.take(GROUPS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_setting_no_more_than_needed_is_told() {
        let table = json!({
            "credential": "acme", "base_url": "https://u:p@127.0.0.1:8080/a?key=hush",
            "organization": "008hush", "bulk": 10,
        });
        let told = settings(table.as_object().unwrap()).to_string();
        assert!(!told.contains("hush") && !told.contains("u:p"), "{told}");
        assert!(
            told.contains("acme") && told.contains("127.0.0.1"),
            "{told}"
        );
    }
}
