//! Sending notifications: within thirty seconds, again every hour, 48 times (README §Webhooks).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tieout_kit::fake::WebhookEffect;
use tieout_kit::transport::{Network, Transport};

use crate::Shared;
use crate::webhooks::{self, Delivery};

/// How long an endpoint has to answer.
const DEADLINE: Duration = Duration::from_secs(30);
/// How much later a notification comes that is to arrive after the next one.
const OUT_OF_ORDER: Duration = Duration::from_secs(1);

/// Sends everything that is due, each notification by itself: their order is not kept.
pub(crate) fn send_all(shared: &Arc<Shared>) {
    let due = webhooks::due(&mut shared.account());
    if due.is_empty() {
        return;
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        // Outside a runtime nothing can be sent: the next call does it.
        webhooks::put_back(&mut shared.account(), due);
        return;
    };
    for delivery in due {
        runtime.spawn(send(Arc::clone(shared), delivery));
    }
}

async fn send(shared: Arc<Shared>, delivery: Delivery) {
    match shared.faults.webhook_effect("invoiced") {
        Some(WebhookEffect::Lose) => return,
        Some(WebhookEffect::Delay(wait)) => tokio::time::sleep(wait).await,
        Some(WebhookEffect::Reorder) => tokio::time::sleep(OUT_OF_ORDER).await,
        Some(WebhookEffect::Duplicate) => drop(attempt(&shared, &delivery).await),
        None => {}
    }
    let mut next = Some(delivery);
    // On a clock that was moved, several hours' attempts may be due at once.
    while let Some(delivery) = next {
        let Some(status) = attempt(&shared, &delivery).await else {
            return;
        };
        next = webhooks::answered(&mut shared.account(), delivery, status);
    }
}

/// Sends a notification once and gives the endpoint's status; 0 when there was no answer, nothing when there is
/// nobody to send it to.
async fn attempt(shared: &Shared, delivery: &Delivery) -> Option<u16> {
    let message = webhooks::message(&shared.account(), delivery)?;
    let transport = transport(shared)?;
    let request = http::Request::post(message.url)
        .header("content-type", "application/json")
        .header("x-invoiced-signature", message.signature)
        .body(Bytes::from(message.body))
        .ok()?;
    let answer = transport.send(request, DEADLINE).await;
    Some(answer.map_or(0, |answer| answer.status().as_u16()))
}

fn transport(shared: &Shared) -> Option<Arc<dyn Transport>> {
    let network = || {
        let network = Network::new().ok()?;
        Some(Arc::new(network) as Arc<dyn Transport>)
    };
    shared.transport.get_or_init(network).clone()
}
