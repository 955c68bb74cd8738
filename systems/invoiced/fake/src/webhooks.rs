//! Endpoints, and what has to go to them (README §Webhooks).

use std::collections::VecDeque;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tieout_kit::fake::ControlError;

use crate::account::Account;
use crate::json::Json;
use crate::kind::Kind;
use crate::switches::SignatureForm;

/// Seconds between two attempts.
const RETRY_SECONDS: i64 = 60 * 60;
/// How many attempts follow the first one before the endpoint is disabled.
const RETRIES: u32 = 48;

/// Endpoints, and what waits for its next attempt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Webhooks {
    /// The address of the service, for the links in what is sent.
    pub(crate) base: String,
    endpoints: Vec<Endpoint>,
    /// What waits, with the moment of its next attempt.
    waiting: VecDeque<(i64, Delivery)>,
}

#[derive(Debug, Clone)]
struct Endpoint {
    id: i64,
    url: String,
    secret: String,
    enabled: bool,
}

/// One notification to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    endpoint: i64,
    /// The `webhook_attempt` that keeps its history.
    attempt: i64,
    event: i64,
    failures: u32,
    /// When this attempt was due: the next one is counted from it.
    due: i64,
}

/// What is sent over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Where to.
    pub(crate) url: String,
    /// The raw body.
    pub(crate) body: String,
    /// The signature over it.
    pub(crate) signature: String,
}

/// The signature of a body under an endpoint's secret.
fn signature(secret: &str, body: &str, form: SignatureForm) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    match form {
        SignatureForm::Base64 => STANDARD.encode(tag),
        SignatureForm::Hex => tag
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    }
}

/// Lets an event go to every endpoint that is on.
pub(crate) fn queue(account: &mut Account, event: i64) {
    let now = account.now();
    let enabled: Vec<(i64, String)> = account
        .webhooks
        .endpoints
        .iter()
        .filter(|one| one.enabled)
        .map(|one| (one.id, one.url.clone()))
        .collect();
    for (endpoint, url) in enabled {
        let attempt = Json::whole([
            ("event_id", event.into()),
            ("url", url.into()),
            ("attempts", Vec::new().into()),
            ("next_attempt", now.into()),
            ("created_at", now.into()),
            ("updated_at", now.into()),
        ]);
        let attempt = account.table_mut(Kind::WebhookAttempt).push(attempt);
        let delivery = Delivery {
            endpoint,
            attempt,
            event,
            failures: 0,
            due: now,
        };
        account.webhooks.waiting.push_back((now, delivery));
    }
}

/// What is due by now.
pub(crate) fn due(account: &mut Account) -> Vec<Delivery> {
    let now = account.now();
    let all = std::mem::take(&mut account.webhooks.waiting);
    let (due, later): (VecDeque<_>, VecDeque<_>) = all.into_iter().partition(|(at, _)| *at <= now);
    account.webhooks.waiting = later;
    due.into_iter().map(|(_, delivery)| delivery).collect()
}

/// Puts back what can't be sent now.
pub(crate) fn put_back(account: &mut Account, deliveries: Vec<Delivery>) {
    for delivery in deliveries {
        account.webhooks.waiting.push_back((delivery.due, delivery));
    }
}

/// What a delivery sends; nothing if its endpoint is off or gone.
pub(crate) fn message(account: &Account, delivery: &Delivery) -> Option<Message> {
    let endpoint = account
        .webhooks
        .endpoints
        .iter()
        .find(|one| one.id == delivery.endpoint && one.enabled)?;
    let body = account.table(Kind::Event).get(delivery.event)?.to_text();
    Some(Message {
        url: endpoint.url.clone(),
        signature: signature(&endpoint.secret, &body, account.switches.signature),
        body,
    })
}

/// Takes note of what an endpoint answered (0: nothing). Gives the delivery back where its next attempt is due.
pub(crate) fn answered(
    account: &mut Account,
    mut delivery: Delivery,
    status: u16,
) -> Option<Delivery> {
    let good = (200..300).contains(&status);
    let now = account.now();
    delivery.failures += u32::from(!good);
    let over = good || delivery.failures > RETRIES;
    delivery.due += RETRY_SECONDS;
    let next = if over {
        Json::Null
    } else {
        delivery.due.into()
    };
    let entry = Json::object([
        ("timestamp", now.into()),
        ("status_code", u32::from(status).into()),
    ]);
    account.change_quietly(Kind::WebhookAttempt, delivery.attempt, |attempt| {
        let mut entries = attempt.list("attempts").to_vec();
        entries.push(entry);
        attempt.put("attempts", entries.into());
        attempt.put("next_attempt", next);
        attempt.put("updated_at", now.into());
    });
    if good {
        return None;
    }
    if over {
        let all = &mut account.webhooks.endpoints;
        if let Some(endpoint) = all.iter_mut().find(|one| one.id == delivery.endpoint) {
            endpoint.enabled = false;
        }
        return None;
    }
    if delivery.due <= now {
        return Some(delivery);
    }
    account.webhooks.waiting.push_back((delivery.due, delivery));
    None
}

/// `POST /webhook_attempts/:id/retries`: the event goes out once more, now.
pub(crate) fn retry(account: &mut Account, attempt: i64) {
    let now = account.now();
    let Some(fields) = account.table(Kind::WebhookAttempt).get(attempt) else {
        return;
    };
    let event = crate::shape::id(fields, "event_id").unwrap_or_default();
    let url = fields.text("url").unwrap_or_default().to_owned();
    let endpoint = account.webhooks.endpoints.iter().find(|one| one.url == url);
    if let Some(endpoint) = endpoint.map(|one| one.id) {
        let delivery = Delivery {
            endpoint,
            attempt,
            event,
            failures: 0,
            due: now,
        };
        account.webhooks.waiting.push_back((now, delivery));
    }
}

/// `POST /control/invoiced/webhooks`: what a person does with endpoints in the service's settings.
pub(crate) fn control(account: &mut Account, body: &Json) -> Result<Json, ControlError> {
    let url = body
        .text("url")
        .ok_or_else(|| ControlError::bad("`url` is missing"))?;
    let known = account
        .webhooks
        .endpoints
        .iter()
        .position(|one| one.url == url);
    match (body.text("action").unwrap_or("add"), known) {
        ("add", None) => {
            let secret = account.random.token(32);
            let id = account.outbound.next_line();
            let url = url.to_owned();
            account.webhooks.endpoints.push(Endpoint {
                id,
                url,
                secret,
                enabled: true,
            });
        }
        ("add" | "enable", Some(at)) => account.webhooks.endpoints[at].enabled = true,
        ("disable", Some(at)) => account.webhooks.endpoints[at].enabled = false,
        ("remove", Some(at)) => drop(account.webhooks.endpoints.remove(at)),
        ("enable" | "disable" | "remove", None) => {
            return Err(ControlError::missing(format!("there is no endpoint {url}")));
        }
        _ => {
            return Err(ControlError::bad(
                "`action` is add, enable, disable or remove",
            ));
        }
    }
    Ok(endpoints(account))
}

/// All endpoints.
pub(crate) fn endpoints(account: &Account) -> Json {
    let all = account.webhooks.endpoints.iter().map(|one| {
        Json::object([
            ("url", one.url.as_str().into()),
            ("secret", one.secret.as_str().into()),
            ("enabled", one.enabled.into()),
        ])
    });
    all.collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_rfc_4231() {
        let sign = |form| signature("Jefe", "what do ya want for nothing?", form);
        assert_eq!(
            sign(SignatureForm::Base64),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
        assert_eq!(
            sign(SignatureForm::Hex),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
