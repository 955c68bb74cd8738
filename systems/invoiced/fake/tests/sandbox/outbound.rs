//! What the service would have sent or charged.

use serde_json::{Value, json};

use crate::stage::Stage;

async fn started(stage: &Stage) -> (Vec<Value>, Vec<Value>) {
    let records = stage.shown("records").await;
    let list = |name: &str| records[name].as_array().unwrap().clone();
    (list("messages"), list("charges"))
}

async fn made(stage: &Stage, more: Value) -> (i64, i64) {
    let mut body = json!({"name": "Acme", "email": "ap@example.com", "payment_terms": "NET 5"});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let customer = stage.post("/customers", body).await.id();
    (customer, stage.invoice(customer, "10").await)
}

#[tokio::test]
async fn nothing_starts_for_a_customer_that_is_neither_chased_nor_charged() {
    let stage = Stage::new().await;
    let (_, invoice) = made(&stage, json!({"chase": false, "autopay": false})).await;
    stage.advance("90d").await;
    let shown = stage.get(&format!("/invoices/{invoice}")).await;
    assert_eq!(shown.body["status"], "past_due");
    assert_eq!(started(&stage).await, (vec![], vec![]));
}

#[tokio::test]
async fn a_chased_customer_is_reminded_the_day_after_and_every_week() {
    let stage = Stage::new().await;
    let (_, invoice) = made(&stage, json!({})).await;
    stage.advance("5d").await;
    assert_eq!(started(&stage).await.0.len(), 0);
    stage.advance("25h").await;
    let (messages, _) = started(&stage).await;
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (&messages[0]["why"], &messages[0]["to"]),
        (&json!("reminder"), &json!("ap@example.com"))
    );
    stage.advance("14d").await;
    assert_eq!(started(&stage).await.0.len(), 3);
    let share = json!({"type": "invoice", "invoice": invoice, "amount": 10});
    stage
        .post("/payments", json!({"amount": 10, "applied_to": [share]}))
        .await;
    stage.advance("30d").await;
    assert_eq!(started(&stage).await.0.len(), 3);
}

#[tokio::test]
async fn an_invoice_that_was_late_before_it_came_is_chased_at_once() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let line = json!([{"name": "A", "quantity": 1, "unit_cost": 1}]);
    stage
        .post(
            "/invoices",
            json!({"customer": customer, "date": 1000, "due_date": 2000, "items": line}),
        )
        .await;
    assert_eq!(started(&stage).await.0.len(), 8);
}

#[tokio::test]
async fn an_invoice_that_pays_itself_is_charged_and_tried_again() {
    let stage = Stage::new().await;
    let (customer, invoice) = made(
        &stage,
        json!({"autopay": true, "autopay_delay_days": 2, "chase": false}),
    )
    .await;
    assert_eq!(started(&stage).await.1.len(), 0);
    stage.advance("49h").await;
    let (_, charges) = started(&stage).await;
    assert_eq!(
        (charges.len(), &charges[0]["failed"]),
        (1, &json!("no payment source"))
    );
    let shown = stage.get(&format!("/invoices/{invoice}")).await;
    assert_eq!(shown.body["attempt_count"], 1);
    let act = json!({"action": "payment-source", "type": "card"});
    stage
        .panel(&format!("invoiced/customers/{customer}"), act)
        .await;
    stage.advance("3d").await;
    let (_, charges) = started(&stage).await;
    assert_eq!((charges.len(), &charges[1]["why"]), (2, &json!("autopay")));
    assert_eq!(
        stage.get(&format!("/invoices/{invoice}")).await.body["paid"],
        true
    );
}

#[tokio::test]
async fn only_an_invoice_with_autopay_is_paid_on_request() {
    let stage = Stage::new().await;
    let (_, invoice) = made(&stage, json!({})).await;
    assert_eq!(
        stage
            .post(&format!("/invoices/{invoice}/pay"), json!({}))
            .await
            .status,
        400
    );
    let (customer, invoice) = made(&stage, json!({"autopay": true, "autopay_delay_days": 9})).await;
    let act = json!({"action": "payment-source", "type": "card"});
    stage
        .panel(&format!("invoiced/customers/{customer}"), act)
        .await;
    let paid = stage
        .post(&format!("/invoices/{invoice}/pay"), json!({}))
        .await;
    assert_eq!((paid.status, &paid.body["paid"]), (200, &json!(true)));
    assert_eq!(started(&stage).await.1[0]["why"], "asked");
}

#[tokio::test]
async fn sending_is_asked_for_or_an_account_s_setting() {
    let stage = Stage::new().await;
    let (_, invoice) = made(&stage, json!({})).await;
    let path = format!("/invoices/{invoice}");
    for way in ["emails", "text_messages", "letters"] {
        let sent = stage.post(&format!("{path}/{way}"), json!({})).await;
        assert_eq!((sent.status, sent.body.as_array().unwrap().len()), (201, 1));
    }
    assert_eq!(stage.get(&path).await.body["status"], "sent");
    stage.switch("email_new_invoices", true).await;
    stage.switch("email_receipts", true).await;
    let (_, second) = made(&stage, json!({})).await;
    let share = json!({"type": "invoice", "invoice": second, "amount": 10});
    stage
        .post("/payments", json!({"amount": 10, "applied_to": [share]}))
        .await;
    let (messages, _) = started(&stage).await;
    let whys: Vec<_> = messages.iter().map(|one| one["why"].clone()).collect();
    assert_eq!(whys, ["asked", "asked", "asked", "new-invoice", "receipt"]);
}
