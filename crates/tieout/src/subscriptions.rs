//! Hearing of changes without asking: subscriptions at services that sign what they send, and secret paths for those
//! that don't. What is kept of them is sealed in the store; between runs only the keys to check with are in memory.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tieout_domain::code::Code;
use tieout_domain::{ConnectionName, Fault, Timestamp};
use tieout_kit::System;
use tieout_kit::webhooks::{ByHand, Receive, SecurityKeys, Signed, Subscriptions, Webhooks};
use tieout_store::Vault;

use crate::assemble::{self, Shared};
use crate::config::ConnectionConfig;
use crate::failure::{Exit, Failure};
use crate::home::Home;
pub use crate::push_keys::PushKeys;

/// The history over there is asked for events from a little before the last check: its clock isn't ours.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// A side of a connection.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The side's system.
    pub system: &'static System,
    /// The side's table.
    pub settings: &'a Map<String, Value>,
}

/// Both sides of a connection.
pub fn sides<'a>(connection: &'a ConnectionName, config: &'a ConnectionConfig) -> [Side<'a>; 2] {
    let side = |system, settings| Side {
        connection,
        system,
        settings,
    };
    [
        side(config.ledger.system, &config.ledger_settings),
        side(config.platform.system, &config.platform_settings),
    ]
}

/// How a notification for a connection is proven.
pub enum Proof {
    /// By a signature.
    Keys {
        /// The header that holds it.
        header: &'static str,
        /// Takes the hint of what it proves.
        receive: Receive,
        /// What it is made with.
        keys: SecurityKeys,
    },
    /// By the secret in its path, and where a key was made for it by a signature too.
    Secret(SecretString, Option<PushKeys>),
}

/// What is kept of a subscription, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Subscribed {
    /// Its id over there.
    pub id: String,
    /// Where it sends to.
    pub url: String,
    /// When it was last checked.
    pub checked: Option<Timestamp>,
    current: String,
    previous: Option<String>,
}

impl Subscribed {
    /// A subscription that has just been made, with the key that was shown.
    #[must_use]
    pub fn new(id: String, url: String, key: &SecretString) -> Self {
        Self {
            id,
            url,
            checked: None,
            current: key.expose_secret().to_owned(),
            previous: None,
        }
    }

    fn keys(&self) -> SecurityKeys {
        SecurityKeys {
            current: self.current.clone().into(),
            previous: self.previous.clone().map(SecretString::from),
        }
    }
}

/// What had to be done for a subscription to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ensured {
    /// Nothing.
    Found,
    /// It had been switched off over there.
    SwitchedOn,
    /// It was made.
    Made,
}

/// What a test of a subscription found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tested {
    /// Events that never arrived.
    pub missed: usize,
    /// What our endpoint answered to the test event; 0 if nothing did, `None` where the service sends none.
    pub answered: Option<u16>,
}

/// How often a test event is asked for after a new key was made, while `serve` may not have read it yet.
const CONFIRM_TRIES: u32 = 10;
/// How long between two of them.
const CONFIRM_EVERY: Duration = Duration::from_secs(2);

/// How long a notification that was sent with an old key may still come, where nothing tells that the new one is in use.
const SPENT: SignedDuration = SignedDuration::from_hours(2);

/// The subscriptions of a home.
pub struct Keeper<'a> {
    /// The home.
    pub home: &'a Home,
    /// Its vault.
    pub vault: &'a Vault,
    /// What connections share.
    pub shared: &'a Shared,
}

impl Keeper<'_> {
    /// How notifications of a side are proven; `None` as long as nobody subscribed.
    ///
    /// # Errors
    /// What the store can answer.
    pub async fn proof(&self, side: Side<'_>) -> Result<Option<Proof>, Failure> {
        match side.system.webhooks {
            None => Ok(None),
            Some(Webhooks::SecretPath) => {
                let secret = self.secret(side).await?;
                Ok(Some(Proof::Secret(secret, self.push_keys(side).await?)))
            }
            Some(Webhooks::Signed(signed)) => {
                let kept = self.kept(side).await?;
                Ok(kept.map(|kept| Proof::Keys {
                    header: signed.header,
                    receive: signed.receive,
                    keys: kept.keys(),
                }))
            }
            Some(Webhooks::ByHand(by_hand)) => {
                // A credential that isn't there yet must not keep the other sides from being heard.
                let key = self.key(side, by_hand).await.unwrap_or_else(|failure| {
                    let (connection, system) = (side.connection, side.system.id);
                    tracing::warn!(%connection, %system, "its notifications can't be proven: {}", failure.cause);
                    None
                });
                Ok(key.map(|current| Proof::Keys {
                    header: by_hand.header,
                    receive: by_hand.receive,
                    keys: SecurityKeys {
                        current,
                        previous: None,
                    },
                }))
            }
        }
    }

    /// The key of a side whose address a person enters over there; `None` as long as the credential has none.
    ///
    /// # Errors
    /// What the store can answer.
    pub async fn key(
        &self,
        side: Side<'_>,
        by_hand: ByHand,
    ) -> Result<Option<SecretString>, Failure> {
        let credential = assemble::credential(self.home, self.vault, side).await?;
        Ok((by_hand.key)(&credential))
    }

    /// How many events of such a side never arrived since it was last looked, where anything was ever heard of it: an
    /// address that nobody answers at is switched off over there, and nobody tells (scenario 244).
    ///
    /// # Errors
    /// Where the service can't be asked.
    pub async fn missed(&self, side: Side<'_>, by_hand: ByHand) -> Result<usize, Failure> {
        let store = self.home.store.connection(side.connection);
        let system = side.system.id.as_str();
        let now = self.shared.timer.now();
        let kept = self.home.store.kept(self.vault);
        let name = format!("{}/checked", kept_as(side));
        let before = kept.get(&name).await?;
        let before = before.and_then(|at| at.expose_secret().parse::<Timestamp>().ok());
        let heard = store.hints_seen(system).await?.last.is_some();
        let mut missed = 0;
        if let Some(since) = before.filter(|_| heard) {
            let since = since.checked_sub(OVERLAP).unwrap_or(since);
            let past = assemble::past((self.home, self.vault, self.shared), side, by_hand).await?;
            let events = past.events_since(since).await.map_err(failed)?;
            let known = store.hints_known(system, &events).await?;
            missed = events
                .iter()
                .filter(|event| !known.contains(*event))
                .count();
        }
        kept.put(&name, &now.to_string().into(), None).await?;
        Ok(missed)
    }

    /// The secret in the path of a side that doesn't sign; made when it is first asked for.
    ///
    /// # Errors
    /// What the store can answer.
    pub async fn secret(&self, side: Side<'_>) -> Result<SecretString, Failure> {
        let kept = self.home.store.kept(self.vault);
        let name = format!("{}/secret", kept_as(side));
        if let Some(secret) = kept.get(&name).await? {
            return Ok(secret);
        }
        let secret = SecretString::from(self.shared.entropy.hex(24));
        kept.put(&name, &secret, None).await?;
        Ok(secret)
    }

    /// The keys that calls to a side's secret path are signed with; `None` as long as none was made.
    ///
    /// # Errors
    /// What the store can answer.
    pub async fn push_keys(&self, side: Side<'_>) -> Result<Option<PushKeys>, Failure> {
        let kept = self.home.store.kept(self.vault);
        let text = kept.get(&push_keys_kept_as(side)).await?;
        Ok(text.and_then(|text| serde_json::from_str(text.expose_secret()).ok()))
    }

    /// Makes a key that calls to a side's secret path are signed with from now on, and gives it. The one before it stays
    /// good for a week.
    ///
    /// # Errors
    /// What the store can answer.
    pub async fn make_push_key(&self, side: Side<'_>) -> Result<SecretString, Failure> {
        let before = self.push_keys(side).await?;
        let now = self.shared.timer.now();
        let key = self.shared.entropy.hex(32);
        let keys = PushKeys::after(before, key.clone(), now);
        let text = serde_json::to_string(&keys).unwrap_or_default();
        let kept = self.home.store.kept(self.vault);
        kept.put(&push_keys_kept_as(side), &text.into(), None)
            .await?;
        self.home.store.webhooks_kept().await?;
        Ok(key.into())
    }

    /// Takes calls to a side's secret path unsigned again.
    ///
    /// # Errors
    /// What the store can answer.
    pub async fn remove_push_keys(&self, side: Side<'_>) -> Result<(), Failure> {
        let kept = self.home.store.kept(self.vault);
        kept.remove(&push_keys_kept_as(side)).await?;
        Ok(self.home.store.webhooks_kept().await?)
    }

    /// What is kept of a side's subscription.
    ///
    /// # Errors
    /// What the store can answer.
    pub async fn kept(&self, side: Side<'_>) -> Result<Option<Subscribed>, Failure> {
        let kept = self.home.store.kept(self.vault).get(&kept_as(side)).await?;
        Ok(kept.and_then(|kept| serde_json::from_str(kept.expose_secret()).ok()))
    }

    /// Keeps what is known of a side's subscription.
    ///
    /// # Errors
    /// What the store can answer.
    pub async fn keep(&self, side: Side<'_>, subscribed: &Subscribed) -> Result<(), Failure> {
        let text = serde_json::to_string(subscribed).unwrap_or_default();
        let kept = self.home.store.kept(self.vault);
        kept.put(&kept_as(side), &text.into(), None).await?;
        Ok(self.home.store.webhooks_kept().await?)
    }

    /// Sees to it that a side's subscription is there and is on (scenario 244). One whose key isn't known here is of no
    /// use: it is removed, and another made.
    ///
    /// # Errors
    /// Where the service can't be asked.
    pub async fn ensure(
        &self,
        (side, signed): (Side<'_>, Signed),
        public_url: &str,
    ) -> Result<(Subscribed, Ensured), Failure> {
        let there = self.at(side, signed).await?;
        let url = address(public_url, side);
        let known = self.kept(side).await?;
        let all = there.list().await.map_err(failed)?;
        if let Some(ours) = known.clone().filter(|known| known.url == url)
            && let Some(found) = all.iter().find(|one| one.id == ours.id && one.url == url)
        {
            if found.enabled {
                return Ok((ours, Ensured::Found));
            }
            there.enable(&ours.id).await.map_err(failed)?;
            return Ok((ours, Ensured::SwitchedOn));
        }
        let stale = |id: &str| known.as_ref().is_some_and(|known| known.id == id);
        for one in all.iter().filter(|one| one.url == url || stale(&one.id)) {
            there.unsubscribe(&one.id).await.map_err(failed)?;
        }
        let (id, key) = there.subscribe(&url).await.map_err(failed)?;
        let made = Subscribed::new(id, url, &key);
        self.keep(side, &made).await?;
        Ok((made, Ensured::Made))
    }

    /// Sees whether a subscription reaches us, and counts what it should have told since it was last checked and
    /// didn't (scenario 244).
    ///
    /// # Errors
    /// Where the service can't be asked.
    pub async fn test(
        &self,
        (side, signed): (Side<'_>, Signed),
        ours: Subscribed,
    ) -> Result<Tested, Failure> {
        let there = self.at(side, signed).await?;
        let mut missed = 0;
        if let Some(since) = ours.checked {
            let since = since.checked_sub(OVERLAP).unwrap_or(since);
            let events = there.events_since(&ours.id, since).await.map_err(failed)?;
            let store = self.home.store.connection(side.connection);
            let known = store.hints_known(side.system.id.as_str(), &events).await?;
            missed = events
                .iter()
                .filter(|event| !known.contains(*event))
                .count();
        }
        let now = self.shared.timer.now();
        let answered = there.test(&ours.id).await.map_err(failed)?;
        let spent = ours
            .checked
            .is_some_and(|checked| now.duration_since(checked) > SPENT);
        let mut ours = Subscribed {
            checked: Some(now),
            ..ours
        };
        if answered.map_or(spent, |answered| answered == 200) {
            // What comes is signed with the new key, and was taken: the one before it opens nothing any more. Where no test
            // event comes, what was on its way with it has had its time.
            ours.previous = None;
        }
        self.keep(side, &ours).await?;
        Ok(Tested { missed, answered })
    }

    /// Has the service sign with a new key. Until a test event has come through with it, the one before it is good too:
    /// whatever is on its way arrives. Tells whether one has; a service that sends no test events proves it by time alone.
    ///
    /// # Errors
    /// `not-subscribed`; `key-not-confirmed` where no test event came through: then both keys are good. Also where the
    /// service can't be asked.
    pub async fn renew_key(&self, (side, signed): (Side<'_>, Signed)) -> Result<bool, Failure> {
        let Some(ours) = self.kept(side).await? else {
            let Side {
                connection, system, ..
            } = side;
            let cause = format!(
                "{connection}: {}: there is no subscription yet",
                system.title
            );
            return Err(Failure::usage(Code::new("not-subscribed"), cause));
        };
        let there = self.at(side, signed).await?;
        let key = there.renew_key(&ours.id).await.map_err(failed)?;
        let ours = Subscribed {
            previous: Some(ours.current),
            current: key.expose_secret().to_owned(),
            checked: Some(self.shared.timer.now()),
            ..ours
        };
        self.keep(side, &ours).await?;
        let mut answered = 0;
        for _ in 0..CONFIRM_TRIES {
            self.shared.timer.sleep(CONFIRM_EVERY).await;
            let Some(status) = self.test((side, signed), ours.clone()).await?.answered else {
                return Ok(false);
            };
            answered = status;
            if answered == 200 {
                return Ok(true);
            }
        }
        let cause = format!(
            "{}: the new key is in use, and a test notification was answered with {answered} and not with 200; \
             both keys are good until one comes through",
            side.connection
        );
        Err(Failure::failed(Code::new("key-not-confirmed"), cause))
    }

    /// Removes the subscriptions of a connection; tells whether there was one.
    ///
    /// # Errors
    /// Where the service can't be asked. What is kept stays then.
    pub async fn remove(
        &self,
        connection: &ConnectionName,
        config: &ConnectionConfig,
    ) -> Result<bool, Failure> {
        let mut removed = false;
        for side in sides(connection, config) {
            let Some(Webhooks::Signed(signed)) = side.system.webhooks else {
                continue;
            };
            let Some(ours) = self.kept(side).await? else {
                continue;
            };
            let there = self.at(side, signed).await?;
            let all = there.list().await.map_err(failed)?;
            if all.iter().any(|one| one.id == ours.id) {
                there.unsubscribe(&ours.id).await.map_err(failed)?;
            }
            self.home
                .store
                .kept(self.vault)
                .remove(&kept_as(side))
                .await?;
            removed = true;
        }
        Ok(removed)
    }

    async fn at(&self, side: Side<'_>, signed: Signed) -> Result<Arc<dyn Subscriptions>, Failure> {
        let (home, vault, shared) = (self.home, self.vault, self.shared);
        assemble::subscriptions((home, vault, shared), side, signed).await
    }
}

/// Where a side sends to, without a secret.
#[must_use]
pub fn address(public_url: &str, side: Side<'_>) -> String {
    let base = public_url.trim_end_matches('/');
    format!("{base}/webhooks/{}/{}", side.system.id, side.connection)
}

fn kept_as(side: Side<'_>) -> String {
    format!("webhooks/{}/{}", side.system.id, side.connection)
}

fn push_keys_kept_as(side: Side<'_>) -> String {
    format!("{}/push-keys", kept_as(side))
}

fn failed(fault: Fault) -> Failure {
    let code: Code = fault.code();
    Failure {
        code,
        cause: fault.to_string(),
        exit: Exit::Side,
    }
}
