use rusqlite::Connection;

use super::{Context, LedgerError, BillIn};

pub(crate) fn insert_bill(_c: &Connection, _x: &Context, _d: &BillIn) -> Result<i64, LedgerError> {
    Err(LedgerError::Missing("bill"))
}
pub(crate) fn update_bill(_c: &Connection, _x: &Context, _id: i64, _d: &BillIn) -> Result<(), LedgerError> {
    Err(LedgerError::Missing("bill"))
}
pub(crate) fn read_bill(_c: &Connection, _id: i64) -> Result<Option<BillIn>, LedgerError> {
    Ok(None)
}
