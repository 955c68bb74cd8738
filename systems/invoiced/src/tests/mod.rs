//! The client against scripted answers: fixtures and the README's shapes, no fake.

mod calls;
mod lists;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;
use serde_json::json;
use tieout_domain::port::Ports;
use tieout_domain::{Clock, Lost, Timer, Timestamp};
use tieout_kit::governor::Governors;
use tieout_kit::webhooks::{History, Webhooks};
use tieout_kit::{Credential, Entropy, Kept, KeptError, Kit, Transport};

/// A request as the service would see it.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    host: String,
    /// Path and query, unescaped.
    path: String,
    authorization: String,
    key: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
struct Reply {
    status: u16,
    body: String,
    headers: Vec<(&'static str, String)>,
}

fn ok(body: impl Into<String>) -> Reply {
    status(200, body)
}

fn status(status: u16, body: impl Into<String>) -> Reply {
    Reply {
        status,
        body: body.into(),
        headers: Vec::new(),
    }
}

impl Reply {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a link to this query.
    fn next(self, query: &str) -> Self {
        self.with(
            "link",
            format!("<https://elsewhere.example/x?{query}>; rel=\"next\""),
        )
    }
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// Answers by a script.
struct Scripted {
    script: Box<Script>,
    seen: Mutex<Vec<Seen>>,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let path = request.uri().path_and_query().unwrap().as_str();
        let path = percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .unwrap();
        let seen = Seen {
            method: request.method().to_string(),
            host: request.uri().host().unwrap().to_owned(),
            path: path.into_owned(),
            authorization: header("authorization").unwrap_or_default(),
            key: header("idempotency-key"),
        };
        self.seen.lock().unwrap().push(seen.clone());
        let reply = (self.script)(&seen);
        let mut response = http::Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Bytes::from(reply.body)).unwrap())
    }
}

/// A clock that sleeping moves.
struct Still(AtomicI64);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

#[async_trait]
impl Timer for Still {
    async fn sleep(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

struct Half;

impl Entropy for Half {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x7f);
    }
}

struct Nothing;

#[async_trait]
impl Kept for Nothing {
    async fn get(&self, _name: &str) -> Result<Option<SecretString>, KeptError> {
        Ok(None)
    }

    async fn put(
        &self,
        _name: &str,
        _value: &SecretString,
        _expires: Timestamp,
    ) -> Result<(), KeptError> {
        Ok(())
    }

    async fn remove(&self, _name: &str) -> Result<(), KeptError> {
        Ok(())
    }
}

/// A stand-in for everything outside, and what was sent to it.
struct Stage {
    transport: Arc<Scripted>,
    timer: Arc<Still>,
    ports: Ports,
    kit: Kit,
    table: serde_json::Value,
}

impl Stage {
    fn new(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let table =
            json!({"environment": "sandbox", "time_zone": "America/New_York", "credential": "a"});
        Self::of(&table, script)
    }

    fn of(
        table: &serde_json::Value,
        script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let transport = Arc::new(Scripted {
            script: Box::new(script),
            seen: Mutex::default(),
        });
        let timer = Arc::new(Still(AtomicI64::new(0)));
        let kit = Kit {
            transport: Arc::clone(&transport) as Arc<dyn Transport>,
            timer: Arc::clone(&timer) as Arc<dyn Timer>,
            entropy: Arc::new(Half),
            kept: Arc::new(Nothing),
            far_clock: Arc::default(),
            governors: Arc::new(Governors::default()),
        };
        let settings = table.as_object().unwrap();
        let ports = (crate::SYSTEM.connect)(settings, Self::credential(), kit.clone()).unwrap();
        Self {
            transport,
            timer,
            ports,
            kit,
            table: table.clone(),
        }
    }

    fn credential() -> Credential {
        Credential {
            kind: "invoiced".to_owned(),
            fields: r#"{"api_key":"test"}"#.to_owned().into(),
        }
    }

    /// What tells the account's past events.
    fn past(&self) -> Arc<dyn History> {
        let Some(Webhooks::ByHand(by_hand)) = crate::SYSTEM.webhooks else {
            panic!()
        };
        let table = self.table.as_object().unwrap();
        (by_hand.past)(table, Self::credential(), self.kit.clone()).unwrap()
    }

    /// What was sent.
    fn seen(&self) -> Vec<Seen> {
        self.transport.seen.lock().unwrap().clone()
    }

    /// Methods and paths of what was sent.
    fn calls(&self) -> Vec<String> {
        let calls = self.seen().into_iter();
        calls
            .map(|seen| format!("{} {}", seen.method, seen.path))
            .collect()
    }

    /// How long was waited for.
    fn waited(&self) -> Duration {
        let millis = self.timer.0.load(Ordering::SeqCst);
        Duration::from_millis(u64::try_from(millis).unwrap())
    }
}
