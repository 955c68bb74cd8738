use rusqlite::Connection;

use super::{Context, LedgerError, PaymentIn};

pub(crate) fn insert_payment(_c: &Connection, _x: &Context, _d: &PaymentIn) -> Result<i64, LedgerError> {
    Err(LedgerError::Missing("payment"))
}
pub(crate) fn update_payment(_c: &Connection, _x: &Context, _id: i64, _d: &PaymentIn) -> Result<(), LedgerError> {
    Err(LedgerError::Missing("payment"))
}
pub(crate) fn read_payment(_c: &Connection, _id: i64) -> Result<Option<PaymentIn>, LedgerError> {
    Ok(None)
}
