//! Customers.

use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn a_customer_has_every_documented_field_and_null_where_nothing_was_given() {
    let stage = Stage::new().await;
    let body =
        json!({"name": "Acme", "email": "ap@example.com", "external_id": "ns:1:7", "city": "Reno"});
    let made = stage.post("/customers", body).await;
    assert_eq!(made.status, 201);
    let fields = [
        ("name", json!("Acme")),
        ("email", json!("ap@example.com")),
        ("external_id", json!("ns:1:7")),
        ("city", json!("Reno")),
        ("created_at", json!("2026-03-02T15:00:00Z")),
        ("legal_name", Value::Null),
        ("customer_integration_id", Value::Null),
        ("default_payment_method_id", Value::Null),
        ("ein", Value::Null),
        ("street_address", Value::Null),
        ("sub_premise", Value::Null),
        ("state", Value::Null),
        ("postal_code", Value::Null),
        ("country", Value::Null),
    ];
    for (name, expected) in fields {
        assert_eq!(made.body.get(name), Some(&expected), "{name}");
    }
    assert!(made.body.get("archived_at").is_none());
    assert!(made.id().starts_with("cus_"));
    let again = stage.get(&format!("/customers/{}", made.id())).await;
    assert_eq!(again.body, made.body);
}

#[tokio::test]
async fn an_external_id_is_used_once_and_no_filter_finds_it() {
    let stage = Stage::new().await;
    let body = json!({"name": "A", "external_id": "x"});
    let first = stage.post("/customers", body.clone()).await.id();
    let second = stage.post("/customers", body.clone()).await;
    assert_eq!(second.error(), (400, "bad_request"));
    assert_eq!(second.body["message"], "This external id is already used");
    stage.delete(&format!("/customers/{first}")).await;
    assert_eq!(stage.post("/customers", body).await.status, 400);
    stage.customer().await;
    let found = stage.get("/customers?external_id=x").await;
    assert_eq!(found.ids().len(), 2, "the filter is ignored");
    let named = stage.get("/customers?company_name=ACME").await;
    assert_eq!(named.ids().len(), 1);
}

#[tokio::test]
async fn an_archived_customer_stays_in_the_list_unless_switched() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let path = format!("/customers/{customer}");
    assert_eq!(stage.delete(&path).await.status, 204);
    assert_eq!(stage.delete(&path).await.status, 204);
    assert_eq!(
        stage.field(&path, "archived_at").await,
        "2026-03-02T15:00:00Z"
    );
    assert_eq!(stage.get("/customers").await.ids(), [customer]);
    stage.switch("archived_vanish", true).await;
    assert!(stage.get("/customers").await.ids().is_empty());
    assert_eq!(stage.get(&path).await.status, 200);
}

#[tokio::test]
async fn amending_one_is_a_capability() {
    let stage = Stage::new().await;
    let path = format!("/customers/{}", stage.customer().await);
    let change = json!({"name": "Acme Inc.", "city": "Reno"});
    let amended = stage.patch(&path, change.clone()).await;
    assert_eq!(amended.status, 200);
    assert_eq!(amended.body["name"], "Acme Inc.");
    assert_eq!(amended.body["email"], "ap@example.com");
    stage.switch("amend-customers", false).await;
    assert_eq!(stage.patch(&path, change).await.error(), (404, "not_found"));
}

#[tokio::test]
async fn users_are_kept_and_there_are_no_payment_methods() {
    let stage = Stage::new().await;
    let path = format!("/customers/{}", stage.customer().await);
    let user = json!({"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee"});
    let made = stage.post(&format!("{path}/users"), user).await;
    assert_eq!(
        (made.status, &made.body["first_name"]),
        (201, &json!("Ann"))
    );
    let users = stage.get(&format!("{path}/users")).await;
    assert_eq!(users.ids(), [made.id()]);
    for kind in ["bank", "card"] {
        let none = stage.get(&format!("{path}/payment-methods/{kind}")).await;
        assert!(none.ids().is_empty());
    }
}
