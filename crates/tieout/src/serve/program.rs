//! What the face asks of the service.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;
use serde_json::Value;
use tieout_desk::DeskError;
use tieout_desk::preferences::Standing;
use tieout_desk::tie_out::{Made, Scope};
use tieout_domain::check::Check;
use tieout_domain::code::Code;
use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{ConnectionName, RecordRef};
use tieout_engine::scheduler::Mark;
use tieout_engine::{Extent, Plan};
use tieout_server::program::{
    Budget, Connects, CredentialInfo, CredentialKindInfo, CredentialSet, Renews,
};
use tieout_server::{ConnectionInfo, Notification, OpenId, Program, SyncAsked};

use super::{Service, settings};
use crate::commands::pause::refuse_to_go_on;
use crate::commands::preferences::first_sync;
use crate::commands::reconnect::leave_paused;
use crate::config::{Config, ConnectionConfig};

#[async_trait]
impl Program for Service {
    fn connections(&self) -> Vec<ConnectionInfo> {
        let config = self.config();
        let all = config.connections.iter();
        all.map(|(name, connection)| self.info(name, connection))
            .collect()
    }

    async fn sync(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<(), DeskError> {
        let config = self.config();
        let Some(known) = config.connections.get(connection) else {
            let cause = format!("`{connection}` is no connection");
            return Err(DeskError::usage(Code::new("unknown-connection"), cause));
        };
        if !known.enabled {
            let cause =
                format!("`{connection}` is disconnected; its links and history are still there");
            return Err(DeskError::usage(Code::new("disconnected"), cause));
        }
        let flows = known.flow_names();
        if let Some(flow) = asked.flows.iter().find(|flow| !flows.contains(flow)) {
            let cause = format!(
                "`{flow}` is no flow of this connection; its flows are {}",
                flows.join(", ")
            );
            return Err(DeskError::usage(Code::new("unknown-flow"), cause));
        }
        let mark = Mark {
            flows: asked.flows,
            only: asked.only,
            whole: asked.whole,
            import: None,
            trigger: "asked".to_owned(),
            by: Some(asked.by),
        };
        if self.scheduler.mark(connection, mark) {
            return Ok(());
        }
        let cause = format!("too many runs of single records of `{connection}` wait already");
        Err(DeskError::usage(Code::new("connection-busy"), cause))
    }

    async fn plan(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<Plan, DeskError> {
        self.plan_of(connection, asked).await
    }

    fn preferences(&self, connection: &ConnectionName) -> Result<Vec<Standing>, DeskError> {
        self.preferences_of(connection)
    }

    async fn change_preferences(
        &self,
        connection: &ConnectionName,
        values: BTreeMap<String, Value>,
        by: &str,
    ) -> Result<(), DeskError> {
        self.change(connection, values, by).await
    }

    async fn first_sync(&self, connection: &ConnectionName) -> Result<Vec<Extent>, DeskError> {
        Ok(first_sync::extent(self.reading(connection).await?).await?)
    }

    async fn credentials(&self) -> Result<Vec<CredentialInfo>, DeskError> {
        self.credential_infos().await
    }

    async fn propose_mappings(&self, connection: &ConnectionName) -> Result<usize, DeskError> {
        self.proposed(connection).await
    }

    fn credential_kinds(&self) -> Vec<CredentialKindInfo> {
        settings::kinds()
    }

    async fn set_credential(
        &self,
        name: &str,
        kind: &str,
        fields: SecretString,
        by: &str,
    ) -> Result<CredentialSet, DeskError> {
        self.seal(name, kind, fields, by).await
    }

    fn connects(&self) -> Option<&dyn Connects> {
        Some(self)
    }

    fn renews(&self) -> Option<&dyn Renews> {
        Some(self)
    }

    async fn examine(
        &self,
        connection: &ConnectionName,
    ) -> Result<Vec<(String, Check)>, DeskError> {
        self.examined(connection).await
    }

    async fn tie_out(&self, connection: &ConnectionName, scope: &Scope) -> Result<Made, DeskError> {
        self.tied_out(connection, scope).await
    }

    async fn stays_paused(&self, connection: &ConnectionName, by: &str) -> Result<(), DeskError> {
        let home = self.home.under(Config::clone(&self.config()));
        Ok(leave_paused(&home, connection, by).await?)
    }

    async fn may_go_on(&self, connection: &ConnectionName) -> Result<(), DeskError> {
        let home = self.home.under(Config::clone(&self.config()));
        let made = self.reading(connection).await;
        let ledger = made.as_ref().map(|made| &made.sides.ledger);
        let ledger = ledger.map_err(|error| error.cause.as_str());
        Ok(refuse_to_go_on(&home, connection, ledger).await?)
    }

    fn address(&self, connection: &ConnectionName, record: &RecordRef) -> Option<String> {
        let config = self.config();
        crate::address::of(config.connections.get(connection)?, record)
    }

    fn two_people(&self) -> Option<bool> {
        self.config().two_people
    }

    fn openid(&self) -> Option<OpenId> {
        let config = self.config();
        config.openid.as_ref().map(|it| it.provider.clone())
    }

    async fn openid_secret(&self) -> Result<SecretString, DeskError> {
        self.client_secret().await
    }

    async fn ask_provider(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, DeskError> {
        self.sent_to_provider(request).await
    }

    fn budgets(&self) -> Vec<Budget> {
        let used = self.shared.governors.used(self.shared.timer.now());
        let budgets = used.into_iter().map(|it| {
            let (system, key) = it.name.split_once('/').unwrap_or((&it.name, ""));
            Budget {
                system: system.to_owned(),
                key: key.to_owned(),
                used: it.used.into(),
                most: it.most.into(),
            }
        });
        budgets.collect()
    }

    fn credentials_refused(&self) -> BTreeMap<String, u64> {
        let counted = self.shared.governors.refusals();
        let systems = tieout_systems::ALL.iter().map(|entry| entry.system.id);
        systems
            .map(|id| {
                (
                    id.to_string(),
                    counted.get(id.as_str()).copied().unwrap_or_default(),
                )
            })
            .collect()
    }

    fn hint(&self, notification: &Notification<'_>) -> Result<Hint, Rejected> {
        self.proven(notification)
    }

    fn changed(&self, connection: &ConnectionName) {
        self.told(connection);
    }

    async fn not_ready(&self) -> Vec<String> {
        let mut why = Vec::new();
        if !self.scheduler.works() {
            why.push("the scheduler isn't at work: it is starting, or stopping".to_owned());
        }
        // The vault was opened at the start, and this reads the store.
        if let Err(error) = self.home.vault().await {
            why.push(format!("{}: {}", error.code, error.cause));
        }
        why
    }
}

impl Service {
    fn info(&self, name: &ConnectionName, config: &ConnectionConfig) -> ConnectionInfo {
        let standing = self.scheduler.standing(name);
        ConnectionInfo {
            name: name.clone(),
            pair: config.pair.clone(),
            tenant: config.tenant.clone(),
            enabled: config.enabled,
            ledger: config.ledger.system.title.to_owned(),
            platform: config.platform.system.title.to_owned(),
            time_zone: config.time_zone.clone(),
            schedule: Some(config.timing.schedule.to_string()),
            flows: config.flow_names(),
            allowances: config.allowances(),
            next_run: standing.as_ref().and_then(|standing| standing.next),
            running: standing.is_some_and(|standing| standing.running),
        }
    }
}
