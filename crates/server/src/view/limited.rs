//! The program, as somebody sees it who is limited to tenants.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::Value;
use tieout_desk::DeskError;
use tieout_desk::preferences::Standing;
use tieout_desk::tie_out::{Made, Scope};
use tieout_desk::within::unknown;
use tieout_domain::check::Check;
use tieout_domain::code::Code;
use tieout_domain::{ConnectionName, Reach, RecordRef};
use tieout_engine::{Extent, Plan};

use crate::program::{
    ConnectionInfo, CredentialInfo, CredentialKindInfo, CredentialSet, OpenId, Program,
    RenewalReached, RenewalSent, RenewalStanding, Renews, SyncAsked,
};

/// The program within a reach. What it doesn't pass on below is answered as by a program that can't do it: what is
/// added to [`Program`] later is out of reach until somebody has thought about it.
pub(super) struct Limited {
    program: Arc<dyn Program>,
    reach: Reach,
}

impl Limited {
    pub(super) fn new(program: Arc<dyn Program>, reach: Reach) -> Self {
        Self { program, reach }
    }

    /// Refuses a connection that is out of reach, as one that isn't there.
    fn reached(&self, connection: &ConnectionName) -> Result<(), DeskError> {
        let mut known = self.connections().into_iter();
        match known.any(|it| it.name == *connection) {
            true => Ok(()),
            false => Err(unknown(connection)),
        }
    }

    /// Refuses a credential that others use too, as one that isn't there.
    async fn own(&self, credential: &str) -> Result<(), DeskError> {
        let mut own = self.credentials().await?.into_iter();
        if own.any(|it| it.row.name == credential) {
            return Ok(());
        }
        let cause = format!("there is no credential named `{credential}`");
        Err(DeskError::usage(Code::new("credential-missing"), cause))
    }
}

#[async_trait]
impl Program for Limited {
    fn connections(&self) -> Vec<ConnectionInfo> {
        let mut all = self.program.connections();
        all.retain(|it| self.reach.includes(it.tenant.as_ref()));
        all
    }

    async fn sync(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<(), DeskError> {
        self.reached(connection)?;
        self.program.sync(connection, asked).await
    }

    async fn plan(&self, connection: &ConnectionName, asked: SyncAsked) -> Result<Plan, DeskError> {
        self.reached(connection)?;
        self.program.plan(connection, asked).await
    }

    fn preferences(&self, connection: &ConnectionName) -> Result<Vec<Standing>, DeskError> {
        self.reached(connection)?;
        self.program.preferences(connection)
    }

    fn is_new(&self, reason: &str) -> bool {
        self.program.is_new(reason)
    }

    async fn change_preferences(
        &self,
        connection: &ConnectionName,
        values: BTreeMap<String, Value>,
        by: &str,
    ) -> Result<(), DeskError> {
        self.reached(connection)?;
        self.program
            .change_preferences(connection, values, by)
            .await
    }

    async fn first_sync(&self, connection: &ConnectionName) -> Result<Vec<Extent>, DeskError> {
        self.reached(connection)?;
        self.program.first_sync(connection).await
    }

    /// Those that nobody else uses, neither another tenant nor the installation itself.
    async fn credentials(&self) -> Result<Vec<CredentialInfo>, DeskError> {
        let mut all = self.program.credentials().await?;
        let within = self.connections();
        let ours = |name: &ConnectionName| within.iter().any(|it| it.name == *name);
        all.retain(|it| {
            let used = !it.used_by.is_empty() && it.serves.is_empty();
            used && it.used_by.iter().all(ours)
        });
        Ok(all)
    }

    async fn propose_mappings(&self, connection: &ConnectionName) -> Result<usize, DeskError> {
        self.reached(connection)?;
        self.program.propose_mappings(connection).await
    }

    fn credential_kinds(&self) -> Vec<CredentialKindInfo> {
        self.program.credential_kinds()
    }

    /// A new value for one of their own. A new name is the whole installation's affair: it may be another's already,
    /// and that is not told.
    async fn set_credential(
        &self,
        name: &str,
        kind: &str,
        fields: SecretString,
        by: &str,
    ) -> Result<CredentialSet, DeskError> {
        self.own(name).await?;
        self.program.set_credential(name, kind, fields, by).await
    }

    fn renews(&self) -> Option<&dyn Renews> {
        self.program.renews().map(|_| self as &dyn Renews)
    }

    async fn examine(
        &self,
        connection: &ConnectionName,
    ) -> Result<Vec<(String, Check)>, DeskError> {
        self.reached(connection)?;
        self.program.examine(connection).await
    }

    async fn tie_out(&self, connection: &ConnectionName, scope: &Scope) -> Result<Made, DeskError> {
        self.reached(connection)?;
        self.program.tie_out(connection, scope).await
    }

    async fn stays_paused(&self, connection: &ConnectionName, by: &str) -> Result<(), DeskError> {
        self.reached(connection)?;
        self.program.stays_paused(connection, by).await
    }

    async fn may_go_on(&self, connection: &ConnectionName) -> Result<(), DeskError> {
        self.reached(connection)?;
        self.program.may_go_on(connection).await
    }

    fn address(&self, connection: &ConnectionName, record: &RecordRef) -> Option<String> {
        self.reached(connection).ok()?;
        self.program.address(connection, record)
    }

    fn two_people(&self) -> Option<bool> {
        self.program.two_people()
    }

    fn openid(&self) -> Option<OpenId> {
        self.program.openid()
    }

    async fn not_ready(&self) -> Vec<String> {
        self.program.not_ready().await
    }
}

#[async_trait]
impl Renews for Limited {
    fn ways(&self, from: &str) -> Vec<&'static str> {
        let renews = self.program.renews();
        renews.map_or_else(Vec::new, |renews| renews.ways(from))
    }

    async fn renewal(&self, credential: &str) -> Result<Option<RenewalStanding>, DeskError> {
        self.own(credential).await?;
        self.inner()?.renewal(credential).await
    }

    async fn begin(
        &self,
        credential: &str,
        to: &str,
        moving_over: bool,
        by: &str,
    ) -> Result<(), DeskError> {
        self.own(credential).await?;
        self.inner()?.begin(credential, to, moving_over, by).await
    }

    async fn go_on(
        &self,
        credential: &str,
        sent: RenewalSent,
        by: &str,
    ) -> Result<RenewalReached, DeskError> {
        self.own(credential).await?;
        self.inner()?.go_on(credential, sent, by).await
    }

    async fn abandon(&self, credential: &str, by: &str) -> Result<(), DeskError> {
        self.own(credential).await?;
        self.inner()?.abandon(credential, by).await
    }
}

impl Limited {
    fn inner(&self) -> Result<&dyn Renews, DeskError> {
        self.program.renews().ok_or_else(|| {
            let cause = "this program renews no credentials";
            DeskError::usage(Code::new("not-supported"), cause)
        })
    }
}
