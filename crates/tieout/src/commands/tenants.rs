//! `tieout tenants`: whose connections are whose, where one installation serves several companies; all of one as files,
//! and its end.

mod delete;
mod export;
mod list;

use clap::{Args, Subcommand};
use tieout_domain::TenantName;
use tieout_domain::code::Code;
use tieout_store::{ApiToken, User};

use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;

/// What `tenants` takes.
#[derive(Debug, Args)]
pub struct TenantsArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the tenants with their connections, their users, and what they take in the store.
    List,
    /// Everything of a tenant as files that can be read and checked without tieout: histories, registers, what was
    /// signed, its part of the configuration, its users. No secrets.
    Export(export::ExportArgs),
    /// Takes everything of a tenant out of the store and the configuration, for good. A proof of it stays.
    Delete(delete::DeleteArgs),
}

/// Carries out the action.
pub async fn run(global: &Global, args: &TenantsArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        None | Some(Action::List) => list::list(global, &home).await,
        Some(Action::Export(args)) => export::run(global, &home, args).await,
        Some(Action::Delete(args)) => delete::run(global, &home, args).await,
    }
}

/// Nothing is of this tenant.
pub fn unknown(tenant: &TenantName) -> Failure {
    let cause =
        format!("no connection belongs to the tenant `{tenant}`; `tieout tenants` lists them");
    Failure::usage(Code::new("unknown-tenant"), cause)
}

/// Who is limited to a tenant, alone or among others.
struct Members {
    users: Vec<User>,
    tokens: Vec<ApiToken>,
}

impl Members {
    async fn of(home: &Home, tenant: &TenantName) -> Result<Self, Failure> {
        let people = home.store.people();
        let (mut users, mut tokens) = (people.users().await?, people.tokens().await?);
        users.retain(|user| user.tenants.contains(tenant));
        tokens.retain(|token| token.tenants.contains(tenant));
        Ok(Self { users, tokens })
    }

    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.tokens.is_empty()
    }
}
