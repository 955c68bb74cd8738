//! A notification of Alternative Payments while the service is at work: its secret is checked, and a run looks.

use serde_json::{Value, json};
use tieout::sandbox::Panel;
use tieout_domain::{Kind, RecordRef, Side, State};
use tokio::net::TcpListener;

use super::{id, open_pairs, small, there};
use crate::stage::Stage;

/// Where the service sends what it tells of the one connection.
const PATH: &str = "/webhooks/alternative-payments/demo";

impl Stage {
    /// Whether the service tells this address of payments.
    async fn is_told_of_payments(&self) -> bool {
        let records = self.panel.get("/control/records").await.unwrap();
        let told = records["alternative-payments"]["webhooks"]
            .as_array()
            .cloned();
        let of_payments =
            |one: &Value| one["topic"] == "payment_succeeded" && one["is_active"] == true;
        told.is_some_and(|told| told.iter().any(of_payments))
    }

    async fn is_posted(&self, payment: &str) -> bool {
        let record = RecordRef::new(Side::Platform, Kind::CustomerPayment, payment);
        let one = std::slice::from_ref(&record);
        let items = self.connection.store.items("payments", one).await.unwrap();
        let item = items.get(&record);
        item.is_some_and(|item| item.outcome.state == State::Done)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s180_a_notification_with_the_secret_has_a_payment_posted_and_one_without_is_refused() {
    let mut stage = Stage::paid_there(small(), "all").await;
    stage.sync().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    stage
        .add_to("[connections.demo]\n", "schedule = \"never\"\n")
        .await;
    let path = stage.folder.path().join(tieout::home::CONFIG);
    let written = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        format!("[server]\npublic_url = \"{url}\"\n{written}"),
    )
    .unwrap();
    let _service = stage.served_at(listener).await;
    let outside = Panel::new(&json!({"control": url})).unwrap();
    let forged = json!({"id": "evt_1", "topic": "payment_succeeded", "data": {"id": "pay_1"}});
    let refused = outside.post(PATH, &forged.to_string()).await.unwrap_err();
    assert!(refused.cause.contains("401"), "{}", refused.cause);
    stage
        .until("it is subscribed", async |stage| {
            stage.is_told_of_payments().await
        })
        .await;
    let (_, copy) = open_pairs(&stage).await.remove(0);
    let paid = id(&there(&stage, "pay", json!({"invoice": copy.id})).await);
    stage
        .until("the payment is posted", async |stage| {
            stage.is_posted(&paid).await
        })
        .await;
    stage
        .until("every notification is heeded", async |stage| {
            let store = &stage.connection.store;
            let seen = store.hints_seen("alternative-payments").await.unwrap();
            seen.last.is_some() && seen.waiting_since.is_none()
        })
        .await;
}
