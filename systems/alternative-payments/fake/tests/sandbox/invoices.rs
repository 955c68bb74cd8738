//! Invoices.

use serde_json::{Value, json};

use crate::stage::{Stage, bill};

#[tokio::test]
async fn an_invoice_has_every_documented_field_and_its_lines_are_of_whole_quantities() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let lines = json!([
        {"description": "Work", "quantity": 2, "amount": 150.25},
        {"description": "Sales tax", "quantity": 1, "amount": 12.40},
    ]);
    let body = json!({"customer_id": customer, "currency": "USD", "due_date": "2026-04-01",
        "invoice_number": "SI-1", "memo": "ns:1:9", "line_items": lines});
    let made = stage.post("/invoices", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for (name, expected) in [
        ("customer_id", json!(customer)),
        ("currency", json!("USD")),
        ("due_date", json!("2026-04-01")),
        ("invoice_number", json!("SI-1")),
        ("memo", json!("ns:1:9")),
        ("status", json!("open")),
        ("sub_total", json!(162.65)),
        ("total", json!(162.65)),
        ("last_notification_at", Value::Null),
        ("created_at", json!("2026-03-02T15:00:00Z")),
    ] {
        assert_eq!(made.body.get(name), Some(&expected), "{name}");
    }
    assert_eq!(
        made.body["line_items"][0], lines[0],
        "the amount is of the line"
    );
    for (field, value) in [
        ("customer_id", json!("cus_nobody")),
        ("currency", json!("CAD")),
        ("due_date", json!("soon")),
        ("line_items", json!([])),
    ] {
        let mut wrong = bill(&customer, "1");
        wrong[field] = value;
        let refused = stage.post("/invoices", wrong).await;
        assert_eq!(refused.error(), (422, "validation_failed"), "{field}");
        assert!(refused.body["validation_errors"][field].is_string());
    }
    for (field, value) in [
        ("quantity", json!(1.5)),
        ("amount", json!(1.005)),
        ("amount", json!("1")),
        ("description", json!("")),
    ] {
        let mut wrong = bill(&customer, "1");
        wrong["line_items"][0][field] = value;
        let refused = stage.post("/invoices", wrong).await;
        assert!(
            refused.body["validation_errors"][field].is_string(),
            "{field}"
        );
    }
}

#[tokio::test]
async fn a_number_may_come_twice_and_is_generated_where_its_own_is_not_taken() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let mut body = bill(&customer, "10");
    body["invoice_number"] = json!("SI-1");
    body["memo"] = json!("ours");
    for _ in 0..2 {
        let made = stage.post("/invoices", body.clone()).await;
        assert_eq!(made.body["invoice_number"], "SI-1");
    }
    stage.switch("own_numbers", false).await;
    let made = stage.post("/invoices", body).await;
    assert_eq!(made.body["invoice_number"], "INV-000001");
    assert_eq!(made.body["memo"], "");
}

#[tokio::test]
async fn an_external_id_is_a_capability_unique_among_what_is_not_archived_and_a_filter() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let mut body = bill(&customer, "10");
    body["external_id"] = json!("ns:1:9");
    let first = stage.post("/invoices", body.clone()).await;
    assert_eq!(first.body["external_id"], "ns:1:9");
    let taken = stage.post("/invoices", body.clone()).await;
    assert_eq!(taken.error(), (400, "bad_request"));
    stage.invoice(&customer, "20").await;
    let found = stage.get("/invoices?external_id=ns:1:9").await;
    assert_eq!(found.ids(), [first.id()]);
    stage.delete(&format!("/invoices/{}", first.id())).await;
    assert_eq!(stage.post("/invoices", body.clone()).await.status, 201);

    stage.switch("invoice-external-id", false).await;
    let without = stage.post("/invoices", body).await;
    assert!(without.body.get("external_id").is_none());
    let all = stage.get("/invoices?external_id=ns:1:9").await;
    assert_eq!(all.ids().len(), 4, "the filter is ignored");
}

#[tokio::test]
async fn a_status_follows_from_what_is_paid_and_from_the_day() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let path = format!("/invoices/{invoice}");
    let status = async || stage.field(&path, "status").await;
    assert_eq!(status().await, "open");
    stage.advance("30d").await;
    assert_eq!(status().await, "open", "due today");
    stage.advance("1d").await;
    assert_eq!(status().await, "overdue");
    let body = json!({"invoice": invoice, "amount": "40", "method": "standard_ach"});
    let paid = stage.act("pay", body).await;
    assert_eq!(paid["status"], "processing");
}

#[tokio::test]
async fn amounts_are_told_where_balances_are() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    stage
        .act("pay", json!({"invoice": invoice, "amount": "40.50"}))
        .await;
    let path = format!("/invoices/{invoice}");
    let shown = stage.get(&path).await.body;
    assert_eq!(shown["balance"], json!(59.5));
    assert_eq!(shown["amount_paid"], json!(40.5));
    stage.switch("balances", false).await;
    let shown = stage.get(&path).await.body;
    assert!(shown.get("balance").is_none() && shown.get("amount_paid").is_none());
}

#[tokio::test]
async fn an_unpaid_invoice_is_amended_where_that_is_and_one_paid_here_never() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let path = format!("/invoices/{invoice}");
    let line = json!({"description": "Less work", "quantity": 1, "amount": 80});
    let change = json!({"due_date": "2026-05-01", "line_items": [line], "memo": "new"});
    let amended = stage.patch(&path, change.clone()).await;
    assert_eq!(amended.status, 200, "{}", amended.text);
    assert_eq!(amended.body["total"], 80);
    assert_eq!(amended.body["due_date"], "2026-05-01");
    assert_eq!(amended.body["memo"], "new");

    stage.switch("amend-invoices", false).await;
    let off = stage.patch(&path, change.clone()).await;
    assert_eq!(off.error(), (404, "not_found"));
    stage.switch("amend-invoices", true).await;

    let told = json!({"amount": 30, "external_id": "p"});
    stage.post(&format!("{path}/external-payments"), told).await;
    assert_eq!(stage.patch(&path, change.clone()).await.status, 200);
    let too_low = json!({"description": "Gift", "quantity": 1, "amount": 20});
    let too_low = stage.patch(&path, json!({"line_items": [too_low]})).await;
    assert_eq!(too_low.status, 422);

    stage
        .act("pay", json!({"invoice": invoice, "amount": "10"}))
        .await;
    let paid = stage.patch(&path, change.clone()).await;
    assert_eq!(paid.error(), (409, "invoice_paid"));
    let other = stage.invoice(&customer, "10").await;
    stage.delete(&format!("/invoices/{other}")).await;
    let archived = stage.patch(&format!("/invoices/{other}"), change).await;
    assert_eq!(archived.error(), (409, "invoice_archived"));
}

#[tokio::test]
async fn an_invoice_is_archived_unless_money_hangs_on_it_and_then_can_t_be_paid() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let path = format!("/invoices/{invoice}");
    assert_eq!(stage.delete(&path).await.status, 204);
    assert_eq!(stage.delete(&path).await.status, 204);
    assert_eq!(stage.field(&path, "status").await, "archived");
    assert_eq!(stage.get("/invoices?status=archived").await.ids().len(), 1);
    let (status, _) = stage.refused("pay", json!({"invoice": invoice})).await;
    assert_eq!(status, 409);
    let told = json!({"amount": 1});
    let told = stage.post(&format!("{path}/external-payments"), told).await;
    assert_eq!(told.error(), (409, "invoice_archived"));

    let paid = stage.invoice(&customer, "100").await;
    let path = format!("/invoices/{paid}");
    let body = json!({"invoice": paid, "method": "standard_ach"});
    let payment = stage.act("pay", body).await["id"].clone();
    assert_eq!(stage.field(&path, "status").await, "processing");
    assert_eq!(stage.delete(&path).await.error(), (409, "invoice_paid"));
    let act = format!("payments/{}", payment.as_str().unwrap());
    stage.act(&act, json!({"status": "failed"})).await;
    assert_eq!(stage.delete(&path).await.status, 204);
    stage.switch("archived_vanish", true).await;
    assert!(stage.get("/invoices").await.ids().is_empty());
}

#[tokio::test]
async fn a_payment_link_has_no_scheme() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let link = stage
        .field(&format!("/invoices/{invoice}/payment-link"), "url")
        .await;
    assert!(!link.as_str().unwrap().contains("://"));
    let missing = stage.get("/invoices/inv_none/payment-link").await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn the_checkout_wants_a_real_invoice_of_the_customer_and_a_request_stays_pending() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let body = json!({"customer_id": customer, "invoice_id": invoice});
    let token = stage.post("/checkout-auth/init", body).await;
    assert!(token.body["token"].is_string() && token.body["expires_at"].is_string());
    let body = json!({"customer_id": customer, "invoice_id": "inv_none"});
    let wrong = stage.post("/checkout-auth/init", body).await;
    assert_eq!(wrong.error(), (400, "bad_request"));
    assert_eq!(wrong.body["message"], "invalid invoice id");

    let body = json!({"amount": "100", "currency": "USD", "reference_id": "r1", "redirect_url": "https://example.com"});
    let asked = stage.post("/payments/request", body).await;
    assert_eq!(asked.body["reference_id"], "r1");
    let path = format!("/payments/request/{}", asked.id());
    assert_eq!(stage.field(&path, "status").await, "pending");
    let number = stage
        .post(
            "/payments/request",
            json!({"amount": 100, "currency": "USD"}),
        )
        .await;
    assert_eq!(number.status, 422, "the amount is a text there");
}
