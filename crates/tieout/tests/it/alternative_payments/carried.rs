//! Another system carries customers and invoices; only payments and payouts come back.

use serde_json::json;
use tieout_domain::{Document, Kind, Side};

use super::{amount, booked, closes, deposits, id, invoice, pays_out, small, there, tied_out};
use crate::stage::Stage;

#[tokio::test]
async fn s180_where_another_system_carries_the_invoices_only_payments_come_back() {
    let mut stage = Stage::paid_there(small(), "all").await;
    let table = ".preferences.receivables]\n";
    stage.add_to(table, "mode = \"payments-only\"\n").await;
    stage.sync().await;
    let records = stage.panel.get("/control/records").await.unwrap();
    let before = records["alternative-payments"]["invoices"]
        .as_array()
        .unwrap()
        .len();
    // What the other system has carried over: the same number, customer and total.
    let invoices = stage.records(Side::Ledger, Kind::Invoice).await;
    let mut open = invoices.iter().map(|it| invoice(&it.observed.document));
    let carried = open.find(|it| it.open == it.total && it.total.is_positive());
    let carried = carried.unwrap();
    let customers = stage.records(Side::Ledger, Kind::Customer).await;
    let customer = customers
        .iter()
        .find(|it| it.observed.id == carried.customer);
    let Document::Customer(customer) = &customer.unwrap().observed.document else {
        panic!("{customer:?}")
    };
    let made = there(&stage, "customers", json!({"name": customer.name})).await;
    let total: f64 = carried.total.to_string().parse().unwrap();
    let line = json!({"description": "As billed", "quantity": 1, "amount": total});
    let body = json!({"customer_id": id(&made), "currency": "USD", "due_date": "2030-01-01",
        "invoice_number": carried.number, "line_items": [line]});
    let copy = there(&stage, "invoices", body).await;
    stage.sync().await;
    there(&stage, "pay", json!({"invoice": id(&copy), "fees": "0"})).await;
    let postings = booked(&stage, "CustPymt").await.len();
    stage.sync().await;
    assert_eq!(booked(&stage, "CustPymt").await.len(), postings + 1);
    pays_out(&stage).await;
    stage.sync().await;
    stage.sync().await;
    let total = carried.total;
    assert!(
        deposits(&stage).await.iter().any(|it| it.total == total),
        "{total}"
    );
    // Nothing was written there.
    let records = stage.panel.get("/control/records").await.unwrap();
    let after = records["alternative-payments"]["invoices"]
        .as_array()
        .unwrap();
    assert_eq!(after.len(), before + 1);
    assert!(total > amount("0"));
    stage.assert_quiet().await;
    closes(&tied_out(&stage).await);
}
