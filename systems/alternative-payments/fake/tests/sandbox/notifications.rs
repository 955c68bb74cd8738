//! Webhooks and events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::stage::{SERVICE, Stage};

/// What an endpoint was sent: the authorization and the body.
type Received = Arc<Mutex<Vec<(String, String)>>>;

/// An endpoint that answers everything with a status.
async fn endpoint(status: StatusCode) -> (String, Received) {
    let received = Received::default();
    let kept = Arc::clone(&received);
    let take = move |headers: axum::http::HeaderMap, body: String| {
        let given = headers.get("authorization");
        let given = given.map_or("", |given| given.to_str().unwrap()).to_owned();
        kept.lock().unwrap().push((given, body));
        async move { status }
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(tieout_kit::fake::serve(
        listener,
        router,
        std::future::pending(),
    ));
    (url, received)
}

/// Waits until so many have come, and a little for one too many.
async fn wait(received: &Received, count: usize) -> Vec<(String, String)> {
    for _ in 0..500 {
        if received.lock().unwrap().len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    received.lock().unwrap().clone()
}

async fn subscribe(stage: &Stage, url: &str, topic: &str) -> String {
    let body = json!({"endpoint_url": url, "topic": topic, "secret_key": "a-long-secret"});
    let made = stage.post("/webhooks", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.id()
}

#[tokio::test]
async fn a_subscription_is_to_one_topic_and_tells_the_end_of_its_key_alone() {
    let stage = Stage::new().await;
    let body = json!({"endpoint_url": "https://example.com/hook", "topic": "invoice_paid", "secret_key": "a-long-secret"});
    let made = stage.post("/webhooks", body.clone()).await;
    for (name, expected) in [
        ("endpoint_url", json!("https://example.com/hook")),
        ("topic", json!("invoice_paid")),
        ("is_active", json!(true)),
        ("secret_last_4_digits", json!("cret")),
        ("created_at", json!("2026-03-02T15:00:00Z")),
        ("updated_at", json!("2026-03-02T15:00:00Z")),
    ] {
        assert_eq!(made.body.get(name), Some(&expected), "{name}");
    }
    assert!(made.body["partner_id"].is_string());
    assert!(!made.text.contains("a-long-secret"));
    for topic in ["invoice.paid", "anything"] {
        let mut wrong = body.clone();
        wrong["topic"] = json!(topic);
        assert_eq!(stage.post("/webhooks", wrong).await.status, 422, "{topic}");
    }
    let ids = async |query: &str| stage.get(&format!("/webhooks?{query}")).await.ids();
    assert_eq!(ids("topic=invoice_paid&is_active=true").await, [made.id()]);
    assert!(ids("topic=payout_paid").await.is_empty());
    assert!(ids("is_active=false").await.is_empty());
    let path = format!("/webhooks/{}", made.id());
    assert_eq!(stage.delete(&path).await.status, 204);
    assert_eq!(stage.delete(&path).await.status, 404);
    assert!(ids("").await.is_empty());
}

#[tokio::test]
async fn the_key_comes_back_with_each_delivery_and_bodies_are_a_capability() {
    let stage = Stage::new().await;
    let (url, received) = endpoint(StatusCode::OK).await;
    subscribe(&stage, &url, "customer_created").await;
    let customer = stage.customer().await;
    let first = wait(&received, 1).await;
    assert_eq!(first[0].0, "Bearer a-long-secret");
    let body: Value = serde_json::from_str(&first[0].1).unwrap();
    assert_eq!(body["topic"], "customer_created");
    assert_eq!(body["data"], json!({"id": customer}));
    assert!(body["id"].is_string() && body["created_at"].is_string());
    let events = stage.get("/webhooks/events?topic=customer_created").await;
    assert_eq!(events.body["data"][0]["status"], "delivered");
    assert_eq!(events.body["data"][0]["data"]["id"], customer);
    stage.switch("webhook-bodies", false).await;
    stage.customer().await;
    assert_eq!(wait(&received, 2).await[1].1, "{}");
}

#[tokio::test]
async fn each_topic_is_told_when_it_happens() {
    let stage = Stage::new().await;
    let (url, received) = endpoint(StatusCode::OK).await;
    for topic in [
        "customer_created",
        "customer_updated",
        "customer_archived",
        "invoice_created",
        "invoice_updated",
        "invoice_paid",
        "invoice_archived",
        "payment_succeeded",
        "payment_failed",
        "payment_chargeback",
        "payment_refunded",
        "payout_processing",
        "payout_paid",
        "payout_scheduled",
        "payout_failed",
    ] {
        subscribe(&stage, &url, topic).await;
    }
    let mut told = 0;
    let mut since = async |count: usize| {
        told += count;
        let all = wait(&received, told).await;
        assert_eq!(all.len(), told);
        let topic = |(_, body): &(String, String)| {
            let body: Value = serde_json::from_str(body).unwrap();
            body["topic"].as_str().unwrap().to_owned()
        };
        let mut new: Vec<String> = all[told - count..].iter().map(topic).collect();
        new.sort();
        new
    };
    let customer = stage.customer().await;
    assert_eq!(since(1).await, ["customer_created"]);
    let path = format!("/customers/{customer}");
    stage.patch(&path, json!({"city": "Reno"})).await;
    assert_eq!(since(1).await, ["customer_updated"]);
    let invoice = stage.invoice(&customer, "100").await;
    assert_eq!(since(1).await, ["invoice_created"]);
    let external = format!("/invoices/{invoice}/external-payments");
    stage.post(&external, json!({"amount": 10})).await;
    assert_eq!(since(1).await, ["invoice_updated"]);
    let paid = stage.act("pay", json!({"invoice": invoice})).await;
    assert_eq!(since(2).await, ["invoice_paid", "payment_succeeded"]);
    let act = format!("payments/{}", paid["id"].as_str().unwrap());
    stage.act(&act, json!({"status": "chargeback"})).await;
    assert_eq!(since(1).await, ["payment_chargeback"]);
    stage.act(&act, json!({"status": "chargeback_won"})).await;
    assert_eq!(since(1).await, ["payment_succeeded"]);
    let adjustment = json!({"transactions": [{"amount": "50"}]});
    let payout = stage.act("payouts", adjustment).await;
    assert_eq!(since(1).await, ["payout_processing"]);
    let turn = format!("payouts/{}", payout["id"].as_str().unwrap());
    stage.act(&turn, json!({"status": "scheduled"})).await;
    assert_eq!(since(1).await, ["payout_scheduled"]);
    stage.act(&turn, json!({"status": "failed"})).await;
    assert_eq!(since(1).await, ["payout_failed"]);
    stage.act(&act, json!({"status": "failed"})).await;
    assert_eq!(since(1).await, ["payment_failed"]);
    let paid = stage.act("pay", json!({"invoice": invoice})).await;
    assert_eq!(since(2).await, ["invoice_paid", "payment_succeeded"]);
    stage.act("refunds", json!({"payment": paid["id"]})).await;
    assert_eq!(since(1).await, ["payment_refunded"]);
    let other = stage.invoice(&customer, "100").await;
    stage.delete(&format!("/invoices/{other}")).await;
    assert_eq!(since(2).await, ["invoice_archived", "invoice_created"]);
    stage.delete(&path).await;
    assert_eq!(since(1).await, ["customer_archived"]);
    stage
        .act("payouts", json!({"transactions": [{"amount": "900"}]}))
        .await;
    stage.advance("1d").await;
    assert_eq!(since(2).await, ["payout_paid", "payout_processing"]);
}

#[tokio::test]
async fn an_endpoint_that_fails_is_tried_five_times_in_an_hour_then_off_until_asked_again() {
    let stage = Stage::new().await;
    let (url, received) = endpoint(StatusCode::BAD_GATEWAY).await;
    let id = subscribe(&stage, &url, "customer_created").await;
    stage.customer().await;
    assert_eq!(wait(&received, 1).await.len(), 1);
    for (by, count) in [("1m", 2), ("4m", 3), ("15m", 4), ("39m", 4), ("1m", 5)] {
        stage.advance(by).await;
        assert_eq!(wait(&received, count).await.len(), count, "{by}");
    }
    assert_eq!(
        stage.get("/webhooks").await.body["data"][0]["is_active"],
        false
    );
    stage.customer().await;
    assert_eq!(wait(&received, 5).await.len(), 5, "nothing is sent to it");
    assert_eq!(
        stage
            .get("/webhooks/events?status=failed")
            .await
            .ids()
            .len(),
        2
    );
    let again = json!({"subscription_id": id});
    let again = stage.post("/webhooks/retry", again).await;
    assert_eq!(
        (again.status, &again.body["is_active"]),
        (200, &json!(true))
    );
    assert_eq!(wait(&received, 7).await.len(), 7);
    assert_eq!(
        stage
            .get("/webhooks/events?status=pending")
            .await
            .ids()
            .len(),
        2
    );
    let nobody = json!({"subscription_id": "whk_none"});
    assert_eq!(stage.post("/webhooks/retry", nobody).await.status, 404);
}

#[tokio::test]
async fn notifications_are_lost_and_duplicated_by_a_fault() {
    let stage = Stage::new().await;
    let (url, received) = endpoint(StatusCode::OK).await;
    subscribe(&stage, &url, "customer_created").await;
    let fault = |effect: &str| json!({"service": SERVICE, "effect": effect, "times": 1});
    stage.panel("faults", fault("webhook-lose")).await;
    stage.customer().await;
    assert_eq!(wait(&received, 0).await.len(), 0);
    stage.panel("faults", fault("webhook-duplicate")).await;
    stage.customer().await;
    let twice = wait(&received, 2).await;
    assert_eq!((twice.len(), &twice[0]), (2, &twice[1]));
}

#[tokio::test]
async fn a_subscription_is_switched_off_and_removed_behind_its_owner_s_back() {
    let stage = Stage::new().await;
    let (url, received) = endpoint(StatusCode::OK).await;
    let id = subscribe(&stage, &url, "customer_created").await;
    let act = format!("webhooks/{id}");
    let shown = stage.act(&act, json!({"action": "disable"})).await;
    assert_eq!(shown[0]["is_active"], false);
    stage.customer().await;
    assert_eq!(wait(&received, 0).await.len(), 0);
    stage.act(&act, json!({"action": "enable"})).await;
    stage.customer().await;
    assert_eq!(wait(&received, 1).await.len(), 1);
    let shown = stage.act(&act, json!({"action": "remove"})).await;
    assert_eq!(shown, json!([]));
    assert_eq!(
        stage.refused(&act, json!({"action": "enable"})).await.0,
        404
    );
}
