//! Sending notifications: four more attempts, then the subscription is off (README §Webhooks).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tieout_kit::fake::WebhookEffect;
use tieout_kit::transport::{Network, Transport};

use crate::Shared;
use crate::json::Json;
use crate::webhooks::{Event, signature};

/// How long an endpoint has to answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// What is waited before each further attempt, in units of [`Options::retry_unit`](crate::Options).
const WAITS: [u32; 4] = [2, 4, 8, 16];

/// Sends everything that has to go out, each notification by itself: their order is not kept.
pub(crate) fn send_all(shared: &Arc<Shared>) {
    let events = std::mem::take(&mut shared.organization().webhooks.outbox);
    if events.is_empty() {
        return;
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        // Outside a runtime nothing can be sent: the next call does it.
        shared.organization().webhooks.outbox.extend(events);
        return;
    };
    for event in events {
        runtime.spawn(send(Arc::clone(shared), event));
    }
}

async fn send(shared: Arc<Shared>, event: Event) {
    match shared.faults.webhook_effect("bill") {
        Some(WebhookEffect::Lose) => return,
        Some(WebhookEffect::Delay(wait)) => tokio::time::sleep(wait).await,
        Some(WebhookEffect::Reorder) => tokio::time::sleep(Duration::from_secs(1)).await,
        Some(WebhookEffect::Duplicate) => drop(attempt(&shared, &event).await),
        None => {}
    }
    let mut waits = WAITS.iter();
    loop {
        if attempt(&shared, &event).await == 200 {
            return;
        }
        let Some(wait) = waits.next() else { break };
        let unit = shared.organization().options.retry_unit;
        tokio::time::sleep(unit * *wait).await;
    }
    let mut org = shared.organization();
    let stamp = org.stamp();
    org.webhooks.disable(&event.subscription, stamp);
}

/// Sends a notification once and gives the endpoint's status; 0 when there was no answer.
pub(crate) async fn attempt(shared: &Shared, event: &Event) -> u16 {
    let (target, escaped) = {
        let org = shared.organization();
        (org.webhooks.target(event), org.options.escaped_webhooks)
    };
    let Some((url, key)) = target else { return 200 };
    let Some(transport) = transport(shared) else {
        return 0;
    };
    let body = if escaped {
        Json::from(event.payload.as_str()).to_text()
    } else {
        event.payload.clone()
    };
    let request = http::Request::post(url)
        .header("content-type", "application/json")
        .header("x-bill-sha-signature", signature(&key, &event.payload))
        .body(Bytes::from(body));
    let Ok(request) = request else { return 0 };
    match transport.send(request, DEADLINE).await {
        Ok(answer) => answer.status().as_u16(),
        Err(_) => 0,
    }
}

fn transport(shared: &Shared) -> Option<Arc<dyn Transport>> {
    let network = || {
        Network::new()
            .ok()
            .map(|network| Arc::new(network) as Arc<dyn Transport>)
    };
    shared.transport.get_or_init(network).clone()
}
