//! The command line of tieout, and the only place where everything is put together.
//!
//! Standard output is data, standard error is talk. Every failure has a code, a cause and a fix. It is a
//! library so that tests can put the same things together as the program does; [`main`] is the program.

pub mod address;
pub mod assemble;
pub mod beside;
pub mod bulk;
pub mod certificate;
pub mod cli;
pub mod commands;
pub mod config;
pub mod evidence;
pub mod failure;
pub mod guide;
pub mod home;
pub mod kept_log;
pub mod kinds;
pub mod other_sync;
pub mod output;
pub mod pending;
pub mod preference_versions;
pub mod progress;
pub mod push_keys;
pub mod sandbox;
pub mod seams;
pub mod serve;
pub mod store_options;
pub mod subscriptions;
pub mod telemetry;
pub mod trial;

pub use tieout_kit::expiry;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::failure::{Exit, Failure};

/// Reads the command line, does what it says, and gives the exit status.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                Exit::Usage as u8
            } else {
                0
            });
        }
    };
    let service = matches!(cli.command, Command::Serve(_));
    output::log(
        cli.global.verbose,
        cli.global.quiet,
        service,
        cli.global.place().folder(),
    );
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime can't be started: {error}");
            return ExitCode::from(Exit::Failed as u8);
        }
    };
    match runtime.block_on(run(&cli)) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(failure) => {
            output::failure(&failure, cli.global.json);
            ExitCode::from(failure.exit as u8)
        }
    }
}

async fn run(cli: &Cli) -> Result<Exit, Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Demo(args) => commands::demo::run(global, args).await,
        Command::Init(args) => commands::init::run(global, args).await,
        Command::Connect(args) => commands::connect::run(global, args).await,
        Command::Disconnect(args) => commands::disconnect::run(global, args).await,
        Command::Reconnect(args) => commands::reconnect::run(global, args).await,
        Command::Ping(args) => commands::ping::run(global, &args.connections).await,
        Command::Doctor(args) => commands::doctor::run(global, args).await,
        Command::Plan(args) => commands::sync::plan(global, args).await,
        Command::Sync(args) => commands::sync::sync(global, args).await,
        Command::Import(args) => commands::import::run(global, args).await,
        Command::Webhooks(args) => commands::webhooks::run(global, args).await,
        Command::Serve(args) => commands::serve::run(global, args).await,
        Command::Nodes(args) => commands::nodes::run(global, args).await,
        Command::Runs(args) => commands::runs::runs(global, args).await,
        Command::Show(args) => commands::runs::show(global, args).await,
        Command::Exceptions(args) => commands::exceptions::run(global, args).await,
        Command::Audit(args) => commands::audit::run(global, args).await,
        Command::Explain(args) => commands::explain::run(global, args),
        Command::Replay(args) => commands::replay::run(global, args).await,
        Command::Recover(args) => commands::recover::run(global, args).await,
        Command::Pause(args) => commands::pause::pause(global, args).await,
        Command::Resume(args) => commands::pause::resume(global, args).await,
        Command::TieOut(args) => commands::tie_out::run(global, args).await,
        Command::Backup(args) => commands::backup::run(global, args).await,
        Command::Map(args) => commands::map::run(global, args).await,
        Command::Preferences(args) => commands::preferences::run(global, args).await,
        Command::Credentials(args) => commands::credentials::run(global, args).await,
        Command::Users(args) => commands::users::run(global, args).await,
        Command::Store(args) => commands::store::run(global, args).await,
        Command::Tenants(args) => commands::tenants::run(global, args).await,
        Command::SupportBundle(args) => commands::support_bundle::run(global, args).await,
        Command::Sandbox(args) => commands::sandbox::run(global, args).await,
    }
}
