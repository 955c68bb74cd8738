//! What services tell without being asked, and the subscriptions that have them tell it.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{ConnectionName, hexadecimal};
use tieout_engine::scheduler::Mark;
use tieout_kit::webhooks::{ByHand, PUSH_SIGNATURE_HEADER, Signed, Webhooks, same_secret};
use tieout_server::Notification;
use tieout_store::{Claim, NewHint};

use super::Service;
use crate::config::Config;
use crate::failure::Failure;
use crate::subscriptions::{Ensured, Keeper, Proof, PushKeys, Side, Tested, sides};

/// How often the subscriptions are checked.
const CHECK: Duration = Duration::from_secs(24 * 3600);
/// How soon again one that couldn't be.
const CHECK_AGAIN: Duration = Duration::from_secs(3600);
/// A check that another node made so lately is not made again when this one begins.
const LATELY: Duration = Duration::from_secs(60);
/// How long an event's id is remembered after a run has heeded it.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Nobody subscribed for it, or nobody knows that secret.
const UNPROVEN: Rejected = Rejected::Unsigned {
    why: "nobody subscribed for this address",
};

/// The path is known, and a key was made for it.
const UNSIGNED: Rejected = Rejected::Unsigned {
    why: "its signature is missing, or was made with another key",
};

impl Service {
    /// Proves a notification by what is known of its address, and takes the hint in it.
    pub(super) fn proven(&self, notification: &Notification<'_>) -> Result<Hint, Rejected> {
        let address = (
            notification.system.to_owned(),
            notification.connection.clone(),
        );
        let proofs = self.proofs.read().unwrap_or_else(PoisonError::into_inner);
        match (proofs.get(&address), notification.secret) {
            (
                Some(Proof::Keys {
                    header,
                    receive,
                    keys,
                }),
                None,
            ) => {
                let signature = notification.headers.get(*header);
                let signature = signature.map(|value| value.as_bytes());
                let mut hint = receive(keys, signature, notification.body)?;
                if hint.event.is_empty() {
                    // The same body within a second is the same event.
                    hint.event = self.event(notification, Duration::from_secs(1));
                }
                Ok(hint)
            }
            (Some(Proof::Secret(secret, keys)), Some(given)) if same_secret(secret, given) => {
                let signed = keys
                    .as_ref()
                    .is_none_or(|keys| self.signed(keys, notification));
                signed.then(|| self.pushed(notification)).ok_or(UNSIGNED)
            }
            _ => Err(UNPROVEN),
        }
    }

    fn signed(&self, keys: &PushKeys, notification: &Notification<'_>) -> bool {
        let signature = notification.headers.get(PUSH_SIGNATURE_HEADER);
        let signature = signature.map_or(&[][..], |value| value.as_bytes());
        keys.signed(signature, notification.body, self.shared.timer.now())
    }

    /// The hint of a push to a secret path: nothing in it is looked at, signed or not (scenario 242). The same one
    /// within a minute is the same event.
    fn pushed(&self, notification: &Notification<'_>) -> Hint {
        Hint {
            event: self.event(notification, Duration::from_secs(60)),
            event_type: "push".to_owned(),
            organization: String::new(),
            kind: None,
            id: None,
            at: None,
        }
    }

    /// An id for an event that bears none: the same for the same body within this span.
    fn event(&self, notification: &Notification<'_>, span: Duration) -> String {
        let span = i64::try_from(span.as_secs()).unwrap_or(1).max(1);
        let now = self.shared.timer.now();
        let mut digest = Sha256::new();
        digest.update(now.as_second().div_euclid(span).to_be_bytes());
        digest.update(notification.body);
        let mut text = hexadecimal(&digest.finalize());
        text.truncate(32);
        text
    }

    /// A connection is due because a service told so.
    pub(super) fn told(&self, connection: &ConnectionName) {
        let mark = Mark {
            trigger: "webhook".to_owned(),
            ..Mark::default()
        };
        self.scheduler.mark(connection, mark);
    }

    /// A connection is due because a service should have told so. Kept as if it had: then any node may look.
    async fn told_without_notice(&self, side: Side<'_>) {
        let at = self.shared.timer.now();
        let hint = NewHint {
            connection: side.connection.clone(),
            system: side.system.id.to_string(),
            event: format!("missed {at}"),
            record: String::new(),
            at,
        };
        if let Err(error) = self.home.store.keep_hints(&[hint]).await {
            tracing::warn!(connection = %side.connection, %error, "that something was missed can't be kept");
        }
        self.told(side.connection);
    }

    /// What had been told before the service ended, and no run has heeded.
    pub(super) async fn take_up_hints(&self) -> Result<(), Failure> {
        for connection in self.home.store.hinted().await? {
            self.told(&connection);
        }
        Ok(())
    }

    pub(super) fn keeper(&self) -> Keeper<'_> {
        Keeper {
            home: &self.home,
            vault: &self.vault,
            shared: &self.shared,
        }
    }

    /// Reads anew how the notifications of each connection are proven.
    pub(super) async fn read_proofs(&self, config: &Config) -> Result<(), Failure> {
        let mut proofs = std::collections::HashMap::new();
        for (name, connection) in config.connections.iter().filter(|(_, it)| it.enabled) {
            for side in sides(name, connection) {
                if let Some(proof) = self.keeper().proof(side).await? {
                    proofs.insert((side.system.id.to_string(), name.clone()), proof);
                }
            }
        }
        *self.proofs.write().unwrap_or_else(PoisonError::into_inner) = proofs;
        Ok(())
    }

    /// Keeps the subscriptions, for as long as the service lives: at its start, after a change of the configuration, and
    /// once a day.
    pub async fn subscribe(self: Arc<Self>) {
        // One that is alone may have been away: what was checked before its start says nothing.
        let mut checked_within = if self.has_company().await {
            LATELY
        } else {
            Duration::ZERO
        };
        loop {
            let wait = self.subscribe_once(checked_within).await;
            tokio::select! {
                () = self.shared.timer.sleep(wait) => checked_within = wait - wait / 10,
                () = self.configured.notified() => checked_within = LATELY,
            }
        }
    }

    /// Whether another node serves from the same store: another life of this one's name is none.
    async fn has_company(&self) -> bool {
        let nodes = self.home.store.nodes().await.unwrap_or_default();
        let others = nodes.iter().filter(|node| node.name != self.node);
        others.into_iter().any(|node| node.alive)
    }

    /// Checks the subscriptions unless another node of the same configuration has done so within this time. Says when to
    /// check again.
    async fn subscribe_once(&self, checked_within: Duration) -> Duration {
        let (store, config) = (&self.home.store, self.config());
        let check = format!("subscriptions/{}", hexadecimal(&config.digest[..8]));
        let due = store
            .time()
            .await
            .map(|now| now.checked_sub(checked_within).ok());
        let claim = match due {
            Ok(due) => store.claim(&check, &[], due).await,
            Err(error) => Err(error),
        };
        match claim {
            Ok(Claim::Ours) => {}
            Ok(Claim::Done | Claim::Elsewhere) => return CHECK_AGAIN,
            Err(error) => {
                tracing::warn!(%error, "the subscriptions can't be checked now");
                return LATELY;
            }
        }
        let all_well = self.check_all(&config).await;
        let now = self.shared.timer.now();
        if let Ok(before) = now.checked_sub(REMEMBERED)
            && let Err(error) = store.forget_hints(before).await
        {
            tracing::warn!(%error, "old notifications can't be forgotten");
        }
        if let Err(error) = store.end_claim(&check, &[]).await {
            tracing::warn!(%error, "that the subscriptions were checked can't be told to other nodes");
        }
        if all_well { CHECK } else { CHECK_AGAIN }
    }

    /// Whether every subscription is as it must be.
    async fn check_all(&self, config: &Config) -> bool {
        let Some(public_url) = &config.public_url else {
            return true;
        };
        let mut all_well = true;
        for (name, connection) in config.connections.iter().filter(|(_, it)| it.enabled) {
            for side in sides(name, connection) {
                match side.system.webhooks {
                    Some(Webhooks::Signed(signed)) => {
                        all_well &= self.check((side, signed), public_url).await;
                    }
                    Some(Webhooks::ByHand(by_hand)) => all_well &= self.recall(side, by_hand).await,
                    Some(Webhooks::SecretPath) | None => {}
                }
            }
        }
        all_well
    }

    /// Whether what a side should have told has arrived. Where some of it hasn't, a run looks now.
    async fn recall(&self, side: Side<'_>, by_hand: ByHand) -> bool {
        let (connection, system) = (side.connection, side.system.id);
        match self.keeper().missed(side, by_hand).await {
            Ok(0) => true,
            Ok(missed) => {
                tracing::warn!(
                    %connection, %system, missed,
                    "notifications never arrived; a run looks now. The service may have switched our address off: see \
                     {} over there",
                    by_hand.menu
                );
                self.told_without_notice(side).await;
                true
            }
            Err(failure) => {
                let code = failure.code;
                tracing::warn!(
                    %connection, %system, %code,
                    "past notifications can't be checked: {}", failure.cause
                );
                false
            }
        }
    }

    /// Whether a subscription is there, is on, and reaches us.
    async fn check(&self, side: (Side<'_>, Signed), public_url: &str) -> bool {
        let (connection, system) = (side.0.connection, side.0.system.id);
        match self.checked(side, public_url).await {
            Ok(reaches_us) => reaches_us,
            Err(failure) => {
                let code = failure.code;
                tracing::warn!(
                    %connection, %system, %code,
                    "the subscription to notifications can't be checked: {}", failure.cause
                );
                false
            }
        }
    }

    async fn checked(&self, side: (Side<'_>, Signed), public_url: &str) -> Result<bool, Failure> {
        let (connection, system) = (side.0.connection, side.0.system.id);
        let (ours, ensured) = self.keeper().ensure(side, public_url).await?;
        // Before the test event comes.
        if let Some(proof) = self.keeper().proof(side.0).await? {
            let mut proofs = self.proofs.write().unwrap_or_else(PoisonError::into_inner);
            proofs.insert((system.to_string(), connection.clone()), proof);
        }
        match ensured {
            Ensured::Found => {}
            Ensured::SwitchedOn => tracing::warn!(
                %connection, %system, "its notifications had been switched off; they are on again"
            ),
            Ensured::Made => tracing::info!(%connection, %system, "subscribed to notifications"),
        }
        let Tested { missed, answered } = self.keeper().test(side, ours).await?;
        if missed > 0 {
            tracing::warn!(%connection, %system, missed, "notifications never arrived; a run looks now");
            self.told_without_notice(side.0).await;
        }
        let reaches_us = answered.is_none_or(|answered| answered == 200);
        if !reaches_us {
            tracing::warn!(
                %connection, %system, answered,
                "a test notification didn't reach us; schedules go on by themselves. Check `server.public_url`"
            );
        }
        Ok(reaches_us)
    }
}
