//! The basics of receivables: customers, invoices, customer payments; and custom records.

use serde_json::json;

use crate::account::Account;

#[tokio::test]
async fn an_invoice_is_paid() {
    let account = Account::new().await;
    let customer = json!({"companyName": "Example Buyer Co", "subsidiary": {"id": "1"},
        "email": "buyer@example.com"});
    let customer = account.record("POST", "customer", customer).await.id();
    let sales = json!({"acctName": "Sales", "acctNumber": "4999", "acctType": {"id": "Income"}});
    let sales = account.record("POST", "account", sales).await.id();
    let item = json!({"itemId": "Consulting hour", "incomeAccount": {"id": sales}});
    let item = account.record("POST", "serviceSaleItem", item).await.id();
    let invoice = json!({
        "entity": {"id": customer},
        "subsidiary": {"id": "1"},
        "tranDate": "2026-07-03",
        "item": {"items": [{"item": {"id": item}, "quantity": 2, "rate": 10.5}]},
    });
    let invoice = account.record("POST", "invoice", invoice).await.id();
    assert_eq!(account.unpaid(&invoice).await, "21");
    let payment = json!({
        "customer": {"id": customer},
        "account": account.account("1000").await,
        "payment": 30,
        "tranDate": "2026-07-04",
        "apply": {"items": [{"doc": {"id": invoice}, "line": 0, "apply": true, "amount": 21}]},
    });
    let payment = account
        .record("POST", "customerPayment", payment)
        .await
        .id();
    assert_eq!(account.status(&invoice).await, "B");
    let read = account
        .record("GET", &format!("customerPayment/{payment}"), json!(null))
        .await
        .json();
    assert_eq!(
        (&read["payment"], &read["unapplied"]),
        (&json!(30.0), &json!(9.0))
    );
    let read = account
        .record("GET", &format!("invoice/{invoice}"), json!(null))
        .await
        .json();
    assert_eq!(
        (&read["total"], &read["amountRemaining"]),
        (&json!(21.0), &json!(0.0))
    );
}

#[tokio::test]
async fn custom_records_need_a_type() {
    let account = Account::new().await;
    let answer = account
        .record("POST", "customrecord_nothing", json!({"name": "x"}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.refusal().0.as_str()),
        (404, "NONEXISTENT_ID")
    );
    for row in account.rows("SELECT scriptid FROM customrecordtype").await {
        let kind = row["scriptid"].as_str().unwrap().to_lowercase();
        let path = format!("{kind}/eid:one");
        let body = json!({"name": "Preferences", "custrecord_x": true});
        let id = account.record("PUT", &path, body).await.id();
        let read = account
            .record("GET", &format!("{kind}/{id}"), json!(null))
            .await
            .json();
        assert_eq!(read["custrecord_x"], true);
    }
}
