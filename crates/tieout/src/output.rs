//! What people and scripts see: tables and JSON on standard output, messages on standard error.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use serde_json::json;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::failure::Failure;
use crate::kept_log;

/// The width of a result that goes into a pipe or a file.
const WIDTH: usize = 140;
/// Below this nothing is readable.
const WIDTH_MIN: usize = 80;

/// Starts the log: warnings unless more or less is asked for; `TIEOUT_LOG` overrides. A service's log that nobody
/// reads on a terminal is one JSON object a line. What is said is also kept in the home, if there is one.
pub fn log(verbose: u8, quiet: bool, service: bool, home: PathBuf) {
    let level = match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_from_env("TIEOUT_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let terminal = std::io::stderr().is_terminal();
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(terminal && std::env::var_os("NO_COLOR").is_none())
        .with_target(false);
    let shown = if service && !terminal {
        shown.json().flatten_event(true).boxed()
    } else {
        shown.boxed()
    };
    let kept = tracing_subscriber::fmt::layer()
        .with_writer(move || kept_log::Appender::of(&home))
        .with_ansi(false)
        .with_target(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(shown)
        .with(kept)
        .init();
}

/// Prints a failure: its code, cause and fix on standard error, and as JSON on standard output if asked.
pub fn failure(failure: &Failure, as_json: bool) {
    eprintln!("{failure}");
    if as_json {
        json(&json!({"error": {
            "code": failure.code,
            "cause": failure.cause,
            "fix": failure.code.fix(),
        }}));
    }
}

/// Prints one JSON document. A closed pipe is nobody's failure.
pub fn json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        line(&text);
    }
}

/// Prints a line of the result.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a result that is made of lines, or of no text at all.
pub fn bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes);
    let _ = out.flush();
}

/// Whether the result is shown on a terminal.
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// How many characters a line of the result may have.
pub fn width() -> usize {
    let width = comfy_table::Table::new().width();
    width.map_or(WIDTH, |width| usize::from(width).max(WIDTH_MIN))
}

/// A table without borders; the columns named in `right` are aligned to the right.
pub fn table(header: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
