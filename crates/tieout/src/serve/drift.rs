//! What was signed, held every night against what is there now.

use tieout_desk::DeskError;
use tieout_desk::tie_out::drift::look;
use tieout_desk::tie_out::sign_off;
use tieout_engine::Connection;

use super::Service;
use crate::commands::sync::run_id;

/// So many of the latest months are looked at: a year, and the month that was closed a year ago.
const MONTHS: usize = 13;

impl Service {
    /// Looks for drift in the latest months that are signed, and keeps what it finds for the pages. What can't be read
    /// is looked at the next night.
    pub(super) async fn look_for_drift(&self, connection: &Connection) {
        if let Err(error) = look_at_latest(connection).await {
            let name = connection.store.name();
            tracing::warn!(connection = %name, code = %error.code, "no look for drift: {}", error.cause);
        }
    }
}

async fn look_at_latest(connection: &Connection) -> Result<(), DeskError> {
    let signed = sign_off::latest(&connection.store).await?;
    for signed in signed.values().rev().take(MONTHS) {
        let looked = look(connection, signed, run_id()).await?;
        if !looked.drift.is_none() {
            let (name, month) = (connection.store.name(), &signed.period);
            tracing::warn!(connection = %name, month, currency = %signed.currency, "changed since sign-off");
        }
    }
    Ok(())
}
