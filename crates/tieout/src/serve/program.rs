//! What the face asks of the service.

use async_trait::async_trait;
use tieout_desk::DeskError;
use tieout_domain::code::Code;
use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{ConnectionName, RecordRef};
use tieout_engine::scheduler::Mark;
use tieout_server::{ConnectionInfo, Notification, Program, SyncAsked};

use super::Service;
use crate::config::ConnectionConfig;

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
        let flows = tieout_desk::record::flow_names();
        if let Some(flow) = asked
            .flows
            .iter()
            .find(|flow| !flows.contains(&flow.as_str()))
        {
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
            trigger: "asked".to_owned(),
            by: Some(asked.by),
        };
        if self.scheduler.mark(connection, mark) {
            return Ok(());
        }
        let cause = format!("too many runs of single records of `{connection}` wait already");
        Err(DeskError::usage(Code::new("connection-busy"), cause))
    }

    fn address(&self, _connection: &ConnectionName, _record: &RecordRef) -> Option<String> {
        None
    }

    fn two_people(&self) -> Option<bool> {
        self.config().two_people
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
            enabled: config.enabled,
            ledger: config.ledger.system.title.to_owned(),
            platform: config.platform.system.title.to_owned(),
            time_zone: config.time_zone.clone(),
            schedule: Some(config.timing.schedule.to_string()),
            flows: tieout_desk::record::flow_names()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            next_run: standing.as_ref().and_then(|standing| standing.next),
            running: standing.is_some_and(|standing| standing.running),
        }
    }
}
