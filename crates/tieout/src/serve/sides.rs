//! What people ask that reads both sides: a plan, mappings, a tie-out, a check of the connection.

use std::sync::Arc;

use tieout_desk::DeskError;
use tieout_desk::tie_out::{self, Made, Scope};
use tieout_domain::ConnectionName;
use tieout_domain::check::Check;
use tieout_domain::code::Code;
use tieout_engine::{Connection, Plan, Quiet, RunOptions, mapping};
use tieout_server::SyncAsked;

use super::Service;
use crate::assemble;
use crate::commands::doctor::examine;
use crate::commands::sync::run_id;
use crate::config::{Config, ConnectionConfig};
use crate::failure::Failure;

impl Service {
    /// What a run would do.
    pub(super) async fn plan_of(
        &self,
        name: &ConnectionName,
        asked: SyncAsked,
    ) -> Result<Plan, DeskError> {
        let connection = self.reading(name).await?;
        let options = RunOptions {
            flows: asked.flows,
            only: asked.only,
            ..RunOptions::new(run_id(), "plan")
        };
        Ok(tieout_engine::plan(&connection, options).await?)
    }

    /// How many are without a confirmed mapping, after both sides' lists were read.
    pub(super) async fn proposed(&self, name: &ConnectionName) -> Result<usize, DeskError> {
        let connection = self.reading(name).await?;
        let suggestions = mapping::propose(&connection, false, &run_id()).await?;
        Ok(suggestions.len())
    }

    /// A report, made now.
    pub(super) async fn tied_out(
        &self,
        name: &ConnectionName,
        scope: &Scope,
    ) -> Result<Made, DeskError> {
        let connection = self.reading(name).await?;
        tie_out::make(&connection, scope, None, run_id()).await
    }

    /// All checks, each with the system that it is about.
    pub(super) async fn examined(
        &self,
        name: &ConnectionName,
    ) -> Result<Vec<(String, Check)>, DeskError> {
        let home = self.home.under(Config::clone(&self.config()));
        let names = [name.to_string()];
        let examined = examine(&home, &self.shared, &names, None).await?;
        let checks = examined.iter().flat_map(|one| one.checks());
        Ok(checks
            .map(|(system, check)| (system.to_owned(), check.clone()))
            .collect())
    }

    /// A connection, put together to be read.
    pub(super) async fn reading(&self, name: &ConnectionName) -> Result<Connection, Failure> {
        let config = self.config();
        let config = known(&config, name)?;
        if !config.enabled {
            let cause = format!("`{name}` is disconnected; its links and history are still there");
            return Err(crate::trial::refusal(Code::new("disconnected"), cause));
        }
        let (home, vault, shared) = (&self.home, &self.vault, &self.shared);
        assemble::connection(home, vault, shared, name, config, Arc::new(Quiet)).await
    }
}

/// A connection as it is configured.
pub(super) fn known<'a>(
    config: &'a Config,
    name: &ConnectionName,
) -> Result<&'a ConnectionConfig, Failure> {
    config.connections.get(name).ok_or_else(|| {
        let cause = format!("`{name}` is no connection");
        Failure::usage(Code::new("unknown-connection"), cause)
    })
}
