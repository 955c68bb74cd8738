//! Sending notifications: nothing is signed, the key that was given comes back (README §Webhooks).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header;
use tieout_kit::fake::WebhookEffect;
use tieout_kit::transport::{Network, Transport};

use crate::{SERVICE, Shared, webhooks};

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
    for event in due {
        runtime.spawn(send(Arc::clone(shared), event));
    }
}

async fn send(shared: Arc<Shared>, event: String) {
    match shared.faults.webhook_effect(SERVICE) {
        Some(WebhookEffect::Lose) => {
            // The service takes it for delivered.
            webhooks::answered(&mut shared.account(), &event, 200);
            return;
        }
        Some(WebhookEffect::Delay(wait)) => tokio::time::sleep(wait).await,
        Some(WebhookEffect::Reorder) => tokio::time::sleep(OUT_OF_ORDER).await,
        Some(WebhookEffect::Duplicate) => drop(attempt(&shared, &event).await),
        None => {}
    }
    // On a clock that was moved, several attempts may be due at once.
    while let Some(status) = attempt(&shared, &event).await {
        if !webhooks::answered(&mut shared.account(), &event, status) {
            return;
        }
    }
}

/// Sends a notification once and gives the endpoint's status; 0 when there was no answer, nothing when there is
/// nobody to send it to.
async fn attempt(shared: &Shared, event: &str) -> Option<u16> {
    let message = webhooks::message(&shared.account(), event)?;
    let transport = transport(shared)?;
    let mut request =
        http::Request::post(message.url).header(header::CONTENT_TYPE, "application/json");
    if let Some(secret) = message.secret {
        request = request.header(header::AUTHORIZATION, format!("Bearer {secret}"));
    }
    let request = request.body(Bytes::from(message.body)).ok()?;
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
