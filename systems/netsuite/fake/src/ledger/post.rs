use rusqlite::Connection;
use rust_decimal::Decimal;

use super::{Approval, Context, LedgerError};

/// Deletes a transaction of any kind.
pub(crate) fn delete(_c: &Connection, _x: &Context, _id: i64) -> Result<(), LedgerError> {
    Ok(())
}
/// Approves, rejects, or returns a bill to pending.
pub(crate) fn set_approval(_c: &Connection, _x: &Context, _id: i64, _a: Approval) -> Result<(), LedgerError> {
    Ok(())
}
/// Voids a transaction; the id of the reversing journal, where the account makes one.
pub(crate) fn void(_c: &Connection, _x: &Context, _id: i64) -> Result<Option<i64>, LedgerError> {
    Ok(None)
}
/// The balance of an account in the ledger (posting lines only), debit positive, in base currency.
pub(crate) fn account_balance(_c: &Connection, _account: i64) -> Result<Decimal, LedgerError> {
    Ok(Decimal::ZERO)
}
