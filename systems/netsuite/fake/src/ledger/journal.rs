use rusqlite::Connection;

use super::{Context, LedgerError, JournalIn};

pub(crate) fn insert_journal(_c: &Connection, _x: &Context, _d: &JournalIn) -> Result<i64, LedgerError> {
    Err(LedgerError::Missing("journal"))
}
pub(crate) fn update_journal(_c: &Connection, _x: &Context, _id: i64, _d: &JournalIn) -> Result<(), LedgerError> {
    Err(LedgerError::Missing("journal"))
}
pub(crate) fn read_journal(_c: &Connection, _id: i64) -> Result<Option<JournalIn>, LedgerError> {
    Ok(None)
}
