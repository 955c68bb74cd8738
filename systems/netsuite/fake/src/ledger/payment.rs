//! Vendor payments, customer payments and customer refunds.

use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::apply::{self, Payer};
use super::check;
use super::post::{self, Header, Row};
use super::{
    Application, Context, CreditUse, EntityKind, LedgerError, PaymentIn, PaymentKind, atomically,
    bill, deposit, entity, next_id, refund, undeposited,
};
use crate::schema::{from_units, stamp};

impl PaymentKind {
    /// The `type` code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::VendorPayment => "VendPymt",
            Self::CustomerPayment => "CustPymt",
            Self::CustomerRefund => "CustRfnd",
            Self::DepositApplication => "DepAppl",
        }
    }

    fn party(self) -> EntityKind {
        match self {
            Self::VendorPayment => EntityKind::Vendor,
            Self::CustomerPayment | Self::CustomerRefund | Self::DepositApplication => {
                EntityKind::Customer
            }
        }
    }

    fn ledger(self) -> (&'static str, &'static str) {
        match self {
            Self::VendorPayment => ("AcctPay", "apAcct"),
            Self::CustomerPayment | Self::CustomerRefund | Self::DepositApplication => {
                ("AcctRec", "arAcct")
            }
        }
    }

    /// The kind of a `type` code.
    fn from_code(code: &str) -> Option<Self> {
        [
            Self::VendorPayment,
            Self::CustomerPayment,
            Self::CustomerRefund,
            Self::DepositApplication,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }

    /// Whether money leaves.
    fn pays_out(self) -> bool {
        matches!(self, Self::VendorPayment | Self::CustomerRefund)
    }
}

/// Books a payment and gives its id.
///
/// # Errors
/// Any of [`LedgerError`] but `NotFound`; [`LedgerError::Missing`]`("apply")` for a vendor payment that
/// pays nothing.
pub(crate) fn insert_payment(
    connection: &Connection,
    context: &Context,
    payment: &PaymentIn,
) -> Result<i64, LedgerError> {
    atomically(connection, || {
        let id = next_id(connection, "transaction")?;
        book(connection, context, id, payment, &stamp(context.now))?;
        Ok(id)
    })
}

/// Books a payment anew under its id: this moves, adds and takes back applications. In a closed period that
/// allows non-G/L changes, a change that leaves the accounts as they are is allowed.
///
/// # Errors
/// Any of [`LedgerError`].
pub(crate) fn update_payment(
    connection: &Connection,
    context: &Context,
    id: i64,
    payment: &PaymentIn,
) -> Result<(), LedgerError> {
    let record = post::record_name(payment.kind.code());
    atomically(connection, || {
        let old = post::stored(connection, id)?
            .filter(|old| old.kind == payment.kind.code())
            .ok_or(LedgerError::NotFound { record, id })?;
        if old.voided {
            return Err(LedgerError::InUse { record, id });
        }
        let before = impact(connection, id)?;
        let open = check::period_open(connection, context, old.period, &old.kind);
        let lenient = open.is_err() && allows_applications(connection, old.period)?;
        if !lenient {
            open?;
        }
        let mut wide = context.clone();
        wide.override_locked |= lenient;
        let mut kept = payment.clone();
        if lenient {
            kept.period = None;
        }
        let closed = if lenient { Some(old.period) } else { None };
        book_in(connection, &wide, id, &kept, &old.created, closed)?;
        if lenient && impact(connection, id)? != before {
            return check::period_open(connection, context, old.period, &old.kind);
        }
        // What a deposit has taken stays what it was; its applications may move.
        let new = post::stored(connection, id)?.ok_or(LedgerError::NotFound { record, id })?;
        let moved = (new.account, new.total) != (old.account, old.total);
        if moved && deposit::is_deposited(connection, id)? {
            return Err(LedgerError::InUse { record, id });
        }
        if old.entity != Some(payment.entity) {
            entity::rebalance(connection, old.entity)?;
        }
        Ok(())
    })
}

/// What a transaction does to each account.
fn impact(connection: &Connection, id: i64) -> Result<Vec<(i64, i64)>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT account, SUM(amount) FROM transactionaccountingline WHERE \"transaction\" = ?1
         GROUP BY account ORDER BY account",
    )?;
    let rows = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn allows_applications(connection: &Connection, period: i64) -> Result<bool, LedgerError> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM accountingperiod WHERE id = ?1 AND allownonglchanges = 'T'")?
        .exists([period])?)
}

fn book(
    connection: &Connection,
    context: &Context,
    id: i64,
    payment: &PaymentIn,
    created: &str,
) -> Result<(), LedgerError> {
    book_in(connection, context, id, payment, created, None)
}

fn book_in(
    connection: &Connection,
    context: &Context,
    id: i64,
    payment: &PaymentIn,
    created: &str,
    closed: Option<i64>,
) -> Result<(), LedgerError> {
    let kind = payment.kind;
    check::number(payment.number.as_deref())?;
    check::external_id(
        connection,
        "transaction",
        payment.external_id.as_deref(),
        Some(id),
    )?;
    check::dimensions(
        connection,
        payment.department,
        payment.class,
        payment.location,
    )?;
    let party = check::party(connection, kind.party(), payment.entity)?;
    let first = match payment.applications.first() {
        Some(application) => post::stored(connection, application.doc)?,
        None => None,
    };
    let wanted = payment
        .subsidiary
        .or(first.as_ref().and_then(|first| first.subsidiary));
    let subsidiary = check::subsidiary(
        connection,
        context,
        kind.party(),
        payment.entity,
        wanted,
        &party,
    )?;
    let (ledger_kind, ledger_field) = kind.ledger();
    let of_first = match (&first, payment.applications.first()) {
        (Some(_), Some(application)) if kind == PaymentKind::CustomerRefund => {
            refund::receivable_of(connection, application.doc)?
        }
        (Some(first), _) => first.account,
        (None, _) => None,
    };
    let ledger = match payment.ledger_account.or(of_first).or(party.account) {
        Some(account) => account,
        None => check::default_account(connection, ledger_kind, ledger_field)?,
    };
    if check::account(connection, ledger_field, ledger, subsidiary)? != ledger_kind {
        return Err(LedgerError::Invalid {
            field: ledger_field,
            message: format!("Invalid account reference key {ledger}."),
        });
    }
    let bank = match payment.account {
        Some(account) => account,
        None if kind == PaymentKind::CustomerPayment => {
            undeposited::account(connection, &stamp(context.now))?
        }
        None if kind == PaymentKind::DepositApplication => {
            undeposited::customer_deposits(connection, &stamp(context.now))?
        }
        None => return Err(LedgerError::Missing("account")),
    };
    check::account(connection, "account", bank, subsidiary)?;
    let currency = match payment.currency.or(party.currency) {
        Some(currency) => {
            check::exists(connection, "currency", "currency", currency)?;
            currency
        }
        None => check::base_currency(connection, subsidiary)?,
    };
    let rate = check::rate(connection, subsidiary, currency, payment.rate)?;
    let date = payment.date.unwrap_or(context.today);
    let period = match closed {
        Some(period) => period,
        None => check::period(connection, context, date, payment.period, kind.code())?,
    };
    // An update withdraws its own credits' use only by way of the credits themselves.
    for used in &payment.credits {
        use_credit(connection, context, used)?;
    }
    let payer = Payer {
        id,
        kind: kind.code(),
        entity: payment.entity,
        account: ledger,
        currency,
        subsidiary,
        date: date.to_string(),
        line: 0,
    };
    let refunded = match kind {
        PaymentKind::CustomerRefund => {
            apply::release(connection, context, id)?;
            refund::wanted(connection, &payer, &payment.applications)?
        }
        _ => Vec::new(),
    };
    let applied = match kind {
        PaymentKind::CustomerRefund => refunded.iter().map(|part| part.amount).sum(),
        _ => apply::apply(connection, context, &payer, &payment.applications)?,
    };
    let total = match (kind, payment.amount) {
        (PaymentKind::CustomerPayment, Some(amount)) => amount,
        _ => applied,
    };
    if kind.pays_out() && total.is_zero() && payment.credits.is_empty() {
        return Err(LedgerError::Missing("apply"));
    }
    if applied > total {
        return Err(LedgerError::OverUsed {
            available: total,
            applied,
        });
    }
    let header = Header {
        id,
        kind: kind.code(),
        number: payment.number.clone().filter(|number| !number.is_empty()),
        entity: Some(payment.entity),
        date,
        due: None,
        approval: None,
        currency,
        rate,
        total: if kind.pays_out() { -total } else { total },
        memo: payment.memo.clone().filter(|memo| !memo.is_empty()),
        terms: None,
        period,
        posting: true,
        external_id: payment.external_id.clone(),
        other_reference: payment.check_number.clone(),
        account: Some(bank),
        subsidiary,
        payment_hold: false,
        extra: payment.extra.clone(),
        created: created.to_owned(),
        modified: stamp(context.now),
    };
    let rows = rows(connection, &header, payment, bank, ledger, total)?;
    post::write(connection, &header, &rows)?;
    apply::settle(connection, id)?;
    refund::pay_back(connection, context, &payer, &refunded)?;
    entity::rebalance(connection, Some(payment.entity))
}

/// Bank, A/P or A/R, and what the exchange rate gained or lost since the documents were booked.
pub(crate) fn rows(
    connection: &Connection,
    header: &Header,
    payment: &PaymentIn,
    bank: i64,
    ledger: i64,
    total: Decimal,
) -> Result<Vec<Row>, LedgerError> {
    let cents = |amount: Decimal| {
        amount.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
    };
    let sign = if payment.kind.pays_out() {
        Decimal::ONE
    } else {
        Decimal::NEGATIVE_ONE
    };
    let row = |line, account, amount| Row {
        line,
        account,
        amount,
        memo: payment.memo.clone(),
        department: payment.department,
        class: payment.class,
        location: payment.location,
        ..Row::default()
    };
    let bank_row = Row {
        main: true,
        ..row(0, bank, -sign * total)
    };
    let discount: Decimal = payment.applications.iter().map(|one| one.discount).sum();
    let settled = total + discount;
    let ledger_row = row(1, ledger, sign * settled);
    let discount_row = if discount.is_zero() {
        None
    } else {
        let account = discount_account(connection)?;
        Some(row(apply::DISCOUNT_LINE, account, -sign * discount))
    };
    if header.rate == Decimal::ONE {
        return Ok([Some(bank_row), Some(ledger_row), discount_row]
            .into_iter()
            .flatten()
            .collect());
    }
    let mut statement = connection.prepare_cached(
        "SELECT n.foreignamount, t.exchangerate FROM nexttransactionlinelink n
         JOIN \"transaction\" t ON t.id = n.previousdoc
         WHERE n.nextdoc = ?1 AND n.linktype = 'Payment'",
    )?;
    let links = statement
        .query_map([header.id], |row| {
            Ok((from_units(row.get(0)?), from_units(row.get(1)?)))
        })?
        .collect::<Result<Vec<(Decimal, Decimal)>, _>>()?;
    let applied: Decimal = links.iter().map(|(amount, _)| *amount).sum();
    let relieved: Decimal = links
        .iter()
        .map(|(amount, rate)| cents(amount * rate))
        .sum::<Decimal>()
        + cents((settled - applied) * header.rate);
    let (cash, kept) = (cents(total * header.rate), cents(discount * header.rate));
    let paid = cash + kept;
    let account: Option<i64> = connection
        .prepare_cached("SELECT id FROM account WHERE externalid = 'realized-gain-loss'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let (Some(account), false) = (account, relieved == paid) else {
        return Ok([Some(bank_row), Some(ledger_row), discount_row]
            .into_iter()
            .flatten()
            .collect());
    };
    let mut rows = vec![
        Row {
            base: Some(-sign * cash),
            ..bank_row
        },
        Row {
            base: Some(sign * relieved),
            ..ledger_row
        },
        Row {
            base: Some(sign * (paid - relieved)),
            ..row(2, account, Decimal::ZERO)
        },
    ];
    rows.extend(discount_row.map(|discount| Row {
        base: Some(-sign * kept),
        ..discount
    }));
    Ok(rows)
}

/// The account of the accounting preferences that discounts are booked to.
fn discount_account(connection: &Connection) -> Result<i64, LedgerError> {
    connection
        .prepare_cached(
            "SELECT id FROM account WHERE accttype IN ('Expense', 'COGS') AND isinactive = 'F'
             AND issummary = 'F' ORDER BY id LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?
        .ok_or(LedgerError::Missing("purchase discount account"))
}

/// Applies a credit, or a journal entry's debit, further to a bill.
fn use_credit(
    connection: &Connection,
    context: &Context,
    used: &CreditUse,
) -> Result<(), LedgerError> {
    let not_found = LedgerError::NotApplicable {
        doc: used.credit,
        line: 0,
    };
    let journal = post::stored(connection, used.credit)?.is_some_and(|one| one.kind == "Journal");
    if journal {
        return apply::apply_debit(connection, context, used.credit, used.bill, used.amount);
    }
    let Some(mut credit) = bill::read_bill(connection, used.credit)? else {
        return Err(not_found);
    };
    if !credit.kind.is_credit() {
        return Err(not_found);
    }
    let already = credit
        .applications
        .iter_mut()
        .find(|application| application.doc == used.bill);
    match already {
        Some(application) => {
            application.amount = application.amount.map(|amount| amount + used.amount);
        }
        None => credit.applications.push(Application {
            doc: used.bill,
            line: 0,
            amount: Some(used.amount),
            discount: Decimal::ZERO,
        }),
    }
    bill::update_bill(connection, context, used.credit, &credit)
}

/// Reads a payment back, whole. Credits used in the same go belong to the credits and aren't listed.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn read_payment(
    connection: &Connection,
    id: i64,
) -> Result<Option<PaymentIn>, LedgerError> {
    let Some(found) = post::stored(connection, id)? else {
        return Ok(None);
    };
    let Some(kind) = PaymentKind::from_code(&found.kind) else {
        return Ok(None);
    };
    let (department, class, location) = connection
        .prepare_cached(
            "SELECT department, class, location FROM transactionline
             WHERE \"transaction\" = ?1 AND id = 0",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?
        .unwrap_or_default();
    let ledger_account: Option<i64> = connection
        .prepare_cached(
            "SELECT account FROM transactionaccountingline WHERE \"transaction\" = ?1
             AND transactionline = 1",
        )?
        .query_row(params![id], |row| row.get(0))
        .optional()?;
    let (extra, check_number) = connection
        .prepare_cached("SELECT x_extra, otherrefnum FROM \"transaction\" WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let applications = match kind {
        PaymentKind::CustomerRefund => refund::applications(connection, id)?,
        _ => apply::applications(connection, id)?,
    };
    Ok(Some(PaymentIn {
        kind,
        entity: found.entity.unwrap_or_default(),
        subsidiary: found.subsidiary,
        account: found.account,
        ledger_account,
        number: found.number,
        check_number,
        date: found.date,
        currency: Some(found.currency),
        rate: Some(found.rate),
        memo: found.memo,
        external_id: found.external_id,
        period: Some(found.period),
        amount: (kind == PaymentKind::CustomerPayment).then_some(found.total),
        applications,
        credits: Vec::new(),
        department,
        class,
        location,
        extra,
    }))
}
