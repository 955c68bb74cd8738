//! `tieout tenants delete`: everything of a tenant leaves the store and the configuration. What is left is the proof in
//! the installation's history: which chains went, how long they were and how they ended, who did it and when.
//!
//! Each connection leaves in one transaction of its own, and the configuration changes last: what was interrupted is
//! done to its end by asking again.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;

use clap::Args;
use serde_json::json;
use tieout_desk::DeskError;
use tieout_domain::code::Code;
use tieout_domain::{ConnectionName, TenantName};
use tieout_store::{Deleted, UserEdit};
use toml_edit::{DocumentMut, TableLike};

use super::{Members, unknown};
use crate::assemble::{actor, credential_name};
use crate::cli::Global;
use crate::commands::preferences::replace;
use crate::config::{Config, held};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::pending;
use crate::trial::uses;

/// What `tenants delete` takes.
#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// The tenant.
    #[arg(value_name = "NAME")]
    tenant: TenantName,
    /// On whose demand, and why: part of the proof.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Don't ask.
    #[arg(long)]
    yes: bool,
}

/// Deletes.
pub(super) async fn run(global: &Global, home: &Home, args: &DeleteArgs) -> Result<Exit, Failure> {
    let tenant = &args.tenant;
    let members = Members::of(home, tenant).await?;
    let connections: Vec<ConnectionName> = home
        .config
        .of_tenant(tenant)
        .into_iter()
        .map(|(name, _)| name.clone())
        .collect();
    if connections.is_empty() && members.is_empty() {
        return Err(unknown(tenant));
    }
    refuse_running(home, tenant)?;
    let credentials = alone(home, &connections);
    confirm(args, &connections, &credentials, &members)?;
    let mut gone = Vec::new();
    for name in &connections {
        let store = home.store.connection(name);
        let deleted = store.delete(Some(tenant), &actor(), &args.reason).await?;
        gone.push((name, deleted));
    }
    for credential in &credentials {
        pending::forget(home, credential, &actor()).await?;
    }
    let users = let_go(home, tenant, members).await?;
    unwrite(&home.config, &connections).await?;
    report(global, tenant, &gone, &credentials, &users);
    Ok(Exit::Done)
}

/// Nothing is deleted under the hands of whoever works on it.
fn refuse_running(home: &Home, tenant: &TenantName) -> Result<(), Failure> {
    let all = home.config.of_tenant(tenant).into_iter();
    let running: Vec<_> = all
        .filter(|(_, config)| config.enabled)
        .map(|(name, _)| name.as_str())
        .collect();
    if running.is_empty() {
        return Ok(());
    }
    let cause = format!(
        "{} of `{tenant}` still run: disconnect them first",
        running.join(", ")
    );
    Err(DeskError::refused(Code::new("tenant-connected"), cause).into())
}

/// The credentials that nothing but these connections uses.
fn alone(home: &Home, connections: &[ConnectionName]) -> BTreeSet<String> {
    let configs = connections
        .iter()
        .filter_map(|it| home.config.connections.get(it));
    let sides = configs.flat_map(|it| [&it.ledger_settings, &it.platform_settings]);
    sides
        .filter_map(credential_name)
        .filter(|name| {
            let mut used = uses(home, name).into_iter();
            let shared = used.any(|it| !connections.contains(it.connection));
            !shared && home.config.uses_itself(name).is_empty()
        })
        .map(str::to_owned)
        .collect()
}

fn confirm(
    args: &DeleteArgs,
    connections: &[ConnectionName],
    credentials: &BTreeSet<String>,
    members: &Members,
) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    let tenant = &args.tenant;
    let refused = |cause: String| Failure::usage(Code::new("not-confirmed"), cause);
    if !std::io::stdin().is_terminal() {
        let cause = format!("`{tenant}` is not deleted without a yes; give --yes");
        return Err(refused(cause));
    }
    let names: Vec<_> = connections.iter().map(ToString::to_string).collect();
    let sealed: Vec<_> = credentials.iter().cloned().collect();
    let users: Vec<_> = members.users.iter().map(|it| it.name.clone()).collect();
    for (what, all) in [
        ("connections, with their histories", names),
        ("credentials", sealed),
        ("users who lose it", users),
    ] {
        if !all.is_empty() {
            eprintln!("{what}: {}", all.join(", "));
        }
    }
    eprintln!(
        "nothing of it can be brought back but from a backup; `tieout tenants export` keeps it as files"
    );
    eprint!("write the tenant's name to delete it: ");
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::failed(Code::new("file"), error.to_string()))?;
    if answer.trim() == tenant.as_str() {
        return Ok(());
    }
    Err(refused(format!("nothing of `{tenant}` is deleted")))
}

/// Takes the tenant from its users: who has no other one is removed and forgotten, for nobody may come to see
/// everything by it. Tokens that name it are good for nothing any more, also if the name is given again.
async fn let_go(
    home: &Home,
    tenant: &TenantName,
    members: Members,
) -> Result<Vec<String>, Failure> {
    let people = home.store.people();
    for token in members.tokens {
        people.revoke_token(&token.name, &actor()).await?;
    }
    let mut removed = Vec::new();
    for user in members.users {
        let mut left = user.tenants;
        left.retain(|it| it != tenant);
        if left.is_empty() {
            people.remove(&user.name, &actor()).await?;
            people.erase(&user.name, &actor()).await?;
            removed.push(user.name);
        } else {
            let edit = UserEdit {
                tenants: Some(left),
                ..UserEdit::default()
            };
            people.change(&user.name, &edit, &actor()).await?;
        }
    }
    Ok(removed)
}

/// Takes the connections' tables out of the configuration. All else in the file stays as a person wrote it.
async fn unwrite(config: &Config, connections: &[ConnectionName]) -> Result<(), Failure> {
    let path = &config.path;
    let _held = held(path).await?;
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::file("can't read", path, &error))?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let cause = format!("{}: {error}", path.display());
        Failure::usage(Code::new("config-syntax"), cause)
    })?;
    let all = document.get_mut("connections");
    let kept = match all.and_then(|all| all.as_table_like_mut()) {
        Some(all) => take_off(all, connections),
        None => String::new(),
    };
    // What stood above a heading and was not of its table is kept, below all the rest.
    let text = format!("{document}{kept}");
    Config::parse(&text, path)?;
    replace(path, &text)
}

/// Takes the tables off, and gives the comments that stood above their headings with a blank line between.
fn take_off(all: &mut dyn TableLike, connections: &[ConnectionName]) -> String {
    let mut kept = String::new();
    for name in connections {
        let removed = all.remove(name.as_str());
        let table = removed.as_ref().and_then(|item| item.as_table());
        let above = table.and_then(|table| table.decor().prefix()?.as_str());
        if let Some((others, _)) = above.and_then(|above| above.rsplit_once("\n\n")) {
            kept.push_str(others);
            kept.push('\n');
        }
    }
    kept
}

fn report(
    global: &Global,
    tenant: &TenantName,
    gone: &[(&ConnectionName, Deleted)],
    credentials: &BTreeSet<String>,
    users: &[String],
) {
    if global.json {
        let connections: Vec<_> = gone
            .iter()
            .map(|(name, deleted)| json!({"connection": name, "deleted": deleted}))
            .collect();
        output::json(&json!({
            "tenant": tenant, "connections": connections, "credentials": credentials, "users": users,
        }));
        return;
    }
    for (name, deleted) in gone {
        let rows: u64 = deleted.rows.values().sum();
        let hash = match deleted.hash.as_str() {
            "" => "none",
            hash => hash,
        };
        output::line(&format!(
            "{name}: {} entries and {rows} rows deleted; the last entry was {hash}",
            deleted.entries
        ));
    }
    for (what, names) in [
        (
            "credentials forgotten",
            credentials.iter().cloned().collect(),
        ),
        ("users removed", users.to_vec()),
    ] {
        let names: Vec<String> = names;
        if !names.is_empty() {
            output::line(&format!("{what}: {}", names.join(", ")));
        }
    }
    output::line(&format!(
        "the tenant `{tenant}` is deleted; the installation's history says so. Backups that were made before still have it"
    ));
}
