//! Tokens, scopes, the limit, paths, errors.

use http::Method;
use serde_json::json;

use crate::stage::{SERVICE, Stage, answer, bill};

#[tokio::test]
async fn a_token_is_given_for_the_secret_as_a_form_or_as_json_and_lasts_an_hour() {
    let stage = Stage::new().await;
    let form = answer(stage.token_call()).await;
    assert_eq!(form.body["token_type"], "Bearer");
    assert_eq!(form.body["expires_in"], 3600);
    let keys = &stage.described[SERVICE];
    let id = keys["client_id"].as_str().unwrap();
    let secret = keys["client_secret"].as_str().unwrap();
    let call = || {
        stage
            .call(Method::POST, "/oauth/token")
            .basic_auth(id, secret)
    };
    let json = call().header("content-type", "application/json");
    let json = answer(json.body(r#"{"grant_type":"client_credentials"}"#)).await;
    let token = json.body["access_token"].as_str().unwrap();
    assert_ne!(form.body["access_token"], token);
    assert_eq!(answer(call().body("grant_type=password")).await.status, 400);

    let wrong = stage.call(Method::POST, "/oauth/token").basic_auth(id, "x");
    let wrong = answer(wrong.body("grant_type=client_credentials")).await;
    assert_eq!(wrong.error(), (401, "invalid_client"));

    let get = |token: &str| answer(stage.call(Method::GET, "/customers").bearer_auth(token));
    assert_eq!(get(token).await.status, 200);
    assert_eq!(get("x").await.error(), (401, "unauthorized"));
    let bare = answer(stage.call(Method::GET, "/customers")).await;
    assert_eq!(bare.error(), (401, "unauthorized"));
    stage.advance("59m").await;
    assert_eq!(get(token).await.status, 200);
    stage.advance("1m").await;
    assert_eq!(get(token).await.error(), (401, "unauthorized"));
}

#[tokio::test]
async fn a_key_fails_in_each_of_its_ways_and_comes_back() {
    let stage = Stage::new().await;
    for (action, token, read) in [
        (json!({"action": "revoke"}), 401, 401),
        (json!({"action": "restore"}), 200, 200),
        (json!({"action": "block"}), 403, 403),
        (json!({"action": "restore"}), 200, 200),
        (json!({"action": "expire"}), 200, 401),
    ] {
        stage
            .panel("credentials/alternative-payments", action.clone())
            .await;
        assert_eq!(stage.get("/customers").await.status, read, "{action}");
        assert_eq!(answer(stage.token_call()).await.status, token, "{action}");
    }
    stage.sign_in().await;
    assert_eq!(stage.get("/customers").await.status, 200);
}

#[tokio::test]
async fn a_call_outside_the_key_s_scopes_is_forbidden() {
    let stage = Stage::new().await;
    let role = json!({"action": "role", "role": "invoices:read,customers:write"});
    stage.panel("credentials/alternative-payments", role).await;
    assert_eq!(stage.get("/invoices").await.status, 200);
    let made = stage.post("/customers", json!({"name": "Acme"})).await;
    assert_eq!(made.status, 201);
    let write = stage.post("/invoices", bill(&made.id(), "1")).await;
    assert_eq!(write.error(), (403, "forbidden"));
    for path in [
        "/customers",
        "/payments",
        "/refunds",
        "/payouts",
        "/webhooks",
    ] {
        assert_eq!(stage.get(path).await.error(), (403, "forbidden"), "{path}");
    }
    let checkout = stage.post("/checkout-auth/init", json!({})).await;
    assert_eq!(checkout.error(), (403, "forbidden"));
}

#[tokio::test]
async fn a_fault_ends_the_token_that_a_call_carries() {
    let stage = Stage::new().await;
    let fault = json!({"service": SERVICE, "effect": "expire-session", "times": 1});
    stage.panel("faults", fault).await;
    assert_eq!(stage.get("/customers").await.error(), (401, "unauthorized"));
    assert_eq!(stage.get("/customers").await.error(), (401, "unauthorized"));
}

#[tokio::test]
async fn the_sixth_call_within_a_second_is_turned_away_and_the_token_s_counts_too() {
    let stage = Stage::new().await;
    stage.switch("calls_per_second", 5).await;
    assert_eq!(answer(stage.token_call()).await.status, 200);
    for _ in 0..4 {
        assert_eq!(stage.get("/customers").await.status, 200);
    }
    let refused = stage.get("/customers").await;
    assert_eq!(refused.error(), (429, "rate_limited"));
    assert_eq!(refused.headers.get("retry-after"), None);
    assert_eq!(answer(stage.token_call()).await.status, 429);
    stage.switch("retry_after", true).await;
    let refused = stage.get("/customers").await;
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(stage.shown("calls").await["refused"], 3);
    stage.advance("1s").await;
    assert_eq!(stage.get("/customers").await.status, 200);
}

#[tokio::test]
async fn there_is_no_version_in_the_paths_unless_it_is_switched_on() {
    let stage = Stage::new().await;
    assert_eq!(stage.get("/v1/customers").await.error(), (404, "not_found"));
    stage.switch("v1_prefix", true).await;
    assert_eq!(stage.get("/v1/customers").await.status, 200);
    assert_eq!(stage.get("/customers").await.status, 200);
}

#[tokio::test]
async fn errors_have_a_code_a_message_and_the_field_to_blame() {
    let stage = Stage::new().await;
    let missing = stage.get("/customers/cus_nobody").await;
    assert_eq!(missing.error(), (404, "not_found"));
    assert!(missing.body["message"].is_string());
    assert!(missing.body.get("validation_errors").is_none());
    assert_eq!(stage.get("/nothing").await.error(), (404, "not_found"));
    assert_eq!(stage.post("/payments", json!({})).await.status, 404);
    let nameless = stage.post("/customers", json!({})).await;
    assert_eq!(nameless.error(), (422, "validation_failed"));
    assert!(nameless.body["validation_errors"]["name"].is_string());
    let broken = stage.signed(Method::POST, "/customers").body("{");
    assert_eq!(answer(broken).await.error(), (400, "bad_request"));
    let since = stage.get("/customers?created_at_start=yesterday").await;
    assert_eq!(since.error(), (400, "bad_request"));
}
