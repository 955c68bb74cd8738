//! The calls of the unofficial client, raw, as its public documentation gives them: in a row, over one account.

use http::Method;
use serde_json::json;

use crate::stage::{SERVICE, Stage, answer, bill};

#[tokio::test]
async fn the_unofficial_client_s_calls_find_what_they_ask_for() {
    let stage = Stage::new().await;
    let keys = &stage.described[SERVICE];
    let form = answer(
        stage
            .call(Method::POST, "/oauth/token")
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .basic_auth(
                keys["client_id"].as_str().unwrap(),
                keys["client_secret"].as_str().unwrap(),
            )
            .body("grant_type=client_credentials"),
    )
    .await;
    assert_eq!(form.body["token_type"], "Bearer");

    let customer =
        json!({"name": "Acme MSP Client", "email": "billing@example.com", "external_id": "crm-42"});
    let customer = stage.post("/customers", customer).await;
    let path = format!("/customers/{}", customer.id());
    assert_eq!(stage.get(&path).await.body, customer.body);
    assert_eq!(
        stage.get("/customers?limit=50").await.ids(),
        [customer.id()]
    );
    let user = json!({"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee"});
    assert_eq!(stage.post(&format!("{path}/users"), user).await.status, 201);
    assert_eq!(stage.get(&format!("{path}/users")).await.ids().len(), 1);
    for kind in ["bank", "card"] {
        let methods = stage.get(&format!("{path}/payment-methods/{kind}")).await;
        assert_eq!(methods.status, 200);
    }

    let invoice = stage
        .post("/invoices", bill(&customer.id(), "250.75"))
        .await;
    let path = format!("/invoices/{}", invoice.id());
    assert_eq!(stage.get(&path).await.body["total"], 250.75);
    let listed = format!("/invoices?status=open&customer_id={}", customer.id());
    assert_eq!(stage.get(&listed).await.ids(), [invoice.id()]);
    assert!(
        stage
            .field(&format!("{path}/payment-link"), "url")
            .await
            .is_string()
    );
    assert!(
        stage
            .field(&format!("{path}/pdf-link"), "url")
            .await
            .is_string()
    );

    stage
        .act("pay", json!({"invoice": invoice.id(), "method": "card"}))
        .await;
    let payments = stage.get("/payments?limit=50").await;
    let payment = stage.get(&format!("/payments/{}", payments.ids()[0])).await;
    assert_eq!(payment.body["status"], "succeeded");
    assert!(stage.get("/refunds?limit=50").await.ids().is_empty());
    stage.act("payouts", json!({})).await;
    let payouts = stage.get("/payouts?limit=50").await;
    let path = format!("/payouts/{}", payouts.ids()[0]);
    assert_eq!(stage.get(&path).await.status, 200);
    assert_eq!(
        stage.get(&format!("{path}/transactions")).await.ids().len(),
        1
    );

    let hook = json!({"endpoint_url": "http://127.0.0.1:9/hook", "topic": "payment_succeeded", "secret_key": "s"});
    let hook = stage.post("/webhooks", hook).await;
    assert_eq!(stage.get("/webhooks?limit=50").await.ids(), [hook.id()]);
    assert_eq!(stage.get("/webhooks/events").await.status, 200);
    let retry = json!({"subscription_id": hook.id()});
    assert_eq!(stage.post("/webhooks/retry", retry).await.status, 200);
    assert_eq!(
        stage
            .delete(&format!("/webhooks/{}", hook.id()))
            .await
            .status,
        204
    );

    let archived = stage.delete(&format!("/customers/{}", customer.id())).await;
    assert_eq!(archived.status, 204);
}
