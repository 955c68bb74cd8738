use rusqlite::Connection;
use rust_decimal::Decimal;

/// A document, or a journal line, that a payment or credit of this entity could settle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Applicable {
    /// The document.
    pub(crate) doc: i64,
    /// Its line: 0 for bills and invoices.
    pub(crate) line: i64,
    /// `type` code.
    pub(crate) kind: String,
    /// Its number.
    pub(crate) number: Option<String>,
    /// Its date, ISO.
    pub(crate) date: String,
    /// Its total, positive.
    pub(crate) total: Decimal,
    /// What is due on it.
    pub(crate) due: Decimal,
}

/// What a payment or credit with this entity, A/P or A/R account, currency and subsidiary can be applied to.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn applicable(
    _connection: &Connection,
    _entity: i64,
    _account: i64,
    _currency: i64,
    _subsidiary: Option<i64>,
) -> Result<Vec<Applicable>, super::LedgerError> {
    Ok(Vec::new())
}
