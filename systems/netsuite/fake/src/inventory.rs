//! Every record of the books that money hangs on, one by one, for the panel and for checkers.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::ledger::LedgerError;
use crate::schema::from_units;

/// Transactions with what they are applied to, vendors, customers, and the balances of accounts: by currency of the
/// transactions, in it and in base currency.
pub(crate) fn records(books: &Connection) -> Result<Value, LedgerError> {
    Ok(json!({
        "transactions": transactions(books)?,
        "applications": applications(books)?,
        "vendors": entities(books, "vendor")?,
        "customers": entities(books, "customer")?,
        "balances": balances(books)?,
    }))
}

fn rows(
    books: &Connection,
    query: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<Value>,
) -> Result<Vec<Value>, LedgerError> {
    let mut statement = books.prepare_cached(query)?;
    let rows = statement.query_map([], |row| read(row))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn amount(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Value> {
    let units: Option<i64> = row.get(column)?;
    Ok(json!(units.map(|units| {
        from_units(units).normalize().to_string()
    })))
}

fn id(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Value> {
    let id: Option<i64> = row.get(column)?;
    Ok(json!(id.map(|id| id.to_string())))
}

fn text(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Value> {
    Ok(json!(row.get::<_, Option<String>>(column)?))
}

fn transactions(books: &Connection) -> Result<Vec<Value>, LedgerError> {
    let query = "SELECT id, type, tranid, externalid, entity, currency, foreigntotal, \
                 foreignamountunpaid, foreignpaymentamountunused, approvalstatus, voided, trandate, subsidiary \
                 FROM \"transaction\" ORDER BY id";
    rows(books, query, |row| {
        Ok(json!({
            "id": id(row, 0)?, "type": text(row, 1)?, "number": text(row, 2)?,
            "external_id": text(row, 3)?, "entity": id(row, 4)?, "currency": id(row, 5)?,
            "total": amount(row, 6)?, "unpaid": amount(row, 7)?, "unused": amount(row, 8)?,
            "approval": id(row, 9)?, "voided": text(row, 10)?, "date": text(row, 11)?,
            "subsidiary": id(row, 12)?,
        }))
    })
}

/// What paid or credited what, by how much.
fn applications(books: &Connection) -> Result<Vec<Value>, LedgerError> {
    let query = "SELECT previousdoc, nextdoc, linktype, SUM(foreignamount) \
                 FROM nexttransactionlinelink GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
    rows(books, query, |row| {
        Ok(json!({
            "to": id(row, 0)?, "from": id(row, 1)?, "type": text(row, 2)?, "amount": amount(row, 3)?,
        }))
    })
}

/// People have no company's name: theirs is what they are called by.
fn entities(books: &Connection, table: &str) -> Result<Vec<Value>, LedgerError> {
    let query = format!(
        "SELECT id, entityid, COALESCE(companyname, firstname || ' ' || lastname), isinactive, externalid \
         FROM {table} ORDER BY id"
    );
    rows(books, &query, |row| {
        Ok(json!({
            "id": id(row, 0)?, "entity_id": text(row, 1)?, "name": text(row, 2)?,
            "inactive": text(row, 3)?, "external_id": text(row, 4)?,
        }))
    })
}

fn balances(books: &Connection) -> Result<Vec<Value>, LedgerError> {
    let query = "SELECT a.id, a.acctnumber, a.accttype, t.currency, SUM(l.amount), SUM(tl.foreignamount) \
                 FROM transactionaccountingline l \
                 JOIN account a ON a.id = l.account \
                 JOIN \"transaction\" t ON t.id = l.\"transaction\" \
                 JOIN transactionline tl ON tl.\"transaction\" = l.\"transaction\" AND tl.id = l.transactionline \
                 WHERE l.posting = 'T' GROUP BY a.id, t.currency ORDER BY a.id, t.currency";
    rows(books, query, |row| {
        Ok(json!({
            "id": id(row, 0)?, "number": text(row, 1)?, "type": text(row, 2)?, "currency": id(row, 3)?,
            "amount": amount(row, 4)?, "foreign": amount(row, 5)?,
        }))
    })
}
