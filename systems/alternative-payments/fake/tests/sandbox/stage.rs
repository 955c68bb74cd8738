//! A sandbox on a free port, its panel, and somebody who calls both.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method};
use jiff::civil::date;
use serde_json::{Value, json};
use tieout_alternative_payments_fake::AlternativePaymentsFake;
use tieout_kit::fake::world::World;
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::{Chassis, Fake, FakeClock, control_router, dress, serve};
use tieout_kit::transport::{Network, Transport as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The service's name.
pub(crate) const SERVICE: &str = "alternative-payments";
/// Monday, 2 March 2026.
pub(crate) const NOW: &str = "2026-03-02T15:00:00Z";

/// A running sandbox.
pub(crate) struct Stage {
    pub(crate) base: String,
    pub(crate) described: Value,
    token: Mutex<String>,
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
    pub(crate) fn id(&self) -> String {
        let id = self.body["id"].as_str();
        id.unwrap_or_else(|| panic!("no id: {}", self.text))
            .to_owned()
    }

    /// The identifiers of the objects of a page.
    pub(crate) fn ids(&self) -> Vec<String> {
        let page = self.body["data"].as_array();
        let page = page.unwrap_or_else(|| panic!("no list: {}", self.text));
        let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
        page.iter().map(id).collect()
    }

    /// The status and the code of an error.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

impl Stage {
    /// An account without objects, of which no calls are counted, and a token for it.
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
        let clock = FakeClock::at(NOW.parse().unwrap());
        let chassis = Chassis::new(clock, 1);
        let fake = AlternativePaymentsFake::new(chassis.clone(), world, 1);
        let (base, one) = served(dress(&chassis, SERVICE, Arc::clone(&fake).router())).await;
        let described = fake.describe(&base);
        let (panel, two) = served(control_router(chassis, vec![fake])).await;
        let stage = Self {
            base,
            described,
            token: Mutex::default(),
            panel,
            network: Arc::new(Network::new().unwrap()),
            _stop: vec![one, two],
        };
        stage.switch("calls_per_second", 0).await;
        stage.sign_in().await;
        stage
    }

    /// Takes a new token.
    pub(crate) async fn sign_in(&self) {
        let answer = answer(self.token_call()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.body["access_token"].as_str().unwrap();
        token.clone_into(&mut self.token.lock().unwrap());
    }

    /// The call for a token, as the reference has it.
    pub(crate) fn token_call(&self) -> Outgoing {
        let keys = &self.described[SERVICE];
        let (id, secret) = (&keys["client_id"], &keys["client_secret"]);
        self.call(Method::POST, "/oauth/token")
            .basic_auth(id.as_str().unwrap(), secret.as_str().unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
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

    /// A call that is signed in.
    pub(crate) fn signed(&self, method: Method, path: &str) -> Outgoing {
        let token = self.token.lock().unwrap().clone();
        self.call(method, path).bearer_auth(&token)
    }

    async fn with_body(&self, method: Method, path: &str, body: Value) -> Answer {
        let call = self.signed(method, path);
        let call = call.header("content-type", "application/json");
        answer(call.body(body.to_string())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.signed(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.with_body(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.with_body(Method::PATCH, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        answer(self.signed(Method::DELETE, path)).await
    }

    /// Carries out a call of this service's panel, which must succeed.
    pub(crate) async fn act(&self, path: &str, body: Value) -> Value {
        self.panel(&format!("{SERVICE}/{path}"), body).await
    }

    /// The same, which must be refused.
    pub(crate) async fn refused(&self, path: &str, body: Value) -> (u16, String) {
        let answer = self.panel_answer(&format!("{SERVICE}/{path}"), body).await;
        let message = answer.body["error"].as_str().unwrap_or_default().to_owned();
        (answer.status, message)
    }

    /// Carries out a call of the panel, which must succeed.
    pub(crate) async fn panel(&self, path: &str, body: Value) -> Value {
        let answer = self.panel_answer(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.body
    }

    async fn panel_answer(&self, path: &str, body: Value) -> Answer {
        let call = self.outgoing(Method::POST, format!("{}/control/{path}", self.panel));
        answer(call.body(body.to_string())).await
    }

    /// What the panel shows.
    pub(crate) async fn shown(&self, path: &str) -> Value {
        let call = self.outgoing(Method::GET, format!("{}/control/{path}", self.panel));
        answer(call).await.body[SERVICE].clone()
    }

    pub(crate) async fn switch(&self, name: &str, value: impl Into<Value>) {
        let value: Value = value.into();
        self.act("switches", json!({name: value})).await;
    }

    /// Moves the clock, and takes a new token: the old one may be over by then.
    pub(crate) async fn advance(&self, by: &str) {
        self.panel("clock", json!({"advance": by})).await;
        self.sign_in().await;
    }

    /// A new customer.
    pub(crate) async fn customer(&self) -> String {
        let body = json!({"name": "Acme", "email": "ap@example.com"});
        self.post("/customers", body).await.id()
    }

    /// An invoice of one line.
    pub(crate) async fn invoice(&self, customer: &str, amount: &str) -> String {
        let made = self.post("/invoices", bill(customer, amount)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.id()
    }

    /// A field of an object.
    pub(crate) async fn field(&self, path: &str, field: &str) -> Value {
        self.get(path).await.body[field].clone()
    }

    /// A payment of an invoice of that amount, by a new customer, that has come.
    pub(crate) async fn paid(&self, amount: &str) -> String {
        let customer = self.customer().await;
        let invoice = self.invoice(&customer, amount).await;
        let paid = self.act("pay", json!({"invoice": invoice})).await;
        paid["id"].as_str().unwrap().to_owned()
    }
}

/// The body of an invoice of one line.
pub(crate) fn bill(customer: &str, amount: &str) -> Value {
    let amount: Value = serde_json::from_str(amount).unwrap();
    let line = json!({"description": "Work", "quantity": 1, "amount": amount});
    json!({"customer_id": customer, "currency": "USD", "due_date": "2026-04-01", "line_items": [line]})
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
