//! Apply lists: what a payment, credit or refund is applied to, and what else it could be.

use rust_decimal::Decimal;

use super::{Desk, RecordType, reference, told};
use crate::json::Json;
use crate::ledger::{self, Applicable, Application, BillIn, PaymentIn, PaymentKind};
use crate::problem::Problem;

/// A record is opened in edit mode: its apply list holds what is applied, and what else could be.
pub(super) fn payment_applications(
    desk: &Desk<'_>,
    record: &'static RecordType,
    id: i64,
    payment: &PaymentIn,
) -> Result<Vec<Vec<(String, Json)>>, Problem> {
    if payment.kind == PaymentKind::CustomerRefund {
        let open = refundable(desk, record, payment)?;
        return applications(desk, record, &payment.applications, open);
    }
    let open = open_documents(
        desk,
        record,
        id,
        payment.entity,
        payment.ledger_account,
        payment.currency,
        payment.subsidiary,
    )?;
    applications(desk, record, &payment.applications, open)
}

/// What a refund could pay back.
fn refundable(
    desk: &Desk<'_>,
    record: &'static RecordType,
    refund: &PaymentIn,
) -> Result<Vec<Applicable>, Problem> {
    let (Some(account), Some(currency)) = (refund.ledger_account, refund.currency) else {
        return Ok(Vec::new());
    };
    ledger::refundable(
        desk.books,
        refund.entity,
        account,
        currency,
        refund.subsidiary,
    )
    .map_err(|error| told(desk, record, error))
}

pub(super) fn credit_applications(
    desk: &Desk<'_>,
    record: &'static RecordType,
    id: i64,
    credit: &BillIn,
) -> Result<Vec<Vec<(String, Json)>>, Problem> {
    let open = open_documents(
        desk,
        record,
        id,
        credit.entity,
        credit.account,
        credit.currency,
        credit.subsidiary,
    )?;
    applications(desk, record, &credit.applications, open)
}

fn open_documents(
    desk: &Desk<'_>,
    record: &'static RecordType,
    id: i64,
    entity: i64,
    account: Option<i64>,
    currency: Option<i64>,
    subsidiary: Option<i64>,
) -> Result<Vec<Applicable>, Problem> {
    let (Some(account), Some(currency)) = (account, currency) else {
        return Ok(Vec::new());
    };
    let mut open = ledger::applicable(desk.books, entity, account, currency, subsidiary)
        .map_err(|error| told(desk, record, error))?;
    open.retain(|document| document.doc != id);
    Ok(open)
}

fn applications(
    desk: &Desk<'_>,
    record: &RecordType,
    applied: &[Application],
    open: Vec<Applicable>,
) -> Result<Vec<Vec<(String, Json)>>, Problem> {
    let mut items = Vec::new();
    for one in applied {
        let amount = one.amount.unwrap_or_default();
        let due = open
            .iter()
            .find(|document| document.doc == one.doc && document.line == one.line)
            .map_or(Decimal::ZERO, |document| document.due);
        items.push(vec![
            ("apply".to_owned(), Json::Bool(true)),
            ("amount".to_owned(), Json::decimal(amount)),
            (
                "doc".to_owned(),
                reference(desk, record, "transaction", one.doc)?,
            ),
            ("line".to_owned(), Json::integer(one.line)),
            ("due".to_owned(), Json::decimal(due + amount + one.discount)),
        ]);
        if let (Some(fields), false) = (items.last_mut(), one.discount.is_zero()) {
            fields.push(("disc".to_owned(), Json::decimal(one.discount)));
        }
    }
    for document in open {
        let known = applied
            .iter()
            .any(|one| one.doc == document.doc && one.line == document.line);
        if known {
            continue;
        }
        let mut fields = vec![
            ("apply".to_owned(), Json::Bool(false)),
            ("applyDate".to_owned(), Json::text(document.date)),
            (
                "doc".to_owned(),
                reference(desk, record, "transaction", document.doc)?,
            ),
            ("line".to_owned(), Json::integer(document.line)),
            ("due".to_owned(), Json::decimal(document.due)),
            ("total".to_owned(), Json::decimal(document.total)),
            ("type".to_owned(), Json::text(document.kind)),
        ];
        fields.extend(
            document
                .number
                .map(|number| ("refNum".to_owned(), Json::Text(number))),
        );
        items.push(fields);
    }
    Ok(items)
}
