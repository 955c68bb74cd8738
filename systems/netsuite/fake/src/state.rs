//! What the books hold, for the panel: counts and totals.

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::ledger::{self, LedgerError};
use crate::schema::from_units;

/// Counts and totals of every object. Amounts are strings, in each document's own currency; the ledger's
/// balance of accounts payable is what is owed, in base currency.
pub(crate) fn state(books: &Connection) -> Result<Value, LedgerError> {
    let mut state = Map::new();
    for (name, code) in [
        ("vendorbill", "VendBill"),
        ("vendorcredit", "VendCred"),
        ("vendorpayment", "VendPymt"),
        ("journalentry", "Journal"),
        ("invoice", "CustInvc"),
        ("creditmemo", "CustCred"),
        ("customerpayment", "CustPymt"),
        ("customerrefund", "CustRfnd"),
        ("deposit", "Deposit"),
    ] {
        state.insert(name.to_owned(), documents(books, code)?);
    }
    for table in [
        "vendor",
        "customer",
        "account",
        "department",
        "classification",
        "location",
        "subsidiary",
        "currency",
        "term",
        "item",
        "accountingperiod",
        "deletedrecord",
    ] {
        let count: i64 =
            books.query_row(&format!("SELECT COUNT(*) FROM \"{table}\""), [], |row| {
                row.get(0)
            })?;
        state.insert(table.to_owned(), json!({"count": count}));
    }
    state.insert("ap".to_owned(), balance(books, "AcctPay", true)?);
    state.insert("ar".to_owned(), balance(books, "AcctRec", false)?);
    Ok(Value::Object(state))
}

fn documents(books: &Connection, code: &str) -> Result<Value, LedgerError> {
    let mut statement = books.prepare_cached(
        "SELECT COALESCE(status, ''), COUNT(*), COALESCE(SUM(foreigntotal), 0),
         COALESCE(SUM(foreignamountunpaid), 0), COALESCE(SUM(foreignpaymentamountunused), 0)
         FROM \"transaction\" WHERE type = ?1 GROUP BY 1 ORDER BY 1",
    )?;
    let rows: Vec<(String, i64, i64, i64, i64)> = statement
        .query_map([code], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })?
        .collect::<Result<_, _>>()?;
    // Payments and credits are negative in the header; the panel shows what they are worth.
    let sign = if matches!(
        code,
        "VendPymt" | "VendCred" | "CustPymt" | "CustCred" | "CustRfnd"
    ) && rows.iter().map(|row| row.2).sum::<i64>() < 0
    {
        -1
    } else {
        1
    };
    let amount = |units: i64| from_units(units).to_string();
    let by_status: Map<String, Value> = rows
        .iter()
        .map(|(status, count, total, _, _)| {
            (
                status.clone(),
                json!({"count": count, "total": amount(total * sign)}),
            )
        })
        .collect();
    let open = rows.iter().find(|row| row.0 == "A");
    Ok(json!({
        "count": rows.iter().map(|row| row.1).sum::<i64>(),
        "total": amount(rows.iter().map(|row| row.2).sum::<i64>() * sign),
        "open_count": open.map_or(0, |row| row.1),
        "open_total": amount(open.map_or(0, |row| row.3)),
        "unused_total": amount(rows.iter().map(|row| row.4).sum::<i64>().abs()),
        "by_status": by_status,
    }))
}

fn balance(books: &Connection, kind: &str, owed: bool) -> Result<Value, LedgerError> {
    let mut statement = books.prepare_cached("SELECT id FROM account WHERE accttype = ?1")?;
    let accounts: Vec<i64> = statement
        .query_map([kind], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut balance = rust_decimal::Decimal::ZERO;
    for account in accounts {
        balance += ledger::account_balance(books, account)?;
    }
    let balance = if owed { -balance } else { balance };
    Ok(json!({"balance": balance.normalize().to_string()}))
}
