//! What a developer runs. `cargo xtask test` is everything that must hold before a change is taken; the
//! other tasks are its parts, and the longer walks that it takes a short slice of.
//!
//! Plain Rust and nothing to install first: what another tool does better (cargo-nextest, cargo-deny) is
//! used where it is there.

mod bench;
mod bench_many;
mod bench_nodes;
mod book;
mod browser;
mod crash;
mod disk;
mod fuzz;
mod ha;
mod home;
mod import;
mod laws;
mod meter;
mod mutate;
mod nodes;
mod packages;
mod panel;
mod payables;
mod peers;
mod postgres;
mod race;
mod recover;
mod release;
mod results;
mod sandbox;
mod scenarios;
mod simulate;
mod steps;
mod suitescript;
mod test;
mod tie_out;
mod walks;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// What a developer runs.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Everything that must hold before a change is taken.
    Test(test::TestArguments),
    /// The laws of ARCHITECTURE.md, held against manifests, sources and pages.
    Laws,
    /// Licences, banned packages and advisories of the dependencies.
    Packages,
    /// Which scenarios are proven, decided otherwise, and open.
    Scenarios(scenarios::ScenariosArguments),
    /// Generates the pages that are made from the code: preferences, and the index of the codes.
    Book {
        /// Change nothing; fail if a page is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Kills a sync with SIGKILL again and again, then compares the end with an undisturbed run.
    Crash(crash::CrashArguments),
    /// Lives through worlds in which everything goes wrong, on virtual time.
    Simulate(simulate::SimulateArguments),
    /// Dies at every boundary of a story in turn, and loses the answer to every write.
    Walk(simulate::WalkArguments),
    /// Syncs a whole history to Alternative Payments in stages, across processes that die, in virtual time.
    History(simulate::HistoryArguments),
    /// Takes away what keeps a record from being made twice, and sees the simulation notice.
    Mutate(mutate::MutateArguments),
    /// Kills, pauses and cuts off nodes that share a PostgreSQL, and its primary, and compares both sides.
    Nodes(nodes::NodesArguments),
    /// The same on a PostgreSQL that Patroni and etcd keep alive, where they can be had.
    Ha(ha::HaArguments),
    /// Puts an old store back, then loses it, and sees that nothing is done twice.
    Recover(recover::RecoverArguments),
    /// Makes a folder to give away: the program, licences, a bill of materials, sums, and their signature.
    Release(release::ReleaseArguments),
    /// Lets the disk fail at each change of the store that a sync makes, then syncs once more.
    Disk(disk::DiskArguments),
    /// Feeds every reader of bytes from outside a million inputs, with libFuzzer.
    Fuzz(fuzz::FuzzArguments),
    /// Counts the calls of an initial sync against what it may cost.
    Budget(walks::WalkArguments),
    /// Measures the peak memory of an initial sync.
    Memory(walks::WalkArguments),
    /// Counts the calls of an import of customers and invoices, and its peak memory.
    Import(import::ImportArguments),
    /// Measures a tie-out over many open documents.
    TieOut(tie_out::TieOutArguments),
    /// Races peers that are installed by name: the same bills on the same server; then kills each, and counts.
    Race(race::RaceArguments),
    /// Measures this project against bounds and baselines of the same run; `--write` makes the book's page of it.
    Bench(bench::BenchArguments),
    /// Measures how many signed notifications a second are proven and stored, and how long each waits.
    BenchWebhooks(bench::service::WebhooksArguments),
    /// Measures how late runs begin when a thousand connections are due at the same pace.
    BenchSchedule(bench::service::ScheduleArguments),
    /// Measures what a second and a third node bring, and says which limit binds.
    BenchNodes(bench_nodes::BenchNodesArguments),
    /// Measures what ten thousand connections cost a node that has nothing to do, and how soon its pages answer.
    BenchMany(bench_many::ManyArguments),
    /// Runs the tests of the scripts that are installed in NetSuite, where node is there.
    Suitescript,
    /// Walks clients of the services that others wrote against the sandbox.
    Peers {
        /// Use the development build.
        #[arg(long)]
        debug: bool,
    },
    /// The demo and two syncs over a city's payables.
    Dataset {
        /// A CSV file of payables lines: payment_date, vendor, amount, fund, center, account, ….
        path: PathBuf,
        /// Use the development build.
        #[arg(long)]
        debug: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match carry_out(arguments.task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(task: Task) -> Result<bool> {
    let workspace = Workspace::here()?;
    match task {
        Task::Test(arguments) => test::run(&workspace, &arguments),
        Task::Laws => laws::print(&workspace),
        Task::Packages => packages::print(&workspace),
        Task::Scenarios(arguments) => scenarios::run(&workspace, &arguments),
        Task::Book { check } => book::run(&workspace, check),
        Task::Crash(arguments) => crash::run(&workspace, &arguments),
        Task::Simulate(arguments) => simulate::run(&workspace, &arguments),
        Task::Walk(arguments) => simulate::walk(&workspace, &arguments),
        Task::History(arguments) => simulate::history(&workspace, &arguments),
        Task::Mutate(arguments) => mutate::run(&workspace, &arguments),
        Task::Nodes(arguments) => nodes::run(&workspace, &arguments),
        Task::Ha(arguments) => ha::run(&workspace, &arguments),
        Task::Recover(arguments) => recover::run(&workspace, &arguments),
        Task::Release(arguments) => release::run(&workspace, &arguments),
        Task::Disk(arguments) => disk::run(&workspace, &arguments),
        Task::Fuzz(arguments) => fuzz::run(&workspace, &arguments),
        Task::Budget(arguments) => walks::budget(&workspace, &arguments),
        Task::Memory(arguments) => walks::memory(&workspace, &arguments),
        Task::Import(arguments) => import::run(&workspace, &arguments),
        Task::TieOut(arguments) => tie_out::run(&workspace, &arguments),
        Task::Race(arguments) => race::run(&workspace, &arguments),
        Task::Bench(arguments) => bench::run(&workspace, &arguments),
        Task::BenchWebhooks(arguments) => bench::service::webhooks(&workspace, &arguments),
        Task::BenchSchedule(arguments) => bench::service::schedule(&workspace, &arguments),
        Task::BenchNodes(arguments) => bench_nodes::run(&workspace, &arguments),
        Task::BenchMany(arguments) => bench_many::run(&workspace, &arguments),
        Task::Suitescript => suitescript::run(&workspace),
        Task::Peers { debug } => peers::run(&workspace, !debug),
        Task::Dataset { path, debug } => walks::dataset(&workspace, &path, debug),
    }
}
