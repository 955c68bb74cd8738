//! Vendor payments, customer payments and refunds: JSON to the ledger's payments.

use rusqlite::{OptionalExtension, params};
use rust_decimal::Decimal;

use super::body::{Part, Patch, Writing};
use super::{Desk, RecordType, Refusal, Target, documents, wrong_transaction};
use crate::ledger::{self, Application, BillKind, CreditUse, LedgerError, PaymentIn, PaymentKind};
use crate::problem::Problem;

/// An empty payment.
pub(crate) fn blank(kind: PaymentKind, entity: i64) -> PaymentIn {
    PaymentIn {
        kind,
        entity,
        subsidiary: None,
        account: None,
        ledger_account: None,
        number: None,
        check_number: None,
        date: None,
        currency: None,
        rate: None,
        memo: None,
        external_id: None,
        period: None,
        amount: None,
        applications: Vec::new(),
        credits: Vec::new(),
        department: None,
        class: None,
        location: None,
        extra: None,
    }
}

/// Creates or changes a payment.
pub(crate) fn write(
    desk: &Desk<'_>,
    writing: &Writing<'_>,
    kind: PaymentKind,
    target: Target<'_>,
) -> Result<i64, Refusal> {
    let context = desk.fake.context(Some(desk.caller));
    match target {
        Target::New(external) => {
            let mut payment = blank(kind, 0);
            merge(desk, writing, &mut payment)?;
            if external.is_some() {
                payment.external_id = external.map(str::to_owned);
            }
            check(desk, &payment)?;
            Ok(ledger::insert_payment(desk.books, &context, &payment)?)
        }
        Target::Existing(id) => {
            let mut payment =
                ledger::read_payment(desk.books, id)?.ok_or_else(wrong_transaction)?;
            merge(desk, writing, &mut payment)?;
            check(desk, &payment)?;
            ledger::update_payment(desk.books, &context, id, &payment)?;
            Ok(id)
        }
    }
}

/// Makes a payment of a bill (all of it, unless the body says otherwise) or of an entity.
pub(crate) fn transform(
    desk: &Desk<'_>,
    writing: &Writing<'_>,
    kind: PaymentKind,
    source: &RecordType,
    id: i64,
) -> Result<i64, Refusal> {
    let mut payment = if source.is_transaction() {
        let bill = ledger::read_bill(desk.books, id)?.ok_or_else(wrong_transaction)?;
        debug_assert!(matches!(
            bill.kind,
            BillKind::VendorBill | BillKind::Invoice | BillKind::CreditMemo
        ));
        PaymentIn {
            subsidiary: bill.subsidiary,
            ledger_account: bill.account,
            currency: bill.currency,
            applications: vec![Application {
                doc: id,
                line: 0,
                amount: None,
                discount: Decimal::ZERO,
            }],
            ..blank(kind, bill.entity)
        }
    } else {
        blank(kind, id)
    };
    merge(desk, writing, &mut payment)?;
    check(desk, &payment)?;
    Ok(ledger::insert_payment(
        desk.books,
        &desk.fake.context(Some(desk.caller)),
        &payment,
    )?)
}

fn merge(desk: &Desk<'_>, writing: &Writing<'_>, payment: &mut PaymentIn) -> Result<(), Refusal> {
    let head = writing.head();
    let (party, table, ledger_account) = match payment.kind {
        PaymentKind::VendorPayment => ("entity", "vendor", "apAcct"),
        PaymentKind::CustomerPayment
        | PaymentKind::CustomerRefund
        | PaymentKind::DepositApplication => ("customer", "customer", "arAcct"),
    };
    if let Some(entity) = head.reference(party, &[table])?.set() {
        payment.entity = entity;
    }
    if payment.entity == 0 {
        return Err(LedgerError::Missing(table).into());
    }
    head.reference("subsidiary", &["subsidiary"])?
        .onto(&mut payment.subsidiary);
    head.reference("account", &["account"])?
        .onto(&mut payment.account);
    head.reference(ledger_account, &["account"])?
        .onto(&mut payment.ledger_account);
    head.text("tranId")?.onto(&mut payment.number);
    let date = head.date("tranDate")?;
    if matches!(&date, Patch::Set(date) if Some(*date) != payment.date) {
        payment.period = None;
    }
    date.onto(&mut payment.date);
    head.reference("currency", &["currency"])?
        .onto(&mut payment.currency);
    head.decimal("exchangeRate")?.onto(&mut payment.rate);
    head.text("memo")?.onto(&mut payment.memo);
    head.text("externalId")?.onto(&mut payment.external_id);
    head.reference("postingPeriod", &["accountingperiod"])?
        .onto(&mut payment.period);
    head.reference("department", &["department"])?
        .onto(&mut payment.department);
    head.reference("class", &["classification"])?
        .onto(&mut payment.class);
    head.reference("location", &["location"])?
        .onto(&mut payment.location);
    if payment.kind == PaymentKind::CustomerPayment {
        head.decimal("payment")?.onto(&mut payment.amount);
        head.text("checkNumber")?.onto(&mut payment.check_number);
        undeposited(&head, payment)?;
    }
    payment.extra = writing.extras(payment.extra.as_deref());
    applications(desk, writing, payment)?;
    credits(writing, payment)
}

fn applications(
    desk: &Desk<'_>,
    writing: &Writing<'_>,
    payment: &mut PaymentIn,
) -> Result<(), Refusal> {
    match writing.sublist("apply") {
        Patch::Absent => return Ok(()),
        Patch::Clear => payment.applications.clear(),
        Patch::Set(parts) => {
            if writing.replaces("apply") {
                payment.applications.clear();
            }
            for part in parts {
                let before = payment.applications.len();
                documents::apply(&part, &mut payment.applications)?;
                if payment.applications.len() > before && part.raw("line").is_none() {
                    name_line(desk, payment)?;
                }
            }
        }
    }
    // What a refund pays back of a payment stands among its applications, too.
    let refund = |one: &Application| {
        ledger::read_payment(desk.books, one.doc)
            .is_ok_and(|found| found.is_some_and(|it| it.kind == PaymentKind::CustomerRefund))
    };
    if !desk.fake.quirks().apply_to_journal_lines
        && let Some(journal) = payment
            .applications
            .iter()
            .find(|one| one.line != 0 && !refund(one))
    {
        return Err(LedgerError::NotApplicable {
            doc: journal.doc,
            line: journal.line,
        }
        .into());
    }
    Ok(())
}

/// `undepFunds`, a boolean or a choice of `T` and `F`: the money goes to Undeposited Funds, and not to an account.
fn undeposited(head: &Part<'_>, payment: &mut PaymentIn) -> Result<(), Refusal> {
    let Some(sent) = head.raw("undepFunds") else {
        return Ok(());
    };
    let chosen = sent.get("id").unwrap_or(sent);
    let yes = match (chosen.as_bool(), chosen.as_identifier()) {
        (Some(yes), _) => yes,
        (None, Some(word)) => matches!(word.to_ascii_lowercase().as_str(), "t" | "true"),
        (None, None) => return Err(head.invalid("undepFunds", "T or F").into()),
    };
    if yes {
        payment.account = None;
    }
    Ok(())
}

/// The last application came without a line: a bill's is 0, a journal entry's is the first of the payee's.
fn name_line(desk: &Desk<'_>, payment: &mut PaymentIn) -> Result<(), Refusal> {
    let Some(last) = payment.applications.last_mut() else {
        return Ok(());
    };
    let line: Option<i64> = desk
        .books
        .prepare_cached(
            "SELECT l.id FROM transactionline l JOIN \"transaction\" t ON t.id = l.\"transaction\"
             JOIN transactionaccountingline a
               ON a.\"transaction\" = t.id AND a.transactionline = l.id
             JOIN account c ON c.id = a.account AND c.accttype IN ('AcctPay', 'AcctRec')
             WHERE t.id = ?1 AND t.type = 'Journal' AND l.entity = ?2 ORDER BY l.id LIMIT 1",
        )?
        .query_row(params![last.doc, payment.entity], |row| row.get(0))
        .optional()?;
    last.line = line.unwrap_or(0);
    Ok(())
}

/// Credits used in the same go.
fn credits(writing: &Writing<'_>, payment: &mut PaymentIn) -> Result<(), Refusal> {
    let parts = match writing.sublist("credit") {
        Patch::Absent => return Ok(()),
        Patch::Clear => {
            payment.credits.clear();
            return Ok(());
        }
        Patch::Set(parts) => parts,
    };
    if writing.replaces("credit") {
        payment.credits.clear();
    }
    for part in parts {
        let Some(credit) = part.reference("doc", &["transaction"])?.set() else {
            return Err(Problem::content(
                part.path("doc"),
                "Invalid content in the request body. Error: an element of the credit list needs \
                 'doc'.",
            )
            .into());
        };
        payment.credits.retain(|used| used.credit != credit);
        let amount = part.decimal("amount")?.set();
        if !part.boolean("apply")?.set().unwrap_or(true) || amount == Some(Decimal::ZERO) {
            continue;
        }
        let Some(amount) = amount else {
            return Err(LedgerError::Missing("amount").into());
        };
        let named = applied_to(&part)?;
        use_credit(payment, credit, named, amount)?;
    }
    Ok(())
}

/// Lets a credit settle the bill it names, or the applied ones in turn. In the lists a bill's amount holds
/// what credits pay of it; in the ledger each pays its own part.
fn use_credit(
    payment: &mut PaymentIn,
    credit: i64,
    named: Option<i64>,
    amount: Decimal,
) -> Result<(), LedgerError> {
    let mut left = amount;
    for application in &mut payment.applications {
        if left.is_zero() || named.is_some_and(|bill| bill != application.doc) {
            continue;
        }
        let part = application.amount.map_or(left, |gross| gross.min(left));
        left -= part;
        if let Some(gross) = &mut application.amount {
            *gross -= part;
        }
        let bill = application.doc;
        payment.credits.push(CreditUse {
            credit,
            bill,
            amount: part,
        });
    }
    payment
        .applications
        .retain(|application| application.amount != Some(Decimal::ZERO));
    if payment.credits.is_empty() {
        return Err(LedgerError::NotApplicable {
            doc: credit,
            line: 0,
        });
    }
    if !left.is_zero() {
        return Err(LedgerError::OverUsed {
            available: amount - left,
            applied: amount,
        });
    }
    Ok(())
}

/// `appliedTo`: a reference, or the document's id or external id alone.
fn applied_to(part: &Part<'_>) -> Result<Option<i64>, Problem> {
    match part.raw("appliedTo") {
        Some(json) if json.get("id").is_some() || json.get("externalId").is_some() => {
            Ok(part.reference("appliedTo", &["transaction"])?.set())
        }
        _ => Ok(part.integer("appliedTo")?.set()),
    }
}

fn check(desk: &Desk<'_>, payment: &PaymentIn) -> Result<(), Refusal> {
    let empty = payment.applications.is_empty() && payment.credits.is_empty();
    if payment.kind == PaymentKind::CustomerRefund && empty {
        return Err(Problem::user(
            "You must select at least one credit to refund: the apply list is empty.",
        )
        .into());
    }
    if payment.kind == PaymentKind::VendorPayment && empty {
        return Err(Problem::user(
            "You must select at least one bill to pay: the apply list is empty.",
        )
        .into());
    }
    if desk.fake.quirks().mandatory_department && payment.department.is_none() {
        return Err(LedgerError::Missing("department").into());
    }
    Ok(())
}
