//! The client against scripted answers: fixtures and the README's shapes, no fake.

mod calls;
mod lists;
mod notifications;
mod writing;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tieout_domain::port::{Depth, Mark, Page, Ports};
use tieout_domain::{Clock, Kind, Lost, Timer, Timestamp};
use tieout_kit::governor::Governors;
use tieout_kit::{Credential, Entropy, Kept, KeptError, Kit, Transport};

const CUSTOMER: &str = include_str!("../../fixtures/customer.json");
const INVOICE: &str = include_str!("../../fixtures/invoice.json");
const PAYMENT: &str = include_str!("../../fixtures/payment.json");
const REFUND: &str = include_str!("../../fixtures/refund.json");
const PAYOUT: &str = include_str!("../../fixtures/payout.json");
const TRANSACTIONS: &str = include_str!("../../fixtures/transactions.json");
const TOKEN: &str = r#"{"access_token":"token-of-now","token_type":"Bearer","expires_in":3600}"#;
const NOBODY: &str = r#"{"code":"not_found","message":"Not found"}"#;
const TAKEN: &str = include_str!("../../fixtures/error.json");

/// A request as the service would see it.
#[derive(Debug, Clone)]
struct Seen {
    /// Method, path and query, unescaped.
    call: String,
    host: String,
    authorization: String,
    body: String,
    /// When it was sent, in milliseconds since the test began.
    at: i64,
}

impl Seen {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
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
}

/// A page of these records that goes on after a cursor.
fn page(records: &[&str], next: Option<&str>) -> Reply {
    let (more, cursor) = (next.is_some(), json!(next));
    let data = records.join(",");
    ok(format!(
        r#"{{"data":[{data}],"end_cursor":{cursor},"has_next_page":{more}}}"#
    ))
}

/// The whole of a list.
fn list(records: &[&str]) -> Reply {
    page(records, None)
}

/// A record with other fields.
fn with(record: &str, fields: Value) -> String {
    let mut record: Value = serde_json::from_str(record).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        record[name] = value.clone();
    }
    record.to_string()
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// Answers by a script.
struct Scripted {
    script: Box<Script>,
    seen: Mutex<Vec<Seen>>,
    timer: Arc<Still>,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let path = request.uri().path_and_query().unwrap().as_str();
        let path = percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .unwrap();
        let authorization = request.headers().get("authorization");
        let seen = Seen {
            call: format!("{} {path}", request.method()),
            host: request.uri().host().unwrap().to_owned(),
            authorization: authorization.unwrap().to_str().unwrap().to_owned(),
            body: String::from_utf8_lossy(request.body()).into_owned(),
            at: self.timer.0.load(Ordering::SeqCst),
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
        let millis = i64::try_from(duration.as_micros().div_ceil(1000)).unwrap();
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

/// Keeps one value, and until when.
#[derive(Default)]
struct One(Mutex<Option<(String, String, Timestamp)>>);

#[async_trait]
impl Kept for One {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, KeptError> {
        let kept = self.0.lock().unwrap();
        let of_it = kept.as_ref().filter(|(kept, ..)| kept == name);
        Ok(of_it.map(|(_, value, _)| value.clone().into()))
    }

    async fn put(
        &self,
        name: &str,
        value: &SecretString,
        expires: Timestamp,
    ) -> Result<(), KeptError> {
        let value = value.expose_secret().to_owned();
        *self.0.lock().unwrap() = Some((name.to_owned(), value, expires));
        Ok(())
    }

    async fn remove(&self, _name: &str) -> Result<(), KeptError> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }
}

/// A stand-in for everything outside, and what was sent to it.
struct Stage {
    transport: Arc<Scripted>,
    kept: Arc<One>,
    ports: Ports,
    kit: Kit,
    table: Value,
}

impl Stage {
    /// An account with these capabilities. Its script answers everything but the sign-in.
    fn new(capabilities: &str, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let table = json!({"environment": "demo", "credential": "a", "capabilities": capabilities});
        Self::of(table, move |seen| match seen.call.as_str() {
            "POST /oauth/token" => ok(TOKEN),
            _ => script(seen),
        })
    }

    fn of(table: Value, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let timer = Arc::new(Still(AtomicI64::new(0)));
        let transport = Arc::new(Scripted {
            script: Box::new(script),
            seen: Mutex::default(),
            timer: Arc::clone(&timer),
        });
        let kept = Arc::<One>::default();
        let kit = Kit {
            transport: Arc::clone(&transport) as Arc<dyn Transport>,
            timer: timer as Arc<dyn Timer>,
            entropy: Arc::new(Half),
            kept: Arc::clone(&kept) as Arc<dyn Kept>,
            far_clock: Arc::default(),
            governors: Arc::new(Governors::default()),
        };
        Self {
            ports: Self::connected(&table, kit.clone()),
            transport,
            kept,
            kit,
            table,
        }
    }

    fn credential() -> Credential {
        Credential {
            kind: "alternative-payments".to_owned(),
            fields: r#"{"client_id":"id","client_secret":"hush"}"#.to_owned().into(),
        }
    }

    fn connected(table: &Value, kit: Kit) -> Ports {
        let table = table.as_object().unwrap();
        (crate::SYSTEM.connect)(table, Self::credential(), kit).unwrap()
    }

    /// It is this late now.
    fn at(&self, moment: &str) {
        let moment: Timestamp = moment.parse().unwrap();
        let clock = &self.transport.timer.0;
        clock.store(moment.as_millisecond(), Ordering::SeqCst);
    }

    /// The same account, as the next run reaches it.
    fn next_run(&mut self) {
        self.ports = Self::connected(&self.table, self.kit.clone());
        self.transport.seen.lock().unwrap().clear();
    }

    /// What was sent, sign-ins aside.
    fn seen(&self) -> Vec<Seen> {
        let seen = self.transport.seen.lock().unwrap();
        let seen = seen.iter().filter(|seen| seen.call != "POST /oauth/token");
        seen.cloned().collect()
    }

    fn calls(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.call).collect()
    }

    /// How often somebody signed in.
    fn sign_ins(&self) -> usize {
        let seen = self.transport.seen.lock().unwrap();
        let sign_ins = seen.iter().filter(|seen| seen.call == "POST /oauth/token");
        sign_ins.count()
    }

    /// All pages of a read, and what it leaves.
    async fn read(&self, kind: Kind, depth: Depth, mark: Option<&Mark>) -> Page {
        let (mut all, mut token) = (Page::default(), None);
        loop {
            let page = self.ports.read[&kind].page(depth, mark, token.as_ref());
            let page = page.await.unwrap();
            all.records.extend(page.records);
            all.unreadable.extend(page.unreadable);
            all.mark = page.mark.or(all.mark);
            token = page.next;
            if token.is_none() {
                return all;
            }
        }
    }
}
