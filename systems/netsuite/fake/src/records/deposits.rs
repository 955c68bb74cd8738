//! Deposits: JSON to the ledger's deposits.

use super::body::{Part, Patch, Writing};
use super::catalog::RecordType;
use super::{Desk, Refusal, Target, documents, read, wrong_transaction};
use crate::json::Json;
use crate::ledger::{self, DepositIn, DepositLineIn, LedgerError};
use crate::problem::Problem;

/// Creates or changes a deposit.
pub(crate) fn write(
    desk: &Desk<'_>,
    writing: &Writing<'_>,
    target: Target<'_>,
) -> Result<i64, Refusal> {
    let context = desk.fake.context(Some(desk.caller));
    match target {
        Target::New(external) => {
            let mut deposit = DepositIn::default();
            merge(writing, &mut deposit)?;
            if external.is_some() {
                deposit.external_id = external.map(str::to_owned);
            }
            Ok(ledger::insert_deposit(desk.books, &context, &deposit)?)
        }
        Target::Existing(id) => {
            let mut deposit =
                ledger::read_deposit(desk.books, id)?.ok_or_else(wrong_transaction)?;
            merge(writing, &mut deposit)?;
            ledger::update_deposit(desk.books, &context, id, &deposit)?;
            Ok(id)
        }
    }
}

fn merge(writing: &Writing<'_>, deposit: &mut DepositIn) -> Result<(), Refusal> {
    let head = writing.head();
    head.reference("account", &["account"])?
        .onto(&mut deposit.account);
    head.reference("subsidiary", &["subsidiary"])?
        .onto(&mut deposit.subsidiary);
    head.text("tranId")?.onto(&mut deposit.number);
    let date = head.date("tranDate")?;
    if matches!(&date, Patch::Set(date) if Some(*date) != deposit.date) {
        deposit.period = None;
    }
    date.onto(&mut deposit.date);
    head.reference("currency", &["currency"])?
        .onto(&mut deposit.currency);
    head.decimal("exchangeRate")?.onto(&mut deposit.rate);
    head.text("memo")?.onto(&mut deposit.memo);
    head.text("externalId")?.onto(&mut deposit.external_id);
    head.reference("postingPeriod", &["accountingperiod"])?
        .onto(&mut deposit.period);
    deposit.extra = writing.extras(deposit.extra.as_deref());
    payments(writing, &mut deposit.payments)?;
    lines(writing, "other", &mut deposit.other)?;
    lines(writing, "cashback", &mut deposit.cash_back)
}

/// The payments, by their ids: whole numbers here, as the service has it.
fn payments(writing: &Writing<'_>, payments: &mut Vec<i64>) -> Result<(), Refusal> {
    let parts = match writing.sublist("payment") {
        Patch::Absent => return Ok(()),
        Patch::Clear => {
            payments.clear();
            return Ok(());
        }
        Patch::Set(parts) => parts,
    };
    if writing.replaces("payment") {
        payments.clear();
    }
    for part in parts {
        let Some(id) = part.integer("id")?.set() else {
            return Err(part.invalid("id", "the id of a payment").into());
        };
        payments.retain(|known| *known != id);
        if part.boolean("deposit")?.set().unwrap_or(true) {
            payments.push(id);
        }
    }
    Ok(())
}

/// Lines have no key: they are appended, unless the sublist is replaced.
fn lines(
    writing: &Writing<'_>,
    sublist: &str,
    lines: &mut Vec<DepositLineIn>,
) -> Result<(), Refusal> {
    let parts = match writing.sublist(sublist) {
        Patch::Absent => return Ok(()),
        Patch::Clear => {
            lines.clear();
            return Ok(());
        }
        Patch::Set(parts) => parts,
    };
    if writing.replaces(sublist) {
        lines.clear();
    }
    for part in parts {
        lines.push(line(&part)?);
    }
    Ok(())
}

fn line(part: &Part<'_>) -> Result<DepositLineIn, Refusal> {
    let account = part.reference("account", &["account"])?.set();
    let amount = part.decimal("amount")?.set();
    let [department, class, location] = documents::read_dimensions(part)?;
    Ok(DepositLineIn {
        account: account.ok_or(LedgerError::Missing("account"))?,
        amount: documents::cents(
            part,
            "amount",
            amount.ok_or(LedgerError::Missing("amount"))?,
        )?,
        entity: part.reference("entity", &["customer", "vendor"])?.set(),
        memo: part.text("memo")?.set(),
        department: department.set(),
        class: class.set(),
        location: location.set(),
    })
}

/// The elements of a deposit's sublists.
pub(super) fn elements(
    desk: &Desk<'_>,
    record: &RecordType,
    deposit: &DepositIn,
    sublist: &str,
) -> Result<Vec<Vec<(String, Json)>>, Problem> {
    let lines = match sublist {
        "payment" => {
            let payment = |id: &i64| {
                vec![
                    ("id".to_owned(), Json::integer(*id)),
                    ("deposit".to_owned(), Json::Bool(true)),
                ]
            };
            return Ok(deposit.payments.iter().map(payment).collect());
        }
        "other" => &deposit.other,
        _ => &deposit.cash_back,
    };
    let numbered = (1..).zip(lines);
    numbered
        .map(|(number, line)| {
            let mut fields = vec![
                ("line".to_owned(), Json::integer(number)),
                (
                    "account".to_owned(),
                    read::reference(desk, record, "account", line.account)?,
                ),
                ("amount".to_owned(), Json::decimal(line.amount)),
            ];
            let memo = line.memo.clone();
            fields.extend(memo.map(|text| ("memo".to_owned(), Json::Text(text))));
            let dimensions = [line.department, line.class, line.location];
            fields.extend(read::dimensions(desk, record, dimensions)?);
            Ok(fields)
        })
        .collect()
}
