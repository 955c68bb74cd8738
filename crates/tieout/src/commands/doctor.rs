//! `tieout doctor`: checks everything that can be wrong with a connection, and says which it is.

mod look;

use clap::Args;
use serde_json::{Value, json};
use tieout_domain::check::{Check, Status};

pub use self::look::{Examined, examine};
use crate::assemble::Shared;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `doctor` takes.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Which connections; all if none is named.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
    /// A sealed credential of another user of the same account, to read there why a sign-in was refused.
    #[arg(long, value_name = "NAME")]
    pub auditor: Option<String>,
}

/// Checks the connections. One that is broken doesn't hide the others.
pub async fn run(global: &Global, args: &DoctorArgs) -> Result<Exit, Failure> {
    let home = match Home::open(&global.place()).await {
        Ok(home) => home,
        Err(failure) if UNREADABLE.contains(&failure.code.as_str()) => {
            return Ok(unreadable(global, failure));
        }
        Err(failure) => return Err(failure),
    };
    let shared = Shared::new()?;
    let auditor = args.auditor.as_deref();
    let examined = examine(&home, &shared, &args.connections, auditor).await?;
    if global.json {
        output::json(&document(&examined));
    } else {
        examined.iter().for_each(|one| tell(one, global.quiet));
    }
    Ok(exit(&examined))
}

/// What keeps the whole configuration from being read, and is a finding like any other.
const UNREADABLE: [&str; 3] = ["config-syntax", "config-unknown-key", "config-value"];

/// The configuration can't be read: that is the finding, and nothing else can be checked.
fn unreadable(global: &Global, failure: Failure) -> Exit {
    let check = Check::found(Status::Failed, failure.code, failure.cause);
    if global.json {
        output::json(&json!({ "checks": [entry("", ("", &check))] }));
    } else {
        output::line("the configuration");
        tell_check(("", &check), global.quiet);
    }
    Exit::Side
}

/// 4 where something keeps a connection from working.
#[must_use]
pub fn exit(examined: &[Examined]) -> Exit {
    let failed = |one: &Examined| one.checks().any(|(_, it)| it.status == Status::Failed);
    if examined.iter().any(failed) {
        Exit::Side
    } else {
        Exit::Done
    }
}

/// All checks as the contract has them.
#[must_use]
pub fn document(examined: &[Examined]) -> Value {
    let checks: Vec<_> = examined
        .iter()
        .flat_map(|one| one.checks().map(|check| entry(one.name(), check)))
        .collect();
    json!({ "checks": checks })
}

fn entry(connection: &str, (side, check): (&str, &Check)) -> Value {
    json!({
        "connection": connection, "code": check.code, "status": check.status,
        "cause": about(side, &check.cause), "fix": check.fix, "who": check.who,
    })
}

/// A cause with the side that it is about, unless it says so itself.
fn about(side: &str, cause: &str) -> String {
    if side.is_empty() || cause.to_lowercase().starts_with(side) {
        cause.to_owned()
    } else {
        format!("{side}: {cause}")
    }
}

fn tell(examined: &Examined, quiet: bool) {
    output::line(examined.name());
    examined.checks().for_each(|check| tell_check(check, quiet));
}

fn tell_check((side, check): (&str, &Check), quiet: bool) {
    let word = match check.status {
        Status::Ok if quiet => return,
        Status::Ok => "ok",
        Status::Note => "note",
        Status::Warning => "warning",
        Status::Failed => "failed",
    };
    let code = match check.status {
        Status::Ok => String::new(),
        _ => format!("[{}] ", check.code),
    };
    let cause = about(side, &check.cause);
    output::line(&format!("  {word:8} {code}{cause}"));
    if check.status != Status::Ok && !check.fix.is_empty() {
        output::line(&format!("           fix: {}", check.fix));
        output::line(&format!("           who: {}", check.who));
    }
}
