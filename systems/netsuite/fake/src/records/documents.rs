//! Vendor bills, vendor credits, invoices and credit memos: JSON to the ledger's documents.

use rust_decimal::Decimal;

use super::body::{Part, Patch, Writing};
use super::{Desk, RecordType, Refusal, Target, wrong_transaction};
use crate::ledger::{self, Application, Approval, BillIn, BillKind, LedgerError, LineIn, LineKind};
use crate::problem::Problem;

const DIMENSIONS: [(&str, &str); 3] = [
    ("department", "department"),
    ("class", "classification"),
    ("location", "location"),
];

/// An empty document.
pub(crate) fn blank(kind: BillKind, entity: i64) -> BillIn {
    BillIn {
        kind,
        entity,
        subsidiary: None,
        account: None,
        number: None,
        date: None,
        due: None,
        terms: None,
        currency: None,
        rate: None,
        memo: None,
        external_id: None,
        other_reference: None,
        approval: Approval::Approved,
        payment_hold: false,
        period: None,
        lines: Vec::new(),
        applications: Vec::new(),
        extra: None,
    }
}

/// Creates or changes a document.
pub(crate) fn write(
    desk: &Desk<'_>,
    writing: &Writing<'_>,
    kind: BillKind,
    target: Target<'_>,
) -> Result<i64, Refusal> {
    let context = desk.fake.context(Some(desk.caller));
    match target {
        Target::New(external) => {
            let mut bill = blank(kind, 0);
            bill.external_id = external.map(str::to_owned);
            merge(writing, &mut bill, false)?;
            if external.is_some() {
                bill.external_id = external.map(str::to_owned);
            }
            check(desk, &bill)?;
            Ok(ledger::insert_bill(desk.books, &context, &bill)?)
        }
        Target::Existing(id) => {
            let mut bill = ledger::read_bill(desk.books, id)?.ok_or_else(wrong_transaction)?;
            merge(writing, &mut bill, true)?;
            check(desk, &bill)?;
            ledger::update_bill(desk.books, &context, id, &bill)?;
            Ok(id)
        }
    }
}

/// Makes a document of another record: a bill from a vendor, a credit from a bill.
pub(crate) fn transform(
    desk: &Desk<'_>,
    writing: &Writing<'_>,
    kind: BillKind,
    source: &RecordType,
    id: i64,
) -> Result<i64, Refusal> {
    let mut bill = if source.is_transaction() {
        let from = ledger::read_bill(desk.books, id)?.ok_or_else(wrong_transaction)?;
        let applications = vec![Application {
            doc: id,
            line: 0,
            amount: None,
            discount: Decimal::ZERO,
        }];
        BillIn {
            kind,
            number: None,
            external_id: None,
            period: None,
            date: None,
            applications,
            ..from
        }
    } else {
        blank(kind, id)
    };
    merge(writing, &mut bill, false)?;
    check(desk, &bill)?;
    Ok(ledger::insert_bill(
        desk.books,
        &desk.fake.context(Some(desk.caller)),
        &bill,
    )?)
}

/// Puts what a body says into a document. `changing` appends to sublists that have no key.
fn merge(writing: &Writing<'_>, bill: &mut BillIn, changing: bool) -> Result<(), Refusal> {
    let head = writing.head();
    let parties: &[&'static str] = match bill.kind {
        BillKind::VendorBill | BillKind::VendorCredit => &["vendor"],
        BillKind::Invoice | BillKind::CreditMemo => &["customer"],
    };
    if let Some(entity) = head.reference("entity", parties)?.set() {
        bill.entity = entity;
    }
    if bill.entity == 0 {
        let missing = if parties == ["vendor"] {
            LedgerError::Missing("vendor")
        } else {
            LedgerError::Missing("customer")
        };
        return Err(missing.into());
    }
    head.reference("subsidiary", &["subsidiary"])?
        .onto(&mut bill.subsidiary);
    head.reference("account", &["account"])?
        .onto(&mut bill.account);
    let number = head.text("tranId")?;
    if let Patch::Set(number) = &number
        && number.chars().count() > 45
    {
        return Err(head.invalid("tranId", "at most 45 characters").into());
    }
    number.onto(&mut bill.number);
    let date = head.date("tranDate")?;
    if changing && matches!(&date, Patch::Set(date) if Some(*date) != bill.date) {
        bill.period = None;
    }
    date.onto(&mut bill.date);
    head.date("dueDate")?.onto(&mut bill.due);
    head.reference("terms", &["term"])?.onto(&mut bill.terms);
    head.reference("currency", &["currency"])?
        .onto(&mut bill.currency);
    head.decimal("exchangeRate")?.onto(&mut bill.rate);
    head.text("memo")?.onto(&mut bill.memo);
    head.text("externalId")?.onto(&mut bill.external_id);
    head.text("otherRefNum")?.onto(&mut bill.other_reference);
    head.boolean("paymentHold")?
        .over(&mut bill.payment_hold, false);
    head.reference("postingPeriod", &["accountingperiod"])?
        .onto(&mut bill.period);
    if let Some(state) = head.choice("approvalStatus")?.set() {
        bill.approval = state
            .parse()
            .ok()
            .and_then(Approval::from_id)
            .ok_or_else(|| head.invalid("approvalStatus", "1, 2 or 3"))?;
    }
    bill.extra = writing.extras(bill.extra.as_deref());
    lines(writing, bill, "expense", expense)?;
    lines(writing, bill, "item", item)?;
    match writing.sublist("apply") {
        Patch::Absent => {}
        Patch::Clear => bill.applications.clear(),
        Patch::Set(parts) => {
            if writing.replaces("apply") {
                bill.applications.clear();
            }
            for part in parts {
                apply(&part, &mut bill.applications)?;
            }
        }
    }
    Ok(())
}

/// Merges the elements of one line sublist: those that name an existing `line` change it, all others are
/// appended, unless the sublist is replaced.
fn lines(
    writing: &Writing<'_>,
    bill: &mut BillIn,
    sublist: &str,
    read: impl Fn(&Part<'_>, &mut LineIn) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let belongs = |line: &LineIn| match line.kind {
        LineKind::Expense => sublist == "expense",
        LineKind::Item { .. } => sublist == "item",
        LineKind::Tax => false,
    };
    let parts = match writing.sublist(sublist) {
        Patch::Absent => return Ok(()),
        Patch::Clear => {
            bill.lines.retain(|line| !belongs(line));
            return Ok(());
        }
        Patch::Set(parts) => parts,
    };
    if writing.replaces(sublist) {
        bill.lines.retain(|line| !belongs(line));
    }
    for part in parts {
        let named = part.integer("line")?.set();
        let existing = named.and_then(|number| {
            let position = usize::try_from(number).ok()?.checked_sub(1)?;
            let mut kin = bill
                .lines
                .iter()
                .enumerate()
                .filter(|(_, line)| belongs(line))
                .map(|(at, _)| at);
            kin.nth(position)
        });
        if let Some(at) = existing {
            read(&part, &mut bill.lines[at])?;
        } else {
            let kind = if sublist == "item" {
                LineKind::Item {
                    item: 0,
                    quantity: Decimal::ONE,
                }
            } else {
                LineKind::Expense
            };
            let mut line = LineIn {
                kind,
                account: None,
                amount: Decimal::ZERO,
                memo: None,
                department: None,
                class: None,
                location: None,
                extra: None,
            };
            read(&part, &mut line)?;
            bill.lines.push(line);
        }
    }
    Ok(())
}

fn dimensions(part: &Part<'_>, line: &mut LineIn) -> Result<(), Refusal> {
    let [department, class, location] = read_dimensions(part)?;
    department.onto(&mut line.department);
    class.onto(&mut line.class);
    location.onto(&mut line.location);
    Ok(())
}

/// What a part says of department, class and location.
pub(super) fn read_dimensions(part: &Part<'_>) -> Result<[Patch<i64>; 3], Problem> {
    let [department, class, location] = DIMENSIONS;
    Ok([
        part.reference(department.0, &[department.1])?,
        part.reference(class.0, &[class.1])?,
        part.reference(location.0, &[location.1])?,
    ])
}

fn expense(part: &Part<'_>, line: &mut LineIn) -> Result<(), Refusal> {
    part.reference("account", &["account"])?
        .onto(&mut line.account);
    if line.account.is_none() {
        return Err(LedgerError::Missing("account").into());
    }
    part.decimal("amount")?
        .over(&mut line.amount, Decimal::ZERO);
    line.amount = cents(part, "amount", line.amount)?;
    part.text("memo")?.onto(&mut line.memo);
    dimensions(part, line)?;
    let extra = part.extras(&[
        "line",
        "account",
        "amount",
        "memo",
        "department",
        "class",
        "location",
    ]);
    if extra.is_some() {
        line.extra = extra;
    }
    Ok(())
}

fn item(part: &Part<'_>, line: &mut LineIn) -> Result<(), Refusal> {
    let LineKind::Item {
        mut item,
        mut quantity,
    } = line.kind
    else {
        return Err(Problem::unexpected("an item line that isn't one").into());
    };
    if let Some(named) = part.reference("item", &["item"])?.set() {
        item = named;
    }
    if item == 0 {
        return Err(LedgerError::Missing("item").into());
    }
    let old_rate = if quantity.is_zero() {
        Decimal::ZERO
    } else {
        line.amount / quantity
    };
    part.decimal("quantity")?.over(&mut quantity, Decimal::ONE);
    let rate = part.decimal("rate")?.set().unwrap_or(old_rate);
    let amount = part.decimal("amount")?.set();
    line.amount = cents(
        part,
        "amount",
        amount.unwrap_or_else(|| (rate * quantity).round_dp(2)),
    )?;
    line.kind = LineKind::Item { item, quantity };
    part.text("description")?.onto(&mut line.memo);
    dimensions(part, line)?;
    let extra = part.extras(&[
        "line",
        "item",
        "quantity",
        "rate",
        "amount",
        "description",
        "department",
        "class",
        "location",
    ]);
    if extra.is_some() {
        line.extra = extra;
    }
    Ok(())
}

/// Amounts are rounded to the cent, as the pages do.
pub(super) fn cents(part: &Part<'_>, name: &str, amount: Decimal) -> Result<Decimal, Problem> {
    let rounded =
        amount.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    if rounded.abs() > Decimal::from(900_000_000_000_i64) {
        return Err(part.invalid(name, "an amount of at most 900 billion"));
    }
    Ok(rounded)
}

/// Merges one element of an apply list, keyed by document and line, into the applications.
pub(crate) fn apply(part: &Part<'_>, applications: &mut Vec<Application>) -> Result<(), Refusal> {
    let Some(doc) = part.reference("doc", &["transaction"])?.set() else {
        return Err(Problem::content(
            part.path("doc"),
            "Invalid content in the request body. Error: an element of the apply list needs 'doc'.",
        )
        .into());
    };
    let line = part.integer("line")?.set();
    let amount = part.decimal("amount")?.set();
    let discount = part.decimal("disc")?.set();
    let wanted = part.boolean("apply")?.set().unwrap_or(true) && amount != Some(Decimal::ZERO);
    let at = applications
        .iter()
        .position(|one| one.doc == doc && line.is_none_or(|line| line == one.line));
    match (at, wanted) {
        (Some(at), false) => {
            applications.remove(at);
        }
        (Some(at), true) => {
            if amount.is_some() {
                applications[at].amount = amount;
            }
            if let Some(discount) = discount {
                applications[at].discount = discount;
            }
        }
        (None, true) => {
            applications.push(Application {
                doc,
                line: line.unwrap_or(0),
                amount,
                discount: discount.unwrap_or_default(),
            });
        }
        (None, false) => {}
    }
    Ok(())
}

/// The account's preference that lines name a department.
fn check(desk: &Desk<'_>, bill: &BillIn) -> Result<(), Refusal> {
    let missing = bill
        .lines
        .iter()
        .any(|line| line.kind != LineKind::Tax && line.department.is_none());
    if desk.fake.quirks().mandatory_department && missing {
        return Err(LedgerError::Missing("department").into());
    }
    Ok(())
}
