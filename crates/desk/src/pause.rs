//! The kill switch (scenario 239): stopping remote writes, and letting them go on.
//!
//! It lies in the store, where every attempt is refused while it is on: once a pause is committed, no new call is
//! made, also by a run that is under way in another process. A call that was made before may still be carried out
//! over there; [`under_way`] names those.

use tieout_domain::ConnectionName;
use tieout_store::{
    Commit, ConnectionStore, Fact, InstallationStore, OpenWrite, Stop, StopKind, WriteStatus,
};

use crate::error::DeskError;

/// Whether the switch of this connection, or of the installation, is on already.
#[must_use]
pub fn is_paused(stops: &[Stop], connection: Option<&ConnectionName>) -> bool {
    stops
        .iter()
        .any(|stop| stop.kind == StopKind::Paused && stop.connection.as_ref() == connection)
}

/// Stops the remote writes of a connection. Tells whether they went on until now.
///
/// # Errors
/// The store's.
pub async fn pause(store: &ConnectionStore, reason: &str, actor: &str) -> Result<bool, DeskError> {
    let paused = is_paused(&store.stops().await?, Some(store.name()));
    if !paused {
        let reason = reason.to_owned();
        say(store, Fact::Paused { reason }, actor).await?;
    }
    Ok(!paused)
}

/// Lets the remote writes of a connection go on. Tells whether they were paused.
///
/// # Errors
/// The store's.
pub async fn resume(store: &ConnectionStore, reason: &str, actor: &str) -> Result<bool, DeskError> {
    let paused = is_paused(&store.stops().await?, Some(store.name()));
    if paused {
        let reason = reason.to_owned();
        say(store, Fact::Resumed { reason }, actor).await?;
    }
    Ok(paused)
}

/// Stops the remote writes of all connections by one switch. Tells whether it was off until now.
///
/// # Errors
/// The store's.
pub async fn pause_all(
    store: &InstallationStore,
    reason: &str,
    actor: &str,
) -> Result<bool, DeskError> {
    let paused = is_paused(&store.stops().await?, None);
    if !paused {
        let reason = reason.to_owned();
        store.commit(actor, vec![Fact::Paused { reason }]).await?;
    }
    Ok(!paused)
}

/// Puts the switch of all connections back. Tells whether it was on.
///
/// # Errors
/// The store's.
pub async fn resume_all(
    store: &InstallationStore,
    reason: &str,
    actor: &str,
) -> Result<bool, DeskError> {
    let paused = is_paused(&store.stops().await?, None);
    if paused {
        let reason = reason.to_owned();
        store.commit(actor, vec![Fact::Resumed { reason }]).await?;
    }
    Ok(paused)
}

/// Puts a stop, or the end of one, into a connection's history, where it takes effect.
///
/// # Errors
/// The store's.
pub async fn say(store: &ConnectionStore, fact: Fact, actor: &str) -> Result<(), DeskError> {
    let commit = Commit {
        actor: actor.to_owned(),
        facts: vec![fact],
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(())
}

/// The calls of a connection that may still be carried out, whatever stops new ones.
///
/// # Errors
/// The store's.
pub async fn under_way(store: &ConnectionStore) -> Result<Vec<OpenWrite>, DeskError> {
    let open = store.open_writes().await?;
    Ok(open
        .into_iter()
        .filter(|write| write.status != WriteStatus::Intended)
        .collect())
}
