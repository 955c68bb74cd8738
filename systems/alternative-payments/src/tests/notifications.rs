//! Subscriptions: one for each topic over there, one for each address here.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tieout_kit::webhooks::{Subscriptions, Webhooks};

use super::{Stage, list, status};

const URL: &str = "https://tieout.example/webhooks/alternative-payments/acme";

fn subscriptions(stage: &Stage) -> Arc<dyn Subscriptions> {
    let Some(Webhooks::Signed(signed)) = crate::SYSTEM.webhooks else {
        panic!()
    };
    let table = stage.table.as_object().unwrap();
    (signed.subscriptions)(table, Stage::credential(), stage.kit.clone()).unwrap()
}

fn webhook(id: &str, url: &str, topic: &str, is_active: bool) -> String {
    json!({"id": id, "partner_id": "p", "endpoint_url": url, "topic": topic, "is_active": is_active,
        "secret_last_4_digits": "7f7f"})
    .to_string()
}

/// All topics of an address; `off` is switched off, `lacks` isn't there.
fn account(off: &str, lacks: &str) -> Vec<String> {
    let topics = [
        "payment_succeeded",
        "payment_failed",
        "payment_refunded",
        "payment_chargeback",
        "payout_paid",
        "payout_failed",
        "invoice_archived",
        "customer_archived",
    ];
    topics
        .iter()
        .filter(|topic| **topic != lacks)
        .map(|topic| webhook(&format!("whk_{topic}"), URL, topic, *topic != off))
        .chain([webhook(
            "whk_x",
            "https://other.example/",
            "invoice_paid",
            true,
        )])
        .collect()
}

fn stage(off: &'static str, lacks: &'static str) -> Stage {
    Stage::new("", move |seen| match seen.call.as_str() {
        "GET /webhooks?limit=100" => {
            let all = account(off, lacks);
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            list(&all)
        }
        call if call.starts_with("GET /webhooks/events") => list(&[
            r#"{"id":"evt_1","subscription_id":"whk_payout_paid","status":"failed"}"#,
            r#"{"id":"evt_2","subscription_id":"whk_payout_paid","status":"delivered"}"#,
            r#"{"id":"evt_3","subscription_id":"whk_x","status":"failed"}"#,
        ]),
        call if call.starts_with("DELETE") => status(204, ""),
        _ => status(201, "{}"),
    })
}

#[tokio::test]
async fn every_topic_of_an_address_is_subscribed_with_one_secret() {
    let stage = stage("", "");
    let (id, secret) = subscriptions(&stage).subscribe(URL).await.unwrap();
    assert_eq!(id, URL);
    assert_eq!(secret.expose_secret().len(), 64);
    let sent: Vec<Value> = stage.seen().iter().map(super::Seen::json).collect();
    assert_eq!(sent.len(), 8);
    for body in sent {
        assert_eq!(body["endpoint_url"], URL);
        assert_eq!(body["secret_key"], secret.expose_secret());
    }
}

#[tokio::test]
async fn s244_an_address_is_whole_only_with_every_topic_and_on_only_with_all_of_them() {
    let shown = async |off, lacks| {
        let all = subscriptions(&stage(off, lacks)).list().await.unwrap();
        let ours = all.into_iter().find(|one| one.url == URL).unwrap();
        (ours.id == URL, ours.enabled)
    };
    assert_eq!(shown("", "").await, (true, true));
    assert_eq!(shown("payout_paid", "").await, (true, false));
    assert_eq!(shown("", "payout_paid").await, (false, true));
    let stage = stage("payout_paid", "");
    subscriptions(&stage).enable(URL).await.unwrap();
    let last = stage.seen().pop().unwrap();
    assert_eq!(last.call, "POST /webhooks/retry");
    assert_eq!(last.json(), json!({"subscription_id": "whk_payout_paid"}));
    assert_eq!(stage.seen().len(), 2);
}

#[tokio::test]
async fn what_is_removed_is_of_this_address_alone() {
    let stage = stage("", "payout_paid");
    let there = subscriptions(&stage);
    let id = format!("incomplete:{URL}");
    there.unsubscribe(&id).await.unwrap();
    let deleted = stage
        .calls()
        .into_iter()
        .filter(|call| call.starts_with("DELETE"));
    assert_eq!(deleted.filter(|call| !call.ends_with("whk_x")).count(), 7);
    assert_eq!(stage.calls().len(), 8);
}

#[tokio::test]
async fn a_new_secret_is_in_use_before_the_old_one_ends() {
    let stage = stage("", "");
    let secret = subscriptions(&stage).renew_key(URL).await.unwrap();
    let calls = stage.calls();
    let made = calls
        .iter()
        .rposition(|call| call == "POST /webhooks")
        .unwrap();
    let removed = calls
        .iter()
        .position(|call| call.starts_with("DELETE"))
        .unwrap();
    assert!(made < removed, "{calls:?}");
    assert_eq!(
        stage.seen()[made].json()["secret_key"],
        secret.expose_secret()
    );
    assert_eq!(subscriptions(&stage).test(URL).await, Ok(None));
}

#[tokio::test]
async fn s244_what_could_not_be_delivered_is_told_by_the_service() {
    let stage = stage("", "");
    let since = "2026-06-12T10:00:00Z".parse().unwrap();
    let missed = subscriptions(&stage)
        .events_since(URL, since)
        .await
        .unwrap();
    assert_eq!(missed, ["evt_1"]);
    let last = stage.calls().pop().unwrap();
    assert_eq!(
        last,
        "GET /webhooks/events?limit=100&status=failed&created_at_start=2026-06-12T10:00:00Z"
    );
}
