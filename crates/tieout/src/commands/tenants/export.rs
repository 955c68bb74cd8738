//! `tieout tenants export`: everything of a tenant as files, checked as `audit export` is.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::{Clock as _, TenantName, Timestamp};
use tieout_store::{Fact, StoreError};
use toml_edit::{DocumentMut, Item, Table};

use super::{Members, unknown};
use crate::cli::Global;
use crate::commands::export::{self, Part, Told};
use crate::evidence::files::Pack;
use crate::evidence::registers::Span;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::seams::WallClock;

/// What `tenants export` takes.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The tenant.
    #[arg(value_name = "NAME")]
    tenant: TenantName,
    /// Where to: a folder that isn't there yet, or is empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// The file with the tenant's part of the configuration.
const CONFIG: &str = "tieout.toml";
/// The file with the users and tokens that are limited to the tenant.
const USERS: &str = "users.json";
/// The folder with what was signed, each under its SHA-256.
const SIGNED: &str = "signed";

/// Exports.
pub(super) async fn run(global: &Global, home: &Home, args: &ExportArgs) -> Result<Exit, Failure> {
    if export::taken(&args.out)? {
        let path = args.out.clone();
        return Err(StoreError::BackupExists { path }.into());
    }
    let tenant = &args.tenant;
    let connections = home.config.of_tenant(tenant);
    if connections.is_empty() {
        return Err(unknown(tenant));
    }
    let made = WallClock.now();
    let span = Span {
        from: Timestamp::UNIX_EPOCH,
        until: made,
    };
    let part = |(name, _)| Part {
        connection: Some(name),
        span,
    };
    let parts: Vec<Part<'_>> = connections.into_iter().map(part).collect();
    export::holds(&home.store, &parts).await?;
    let mut pack = Pack::begin(&args.out)?;
    pack.text(CONFIG, &configuration(home, tenant)?)?;
    pack.text(USERS, &users(home, tenant).await?)?;
    signed(home, &parts, &mut pack).await?;
    let told = Told {
        made,
        period: "all".to_owned(),
        over: false,
        tenant: Some(tenant.clone()),
    };
    let manifest = export::write(&home.store, &parts, told, &mut pack).await?;
    pack.finish()?;
    export::report(global, &args.out, &manifest);
    Ok(Exit::Done)
}

/// The tables of its connections, and the templates that they rest on, as they are in the file. There is no secret in
/// it: credentials are named, and sealed in the store.
fn configuration(home: &Home, tenant: &TenantName) -> Result<String, Failure> {
    let path = &home.config.path;
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::file("can't read", path, &error))?;
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let cause = format!("{}: {error}", path.display());
        Failure::usage(Code::new("config-syntax"), cause)
    })?;
    let (mut connections, mut templates) = (Table::new(), Table::new());
    connections.set_implicit(true);
    templates.set_implicit(true);
    for (name, config) in home.config.of_tenant(tenant) {
        let name = name.as_str();
        if let Some(table) = under(&document, "connections", name) {
            connections.insert(name, bare(table));
        }
        let template = config.template.as_ref().map(|(template, _)| template);
        if let Some(template) = template
            && let Some(table) = under(&document, "templates", template)
        {
            templates.insert(template, bare(table));
        }
    }
    let mut ours = DocumentMut::new();
    if !templates.is_empty() {
        ours.insert("templates", Item::Table(templates));
    }
    ours.insert("connections", Item::Table(connections));
    Ok(ours.to_string())
}

/// A table without the comments above its headings: they may be what stood below another's.
fn bare(item: &Item) -> Item {
    fn bared(table: &mut Table) {
        table.decor_mut().clear();
        for (_, item) in table.iter_mut() {
            if let Some(inner) = item.as_table_mut() {
                bared(inner);
            }
        }
    }
    let mut item = item.clone();
    if let Some(table) = item.as_table_mut() {
        bared(table);
    }
    item
}

fn under<'a>(document: &'a DocumentMut, table: &str, name: &str) -> Option<&'a Item> {
    document.get(table)?.get(name)
}

/// Its users and tokens, without what proves who they are.
async fn users(home: &Home, tenant: &TenantName) -> Result<String, Failure> {
    let mut members = Members::of(home, tenant).await?;
    // Whose else they are is told to nobody.
    let only = || vec![tenant.clone()];
    members.users.iter_mut().for_each(|it| it.tenants = only());
    members.tokens.iter_mut().for_each(|it| it.tenants = only());
    let all = json!({"users": members.users, "tokens": members.tokens});
    let text = serde_json::to_string_pretty(&all).unwrap_or_default();
    Ok(format!("{text}\n"))
}

/// What people signed, word for word, and what it was made of.
async fn signed(home: &Home, parts: &[Part<'_>], pack: &mut Pack) -> Result<(), Failure> {
    pack.folder(SIGNED)?;
    let mut written = BTreeSet::new();
    for part in parts {
        let Some(connection) = part.connection else {
            continue;
        };
        let store = home.store.connection(connection);
        for entry in store.signatures().await? {
            let Fact::Signed {
                sha256, extract, ..
            } = entry.fact
            else {
                continue;
            };
            for name in [sha256, extract] {
                let body = store.frozen(&name).await?;
                if let Some(body) = body.filter(|_| written.insert(name.clone())) {
                    pack.text(&format!("{SIGNED}/{name}.json"), &body)?;
                }
            }
        }
    }
    Ok(())
}
