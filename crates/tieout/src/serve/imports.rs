//! Imports: whoever asked for one leaves it to the service, from the command line too.

use std::collections::HashMap;
use std::time::Duration;

use tieout_domain::{ConnectionName, Timestamp};
use tieout_engine::Import;
use tieout_engine::import::{Standing, name, standing};
use tieout_engine::scheduler::Mark;
use tieout_store::StoreError;

use super::Service;

/// How often the service says that it is at work.
const SAID_EVERY: Duration = Duration::from_secs(30);

/// An import that didn't come to its end is gone on with after so long.
const AGAIN: Duration = Duration::from_secs(300);

/// When what was done last.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// When the service last said that it is at work.
    said: Option<Timestamp>,
    /// When it last began with an import, and when that had been asked for.
    begun: HashMap<(ConnectionName, Import), (Timestamp, Timestamp)>,
}

impl Imports {
    /// Whether it is time to begin with an import: it was not begun with, or long enough ago.
    fn is_time(&mut self, connection: &ConnectionName, pending: &Standing, now: Timestamp) -> bool {
        let key = (connection.clone(), pending.import);
        let waits = self.begun.get(&key).is_some_and(|(begun, asked)| {
            *asked == pending.asked && !has_passed(AGAIN, *begun, now)
        });
        if !waits {
            self.begun.insert(key, (now, pending.asked));
        }
        !waits
    }
}

fn has_passed(time: Duration, since: Timestamp, now: Timestamp) -> bool {
    Duration::try_from(now.duration_since(since)).is_ok_and(|passed| passed >= time)
}

impl Service {
    /// Begins with the imports that were asked for, and goes on with those that ended before their time.
    pub(super) async fn take_up_imports(&self, imports: &mut Imports) {
        if let Err(error) = self.looked_for_imports(imports).await {
            tracing::warn!(%error, "imports that were asked for can't be looked up");
        }
    }

    async fn looked_for_imports(&self, imports: &mut Imports) -> Result<(), StoreError> {
        let now = self.shared.timer.now();
        let store = &self.home.store;
        if imports
            .said
            .is_none_or(|said| has_passed(SAID_EVERY, said, now))
        {
            store.serves().await?;
            imports.said = Some(now);
        }
        for import in Import::ALL {
            for (connection, text) in store.remembered_by_all(&name(import)).await? {
                if let Some(pending) = Standing::read(&text)
                    && self.may_begin(&connection, now).await?
                    && imports.is_time(&connection, &pending, now)
                {
                    let mark = Mark {
                        import: Some(import),
                        trigger: import.trigger(),
                        by: Some(pending.by),
                        ..Mark::default()
                    };
                    self.scheduler.mark(&connection, mark);
                }
            }
        }
        Ok(())
    }

    /// Whether a run of this connection could do anything now.
    async fn may_begin(
        &self,
        connection: &ConnectionName,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(known) = self.scheduler.standing(connection) else {
            return Ok(false);
        };
        if known.running || known.waits_until.is_some_and(|until| until > now) {
            return Ok(false);
        }
        let store = self.home.store.connection(connection);
        Ok(store.stops().await?.is_empty())
    }

    /// Whether an import has not come to its end yet. Where the store can't tell, its run will.
    pub(super) async fn is_pending(&self, connection: &ConnectionName, import: Import) -> bool {
        let store = self.home.store.connection(connection);
        let pending = standing(&store, import).await;
        pending.map_or(true, |pending| pending.is_some())
    }
}
