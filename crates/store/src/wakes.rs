//! Telling other nodes at once what they would find a moment later by themselves.
//!
//! PostgreSQL carries a word from one session to others (`NOTIFY`). It is told at the end of the transaction, or never;
//! nobody relies on it: whoever hears nothing looks anyway, every few seconds. Beside SQLite nobody else listens.

use sqlx::postgres::{PgListener, PgPoolOptions};
use tieout_domain::ConnectionName;

use crate::StoreError;
use crate::sql::{cells, with};
use crate::store::{Store, Writing};

/// Where it is told for which connection notifications have come.
const HINTS: &str = "tieout_hints";

/// Hears what other nodes tell.
pub struct Wakes(PgListener);

impl std::fmt::Debug for Wakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wakes").finish_non_exhaustive()
    }
}

impl Wakes {
    /// Waits for the next connection that a service told something of.
    ///
    /// # Errors
    /// What ends the listening: begin anew.
    pub async fn next(&mut self) -> Result<ConnectionName, StoreError> {
        loop {
            let told = self.0.recv().await?;
            if let Ok(connection) = told.payload().parse() {
                return Ok(connection);
            }
        }
    }
}

impl Store {
    /// Begins to hear what other nodes tell; `None` where there is nobody to hear.
    ///
    /// # Errors
    /// What the last server answered that was tried.
    pub async fn wakes(&self) -> Result<Option<Wakes>, StoreError> {
        let mut refused = None;
        for server in self.inner.listened_to() {
            match listening(server.options.database_url.as_str()).await {
                Ok(wakes) => return Ok(Some(wakes)),
                // A standby lets nobody listen.
                Err(error) => refused = Some(error),
            }
        }
        refused.map_or(Ok(None), |error| Err(error.into()))
    }

    /// Tells the other nodes, once the transaction is durable, that notifications have come for a connection.
    pub(crate) async fn tell_hinted(
        &self,
        database: &mut Writing,
        connection: &str,
    ) -> Result<(), StoreError> {
        let Some(text) = self.inner.dialect.tell() else {
            return Ok(());
        };
        with(text, cells![HINTS, connection])
            .fetch_all(database)
            .await
            .map(drop)
    }
}

async fn listening(url: &str) -> Result<Wakes, sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(HINTS).await?;
    Ok(Wakes(listener))
}
