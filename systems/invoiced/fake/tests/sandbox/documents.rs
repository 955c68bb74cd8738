//! Customers, invoices, credit notes, files, and what else is kept.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{NOW, Stage, answer};

const DAY: i64 = 86_400;

#[tokio::test]
async fn numbers_are_generated_and_never_given_twice() {
    let stage = Stage::new().await;
    let first = stage.post("/customers", json!({"name": "A"})).await;
    assert_eq!(first.body["number"], "CUST-0001");
    assert_eq!(
        stage.post("/customers", json!({"name": "A"})).await.status,
        201,
        "names may come twice"
    );
    let taken = stage
        .post("/customers", json!({"name": "B", "number": "CUST-0001"}))
        .await;
    assert_eq!(
        (taken.status, &taken.body["param"]),
        (400, &json!("number"))
    );
    let customer = first.id();
    let made = stage
        .post(
            "/invoices",
            json!({"customer": customer, "number": "INV-0001"}),
        )
        .await;
    assert_eq!(made.status, 201);
    let next = stage.post("/invoices", json!({"customer": customer})).await;
    assert_eq!(next.body["number"], "INV-0002");
    let path = format!("/invoices/{}", next.id());
    let renamed = stage.patch(&path, json!({"number": "INV-0001"})).await;
    assert_eq!(
        (renamed.status, &renamed.body["param"]),
        (400, &json!("number"))
    );
}

#[tokio::test]
async fn totals_are_over_the_discounts_and_taxes_of_lines_and_document() {
    let stage = Stage::new().await;
    stage
        .post(
            "/tax_rates",
            json!({"id": "vat", "name": "VAT", "value": 10, "is_percent": true}),
        )
        .await;
    stage
        .post(
            "/coupons",
            json!({"id": "half", "name": "Half", "value": 50, "is_percent": true}),
        )
        .await;
    let customer = stage.customer().await;
    let body = json!({
        "customer": customer, "calculate_taxes": false,
        "items": [
            {"name": "A", "quantity": 3, "unit_cost": 0.335, "taxes": [{"amount": 0.5}]},
            {"name": "B", "quantity": 2, "unit_cost": 50, "discounts": [{"coupon": "half"}], "taxes": ["vat"]},
        ],
        "discounts": [{"amount": 1.01}], "taxes": [{"amount": 2}],
    });
    let made = stage.post("/invoices", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let body = &made.body;
    assert_eq!(
        body["items"][0]["amount"],
        json!(1.01),
        "half away from zero, to the cent"
    );
    assert_eq!(body["items"][1]["discounts"][0]["amount"], 50);
    assert_eq!(body["items"][1]["taxes"][0]["amount"], 5);
    assert_eq!(body["subtotal"], json!(101.01));
    // 101.01 - 50 - 1.01 + 0.50 + 5 + 2
    assert_eq!(body["total"], json!(57.5));
    assert!(
        made.text.contains("\"total\":57.5,"),
        "money is a number: {}",
        made.text
    );
}

#[tokio::test]
async fn taxes_are_calculated_on_create_and_not_on_update() {
    let stage = Stage::new().await;
    stage
        .post(
            "/tax_rates",
            json!({"id": "vat", "name": "VAT", "value": 7, "is_percent": true}),
        )
        .await;
    let body = json!({"name": "A", "taxes": ["vat"]});
    let customer = stage.post("/customers", body).await.id();
    let line = json!([{"name": "A", "quantity": 1, "unit_cost": 100}]);
    let of = |more: Value| {
        let mut body = json!({"customer": customer, "items": line});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let made = stage.post("/invoices", of(json!({}))).await;
    assert_eq!(made.body["total"], 107);
    let copied = stage
        .post(
            "/invoices",
            of(json!({"calculate_taxes": false, "taxes": [{"amount": 7.01}]})),
        )
        .await;
    assert_eq!(copied.body["total"], json!(107.01));
    let path = format!("/invoices/{}", made.id());
    let doubled = json!([{"name": "A", "quantity": 2, "unit_cost": 100}]);
    assert_eq!(
        stage.patch(&path, json!({"items": doubled})).await.body["total"],
        207
    );
    let calculated = stage.patch(&path, json!({"calculate_taxes": true})).await;
    assert_eq!(calculated.body["total"], 214);
}

#[tokio::test]
async fn an_invoice_s_defaults_come_from_the_account_and_the_customer() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let made = stage.post("/invoices", json!({"customer": customer})).await;
    let body = &made.body;
    assert_eq!(
        (&body["currency"], &body["date"]),
        (&json!("usd"), &json!(NOW))
    );
    assert_eq!(body["payment_terms"], "NET 30");
    assert_eq!(body["due_date"], NOW + 30 * DAY);
    assert_eq!(
        (&body["draft"], &body["autopay"]),
        (&json!(false), &json!(false))
    );
    let terms = stage
        .post(
            "/invoices",
            json!({"customer": customer, "payment_terms": "NET 7"}),
        )
        .await;
    assert_eq!(terms.body["due_date"], NOW + 7 * DAY);
    let stranger = stage.post("/invoices", json!({"customer": 99})).await;
    assert_eq!(
        (stranger.status, &stranger.body["param"]),
        (400, &json!("customer"))
    );
}

#[tokio::test]
async fn an_invoice_goes_through_its_states() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let line = json!([{"name": "A", "quantity": 1, "unit_cost": 10}]);
    let body = json!({"customer": customer, "items": line, "draft": true});
    let path = format!("/invoices/{}", stage.post("/invoices", body).await.id());
    let status = async || stage.get(&path).await.body["status"].clone();
    assert_eq!(status().await, "draft");
    stage.patch(&path, json!({"draft": false})).await;
    assert_eq!(status().await, "not_sent");
    stage.patch(&path, json!({"sent": true})).await;
    assert_eq!(status().await, "sent");
    stage
        .panel(&format!("invoiced{path}"), json!({"action": "view"}))
        .await;
    assert_eq!(status().await, "viewed");
    stage.advance("31d").await;
    assert_eq!(status().await, "past_due");
    assert_eq!(
        stage
            .get("/invoices?filter[status]=past_due")
            .await
            .ids()
            .len(),
        1
    );
    stage
        .panel(&format!("invoiced{path}"), json!({"action": "close"}))
        .await;
    let closed = stage.get(&path).await;
    assert_eq!(
        (&closed.body["closed"], &closed.body["paid"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn a_voided_invoice_keeps_its_balance() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "51.15").await;
    let path = format!("/invoices/{invoice}");
    let voided = stage.post(&format!("{path}/void"), json!({})).await;
    let body = &voided.body;
    assert_eq!((voided.status, &body["status"]), (200, &json!("voided")));
    assert_eq!(body["balance"], json!(51.15));
    assert_eq!(
        (&body["closed"], &body["paid"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(stage.patch(&path, json!({"notes": "x"})).await.status, 400);
    assert_eq!(
        stage.post(&format!("{path}/void"), json!({})).await.status,
        400
    );
    let share = json!({"type": "invoice", "invoice": invoice, "amount": 1});
    let paid = stage
        .post(
            "/payments",
            json!({"customer": customer, "amount": 1, "applied_to": [share]}),
        )
        .await;
    assert_eq!(
        (paid.status, &paid.body["param"]),
        (400, &json!("applied_to"))
    );
    stage.advance("90d").await;
    assert_eq!(stage.get(&path).await.body["status"], "voided");
}

#[tokio::test]
async fn a_patch_replaces_all_lines_but_those_it_names() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let lines = json!([{"name": "A", "quantity": 1, "unit_cost": 1}, {"name": "B", "quantity": 1, "unit_cost": 2}]);
    let made = stage
        .post("/invoices", json!({"customer": customer, "items": lines}))
        .await;
    let kept = made.body["items"][1]["id"].clone();
    let path = format!("/invoices/{}", made.id());
    let change =
        json!([{"id": kept, "quantity": 3}, {"name": "C", "quantity": 1, "unit_cost": 10}]);
    let changed = stage.patch(&path, json!({"items": change})).await;
    let items = changed.body["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["name"], &items[0]["amount"]),
        (2, &json!("B"), &json!(6))
    );
    assert_eq!(
        (&items[0]["id"], &changed.body["total"]),
        (&kept, &json!(16))
    );
}

#[tokio::test]
async fn an_empty_text_takes_a_value_away_and_unknown_fields_are_left_alone() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let path = format!("/customers/{customer}");
    let changed = stage
        .patch(&path, json!({"email": "", "no_such_field": 1}))
        .await;
    assert_eq!(
        (changed.status, &changed.body["email"]),
        (200, &Value::Null)
    );
    assert!(changed.body.get("no_such_field").is_none());
}

#[tokio::test]
async fn a_credit_note_is_positive_and_applied_by_a_payment_without_money() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "100").await;
    let line = json!([{"name": "Refund", "quantity": 1, "unit_cost": 30}]);
    let note = stage
        .post(
            "/credit_notes",
            json!({"customer": customer, "items": line}),
        )
        .await;
    assert_eq!(
        (&note.body["status"], &note.body["balance"]),
        (&json!("open"), &json!(30))
    );
    assert_eq!(note.body["number"], "CN-0001");
    let share = json!({"type": "credit_note", "credit_note": note.id(), "document_type": "invoice",
        "invoice": invoice, "amount": 30});
    let paid = stage
        .post(
            "/payments?include=applied_to",
            json!({"customer": customer, "applied_to": [share]}),
        )
        .await;
    assert_eq!(
        (paid.status, &paid.body["amount"]),
        (201, &json!(0)),
        "{}",
        paid.text
    );
    assert_eq!(paid.body["applied_to"][0], share);
    assert_eq!(
        stage.get(&format!("/invoices/{invoice}")).await.body["balance"],
        70
    );
    let path = format!("/credit_notes/{}", note.id());
    assert_eq!(stage.get(&path).await.body["status"], "paid");
    assert_eq!(
        stage.post(&format!("{path}/void"), json!({})).await.status,
        400,
        "it is applied"
    );
    stage.delete(&format!("/payments/{}", paid.id())).await;
    let voided = stage.post(&format!("{path}/void"), json!({})).await;
    assert_eq!(voided.body["status"], "voided");
}

#[tokio::test]
async fn credit_is_given_spent_and_taken_back() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let path = "/credit_balance_adjustments";
    let given = stage
        .post(path, json!({"customer": customer, "amount": 25}))
        .await;
    assert_eq!(given.status, 201);
    let balance = async || {
        stage
            .get(&format!("/customers/{customer}/balance"))
            .await
            .body
    };
    assert_eq!(balance().await["available_credits"], 25);
    let invoice = stage.invoice(customer, "20").await;
    let shown = stage.get(&format!("/invoices/{invoice}")).await;
    assert_eq!(
        (&shown.body["balance"], &shown.body["paid"]),
        (&json!(0), &json!(true)),
        "credit is applied by itself"
    );
    let payments = stage.get("/payments?include=applied_to").await;
    assert_eq!(payments.body[0]["applied_to"][0]["type"], "applied_credit");
    assert_eq!(payments.body[0]["amount"], 0);
    assert_eq!(balance().await["available_credits"], 5);
    stage.switch("auto_apply_credits", false).await;
    let other = stage.invoice(customer, "20").await;
    assert_eq!(
        stage.get(&format!("/invoices/{other}")).await.body["balance"],
        20
    );
    assert_eq!(
        stage.delete(&format!("{path}/{}", given.id())).await.status,
        400,
        "it was spent"
    );
}

#[tokio::test]
async fn a_customer_s_balance_tells_what_is_open_and_late() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    stage.invoice(customer, "10.50").await;
    stage.advance("40d").await;
    stage.invoice(customer, "5").await;
    let balance = stage
        .get(&format!("/customers/{customer}/balance"))
        .await
        .body;
    assert_eq!(balance["total_outstanding"], json!(15.5));
    assert_eq!(
        (&balance["due_now"], &balance["past_due"]),
        (&json!(10.5), &json!(true))
    );
    assert_eq!(balance["currency"], "usd");
}

#[tokio::test]
async fn contacts_lie_below_their_customer() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let other = stage.customer().await;
    let path = format!("/customers/{customer}/contacts");
    let made = stage
        .post(&path, json!({"name": "Ann", "email": "ann@example.com"}))
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(stage.get(&path).await.ids(), [made.id()]);
    assert!(
        stage
            .get(&format!("/customers/{other}/contacts"))
            .await
            .ids()
            .is_empty()
    );
    let one = format!("{path}/{}", made.id());
    assert_eq!(
        stage.patch(&one, json!({"title": "AP"})).await.body["title"],
        "AP"
    );
    assert_eq!(
        stage
            .get(&format!("/customers/{other}/contacts/{}", made.id()))
            .await
            .status,
        404
    );
    assert_eq!(stage.delete(&one).await.status, 204);
}

#[tokio::test]
async fn files_come_in_a_form_and_attachments_are_replaced() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "1").await;
    let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-\r\n--b--\r\n";
    let call = stage
        .call(Method::POST, "/files")
        .basic_auth(&stage.key, Some(""));
    let call = call.header("content-type", "multipart/form-data; boundary=b");
    let file = answer(call.body(part)).await;
    assert_eq!(
        (file.status, &file.body["name"], &file.body["size"]),
        (201, &json!("a.pdf"), &json!(5))
    );
    let url = file.body["url"].as_str().unwrap();
    assert_eq!(answer(stage.client.get(url)).await.text, "%PDF-");
    let older = stage.post("/files", json!({"url": "https://example.com/b.pdf", "name": "b.pdf", "size": 9, "type": "application/pdf"})).await;
    let path = format!("/invoices/{invoice}");
    let attached = async || {
        let list = stage.get(&format!("{path}/attachments")).await;
        assert!(list.link("self").is_some(), "a list, with its headers");
        let list = list.body.as_array().unwrap().clone();
        assert!(
            list.iter().all(|one| one.get("id").is_none()),
            "an attachment has no id"
        );
        list.iter()
            .map(|one| one["file"]["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    stage
        .patch(&path, json!({"attachments": [file.id(), older.id()]}))
        .await;
    assert_eq!(attached().await, [file.id(), older.id()]);
    stage.patch(&path, json!({"notes": "kept"})).await;
    assert_eq!(attached().await.len(), 2);
    stage
        .patch(&path, json!({"attachments": [older.id()]}))
        .await;
    assert_eq!(attached().await, [older.id()]);
    assert_eq!(
        stage
            .patch(&path, json!({"attachments": [99]}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_document_is_a_pdf_where_that_is_accepted() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "1").await;
    let call = stage.call(Method::GET, &format!("/invoices/{invoice}"));
    let call = call
        .basic_auth(&stage.key, Some(""))
        .header("accept", "application/pdf");
    let pdf = answer(call).await;
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert!(pdf.text.starts_with("%PDF-") && pdf.text.contains("INV-0001"));
}

#[tokio::test]
async fn items_and_tax_rates_have_texts_for_names_and_hardly_change() {
    let stage = Stage::new().await;
    let made = stage
        .post(
            "/items",
            json!({"id": "hour", "name": "Hour", "unit_cost": 99.5, "gl_account": "4000"}),
        )
        .await;
    assert_eq!((made.status, &made.body["id"]), (201, &json!("hour")));
    assert_eq!(
        stage
            .post("/items", json!({"id": "hour", "name": "X"}))
            .await
            .status,
        400
    );
    let changed = stage
        .patch("/items/hour", json!({"name": "An hour", "unit_cost": 1}))
        .await;
    assert_eq!(
        (&changed.body["name"], &changed.body["unit_cost"]),
        (&json!("An hour"), &json!(99.5))
    );
    let customer = stage.customer().await;
    let line = json!([{"catalog_item": "hour", "quantity": 2}]);
    let invoice = stage
        .post("/invoices", json!({"customer": customer, "items": line}))
        .await;
    assert_eq!(
        (&invoice.body["items"][0]["name"], &invoice.body["total"]),
        (&json!("An hour"), &json!(199))
    );
    let unknown = json!([{"catalog_item": "nothing"}]);
    assert_eq!(
        stage
            .post("/invoices", json!({"customer": customer, "items": unknown}))
            .await
            .status,
        400
    );
    let rate = stage
        .post(
            "/tax_rates",
            json!({"id": "in", "name": "In", "value": 5, "inclusive": true}),
        )
        .await;
    assert_eq!(rate.body["inclusive"], true);
}

#[tokio::test]
async fn notes_estimates_plans_subscriptions_and_sync_status_are_there() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "1").await;
    let note = stage
        .post("/notes", json!({"invoice_id": invoice, "notes": "Called"}))
        .await;
    assert_eq!(
        (note.status, &note.body["customer"]),
        (201, &json!(customer))
    );
    assert_eq!(
        stage.get(&format!("/invoices/{invoice}/notes")).await.ids(),
        [note.id()]
    );
    assert_eq!(
        stage
            .get(&format!("/customers/{customer}/notes"))
            .await
            .ids(),
        [note.id()]
    );
    let estimate = stage
        .post("/estimates", json!({"customer": customer}))
        .await;
    assert_eq!(estimate.body["number"], "EST-0001");
    stage
        .panel(
            "invoiced/subscriptions",
            json!({"customer": customer, "plan": "gold"}),
        )
        .await;
    for path in ["/estimates", "/subscriptions"] {
        assert_eq!(stage.get(path).await.ids().len(), 1, "{path}");
    }
    stage
        .post(
            "/plans",
            json!({"id": "gold", "name": "Gold", "amount": 10}),
        )
        .await;
    assert_eq!(stage.get("/plans").await.body[0]["id"], "gold");
    for path in [
        format!("/customers/{customer}"),
        format!("/invoices/{invoice}"),
    ] {
        let status = stage.get(&format!("{path}/accounting_sync_status")).await;
        assert_eq!(
            (&status.body["synced"], &status.body["error"]),
            (&json!(false), &Value::Null)
        );
    }
    let none = stage
        .get(&format!("/credit_notes/{invoice}/accounting_sync_status"))
        .await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn a_yen_has_no_parts() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let line = json!([{"name": "A", "quantity": 3, "unit_cost": 33.5}]);
    let made = stage
        .post(
            "/invoices",
            json!({"customer": customer, "currency": "JPY", "items": line}),
        )
        .await;
    assert_eq!(
        (&made.body["currency"], &made.body["total"]),
        (&json!("jpy"), &json!(101))
    );
    let share = json!({"type": "invoice", "invoice": made.id(), "amount": 0.5});
    let body = json!({"customer": customer, "currency": "jpy", "amount": 1, "applied_to": [share]});
    assert_eq!(stage.post("/payments", body).await.status, 400);
}
