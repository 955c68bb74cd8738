//! Every record of the organization that money hangs on, one by one, for the panel and for checkers.

use serde_json::{Value, json};

use crate::bills::{figures, total};
use crate::documents;
use crate::ids::Kind;
use crate::organization::Organization;
use crate::payment_status::stage;

/// Vendors, bills, vendor credits and payments, archived ones included.
pub(crate) fn records(org: &Organization) -> Value {
    let vendors: Vec<Value> = org
        .vendors
        .rows()
        .map(|(place, row)| {
            json!({
                "id": org.ids.text(Kind::Vendor, place), "name": row.body.name(),
                "archived": row.archived,
            })
        })
        .collect();
    json!({
        "vendors": vendors,
        "bills": bills(org),
        "vendor_credits": credits(org),
        "payments": payments(org),
        "documents": documents::records(org),
    })
}

fn bills(org: &Organization) -> Vec<Value> {
    org.bills
        .rows()
        .map(|(place, row)| {
            let figures = figures(org, place);
            let bill = &row.body;
            json!({
                "id": org.ids.text(Kind::Bill, place), "archived": row.archived,
                "vendor": org.ids.text(Kind::Vendor, bill.vendor),
                "number": &*bill.number, "description": bill.description.as_deref(),
                "date": bill.invoice_date.to_string(), "total": total(bill).normalize().to_string(),
                "due": figures.due.normalize().to_string(), "status": figures.status,
                "approval": bill.approval,
            })
        })
        .collect()
}

fn credits(org: &Organization) -> Vec<Value> {
    org.credits
        .rows()
        .map(|(place, row)| {
            let credit = &row.body;
            let sum: rust_decimal::Decimal = credit.lines.iter().map(|line| line.amount).sum();
            json!({
                "id": org.ids.text(Kind::Credit, place), "archived": row.archived,
                "vendor": org.ids.text(Kind::Vendor, credit.vendor),
                "number": &*credit.reference, "description": credit.description.as_deref(),
                "total": sum.normalize().to_string(),
                "left": (credit.amount() - credit.applied()).normalize().to_string(),
            })
        })
        .collect()
}

fn payments(org: &Organization) -> Vec<Value> {
    org.payments
        .rows()
        .map(|(place, row)| {
            let payment = &row.body;
            let parts: Vec<Value> = payment
                .parts
                .iter()
                .map(|part| {
                    json!({
                        "bill": org.ids.text(Kind::Bill, part.bill),
                        "amount": part.amount.normalize().to_string(),
                    })
                })
                .collect();
            json!({
                "id": org.ids.text(Kind::Payment, place),
                "vendor": org.ids.text(Kind::Vendor, payment.vendor),
                "status": &payment.single_status,
                "stage": format!("{:?}", stage(&payment.single_status)),
                "number": &payment.transaction_number,
                "description": payment.description.as_deref(),
                "recorded": payment.recorded.is_some(),
                "sync_reference": payment.recorded.as_ref().and_then(|one| one.sync_reference.as_deref()),
                "parts": parts,
            })
        })
        .collect()
}
