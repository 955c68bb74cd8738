//! How large the program is: on the disk, at its start, and idle.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::bench::Bench;
use crate::home::{CONNECTION, Home};
use crate::meter::{Group, cpu_of};
use crate::sandbox::Sandbox;

/// How many starts are measured; the one in the middle counts.
const STARTS: usize = 21;

/// How many connections an idle service has.
const CONNECTIONS: usize = 100;

/// How long the service has, after its start, until it is idle; and how long it is then watched.
const UNTIL_IDLE: Duration = Duration::from_secs(40);
const WATCHED: Duration = Duration::from_secs(20);

/// Measures all of it.
pub(crate) fn measure(bench: &mut Bench<'_>, quick: bool) -> Result<()> {
    let bytes = std::fs::metadata(bench.program)?.len();
    println!("the program: {:.1} MB", megabytes(bytes));
    // What it takes to start any process, measured beside it.
    let (start, least) = (starts(bench.program)?, starts(Path::new("true"))?);
    println!(
        "tieout --help: {start:.1} ms; starting a process that does nothing takes {least:.1} ms of it"
    );
    let (until, watched) = if quick {
        (Duration::from_secs(5), Duration::from_secs(2))
    } else {
        (UNTIL_IDLE, WATCHED)
    };
    let (idle_kib, share) = idle(bench, until, watched)?;
    println!(
        "idle with {CONNECTIONS} connections: {} MiB, {:.2} % of a processor",
        idle_kib / 1024,
        share * 100.0
    );
    bench.keep(
        "size",
        json!({
            "program_bytes": bytes,
            "help_milliseconds": start,
            "process_milliseconds": least,
            "connections": CONNECTIONS,
            "idle_kib": idle_kib,
            "idle_share": share,
        }),
    )
}

/// How long `PROGRAM --help` takes, in milliseconds: the one in the middle.
fn starts(program: &Path) -> Result<f64> {
    let mut all = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let began = Instant::now();
        Command::new(program)
            .arg("--help")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .with_context(|| format!("starting {}", program.display()))?;
        all.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    all.sort_by(f64::total_cmp);
    Ok(all[STARTS / 2])
}

/// The memory of a service that has run each of its connections once and waits for the next time, and the share of a
/// processor that it takes for waiting.
fn idle(bench: &Bench<'_>, until: Duration, watched: Duration) -> Result<(u64, f64)> {
    let sandbox = Sandbox::start(bench.program, &["--empty".to_owned()])?;
    let home = Home::connected(bench.program, &sandbox)?;
    multiply(&home)?;
    let mut command = home.command(&["serve"]);
    command.stderr(Stdio::null());
    let mut group = Group::start(command)?;
    wait(&mut group, until)?;
    let cpu = |group: &Group| cpu_of(group.process()).unwrap_or_default();
    let before = cpu(&group);
    wait(&mut group, watched)?;
    let share = (cpu(&group) - before) / watched.as_secs_f64();
    let kib = resident(group.process()).context("the service has no memory")?;
    Ok((kib, share))
}

fn wait(group: &mut Group, long: Duration) -> Result<()> {
    let end = Instant::now() + long;
    while Instant::now() < end {
        if let Some(taken) = group.look()? {
            bail!("the service ended with {}", taken.status);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Makes a hundred connections of one, each due once a day, and lets the service choose its port.
fn multiply(home: &Home) -> Result<()> {
    let path = home.path().join("tieout.toml");
    let mut table: toml::Table = std::fs::read_to_string(&path)?.parse()?;
    let connections = table
        .get_mut("connections")
        .and_then(toml::Value::as_table_mut);
    let connections = connections.context("the configuration has no connections")?;
    let mut one = connections
        .remove(CONNECTION)
        .context("the configuration has no connection")?;
    if let Some(one) = one.as_table_mut() {
        one.insert("schedule".to_owned(), "every 24 hours".into());
        one.insert("whole".to_owned(), "never".into());
    }
    for number in 0..CONNECTIONS {
        connections.insert(format!("entity-{number}"), one.clone());
    }
    let mut server = toml::Table::new();
    server.insert("listen".to_owned(), "127.0.0.1:0".into());
    table.insert("server".to_owned(), server.into());
    std::fs::write(path, toml::to_string(&table)?)?;
    Ok(())
}

/// The memory that a process has now, in KiB.
fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
