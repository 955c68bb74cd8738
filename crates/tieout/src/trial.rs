//! Signing in for certain: with the credential in use, or with one that is to take its place. No session or
//! token of an earlier sign-in is used, and none is left behind.
//!
//! Five refused sign-ins lock a token for half an hour (systems/netsuite/README.md §Signing in), and a user of BILL
//! for longer. So refusals are counted over all commands and runs, in one count (`tieout_kit::refusals`), and a fifth
//! is never risked (scenario 205).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use tieout_domain::code::Code;
use tieout_domain::port::{Identity, Ports};
use tieout_domain::{ConnectionName, Fault, Holding};
use tieout_kit::refusals::REFUSALS_MAX_ASKED;
use tieout_kit::{Credential, System};
use tieout_store::Vault;

use crate::assemble::{self, Instead, Shared};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::seams::{ForATrial, InMemory, SealedInStore};

/// So many sign-ins of one credential are tried together, once one has gone well: were all of them refused, there would
/// still be no fifth.
const TOGETHER: usize = 3;

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

    /// Signs in with a credential, in use under this name or about to be, for every connection that uses it: once for
    /// each account, and not again where it was refused.
    ///
    /// # Errors
    /// `too-many-refusals`. What a sign-in comes to is in the verdicts.
    pub async fn sign_in(
        &self,
        name: &str,
        credential: &Credential,
    ) -> Result<Vec<Verdict>, Failure> {
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
                .map(|user| self.tried(name, user, credential, &kept, &refused));
            let tried = futures::future::try_join_all(tries).await?;
            for (user, (account, result)) in some.into_iter().zip(tried) {
                if let (Some(account), Err(failure)) = (account, &result)
                    && is_refusal(failure)
                {
                    refused.insert(account, failure.clone());
                }
                verdicts.push(Verdict {
                    connection: user.connection.clone(),
                    system: user.system,
                    result,
                });
            }
        }
        Ok(verdicts)
    }

    /// Signs in for one connection, unless its account has refused the credential; with the account that was asked.
    async fn tried(
        &self,
        name: &str,
        user: &Use<'_>,
        credential: &Credential,
        kept: &Arc<InMemory>,
        refused: &BTreeMap<String, Failure>,
    ) -> Result<(Option<String>, Result<Identity, Failure>), Failure> {
        let ports = match self.ports(user, credential, Arc::clone(kept)) {
            Ok(ports) => ports,
            Err(failure) => return Ok((None, Err(failure))),
        };
        let account = format!("{}/{}", ports.system, ports.account);
        if let Some(failure) = refused.get(&account) {
            return Ok((None, Err(failure.clone())));
        }
        refuse_a_fifth(name, &ports).await?;
        let result = ports.whole.ping().await.map_err(|fault| told(&fault));
        Ok((Some(account), result))
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
        let counted = SealedInStore::new(
            self.home.store.kept(&self.vault),
            user.system.id.to_string(),
        );
        let kept = Arc::new(ForATrial {
            sessions: kept,
            counted,
        });
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
}

/// A person may risk a fourth refusal within half an hour; a fifth could lock the token or the user.
///
/// # Errors
/// `too-many-refusals`.
pub async fn refuse_a_fifth(name: &str, ports: &Ports) -> Result<(), Failure> {
    let refusals = ports.whole.refusals().await;
    if refusals < REFUSALS_MAX_ASKED {
        return Ok(());
    }
    let cause = format!(
        "`{name}` was refused {refusals} times within half an hour; a fifth time could lock it, so it is not tried"
    );
    Err(refusal(Code::new("too-many-refusals"), cause))
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
