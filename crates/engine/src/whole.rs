//! When everything was last read, and not only what changed.

use tieout_domain::Timestamp;
use tieout_store::{Commit, ConnectionStore};

use crate::error::EngineError;
use crate::run::Run;

/// Under this name the store remembers it.
const WHOLE_READ: &str = "whole-read";

/// When everything of a connection was last read, and not only what changed; `None` before the first time.
///
/// # Errors
/// What a database can answer.
pub async fn whole_read_at(store: &ConnectionStore) -> Result<Option<Timestamp>, EngineError> {
    let at = store.remembered(WHOLE_READ).await?;
    Ok(at.and_then(|at| at.parse().ok()))
}

impl Run<'_> {
    /// This run, which began then, has read everything.
    pub(crate) async fn remember_whole_read(&self, at: Timestamp) -> Result<(), EngineError> {
        let commit = Commit {
            remember: vec![(WHOLE_READ.to_owned(), at.to_string())],
            ..self.commit()
        };
        self.connection.store.commit(commit).await?;
        Ok(())
    }
}
