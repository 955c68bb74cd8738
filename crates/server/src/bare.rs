//! A program with one connection that does nothing, for tests of what needs none.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde_json::Value;
use tieout_desk::preferences::Standing;
use tieout_desk::tie_out::{Made, Scope};
use tieout_desk::{DeskError, Reason};
use tieout_domain::check::Check;
use tieout_domain::code::Code;
use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{ConnectionName, RecordRef};
use tieout_engine::Plan;

use crate::program::{
    ConnectionInfo, CredentialInfo, CredentialKindInfo, CredentialSet, Notification, Program,
    SyncAsked,
};

type Believe = dyn Fn(&Notification<'_>) -> Result<Hint, Rejected> + Send + Sync;
type Changed = dyn Fn() + Send + Sync;

/// The program.
#[derive(Default)]
pub(crate) struct Bare {
    /// How it takes notifications; it believes none without.
    pub(crate) believe: Option<Box<Believe>>,
    /// What it does when a connection is due.
    pub(crate) changed: Option<Box<Changed>>,
}

fn nothing<T>() -> Result<T, DeskError> {
    Err(DeskError {
        code: Code::new("disconnected"),
        cause: "this program does nothing".to_owned(),
        reason: Reason::Failed,
    })
}

#[async_trait]
impl Program for Bare {
    fn connections(&self) -> Vec<ConnectionInfo> {
        vec![ConnectionInfo {
            name: "acme".parse().unwrap(),
            pair: "netsuite-bill".to_owned(),
            enabled: true,
            ledger: "NetSuite".to_owned(),
            platform: "BILL".to_owned(),
            time_zone: TimeZone::UTC,
            schedule: None,
            flows: Vec::new(),
            next_run: None,
            running: false,
        }]
    }

    async fn sync(&self, _: &ConnectionName, _: SyncAsked) -> Result<(), DeskError> {
        Ok(())
    }

    async fn plan(&self, _: &ConnectionName, _: SyncAsked) -> Result<Plan, DeskError> {
        nothing()
    }

    fn preferences(&self, _: &ConnectionName) -> Result<Vec<Standing>, DeskError> {
        Ok(Vec::new())
    }

    async fn change_preferences(
        &self,
        _: &ConnectionName,
        _: BTreeMap<String, Value>,
        _: &str,
    ) -> Result<(), DeskError> {
        nothing()
    }

    async fn credentials(&self) -> Result<Vec<CredentialInfo>, DeskError> {
        Ok(Vec::new())
    }

    async fn propose_mappings(&self, _: &ConnectionName) -> Result<usize, DeskError> {
        nothing()
    }

    fn credential_kinds(&self) -> Vec<CredentialKindInfo> {
        Vec::new()
    }

    async fn set_credential(
        &self,
        _: &str,
        _: &str,
        _: SecretString,
        _: &str,
    ) -> Result<CredentialSet, DeskError> {
        nothing()
    }

    async fn examine(&self, _: &ConnectionName) -> Result<Vec<(String, Check)>, DeskError> {
        Ok(Vec::new())
    }

    async fn tie_out(&self, _: &ConnectionName, _: &Scope) -> Result<Made, DeskError> {
        nothing()
    }

    fn address(&self, _: &ConnectionName, _: &RecordRef) -> Option<String> {
        None
    }

    fn hint(&self, notification: &Notification<'_>) -> Result<Hint, Rejected> {
        match &self.believe {
            Some(believe) => believe(notification),
            None => Err(Rejected::Unsigned {
                why: "nobody subscribed for this address",
            }),
        }
    }

    fn changed(&self, _: &ConnectionName) {
        if let Some(changed) = &self.changed {
            changed();
        }
    }

    async fn not_ready(&self) -> Vec<String> {
        Vec::new()
    }
}
