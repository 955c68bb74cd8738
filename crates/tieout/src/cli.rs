//! The command line, as it is read.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::home::Place;

/// Keeps Oracle NetSuite and the platforms that move a company's money in agreement, and proves it.
#[derive(Debug, Parser)]
#[command(
    name = "tieout",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The folder with tieout.toml, the store and the key.
    #[arg(long, global = true, env = "TIEOUT_HOME", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// The file with the key that opens the sealed credentials.
    #[arg(long, global = true, env = "TIEOUT_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Print one JSON document on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but the result.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more on standard error; twice for everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl Global {
    /// Where the home is.
    pub fn place(&self) -> Place {
        Place {
            home: self.home.clone(),
            key_file: self.key_file.clone(),
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows everything at work on the sandbox: connect, sync, pay, post back, tie out.
    Demo(crate::commands::demo::DemoArgs),
    /// Creates the home: tieout.toml, store, key.
    Init(crate::commands::init::InitArgs),
    /// Asks what a connection needs, checks it, stores it.
    Connect(crate::commands::connect::ConnectArgs),
    /// Stops a connection; its links and history stay, and connecting again resumes.
    Disconnect(crate::commands::disconnect::DisconnectArgs),
    /// Guided renewal of a connection's credential in the one safe order, each step verified.
    Reconnect(crate::commands::reconnect::ReconnectArgs),
    /// Signs in on both sides and reads one record each.
    Ping(Connections),
    /// Checks everything that can be wrong with a connection, says which, and how to fix it.
    Doctor(crate::commands::doctor::DoctorArgs),
    /// What sync would do, record by record, touching nothing.
    Plan(crate::commands::sync::PlanArgs),
    /// One run, now.
    Sync(crate::commands::sync::SyncArgs),
    /// A whole list of NetSuite goes to a platform of receivables, once: customers, or open invoices.
    Import(crate::commands::import::ImportArgs),
    /// Schedules, webhooks, pages and API, until it is told to stop.
    Serve(crate::commands::serve::ServeArgs),
    /// The nodes that serve from one store, and which of them begin nothing new.
    Nodes(crate::commands::nodes::NodesArgs),
    /// How each connection hears of changes without asking, and where NetSuite pushes to.
    Webhooks(crate::commands::webhooks::WebhooksArgs),
    /// Past runs.
    Runs(crate::commands::runs::RunsArgs),
    /// One run, record by record.
    Show(crate::commands::runs::ShowArgs),
    /// What waits for a person, grouped by cause, with the fix.
    Exceptions(crate::commands::exceptions::ExceptionsArgs),
    /// One record's whole life; the chain checked; a month's evidence as files.
    Audit(crate::commands::audit::AuditArgs),
    /// Whether the two sides agree at a month's end, item by item.
    TieOut(crate::commands::tie_out::TieOutArgs),
    /// What a code means, its causes, and the fix.
    Explain(crate::commands::explain::ExplainArgs),
    /// Does a failed write again, under the same key.
    Replay(crate::commands::replay::ReplayArgs),
    /// Rebuilds the links after the store was lost or restored; writes nothing until it is released.
    Recover(crate::commands::recover::RecoverArgs),
    /// The kill switch: stops all remote writes of one or all connections.
    Pause(crate::commands::pause::PauseArgs),
    /// Lets remote writes go on after a pause.
    Resume(crate::commands::pause::ResumeArgs),
    /// Makes a consistent copy of the home while it is in use; never of the key.
    Backup(crate::commands::backup::BackupArgs),
    /// Accounts, dimensions, funding accounts, items and terms: list, suggest, confirm, set.
    Map(crate::commands::map::MapArgs),
    /// Shows, sets, exports, imports and compares preferences.
    Preferences(crate::commands::preferences::PreferencesArgs),
    /// Sets, lists, checks, renews and removes credentials. Their values never come back out.
    Credentials(crate::commands::credentials::CredentialsArgs),
    /// Adds, lists, changes and removes users of the pages and the API; the first one is made here.
    Users(crate::commands::users::UsersArgs),
    /// Where the store lies; changes its schema; moves it to another database.
    Store(crate::commands::store::StoreArgs),
    /// Whose connections are whose: lists tenants, exports all of one, deletes one.
    Tenants(crate::commands::tenants::TenantsArgs),
    /// Gathers in one file what help needs, with nothing secret in it.
    SupportBundle(crate::commands::support_bundle::SupportBundleArgs),
    /// The fake services on loopback; prints addresses and credentials as JSON.
    Sandbox(crate::commands::sandbox::SandboxArgs),
}

/// Connections to work on.
#[derive(Debug, Args)]
pub struct Connections {
    /// Which connections; all if none is named.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
}
