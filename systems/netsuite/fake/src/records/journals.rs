//! Journal entries: JSON to the ledger's entries. Their lines have a key, `line`.

use rust_decimal::Decimal;

use super::body::{Patch, Writing};
use super::{Desk, Refusal, Target, wrong_transaction};
use crate::ledger::{self, JournalIn, JournalLineIn, LedgerError};

/// An empty entry.
pub(crate) fn blank() -> JournalIn {
    JournalIn {
        subsidiary: None,
        number: None,
        date: None,
        currency: None,
        rate: None,
        memo: None,
        external_id: None,
        period: None,
        approved: true,
        lines: Vec::new(),
        extra: None,
    }
}

/// Creates or changes an entry.
pub(crate) fn write(
    desk: &Desk<'_>,
    writing: &Writing<'_>,
    target: Target<'_>,
) -> Result<i64, Refusal> {
    let context = desk.fake.context(Some(desk.caller));
    match target {
        Target::New(external) => {
            let mut journal = blank();
            merge(writing, &mut journal)?;
            if external.is_some() {
                journal.external_id = external.map(str::to_owned);
            }
            check(desk, &journal)?;
            Ok(ledger::insert_journal(desk.books, &context, &journal)?)
        }
        Target::Existing(id) => {
            let mut journal =
                ledger::read_journal(desk.books, id)?.ok_or_else(wrong_transaction)?;
            merge(writing, &mut journal)?;
            check(desk, &journal)?;
            ledger::update_journal(desk.books, &context, id, &journal)?;
            Ok(id)
        }
    }
}

fn merge(writing: &Writing<'_>, journal: &mut JournalIn) -> Result<(), Refusal> {
    let head = writing.head();
    head.reference("subsidiary", &["subsidiary"])?
        .onto(&mut journal.subsidiary);
    head.text("tranId")?.onto(&mut journal.number);
    let date = head.date("tranDate")?;
    if matches!(&date, Patch::Set(date) if Some(*date) != journal.date) {
        journal.period = None;
    }
    date.onto(&mut journal.date);
    head.reference("currency", &["currency"])?
        .onto(&mut journal.currency);
    head.decimal("exchangeRate")?.onto(&mut journal.rate);
    head.text("memo")?.onto(&mut journal.memo);
    head.text("externalId")?.onto(&mut journal.external_id);
    head.reference("postingPeriod", &["accountingperiod"])?
        .onto(&mut journal.period);
    head.boolean("approved")?.over(&mut journal.approved, true);
    journal.extra = writing.extras(journal.extra.as_deref());
    lines(writing, journal)
}

fn lines(writing: &Writing<'_>, journal: &mut JournalIn) -> Result<(), Refusal> {
    let parts = match writing.sublist("line") {
        Patch::Absent => return Ok(()),
        Patch::Clear => {
            journal.lines.clear();
            return Ok(());
        }
        Patch::Set(parts) => parts,
    };
    if writing.replaces("line") {
        journal.lines.clear();
    }
    for part in parts {
        let named = part.integer("line")?.set();
        let at = named
            .and_then(|number| usize::try_from(number).ok()?.checked_sub(1))
            .filter(|at| *at < journal.lines.len());
        let mut line = match at {
            Some(at) => journal.lines[at].clone(),
            None => JournalLineIn {
                account: 0,
                debit: Decimal::ZERO,
                credit: Decimal::ZERO,
                entity: None,
                memo: None,
                department: None,
                class: None,
                location: None,
                extra: None,
            },
        };
        if let Some(account) = part.reference("account", &["account"])?.set() {
            line.account = account;
        }
        if line.account == 0 {
            return Err(LedgerError::Missing("account").into());
        }
        part.decimal("debit")?.over(&mut line.debit, Decimal::ZERO);
        part.decimal("credit")?
            .over(&mut line.credit, Decimal::ZERO);
        part.reference("entity", &["vendor", "customer"])?
            .onto(&mut line.entity);
        part.text("memo")?.onto(&mut line.memo);
        part.reference("department", &["department"])?
            .onto(&mut line.department);
        part.reference("class", &["classification"])?
            .onto(&mut line.class);
        part.reference("location", &["location"])?
            .onto(&mut line.location);
        let extra = part.extras(&[
            "line",
            "account",
            "debit",
            "credit",
            "entity",
            "memo",
            "department",
            "class",
            "location",
        ]);
        if extra.is_some() {
            line.extra = extra;
        }
        match at {
            Some(at) => journal.lines[at] = line,
            None => journal.lines.push(line),
        }
    }
    Ok(())
}

fn check(desk: &Desk<'_>, journal: &JournalIn) -> Result<(), Refusal> {
    let missing = journal.lines.iter().any(|line| line.department.is_none());
    if desk.fake.quirks().mandatory_department && missing {
        return Err(LedgerError::Missing("department").into());
    }
    Ok(())
}
