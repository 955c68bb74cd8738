//! Keeping the lease while work goes on beside it.

use std::sync::Arc;
use std::time::Duration;

use tieout_domain::Clock;
use tieout_store::{ConnectionStore, Lease, StoreError};

use crate::{Connection, EngineError};

/// How long a lease lasts without being renewed: where machines share a database, a connection stands still for so long
/// when its node dies. It is renewed meanwhile, so that a call may take longer.
const LEASE: Duration = Duration::from_secs(40);

/// The same on one machine, where a holder that dies is noticed at once: a disk that is busy ends no run.
const LEASE_ON_ONE_MACHINE: Duration = Duration::from_secs(300);

/// How often it is renewed while it lasts. A database that changes its place may be away for the rest of it.
const RENEWALS: u32 = 4;

/// How long a lease on a connection of this store lasts.
pub(crate) fn lease_time(store: &ConnectionStore) -> Duration {
    if store.is_shared() {
        LEASE
    } else {
        LEASE_ON_ONE_MACHINE
    }
}

/// By whichever of the two clocks is the first to say so.
fn has_ended(lease: &Lease, clock: &dyn Clock) -> bool {
    lease.until() <= clock.now() || lease.until_uptime() <= clock.uptime()
}

/// Works while the lease is renewed beside it, however long a single call takes; stops at once when the lease
/// has passed to somebody else. Meanwhile requests go out under the lease alone.
pub(crate) async fn while_held<T>(
    lease: Arc<Lease>,
    connection: &Connection,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let (timer, holding) = (&connection.timer, &connection.holding);
    holding.extend(lease.until(), lease.until_uptime());
    let lost = async {
        loop {
            timer.sleep(lease.time() / RENEWALS).await;
            match lease.renew().await {
                Ok(()) => holding.extend(lease.until(), lease.until_uptime()),
                Err(error @ StoreError::Fenced { .. }) => return error,
                Err(error) if has_ended(&lease, &**timer) => return error,
                // The store may answer next time; there is time left.
                Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
            }
        }
    };
    let (work, lost) = (std::pin::pin!(work), std::pin::pin!(lost));
    match futures::future::select(work, lost).await {
        // Told by a commit that it has passed on: a call that is being stopped may still be about to send.
        futures::future::Either::Left((
            Err(error @ EngineError::Store(StoreError::Fenced { .. })),
            _,
        )) => {
            holding.end();
            Err(error)
        }
        futures::future::Either::Left((result, _)) => {
            holding.free();
            result
        }
        futures::future::Either::Right((error, _)) => {
            holding.end();
            Err(error.into())
        }
    }
}
