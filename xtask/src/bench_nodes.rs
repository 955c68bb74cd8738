//! What a second and a third node bring, on the same work against the same services, and which limit binds.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::nodes::cluster::Cluster;
use crate::nodes::{Conditions, Pair, Trial, WORKERS};
use crate::postgres;
use crate::workspace::Workspace;

/// NetSuite's and BILL's calls at once, as the sandbox allows them: for an account, and for an organization.
const AT_ONCE: [(&str, f64); 2] = [("netsuite", 5.0), ("bill", 3.0)];

/// Every how many seconds a connection is due: often enough that none waits for its turn long.
const PACE: u64 = 5;

/// How long the work may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct BenchNodesArguments {
    /// With how many nodes at most.
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    /// How many connections, each with an organization and a subsidiary of its own.
    #[arg(long, default_value_t = 48)]
    connections: usize,
    /// How many bills of each are to go to BILL.
    #[arg(long, default_value_t = 20)]
    bills: usize,
    /// How long each call takes at least, in milliseconds.
    #[arg(long, default_value_t = 150)]
    latency: u64,
    /// Use the development build.
    #[arg(long)]
    debug: bool,
    /// Use this program, and build none.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Measures, and prints.
pub(crate) fn run(workspace: &Workspace, arguments: &BenchNodesArguments) -> Result<bool> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => workspace.tieout(!arguments.debug)?,
    };
    let programs = postgres::programs()?;
    let mut first = None;
    for nodes in 1..=arguments.nodes {
        let mut pair = Pair(Cluster::start(&programs, false)?);
        let conditions = Conditions {
            nodes,
            connections: arguments.connections,
            seconds: 0,
            every: 0,
            strikes: 0,
            pause: 0,
            pace: PACE,
            latency: arguments.latency,
            seed: 1,
            one_address: false,
        };
        let trial = Trial::set_up(&program, &conditions, &mut pair)?;
        let measured = measure(trial, arguments)?;
        let rate = measured.bills / measured.seconds;
        let base = *first.get_or_insert(rate);
        println!(
            "{nodes} nodes: {:.0} bills in {:.1} s, {rate:.1} a second, {:.2} times one node",
            measured.bills,
            measured.seconds,
            rate / base
        );
        for (what, share) in &measured.shares {
            println!("    {:>4.0} %  {what}", share * 100.0);
        }
        let most = measured.shares.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((what, _)) = most {
            println!("    what binds: {what}");
        }
    }
    Ok(true)
}

/// What was seen.
struct Measured {
    bills: f64,
    seconds: f64,
    /// How much of each limit was used.
    shares: Vec<(String, f64)>,
}

#[allow(clippy::cast_precision_loss, reason = "counts of a bench, for ratios")]
fn measure(mut trial: Trial<'_>, arguments: &BenchNodesArguments) -> Result<Measured> {
    let bills = arguments.connections * arguments.bills;
    trial.enter(arguments.bills)?;
    let before: Vec<[u64; 2]> = trial.calls_so_far()?;
    let (start, machine) = (Instant::now(), Machine::now());
    trial.start_nodes()?;
    while trial.bills_there()? < bills {
        if start.elapsed() > PATIENCE {
            bail!("{} of {bills} bills are there", trial.bills_there()?);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let seconds = start.elapsed().as_secs_f64();
    let busy = machine.busy();
    let database = trial.database_processor()?;
    let latency = arguments.latency as f64 / 1000.0;
    let mut shares = Vec::new();
    let after = trial.calls_so_far()?;
    for (at, (system, most)) in AT_ONCE.into_iter().enumerate() {
        // Where calls take no time to speak of, this limit can't bind.
        let used =
            after
                .iter()
                .zip(&before)
                .zip(trial.entities())
                .map(|((after, before), entities)| {
                    let places = if system == "bill" {
                        most * entities as f64
                    } else {
                        most
                    };
                    (after[at] - before[at]) as f64 * latency / (seconds * places)
                });
        let used = used.fold(0.0, f64::max);
        let whose = if system == "bill" {
            "an organization"
        } else {
            "an account"
        };
        shares.push((format!("{system}: calls at once of {whose}"), used));
    }
    let under_way: f64 = trial.ask("SELECT COALESCE(SUM(COALESCE(ended_us, (extract(epoch FROM now()) * 1000000)::bigint) - started_us), 0) FROM runs")?
        .trim().parse().context("a sum of spans")?;
    let workers = trial.nodes() as f64 * WORKERS as f64;
    shares.push((
        "workers of the nodes".to_owned(),
        under_way / 1e6 / seconds / workers,
    ));
    shares.push(("this machine's processors".to_owned(), busy));
    shares.push((
        "of them, the database's".to_owned(),
        database / seconds / machine.processors,
    ));
    let key = after
        .iter()
        .zip(&before)
        .map(|(after, before)| after[1] - before[1]);
    println!(
        "    BILL's 20,000 calls an hour of a key: {} were used",
        key.max().unwrap_or_default()
    );
    Ok(Measured {
        bills: bills as f64,
        seconds,
        shares,
    })
}

/// How busy the machine is, where the operating system tells (Linux).
struct Machine {
    busy: f64,
    all: f64,
    processors: f64,
}

impl Machine {
    fn now() -> Self {
        let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        let ticks: Vec<f64> = first
            .split_whitespace()
            .skip(1)
            .filter_map(|tick| tick.parse().ok())
            .collect();
        let all: f64 = ticks.iter().take(8).sum();
        // Idle, and waiting for a disk.
        let idle: f64 = ticks.iter().skip(3).take(2).sum();
        let processors = text
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with("cpu"))
            .count();
        #[allow(clippy::cast_precision_loss, reason = "a few processors")]
        let processors = processors.max(1) as f64;
        Self {
            busy: all - idle,
            all,
            processors,
        }
    }

    /// The share of the time since.
    fn busy(&self) -> f64 {
        let now = Self::now();
        let all = now.all - self.all;
        if all > 0.0 {
            (now.busy - self.busy) / all
        } else {
            0.0
        }
    }
}
