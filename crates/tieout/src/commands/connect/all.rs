//! `connect --all`: every connection of a file. They are checked a few at a time, and stored one after the other, in the
//! file's order. One that fails doesn't stop the others.

use std::path::Path;

use tieout_domain::code::Code;

use super::rows::{self, Rows};
use super::{Asking, ConnectArgs, Connecting, Look, Values, given, table};
use crate::bulk;
use crate::cli::Global;
use crate::commands::preferences;
use crate::config::{Config, held};
use crate::failure::{Exit, Failure};
use crate::home::Home;

/// Connects and checks what the file holds, a line each.
pub(super) async fn run(global: &Global, args: &ConnectArgs, file: &Path) -> Result<Exit, Failure> {
    let mut home = Home::open(&global.place()).await?;
    let Rows {
        connections,
        templates,
    } = rows::read(file)?;
    take_templates(&mut home, &templates).await?;
    let count = connections.len();
    let mut failed = 0;
    let work = |(name, values)| one(&home, args, name, values);
    bulk::each(connections, work, async |(name, looked)| {
        let done = match looked {
            Err(failure) => Err(failure),
            Ok((mut connecting, looked)) => {
                let done = match looked {
                    Ok(look) => connecting.conclude(global, &look).await,
                    Err(failure) => Err(failure),
                };
                connecting.unseal(matches!(done, Ok(Exit::Done))).await;
                done
            }
        };
        match done {
            Ok(Exit::Done) => {}
            Ok(_) => failed += 1,
            Err(failure) => {
                eprintln!("{name}: {failure}");
                failed += 1;
            }
        }
    })
    .await;
    eprintln!("{} of {count} connected", count - failed);
    Ok(if failed == 0 { Exit::Done } else { Exit::Side })
}

/// One of them, gathered and looked at on both sides; nothing is stored.
async fn one<'h>(
    home: &'h Home,
    args: &ConnectArgs,
    name: String,
    values: Values,
) -> (
    String,
    Result<(Connecting<'h>, Result<Look, Failure>), Failure>,
) {
    let args = ConnectArgs {
        name: Some(name.clone()),
        ..args.clone()
    };
    let asking = Asking { terminal: false };
    let given = match given::gather(&args, values, &home.config, &asking) {
        Ok(given) => given,
        Err(failure) => return (name, Err(failure)),
    };
    let mut connecting = Connecting {
        home,
        given,
        asking,
        sealed: Vec::new(),
        moving_over: false,
        actor: crate::assemble::actor(),
    };
    let looked = connecting.credentials_and_look(&args).await;
    (name, Ok((connecting, looked)))
}

/// Templates that the file brings along go into the configuration, where it has none of that name.
async fn take_templates(home: &mut Home, templates: &Values) -> Result<(), Failure> {
    if templates.is_empty() {
        return Ok(());
    }
    let path = home.config.path.clone();
    let _held = held(&path).await?;
    let text = table::with_templates(&path, templates)?;
    home.config = Config::parse(&text, &path)?;
    preferences::replace(&path, &text)
}

/// Refuses what can't be read once for all.
pub(super) fn refuse_input(file: &Path) -> Result<(), Failure> {
    if file == Path::new("-") {
        let cause =
            "`--all` needs the file's name to know its kind: name a file, not standard input";
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    Ok(())
}
