//! `connect --all`: every connection of a file, one after the other. One that fails doesn't stop the others.

use std::path::Path;

use serde_json::Value;
use tieout_domain::code::Code;

use super::{ConnectArgs, given};
use crate::cli::Global;
use crate::failure::{Exit, Failure};

/// Connects and checks what the file holds, a line each.
pub(super) async fn run(global: &Global, args: &ConnectArgs, file: &Path) -> Result<Exit, Failure> {
    if file == Path::new("-") {
        let cause =
            "`--all` reads its file once for each connection: name a file, not standard input";
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    let names = names(file)?;
    let count = names.len();
    let mut failed = 0;
    for name in names {
        let one = ConnectArgs {
            name: Some(name.clone()),
            all: false,
            ..args.clone()
        };
        match Box::pin(super::run(global, &one)).await {
            Ok(Exit::Done) => {}
            Ok(_) => failed += 1,
            Err(failure) => {
                eprintln!("{name}: {failure}");
                failed += 1;
            }
        }
    }
    eprintln!("{} of {count} connected", count - failed);
    Ok(if failed == 0 { Exit::Done } else { Exit::Side })
}

fn names(file: &Path) -> Result<Vec<String>, Failure> {
    match given::document(file)?.get("connections") {
        Some(Value::Object(all)) if !all.is_empty() => Ok(all.keys().cloned().collect()),
        _ => {
            let cause = format!("{}: it holds no `[connections.NAME]`", file.display());
            Err(Failure::usage(Code::new("connect-incomplete"), cause))
        }
    }
}
