//! `tieout audit export`: a month's evidence as files that can be read and checked without tieout.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use tieout_desk::tie_out::named_month;
use tieout_domain::code::Code;
use tieout_domain::{Clock as _, ConnectionName, State, TenantName, Timestamp};
use tieout_store::{ItemFilter, Store, StoreError};

use crate::cli::Global;
use crate::evidence::files::Pack;
use crate::evidence::index::{Head, MANIFEST, Manifest, README, VERIFY, VERIFY_LINES, readme};
use crate::evidence::registers::{Registers, Span};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::seams::WallClock;

/// What `audit export` takes.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Which month, as 2026-06, by the company's time zone.
    #[arg(long, value_name = "MONTH")]
    pub period: String,
    /// Where to: a folder that isn't there yet, or is empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Only of this connection.
    #[arg(long, value_name = "CONN")]
    pub connection: Option<String>,
}

/// How many entries or items are read at once.
const PAGE: u32 = 250;

/// A chain to export, and what of it is the period.
pub(super) struct Part<'a> {
    /// Whose; the installation's own if nothing is said.
    pub(super) connection: Option<&'a ConnectionName>,
    /// The period.
    pub(super) span: Span,
}

/// What a pack tells of itself.
pub(super) struct Told {
    /// When it is made.
    pub(super) made: Timestamp,
    /// Which month, as 2026-06; `all` for all that there is.
    pub(super) period: String,
    /// Whether that is over.
    pub(super) over: bool,
    /// Whose it is, where it is of a tenant.
    pub(super) tenant: Option<TenantName>,
}

/// Exports.
pub async fn run(global: &Global, home: &Home, args: &ExportArgs) -> Result<Exit, Failure> {
    if taken(&args.out)? {
        let path = args.out.clone();
        return Err(StoreError::BackupExists { path }.into());
    }
    let month = named_month(&args.period)?;
    let names: Vec<String> = args.connection.iter().cloned().collect();
    let mut parts = Vec::new();
    for (name, config) in home.config.chosen(&names)? {
        let connection = Some(name);
        let span = span(month, &config.time_zone)?;
        parts.push(Part { connection, span });
    }
    // The installation is in no time zone: its period holds that of every connection.
    let (first, last) = (
        parts.iter().map(|part| part.span.from).min(),
        parts.iter().map(|part| part.span.until).max(),
    );
    let (Some(from), Some(until)) = (first, last) else {
        let cause = "there is no connection to export";
        return Err(Failure::usage(Code::new("no-connection"), cause));
    };
    let made = WallClock.now();
    if made < from {
        let cause = format!("{} has not begun", args.period.trim());
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    parts.push(Part {
        connection: None,
        span: Span { from, until },
    });
    holds(&home.store, &parts).await?;
    let mut pack = Pack::begin(&args.out)?;
    let told = Told {
        made,
        period: month.strftime("%Y-%m").to_string(),
        over: parts.iter().all(|part| part.span.until <= made),
        tenant: None,
    };
    let manifest = write(&home.store, &parts, told, &mut pack).await?;
    pack.finish()?;
    report(global, &args.out, &manifest);
    Ok(Exit::Done)
}

/// Whether something is in the way. What can't be looked at is.
pub(super) fn taken(folder: &Path) -> Result<bool, Failure> {
    match std::fs::read_dir(folder) {
        Ok(mut inside) => Ok(inside.next().is_some()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(_) if folder.exists() => Ok(true),
        Err(error) => Err(Failure::file("can't look into", folder, &error)),
    }
}

fn span(month: Date, zone: &TimeZone) -> Result<Span, Failure> {
    let moment = |day: Date| {
        day.to_zoned(zone.clone())
            .map(|start| start.timestamp())
            .map_err(|error| {
                Failure::usage(
                    Code::new("usage"),
                    format!("{day} is no day there: {error}"),
                )
            })
    };
    Ok(Span {
        from: moment(month)?,
        until: moment(month.saturating_add(1.month()))?,
    })
}

/// Evidence is made only of a history that holds.
pub(super) async fn holds(store: &Store, parts: &[Part<'_>]) -> Result<(), Failure> {
    let found = store.verify().await?;
    let ours = |chain: &str| {
        parts
            .iter()
            .any(|part| store.export(part.connection).chain() == chain)
    };
    match found.faults.iter().find(|fault| ours(&fault.chain)) {
        None => Ok(()),
        Some(fault) => {
            let entry = fault.seq.map(|seq| format!(" entry {seq}"));
            let cause = format!(
                "the history does not hold: {}{}: {}",
                fault.chain,
                entry.unwrap_or_default(),
                fault.cause
            );
            Err(StoreError::Corrupt { cause }.into())
        }
    }
}

/// Writes everything but the sums.
pub(super) async fn write(
    store: &Store,
    parts: &[Part<'_>],
    told: Told,
    pack: &mut Pack,
) -> Result<Manifest, Failure> {
    pack.folder("chain")?;
    let mut registers = Registers::begin(pack)?;
    let mut chains = Vec::new();
    for part in parts {
        let span = Span {
            until: part.span.until.min(told.made),
            ..part.span
        };
        chains.push(chain(store, part.connection, span, pack, &mut registers).await?);
        if let Some(connection) = part.connection {
            exceptions(store, connection, &mut registers).await?;
        }
    }
    let manifest = Manifest {
        tieout: env!("CARGO_PKG_VERSION"),
        made: told.made,
        period: told.period,
        over: told.over,
        tenant: told.tenant,
        chains,
        registers: registers.end(pack)?,
    };
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    pack.text(MANIFEST, &format!("{text}\n"))?;
    pack.text(VERIFY, VERIFY_LINES)?;
    pack.text(README, &readme(&manifest))?;
    Ok(manifest)
}

/// Writes one chain from its first entry on, and the rows of its registers.
async fn chain(
    store: &Store,
    connection: Option<&ConnectionName>,
    span: Span,
    pack: &mut Pack,
    registers: &mut Registers,
) -> Result<Head, Failure> {
    let export = store.export(connection);
    let last = export.last_before(span.until).await?;
    let name = format!("chain/{}.jsonl", export.chain());
    let mut file = pack.file(&name)?;
    let mut head = Head {
        chain: export.chain().to_owned(),
        file: name,
        from: span.from,
        until: span.until,
        seq: 0,
        hash: String::new(),
    };
    while head.seq < last {
        let page = export.page(head.seq, PAGE).await?;
        if page.is_empty() {
            let cause = format!("entry {} of {} is missing", head.seq + 1, head.chain);
            return Err(StoreError::Corrupt { cause }.into());
        }
        for exported in page {
            if exported.sealed.seq > last {
                break;
            }
            let line = serde_json::to_string(&exported.sealed).unwrap_or_default();
            file.put(format!("{line}\n").as_bytes())?;
            registers.take(&exported, span)?;
            head.seq = exported.sealed.seq;
            head.hash = exported.sealed.hash;
        }
    }
    registers.end_chain(&head.chain, span)?;
    pack.end(file)?;
    Ok(head)
}

/// What waits for a person now.
async fn exceptions(
    store: &Store,
    connection: &ConnectionName,
    registers: &mut Registers,
) -> Result<(), Failure> {
    let store = store.connection(connection);
    let states = State::ALL
        .into_iter()
        .filter(|state| state.needs_a_person());
    let filter = ItemFilter {
        states: states.collect(),
        ..ItemFilter::default()
    };
    let mut after = None;
    loop {
        let from = after
            .as_ref()
            .map(|(flow, record): &(String, _)| (flow.as_str(), record));
        let page = store.items_page(&filter, from, PAGE).await?;
        for item in &page {
            registers.exception(connection.as_str(), item)?;
        }
        let Some(last) = page.into_iter().last() else {
            return Ok(());
        };
        after = Some((last.flow, last.record));
    }
}

pub(super) fn report(global: &Global, folder: &Path, manifest: &Manifest) {
    if global.json {
        output::json(&json!({"folder": folder, "manifest": manifest}));
        return;
    }
    let entries = manifest.registers.get("entries").unwrap_or(&0);
    let whole = manifest.tenant.as_ref();
    let of = whole.map_or_else(|| manifest.period.clone(), |it| format!("all of {it}"));
    output::line(&format!(
        "evidence of {of} in {}: {entries} entries; README.txt tells what is what, and how to check it",
        folder.display()
    ));
    for head in &manifest.chains {
        let hash = if head.hash.is_empty() {
            "none"
        } else {
            &head.hash
        };
        output::line(&format!(
            "  {}: up to entry {}, {hash}",
            head.chain, head.seq
        ));
    }
    if !manifest.over && manifest.tenant.is_none() {
        output::line("the month is not over: this goes up to now");
    }
}
