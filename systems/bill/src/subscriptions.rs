//! Subscriptions to notifications, at BILL's events service (README §Webhooks).

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Fault, Timestamp};
use tieout_kit::webhooks::{Subscription, Subscriptions};
use tieout_kit::{ConnectError, Credential, Kit};

use crate::call::{Client, escaped, parse};
use crate::problem::Effect;
use crate::settings::{Login, Settings};
use crate::wire;

/// What this program wants to hear of. There is no event for a payment that is made: its bill tells of it.
const EVENTS: [&str; 10] = [
    "vendor.created",
    "vendor.updated",
    "vendor.archived",
    "vendor.restored",
    "bill.created",
    "bill.updated",
    "bill.archived",
    "bill.restored",
    "payment.updated",
    "payment.failed",
];

/// How many a page holds.
const PAGE: usize = 100;
/// More pages than the events of 180 days fill are a loop.
const PAGES_MAX: usize = 10_000;

/// Makes what keeps an organization's subscriptions. Sends nothing.
pub(crate) fn connect(
    table: &Map<String, Value>,
    credential: Credential,
    kit: Kit,
) -> Result<Arc<dyn Subscriptions>, ConnectError> {
    let settings = Settings::read(table)?;
    if settings.events_url.is_none() {
        return Err(ConnectError {
            code: Code::new("events-url-missing"),
            cause: "`base_url` puts a stand-in in BILL's place, and `events_url` names none for its events service; \
                    nothing is asked of BILL's own"
                .to_owned(),
        });
    }
    let login = Login::read(&credential)?;
    let client = Arc::new(Client::new(settings, login, kit));
    Ok(Arc::new(Organization { client }))
}

struct Organization {
    client: Arc<Client>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    id: String,
    security_key: String,
}

/// A new key: the guide shows its id too, which may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Renewed {
    security_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    #[serde(default, deserialize_with = "wire::text")]
    notification_url: String,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    enabled: bool,
}

/// These lists page forward only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    #[serde(default = "Vec::new")]
    results: Vec<T>,
    #[serde(default, deserialize_with = "wire::text")]
    next_page: String,
}

#[derive(Deserialize)]
struct Event {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tested {
    #[serde(default)]
    status_code: u16,
}

impl Organization {
    /// All pages of a list.
    async fn all<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        what: &str,
    ) -> Result<Vec<T>, Fault> {
        let mut all = Vec::new();
        let mut next = String::new();
        for _ in 0..PAGES_MAX {
            let with = if path.contains('?') { '&' } else { '?' };
            let page = if next.is_empty() {
                String::new()
            } else {
                format!("&page={}", escaped(&next))
            };
            let path = format!("{path}{with}max={PAGE}{page}");
            let page: Page<T> = self.client.read(&path, what).await?;
            all.extend(page.results);
            if page.next_page.is_empty() {
                break;
            }
            next = page.next_page;
        }
        Ok(all)
    }

    async fn send<T: serde::de::DeserializeOwned>(
        &self,
        (method, path): (Method, &str),
        body: &Value,
        what: &str,
    ) -> Result<T, Fault> {
        let body = body.to_string();
        let bytes = self.client.write(&method, path, Some(&body), what).await?;
        parse(&bytes, Effect::Write, what)
    }
}

#[async_trait]
impl Subscriptions for Organization {
    async fn subscribe(&self, url: &str) -> Result<(String, SecretString), Fault> {
        let event = |kind: &&str| json!({"type": kind, "version": "1"});
        let body = json!({
            "name": "tieout",
            "status": {"enabled": true},
            "events": EVENTS.iter().map(event).collect::<Vec<_>>(),
            "notificationUrl": url,
        });
        let call = (Method::POST, "/v3/subscriptions");
        let made: Made = self
            .send(call, &body, "subscribing to notifications")
            .await?;
        Ok((made.id, made.security_key.into()))
    }

    async fn list(&self) -> Result<Vec<Subscription>, Fault> {
        let shown: Vec<Shown> = self
            .all("/v3/subscriptions", "reading subscriptions")
            .await?;
        let one = |shown: Shown| Subscription {
            id: shown.id,
            url: shown.notification_url,
            enabled: shown.status.enabled,
        };
        Ok(shown.into_iter().map(one).collect())
    }

    async fn enable(&self, id: &str) -> Result<(), Fault> {
        let path = format!("/v3/subscriptions/{}", escaped(id));
        let body = json!({"status": {"enabled": true}});
        let call = (Method::PATCH, path.as_str());
        let _: Shown = self
            .send(call, &body, "switching the subscription on")
            .await?;
        Ok(())
    }

    async fn renew_key(&self, id: &str) -> Result<SecretString, Fault> {
        let path = format!("/v3/subscriptions/{}/security_key", escaped(id));
        let call = (Method::POST, path.as_str());
        let what = "asking for a new security key";
        let renewed: Renewed = self.send(call, &json!({}), what).await?;
        Ok(renewed.security_key.into())
    }

    async fn test(&self, id: &str) -> Result<Option<u16>, Fault> {
        let path = format!("/v3/subscriptions/{}/test", escaped(id));
        let body = json!({"eventType": "bill.updated", "version": "1"});
        let call = (Method::POST, path.as_str());
        let tested: Tested = self.send(call, &body, "asking for a test event").await?;
        Ok(Some(tested.status_code))
    }

    async fn events_since(&self, id: &str, since: Timestamp) -> Result<Vec<String>, Fault> {
        let (id, since) = (escaped(id), escaped(&format!("{since:.3}")));
        let path = format!("/v3/events/subscription/{id}?createdTimeFrom={since}");
        let events: Vec<Event> = self.all(&path, "reading past notifications").await?;
        Ok(events.into_iter().map(|event| event.id).collect())
    }

    async fn unsubscribe(&self, id: &str) -> Result<(), Fault> {
        let path = format!("/v3/subscriptions/{}", escaped(id));
        let what = "removing the subscription";
        self.client
            .write(&Method::DELETE, &path, None, what)
            .await?;
        Ok(())
    }
}
