//! Customer refunds: what they pay back.
//!
//! A refund is a debit in A/R. The credits of a customer (credit memos, and what of payments is left) settle it
//! as they settle invoices: the refund is the document that is paid, the credit the one that pays.

use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::apply::{self, Applicable, Payer};
use super::{Application, Context, LedgerError};
use crate::schema::{from_units, stamp};

/// The line of a refund that is in A/R.
pub(super) const LINE: i64 = 1;

/// The credits of a customer: `?1` is the customer, `?2` the A/R account, `?3` the currency, `?4` the subsidiary.
const CREDITS: &str = "SELECT t.id, t.type, t.tranid, t.trandate, abs(t.foreigntotal),
        t.foreignpaymentamountunused
    FROM \"transaction\" t
    JOIN transactionaccountingline a ON a.\"transaction\" = t.id
      AND a.transactionline = CASE t.type WHEN 'CustPymt' THEN 1 ELSE 0 END
    WHERE t.type IN ('CustCred', 'CustPymt') AND t.entity = ?1 AND a.account = ?2 AND t.currency = ?3
      AND (?4 IS NULL OR t.subsidiary = ?4) AND t.posting = 'T' AND t.voided = 'F'
      AND t.foreignpaymentamountunused > 0";

/// A part of a refund: a credit, and how much of it is paid back.
pub(super) struct Part {
    credit: Applicable,
    pub(super) amount: Decimal,
}

fn credit_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Applicable> {
    Ok(Applicable {
        doc: row.get(0)?,
        line: 0,
        kind: row.get(1)?,
        number: row.get(2)?,
        date: row.get(3)?,
        total: from_units(row.get(4)?),
        due: from_units(row.get(5)?),
    })
}

/// What a refund with this customer, A/R account, currency and subsidiary could pay back.
pub(crate) fn refundable(
    connection: &Connection,
    entity: i64,
    account: i64,
    currency: i64,
    subsidiary: Option<i64>,
) -> Result<Vec<Applicable>, LedgerError> {
    let mut statement =
        connection.prepare_cached(&format!("{CREDITS} ORDER BY t.trandate, t.id"))?;
    let rows = statement.query_map(params![entity, account, currency, subsidiary], credit_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The account in A/R that a credit or a payment stands in.
pub(super) fn receivable_of(
    connection: &Connection,
    credit: i64,
) -> Result<Option<i64>, LedgerError> {
    Ok(connection
        .prepare_cached(
            "SELECT account FROM transactionaccountingline
             WHERE \"transaction\" = ?1 AND accounttype = 'AcctRec' ORDER BY transactionline LIMIT 1",
        )?
        .query_row([credit], |row| row.get(0))
        .optional()?)
}

/// What a refund is to pay back, each part within what is left of its credit.
pub(super) fn wanted(
    connection: &Connection,
    refund: &Payer,
    applications: &[Application],
) -> Result<Vec<Part>, LedgerError> {
    let mut parts = Vec::new();
    for &Application {
        doc, line, amount, ..
    } in applications
    {
        let credit = connection
            .prepare_cached(&format!("{CREDITS} AND t.id = ?5"))?
            .query_row(
                params![
                    refund.entity,
                    refund.account,
                    refund.currency,
                    refund.subsidiary,
                    doc
                ],
                credit_row,
            )
            .optional()?
            .ok_or(LedgerError::NotApplicable { doc, line })?;
        let amount = amount.unwrap_or(credit.due);
        if amount > credit.due || amount.is_sign_negative() {
            return Err(LedgerError::OverUsed {
                available: credit.due,
                applied: amount,
            });
        }
        parts.push(Part { credit, amount });
    }
    Ok(parts)
}

/// Settles a booked refund with its credits.
pub(super) fn pay_back(
    connection: &Connection,
    context: &Context,
    refund: &Payer,
    parts: &[Part],
) -> Result<(), LedgerError> {
    for Part { credit, amount } in parts {
        let payer = Payer {
            id: credit.doc,
            kind: if credit.kind == "CustCred" {
                "CustCred"
            } else {
                "CustPymt"
            },
            entity: refund.entity,
            account: refund.account,
            currency: refund.currency,
            subsidiary: refund.subsidiary,
            date: credit.date.clone(),
            line: 0,
        };
        let line = Applicable {
            doc: refund.id,
            line: LINE,
            kind: refund.kind.to_owned(),
            number: None,
            date: refund.date.clone(),
            total: *amount,
            due: *amount,
        };
        apply::link(connection, &payer, &line, *amount, &stamp(context.now))?;
        apply::settle(connection, credit.doc)?;
        apply::touch(connection, context, credit.doc)?;
    }
    if parts.is_empty() {
        return Ok(());
    }
    apply::settle(connection, refund.id)
}

/// What a refund pays back.
pub(super) fn applications(
    connection: &Connection,
    refund: i64,
) -> Result<Vec<Application>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT nextdoc, foreignamount FROM nexttransactionlinelink
         WHERE previousdoc = ?1 AND linktype = 'Payment' ORDER BY id",
    )?;
    let rows = statement.query_map([refund], |row| {
        Ok(Application {
            doc: row.get(0)?,
            line: 0,
            amount: Some(from_units(row.get(1)?)),
            discount: Decimal::ZERO,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether a refund pays the credit or payment back.
pub(super) fn is_refunded(connection: &Connection, credit: i64) -> Result<bool, LedgerError> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM nexttransactionlinelink l JOIN \"transaction\" t ON t.id = l.previousdoc
             WHERE l.nextdoc = ?1 AND l.linktype = 'Payment' AND t.type = 'CustRfnd'",
        )?
        .exists([credit])?)
}
