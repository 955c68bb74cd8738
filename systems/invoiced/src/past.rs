//! What the account's events tell: what lists can't show because it is gone (README §Deletions).

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tieout_domain::{Fault, RemoteId, Timestamp};
use tieout_kit::webhooks::History;
use tieout_kit::{ConnectError, Credential, Kit};

use crate::call::Client;
use crate::list::listing;
use crate::settings::{Settings, api_key};
use crate::wire::{id, reference, second, text};

const PATH: &str = "/events";
const MERGED: &str = "customer.merged";

/// The newest events that were read in this run, so that the readers of all kinds share them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Past {
    /// Every event at or after this second is here; nothing was read without it.
    whole_from: Option<i64>,
    /// The second of the newest event there is.
    pub(crate) latest: Option<i64>,
    /// The events, newest first.
    pub(crate) events: Vec<Event>,
}

/// An event, as far as it is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its id.
    event: RemoteId,
    sort: String,
    second: i64,
    /// The records that it names: which of two is left after a merger isn't documented, so both are looked at.
    pub(crate) ids: Vec<RemoteId>,
}

impl Event {
    /// Whether a record of this kind may have ended by it. The name is the singular of the path's.
    pub(crate) fn may_end(&self, kind: &str) -> bool {
        let of_kind = self.sort.strip_prefix(kind);
        of_kind == Some(".deleted") || (self.merges() && kind == "customer")
    }

    /// Whether it tells of customers who have become one.
    pub(crate) fn merges(&self) -> bool {
        self.sort == MERGED
    }
}

#[derive(Deserialize)]
struct Shown {
    #[serde(deserialize_with = "id")]
    id: RemoteId,
    #[serde(default, rename = "type", deserialize_with = "text")]
    sort: String,
    #[serde(default, deserialize_with = "second")]
    timestamp: Option<i64>,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default)]
    previous: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    object: Option<Box<RawValue>>,
    #[serde(default)]
    previous: Option<Box<RawValue>>,
}

/// The ids in a part of an event.
#[derive(Default, Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "reference")]
    id: Option<RemoteId>,
    #[serde(default, deserialize_with = "reference")]
    customer: Option<RemoteId>,
}

fn named(raw: Option<&RawValue>) -> Named {
    // An empty object may come as an empty list.
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

impl Shown {
    fn event(self) -> Option<Event> {
        let (object, within) = match &self.data {
            Some(data) => (data.object.as_deref(), data.previous.as_deref()),
            None => (None, None),
        };
        let mut ids: BTreeSet<RemoteId> = named(object).id.into_iter().collect();
        if self.sort == MERGED {
            for before in [within, self.previous.as_deref()] {
                let before = named(before);
                ids.extend([before.id, before.customer].into_iter().flatten());
            }
        }
        Some(Event {
            second: self.timestamp?,
            event: self.id,
            sort: self.sort,
            ids: ids.into_iter().collect(),
        })
    }
}

impl Client {
    /// The events at or after a second, or no more than the newest of them; at least one call in a run, and no more
    /// than one where little happened. Where the key may not read events there are none: what was deleted is then seen
    /// when it is next asked for.
    pub(crate) async fn past_since(&self, since: Option<i64>) -> Result<Past, Fault> {
        let mut past = self.past.lock().await;
        let whole = match (past.whole_from, since) {
            (Some(from), Some(since)) => from <= since,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !whole {
            *past = match read(self, since).await {
                Ok(read) => read,
                Err(fault @ (Fault::Denied { .. } | Fault::Refused { .. }))
                    if !refuses_key(&fault) =>
                {
                    tracing::warn!(%fault, "the events of Invoiced can't be read: deletions are noticed late");
                    Past {
                        whole_from: Some(i64::MIN),
                        ..Past::default()
                    }
                }
                Err(fault) => return Err(fault),
            };
        }
        let mut past = past.clone();
        past.events
            .retain(|event| since.is_some_and(|since| event.second >= since));
        Ok(past)
    }

    /// A run begins: it must see what has happened since the last one.
    pub(crate) fn forget_past(&self) {
        if let Ok(mut past) = self.past.try_lock() {
            *past = Past::default();
        }
    }
}

fn refuses_key(fault: &Fault) -> bool {
    fault.code().as_str() == "api-key-refused"
}

/// Reads events newest first, down to a second or, without one, a page.
async fn read(client: &Client, since: Option<i64>) -> Result<Past, Fault> {
    let what = "listing events";
    let begin = since.map(|since| format!("&start_date={}", since.max(0)));
    let mut query = format!("per_page=100{}", begin.unwrap_or_default());
    let (mut past, mut seen) = (Past::default(), BTreeSet::new());
    loop {
        let asked = (query.as_str(), seen.is_empty());
        let page = listing(client, PATH, asked, what).await?;
        let mut oldest = i64::MAX;
        for raw in page.records {
            let shown: Shown = match serde_json::from_str(raw.get()) {
                Ok(shown) => shown,
                Err(error) => {
                    tracing::warn!(%error, "an event of Invoiced can't be read");
                    continue;
                }
            };
            if let Some(event) = shown.event() {
                oldest = oldest.min(event.second);
                past.latest = past.latest.max(Some(event.second));
                past.events.push(event);
            }
        }
        let reached = since.is_none_or(|since| oldest < since);
        match page.onward.next {
            Some(next) if !reached && seen.insert(next.clone()) => query = next,
            Some(_) => {
                past.whole_from = Some(since.unwrap_or_else(|| oldest.saturating_add(1)));
                return Ok(past);
            }
            None => {
                past.whole_from = Some(since.unwrap_or(i64::MIN));
                return Ok(past);
            }
        }
    }
}

/// Makes what tells an account's events. Sends nothing.
pub(crate) fn connect(
    table: &Map<String, Value>,
    credential: Credential,
    kit: Kit,
) -> Result<Arc<dyn History>, ConnectError> {
    let settings = Settings::read(table)?;
    let key = api_key(&credential)?;
    Ok(Arc::new(Account {
        client: Client::new(settings, key, kit),
    }))
}

struct Account {
    client: Client,
}

#[async_trait]
impl History for Account {
    async fn events_since(&self, since: Timestamp) -> Result<Vec<String>, Fault> {
        // A list goes on without events that may not be read. Here they would look as if all of them had been told.
        let since = since.as_second();
        let past = read(&self.client, Some(since)).await?;
        let events = past.events.into_iter();
        let events = events.filter(|event| event.second >= since);
        Ok(events.map(|event| event.event.to_string()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Event {
        serde_json::from_str::<Shown>(json)
            .unwrap()
            .event()
            .unwrap()
    }

    fn ids(event: &Event) -> Vec<&str> {
        event.ids.iter().map(RemoteId::as_str).collect()
    }

    #[test]
    fn an_event_names_what_it_is_about_in_each_of_its_shapes() {
        let deleted = event(
            r#"{"id":1,"object":"event","type":"payment.deleted","timestamp":1500000000,
                "data":{"object":{"id":7,"customer":{"id":9},"metadata":[]},"previous":[]},"user":null}"#,
        );
        assert_eq!(ids(&deleted), ["7"]);
        assert!(deleted.may_end("payment") && !deleted.may_end("payment_plan"));
        assert!(!deleted.may_end("customer") && !deleted.merges());
        let merged = event(
            r#"{"id":"2","type":"customer.merged","timestamp":"1500000000","data":{"object":{"id":9}},
                "previous":{"customer":{"id":4}}}"#,
        );
        assert_eq!(ids(&merged), ["4", "9"]);
        assert!(merged.may_end("customer") && merged.merges());
        let within = event(
            r#"{"id":3,"type":"customer.merged","timestamp":1,"data":{"object":{"id":9},"previous":{"id":4}}}"#,
        );
        assert_eq!(ids(&within), ["4", "9"]);
        assert!(ids(&event(r#"{"id":4,"type":"task.deleted","timestamp":1}"#)).is_empty());
    }
}
