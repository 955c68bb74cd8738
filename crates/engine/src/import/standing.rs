//! An import that was asked for and has not come to its end: what it is, and how far.

use serde::{Deserialize, Serialize};
use tieout_domain::Timestamp;
use tieout_store::{Commit, ConnectionStore, StoreError};

use super::Import;

/// An import that has not come to its end. It is kept in the store, for whichever process goes on with it, and for
/// whoever watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Of what.
    pub import: Import,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub asked: Timestamp,
    /// The runs that it has taken so far; none while nobody has begun.
    pub runs: Vec<String>,
    /// How many records the list has; known once the ledger was read.
    pub total: Option<u64>,
    /// Of how many of them it is known what becomes of them.
    pub done: u64,
    /// How many customers its invoices have brought along.
    pub brought: u64,
}

impl Standing {
    /// An import that nobody has begun with.
    pub(crate) fn new(import: Import, by: &str, asked: Timestamp) -> Self {
        Self {
            import,
            by: by.to_owned(),
            asked,
            runs: Vec::new(),
            total: None,
            done: 0,
            brought: 0,
        }
    }

    /// One more run goes on with it: it counts anew, and passes quickly over what is there.
    pub(crate) fn taken_up(mut self, run: &str) -> Self {
        self.runs.push(run.to_owned());
        (self.total, self.done, self.brought) = (None, 0, 0);
        self
    }

    /// As the store keeps it.
    pub(crate) fn kept(&self) -> (String, String) {
        let text = serde_json::to_string(self).unwrap_or_default();
        (name(self.import), text)
    }

    /// What the store keeps, read; `None` where nothing is.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The name under which the store keeps an import.
#[must_use]
pub fn name(import: Import) -> String {
    format!("import/{import}")
}

/// What the store keeps when there is none.
pub(super) fn nothing(import: Import) -> (String, String) {
    (name(import), String::new())
}

/// The import of a list, as long as it has not come to its end.
///
/// # Errors
/// The store's.
pub async fn standing(
    store: &ConnectionStore,
    import: Import,
) -> Result<Option<Standing>, StoreError> {
    let kept = store.remembered(&name(import)).await?;
    Ok(kept.as_deref().and_then(Standing::read))
}

/// Asks for an import. One that has not come to its end is the one that is meant.
///
/// # Errors
/// The store's.
pub async fn ask(
    store: &ConnectionStore,
    import: Import,
    by: &str,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    if let Some(standing) = standing(store, import).await? {
        return Ok(standing);
    }
    let standing = Standing::new(import, by, now);
    let commit = Commit {
        actor: by.to_owned(),
        remember: vec![standing.kept()],
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(standing)
}

/// Nobody goes on with an import; what it has made stays. Tells whether there was one.
///
/// # Errors
/// The store's.
pub async fn abandon(
    store: &ConnectionStore,
    import: Import,
    by: &str,
) -> Result<bool, StoreError> {
    let pending = standing(store, import).await?.is_some();
    let commit = Commit {
        actor: by.to_owned(),
        remember: vec![nothing(import)],
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(pending)
}
