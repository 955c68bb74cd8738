//! Vendor bills, vendor credits, invoices and credit memos.

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension};
use rust_decimal::Decimal;

use super::apply::{self, Payer};
use super::check::{self, Party};
use super::post::{self, Header, Row};
use super::{
    Approval, BillIn, BillKind, Context, EntityKind, LedgerError, LineIn, LineKind, atomically,
    entity, next_id,
};
use crate::json::Json;
use crate::schema::{from_units, parse_date, stamp};

impl BillKind {
    /// The `type` code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::VendorBill => "VendBill",
            Self::VendorCredit => "VendCred",
            Self::Invoice => "CustInvc",
            Self::CreditMemo => "CustCred",
        }
    }

    /// The kind of a `type` code.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        [
            Self::VendorBill,
            Self::VendorCredit,
            Self::Invoice,
            Self::CreditMemo,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }

    /// Who the other party is.
    pub(crate) fn party(self) -> EntityKind {
        match self {
            Self::VendorBill | Self::VendorCredit => EntityKind::Vendor,
            Self::Invoice | Self::CreditMemo => EntityKind::Customer,
        }
    }

    /// It can be applied, rather than be applied to.
    pub(crate) fn is_credit(self) -> bool {
        matches!(self, Self::VendorCredit | Self::CreditMemo)
    }

    /// 1 where a line that raises the total is a debit.
    fn line_sign(self) -> Decimal {
        match self {
            Self::VendorBill | Self::CreditMemo => Decimal::ONE,
            Self::VendorCredit | Self::Invoice => Decimal::NEGATIVE_ONE,
        }
    }

    fn ledger(self) -> &'static str {
        match self.party() {
            EntityKind::Vendor => "AcctPay",
            EntityKind::Customer => "AcctRec",
        }
    }
}

/// Books a new document and gives its id.
///
/// # Errors
/// Any of [`LedgerError`] but `NotFound`.
pub(crate) fn insert_bill(
    connection: &Connection,
    context: &Context,
    bill: &BillIn,
) -> Result<i64, LedgerError> {
    atomically(connection, || {
        let id = next_id(connection, "transaction")?;
        book(connection, context, id, bill, &stamp(context.now))?;
        Ok(id)
    })
}

/// Books a document anew under its id.
///
/// # Errors
/// Any of [`LedgerError`]; [`LedgerError::InUse`] when it has been paid and the entity, account, currency
/// or subsidiary would change, or the total would fall below what is paid.
pub(crate) fn update_bill(
    connection: &Connection,
    context: &Context,
    id: i64,
    bill: &BillIn,
) -> Result<(), LedgerError> {
    let record = post::record_name(bill.kind.code());
    atomically(connection, || {
        let old = post::stored(connection, id)?
            .filter(|old| old.kind == bill.kind.code())
            .ok_or(LedgerError::NotFound { record, id })?;
        if old.voided {
            return Err(LedgerError::InUse { record, id });
        }
        check::period_open(connection, context, old.period, &old.kind)?;
        let settled = apply::is_settled(connection, id)?;
        book(connection, context, id, bill, &old.created)?;
        if settled {
            let new = post::stored(connection, id)?.ok_or(LedgerError::NotFound { record, id })?;
            let same = (new.entity, new.account, new.currency, new.subsidiary)
                == (old.entity, old.account, old.currency, old.subsidiary);
            let unpaid: i64 = connection.query_row(
                "SELECT foreignamountunpaid FROM \"transaction\" WHERE id = ?1",
                [id],
                |row| row.get(0),
            )?;
            if !same || !new.posting || unpaid < 0 {
                return Err(LedgerError::InUse { record, id });
            }
        }
        if old.entity != Some(bill.entity) {
            entity::rebalance(connection, old.entity)?;
        }
        Ok(())
    })
}

fn book(
    connection: &Connection,
    context: &Context,
    id: i64,
    bill: &BillIn,
    created: &str,
) -> Result<(), LedgerError> {
    let kind = bill.kind;
    check::number(bill.number.as_deref())?;
    check::external_id(
        connection,
        "transaction",
        bill.external_id.as_deref(),
        Some(id),
    )?;
    let party = check::party(connection, kind.party(), bill.entity)?;
    let subsidiary = check::subsidiary(
        connection,
        context,
        kind.party(),
        bill.entity,
        bill.subsidiary,
        &party,
    )?;
    let account = ledger_account(connection, bill, &party, subsidiary)?;
    let currency = match bill.currency.or(party.currency) {
        Some(currency) => {
            check::exists(connection, "currency", "currency", currency)?;
            currency
        }
        None => check::base_currency(connection, subsidiary)?,
    };
    let rate = check::rate(connection, subsidiary, currency, bill.rate)?;
    let date = bill.date.unwrap_or(context.today);
    let period = check::period(connection, context, date, bill.period, kind.code())?;
    let terms = bill.terms.or(party.terms);
    if bill.lines.is_empty() {
        return Err(LedgerError::Missing("expense"));
    }
    let total: Decimal = bill.lines.iter().map(|line| line.amount).sum();
    if total.is_sign_negative() && !total.is_zero() {
        return Err(LedgerError::Invalid {
            field: "total",
            message: "The total of a transaction can not be negative.".to_owned(),
        });
    }
    let mut rows = vec![main_row(bill, account, total)];
    for (position, line) in bill.lines.iter().enumerate() {
        let number = i64::try_from(position + 1).unwrap_or(i64::MAX);
        rows.push(body_row(connection, bill, line, number, subsidiary)?);
    }
    let header = Header {
        id,
        kind: kind.code(),
        number: bill.number.clone().filter(|number| !number.is_empty()),
        entity: Some(bill.entity),
        date,
        due: if kind.is_credit() {
            None
        } else {
            Some(due(connection, bill, date, terms)?)
        },
        approval: (!kind.is_credit()).then(|| bill.approval.id()),
        currency,
        rate,
        total: if kind.is_credit() { -total } else { total },
        memo: bill.memo.clone().filter(|memo| !memo.is_empty()),
        terms,
        period,
        posting: kind.is_credit() || bill.approval == Approval::Approved,
        external_id: bill.external_id.clone(),
        other_reference: bill.other_reference.clone(),
        account: Some(account),
        subsidiary,
        payment_hold: bill.payment_hold,
        extra: bill.extra.clone(),
        created: created.to_owned(),
        modified: stamp(context.now),
    };
    post::write(connection, &header, &rows)?;
    if kind.is_credit() {
        let payer = Payer {
            id,
            kind: kind.code(),
            entity: bill.entity,
            account,
            currency,
            subsidiary,
            date: date.to_string(),
            line: 0,
        };
        let applied = apply::apply(connection, context, &payer, &bill.applications)?;
        if applied > total {
            return Err(LedgerError::OverUsed {
                available: total,
                applied,
            });
        }
    }
    apply::settle(connection, id)?;
    entity::rebalance(connection, Some(bill.entity))
}

fn ledger_account(
    connection: &Connection,
    bill: &BillIn,
    party: &Party,
    subsidiary: Option<i64>,
) -> Result<i64, LedgerError> {
    let wanted = bill.kind.ledger();
    let account = match bill.account.or(party.account) {
        Some(account) => account,
        None => check::default_account(connection, wanted, "account")?,
    };
    let found = check::account(connection, "account", account, subsidiary)?;
    if found == wanted {
        Ok(account)
    } else {
        Err(LedgerError::Invalid {
            field: "account",
            message: format!("Invalid account reference key {account}."),
        })
    }
}

fn due(
    connection: &Connection,
    bill: &BillIn,
    date: Date,
    terms: Option<i64>,
) -> Result<Date, LedgerError> {
    if let Some(due) = bill.due {
        return Ok(due);
    }
    let Some(terms) = terms else { return Ok(date) };
    let days: Option<i64> = connection
        .prepare_cached("SELECT daysuntilnetdue FROM term WHERE id = ?1")?
        .query_row([terms], |row| row.get(0))
        .optional()?
        .ok_or(LedgerError::NoSuch {
            field: "terms",
            record: "term",
            id: terms,
        })?;
    let span = jiff::Span::new()
        .try_days(days.unwrap_or(0))
        .unwrap_or_default();
    Ok(date.saturating_add(span))
}

/// The line in A/P or A/R.
pub(crate) fn main_row(bill: &BillIn, account: i64, total: Decimal) -> Row {
    Row {
        line: 0,
        main: true,
        account,
        amount: -total * bill.kind.line_sign(),
        memo: bill.memo.clone(),
        department: head_dimension(bill, "department"),
        class: head_dimension(bill, "class"),
        location: head_dimension(bill, "location"),
        ..Row::default()
    }
}

/// A dimension of the head: kept with the record, and shown by queries on the main line.
fn head_dimension(bill: &BillIn, name: &str) -> Option<i64> {
    let extra = Json::parse(bill.extra.as_deref()?).ok()?;
    extra.get(name)?.get("id")?.as_identifier()?.parse().ok()
}

fn body_row(
    connection: &Connection,
    bill: &BillIn,
    line: &LineIn,
    number: i64,
    subsidiary: Option<i64>,
) -> Result<Row, LedgerError> {
    let account = match (line.account, line.kind) {
        (Some(account), _) => account,
        (None, LineKind::Item { item, .. }) => item_account(connection, bill.kind, item)?,
        (None, LineKind::Expense) => return Err(LedgerError::Missing("account")),
        (None, LineKind::Tax) => check::default_account(connection, "OthCurrLiab", "account")?,
    };
    check::account(connection, "account", account, subsidiary)?;
    check::dimensions(connection, line.department, line.class, line.location)?;
    Ok(seeded_row(bill.kind, line, number, account))
}

/// The rows of a line whose account is known to be right.
pub(crate) fn seeded_row(kind: BillKind, line: &LineIn, number: i64, account: i64) -> Row {
    Row {
        line: number,
        tax: line.kind == LineKind::Tax,
        item: match line.kind {
            LineKind::Item { item, quantity } => Some((item, quantity)),
            _ => None,
        },
        account,
        amount: line.amount * kind.line_sign(),
        memo: line.memo.clone(),
        department: line.department,
        class: line.class,
        location: line.location,
        expense: line.kind == LineKind::Expense,
        extra: line.extra.clone(),
        ..Row::default()
    }
}

fn item_account(connection: &Connection, kind: BillKind, item: i64) -> Result<i64, LedgerError> {
    let column = match kind.party() {
        EntityKind::Vendor => "expenseaccount",
        EntityKind::Customer => "incomeaccount",
    };
    let account: Option<i64> = connection
        .prepare_cached(&format!("SELECT {column} FROM item WHERE id = ?1"))?
        .query_row([item], |row| row.get(0))
        .optional()?
        .ok_or(LedgerError::NoSuch {
            field: "item",
            record: "item",
            id: item,
        })?;
    account.ok_or(LedgerError::Missing("account"))
}

/// Reads a document back, whole.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn read_bill(connection: &Connection, id: i64) -> Result<Option<BillIn>, LedgerError> {
    let Some(found) = post::stored(connection, id)? else {
        return Ok(None);
    };
    let Some(kind) = BillKind::from_code(&found.kind) else {
        return Ok(None);
    };
    let bill = connection
        .prepare_cached(
            "SELECT duedate, terms, otherrefnum, paymenthold, x_extra, postingperiod
             FROM \"transaction\" WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(BillIn {
                kind,
                entity: found.entity.unwrap_or_default(),
                subsidiary: found.subsidiary,
                account: found.account,
                number: found.number.clone(),
                date: found.date,
                due: row
                    .get::<_, Option<String>>(0)?
                    .as_deref()
                    .and_then(parse_date),
                terms: row.get(1)?,
                currency: Some(found.currency),
                rate: Some(found.rate),
                memo: found.memo.clone(),
                external_id: found.external_id.clone(),
                other_reference: row.get(2)?,
                approval: found
                    .approval
                    .and_then(Approval::from_id)
                    .unwrap_or(Approval::Approved),
                payment_hold: row.get::<_, String>(3)? == "T",
                extra: row.get(4)?,
                period: row.get(5)?,
                lines: Vec::new(),
                applications: Vec::new(),
            })
        })?;
    Ok(Some(BillIn {
        lines: lines(connection, kind, id)?,
        applications: apply::applications(connection, id)?,
        ..bill
    }))
}

fn lines(connection: &Connection, kind: BillKind, id: i64) -> Result<Vec<LineIn>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT l.item, l.quantity, l.taxline, a.account, l.foreignamount, l.memo, l.department,
         l.class, l.location, l.x_extra
         FROM transactionline l JOIN transactionaccountingline a
           ON a.\"transaction\" = l.\"transaction\" AND a.transactionline = l.id
         WHERE l.\"transaction\" = ?1 AND l.mainline = 'F' ORDER BY l.id",
    )?;
    let rows = statement.query_map([id], |row| {
        let item: Option<i64> = row.get(0)?;
        let quantity: Option<i64> = row.get(1)?;
        let tax = row.get::<_, String>(2)? == "T";
        Ok(LineIn {
            kind: match item {
                Some(item) => LineKind::Item {
                    item,
                    quantity: quantity.map_or(Decimal::ONE, from_units),
                },
                None if tax => LineKind::Tax,
                None => LineKind::Expense,
            },
            account: row.get(3)?,
            amount: from_units(row.get(4)?) * kind.line_sign(),
            memo: row.get(5)?,
            department: row.get(6)?,
            class: row.get(7)?,
            location: row.get(8)?,
            extra: row.get(9)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
