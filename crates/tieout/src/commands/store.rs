//! `tieout store`: where the memory lies, which schema it has, and how it moves.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;
use tieout_domain::code::Code;
use tieout_store::{Copied, Schema, Seams, Store, StoreOptions, StoreStatus};

use crate::cli::Global;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::home::CONFIG;
use crate::output;
use crate::seams::WallClock;
use crate::store_options::{at, password_in, store_options};

/// What `store` takes.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub action: StoreAction,
}

/// What can be done with the store itself.
#[derive(Debug, Subcommand)]
pub enum StoreAction {
    /// Where it lies, which schema it has, how large it is, and the rows of each table.
    Status,
    /// Brings its schema up to date; what that takes is said first.
    Migrate(MigrateArgs),
    /// Copies all of it into another, empty database, and checks the copy.
    Copy(CopyArgs),
}

/// What `store migrate` takes.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Only say what would be done; ends with 3 if something would.
    #[arg(long)]
    pub check: bool,
}

/// What `store copy` takes.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The address of the other database, as it will stand in tieout.toml, without a password.
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// The file with the password of the other database.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Does it.
pub async fn run(global: &Global, args: &StoreArgs) -> Result<Exit, Failure> {
    let folder = global.place().folder();
    let config = Config::read(&folder.join(CONFIG))?;
    let options = store_options(&config.store, &folder)?;
    match &args.action {
        StoreAction::Status => status(global, &options).await,
        StoreAction::Migrate(args) => migrate(global, &options, args).await,
        StoreAction::Copy(args) => {
            let mut goal = at(&args.to, &folder);
            if goal.has_password_in_url() {
                let cause =
                    "`--to` has a password in it, which others can see; use --password-file";
                return Err(Failure::usage(Code::new("store-address"), cause));
            }
            goal.password = args
                .password_file
                .as_ref()
                .map(|file| password_in(file))
                .transpose()?;
            copy(global, &options, &goal, &args.to).await
        }
    }
}

fn seams() -> Seams {
    Seams::of(Arc::new(WallClock))
}

async fn status(global: &Global, options: &StoreOptions) -> Result<Exit, Failure> {
    let store = Store::open_as_it_is(options, seams()).await?;
    let status = store.status().await?;
    store.close().await;
    if global.json {
        output::json(&json!(status));
    } else {
        show_status(&status);
    }
    Ok(Exit::Done)
}

fn show_status(status: &StoreStatus) {
    output::line(&status.place);
    match &status.server {
        Some(server) => output::line(&format!("  PostgreSQL {}, at {server}", status.version)),
        None => output::line(&format!("  SQLite {}", status.version)),
    }
    output::line(&format!("  {} bytes", status.bytes));
    let Schema {
        found,
        known,
        oldest,
        ..
    } = &status.schema;
    output::line(&format!(
        "  schema {found}; this tieout knows {known}; programs from schema {oldest} on may open it"
    ));
    for (table, rows) in &status.rows {
        output::line(&format!("  {table}: {rows}"));
    }
}

async fn migrate(
    global: &Global,
    options: &StoreOptions,
    args: &MigrateArgs,
) -> Result<Exit, Failure> {
    let store = Store::open_as_it_is(options, seams()).await?;
    let schema = match args.check {
        true => store.schema().await?,
        false => store.migrate().await?,
    };
    store.close().await;
    if global.json {
        output::json(&json!({"schema": schema, "done": !args.check}));
    } else {
        show_steps(&schema, args.check);
    }
    Ok(match args.check && !schema.missing.is_empty() {
        true => Exit::Exceptions,
        false => Exit::Done,
    })
}

fn show_steps(schema: &Schema, check: bool) {
    if schema.missing.is_empty() {
        output::line(&format!("schema {} is up to date", schema.found));
        return;
    }
    let verb = if check { "lacks" } else { "got" };
    for step in &schema.missing {
        let beside = match step.oldest < step.number {
            true => format!(
                "programs from schema {} on may go on beside it",
                step.oldest
            ),
            false => "no program of before may go on beside it".to_owned(),
        };
        output::line(&format!("it {verb} step {}: {beside}", step.number));
    }
    if check && schema.shuts_out() {
        output::line(
            "stop tieout on every machine that has an older version, then run `tieout store migrate`",
        );
    }
}

async fn copy(
    global: &Global,
    options: &StoreOptions,
    goal: &StoreOptions,
    to: &str,
) -> Result<Exit, Failure> {
    let store = Store::open_with(options, seams()).await?;
    let talks = !global.quiet && !global.json;
    let mut told = |table: &str| {
        if talks {
            let what = if table.is_empty() { "checking" } else { table };
            eprintln!("  {what}");
        }
    };
    let copied = store.copy_to(goal, seams(), &mut told).await;
    store.close().await;
    let copied = copied?;
    if global.json {
        output::json(&json!(copied));
    } else {
        show_copy(&copied, to);
    }
    Ok(Exit::Done)
}

fn show_copy(copied: &Copied, to: &str) {
    let rows: u64 = copied.tables.iter().map(|table| table.rows).sum();
    output::line(&format!(
        "copied {rows} rows of {} tables from {} to {}, and checked {} histories",
        copied.tables.len(),
        copied.from,
        copied.to,
        copied.chains.len()
    ));
    output::line("the copy is paused, as the store is. To go on with it:");
    output::line(&format!(
        "  write `url = \"{to}\"` under [store] in tieout.toml, and its password into `password_file`"
    ));
    output::line("  tieout audit verify");
    output::line("  tieout resume --reason \"moved to another database\"");
}
