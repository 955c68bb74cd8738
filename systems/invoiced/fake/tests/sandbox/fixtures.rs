//! The shared fixtures are what the sandbox answers, by the names and kinds of their fields.

use serde_json::{Value, json};

use crate::stage::Stage;

/// Every field of the fixture is in the answer, as the same kind of value unless one of them is unset.
fn fits(fixture: &Value, answer: &Value, place: &str) {
    match (fixture, answer) {
        (Value::Object(fields), Value::Object(there)) => {
            for (name, value) in fields {
                // Metadata's keys are the customer's own.
                if name == "metadata" {
                    continue;
                }
                let place = format!("{place}.{name}");
                let found = there
                    .get(name)
                    .unwrap_or_else(|| panic!("{place} is not answered"));
                fits(value, found, &place);
            }
        }
        (Value::Array(entries), Value::Array(there)) => {
            for (entry, found) in entries.iter().zip(there) {
                fits(entry, found, place);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (expected, found) => assert_eq!(
            std::mem::discriminant(expected),
            std::mem::discriminant(found),
            "{place}: {expected} and {found}"
        ),
    }
}

#[tokio::test]
async fn what_is_answered_fits_the_fixtures() {
    let stage = Stage::new().await;
    let fixture = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let customer = stage.customer().await;
    let shown = stage.get(&format!("/customers/{customer}")).await.body;
    fits(
        &fixture(include_str!("../../../fixtures/customer.json")),
        &shown,
        "customer",
    );

    let line =
        json!({"name": "Work", "quantity": 3, "unit_cost": 12.345, "taxes": [{"amount": 0.5}]});
    let body = json!({"customer": customer, "purchase_order": "PO-7", "items": [line], "calculate_taxes": false,
        "discounts": [{"amount": 1.04}], "taxes": [{"amount": 3.85}], "metadata": {"netsuite_id": "4711"}});
    let invoice = stage.post("/invoices", body).await;
    let expected = fixture(include_str!("../../../fixtures/invoice.json"));
    fits(&expected, &invoice.body, "invoice");
    for name in ["subtotal", "total", "balance", "metadata", "due_date"] {
        assert_eq!(invoice.body[name], expected[name], "{name}");
    }

    let paid = json!({"invoices": [invoice.id()], "amount": "60", "convenience_fee": "0.60", "credit": true});
    let paid = stage.panel("invoiced/pay", paid).await;
    let path = format!("/payments/{}", paid["id"].as_str().unwrap());
    let charge = stage.get(&path).await.body["charge"]["id"].clone();
    stage
        .post(
            &format!("/charges/{charge}/refunds"),
            json!({"amount": 10.01}),
        )
        .await;
    let shown = stage.get(&format!("{path}?include=applied_to")).await.body;
    let expected = fixture(include_str!("../../../fixtures/payment.json"));
    fits(&expected, &shown, "payment");
    for name in ["amount", "balance", "applied_to", "method", "source"] {
        assert_eq!(shown[name], expected[name], "{name}");
    }

    let events = stage.get("/events?filter[type]=invoice.updated").await.body;
    fits(
        &fixture(include_str!("../../../fixtures/event.json")),
        &events[0],
        "event",
    );

    let line = json!({"name": "Returned", "quantity": 1, "unit_cost": 8});
    let note = stage
        .post(
            "/credit_notes",
            json!({"customer": customer, "items": [line]}),
        )
        .await;
    fits(
        &fixture(include_str!("../../../fixtures/credit-note.json")),
        &note.body,
        "credit note",
    );

    stage.switch("auto_apply_credits", false).await;
    let voided = stage.invoice(customer, "51.15").await;
    let voided = stage
        .post(&format!("/invoices/{voided}/void"), json!({}))
        .await
        .body;
    let expected = fixture(include_str!("../../../fixtures/voided-invoice.json"));
    fits(&expected, &voided, "voided invoice");
    for name in ["status", "balance", "paid", "closed"] {
        assert_eq!(voided[name], expected[name], "{name}");
    }

    let taken = stage
        .post(
            "/invoices",
            json!({"customer": customer, "number": "INV-0001"}),
        )
        .await;
    assert_eq!(
        taken.body,
        fixture(include_str!("../../../fixtures/error.json"))
    );
}
