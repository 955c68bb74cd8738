//! Signing in for certain: with the credential in use, or with one that is to take its place. No session or
//! token of an earlier sign-in is used, and none is left behind.
//!
//! Five refused sign-ins lock a token for half an hour (systems/netsuite/README.md §Signing in), and a user of BILL
//! for longer. So refusals are counted from command to command, and a fifth is never risked (scenario 205).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tieout_domain::code::Code;
use tieout_domain::port::{Identity, Ports};
use tieout_domain::{Clock as _, ConnectionName, Fault, Holding};
use tieout_kit::{Credential, System};
use tieout_store::Vault;

use crate::assemble::{self, Instead, Shared};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::pending::next_name;
use crate::seams::{InMemory, WallClock};

/// So many refusals within [`REMEMBERED`] leave room for a person's own mistake.
const REFUSALS_MAX: u32 = 4;
/// So many sign-ins of one credential are tried together, once one has gone well: were all of them refused, there would
/// still be no fifth.
const TOGETHER: usize = 3;
/// How long a refusal counts.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(30);

/// A side of a connection that uses a credential.
pub struct Use<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The side's system.
    pub system: &'static System,
    /// The side's table.
    pub settings: &'a Map<String, Value>,
}

/// Every side of every connection that uses a credential, also of those that are switched off.
pub fn uses<'a>(home: &'a Home, credential: &str) -> Vec<Use<'a>> {
    let sides = home.config.connections.iter().flat_map(|(name, config)| {
        [
            (name, config.ledger.system, &config.ledger_settings),
            (name, config.platform.system, &config.platform_settings),
        ]
    });
    sides
        .filter(|(_, _, settings)| assemble::credential_name(settings) == Some(credential))
        .map(|(connection, system, settings)| Use {
            connection,
            system,
            settings,
        })
        .collect()
}

/// How a sign-in for one connection ended.
pub struct Verdict {
    /// The connection.
    pub connection: ConnectionName,
    /// The system.
    pub system: &'static System,
    /// Who we are over there, or why not.
    pub result: Result<Identity, Failure>,
}

/// Whether a failure says that the credential itself is not accepted.
pub fn is_refusal(failure: &Failure) -> bool {
    REFUSALS.contains(&failure.code.as_str())
}

/// The codes of sign-ins that are refused for the credential's sake.
const REFUSALS: [&str; 4] = [
    "invalid-login",
    "wrong-password",
    "wrong-developer-key",
    "locked-user",
];

/// Tries credentials out.
pub struct Trial<'a> {
    home: &'a Home,
    vault: Vault,
    shared: Shared,
}

impl<'a> Trial<'a> {
    /// Makes ready; sends nothing.
    ///
    /// # Errors
    /// Where the vault can't be opened.
    pub async fn new(home: &'a Home) -> Result<Self, Failure> {
        Ok(Self {
            home,
            vault: home.vault().await?,
            shared: Shared::new()?,
        })
    }

    /// Signs in with the credential in use under this name for every connection that uses it: once for each
    /// account, and not again where it was refused.
    ///
    /// # Errors
    /// `too-many-refusals`. What a sign-in comes to is in the verdicts.
    pub async fn sign_in(
        &self,
        name: &str,
        credential: &Credential,
    ) -> Result<Vec<Verdict>, Failure> {
        self.sign_in_counted(name, name, credential).await
    }

    /// The same with a credential that is to take the other's place. Its refusals are its own.
    ///
    /// # Errors
    /// `too-many-refusals`. What a sign-in comes to is in the verdicts.
    pub async fn sign_in_instead(
        &self,
        name: &str,
        credential: &Credential,
    ) -> Result<Vec<Verdict>, Failure> {
        let counted = next_name(name);
        self.sign_in_counted(name, &counted, credential).await
    }

    async fn sign_in_counted(
        &self,
        name: &str,
        counted: &str,
        credential: &Credential,
    ) -> Result<Vec<Verdict>, Failure> {
        self.refuse_a_fifth(counted).await?;
        let kept = Arc::new(InMemory::default());
        let mut refused: BTreeMap<String, Failure> = BTreeMap::new();
        let mut verdicts: Vec<Verdict> = Vec::new();
        let mut users = uses(self.home, name).into_iter();
        loop {
            // One by one, until it is known to sign in somewhere.
            let proven = verdicts.iter().any(|verdict| verdict.result.is_ok());
            let together = if proven { TOGETHER } else { 1 };
            let some: Vec<_> = users.by_ref().take(together).collect();
            if some.is_empty() {
                break;
            }
            let tries = some
                .iter()
                .map(|user| self.tried(user, credential, &kept, &refused));
            let tried = futures::future::join_all(tries).await;
            for (user, (account, result)) in some.into_iter().zip(tried) {
                if let (Some(account), Err(failure)) = (account, &result)
                    && is_refusal(failure)
                {
                    self.count(counted).await?;
                    refused.insert(account, failure.clone());
                }
                verdicts.push(Verdict {
                    connection: user.connection.clone(),
                    system: user.system,
                    result,
                });
            }
            if self.refusals(counted).await? >= REFUSALS_MAX {
                break;
            }
        }
        if refused.is_empty() && verdicts.iter().any(|verdict| verdict.result.is_ok()) {
            self.forget(counted).await?;
        }
        Ok(verdicts)
    }

    /// Signs in for one connection, unless its account has refused the credential; with the account that was asked.
    async fn tried(
        &self,
        user: &Use<'_>,
        credential: &Credential,
        kept: &Arc<InMemory>,
        refused: &BTreeMap<String, Failure>,
    ) -> (Option<String>, Result<Identity, Failure>) {
        let ports = match self.ports(user, credential, Arc::clone(kept)) {
            Ok(ports) => ports,
            Err(failure) => return (None, Err(failure)),
        };
        let account = format!("{}/{}", ports.system, ports.account);
        match refused.get(&account) {
            Some(failure) => (None, Err(failure.clone())),
            None => {
                let result = ports.whole.ping().await.map_err(|fault| told(&fault));
                (Some(account), result)
            }
        }
    }

    /// One side, put together with a credential that need not be in use.
    ///
    /// # Errors
    /// Where the table or the credential is malformed.
    pub fn ports(
        &self,
        user: &Use<'_>,
        credential: &Credential,
        kept: Arc<InMemory>,
    ) -> Result<Ports, Failure> {
        let holding = Arc::new(Holding::default());
        let made = assemble::ports(
            &self.shared,
            (&holding, kept),
            user.connection,
            user.system,
            user.settings,
            credential.clone(),
        );
        made.map(|(ports, _)| ports)
    }

    /// How often a credential was refused within the half-hour.
    async fn refusals(&self, name: &str) -> Result<u32, Failure> {
        let kept = self.home.store.kept(&self.vault);
        let count = kept.get(&counted_as(name)).await?;
        Ok(count.map_or(0, |count| count.expose_secret().parse().unwrap_or(0)))
    }

    async fn refuse_a_fifth(&self, name: &str) -> Result<(), Failure> {
        let refusals = self.refusals(name).await?;
        if refusals < REFUSALS_MAX {
            return Ok(());
        }
        let cause = format!(
            "`{name}` was refused {refusals} times within half an hour; a fifth time could lock it, so it is not tried"
        );
        Err(refusal(Code::new("too-many-refusals"), cause))
    }

    async fn count(&self, name: &str) -> Result<(), Failure> {
        let count = self.refusals(name).await? + 1;
        let until = WallClock
            .now()
            .checked_add(REMEMBERED)
            .unwrap_or(Timestamp::MAX);
        let kept = self.home.store.kept(&self.vault);
        let count = SecretString::from(count.to_string());
        Ok(kept.put(&counted_as(name), &count, Some(until)).await?)
    }

    /// A credential that signed in, or is a new one, has a clean record.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn forget(&self, name: &str) -> Result<(), Failure> {
        let kept = self.home.store.kept(&self.vault);
        Ok(kept.remove(&counted_as(name)).await?)
    }
}

impl Shared {
    /// The same, with a credential in the place of the sealed one of this name.
    ///
    /// # Errors
    /// Where the network can't be used.
    pub fn with_instead(name: &str, credential: Credential) -> Result<Self, Failure> {
        Ok(Self {
            instead: Some(Instead {
                name: name.to_owned(),
                credential,
                kept: Arc::new(InMemory::default()),
            }),
            ..Self::new()?
        })
    }
}

fn counted_as(name: &str) -> String {
    format!("refused-sign-ins/{name}")
}

fn told(fault: &Fault) -> Failure {
    Failure {
        code: fault.code(),
        cause: fault.to_string(),
        exit: Exit::Side,
    }
}

/// A refusal for safety.
pub fn refusal(code: Code, cause: impl Into<String>) -> Failure {
    Failure {
        code,
        cause: cause.into(),
        exit: Exit::Refused,
    }
}
