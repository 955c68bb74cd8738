//! A sandbox on a free port, its panel, and somebody who calls both.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method};
use jiff::civil::date;
use serde_json::{Value, json};
use tieout_invoiced_fake::InvoicedFake;
use tieout_kit::fake::world::World;
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::{Chassis, Fake, FakeClock, control_router, dress, serve};
use tieout_kit::transport::{Network, Transport as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Monday, 2 March 2026, 15:00 UTC.
pub(crate) const NOW: i64 = 1_772_463_600;

/// A running sandbox.
pub(crate) struct Stage {
    pub(crate) base: String,
    pub(crate) key: String,
    pub(crate) token: String,
    panel: String,
    network: Arc<Network>,
    _stop: Vec<oneshot::Sender<()>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) body: Value,
    pub(crate) headers: HeaderMap,
}

impl Answer {
    /// The identifier of the object.
    pub(crate) fn id(&self) -> i64 {
        self.body["id"]
            .as_i64()
            .unwrap_or_else(|| panic!("no id: {}", self.text))
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The link of a page with this name.
    pub(crate) fn link(&self, name: &str) -> Option<String> {
        let rel = format!("rel=\"{name}\"");
        let mut parts = self.header("link").split(',');
        let part = parts.find(|part| part.split(';').nth(1).map(str::trim) == Some(&rel))?;
        let url = part.split(';').next()?.trim();
        Some(url.trim_matches(['<', '>']).to_owned())
    }

    /// The identifiers of the objects of a list.
    pub(crate) fn ids(&self) -> Vec<i64> {
        let list = self
            .body
            .as_array()
            .unwrap_or_else(|| panic!("no list: {}", self.text));
        list.iter().map(|one| one["id"].as_i64().unwrap()).collect()
    }
}

impl Stage {
    /// An account without objects.
    pub(crate) async fn new() -> Self {
        Self::of(&World::empty(date(2026, 3, 2), true, "America/New_York")).await
    }

    /// An account of a world that was generated.
    pub(crate) async fn furnished() -> Self {
        let shape = Shape {
            customers: 40,
            invoices: 120,
            ..Shape::new(date(2026, 3, 2))
        };
        Self::of(&generate(&shape)).await
    }

    async fn of(world: &World) -> Self {
        let clock = FakeClock::at(jiff::Timestamp::from_second(NOW).unwrap());
        let chassis = Chassis::new(clock, 1);
        let fake = InvoicedFake::new(chassis.clone(), world, 1);
        let token = fake.access_token();
        let (base, one) = served(dress(&chassis, "invoiced", Arc::clone(&fake).router())).await;
        let described = fake.describe(&base);
        let (panel, two) = served(control_router(chassis, vec![fake])).await;
        Self {
            base,
            key: described["invoiced"]["api_key"]
                .as_str()
                .unwrap()
                .to_owned(),
            token,
            panel,
            network: Arc::new(Network::new().unwrap()),
            _stop: vec![one, two],
        }
    }

    /// A call that is not signed in.
    pub(crate) fn call(&self, method: Method, path: &str) -> Outgoing {
        self.outgoing(method, format!("{}{path}", self.base))
    }

    /// A call of any address.
    pub(crate) fn outgoing(&self, method: Method, url: String) -> Outgoing {
        Outgoing {
            network: Arc::clone(&self.network),
            request: http::Request::builder().method(method).uri(url),
            body: String::new(),
        }
    }

    async fn signed(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let call = self.call(method, path).basic_auth(&self.key, "");
        answer(match body {
            Some(body) => call
                .header("content-type", "application/json")
                .body(body.to_string()),
            None => call,
        })
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.signed(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.signed(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.signed(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.signed(Method::DELETE, path, None).await
    }

    /// Carries out a call of the panel, which must succeed.
    pub(crate) async fn panel(&self, path: &str, body: Value) -> Value {
        let answer = self.panel_answer(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.body
    }

    pub(crate) async fn panel_answer(&self, path: &str, body: Value) -> Answer {
        let call = self.outgoing(Method::POST, format!("{}/control/{path}", self.panel));
        answer(call.body(body.to_string())).await
    }

    /// What the panel shows.
    pub(crate) async fn shown(&self, path: &str) -> Value {
        let call = self.outgoing(Method::GET, format!("{}/control/{path}", self.panel));
        answer(call).await.body["invoiced"].clone()
    }

    pub(crate) async fn switch(&self, name: &str, value: impl Into<Value>) {
        let value: Value = value.into();
        self.panel("invoiced/switches", json!({name: value})).await;
    }

    pub(crate) async fn advance(&self, by: &str) {
        self.panel("clock", json!({"advance": by})).await;
    }

    /// A new customer.
    pub(crate) async fn customer(&self) -> i64 {
        let body = json!({"name": "Acme", "email": "ap@example.com", "payment_terms": "NET 30"});
        self.post("/customers", body).await.id()
    }

    /// An invoice with one line, issued.
    pub(crate) async fn invoice(&self, customer: i64, amount: &str) -> i64 {
        let amount: Value = serde_json::from_str(amount).unwrap();
        let body = json!({"customer": customer, "items": [{"name": "Work", "quantity": 1, "unit_cost": amount}]});
        let made = self.post("/invoices", body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.id()
    }
}

/// A call that is being written.
pub(crate) struct Outgoing {
    network: Arc<Network>,
    request: http::request::Builder,
    body: String,
}

impl Outgoing {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn basic_auth(self, name: &str, password: &str) -> Self {
        let given = STANDARD.encode(format!("{name}:{password}"));
        self.header("authorization", &format!("Basic {given}"))
    }

    pub(crate) fn bearer_auth(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
}

/// Sends a call and reads the whole answer.
pub(crate) async fn answer(call: Outgoing) -> Answer {
    let request = call.request.body(call.body.into()).unwrap();
    let sent = call.network.send(request, Duration::from_secs(30)).await;
    let answer = sent.unwrap();
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    Answer {
        status: answer.status().as_u16(),
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
        headers: answer.headers().clone(),
    }
}

async fn served(router: axum::Router) -> (String, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(serve(listener, router, async move {
        let _ = stopped.await;
    }));
    (base, stop)
}
