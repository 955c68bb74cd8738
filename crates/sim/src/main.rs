//! `tieout-sim`: lives through many worlds, and says what must not have been.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use tieout_sim::check::Violation;
use tieout_sim::figures::Figures;
use tieout_sim::history::{self, History};
use tieout_sim::pair::{self, Pair};
use tieout_sim::run::{self, Host};
use tieout_sim::story;
use tieout_sim::walk::{self, Mishap};
use tieout_systems::ALL;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The real program in worlds where everything goes wrong.
#[derive(Debug, Parser)]
#[command(name = "tieout-sim")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Lives through worlds that are drawn from their seeds.
    Live(LiveArguments),
    /// Tells one story again and again, each time with another mishap.
    Walk(WalkArguments),
    /// Syncs a whole history to Alternative Payments, across processes that die on the way.
    History(HistoryArguments),
}

#[derive(Debug, Args)]
struct LiveArguments {
    /// Which pair's worlds.
    #[arg(long, default_value = "netsuite-bill", value_parser = known_pair)]
    pair: &'static dyn Pair,
    /// How many worlds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first one's seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Live through each twice, and compare their histories.
    #[arg(long)]
    twice: bool,
    /// Stop at the first world in which something must not have been.
    #[arg(long)]
    fail_fast: bool,
    /// No new world after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Keep each world's home, and what the services hold in the end, in this folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// How many at once; one more than there are processors, if not given.
    #[arg(long, default_value_t = threads())]
    threads: usize,
}

#[derive(Debug, Args)]
struct WalkArguments {
    /// Which pair's story.
    #[arg(long, default_value = "netsuite-bill", value_parser = known_pair)]
    pair: &'static dyn Pair,
    /// Only every so-many-th mishap of a sort.
    #[arg(long, default_value_t = 1)]
    step: u64,
    /// How many at once; one more than there are processors, if not given.
    #[arg(long, default_value_t = threads())]
    threads: usize,
}

#[derive(Debug, Args)]
struct HistoryArguments {
    /// How many invoices the ledger has.
    #[arg(long, default_value_t = 50_000)]
    invoices: u64,
    /// How many processes die.
    #[arg(long, default_value_t = 3)]
    kills: u64,
}

fn known_pair(name: &str) -> Result<&'static dyn Pair, String> {
    pair::find(name).ok_or_else(|| {
        let known: Vec<_> = pair::ALL.iter().map(|pair| pair.name()).collect();
        format!("there are {}", known.join(" and "))
    })
}

/// A world waits a fifth of its time for the threads of its databases: one more keeps the processors busy.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, |processors| processors.get() + 1)
}

/// The futures of a whole world lie in one another on a thread's stack, and are large in a development build.
const STACK_BYTES: usize = 64 << 20;

fn main() -> ExitCode {
    let good = match Arguments::parse().task {
        Task::Live(arguments) => live(&arguments),
        Task::Walk(arguments) => walk(&arguments),
        Task::History(arguments) => history(&arguments),
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Does all of it on so many threads, for as long as it is told to go on. Gives how many were done, and how
/// many of them badly.
fn all(
    threads: usize,
    count: u64,
    go_on: impl Fn() -> bool + Sync,
    one: impl Fn(u64) -> bool + Sync,
) -> (u64, u64) {
    let (next, done, bad) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let spawned = std::thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, || {
                    while go_on() {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            break;
                        }
                        bad.fetch_add(u64::from(!one(number)), Ordering::Relaxed);
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            if let Err(error) = spawned {
                eprintln!("a thread could not be started: {error}");
                bad.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    (done.into_inner(), bad.into_inner())
}

/// Whether somebody has interrupted it.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt begins no new world: what the others came to is told.
fn heed_interrupts() {
    let waiting = std::thread::Builder::new().spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(tokio::signal::ctrl_c())?;
        INTERRUPTED.store(true, Ordering::Relaxed);
        std::io::Result::Ok(())
    });
    if let Err(error) = waiting {
        eprintln!("an interrupt ends it at once: {error}");
    }
}

fn live(arguments: &LiveArguments) -> bool {
    heed_interrupts();
    let began = Instant::now();
    let stop = AtomicBool::new(false);
    let total = Figures::default();
    let go_on = || {
        let over = arguments
            .seconds
            .is_some_and(|seconds| began.elapsed().as_secs() >= seconds);
        !over && !stop.load(Ordering::Relaxed) && !INTERRUPTED.load(Ordering::Relaxed)
    };
    let one = |number| {
        let good = live_through(arguments, arguments.first + number, &total);
        stop.fetch_or(!good && arguments.fail_fast, Ordering::Relaxed);
        good
    };
    let (lived, failed) = all(arguments.threads, arguments.seeds, go_on, one);
    println!("{total}");
    let twice = total.of("violations", "once");
    let lost = total.of("violations", "lost");
    println!(
        "{lived} worlds in {:.1} s, {failed} in which something must not have been; duplicates {twice}, lost {lost}",
        began.elapsed().as_secs_f64()
    );
    failed == 0
}

/// Lives through one world. Tells whether all was as it must be.
fn live_through(arguments: &LiveArguments, seed: u64, total: &Figures) -> bool {
    let pair = arguments.pair;
    let once = || {
        let host = Host::keeping(arguments.keep.as_ref().map(|it| it.join(seed.to_string())));
        run::world_on(host, |host| async move {
            story::live(ALL, pair, seed, &host).await
        })
    };
    let repeat = format!(
        "(repeat with --pair {} --first {seed} --seeds 1)",
        pair.name()
    );
    let ended = match once() {
        Ok(ended) => ended,
        Err(error) => {
            println!("seed {seed}: {error:#} {repeat}");
            return false;
        }
    };
    total.take_in(&ended.figures);
    let mut good = complain(&format!("seed {seed}"), &repeat, &ended.violations, total);
    if arguments.twice {
        match once() {
            Ok(again) if again.head == ended.head => {
                total.count("worlds", "lived through twice, alike");
            }
            Ok(again) => {
                println!(
                    "seed {seed}: its history ends with {} and then with {} {repeat}",
                    ended.head, again.head
                );
                good = false;
            }
            Err(error) => {
                println!("seed {seed}: the second time: {error:#} {repeat}");
                good = false;
            }
        }
    }
    good
}

fn complain(of: &str, repeat: &str, violations: &[Violation], total: &Figures) -> bool {
    for violation in violations {
        println!("{of}: {}: {} {repeat}", violation.check, violation.what);
        total.count("violations", violation.check);
    }
    violations.is_empty()
}

fn walk(arguments: &WalkArguments) -> bool {
    let began = Instant::now();
    let pair = arguments.pair;
    let (seed, told) = match walk::fullest(ALL, pair) {
        Ok(told) => told,
        Err(error) => {
            println!("{error:#}");
            return false;
        }
    };
    let total = Figures::default();
    println!("the story of seed {seed}");
    for ((flow, kind), written) in &told.covered {
        println!(
            "  {flow} {kind}: {}",
            if *written { "written" } else { "not written" }
        );
    }
    let mut violations = walk::unwritten(&told.covered);
    violations.extend(told.violations);
    if !complain("undisturbed", "", &violations, &total) {
        return false;
    }
    for (chapter, (boundaries, writes)) in told.lengths.iter().enumerate() {
        println!(
            "sync {}: {boundaries} boundaries, {writes} writes",
            chapter + 1
        );
    }
    let mishaps = walk::mishaps(&told.lengths, arguments.step);
    let one = |number: u64| {
        let Some(mishap) = usize::try_from(number)
            .ok()
            .and_then(|number| mishaps.get(number).copied())
        else {
            return true;
        };
        match run::world(|host| async move { walk::tell(ALL, pair, seed, mishap, &host).await }) {
            Ok(told) => {
                total.take_in(&told.figures);
                complain(&format!("{mishap:?}"), "", &told.violations, &total)
            }
            Err(error) => {
                println!("{mishap:?}: {error:#}");
                false
            }
        }
    };
    let (done, failed) = all(arguments.threads, mishaps.len() as u64, || true, one);
    let deaths = mishaps
        .iter()
        .filter(|mishap| matches!(mishap, Mishap::Death(..)))
        .count();
    println!("{total}");
    println!(
        "{done} mishaps in {:.1} s ({deaths} deaths, the rest lost answers), {failed} after which something must not have been",
        began.elapsed().as_secs_f64()
    );
    failed == 0
}

fn history(arguments: &HistoryArguments) -> bool {
    let wanted = History {
        invoices: arguments.invoices,
        kills: arguments.kills,
    };
    // The futures of a whole world lie in one another on the stack: on a thread that has enough of it.
    let (done, failed) = all(
        1,
        1,
        || true,
        |_| {
            let began = Instant::now();
            match run::world(|host| async move { history::sync(ALL, wanted, &host).await }) {
                Ok(told) => {
                    tell_history(&told, wanted, began.elapsed().as_secs_f64());
                    complain("history", "", &told.violations, &Figures::default())
                }
                Err(error) => {
                    println!("history: {error:#}");
                    false
                }
            }
        },
    );
    done == 1 && failed == 0
}

fn tell_history(told: &history::Told, wanted: History, seconds: f64) {
    println!(
        "{} invoices in the ledger, {} of them went over, {} of the last twelve months first",
        wanted.invoices, told.made, told.recent
    );
    for (death, stood) in told.stood.iter().enumerate() {
        println!("death {}: {stood}", death + 1);
    }
    println!("in the end {}", told.ended);
    println!(
        "{} calls to the platform, {} at most in one second; {:.0} s in the world, {seconds:.0} s here",
        told.calls,
        told.most_a_second,
        told.took.as_secs_f64()
    );
}
