//! Deposits: customers' payments out of Undeposited Funds to the bank, with what else comes or is kept back.

use jiff::civil::Date;
use rusqlite::Connection;
use rust_decimal::Decimal;

use super::apply::{self, Applicable};
use super::check;
use super::post::{self, Header, Row};
use super::{Context, LedgerError, atomically, next_id, undeposited};
use crate::schema::{from_units, stamp};

/// The `type` code, and the type of the links to the payments. What the service calls such links is assumed.
const CODE: &str = "Deposit";

/// A deposit, whole: payments out of Undeposited Funds, and what else comes or is kept back.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DepositIn {
    /// Bank account.
    pub(crate) account: Option<i64>,
    /// Subsidiary; `None` takes the first payment's.
    pub(crate) subsidiary: Option<i64>,
    /// `tranid`.
    pub(crate) number: Option<String>,
    /// Date; `None` takes today.
    pub(crate) date: Option<Date>,
    /// Currency; `None` takes the first payment's, or the subsidiary's.
    pub(crate) currency: Option<i64>,
    /// Units of the subsidiary's currency for one of the deposit's.
    pub(crate) rate: Option<Decimal>,
    /// Memo.
    pub(crate) memo: Option<String>,
    /// External id.
    pub(crate) external_id: Option<String>,
    /// Posting period; `None` takes the date's.
    pub(crate) period: Option<i64>,
    /// Customer payments in Undeposited Funds.
    pub(crate) payments: Vec<i64>,
    /// Other money: below zero what was taken off, such as fees.
    pub(crate) other: Vec<DepositLineIn>,
    /// Cash that was kept back: above zero.
    pub(crate) cash_back: Vec<DepositLineIn>,
    /// JSON the record API keeps with the document.
    pub(crate) extra: Option<String>,
}

/// A line of a deposit that is no payment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DepositLineIn {
    /// Account.
    pub(crate) account: i64,
    /// Amount in the deposit's currency.
    pub(crate) amount: Decimal,
    /// Customer or vendor.
    pub(crate) entity: Option<i64>,
    /// Memo.
    pub(crate) memo: Option<String>,
    /// Department.
    pub(crate) department: Option<i64>,
    /// Class.
    pub(crate) class: Option<i64>,
    /// Location.
    pub(crate) location: Option<i64>,
}

/// Whether a payment lies in Undeposited Funds.
pub(super) fn waits_for_deposit(connection: &Connection, id: i64) -> Result<bool, LedgerError> {
    let Some(account) = undeposited::known(connection)? else {
        return Ok(false);
    };
    let lies_there = connection
        .prepare_cached("SELECT 1 FROM \"transaction\" WHERE id = ?1 AND account = ?2")?
        .exists([id, account])?;
    Ok(lies_there && !is_deposited(connection, id)?)
}

/// Whether a deposit has taken a payment.
pub(super) fn is_deposited(connection: &Connection, id: i64) -> Result<bool, LedgerError> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM nexttransactionlinelink WHERE previousdoc = ?1 AND linktype = 'Deposit'",
        )?
        .exists([id])?)
}

/// Books a deposit and gives its id.
///
/// # Errors
/// Any of [`LedgerError`] but `NotFound`; [`LedgerError::NotApplicable`] for a payment that isn't waiting to be
/// deposited.
pub(crate) fn insert_deposit(
    connection: &Connection,
    context: &Context,
    deposit: &DepositIn,
) -> Result<i64, LedgerError> {
    atomically(connection, || {
        let id = next_id(connection, "transaction")?;
        book(connection, context, id, deposit, &stamp(context.now))?;
        Ok(id)
    })
}

/// Books a deposit anew under its id.
///
/// # Errors
/// Any of [`LedgerError`].
pub(crate) fn update_deposit(
    connection: &Connection,
    context: &Context,
    id: i64,
    deposit: &DepositIn,
) -> Result<(), LedgerError> {
    atomically(connection, || {
        let old = post::stored(connection, id)?
            .filter(|old| old.kind == CODE && !old.voided)
            .ok_or(LedgerError::NotFound {
                record: "deposit",
                id,
            })?;
        check::period_open(connection, context, old.period, CODE)?;
        give_back(connection, context, id)?;
        book(connection, context, id, deposit, &old.created)
    })
}

/// Gives a deposit's payments back to Undeposited Funds.
pub(super) fn give_back(
    connection: &Connection,
    context: &Context,
    id: i64,
) -> Result<(), LedgerError> {
    let payments = payments(connection, id)?;
    for table in ["nexttransactionlinelink", "previoustransactionlinelink"] {
        connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE nextdoc = ?1 AND linktype = 'Deposit'"
            ))?
            .execute([id])?;
    }
    for payment in payments {
        apply::settle(connection, payment)?;
        apply::touch(connection, context, payment)?;
    }
    Ok(())
}

/// The payments of a deposit.
fn payments(connection: &Connection, id: i64) -> Result<Vec<i64>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT previousdoc FROM nexttransactionlinelink
         WHERE nextdoc = ?1 AND linktype = 'Deposit' ORDER BY id",
    )?;
    let rows = statement.query_map([id], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn book(
    connection: &Connection,
    context: &Context,
    id: i64,
    deposit: &DepositIn,
    created: &str,
) -> Result<(), LedgerError> {
    check::number(deposit.number.as_deref())?;
    check::external_id(
        connection,
        "transaction",
        deposit.external_id.as_deref(),
        Some(id),
    )?;
    let mut taken = Vec::new();
    for &payment in &deposit.payments {
        let found = post::stored(connection, payment)?;
        let waits = waits_for_deposit(connection, payment)?;
        let found = found.filter(|found| found.kind == "CustPymt" && waits && !found.voided);
        let missing = LedgerError::NotApplicable {
            doc: payment,
            line: 0,
        };
        taken.push((payment, found.ok_or(missing)?));
    }
    let first = taken.first().map(|(_, first)| first);
    let subsidiary = match deposit
        .subsidiary
        .or_else(|| first.and_then(|first| first.subsidiary))
    {
        _ if !context.one_world => None,
        Some(named) => Some(named),
        None => return Err(LedgerError::Missing("subsidiary")),
    };
    let bank = deposit.account.ok_or(LedgerError::Missing("account"))?;
    check::account(connection, "account", bank, subsidiary)?;
    let currency = match deposit
        .currency
        .or_else(|| first.map(|first| first.currency))
    {
        Some(currency) => currency,
        None => check::base_currency(connection, subsidiary)?,
    };
    let fits = |found: &post::Stored| found.currency == currency && found.subsidiary == subsidiary;
    if let Some((doc, _)) = taken.iter().find(|(_, found)| !fits(found)) {
        return Err(LedgerError::NotApplicable { doc: *doc, line: 0 });
    }
    let rate = check::rate(connection, subsidiary, currency, deposit.rate)?;
    let date = deposit.date.unwrap_or(context.today);
    let period = check::period(connection, context, date, deposit.period, CODE)?;
    let mut rows = body(connection, deposit, subsidiary)?;
    for (offset, (_, payment)) in taken.iter().enumerate() {
        let funds = undeposited::account(connection, &stamp(context.now))?;
        rows.insert(
            offset,
            Row {
                account: funds,
                amount: -payment.total,
                entity: payment.entity,
                memo: payment.number.clone(),
                ..Row::default()
            },
        );
    }
    if rows.is_empty() {
        return Err(LedgerError::Missing("payment"));
    }
    let total: Decimal = -rows.iter().map(|row| row.amount).sum::<Decimal>();
    for (line, row) in (1..).zip(&mut rows) {
        row.line = line;
    }
    let main = Row {
        main: true,
        account: bank,
        amount: total,
        memo: deposit.memo.clone(),
        ..Row::default()
    };
    rows.insert(0, main);
    let header = Header {
        id,
        kind: CODE,
        number: deposit.number.clone().filter(|number| !number.is_empty()),
        entity: None,
        date,
        due: None,
        approval: None,
        currency,
        rate,
        total,
        memo: deposit.memo.clone().filter(|memo| !memo.is_empty()),
        terms: None,
        period,
        posting: true,
        external_id: deposit.external_id.clone(),
        other_reference: None,
        account: Some(bank),
        subsidiary,
        payment_hold: false,
        extra: deposit.extra.clone(),
        created: created.to_owned(),
        modified: stamp(context.now),
    };
    post::write(connection, &header, &rows)?;
    for (line, (payment, found)) in (1..).zip(&taken) {
        take(connection, context, (id, line, &header), *payment, found)?;
    }
    Ok(())
}

/// Links a payment to the deposit that takes it.
fn take(
    connection: &Connection,
    context: &Context,
    (id, line, header): (i64, i64, &Header),
    payment: i64,
    found: &post::Stored,
) -> Result<(), LedgerError> {
    let paid = Applicable {
        doc: payment,
        line: 0,
        kind: found.kind.clone(),
        number: None,
        date: found.date.map(|date| date.to_string()).unwrap_or_default(),
        total: found.total,
        due: found.total,
    };
    let payer = apply::Payer {
        id,
        kind: CODE,
        entity: 0,
        account: 0,
        currency: header.currency,
        subsidiary: header.subsidiary,
        date: header.date.to_string(),
        line,
    };
    apply::link_as(
        connection,
        CODE,
        &payer,
        &paid,
        found.total,
        &stamp(context.now),
    )?;
    apply::settle(connection, payment)?;
    apply::touch(connection, context, payment)
}

/// The lines that are no payments: other money lowers or raises the deposit by its sign, cash back lowers it.
fn body(
    connection: &Connection,
    deposit: &DepositIn,
    subsidiary: Option<i64>,
) -> Result<Vec<Row>, LedgerError> {
    let signed = |line: &DepositLineIn, sign: Decimal| {
        check::account(connection, "account", line.account, subsidiary)?;
        check::dimensions(connection, line.department, line.class, line.location)?;
        Ok::<_, LedgerError>(Row {
            account: line.account,
            amount: line.amount * sign,
            entity: line.entity,
            memo: line.memo.clone(),
            department: line.department,
            class: line.class,
            location: line.location,
            ..Row::default()
        })
    };
    let other = deposit.other.iter();
    let other = other.map(|line| signed(line, Decimal::NEGATIVE_ONE));
    let back = deposit.cash_back.iter();
    other
        .chain(back.map(|line| signed(line, Decimal::ONE)))
        .collect()
}

/// Reads a deposit back, whole. What the books don't tell apart stands as other money: cash back is that below zero.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn read_deposit(
    connection: &Connection,
    id: i64,
) -> Result<Option<DepositIn>, LedgerError> {
    let Some(found) = post::stored(connection, id)?.filter(|found| found.kind == CODE) else {
        return Ok(None);
    };
    let payments = payments(connection, id)?;
    let mut statement = connection.prepare_cached(
        "SELECT a.account, l.foreignamount, l.entity, l.memo, l.department, l.class, l.location
         FROM transactionline l JOIN transactionaccountingline a
           ON a.\"transaction\" = l.\"transaction\" AND a.transactionline = l.id
         WHERE l.\"transaction\" = ?1 AND l.mainline = 'F' ORDER BY l.id LIMIT -1 OFFSET ?2",
    )?;
    let skipped = i64::try_from(payments.len()).unwrap_or(i64::MAX);
    let rows = statement.query_map([id, skipped], |row| {
        Ok(DepositLineIn {
            account: row.get(0)?,
            amount: -from_units(row.get(1)?),
            entity: row.get(2)?,
            memo: row.get(3)?,
            department: row.get(4)?,
            class: row.get(5)?,
            location: row.get(6)?,
        })
    })?;
    let extra: Option<String> = connection
        .prepare_cached("SELECT x_extra FROM \"transaction\" WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    Ok(Some(DepositIn {
        account: found.account,
        subsidiary: found.subsidiary,
        number: found.number,
        date: found.date,
        currency: Some(found.currency),
        rate: Some(found.rate),
        memo: found.memo,
        external_id: found.external_id,
        period: Some(found.period),
        payments,
        other: rows.collect::<Result<_, _>>()?,
        cash_back: Vec::new(),
        extra,
    }))
}
