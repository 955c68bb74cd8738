//! Applications: which payment or credit settles which document, and what follows from it.

use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::{Application, Context, LedgerError, next_id};
use crate::schema::{from_units, stamp};

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

/// The lines that can be settled: the main lines of bills and invoices, and journal lines with an entity in
/// an account of the matching side. `?1` is the entity, `?2` the account, `?3` the currency, `?4` the
/// subsidiary.
const OPEN: &str = "SELECT t.id, l.id, t.type, t.tranid, t.trandate, abs(l.foreignamount),
        l.foreignamountunpaid
    FROM transactionline l
    JOIN \"transaction\" t ON t.id = l.\"transaction\"
    JOIN transactionaccountingline a ON a.\"transaction\" = t.id AND a.transactionline = l.id
    WHERE l.entity = ?1 AND a.account = ?2 AND t.currency = ?3
      AND (?4 IS NULL OR t.subsidiary = ?4)
      AND t.posting = 'T' AND t.voided = 'F' AND t.paymenthold = 'F' AND l.foreignamountunpaid > 0";

fn open_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Applicable> {
    Ok(Applicable {
        doc: row.get(0)?,
        line: row.get(1)?,
        kind: row.get(2)?,
        number: row.get(3)?,
        date: row.get(4)?,
        total: from_units(row.get(5)?),
        due: from_units(row.get(6)?),
    })
}

/// What a payment or credit with this entity, A/P or A/R account, currency and subsidiary can be applied
/// to. A document on payment hold, unapproved, voided or settled isn't among them.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn applicable(
    connection: &Connection,
    entity: i64,
    account: i64,
    currency: i64,
    subsidiary: Option<i64>,
) -> Result<Vec<Applicable>, LedgerError> {
    let mut statement = connection.prepare_cached(&format!(
        "{OPEN} AND t.id IN (SELECT \"transaction\" FROM transactionline WHERE \"transaction\" IN
         (SELECT id FROM \"transaction\" WHERE entity = ?1) UNION
         SELECT id FROM \"transaction\" WHERE type = 'Journal') ORDER BY t.trandate, t.id"
    ))?;
    let rows = statement.query_map(params![entity, account, currency, subsidiary], open_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The line of a payment that a discount stands on, and from which it settles.
pub(super) const DISCOUNT_LINE: i64 = 90;

/// Whether an application is a payment's discount.
const IS_DISCOUNT: &str = "(nexttype IN ('VendPymt', 'CustPymt') AND nextline = 90)";

/// Who applies.
#[derive(Clone)]
pub(super) struct Payer {
    pub(super) id: i64,
    pub(super) kind: &'static str,
    pub(super) entity: i64,
    pub(super) account: i64,
    pub(super) currency: i64,
    pub(super) subsidiary: Option<i64>,
    pub(super) date: String,
    /// The line that settles: a journal entry's own, 0 for all others.
    pub(super) line: i64,
}

/// Takes back all that a payment or credit was applied to.
pub(super) fn withdraw(
    connection: &Connection,
    context: &Context,
    payer: i64,
) -> Result<(), LedgerError> {
    let documents: Vec<i64> = connection
        .prepare_cached(
            "SELECT DISTINCT previousdoc FROM nexttransactionlinelink
             WHERE nextdoc = ?1 AND linktype = 'Payment'",
        )?
        .query_map([payer], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in ["nexttransactionlinelink", "previoustransactionlinelink"] {
        connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE nextdoc = ?1 AND linktype = 'Payment'"
            ))?
            .execute([payer])?;
    }
    for document in documents {
        settle(connection, document)?;
        touch(connection, context, document)?;
    }
    Ok(())
}

pub(super) fn touch(
    connection: &Connection,
    context: &Context,
    id: i64,
) -> Result<(), LedgerError> {
    if context.payment_touches_bill {
        connection
            .prepare_cached("UPDATE \"transaction\" SET lastmodifieddate = ?2 WHERE id = ?1")?
            .execute(params![id, stamp(context.now)])?;
    }
    Ok(())
}

/// Applies a payment or credit anew to what is named, and gives the sum applied.
pub(super) fn apply(
    connection: &Connection,
    context: &Context,
    payer: &Payer,
    applications: &[Application],
) -> Result<Decimal, LedgerError> {
    withdraw(connection, context, payer.id)?;
    let mut sum = Decimal::ZERO;
    for application in applications {
        let Application {
            doc,
            line,
            discount,
            ..
        } = *application;
        let open = open(connection, payer, doc, line)?;
        let amount = application.amount.unwrap_or(open.due - discount);
        if amount.is_zero() {
            continue;
        }
        settle_with(connection, context, payer, &open, amount)?;
        sum += amount;
        if !discount.is_zero() {
            let payer = Payer {
                line: DISCOUNT_LINE,
                ..payer.clone()
            };
            let due = open.due - amount;
            let open = Applicable { due, ..open };
            settle_with(connection, context, &payer, &open, discount)?;
        }
    }
    Ok(sum)
}

/// What is open on a line, if this payer can settle it.
fn open(
    connection: &Connection,
    payer: &Payer,
    doc: i64,
    line: i64,
) -> Result<Applicable, LedgerError> {
    connection
        .prepare_cached(&format!("{OPEN} AND t.id = ?5 AND l.id = ?6"))?
        .query_row(
            params![
                payer.entity,
                payer.account,
                payer.currency,
                payer.subsidiary,
                doc,
                line
            ],
            open_row,
        )
        .optional()?
        .ok_or(LedgerError::NotApplicable { doc, line })
}

/// Lets the payer settle so much of what is open.
fn settle_with(
    connection: &Connection,
    context: &Context,
    payer: &Payer,
    open: &Applicable,
    amount: Decimal,
) -> Result<(), LedgerError> {
    let &Applicable { doc, line, due, .. } = open;
    if amount.is_sign_negative() {
        return Err(LedgerError::Invalid {
            field: "amount",
            message: format!("{amount} is negative"),
        });
    }
    if amount > due {
        return Err(LedgerError::OverApplied {
            doc,
            line,
            due,
            amount,
        });
    }
    link(connection, payer, open, amount, &stamp(context.now))?;
    settle(connection, doc)?;
    touch(connection, context, doc)
}

/// Lets a debit of a journal entry in A/P settle a bill of its vendor: while a bill is paid, such a line is
/// offered among the credits.
///
/// # Errors
/// [`LedgerError::NotApplicable`] where the entry has no such line with enough left.
pub(super) fn apply_debit(
    connection: &Connection,
    context: &Context,
    journal: i64,
    bill: i64,
    amount: Decimal,
) -> Result<(), LedgerError> {
    let not_applicable = || LedgerError::NotApplicable {
        doc: journal,
        line: 0,
    };
    let units = super::post::units("amount", amount)?;
    let payer = connection
        .prepare_cached(
            "SELECT j.id, l.id, l.entity, a.account, j.currency, j.subsidiary, j.trandate
             FROM \"transaction\" b
             JOIN \"transaction\" j ON j.id = ?1 AND j.type = 'Journal' AND j.posting = 'T'
               AND j.voided = 'F' AND j.currency = b.currency
             JOIN transactionline l ON l.\"transaction\" = j.id AND l.entity = b.entity
               AND l.foreignamount > 0
             JOIN transactionaccountingline a ON a.\"transaction\" = j.id
               AND a.transactionline = l.id AND a.account = b.account
             WHERE b.id = ?2 AND l.foreignamount - ?3 >= (SELECT COALESCE(SUM(n.foreignamount), 0)
               FROM nexttransactionlinelink n WHERE n.linktype = 'Payment'
                 AND n.nextdoc = j.id AND n.nextline = l.id)
             ORDER BY l.id LIMIT 1",
        )?
        .query_row(params![journal, bill, units], |row| {
            Ok(Payer {
                id: row.get(0)?,
                kind: "Journal",
                line: row.get(1)?,
                entity: row.get(2)?,
                account: row.get(3)?,
                currency: row.get(4)?,
                subsidiary: row.get(5)?,
                date: row.get(6)?,
            })
        })
        .optional()?
        .ok_or_else(not_applicable)?;
    let open = open(connection, &payer, bill, 0)?;
    settle_with(connection, context, &payer, &open, amount)
}

/// Writes one application into both link tables.
pub(super) fn link(
    connection: &Connection,
    payer: &Payer,
    open: &Applicable,
    amount: Decimal,
    at: &str,
) -> Result<(), LedgerError> {
    link_as(connection, "Payment", payer, open, amount, at)
}

/// Writes one link of any type into both link tables.
pub(super) fn link_as(
    connection: &Connection,
    link_type: &str,
    payer: &Payer,
    open: &Applicable,
    amount: Decimal,
    at: &str,
) -> Result<(), LedgerError> {
    let amount = super::post::units("amount", amount)?;
    let id = next_id(connection, "link")?;
    for table in ["nexttransactionlinelink", "previoustransactionlinelink"] {
        connection
            .prepare_cached(&format!(
                "INSERT INTO {table} (id, previousdoc, previousline, previoustype, previousdate,
                 nextdoc, nextline, nexttype, nextdate, linktype, foreignamount, lastmodifieddate)
                 VALUES (?1,?2,?3,?4,?5,?6,?11,?7,?8,?12,?9,?10)"
            ))?
            .execute(params![
                id, open.doc, open.line, open.kind, open.date, payer.id, payer.kind, payer.date,
                amount, at, payer.line, link_type
            ])?;
    }
    Ok(())
}

/// Links without asking: for loading, where documents are known to match.
pub(crate) fn link_seeded(
    connection: &Connection,
    payer: (i64, &'static str, &str),
    doc: (i64, &'static str, &str),
    amount: Decimal,
    at: &str,
) -> Result<(), LedgerError> {
    let payer = Payer {
        id: payer.0,
        kind: payer.1,
        date: payer.2.to_owned(),
        entity: 0,
        account: 0,
        currency: 0,
        subsidiary: None,
        line: 0,
    };
    let open = Applicable {
        doc: doc.0,
        line: 0,
        kind: doc.1.to_owned(),
        number: None,
        date: doc.2.to_owned(),
        total: amount,
        due: amount,
    };
    link(connection, &payer, &open, amount, at)
}

/// What a payment or credit is applied to.
pub(super) fn applications(
    connection: &Connection,
    payer: i64,
) -> Result<Vec<Application>, LedgerError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT previousdoc, previousline,
         SUM(CASE WHEN {IS_DISCOUNT} THEN 0 ELSE foreignamount END),
         SUM(CASE WHEN {IS_DISCOUNT} THEN foreignamount ELSE 0 END)
         FROM nexttransactionlinelink WHERE nextdoc = ?1 AND linktype = 'Payment'
         GROUP BY previousdoc, previousline ORDER BY MIN(id)"
    ))?;
    let rows = statement.query_map([payer], |row| {
        Ok(Application {
            doc: row.get(0)?,
            line: row.get(1)?,
            amount: Some(from_units(row.get(2)?)),
            discount: from_units(row.get(3)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes back all that a document was settled with.
pub(super) fn release(
    connection: &Connection,
    context: &Context,
    document: i64,
) -> Result<(), LedgerError> {
    let payers: Vec<i64> = connection
        .prepare_cached(
            "SELECT DISTINCT nextdoc FROM nexttransactionlinelink
             WHERE previousdoc = ?1 AND linktype = 'Payment'",
        )?
        .query_map([document], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in ["nexttransactionlinelink", "previoustransactionlinelink"] {
        connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE previousdoc = ?1 AND linktype = 'Payment'"
            ))?
            .execute([document])?;
    }
    for payer in payers {
        settle(connection, payer)?;
        touch(connection, context, payer)?;
    }
    Ok(())
}

/// Whether something is applied to the document.
pub(super) fn is_settled(connection: &Connection, id: i64) -> Result<bool, LedgerError> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM nexttransactionlinelink WHERE previousdoc = ?1 AND linktype = 'Payment'",
        )?
        .exists([id])?)
}

/// Whether the document is applied to something.
pub(super) fn settles(connection: &Connection, id: i64) -> Result<bool, LedgerError> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM nexttransactionlinelink WHERE nextdoc = ?1 AND linktype = 'Payment'",
        )?
        .exists([id])?)
}

/// Brings paid, unpaid, used, unused and the status letter in step with the applications.
pub(crate) fn settle(connection: &Connection, id: i64) -> Result<(), LedgerError> {
    let found: Option<(String, i64, Option<i64>, String)> = connection
        .prepare_cached(
            "SELECT type, abs(foreigntotal), approvalstatus, voided FROM \"transaction\" WHERE id = ?1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((kind, total, approval, voided)) = found else {
        return Ok(());
    };
    let voided = voided == "T";
    match kind.as_str() {
        "VendBill" => settle_document(connection, id, total, approval, voided.then_some("C")),
        "CustInvc" => settle_document(connection, id, total, approval, voided.then_some("V")),
        "CustRfnd" => settle_refund(connection, id, total, voided),
        "Journal" => settle_journal(connection, id, approval),
        _ => settle_payer(connection, id, &kind, total, voided),
    }
}

fn linked(connection: &Connection, column: &str, id: i64) -> Result<i64, LedgerError> {
    Ok(connection
        .prepare_cached(&format!(
            "SELECT COALESCE(SUM(foreignamount), 0) FROM nexttransactionlinelink
             WHERE {column} = ?1 AND linktype = 'Payment'"
        ))?
        .query_row([id], |row| row.get(0))?)
}

fn settle_document(
    connection: &Connection,
    id: i64,
    total: i64,
    approval: Option<i64>,
    voided: Option<&str>,
) -> Result<(), LedgerError> {
    let paid = linked(connection, "previousdoc", id)?;
    let unpaid = total - paid;
    let status = match approval {
        _ if voided.is_some() => voided.unwrap_or_default(),
        Some(1) => "D",
        Some(3) => "E",
        _ if unpaid == 0 => "B",
        _ => "A",
    };
    connection
        .prepare_cached(
            "UPDATE \"transaction\" SET foreignamountpaid = ?2, foreignamountunpaid = ?3, status = ?4,
             closedate = CASE WHEN ?4 = 'B' THEN (SELECT MAX(nextdate) FROM nexttransactionlinelink
             WHERE previousdoc = ?1 AND linktype = 'Payment') END WHERE id = ?1",
        )?
        .execute(params![id, paid, unpaid, status])?;
    on_line(
        connection,
        id,
        0,
        ("foreignamountpaid", "foreignamountunpaid"),
        ("amountpaid", "amountunpaid"),
        (paid, unpaid),
    )
}

fn settle_journal(
    connection: &Connection,
    id: i64,
    approval: Option<i64>,
) -> Result<(), LedgerError> {
    connection
        .prepare_cached("UPDATE \"transaction\" SET status = ?2 WHERE id = ?1")?
        .execute(params![id, if approval == Some(1) { "A" } else { "B" }])?;
    let lines: Vec<(i64, i64)> = connection
        .prepare_cached(
            "SELECT l.id, abs(l.foreignamount) FROM transactionline l
             JOIN transactionaccountingline a ON a.\"transaction\" = l.\"transaction\"
               AND a.transactionline = l.id
             WHERE l.\"transaction\" = ?1 AND l.entity IS NOT NULL AND (
               (a.accounttype = 'AcctPay' AND l.foreignamount < 0)
               OR (a.accounttype = 'AcctRec' AND l.foreignamount > 0))",
        )?
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (line, total) in lines {
        let paid: i64 = connection
            .prepare_cached(
                "SELECT COALESCE(SUM(foreignamount), 0) FROM nexttransactionlinelink
                 WHERE previousdoc = ?1 AND previousline = ?2 AND linktype = 'Payment'",
            )?
            .query_row([id, line], |row| row.get(0))?;
        on_line(
            connection,
            id,
            line,
            ("foreignamountpaid", "foreignamountunpaid"),
            ("amountpaid", "amountunpaid"),
            (paid, total - paid),
        )?;
    }
    Ok(())
}

/// A refund's line in A/R is what credits and payments settle: its status follows from its void alone.
fn settle_refund(
    connection: &Connection,
    id: i64,
    total: i64,
    voided: bool,
) -> Result<(), LedgerError> {
    connection
        .prepare_cached("UPDATE \"transaction\" SET status = ?2 WHERE id = ?1")?
        .execute(params![id, if voided { "V" } else { "A" }])?;
    let paid = linked(connection, "previousdoc", id)?;
    on_line(
        connection,
        id,
        super::refund::LINE,
        ("foreignamountpaid", "foreignamountunpaid"),
        ("amountpaid", "amountunpaid"),
        (paid, total - paid),
    )
}

fn settle_payer(
    connection: &Connection,
    id: i64,
    kind: &str,
    total: i64,
    voided: bool,
) -> Result<(), LedgerError> {
    let used: i64 = connection
        .prepare_cached(&format!(
            "SELECT COALESCE(SUM(foreignamount), 0) FROM nexttransactionlinelink
             WHERE nextdoc = ?1 AND linktype = 'Payment' AND NOT {IS_DISCOUNT}"
        ))?
        .query_row([id], |row| row.get(0))?;
    let unused = total - used;
    let credit = matches!(kind, "VendCred" | "CustCred");
    let status = match kind {
        _ if voided => "V",
        _ if credit && unused == 0 => "B",
        "CustPymt" if super::deposit::waits_for_deposit(connection, id)? => {
            if used == 0 {
                "A"
            } else {
                "B"
            }
        }
        "CustPymt" => "C",
        _ => "A",
    };
    connection
        .prepare_cached(
            "UPDATE \"transaction\" SET foreignpaymentamountused = ?2,
             foreignpaymentamountunused = ?3, status = ?4 WHERE id = ?1",
        )?
        .execute(params![id, used, unused, status])?;
    // A credit settles from its main line, a payment from its line in A/P or A/R.
    let line = i64::from(!credit);
    on_line(
        connection,
        id,
        line,
        ("foreignpaymentamountused", "foreignpaymentamountunused"),
        ("paymentamountused", "paymentamountunused"),
        (used, unused),
    )
}

fn on_line(
    connection: &Connection,
    id: i64,
    line: i64,
    foreign: (&str, &str),
    base: (&str, &str),
    (done, left): (i64, i64),
) -> Result<(), LedgerError> {
    connection
        .prepare_cached(&format!(
            "UPDATE transactionline SET {} = ?3, {} = ?4 WHERE \"transaction\" = ?1 AND id = ?2",
            foreign.0, foreign.1
        ))?
        .execute([id, line, done, left])?;
    let row: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT exchangerate, abs(amount) FROM transactionaccountingline
             WHERE \"transaction\" = ?1 AND transactionline = ?2",
        )?
        .query_row([id, line], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((rate, whole)) = row else {
        return Ok(());
    };
    let left = if rate == crate::schema::UNIT || left == 0 {
        left
    } else {
        super::post::units("amount", (from_units(left) * from_units(rate)).round_dp(2))?
    };
    connection
        .prepare_cached(&format!(
            "UPDATE transactionaccountingline SET {} = ?3, {} = ?4
             WHERE \"transaction\" = ?1 AND transactionline = ?2",
            base.0, base.1
        ))?
        .execute([id, line, whole - left, left])?;
    Ok(())
}
