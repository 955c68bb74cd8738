//! Noticing that the configuration or a credential has changed, or that somebody asks for an import.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use super::Service;
use super::imports::Imports;
use crate::assemble::credential_name;
use crate::config::Config;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(2);

/// How a file looked: it has changed when this has.
type Looks = Option<(SystemTime, u64)>;

fn looks(path: &Path) -> Looks {
    let file = std::fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

impl Service {
    /// Looks at `tieout.toml`, at the credentials' versions and at the keys of notifications and at the imports that were
    /// asked for, for as long as the service lives. A new configuration
    /// that is good takes the old one's place; one that isn't is told of, and the old one stays.
    pub async fn watch(self: Arc<Self>) {
        let path = self.home.config.path.clone();
        // What was read at the start may have changed before this was begun.
        let mut file = None;
        let mut credentials = self.credential_versions().await;
        let mut webhooks = None;
        let mut imports = Imports::default();
        loop {
            self.take_up_imports(&mut imports).await;
            self.shared.timer.sleep(LOOK).await;
            let now = looks(&path);
            if now != file {
                file = now;
                self.read_again(&path).await;
            }
            if let Ok(moments) = self.home.store.moments().await
                && moments.webhooks != webhooks
            {
                webhooks = moments.webhooks;
                if let Err(failure) = self.read_proofs(&self.config()).await {
                    tracing::error!(code = %failure.code, "{}", failure.cause);
                }
            }
            let Some(versions) = self.credential_versions().await else {
                continue;
            };
            if let Some(before) = credentials.replace(versions.clone()) {
                let changed = versions
                    .iter()
                    .filter(|(name, version)| before.get(*name) != Some(version));
                changed.for_each(|(name, _)| self.credential_changed(name));
            }
        }
    }

    pub(super) async fn read_again(&self, path: &Path) {
        let config = match Config::read(path) {
            Ok(config) => Arc::new(config),
            Err(failure) => {
                let code = failure.code;
                tracing::error!(%code, "{}; what was read before still holds", failure.cause);
                return;
            }
        };
        if config.digest == self.config().digest {
            return;
        }
        let entries = match self.timetables(&config).await {
            Ok(entries) => entries,
            Err(failure) => {
                tracing::error!(code = %failure.code, "{}", failure.cause);
                return;
            }
        };
        let before = {
            let mut held = self.config.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, Arc::clone(&config))
        };
        self.scheduler.set(entries);
        if let Err(failure) = self.read_proofs(&config).await {
            tracing::error!(code = %failure.code, "{}", failure.cause);
        }
        self.configured.notify_one();
        // Whatever kept a connection waiting may have been its configuration.
        for name in config.connections.keys() {
            self.scheduler.forgive(name);
        }
        tracing::info!("{} has changed and holds from now on", path.display());
        let fixed = |config: &Config| {
            let public_url = config.public_url.clone();
            (
                config.store.clone(),
                config.listen.clone(),
                config.workers,
                public_url,
            )
        };
        if fixed(&before) != fixed(&config) {
            tracing::warn!(
                "`[store]` and `[server]` hold from the next start of `tieout serve` on"
            );
        }
    }

    /// The version of each credential; `None` while the store can't be asked.
    async fn credential_versions(&self) -> Option<BTreeMap<String, u64>> {
        let rows = self.home.store.credentials().list().await.ok()?;
        Some(
            rows.into_iter()
                .map(|row| (row.name, row.version))
                .collect(),
        )
    }

    /// Connections that weren't let in try again with the new one (scenario 201).
    fn credential_changed(&self, credential: &str) {
        for (name, config) in &self.config().connections {
            let sides = [&config.ledger_settings, &config.platform_settings];
            if sides
                .iter()
                .any(|side| credential_name(side) == Some(credential))
            {
                tracing::info!(connection = %name, credential, "its credential has changed");
                self.scheduler.forgive(name);
            }
        }
    }
}
