//! Where a person finds a record in the services' own pages.

use tieout_domain::{RecordRef, Side};

use crate::config::ConnectionConfig;

/// The address, as far as the record's system knows one.
#[must_use]
pub fn of(config: &ConnectionConfig, record: &RecordRef) -> Option<String> {
    let (system, settings) = match record.side {
        Side::Ledger => (config.ledger.system, &config.ledger_settings),
        Side::Platform => (config.platform.system, &config.platform_settings),
    };
    (system.address?)(settings, record.kind, &record.id)
}
