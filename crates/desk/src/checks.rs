//! What the last look at a connection found: every check, kept to be read again.

use serde::{Deserialize, Serialize};
use tieout_domain::Timestamp;
use tieout_domain::check::Check;
use tieout_domain::code::Code;
use tieout_store::{Commit, ConnectionStore};

use crate::error::DeskError;

/// Under this name the store keeps it.
const NAME: &str = "checks";

/// A look at a connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Looked {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// The checks, each with the system that it is about; empty where it is about both.
    pub checks: Vec<(String, Check)>,
}

/// Keeps a look in the place of the last one.
///
/// # Errors
/// The store's.
pub async fn keep(store: &ConnectionStore, looked: &Looked) -> Result<(), DeskError> {
    let body = serde_json::to_string(looked)
        .map_err(|error| DeskError::failed(Code::new("store-corrupt"), error.to_string()))?;
    let commit = Commit {
        actor: looked.by.clone(),
        remember: vec![(NAME.to_owned(), body)],
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(())
}

/// The last look; `None` if nobody has looked yet.
///
/// # Errors
/// The store's.
pub async fn kept(store: &ConnectionStore) -> Result<Option<Looked>, DeskError> {
    let body = store.remembered(NAME).await?;
    Ok(body.and_then(|body| serde_json::from_str(&body).ok()))
}
