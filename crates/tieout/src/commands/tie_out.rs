//! `tieout tie-out`: whether the two sides agree at a month's end, item by item.

mod drift;
mod own;
mod sign;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::json;
use tieout_desk::tie_out::{self, Made, Scope, sign_off};
use tieout_domain::code::Code;
use tieout_engine::Connection;
use tieout_flows::tie_out::Status;
use tieout_store::ConnectionStore;

use super::traced::{done_or_failed, with_traces};
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `tie-out` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct TieOutArgs {
    /// Something other than making the report.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// What to report on.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// As of the end of this day, as 2026-06-15, rolled back from now; instead of a month's end.
    #[arg(long, value_name = "DAY", conflicts_with_all = ["period", "signed"])]
    pub day: Option<Date>,
    /// The one that was last signed, word for word, with its signatures, instead of a new one.
    #[arg(long)]
    pub signed: bool,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Into this file instead of the screen.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Which report.
#[derive(Debug, Clone, Args)]
pub struct ScopeArgs {
    /// Which connection.
    #[arg(value_name = "CONN")]
    pub connection: Option<String>,
    /// Which month, as 2026-06. A new report is of the present one if none is named; what was signed must be named.
    #[arg(long, value_name = "MONTH")]
    pub period: Option<String>,
    /// Which currency; the organization's own if none is named.
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
}

impl ScopeArgs {
    /// The connection's name, as lists of names go.
    fn names(&self) -> Vec<String> {
        self.connection.iter().cloned().collect()
    }

    /// What of the connection.
    fn scope(&self) -> Scope {
        Scope {
            period: self.period.clone(),
            currency: self.currency.clone(),
        }
    }

    /// The store of the connection that is meant.
    fn store(&self, home: &Home) -> Result<ConnectionStore, Failure> {
        let (name, _) = the_only(home.config.chosen(&self.names())?)?;
        Ok(home.store.connection(name))
    }
}

/// What else can be done with a tie-out.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Takes a difference on: says who looks after it, and what there is to say.
    Own(own::OwnArgs),
    /// Signs a report: it is frozen under its hash, in the history.
    Sign(sign::SignArgs),
    /// What has changed in signed periods since.
    Drift(drift::DriftArgs),
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For scripts.
    Json,
    /// For a spreadsheet.
    Csv,
    /// To read and print.
    Html,
    /// To file.
    Pdf,
}

impl Format {
    /// The report in this form.
    pub fn of(self, made: &Made) -> Result<Vec<u8>, Failure> {
        let report = &made.report;
        Ok(match self {
            Self::Text => tieout_report::text(report, output::width()).into_bytes(),
            Self::Json => {
                let mut value = json!(report);
                value["other_currencies"] = json!(made.others);
                format!("{value}\n").into_bytes()
            }
            Self::Csv => tieout_report::csv(report).into_bytes(),
            Self::Html => tieout_report::html(report).into_bytes(),
            Self::Pdf => tieout_report::pdf(report).map_err(|error| {
                let cause = format!("the PDF can't be made: {error}");
                Failure::failed(Code::new("file"), cause)
            })?,
        })
    }
}

/// Makes the report, or does something with it.
pub async fn run(global: &Global, args: &TieOutArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        None => {}
        Some(Action::Own(args)) => return own::run(global, &home, args).await,
        Some(Action::Sign(args)) => return sign::run(global, &home, args).await,
        Some(Action::Drift(args)) => return drift::run(global, &home, args).await,
    }
    let made = if args.signed {
        sign_off::as_signed(&args.scope.store(&home)?, &args.scope.scope()).await?
    } else {
        make_as_of(global, &home, &args.scope, args.day).await?
    };
    let format = if global.json {
        Format::Json
    } else {
        args.format
    };
    let bytes = format.of(&made)?;
    match &args.out {
        Some(path) => std::fs::write(path, bytes).map_err(|error| {
            let cause = format!("{} can't be written: {error}", path.display());
            Failure::failed(Code::new("file"), cause)
        })?,
        None if format == Format::Pdf && output::is_terminal() => {
            let cause = "a PDF is nothing for the screen: name a file with --out";
            return Err(Failure::usage(Code::new("usage"), cause));
        }
        None => output::bytes(&bytes),
    }
    Ok(if made.report.status == Status::Incomplete {
        Exit::Failed
    } else {
        Exit::Done
    })
}

/// Makes the report of one connection, month and currency.
pub async fn make(global: &Global, home: &Home, scope: &ScopeArgs) -> Result<Made, Failure> {
    make_as_of(global, home, scope, None).await
}

/// The same as of the end of a day, if one is named.
async fn make_as_of(
    global: &Global,
    home: &Home,
    scope: &ScopeArgs,
    day: Option<Date>,
) -> Result<Made, Failure> {
    let names = scope.names();
    with_traces(global, home, (&names, "tie-out"), async |connections| {
        let traced = the_only(connections)?;
        let work = async |connection: &Connection, id: String| {
            tie_out::make(connection, &scope.scope(), day, id).await
        };
        Ok(traced.run(work, done_or_failed).await?)
    })
    .await
}

/// The one connection that was named, or that there is.
fn the_only<T>(mut chosen: Vec<T>) -> Result<T, Failure> {
    if chosen.len() > 1 {
        let cause = "there are several connections: name the one to report on";
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    let cause = "there is no connection to report on";
    chosen
        .pop()
        .ok_or_else(|| Failure::usage(Code::new("no-connection"), cause))
}
