//! Counting the sign-ins that were refused, so that looking for the cause locks nobody out.
//!
//! Services lock a user or a token for half an hour after five refusals in a row. Three within that time are
//! the most that are risked here, over all runs and connections that use the same credential.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tieout_domain::Timestamp;

use crate::Kit;

/// How long a refusal counts: as long as the services remember theirs.
const WINDOW: Duration = Duration::from_secs(30 * 60);
/// The most refusals that are risked within that time.
const REFUSALS_MAX: usize = 3;

/// The refused sign-ins of one credential.
#[derive(Debug, Clone)]
pub struct Refusals {
    kept_as: String,
}

impl Refusals {
    /// Counts under this name: one for each credential at each account.
    #[must_use]
    pub fn new(kept_as: String) -> Self {
        Self { kept_as }
    }

    /// When the next sign-in may be tried; `None` if it may be tried now.
    pub async fn barred_until(&self, kit: &Kit) -> Option<Timestamp> {
        let recent = self.recent(kit).await;
        let oldest = recent.len().checked_sub(REFUSALS_MAX)?;
        recent.get(oldest)?.checked_add(WINDOW).ok()
    }

    /// A sign-in was refused.
    pub async fn note(&self, kit: &Kit) {
        let mut recent = self.recent(kit).await;
        let now = kit.timer.now();
        recent.push(now);
        let seconds: Vec<String> = recent.iter().map(|at| at.as_second().to_string()).collect();
        let value: SecretString = seconds.join(" ").into();
        let until = now.checked_add(WINDOW).unwrap_or(now);
        if let Err(error) = kit.kept.put(&self.kept_as, &value, until).await {
            tracing::warn!(%error, "a refused sign-in can't be remembered");
        }
    }

    /// A sign-in was accepted: what came before counts no longer, there and here.
    pub async fn forget(&self, kit: &Kit) {
        if let Err(error) = kit.kept.remove(&self.kept_as).await {
            tracing::debug!(%error, "refused sign-ins can't be forgotten");
        }
    }

    async fn recent(&self, kit: &Kit) -> Vec<Timestamp> {
        let Ok(Some(value)) = kit.kept.get(&self.kept_as).await else {
            return Vec::new();
        };
        let from = kit.timer.now().checked_sub(WINDOW).ok();
        value
            .expose_secret()
            .split(' ')
            .filter_map(|second| Timestamp::from_second(second.parse().ok()?).ok())
            .filter(|at| from.is_none_or(|from| *at > from))
            .collect()
    }
}
