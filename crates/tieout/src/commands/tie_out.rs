//! `tieout tie-out`: whether the two sides agree at a month's end, item by item.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::{Currency, RecordRef};
use tieout_engine::Connection;
use tieout_engine::tie_out::{TieOutOptions, tie_out};
use tieout_flows::tie_out::input::Note;
use tieout_flows::tie_out::{Report, Status};
use tieout_store::{Commit, ConnectionStore, Fact};

use super::audit::find;
use super::sync::{connections, run_id};
use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// Under this name the store keeps what people say of differences, among their other decisions.
pub const NOTES: &str = "tie-out";

/// What stands before the owner's name in such a decision.
const OWNED_BY: &str = "owned by ";

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
    /// Which month, as 2026-06; the present one if none is named.
    #[arg(long, value_name = "MONTH")]
    pub period: Option<String>,
    /// Which currency; the organization's own if none is named.
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
}

/// What else can be done with a tie-out.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Takes a difference on: says who looks after it, and what there is to say.
    Own(OwnArgs),
}

/// What `tie-out own` takes.
#[derive(Debug, Args)]
pub struct OwnArgs {
    /// Which connection.
    #[arg(value_name = "CONN")]
    pub connection: String,
    /// The record that the difference names, by SIDE/KIND/ID, id or number.
    #[arg(value_name = "RECORD")]
    pub record: String,
    /// Who looks after it.
    #[arg(long, value_name = "NAME")]
    pub owner: String,
    /// What there is to say of it.
    #[arg(long, value_name = "TEXT")]
    pub comment: String,
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
    if let Some(Action::Own(args)) = &args.action {
        return own(global, &home, args).await;
    }
    let made = make(global, &home, &args.scope).await?;
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

/// A report, and how the connection's other currencies stand.
pub struct Made {
    /// The one asked for.
    pub report: Report,
    /// Status by currency.
    pub others: BTreeMap<Currency, Status>,
}

/// Makes the report of one connection, month and currency.
pub async fn make(global: &Global, home: &Home, scope: &ScopeArgs) -> Result<Made, Failure> {
    let names: Vec<String> = scope.connection.iter().cloned().collect();
    let mut chosen = connections(global, home, &names).await?;
    if chosen.len() > 1 {
        let cause = "there are several connections: name the one to report on";
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    let Some(connection) = chosen.pop() else {
        let cause = "there is no connection to report on";
        return Err(Failure::usage(Code::new("no-connection"), cause));
    };
    let month = month(&connection, scope.period.as_deref())?;
    let options = TieOutOptions {
        month,
        id: run_id(),
        notes: notes(&connection.store).await?,
        notices: Vec::new(),
    };
    let wanted = scope
        .currency
        .as_deref()
        .map(|code| {
            code.parse::<Currency>()
                .map_err(|error| Failure::usage(Code::new("usage"), format!("`{code}`: {error}")))
        })
        .transpose()?
        .unwrap_or(connection.home_currency);
    let mut reports = tie_out(&connection, &options).await?;
    let at = reports.iter().position(|report| report.currency == wanted);
    let Some(at) = at else {
        let cause = format!("neither side has anything in {wanted}");
        return Err(Failure::usage(Code::new("usage"), cause));
    };
    let report = reports.swap_remove(at);
    Ok(Made {
        report,
        others: reports
            .iter()
            .map(|other| (other.currency, other.status))
            .collect(),
    })
}

/// The first day of a month; of the present one if none is named.
fn month(connection: &Connection, named: Option<&str>) -> Result<Date, Failure> {
    let Some(text) = named else {
        let today = connection
            .timer
            .now()
            .to_zoned(connection.time_zone.clone());
        return Ok(today.date().first_of_month());
    };
    named_month(text)
}

/// The first day of the month that a text names.
pub fn named_month(text: &str) -> Result<Date, Failure> {
    format!("{}-01", text.trim()).parse().map_err(|_| {
        let cause = format!("`{text}` is no month; a month is written as 2026-06");
        Failure::usage(Code::new("usage"), cause)
    })
}

/// What was said of differences, by record.
async fn notes(store: &ConnectionStore) -> Result<BTreeMap<RecordRef, Note>, Failure> {
    let decisions = store.decisions_in(NOTES).await?;
    Ok(decisions
        .into_iter()
        .filter_map(|decision| {
            let owner = decision.decision.strip_prefix(OWNED_BY)?.to_owned();
            let note = Note {
                owner,
                comment: decision.reason,
            };
            Some((decision.record, note))
        })
        .collect())
}

async fn own(global: &Global, home: &Home, args: &OwnArgs) -> Result<Exit, Failure> {
    let names = [args.connection.clone()];
    let chosen = home.config.chosen(&names)?;
    for (name, _) in chosen {
        let store = home.store.connection(name);
        let record = match args.record.parse::<RecordRef>() {
            Ok(record) => record,
            Err(_) => the_one(find(&store, &args.record).await?, &args.record)?,
        };
        let fact = Fact::Decided {
            flow: NOTES.to_owned(),
            record: record.clone(),
            decision: format!("{OWNED_BY}{}", args.owner.trim()),
            reason: args.comment.trim().to_owned(),
        };
        let commit = Commit {
            actor: actor(),
            facts: vec![fact],
            ..Commit::default()
        };
        store.commit(commit).await?;
        if global.json {
            output::json(&json!({"connection": name, "record": record, "owner": args.owner}));
        } else {
            output::line(&format!("{record} is {}'s", args.owner.trim()));
        }
    }
    Ok(Exit::Done)
}

fn the_one(mut found: Vec<RecordRef>, text: &str) -> Result<RecordRef, Failure> {
    match (found.pop(), found.is_empty()) {
        (Some(record), true) => Ok(record),
        (None, _) => {
            let cause = format!("`{text}` is no record that is known");
            Err(Failure::usage(Code::new("unknown-record"), cause))
        }
        (Some(last), false) => {
            let names: Vec<String> = found
                .iter()
                .chain([&last])
                .map(ToString::to_string)
                .collect();
            let cause = format!("`{text}` may be any of {}", names.join(", "));
            Err(Failure::usage(Code::new("unknown-record"), cause))
        }
    }
}
