//! Subscriptions to notifications: the service has one for each topic and address, and those of one address are one
//! subscription here (README §Notifications).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::{Map, Value};
use tieout_domain::{Fault, RemoteId, Timestamp};
use tieout_kit::webhooks::{Subscription, Subscriptions};
use tieout_kit::wire::escaped;
use tieout_kit::{ConnectError, Credential, Kit};

use crate::call::{Asked, Client, Sent, absent};
use crate::list::{Shelf, all, all_at};
use crate::settings::{Keys, Settings};
use crate::wire::{id, parsed, text};
use crate::write;

/// Subscriptions.
const WEBHOOKS: Shelf = Shelf {
    path: "/webhooks",
    noun: "webhook",
};

/// What this program wants to hear of: what others do there. What it does itself would only have it look for nothing.
const TOPICS: [&str; 8] = [
    "payment_succeeded",
    "payment_failed",
    "payment_refunded",
    "payment_chargeback",
    "payout_paid",
    "payout_failed",
    "invoice_archived",
    "customer_archived",
];

/// How the id of an address begins that lacks a topic: it is not what was subscribed, and is made anew.
const INCOMPLETE: &str = "incomplete:";
/// How long a secret is, in bytes.
const SECRET_BYTES: usize = 32;

/// Makes what keeps an account's subscriptions. Sends nothing.
pub(crate) fn connect(
    table: &Map<String, Value>,
    credential: Credential,
    kit: Kit,
) -> Result<Arc<dyn Subscriptions>, ConnectError> {
    let settings = Settings::read(table)?;
    let keys = Keys::read(&credential)?;
    let client = Arc::new(Client::new(settings, keys, kit));
    Ok(Arc::new(Account { client }))
}

struct Account {
    client: Arc<Client>,
}

#[derive(Serialize)]
struct Wanted<'a> {
    endpoint_url: &'a str,
    topic: &'a str,
    secret_key: &'a str,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(deserialize_with = "id")]
    id: RemoteId,
    #[serde(default, deserialize_with = "text")]
    endpoint_url: String,
    #[serde(default, deserialize_with = "text")]
    topic: String,
    #[serde(default)]
    is_active: Option<bool>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(deserialize_with = "id")]
    id: RemoteId,
    #[serde(default, deserialize_with = "text")]
    subscription_id: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
}

impl Account {
    async fn shown(&self) -> Result<Vec<Shown>, Fault> {
        let raws = all(&self.client, &WEBHOOKS, "").await?;
        parsed(WEBHOOKS.noun, &raws)
    }

    /// Those of one address.
    async fn at(&self, id: &str) -> Result<Vec<Shown>, Fault> {
        let url = id.strip_prefix(INCOMPLETE).unwrap_or(id);
        let shown = self.shown().await?;
        Ok(shown
            .into_iter()
            .filter(|one| one.endpoint_url == url)
            .collect())
    }

    async fn post(&self, path: &str, body: &str, what: &str) -> Result<(), Fault> {
        let asked = Asked {
            method: &Method::POST,
            path,
            body: Sent::Json(body),
        };
        self.client.write(asked, what).await.map(|_| ())
    }

    async fn remove(&self, those: Vec<Shown>) -> Result<(), Fault> {
        for one in those {
            let path = WEBHOOKS.one(one.id.as_str());
            match self.client.delete(&path, "removing a webhook").await {
                Err(fault) if !absent(&fault) => return Err(fault),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// One for each topic, with one secret.
    async fn make(&self, url: &str) -> Result<SecretString, Fault> {
        let secret = SecretString::from(self.client.kit.entropy.hex(SECRET_BYTES));
        for topic in TOPICS {
            let body = write::json(&Wanted {
                endpoint_url: url,
                topic,
                secret_key: secret.expose_secret(),
            })?;
            let what = format!("subscribing to {topic}");
            self.post(WEBHOOKS.path, &body, &what).await?;
        }
        Ok(secret)
    }
}

#[async_trait]
impl Subscriptions for Account {
    async fn subscribe(&self, url: &str) -> Result<(String, SecretString), Fault> {
        Ok((url.to_owned(), self.make(url).await?))
    }

    async fn list(&self) -> Result<Vec<Subscription>, Fault> {
        let mut by_address: BTreeMap<String, Vec<Shown>> = BTreeMap::new();
        for one in self.shown().await? {
            let of_address = by_address.entry(one.endpoint_url.clone());
            of_address.or_default().push(one);
        }
        let subscription = |(url, those): (String, Vec<Shown>)| {
            let topics: BTreeSet<&str> = those.iter().map(|one| one.topic.as_str()).collect();
            let whole = TOPICS.iter().all(|topic| topics.contains(topic));
            Subscription {
                id: if whole {
                    url.clone()
                } else {
                    format!("{INCOMPLETE}{url}")
                },
                enabled: those.iter().all(|one| one.is_active != Some(false)),
                url,
            }
        };
        Ok(by_address.into_iter().map(subscription).collect())
    }

    /// Sending again what failed switches on again what it failed for.
    async fn enable(&self, id: &str) -> Result<(), Fault> {
        let off = self.at(id).await?.into_iter();
        for one in off.filter(|one| one.is_active == Some(false)) {
            let body = json!({"subscription_id": one.id}).to_string();
            let what = format!("switching on {}", one.topic);
            self.post("/webhooks/retry", &body, &what).await?;
        }
        Ok(())
    }

    /// A secret is given when a subscription is made, so that all are made anew, the new ones first.
    async fn renew_key(&self, id: &str) -> Result<SecretString, Fault> {
        let before = self.at(id).await?;
        let secret = self.make(id).await?;
        self.remove(before).await?;
        Ok(secret)
    }

    /// The service sends none.
    async fn test(&self, _id: &str) -> Result<Option<u16>, Fault> {
        Ok(None)
    }

    /// What the service itself says that it couldn't deliver: without bodies, nothing tells here which one came.
    async fn events_since(&self, id: &str, since: Timestamp) -> Result<Vec<String>, Fault> {
        let ours: BTreeSet<String> = self
            .at(id)
            .await?
            .into_iter()
            .map(|one| one.id.to_string())
            .collect();
        let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let filter = format!("status=failed&created_at_start={}", escaped(&since));
        let raws = all_at(&self.client, "/webhooks/events", "event", &filter).await?;
        let events = raws
            .iter()
            .filter_map(|raw| serde_json::from_str::<Event>(raw.get()).ok());
        let failed = events
            .filter(|event| event.status == "failed" && ours.contains(&event.subscription_id));
        Ok(failed.map(|event| event.id.to_string()).collect())
    }

    async fn unsubscribe(&self, id: &str) -> Result<(), Fault> {
        let those = self.at(id).await?;
        self.remove(those).await
    }
}
