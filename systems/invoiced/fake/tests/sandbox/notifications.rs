//! Events and webhooks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stage::{NOW, Stage};

/// What an endpoint was sent: the signature and the body.
type Received = Arc<Mutex<Vec<(String, String)>>>;

/// An endpoint that answers everything with a status.
async fn endpoint(status: StatusCode) -> (String, Received) {
    let received = Received::default();
    let kept = Arc::clone(&received);
    let take = move |headers: axum::http::HeaderMap, body: String| {
        let signature = headers["x-invoiced-signature"].to_str().unwrap().to_owned();
        kept.lock().unwrap().push((signature, body));
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

fn signed(secret: &str, body: &str) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    aws_lc_rs::hmac::sign(&key, body.as_bytes())
        .as_ref()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn hooked(stage: &Stage, status: StatusCode) -> (String, Received) {
    let (url, received) = endpoint(status).await;
    let endpoints = stage.panel("invoiced/webhooks", json!({"url": url})).await;
    (
        endpoints[0]["secret"].as_str().unwrap().to_owned(),
        received,
    )
}

#[tokio::test]
async fn events_are_listed_newest_first_and_carry_whole_objects() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "10").await;
    stage.advance("1m").await;
    let body = json!({"amount": 10, "applied_to": [{"type": "invoice", "invoice": invoice, "amount": 10}]});
    stage.post("/payments", body).await;
    let events = stage.get("/events").await;
    let kinds: Vec<_> = events
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["type"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "invoice.paid",
            "invoice.updated",
            "payment.created",
            "invoice.created",
            "customer.created"
        ]
    );
    let updated = &events.body[1];
    assert_eq!(
        updated["data"]["object"]["customer"]["name"], "Acme",
        "an object here, a number elsewhere"
    );
    assert_eq!(
        updated["data"]["previous"],
        json!({"balance": 10, "paid": false, "status": "not_sent"})
    );
    let about = stage
        .get(&format!("/events?related_to=invoice,{invoice}"))
        .await;
    assert_eq!(about.ids().len(), 3);
    assert_eq!(
        stage
            .get(&format!("/events?related_to=customer,{customer}"))
            .await
            .ids()
            .len(),
        5
    );
    assert_eq!(
        stage
            .get("/events?filter[type]=invoice.paid")
            .await
            .ids()
            .len(),
        1
    );
    assert_eq!(
        stage.get("/events?type=payment.created").await.ids().len(),
        1
    );
    assert_eq!(
        stage
            .get(&format!("/events?start_date={}", NOW + 60))
            .await
            .ids()
            .len(),
        3
    );
    stage.switch("previous_on_top", true).await;
    stage
        .patch(&format!("/customers/{customer}"), json!({"city": "Oslo"}))
        .await;
    let newest = &stage.get("/events?per_page=1").await.body[0];
    assert_eq!(
        (&newest["previous"]["city"], &newest["data"].get("previous")),
        (&Value::Null, &None)
    );
}

#[tokio::test]
async fn a_void_is_told_of_in_one_of_two_ways() {
    let stage = Stage::new().await;
    let void = async || {
        let payment = stage.post("/payments", json!({"amount": 1})).await.id();
        stage.delete(&format!("/payments/{payment}")).await;
        stage.get("/events?per_page=1").await.body[0]["type"].clone()
    };
    assert_eq!(void().await, "payment.updated");
    stage.switch("void_is_deleted", true).await;
    assert_eq!(void().await, "payment.deleted");
}

#[tokio::test]
async fn a_deleted_invoice_is_found_by_its_event_alone() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "10").await;
    assert_eq!(
        stage.delete(&format!("/invoices/{invoice}")).await.status,
        204
    );
    assert_eq!(stage.get(&format!("/invoices/{invoice}")).await.status, 404);
    let event = &stage.get("/events?filter[type]=invoice.deleted").await.body[0];
    assert_eq!(event["data"]["object"]["id"], invoice);
}

#[tokio::test]
async fn notifications_are_signed_over_their_raw_bytes_in_hex_or_base64() {
    use base64::Engine as _;
    let stage = Stage::new().await;
    let (secret, received) = hooked(&stage, StatusCode::OK).await;
    stage.customer().await;
    let first = wait(&received, 1).await;
    assert_eq!(first[0].0, hex(&signed(&secret, &first[0].1)));
    let event: Value = serde_json::from_str(&first[0].1).unwrap();
    assert_eq!(event, stage.get("/events").await.body[0]);
    stage.switch("signature", "base64").await;
    stage.customer().await;
    let second = wait(&received, 2).await;
    let base64 = base64::engine::general_purpose::STANDARD.encode(signed(&secret, &second[1].1));
    assert_eq!(second[1].0, base64);
    let attempts = stage.get("/webhook_attempts").await;
    assert_eq!(attempts.body[0]["attempts"][0]["status_code"], 200);
}

#[tokio::test]
async fn an_endpoint_that_fails_is_tried_every_hour_48_times_and_then_disabled() {
    let stage = Stage::new().await;
    let (_, received) = hooked(&stage, StatusCode::BAD_GATEWAY).await;
    stage.customer().await;
    assert_eq!(wait(&received, 1).await.len(), 1);
    stage.advance("30m").await;
    assert_eq!(wait(&received, 1).await.len(), 1);
    stage.advance("31m").await;
    assert_eq!(wait(&received, 2).await.len(), 2);
    stage.advance("46h").await;
    assert_eq!(wait(&received, 48).await.len(), 48);
    assert_eq!(stage.shown("state").await["webhooks"][0]["enabled"], true);
    stage.advance("2h").await;
    assert_eq!(
        wait(&received, 49).await.len(),
        49,
        "the first attempt and 48 more"
    );
    assert_eq!(stage.shown("state").await["webhooks"][0]["enabled"], false);
    stage.customer().await;
    assert_eq!(wait(&received, 49).await.len(), 49, "nothing is sent to it");
    assert_eq!(
        stage.get("/events").await.ids().len(),
        2,
        "but the events are there"
    );
}

#[tokio::test]
async fn notifications_are_lost_and_duplicated_by_a_fault_and_sent_again_on_request() {
    let stage = Stage::new().await;
    let (_, received) = hooked(&stage, StatusCode::OK).await;
    stage
        .panel(
            "faults",
            json!({"service": "invoiced", "effect": "webhook-lose", "times": 1}),
        )
        .await;
    stage.customer().await;
    assert_eq!(wait(&received, 0).await.len(), 0);
    stage
        .panel(
            "faults",
            json!({"service": "invoiced", "effect": "webhook-duplicate", "times": 1}),
        )
        .await;
    stage.customer().await;
    let twice = wait(&received, 2).await;
    assert_eq!((twice.len(), &twice[0]), (2, &twice[1]));
    let lost = *stage.get("/webhook_attempts").await.ids().last().unwrap();
    let again = stage
        .post(&format!("/webhook_attempts/{lost}/retries"), json!({}))
        .await;
    assert_eq!(again.status, 201);
    assert_eq!(wait(&received, 3).await.len(), 3);
}
