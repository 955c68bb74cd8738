//! A renewal that is under way: which credential, which steps are done, by whom and when. It lies in the store, each
//! step with its entry in the installation's history, so that whoever goes on finds it where it was left.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tieout_desk::pause;
use tieout_domain::code::Code;
use tieout_domain::other_sync::OtherSync;
use tieout_domain::{Clock as _, ConnectionName};
use tieout_kit::guide::{Guide, Proof, Purpose, Step};
use tieout_store::Fact;

use crate::assemble::credential_name;
use crate::failure::Failure;
use crate::home::Home;
use crate::pending;
use crate::seams::WallClock;
use crate::trial::uses;

/// A renewal. It holds no secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Renewal {
    /// The credential's name.
    pub(super) credential: String,
    /// Its kind before.
    pub(super) from: String,
    /// Its kind afterwards.
    pub(super) to: String,
    /// The bundle of the other sync is not installed again.
    pub(super) moving_over: bool,
    /// The steps that are done, in order.
    pub(super) done: Vec<Finished>,
    /// Each connection's preferences at the beginning, as TOML.
    pub(super) preferences: BTreeMap<String, String>,
    /// The other sync's preferences at the beginning; `None` where they could not be read.
    pub(super) bundle: Option<BTreeMap<String, Vec<OtherSync>>>,
    /// The connections that it has paused.
    pub(super) paused: Vec<ConnectionName>,
}

/// A step that is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Finished {
    /// Its id.
    pub(super) step: String,
    /// When.
    pub(super) at: Timestamp,
    /// By whom.
    pub(super) by: String,
    /// How it is known.
    pub(super) evidence: String,
}

impl Renewal {
    /// The renewal of this credential that is under way.
    pub(super) async fn load(home: &Home, credential: &str) -> Result<Option<Self>, Failure> {
        let text = home
            .store
            .installation()
            .remembered(&remembered_as(credential))
            .await?;
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            let cause = format!("the renewal of `{credential}` can't be read: {error}");
            Failure::failed(Code::new("store-corrupt"), cause)
        })
    }

    /// Begins one: pauses the writes of every connection that uses the credential.
    pub(super) async fn begin(
        home: &Home,
        credential: &str,
        (from, to): (&str, &str),
        moving_over: bool,
        by: &str,
    ) -> Result<Self, Failure> {
        let mut renewal = Self {
            credential: credential.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            moving_over,
            done: Vec::new(),
            preferences: BTreeMap::new(),
            bundle: None,
            paused: Vec::new(),
        };
        for connection in renewal.connections(home) {
            if !is_paused(home, &connection).await? {
                renewal.paused.push(connection);
            }
        }
        // What it is about to pause is known before it is paused: a stop in between leaves nothing paused for ever.
        renewal
            .save(home, &format!("begun, from {from} to {to}"), by)
            .await?;
        renewal.pause(home, by).await?;
        Ok(renewal)
    }

    /// Pauses the writes that it is to hold back, where they aren't.
    pub(super) async fn pause(&self, home: &Home, by: &str) -> Result<(), Failure> {
        for connection in &self.paused {
            if !is_paused(home, connection).await? {
                let reason = format!("the credential `{}` is being renewed", self.credential);
                pause::say(
                    &home.store.connection(connection),
                    Fact::Paused { reason },
                    by,
                )
                .await?;
            }
        }
        Ok(())
    }

    /// The connections that use the credential.
    pub(super) fn connections(&self, home: &Home) -> Vec<ConnectionName> {
        let mut names: Vec<_> = uses(home, &self.credential)
            .iter()
            .map(|user| user.connection.clone())
            .collect();
        names.dedup();
        names
    }

    /// The first step that isn't done.
    pub(super) fn next(&self, guide: &'static Guide) -> Option<&'static Step> {
        guide.steps.iter().find(|step| !self.is_done(step.id))
    }

    pub(super) fn is_done(&self, step: &str) -> bool {
        self.done.iter().any(|done| done.step == step)
    }

    /// Whether a step needs nobody: it is tieout's own, or about a bundle that isn't there.
    pub(super) fn goes_by_itself(&self, step: &Step) -> bool {
        match step.proof {
            Proof::Noted | Proof::Certified | Proof::Switched | Proof::Restored => true,
            Proof::BundleGone | Proof::BundleBack => {
                let none = |bundle: &BTreeMap<String, Vec<_>>| bundle.values().all(Vec::is_empty);
                self.bundle.as_ref().is_some_and(none)
            }
            Proof::Said | Proof::OldRefused | Proof::Given | Proof::NewSignsIn | Proof::Synced => {
                false
            }
        }
    }

    /// A step is done: said in the history, and from here on gone past.
    pub(super) async fn finish(
        &mut self,
        home: &Home,
        step: &Step,
        evidence: String,
        by: &str,
    ) -> Result<(), Failure> {
        let said = format!("{} done: {evidence}", step.id);
        self.paused = self.held(home).await?;
        self.done.push(Finished {
            step: step.id.to_owned(),
            at: WallClock.now(),
            by: by.to_owned(),
            evidence,
        });
        self.save(home, &said, by).await
    }

    async fn save(&self, home: &Home, said: &str, by: &str) -> Result<(), Failure> {
        let text = serde_json::to_string(self)
            .map_err(|error| Failure::failed(Code::new("store-corrupt"), error.to_string()))?;
        self.remember(home, said, text, by).await
    }

    async fn remember(
        &self,
        home: &Home,
        said: &str,
        text: String,
        by: &str,
    ) -> Result<(), Failure> {
        let note = Fact::Note {
            text: format!("renewal of the credential `{}`: {said}", self.credential),
        };
        let remembered = (remembered_as(&self.credential), text);
        let installation = home.store.installation();
        Ok(installation.remember(by, vec![note], remembered).await?)
    }

    /// The connections that it holds back: a person may have taken one out meanwhile, by pausing it.
    async fn held(&self, home: &Home) -> Result<Vec<ConnectionName>, Failure> {
        let stored = Self::load(home, &self.credential).await?;
        Ok(stored.map_or_else(Vec::new, |stored| stored.paused))
    }

    /// Lets the writes go on that it holds back.
    pub(super) async fn resume(&self, home: &Home, by: &str) -> Result<(), Failure> {
        for connection in &self.held(home).await? {
            if is_paused(home, connection).await? {
                let reason = format!(
                    "the renewal of the credential `{}` has ended",
                    self.credential
                );
                pause::say(
                    &home.store.connection(connection),
                    Fact::Resumed { reason },
                    by,
                )
                .await?;
            }
        }
        Ok(())
    }

    /// It is over, in the history and in the store; what was sealed on the way is forgotten.
    pub(super) async fn end(&self, home: &Home, said: &str, by: &str) -> Result<(), Failure> {
        pending::forget(home, &pending::next_name(&self.credential), by).await?;
        pending::forget(home, &pending::old_name(&self.credential), by).await?;
        self.resume(home, by).await?;
        self.remember(home, said, String::new(), by).await
    }
}

/// The guide from one kind of credential to another.
pub(super) fn guide(from: &str, to: &str) -> Result<&'static Guide, Failure> {
    let mut guides = tieout_systems::ALL
        .iter()
        .flat_map(|entry| entry.system.guides);
    let found = guides.find(|guide| {
        guide.purpose == Purpose::Renewal && guide.from == from && guide.credential == to
    });
    found.ok_or_else(|| {
        let cause = format!("there is no guided way from {from} to {to}");
        Failure::usage(Code::new("credential-kind"), cause)
    })
}

fn remembered_as(credential: &str) -> String {
    format!("renewal/{credential}")
}

/// A person pauses a connection: no renewal that holds its writes back lets them go on when it ends (scenario 239).
///
/// # Errors
/// What a database can answer.
pub(crate) async fn leave_paused(
    home: &Home,
    connection: &ConnectionName,
    by: &str,
) -> Result<(), Failure> {
    let Some(config) = home.config.connections.get(connection) else {
        return Ok(());
    };
    for settings in [&config.ledger_settings, &config.platform_settings] {
        let Some(credential) = credential_name(settings) else {
            continue;
        };
        let Some(mut renewal) = Renewal::load(home, credential).await? else {
            continue;
        };
        if renewal.paused.contains(connection) {
            renewal.paused.retain(|paused| paused != connection);
            let said = format!("a person has paused `{connection}`, which stays paused");
            renewal.save(home, &said, by).await?;
        }
    }
    Ok(())
}

/// Whether this connection by itself is paused.
async fn is_paused(home: &Home, connection: &ConnectionName) -> Result<bool, Failure> {
    let stops = home.store.connection(connection).stops().await?;
    Ok(pause::is_paused(&stops, Some(connection)))
}
