//! `tieout-sim`: lives through many worlds, and says what must not have been.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use tieout_sim::figures::Figures;
use tieout_sim::{run, story};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lives through worlds in which everything goes wrong.
#[derive(Debug, Parser)]
#[command(name = "tieout-sim")]
struct Arguments {
    /// How many worlds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first one's seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// How many at once.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Live through each twice, and compare their histories.
    #[arg(long)]
    twice: bool,
    /// Stop at the first world in which something must not have been.
    #[arg(long)]
    fail_fast: bool,
    /// No new world after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let began = Instant::now();
    let next = AtomicU64::new(arguments.first);
    let failed = AtomicU64::new(0);
    let lived = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let total = Figures::default();
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let over = arguments
                        .seconds
                        .is_some_and(|seconds| began.elapsed().as_secs() >= seconds);
                    if seed >= arguments.first + arguments.seeds || over {
                        break;
                    }
                    if !live(seed, arguments.twice, &total) {
                        failed.fetch_add(1, Ordering::Relaxed);
                        stop.fetch_or(arguments.fail_fast, Ordering::Relaxed);
                    }
                    lived.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{total}");
    let (lived, failed) = (lived.into_inner(), failed.into_inner());
    println!(
        "{lived} worlds in {:.1} s, {failed} in which something must not have been",
        began.elapsed().as_secs_f64()
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Lives through one world. Tells whether all was as it must be.
fn live(seed: u64, twice: bool, total: &Figures) -> bool {
    let once =
        || run::world(|host| async move { story::live(tieout_systems::ALL, seed, &host).await });
    let ended = match once() {
        Ok(ended) => ended,
        Err(error) => {
            println!("seed {seed}: {error:#} (repeat with --first {seed} --seeds 1)");
            return false;
        }
    };
    total.take_in(&ended.figures);
    let mut good = true;
    for violation in &ended.violations {
        println!(
            "seed {seed}: {}: {} (repeat with --first {seed} --seeds 1)",
            violation.check, violation.what
        );
        good = false;
    }
    if twice {
        match once() {
            Ok(again) if again.head == ended.head => {
                total.count("worlds", "lived through twice alike")
            }
            Ok(again) => {
                println!(
                    "seed {seed}: its history ends with {} and then with {}",
                    ended.head, again.head
                );
                good = false;
            }
            Err(error) => {
                println!("seed {seed}: the second time: {error:#}");
                good = false;
            }
        }
    }
    good
}
