//! Notifications of Invoiced while the service is at work: a person enters the address and the key, a signed one has a
//! run look, a forged one is refused, and what never arrived is found among past events.

use serde_json::{Value, json};
use tieout::commands::credentials;
use tieout::sandbox::Panel;
use tieout_domain::{Kind, RecordRef, Side, State};
use tokio::net::TcpListener;

use super::{held, open_pairs, pays, selling};
use crate::stage::Stage;

/// Where Invoiced sends what it tells of the one connection.
const PATH: &str = "/webhooks/invoiced/demo";

/// A company whose invoices have gone over, what the configuration needs to write to the ledger, and a listener.
async fn ready() -> (Stage, TcpListener, String) {
    let mut stage = Stage::selling(selling()).await;
    stage.sync().await;
    stage.reconcile().await;
    stage.sync().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let path = stage.folder.path().join("tieout.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let receivables = &stage.connection.preferences.receivables;
    let chosen = format!(
        "reconcile = true\ndefault_item = \"{}\"\ntax_item = \"{}\"\ndiscount_item = \"{}\"\nfee_item = \"{}\"\n",
        receivables.default_item,
        receivables.tax_item,
        receivables.discount_item,
        receivables.fee_item
    );
    let text = text.replacen(
        "[connections.demo]\n",
        "[connections.demo]\nschedule = \"never\"\n",
        1,
    );
    let text = format!("[server]\npublic_url = \"{url}\"\n{text}{chosen}");
    std::fs::write(&path, text).unwrap();
    (stage, listener, url)
}

impl Stage {
    /// Somebody does this with the address in Invoiced's settings.
    async fn at_invoiced(&self, url: &str, action: &str) -> Value {
        let body = json!({"url": format!("{url}{PATH}"), "action": action});
        let path = "/control/invoiced/webhooks";
        self.panel.post(path, &body.to_string()).await.unwrap()
    }

    /// Enters the address at Invoiced, and the key that it shows here.
    async fn enter_address(&self, url: &str) {
        let endpoints = self.at_invoiced(url, "add").await;
        let mut fields = self.sandbox.description["invoiced"]["invoiced"].clone();
        fields["webhook_secret"] = endpoints[0]["secret"].clone();
        let kind = credentials::known_kind("invoiced").unwrap();
        let fields = fields.to_string().into();
        credentials::seal(&self.home, "invoiced", kind, fields, "a test")
            .await
            .unwrap();
    }

    /// Whether a notification has come, and every one is heeded.
    async fn heeded(&self) -> bool {
        let seen = self.connection.store.hints_seen("invoiced").await.unwrap();
        seen.last.is_some() && seen.waiting_since.is_none()
    }

    /// Whether the last payment that was made on Invoiced is in the ledger.
    async fn last_is_posted(&self) -> bool {
        let payments = held(self, "invoiced", "payments").await;
        let ids = payments.iter().map(|it| it["id"].as_str().unwrap());
        let last = ids.max_by_key(|id| id.parse::<u64>().unwrap()).unwrap();
        let record = RecordRef::new(Side::Platform, Kind::CustomerPayment, last);
        let one = std::slice::from_ref(&record);
        let items = self.connection.store.items("payments", one).await.unwrap();
        let item = items.get(&record);
        item.is_some_and(|item| item.outcome.state == State::Done)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_notification_of_a_payment_has_it_posted_and_a_forged_one_is_refused() {
    let (stage, listener, url) = ready().await;
    stage.enter_address(&url).await;
    let _service = stage.served_at(listener).await;
    let outside = Panel::new(&json!({"control": url})).unwrap();
    let forged = json!({"id": 1, "type": "payment.created", "data": {"object": {"id": 1}}});
    let refused = outside.post(PATH, &forged.to_string()).await.unwrap_err();
    assert!(refused.cause.contains("401"), "{}", refused.cause);
    let seen = stage.connection.store.hints_seen("invoiced").await.unwrap();
    assert!(seen.last.is_none(), "a forged one was taken");

    let (_, there) = open_pairs(&stage).await.remove(0);
    pays(&stage, &there, None, "check").await;
    assert!(!stage.last_is_posted().await);
    stage
        .until("the payment is posted", async |stage| {
            stage.last_is_posted().await && stage.heeded().await
        })
        .await;
    stage.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s244_what_an_address_that_was_switched_off_missed_is_found_among_past_events() {
    let (stage, listener, url) = ready().await;
    stage.enter_address(&url).await;
    let service = stage.served_at(listener).await;
    let pairs = open_pairs(&stage).await;
    pays(&stage, &pairs[0].1, None, "check").await;
    stage
        .until("the first is posted", async |stage| {
            stage.last_is_posted().await && stage.heeded().await
        })
        .await;
    // Invoiced gives up on the address, and nobody tells.
    stage.at_invoiced(&url, "disable").await;
    pays(&stage, &pairs[1].1, None, "check").await;
    assert!(!stage.last_is_posted().await);
    drop(service);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _service = stage.served_at(listener).await;
    stage
        .until("what was missed is posted", async |stage| {
            stage.last_is_posted().await
        })
        .await;
    stage.assert_quiet().await;
}
