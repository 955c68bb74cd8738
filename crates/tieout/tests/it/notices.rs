//! Notices that come out of order, or not at all: they only say that something may have changed, and what has changed is
//! read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tieout::serve::Service;
use tieout_domain::{Kind, RecordRef, Side, State};

use crate::stage::Stage;

/// A stage that BILL's notices reach, and the service that heeds them.
async fn listening() -> (Stage, Arc<Service>) {
    let stage = Stage::new().await;
    stage.sync().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let path = stage.folder.path().join("tieout.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let connection = "[connections.acme-us]\n";
    assert!(
        text.contains(connection) && !text.contains("public_url"),
        "{text}"
    );
    let text = text.replacen(
        connection,
        &format!("{connection}schedule = \"never\"\n"),
        1,
    );
    std::fs::write(&path, format!("[server]\npublic_url = \"{url}\"\n{text}")).unwrap();
    let service = stage.served_at(listener).await;
    stage
        .until("it has subscribed", async |stage| stage.heard().await)
        .await;
    (stage, service)
}

impl Stage {
    /// The service of this home at work, as a new process would be.
    pub(crate) async fn served_at(&self, listener: tokio::net::TcpListener) -> Arc<Service> {
        let service = Service::new(self.restarted_home().await).await.unwrap();
        let router = service
            .router()
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let runs = Arc::clone(&service);
        tokio::spawn(async move {
            let patience = Duration::from_secs(1);
            runs.scheduler.work(runs.clone(), patience).await
        });
        tokio::spawn(Arc::clone(&service).subscribe());
        service
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        for _ in 0..600 {
            if is_so(self).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it never came: {what}");
    }

    /// Whether a notice has come, and every one is heeded.
    async fn heard(&self) -> bool {
        let seen = self.connection.store.hints_seen("bill").await.unwrap();
        seen.last.is_some() && seen.waiting_since.is_none()
    }

    async fn posted_as(&self, payment: &str) -> Option<State> {
        let record = RecordRef::new(Side::Platform, Kind::Payment, payment);
        let one = std::slice::from_ref(&record);
        let items = self.connection.store.items("bill-payments", one).await;
        items.unwrap().get(&record).map(|item| item.outcome.state)
    }

    async fn webhooks(&self, effect: &str) {
        self.fault(json!({"service": "bill", "share": 1.0, "times": 100, "effect": effect}))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s138_a_payment_is_read_again_whatever_order_its_notices_come_in() {
    let (stage, _service) = listening().await;
    let (_, bill) = stage.open_pairs().await.pop().unwrap();
    let payment = stage.pay(&[bill], None, "PROCESSED").await.remove(0);
    stage
        .until("it is posted", async |stage| {
            stage.posted_as(&payment).await == Some(State::Done)
        })
        .await;
    // Cleared, and then voided; told the other way round.
    stage.webhooks("webhook-reorder").await;
    stage
        .move_payment(&payment, json!({"status": "CLEARED"}))
        .await;
    stage
        .move_payment(&payment, json!({"status": "VOIDED"}))
        .await;
    stage
        .until("it is reversed", async |stage| {
            stage.posted_as(&payment).await == Some(State::Reversed)
        })
        .await;
    stage
        .until("all is heeded", async |stage| stage.heard().await)
        .await;
    stage.no_faults().await;
    stage.sync().await;
    assert_eq!(stage.posted_as(&payment).await, Some(State::Reversed));
    stage.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s139_what_lost_notices_would_have_said_is_found_by_the_next_read() {
    let (stage, service) = listening().await;
    let (_, bill) = stage.open_pairs().await.pop().unwrap();
    stage.webhooks("webhook-lose").await;
    let payment = stage.pay(&[bill], None, "PROCESSED").await.remove(0);
    let calls: Value = stage.panel.get("/control/state").await.unwrap();
    assert!(calls["bill"]["webhooks"]["history"] != 0, "{calls}");
    assert_eq!(stage.posted_as(&payment).await, None);
    stage.no_faults().await;
    // The next read: by the schedule, by hand, or because something else was told.
    stage.sync().await;
    assert_eq!(stage.posted_as(&payment).await, Some(State::Done));
    stage.assert_quiet().await;
    drop(service);
}
