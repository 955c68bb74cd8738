//! Signing in, bodies, errors, limits, repeats.

use reqwest::Method;
use serde_json::json;

use crate::stage::{Stage, answer};

#[tokio::test]
async fn the_key_is_the_user_s_name_and_the_password_is_empty() {
    let stage = Stage::new().await;
    let call = || stage.call(Method::GET, "/customers");
    let status = async |call| answer(call).await.status;
    assert_eq!(status(call()).await, 401);
    assert_eq!(status(call().basic_auth(&stage.key, Some(""))).await, 200);
    assert_eq!(status(call().basic_auth(&stage.key, Some("x"))).await, 401);
    assert_eq!(status(call().basic_auth("wrong", Some(""))).await, 401);
    assert_eq!(status(call().bearer_auth(&stage.token)).await, 200);
    assert_eq!(status(call().bearer_auth("wrong")).await, 401);
}

#[tokio::test]
async fn a_key_fails_in_each_of_its_ways_and_comes_back() {
    let stage = Stage::new().await;
    for (action, read, write) in [
        (json!({"action": "revoke"}), 401, 401),
        (json!({"action": "block"}), 403, 403),
        (json!({"action": "role", "role": "read-only"}), 200, 403),
        (json!({"action": "restore"}), 200, 201),
    ] {
        stage.panel("credentials/invoiced", action.clone()).await;
        assert_eq!(stage.get("/customers").await.status, read, "{action}");
        let made = stage.post("/customers", json!({"name": "A"})).await;
        assert_eq!(made.status, write, "{action}");
    }
}

#[tokio::test]
async fn errors_have_a_type_a_message_and_a_parameter_where_one_is_to_blame() {
    let stage = Stage::new().await;
    let missing = stage.get("/customers/99").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.body["type"], "invalid_request");
    assert!(missing.body.get("param").is_none());
    let nameless = stage.post("/customers", json!({})).await;
    assert_eq!(
        (nameless.status, &nameless.body["param"]),
        (400, &json!("name"))
    );
    assert_eq!(stage.get("/nothing").await.status, 404);
    stage.switch("errors", "error-field").await;
    let other = stage.get("/customers/99").await;
    assert_eq!(other.body["error"], "invalid_request");
    stage.switch("errors", "text").await;
    let text = stage.get("/customers/99").await;
    assert!(text.body.is_null() && text.text.contains("99"));
}

#[tokio::test]
async fn too_many_calls_in_a_minute_are_turned_away_with_a_time_to_wait() {
    let stage = Stage::new().await;
    stage.switch("calls_per_minute", 2).await;
    assert_eq!(stage.get("/customers").await.status, 200);
    assert_eq!(stage.get("/customers").await.status, 200);
    let refused = stage.get("/customers").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "60"));
    stage.advance("1m").await;
    assert_eq!(stage.get("/customers").await.status, 200);
    assert_eq!(stage.shown("calls").await["refused"], 1);
}

#[tokio::test]
async fn a_form_with_brackets_is_as_good_as_json() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "10").await;
    let form = format!(
        "customer={customer}&amount=10.00&applied_to[0][type]=invoice&applied_to%5B0%5D%5Binvoice%5D={invoice}&applied_to[0][amount]=10.00"
    );
    let call = stage
        .call(Method::POST, "/payments")
        .basic_auth(&stage.key, Some(""));
    let paid = answer(
        call.header("content-type", "application/x-www-form-urlencoded")
            .body(form),
    )
    .await;
    assert_eq!(
        (paid.status, &paid.body["balance"]),
        (201, &json!(0)),
        "{}",
        paid.text
    );
    let invoice = stage.get(&format!("/invoices/{invoice}")).await;
    assert_eq!(invoice.body["paid"], true);
}

#[tokio::test]
async fn a_broken_body_is_refused() {
    let stage = Stage::new().await;
    let call = stage
        .call(Method::POST, "/customers")
        .basic_auth(&stage.key, Some(""));
    assert_eq!(answer(call.body("{")).await.status, 400);
}

#[tokio::test]
async fn an_idempotency_key_is_ignored_until_it_is_switched_on() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let path = "/invoices";
    let body = json!({"customer": customer}).to_string();
    let make = async || {
        let call = stage
            .call(Method::POST, path)
            .basic_auth(&stage.key, Some(""));
        answer(call.header("Idempotency-Key", "k1").body(body.clone())).await
    };
    assert_ne!(make().await.id(), make().await.id());
    stage.switch("idempotency", true).await;
    let first = make().await.id();
    assert_eq!(make().await.id(), first);
    assert_eq!(stage.get("/invoices").await.ids().len(), 3);
}

#[tokio::test]
async fn a_host_that_fails_answers_with_a_page() {
    let stage = Stage::new().await;
    let fault = json!({"service": "invoiced", "effect": "html", "status": 502, "times": 1});
    stage.panel("faults", fault).await;
    let page = stage.get("/customers").await;
    assert!(page.status == 502 && page.text.contains("<html>"));
    assert_eq!(stage.get("/customers").await.status, 200);
}
