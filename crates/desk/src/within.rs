//! The store, within what somebody reaches: of the connections of other tenants it gives nothing away, not even that
//! they are there. A page or an operation is handed this and no store, so that none of them can forget to ask.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secrecy::SecretString;
use tieout_domain::code::Code;
use tieout_domain::{ConnectionName, TenantName, Timestamp};
use tieout_store::{
    Among, Answered, ConnectionStore, Earlier, PasswordHash, Stop, Store, StoreError, Tally,
};

use crate::error::DeskError;
use crate::exceptions::{Cause, grouped};
use crate::health::{Glances, Health};
use crate::own::Own;
use crate::preferences::{Version, versions};
use crate::{approval, health, history};

/// The store, within what somebody reaches.
#[derive(Debug, Clone)]
pub struct Within {
    store: Store,
    /// The connections that are within reach; all if nothing is said.
    only: Option<Arc<BTreeSet<ConnectionName>>>,
}

impl Within {
    /// All of it.
    #[must_use]
    pub fn all(store: Store) -> Self {
        Self { store, only: None }
    }

    /// These connections of it, and nothing of the installation itself.
    #[must_use]
    pub fn only(store: Store, connections: BTreeSet<ConnectionName>) -> Self {
        Self {
            store,
            only: Some(Arc::new(connections)),
        }
    }

    /// Whether this connection is within reach.
    #[must_use]
    pub fn includes(&self, connection: &ConnectionName) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.contains(connection))
    }

    /// Everything of one connection.
    ///
    /// # Errors
    /// `unknown-connection` for one that is out of reach, as for one that isn't there.
    pub fn connection(&self, name: &ConnectionName) -> Result<ConnectionStore, DeskError> {
        if self.includes(name) {
            return Ok(self.store.connection(name));
        }
        Err(unknown(name))
    }

    /// What of many connections is asked about.
    fn among(&self) -> Among<'_> {
        self.only.as_deref().map_or(Among::All, Among::These)
    }

    /// How all connections stand that are within reach.
    ///
    /// # Errors
    /// The store's.
    pub async fn glances(&self) -> Result<Glances, DeskError> {
        health::glances(&self.store, self.among()).await
    }

    /// How each of these connections is; those that are out of reach are left out.
    ///
    /// # Errors
    /// The store's.
    pub async fn healths(
        &self,
        names: &[ConnectionName],
    ) -> Result<BTreeMap<ConnectionName, Health>, DeskError> {
        health::healths(&self.store, &self.reached(names)).await
    }

    /// How many runs there were since a moment of those of these connections that are within reach, by status.
    ///
    /// # Errors
    /// The store's.
    pub async fn run_tally(
        &self,
        names: &[ConnectionName],
        since: Timestamp,
    ) -> Result<Vec<Tally>, DeskError> {
        let names = self.reached(names);
        Ok(self.store.run_tally_of(&names, since).await?)
    }

    /// What waits in the connections within reach, by connection and cause: see
    /// [`causes`](crate::exceptions::causes). Connections in which nothing does are absent.
    ///
    /// # Errors
    /// The store's.
    pub async fn causes(
        &self,
        holds: bool,
    ) -> Result<BTreeMap<ConnectionName, Vec<Cause>>, DeskError> {
        let groups = self.store.exceptions_of(self.among(), holds).await?;
        let all = groups.into_iter();
        Ok(all.map(|(name, it)| (name, grouped(it))).collect())
    }

    fn reached(&self, names: &[ConnectionName]) -> Vec<ConnectionName> {
        let reached = names.iter().filter(|name| self.includes(name));
        reached.cloned().collect()
    }

    /// The whole store, with what is the installation's own; nothing for somebody who is limited.
    #[must_use]
    pub fn whole(&self) -> Option<&Store> {
        self.only.is_none().then_some(&self.store)
    }

    /// What stops the remote writes of all connections: whoever reaches one of them is to know.
    ///
    /// # Errors
    /// The store's.
    pub async fn stops(&self) -> Result<Vec<Stop>, DeskError> {
        Ok(self.store.installation().stops().await?)
    }

    /// The versions of a connection's preferences, the first one first.
    ///
    /// # Errors
    /// `unknown-connection`; the store's.
    pub async fn versions(&self, connection: &ConnectionName) -> Result<Vec<Version>, DeskError> {
        if !self.includes(connection) {
            return Err(unknown(connection));
        }
        versions(&self.store, connection.as_str()).await
    }

    /// The last check of all histories; nothing for somebody who is limited, for it names them all.
    ///
    /// # Errors
    /// The store's.
    pub async fn last_check(&self) -> Result<Option<history::Checked>, DeskError> {
        match self.whole() {
            Some(store) => history::last_check(store).await,
            None => Ok(None),
        }
    }

    /// Whether something of a connection of this tenant takes two people: see [`approval::needed`].
    ///
    /// # Errors
    /// The store's.
    pub async fn takes_two(
        &self,
        tenant: Option<&TenantName>,
        switch: Option<bool>,
    ) -> Result<bool, DeskError> {
        approval::needed(&self.store, tenant, switch).await
    }

    /// What belongs to a user themselves: sessions, tokens, the password.
    #[must_use]
    pub fn own(&self, user: &str) -> Own {
        Own::of(self.store.people(), user)
    }

    /// The hash of a new password. It takes its time.
    ///
    /// # Errors
    /// `password-unfit`.
    pub fn hash_password(
        &self,
        user: &str,
        password: &SecretString,
    ) -> Result<PasswordHash, StoreError> {
        self.store.hash_password(user, password)
    }

    /// A request under a key of somebody's begins: see [`Store::answer_begun`].
    ///
    /// # Errors
    /// The store's.
    pub async fn answer_begun(
        &self,
        asker: &str,
        key: &str,
        request: &str,
    ) -> Result<Earlier, StoreError> {
        self.store.answer_begun(asker, key, request).await
    }

    /// It was answered: see [`Store::answer_given`].
    ///
    /// # Errors
    /// The store's.
    pub async fn answer_given(
        &self,
        asker: &str,
        key: &str,
        answer: &Answered,
    ) -> Result<(), StoreError> {
        self.store.answer_given(asker, key, answer).await
    }

    /// It was not answered, and may be asked again: see [`Store::answer_failed`].
    ///
    /// # Errors
    /// The store's.
    pub async fn answer_failed(&self, asker: &str, key: &str) -> Result<(), StoreError> {
        self.store.answer_failed(asker, key).await
    }
}

/// What is out of reach is as what isn't there.
#[must_use]
pub fn unknown(name: &ConnectionName) -> DeskError {
    let cause = format!("`{name}` is no connection");
    DeskError::usage(Code::new("unknown-connection"), cause)
}
