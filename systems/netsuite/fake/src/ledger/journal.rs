//! Journal entries.

use rusqlite::{Connection, OptionalExtension};
use rust_decimal::Decimal;

use super::apply::{self, Payer};
use super::check;
use super::post::{self, Header, Row, Stored};
use super::{
    Application, Context, JournalIn, JournalLineIn, LedgerError, atomically, entity, next_id,
};
use crate::schema::{from_units, stamp};

/// Books a journal entry and gives its id.
///
/// # Errors
/// Any of [`LedgerError`] but `NotFound`.
pub(crate) fn insert_journal(
    connection: &Connection,
    context: &Context,
    journal: &JournalIn,
) -> Result<i64, LedgerError> {
    atomically(connection, || {
        let id = next_id(connection, "transaction")?;
        book(connection, context, id, journal, &stamp(context.now))?;
        Ok(id)
    })
}

/// Makes a booked journal entry a transaction of another type with the same lines, such as a currency
/// revaluation.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn book_as(connection: &Connection, id: i64, kind: &str) -> Result<(), LedgerError> {
    connection.execute(
        "UPDATE \"transaction\" SET type = ?2, recordtype = ?3, abbrevtype = ?4 WHERE id = ?1",
        rusqlite::params![id, kind, post::record_name(kind), post::abbreviation(kind)],
    )?;
    Ok(())
}

/// Books a journal entry anew under its id.
///
/// # Errors
/// Any of [`LedgerError`]; [`LedgerError::InUse`] when one of its lines is settled, or settles a bill.
pub(crate) fn update_journal(
    connection: &Connection,
    context: &Context,
    id: i64,
    journal: &JournalIn,
) -> Result<(), LedgerError> {
    let record = "journalentry";
    atomically(connection, || {
        let old = post::stored(connection, id)?
            .filter(|old| old.kind == "Journal")
            .ok_or(LedgerError::NotFound { record, id })?;
        let used = apply::is_settled(connection, id)? || apply::settles(connection, id)?;
        if old.voided || used {
            return Err(LedgerError::InUse { record, id });
        }
        check::period_open(connection, context, old.period, "Journal")?;
        book(connection, context, id, journal, &old.created)
    })
}

fn book(
    connection: &Connection,
    context: &Context,
    id: i64,
    journal: &JournalIn,
    created: &str,
) -> Result<(), LedgerError> {
    check::number(journal.number.as_deref())?;
    check::external_id(
        connection,
        "transaction",
        journal.external_id.as_deref(),
        Some(id),
    )?;
    let subsidiary = match (context.one_world, journal.subsidiary) {
        (false, _) => None,
        (true, None) => return Err(LedgerError::Missing("subsidiary")),
        (true, Some(subsidiary)) => {
            check::exists(connection, "subsidiary", "subsidiary", subsidiary)?;
            Some(subsidiary)
        }
    };
    let currency = match journal.currency {
        Some(currency) => {
            check::exists(connection, "currency", "currency", currency)?;
            currency
        }
        None => check::base_currency(connection, subsidiary)?,
    };
    let rate = check::rate(connection, subsidiary, currency, journal.rate)?;
    let date = journal.date.unwrap_or(context.today);
    let period = check::period(connection, context, date, journal.period, "Journal")?;
    if journal.lines.len() < 2 {
        return Err(LedgerError::Missing("line"));
    }
    let debits: Decimal = journal.lines.iter().map(|line| line.debit).sum();
    let credits: Decimal = journal.lines.iter().map(|line| line.credit).sum();
    if debits != credits {
        return Err(LedgerError::Unbalanced { debits, credits });
    }
    let mut rows = Vec::new();
    for (position, line) in journal.lines.iter().enumerate() {
        check::account(connection, "account", line.account, subsidiary)?;
        check::dimensions(connection, line.department, line.class, line.location)?;
        if let Some(entity) = line.entity {
            check::exists(connection, "entity", "entity", entity)?;
        }
        rows.push(Row {
            line: i64::try_from(position + 1).unwrap_or(i64::MAX),
            account: line.account,
            amount: line.debit - line.credit,
            entity: line.entity,
            memo: line.memo.clone(),
            department: line.department,
            class: line.class,
            location: line.location,
            extra: line.extra.clone(),
            ..Row::default()
        });
    }
    let header = Header {
        id,
        kind: "Journal",
        number: journal.number.clone().filter(|number| !number.is_empty()),
        entity: None,
        date,
        due: None,
        approval: Some(if journal.approved { 2 } else { 1 }),
        currency,
        rate,
        total: debits,
        memo: journal.memo.clone(),
        terms: None,
        period,
        posting: journal.approved,
        external_id: journal.external_id.clone(),
        other_reference: None,
        account: None,
        subsidiary,
        payment_hold: false,
        extra: journal.extra.clone(),
        created: created.to_owned(),
        modified: stamp(context.now),
    };
    post::write(connection, &header, &rows)?;
    if header.number.is_none() {
        connection.execute(
            "UPDATE \"transaction\" SET tranid = 'JE' || substr(transactionnumber, 8) WHERE id = ?1",
            [id],
        )?;
    }
    apply::settle(connection, id)?;
    for line in &journal.lines {
        entity::rebalance(connection, line.entity)?;
    }
    Ok(())
}

/// The entry of today that reverses a payment: debit (or credit) the bank, and on the line in A/P or A/R
/// the payment itself is applied.
pub(super) fn reversal(
    connection: &Connection,
    context: &Context,
    payment: i64,
    found: &Stored,
) -> Result<i64, LedgerError> {
    let vendor = found.kind == "VendPymt";
    let total = found.total.abs();
    let bank = found.account.ok_or(LedgerError::Missing("account"))?;
    let ledger: i64 = connection
        .query_row(
            "SELECT account FROM transactionaccountingline WHERE \"transaction\" = ?1
             AND transactionline = 1",
            [payment],
            |row| row.get(0),
        )
        .optional()?
        .ok_or(LedgerError::Missing("account"))?;
    let line = |account, debit: bool, entity| JournalLineIn {
        account,
        debit: if debit { total } else { Decimal::ZERO },
        credit: if debit { Decimal::ZERO } else { total },
        entity,
        memo: Some("VOID".to_owned()),
        department: None,
        class: None,
        location: None,
        extra: None,
    };
    let journal = JournalIn {
        subsidiary: found.subsidiary,
        number: None,
        date: Some(context.today),
        currency: Some(found.currency),
        rate: Some(found.rate),
        memo: Some(format!(
            "Void of {}",
            found.number.clone().unwrap_or_default()
        )),
        external_id: None,
        period: None,
        approved: true,
        lines: vec![
            line(bank, vendor, None),
            line(ledger, !vendor, found.entity),
        ],
        extra: None,
    };
    let id = insert_journal(connection, context, &journal)?;
    connection.execute(
        "UPDATE \"transaction\" SET reversal = 'T' WHERE id = ?1",
        [id],
    )?;
    let payer = Payer {
        id: payment,
        kind: if vendor { "VendPymt" } else { "CustPymt" },
        entity: found.entity.unwrap_or_default(),
        account: ledger,
        currency: found.currency,
        subsidiary: found.subsidiary,
        date: context.today.to_string(),
        line: 0,
    };
    let all = [Application {
        doc: id,
        line: 2,
        amount: None,
        discount: Decimal::ZERO,
    }];
    if !total.is_zero() {
        apply::apply(connection, context, &payer, &all)?;
    }
    Ok(id)
}

/// Reads a journal entry back, whole.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn read_journal(
    connection: &Connection,
    id: i64,
) -> Result<Option<JournalIn>, LedgerError> {
    let Some(found) = post::stored(connection, id)?.filter(|found| found.kind == "Journal") else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT a.account, l.foreignamount, l.entity, l.memo, l.department, l.class, l.location,
         l.x_extra FROM transactionline l JOIN transactionaccountingline a
           ON a.\"transaction\" = l.\"transaction\" AND a.transactionline = l.id
         WHERE l.\"transaction\" = ?1 ORDER BY l.id",
    )?;
    let lines = statement
        .query_map([id], |row| {
            let amount = from_units(row.get(1)?);
            Ok(JournalLineIn {
                account: row.get(0)?,
                debit: amount.max(Decimal::ZERO),
                credit: (-amount).max(Decimal::ZERO),
                entity: row.get(2)?,
                memo: row.get(3)?,
                department: row.get(4)?,
                class: row.get(5)?,
                location: row.get(6)?,
                extra: row.get(7)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let extra = connection.query_row(
        "SELECT x_extra FROM \"transaction\" WHERE id = ?1",
        [id],
        |row| row.get(0),
    )?;
    Ok(Some(JournalIn {
        subsidiary: found.subsidiary,
        number: found.number,
        date: found.date,
        currency: Some(found.currency),
        rate: Some(found.rate),
        memo: found.memo,
        external_id: found.external_id,
        period: Some(found.period),
        approved: found.posting,
        lines,
        extra,
    }))
}
