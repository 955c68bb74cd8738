//! Rows: how a document becomes a transaction, its lines and its accounting lines.

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::{Approval, Context, LedgerError, atomically, flag, next_id};
use crate::schema::{from_units, parse_date, stamp, to_units};

/// The head of a transaction, complete.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) id: i64,
    /// `type` code.
    pub(crate) kind: &'static str,
    pub(crate) number: Option<String>,
    pub(crate) entity: Option<i64>,
    pub(crate) date: Date,
    pub(crate) due: Option<Date>,
    pub(crate) approval: Option<i64>,
    pub(crate) currency: i64,
    pub(crate) rate: Decimal,
    /// As `foreigntotal` shows it.
    pub(crate) total: Decimal,
    pub(crate) memo: Option<String>,
    pub(crate) terms: Option<i64>,
    pub(crate) period: i64,
    pub(crate) posting: bool,
    pub(crate) external_id: Option<String>,
    pub(crate) other_reference: Option<String>,
    pub(crate) account: Option<i64>,
    pub(crate) subsidiary: Option<i64>,
    pub(crate) payment_hold: bool,
    pub(crate) extra: Option<String>,
    /// UTC stamps.
    pub(crate) created: String,
    pub(crate) modified: String,
}

/// A line and its accounting line. Amounts are debit-positive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) line: i64,
    pub(crate) main: bool,
    pub(crate) tax: bool,
    pub(crate) item: Option<(i64, Decimal)>,
    pub(crate) account: i64,
    pub(crate) amount: Decimal,
    /// In the subsidiary's currency, where it isn't the amount times the rate.
    pub(crate) base: Option<Decimal>,
    pub(crate) entity: Option<i64>,
    pub(crate) memo: Option<String>,
    pub(crate) department: Option<i64>,
    pub(crate) class: Option<i64>,
    pub(crate) location: Option<i64>,
    /// The line is a bill's or credit's own: `expenseaccount` shows its account.
    pub(crate) expense: bool,
    pub(crate) extra: Option<String>,
}

/// An amount as it is stored.
pub(crate) fn units(field: &'static str, amount: Decimal) -> Result<i64, LedgerError> {
    to_units(amount).ok_or_else(|| LedgerError::Invalid {
        field,
        message: format!("{amount} is too large"),
    })
}

/// The REST name of a type code, as `recordtype` shows it.
pub(crate) fn record_name(kind: &str) -> &'static str {
    match kind {
        "VendBill" => "vendorbill",
        "VendCred" => "vendorcredit",
        "VendPymt" => "vendorpayment",
        "CustInvc" => "invoice",
        "CustCred" => "creditmemo",
        "CustPymt" => "customerpayment",
        "CustRfnd" => "customerrefund",
        "DepAppl" => "depositapplication",
        "Deposit" => "deposit",
        "Journal" => "journalentry",
        "FxReval" => "fxreval",
        "Check" => "check",
        _ => "transaction",
    }
}

pub(super) fn abbreviation(kind: &str) -> &'static str {
    match kind {
        "VendBill" => "BILL",
        "VendCred" => "BILLCRED",
        "VendPymt" => "BILLPMT",
        "CustInvc" => "INV",
        "CustCred" => "CREDMEM",
        "CustPymt" => "PYMT",
        "CustRfnd" => "RFND",
        "DepAppl" => "DEPAPPL",
        "Deposit" => "DEP",
        "FxReval" => "FXREVAL",
        "Check" => "CHK",
        _ => "GENJRNL",
    }
}

/// Writes a transaction's rows, replacing those it had. Call [`settle`](super::apply::settle) afterwards.
pub(crate) fn write(
    connection: &Connection,
    header: &Header,
    rows: &[Row],
) -> Result<(), LedgerError> {
    let known: Option<String> = connection
        .prepare_cached("SELECT transactionnumber FROM \"transaction\" WHERE id = ?1")?
        .query_row([header.id], |row| row.get(0))
        .optional()?;
    let number = match known {
        Some(number) => {
            for table in ["transactionline", "transactionaccountingline"] {
                connection
                    .prepare_cached(&format!("DELETE FROM {table} WHERE \"transaction\" = ?1"))?
                    .execute([header.id])?;
            }
            number
        }
        None => {
            let counter = next_id(connection, header.kind)?;
            format!("{}{counter}", header.kind.to_uppercase())
        }
    };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO \"transaction\" (id, tranid, transactionnumber, type, recordtype,
             abbrevtype, entity, trandate, duedate, approvalstatus, currency, exchangerate, foreigntotal,
             memo, terms, postingperiod, posting, voided, void, paymenthold, externalid, otherrefnum,
             createddate, lastmodifieddate, account, subsidiary, reversal, x_extra, status)
             VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,'F','F',?18,?19,?20,
             ?21,?22,?23,?24,'F',?25,'A')",
        )?
        .execute(params![
            header.id,
            header.number,
            number,
            header.kind,
            record_name(header.kind),
            abbreviation(header.kind),
            header.entity,
            header.date.to_string(),
            header.due.map(|due| due.to_string()),
            header.approval,
            header.currency,
            units("exchangeRate", header.rate)?,
            units("total", header.total)?,
            header.memo,
            header.terms,
            header.period,
            flag(header.posting),
            flag(header.payment_hold),
            header.external_id,
            header.other_reference,
            header.created,
            header.modified,
            header.account,
            header.subsidiary,
            header.extra,
        ])?;
    for (row, base) in rows.iter().zip(bases(header, rows)) {
        write_row(connection, header, row, base)?;
    }
    Ok(())
}

/// What each row is in the subsidiary's currency. The first row takes up what rounding leaves, so that the
/// entry balances.
fn bases(header: &Header, rows: &[Row]) -> Vec<Decimal> {
    let cents = |amount: Decimal| {
        amount.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
    };
    let mut bases: Vec<Decimal> = rows
        .iter()
        .map(|row| {
            row.base.unwrap_or_else(|| {
                if header.rate == Decimal::ONE {
                    row.amount
                } else {
                    cents(row.amount * header.rate)
                }
            })
        })
        .collect();
    if rows.first().is_some_and(|row| row.base.is_none()) {
        let rest: Decimal = bases.iter().skip(1).sum();
        bases[0] = -rest;
    }
    bases
}

fn write_row(
    connection: &Connection,
    header: &Header,
    row: &Row,
    base: Decimal,
) -> Result<(), LedgerError> {
    let foreign = units("amount", row.amount)?;
    let base = units("amount", base)?;
    let (item, quantity) = row
        .item
        .map_or((None, None), |(item, count)| (Some(item), Some(count)));
    // A sale's line is a credit: there the rate keeps its own sign, so that a discount's is below zero.
    let entered = match header.kind {
        "CustInvc" => -row.amount,
        "CustCred" => row.amount,
        _ => row.amount.abs(),
    };
    let sale = matches!(header.kind, "CustInvc" | "CustCred");
    let rate = quantity
        .filter(|count| !count.is_zero())
        .map(|count| units("rate", entered / count))
        .transpose()?;
    let debit = |units: i64| (units > 0).then_some(units);
    let credit = |units: i64| (units < 0).then_some(-units);
    connection
        .prepare_cached(
            "INSERT INTO transactionline (\"transaction\", id, linesequencenumber, uniquekey, mainline,
             taxline, item, itemtype, expenseaccount, foreignamount, netamount, creditforeignamount,
             debitforeignamount, rate, quantity, department, class, location, subsidiary, memo, entity,
             accountinglinetype, hascostline, iscogs, donotdisplayline, isclosed, cleared,
             linelastmodifieddate, x_extra)
             VALUES (?1,?2,?2,?3,?4,?5,?6,COALESCE((SELECT itemtype FROM item WHERE id = ?6), ?7),?8,?9,
             ?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,'F','F','F','F',?23,?24)",
        )?
        .execute(params![
            header.id,
            row.line,
            next_id(connection, "uniquekey")?,
            flag(row.main),
            flag(row.tax),
            item,
            item.map(|_| "NonInvtPart"),
            (row.expense && item.is_none()).then_some(row.account),
            foreign,
            base,
            credit(foreign),
            debit(foreign),
            rate,
            quantity.map(|count| units("quantity", count)).transpose()?,
            row.department,
            row.class,
            row.location,
            header.subsidiary,
            row.memo,
            row.entity.or(header.entity),
            item.map(|_| if sale { "INCOME" } else { "EXPENSE" }),
            flag(item.is_some() && !sale),
            header.modified,
            row.extra,
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO transactionaccountingline (\"transaction\", transactionline, account,
             accountingbook, amount, debit, credit, netamount, exchangerate, posting, accounttype)
             VALUES (?1,?2,?3,1,?4,?5,?6,?4,?7,?8,(SELECT accttype FROM account WHERE id = ?3))",
        )?
        .execute(params![
            header.id,
            row.line,
            row.account,
            base,
            debit(base),
            credit(base),
            units("exchangeRate", header.rate)?,
            flag(header.posting),
        ])?;
    Ok(())
}

/// What is stored of a transaction and other writes have to know.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) kind: String,
    pub(crate) entity: Option<i64>,
    pub(crate) account: Option<i64>,
    pub(crate) currency: i64,
    pub(crate) subsidiary: Option<i64>,
    pub(crate) period: i64,
    pub(crate) rate: Decimal,
    pub(crate) total: Decimal,
    pub(crate) approval: Option<i64>,
    pub(crate) posting: bool,
    pub(crate) voided: bool,
    pub(crate) date: Option<Date>,
    pub(crate) created: String,
    pub(crate) number: Option<String>,
    pub(crate) memo: Option<String>,
    pub(crate) external_id: Option<String>,
}

pub(crate) fn stored(connection: &Connection, id: i64) -> Result<Option<Stored>, LedgerError> {
    Ok(connection
        .prepare_cached(
            "SELECT type, entity, account, currency, subsidiary, postingperiod, exchangerate,
             foreigntotal, approvalstatus, posting, voided, trandate, createddate, tranid, memo,
             externalid FROM \"transaction\" WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(Stored {
                kind: row.get(0)?,
                entity: row.get(1)?,
                account: row.get(2)?,
                currency: row.get(3)?,
                subsidiary: row.get(4)?,
                period: row.get(5)?,
                rate: from_units(row.get(6)?),
                total: from_units(row.get(7)?),
                approval: row.get(8)?,
                posting: row.get::<_, String>(9)? == "T",
                voided: row.get::<_, String>(10)? == "T",
                date: parse_date(&row.get::<_, String>(11)?),
                created: row.get(12)?,
                number: row.get(13)?,
                memo: row.get(14)?,
                external_id: row.get(15)?,
            })
        })
        .optional()?)
}

/// Deletes a transaction of any kind, with its applications; what it paid is open again.
///
/// # Errors
/// [`LedgerError::NotFound`]; [`LedgerError::InUse`] for a bill with payments or credits applied, or a
/// journal entry with a settled line; [`LedgerError::PeriodClosed`] and [`LedgerError::PeriodLocked`].
pub(crate) fn delete(
    connection: &Connection,
    context: &Context,
    id: i64,
) -> Result<(), LedgerError> {
    atomically(connection, || {
        let found = stored(connection, id)?.ok_or(LedgerError::NotFound {
            record: "transaction",
            id,
        })?;
        if in_use(connection, id, &found)? {
            return Err(LedgerError::InUse {
                record: "transaction",
                id,
            });
        }
        super::check::period_open(connection, context, found.period, &found.kind)?;
        undone(connection, context, id, &found)?;
        for table in ["transactionline", "transactionaccountingline"] {
            connection.execute(
                &format!("DELETE FROM {table} WHERE \"transaction\" = ?1"),
                [id],
            )?;
        }
        connection.execute("DELETE FROM \"transaction\" WHERE id = ?1", [id])?;
        let name = found.number.clone().unwrap_or_else(|| found.kind.clone());
        buried(
            connection,
            context,
            &name,
            id,
            record_name(&found.kind),
            record_name(&found.kind),
        )?;
        super::entity::rebalance(connection, found.entity)
    })
}

/// Whether others rest on a transaction: a paid bill, a payment that was deposited or paid back. What a refund
/// pays back is the refund's own doing.
fn in_use(connection: &Connection, id: i64, found: &Stored) -> Result<bool, LedgerError> {
    let settled = found.kind != "CustRfnd" && super::apply::is_settled(connection, id)?;
    Ok(settled
        || super::deposit::is_deposited(connection, id)?
        || super::refund::is_refunded(connection, id)?)
}

/// Takes back what a transaction did to others.
fn undone(
    connection: &Connection,
    context: &Context,
    id: i64,
    found: &Stored,
) -> Result<(), LedgerError> {
    match found.kind.as_str() {
        "CustRfnd" => super::apply::release(connection, context, id),
        "Deposit" => super::deposit::give_back(connection, context, id),
        _ => super::apply::withdraw(connection, context, id),
    }
}

/// Leaves a row in `deletedrecord`.
pub(super) fn buried(
    connection: &Connection,
    context: &Context,
    name: &str,
    id: i64,
    script: &str,
    kind: &str,
) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT INTO deletedrecord (name, recordid, recordtypeid, scriptid, type, context, deletedby,
         deleteddate, iscustomrecord) VALUES (?1, ?2, ?3, ?4, ?5, 'UIF', 'Administrator', ?6, 'F')",
        params![name, id, if kind == "vendor" { -3 } else { -30 }, script, kind, stamp(context.now)],
    )?;
    Ok(())
}

/// Approves, rejects, or returns a document to pending: only an approved one posts.
///
/// # Errors
/// [`LedgerError::NotFound`]; [`LedgerError::InUse`] when it has been paid; the period's errors.
pub(crate) fn set_approval(
    connection: &Connection,
    context: &Context,
    id: i64,
    approval: Approval,
) -> Result<(), LedgerError> {
    atomically(connection, || {
        let found = stored(connection, id)?.ok_or(LedgerError::NotFound {
            record: "transaction",
            id,
        })?;
        super::check::period_open(connection, context, found.period, &found.kind)?;
        let posting = approval == Approval::Approved;
        if !posting && super::apply::is_settled(connection, id)? {
            return Err(LedgerError::InUse {
                record: "transaction",
                id,
            });
        }
        connection.execute(
            "UPDATE \"transaction\" SET approvalstatus = ?2, posting = ?3, lastmodifieddate = ?4
             WHERE id = ?1",
            params![id, approval.id(), flag(posting), stamp(context.now)],
        )?;
        connection.execute(
            "UPDATE transactionaccountingline SET posting = ?2 WHERE \"transaction\" = ?1",
            params![id, flag(posting)],
        )?;
        super::apply::settle(connection, id)?;
        super::entity::rebalance(connection, found.entity)
    })
}

/// Voids a transaction. A payment in an account that voids by journal gets a reversing entry of today,
/// whose id is returned; everything else is set to zero where it is. What was paid is open again.
///
/// # Errors
/// [`LedgerError::NotFound`]; [`LedgerError::InUse`] for a document that has been paid; the period's.
pub(crate) fn void(
    connection: &Connection,
    context: &Context,
    id: i64,
) -> Result<Option<i64>, LedgerError> {
    atomically(connection, || {
        let found = stored(connection, id)?.ok_or(LedgerError::NotFound {
            record: "transaction",
            id,
        })?;
        if in_use(connection, id, &found)? || found.voided {
            return Err(LedgerError::InUse {
                record: "transaction",
                id,
            });
        }
        let payment = matches!(found.kind.as_str(), "VendPymt" | "CustPymt");
        let journal = if payment && context.void_by_journal {
            super::apply::withdraw(connection, context, id)?;
            Some(super::journal::reversal(connection, context, id, &found)?)
        } else {
            super::check::period_open(connection, context, found.period, &found.kind)?;
            undone(connection, context, id, &found)?;
            zero(connection, id)?;
            None
        };
        connection.execute(
            "UPDATE \"transaction\" SET voided = 'T', void = 'T', lastmodifieddate = ?2 WHERE id = ?1",
            params![id, stamp(context.now)],
        )?;
        super::apply::settle(connection, id)?;
        super::entity::rebalance(connection, found.entity)?;
        Ok(journal)
    })
}

/// Sets a transaction to zero and marks it as voided, without asking.
pub(crate) fn void_in_place(connection: &Connection, id: i64) -> Result<(), LedgerError> {
    zero(connection, id)?;
    connection.execute(
        "UPDATE \"transaction\" SET voided = 'T', void = 'T' WHERE id = ?1",
        [id],
    )?;
    Ok(())
}

fn zero(connection: &Connection, id: i64) -> Result<(), LedgerError> {
    connection.execute(
        "UPDATE \"transaction\" SET foreigntotal = 0, memo = 'VOID' WHERE id = ?1",
        [id],
    )?;
    connection.execute(
        "UPDATE transactionline SET foreignamount = 0, netamount = 0, creditforeignamount = NULL,
         debitforeignamount = NULL WHERE \"transaction\" = ?1",
        [id],
    )?;
    connection.execute(
        "UPDATE transactionaccountingline SET amount = 0, netamount = 0, debit = NULL, credit = NULL
         WHERE \"transaction\" = ?1",
        [id],
    )?;
    Ok(())
}

/// The balance of an account (posting lines), debit positive, in the subsidiaries' currencies.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn account_balance(
    connection: &Connection,
    account: i64,
) -> Result<Decimal, LedgerError> {
    let units: i64 = connection
        .prepare_cached(
            "SELECT COALESCE(SUM(amount), 0) FROM transactionaccountingline
             WHERE account = ?1 AND posting = 'T'",
        )?
        .query_row([account], |row| row.get(0))?;
    Ok(from_units(units))
}
