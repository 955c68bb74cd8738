//! Payments, external payments, refunds.

use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn a_payment_has_every_documented_field_and_names_its_invoice_by_capability_alone() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    stage.act("pay", json!({"invoice": invoice})).await;
    let list = format!("/payments?invoice_id={invoice}");
    let shown = stage.get(&list).await.body["data"][0].clone();
    for (name, expected) in [
        ("customer_id", json!(customer)),
        ("due_date", json!("2026-04-01")),
        ("payment_method", json!("card")),
        ("status", json!("succeeded")),
        ("sub_total", json!(100)),
        ("total", json!(100)),
        (
            "fees",
            json!([{"amount": 3.2, "covered_by_customer": false, "name": "Card processing fee", "type": "FT_METHOD"}]),
        ),
        ("created_at", json!("2026-03-02T15:00:00Z")),
        (
            "allocations",
            json!([{"invoice_id": invoice, "amount": 100}]),
        ),
    ] {
        assert_eq!(shown.get(name), Some(&expected), "{name}");
    }
    stage.switch("allocations", false).await;
    let shown = stage.get(&list).await.body["data"][0].clone();
    assert!(shown.get("allocations").is_none());
    assert!(
        stage
            .get("/payments?invoice_id=inv_none")
            .await
            .ids()
            .is_empty()
    );
}

#[tokio::test]
async fn the_total_is_what_settles_and_the_fees_that_the_customer_covers() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "1000").await;
    let body = json!({"invoice": invoice, "method": "standard_ach", "covers_fees": true});
    let paid = stage.act("pay", body).await;
    assert_eq!(
        (&paid["sub_total"], &paid["total"]),
        (&json!("1000"), &json!("1005"))
    );
    assert_eq!(paid["fees"][0]["covered_by_customer"], true);
    let path = format!("/invoices/{invoice}");
    assert_eq!(stage.field(&path, "amount_paid").await, 0);
    stage.advance("47h").await;
    assert_eq!(stage.field(&path, "status").await, "processing");
    stage.advance("1h").await;
    assert_eq!(stage.field(&path, "status").await, "paid");
    assert_eq!(stage.field(&path, "amount_paid").await, 1000);
}

#[tokio::test]
async fn one_payment_may_be_for_several_invoices_and_for_no_more_than_is_open() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let one = stage.invoice(&customer, "100").await;
    let two = stage.invoice(&customer, "50").await;
    let body = json!({"invoices": [one, two], "amount": "120"});
    let paid = stage.act("pay", body).await;
    assert_eq!(
        paid["allocations"][1],
        json!({"invoice_id": two, "amount": "20"})
    );
    assert_eq!(
        stage.field(&format!("/invoices/{one}"), "status").await,
        "paid"
    );
    let body = json!({"invoice": two, "amount": "30.01"});
    assert_eq!(stage.refused("pay", body).await.0, 409);
    assert_eq!(stage.refused("pay", json!({"invoice": one})).await.0, 409);
}

#[tokio::test]
async fn a_payment_that_succeeded_may_fail_later_and_its_invoice_is_open_again() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let paid = stage.act("pay", json!({"invoice": invoice})).await;
    let act = format!("payments/{}", paid["id"].as_str().unwrap());
    let failed = stage.act(&act, json!({"status": "failed"})).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(
        stage.field(&format!("/invoices/{invoice}"), "status").await,
        "open"
    );
    assert_eq!(
        stage.refused(&act, json!({"status": "failed"})).await.0,
        409
    );
    let listed = stage.get("/payments?status=failed").await;
    assert_eq!(listed.ids(), [paid["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn a_chargeback_and_a_refund_leave_the_invoice_paid() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let (one, two) = (
        stage.invoice(&customer, "100").await,
        stage.invoice(&customer, "40").await,
    );
    let paid = stage.act("pay", json!({"invoice": one})).await;
    let act = format!("payments/{}", paid["id"].as_str().unwrap());
    let shown = stage.act(&act, json!({"status": "chargeback"})).await;
    assert_eq!(shown["status"], "chargeback");
    assert_eq!(
        stage.field(&format!("/invoices/{one}"), "status").await,
        "paid"
    );
    let shown = stage.act(&act, json!({"status": "chargeback_won"})).await;
    assert_eq!(shown["status"], "succeeded");
    assert_eq!(
        stage
            .refused(&act, json!({"status": "chargeback_won"}))
            .await
            .0,
        409
    );

    let paid = stage.act("pay", json!({"invoice": two})).await;
    let refund = stage.act("refunds", json!({"payment": paid["id"]})).await;
    assert_eq!(
        stage
            .refused("refunds", json!({"payment": paid["id"]}))
            .await
            .0,
        409
    );
    assert_eq!(
        stage.field(&format!("/invoices/{two}"), "status").await,
        "paid"
    );
    let path = format!("/payments/{}", paid["id"].as_str().unwrap());
    assert_eq!(stage.field(&path, "status").await, "refunded");

    let path = format!("/refunds/{}", refund["id"].as_str().unwrap());
    let shown = stage.get(&path).await.body;
    for (name, expected) in [
        ("customer_id", json!(customer)),
        ("due_date", json!("2026-04-01")),
        ("fees", json!([])),
        ("payment_method", json!("card")),
        ("sub_total", json!(40)),
        ("total", json!(40)),
        ("payment_id", paid["id"].clone()),
    ] {
        assert_eq!(shown.get(name), Some(&expected), "{name}");
    }
    assert_eq!(stage.get("/refunds").await.ids().len(), 1);
    stage.switch("allocations", false).await;
    assert!(stage.get(&path).await.body.get("payment_id").is_none());
}

#[tokio::test]
async fn an_external_payment_lowers_what_is_open_and_its_id_is_used_once() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let path = format!("/invoices/{invoice}");
    let told = json!({"amount": 60, "paid_at": "2026-02-27T00:00:00Z", "external_id": "ns:1:5"});
    let made = stage
        .post(&format!("{path}/external-payments"), told.clone())
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["payment_method"], "external");
    assert_eq!(made.body["status"], "succeeded");
    assert_eq!(made.body["external_id"], "ns:1:5");
    assert_eq!(made.body["paid_at"], "2026-02-27T00:00:00Z");
    assert_eq!(stage.field(&path, "balance").await, 40);
    let again = stage
        .post(&format!("{path}/external-payments"), told.clone())
        .await;
    assert_eq!(again.error(), (422, "validation_failed"), "60 of 40");
    let again = json!({"amount": 1, "external_id": "ns:1:5"});
    let again = stage
        .post(&format!("{path}/external-payments"), again)
        .await;
    assert_eq!(again.error(), (400, "bad_request"));
    assert_eq!(
        stage.get("/payments?type=external").await.ids(),
        [made.id()]
    );
    assert!(stage.get("/payments?type=payment").await.ids().is_empty());
    assert_eq!(
        stage
            .refused("refunds", json!({"payment": made.id()}))
            .await
            .0,
        409
    );

    let gone = format!("{path}/external-payments/{}", made.id());
    assert_eq!(stage.delete(&gone).await.status, 204);
    assert_eq!(stage.delete(&gone).await.status, 404);
    assert_eq!(stage.field(&path, "balance").await, 100);
    assert!(stage.get("/payments").await.ids().is_empty());
    let again = stage
        .post(&format!("{path}/external-payments"), told.clone())
        .await;
    assert_eq!(again.status, 201, "the id is free again");

    let rest = json!({"amount": 40});
    stage.post(&format!("{path}/external-payments"), rest).await;
    assert_eq!(stage.field(&path, "status").await, "paid");
    assert_eq!(stage.shown("records").await["money"]["received"], "0");
    stage.switch("external-payments", false).await;
    let off = stage.post(&format!("{path}/external-payments"), told).await;
    assert_eq!(off.error(), (404, "not_found"));
    assert_eq!(stage.delete(&gone).await.status, 404);
}

#[tokio::test]
async fn what_is_being_paid_can_t_be_paid_another_way_too() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let body = json!({"invoice": invoice, "amount": "70", "method": "standard_ach"});
    stage.act("pay", body).await;
    let path = format!("/invoices/{invoice}/external-payments");
    assert_eq!(stage.post(&path, json!({"amount": 31})).await.status, 422);
    assert_eq!(stage.post(&path, json!({"amount": 30})).await.status, 201);
}

#[tokio::test]
async fn payments_are_filtered_by_status_customer_and_method() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let ids = async |query: &str| stage.get(&format!("/payments?{query}")).await.ids();
    let card = stage
        .act("pay", json!({"invoice": invoice, "amount": "10"}))
        .await;
    let body = json!({"invoice": invoice, "amount": "10", "method": "standard_ach"});
    let debit = stage.act("pay", body).await;
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    assert_eq!(ids("status=succeeded").await, [id(&card)]);
    assert_eq!(ids("payment_method=standard_ach").await, [id(&debit)]);
    assert_eq!(ids(&format!("customer_id={customer}")).await.len(), 2);
    assert!(ids("customer_id=cus_none").await.is_empty());
}
