//! Counting the sign-ins that were refused, so that looking for the cause locks nobody out.
//!
//! Services lock a user or a token for half an hour after five refusals in a row. Three within that time are
//! the most that are risked when nobody asked, and four where a person did, over all runs, commands and connections
//! that use the same credential.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tieout_domain::Timestamp;

use crate::Kit;

/// How long a refusal counts: as long as the services remember theirs.
const WINDOW: Duration = Duration::from_secs(30 * 60);
/// The most refusals that are risked within that time when nobody asked.
pub const REFUSALS_MAX: usize = 3;
/// The most that a person who asks may risk: a fifth could lock.
pub const REFUSALS_MAX_ASKED: usize = 4;
/// What the names of all counts have in them.
const NAMED: &str = "/refusals";

/// Whether what is kept under this name is a count of refused sign-ins. All processes share it, also those that keep
/// no session.
#[must_use]
pub fn is_count(name: &str) -> bool {
    name.contains(NAMED)
}

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

    /// How many were refused within the time in which they count.
    pub async fn count(&self, kit: &Kit) -> usize {
        self.recent(kit).await.len()
    }

    /// A sign-in was refused.
    pub async fn note(&self, kit: &Kit) {
        let system = self.kept_as.split('/').next().unwrap_or_default();
        kit.governors.note_refusal(system);
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
