//! `tieout disconnect`: stops a connection. Its table, links, marks and history stay, so that connecting again
//! resumes and makes nothing twice (scenario 212).

use std::io::IsTerminal;

use clap::Args;
use serde_json::json;
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;
use tieout_store::Fact;
use toml_edit::DocumentMut;

use super::preferences::replace;
use crate::assemble::{Shared, actor, credential_name};
use crate::cli::Global;
use crate::config::{Config, ConnectionConfig, held};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::pending;
use crate::subscriptions::Keeper;
use crate::trial::uses;

/// What `disconnect` takes.
#[derive(Debug, Args)]
pub struct DisconnectArgs {
    /// The connection.
    #[arg(value_name = "CONN")]
    pub connection: String,
    /// Don't ask.
    #[arg(long)]
    pub yes: bool,
    /// Keep its credentials, also where nothing else uses them.
    #[arg(long)]
    pub keep_credentials: bool,
}

/// Stops it.
pub async fn run(global: &Global, args: &DisconnectArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let names = [args.connection.clone()];
    let chosen = home.config.chosen(&names)?;
    let Some((name, config)) = chosen.into_iter().next() else {
        return Ok(Exit::Done);
    };
    let forgotten = if args.keep_credentials {
        Vec::new()
    } else {
        unshared(&home, config)
    };
    if config.enabled {
        confirm(args, &forgotten)?;
        switch_off(&home.config, name.as_str()).await?;
        let text = format!("disconnected `{name}`; its links and history stay");
        let installation = home.store.installation();
        installation
            .commit(&actor(), vec![Fact::Note { text }])
            .await?;
    }
    unsubscribe(&home, name, config).await;
    for credential in &forgotten {
        pending::forget(&home, credential, &actor()).await?;
    }
    if global.json {
        output::json(&json!({"connection": name, "enabled": false, "forgotten": forgotten}));
        return Ok(Exit::Done);
    }
    output::line(&format!(
        "`{name}` is disconnected: it runs no more, and its links and history stay"
    ));
    for credential in &forgotten {
        output::line(&format!(
            "forgot the credential `{credential}`: nothing else uses it"
        ));
    }
    output::line(&format!("to resume: tieout connect {name}"));
    Ok(Exit::Done)
}

/// Removes its subscriptions to notifications, before the credential is forgotten that they need. Where the service can't
/// be asked it says so: what it goes on to send finds nobody.
async fn unsubscribe(home: &Home, name: &ConnectionName, config: &ConnectionConfig) {
    let removed = async {
        let (vault, shared) = (home.vault().await?, Shared::new()?);
        let keeper = Keeper {
            home,
            vault: &vault,
            shared: &shared,
        };
        keeper.remove(name, config).await
    };
    if let Err(failure) = removed.await {
        eprintln!(
            "`{name}` may still be sent notifications, which nobody heeds: {}",
            failure.cause
        );
    }
}

/// The credentials that no other connection uses. One that is switched off counts: it may come back.
fn unshared(home: &Home, config: &ConnectionConfig) -> Vec<String> {
    let sides = [&config.ledger_settings, &config.platform_settings];
    let named = sides.into_iter().filter_map(credential_name);
    let alone = |name: &&str| uses(home, name).len() == 1;
    named.filter(alone).map(str::to_owned).collect()
}

fn confirm(args: &DisconnectArgs, forgotten: &[String]) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    let refused = |cause: String| Failure::usage(Code::new("not-confirmed"), cause);
    let name = &args.connection;
    if !std::io::stdin().is_terminal() {
        return Err(refused(format!(
            "`{name}` is not disconnected without a yes; give --yes"
        )));
    }
    if !forgotten.is_empty() {
        eprintln!(
            "credentials that are forgotten with it: {}",
            forgotten.join(", ")
        );
    }
    eprint!("disconnect `{name}`? [y/N] ");
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::failed(Code::new("file"), error.to_string()))?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(refused(format!("`{name}` stays connected"))),
    }
}

/// Writes `enabled = false` into the connection's table, and nothing else.
async fn switch_off(config: &Config, name: &str) -> Result<(), Failure> {
    let path = &config.path;
    let _held = held(path).await?;
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::file("can't read", path, &error))?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Failure::usage(
            Code::new("config-syntax"),
            format!("{}: {error}", path.display()),
        )
    })?;
    document["connections"][name]["enabled"] = toml_edit::value(false);
    let text = document.to_string();
    Config::parse(&text, path)?;
    replace(path, &text)
}
