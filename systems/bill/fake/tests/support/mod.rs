//! A client of the sandbox, in process.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tieout_bill_fake::{BillFake, Options};
use tieout_domain::Currency;
use tieout_kit::fake::world::{Collector, Platform, Receivables, Subsidiary, World};
use tieout_kit::fake::{Chassis, Fake, FakeClock, Faults, Refused, dress};
use tower::ServiceExt as _;

/// An answer.
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub body: Value,
    pub refused: bool,
}

impl Answer {
    /// The status and the first error's code.
    pub fn code(&self) -> (u16, &str) {
        (
            self.status,
            self.body[0]["code"].as_str().unwrap_or_default(),
        )
    }

    /// The records of a list.
    pub fn results(&self) -> &[Value] {
        self.body["results"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

/// A client that is signed in, or not yet.
pub struct Client {
    pub fake: Arc<BillFake>,
    pub faults: Arc<Faults>,
    chassis: Chassis,
    clock: Arc<FakeClock>,
    pub dev_key: String,
    session: String,
}

fn world() -> World {
    World {
        today: "2026-03-02".parse().unwrap(),
        time_zone: "America/New_York".into(),
        account_id: "1234567_SB1".into(),
        one_world: false,
        subsidiaries: vec![Subsidiary {
            name: "Acme".into(),
            parent: None,
            currency: Currency::USD,
            country: "US".into(),
        }],
        currencies: vec![Currency::USD],
        periods: Vec::new(),
        accounts: Vec::new(),
        dimensions: Vec::new(),
        terms: Vec::new(),
        items: Vec::new(),
        vendors: Vec::new(),
        bills: Vec::new(),
        credits: Vec::new(),
        payments: Vec::new(),
        receivables: Receivables::default(),
        platform: Platform::default(),
        collector: Collector::default(),
        pay_page: Default::default(),
    }
}

/// A bill of one line.
pub fn bill_body(vendor: &str, number: &str, amount: &str) -> Value {
    let amount: Value = serde_json::from_str(amount).unwrap();
    json!({"vendorId": vendor, "dueDate": "2026-12-31",
        "invoice": {"invoiceNumber": number, "invoiceDate": "2026-01-15"},
        "billLineItems": [{"amount": amount}]})
}

/// The identifiers on a page.
pub fn ids(page: &Value) -> Vec<String> {
    let results = page["results"].as_array().unwrap();
    results
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect()
}

impl Client {
    /// A sandbox on Monday, 2 March 2026, 15:00 UTC.
    pub fn start(options: Options) -> Self {
        Self::slow(options, Duration::ZERO)
    }

    /// A sandbox whose calls take a while.
    pub fn slow(options: Options, latency: Duration) -> Self {
        Self::made(&world(), options, latency)
    }

    /// A sandbox of another company.
    pub fn of(world: &World, options: Options) -> Self {
        Self::made(world, options, Duration::ZERO)
    }

    fn made(world: &World, options: Options, latency: Duration) -> Self {
        let clock = FakeClock::at("2026-03-02T15:00:00Z".parse().unwrap());
        let chassis = Chassis::new(clock, 1).with_latency(latency);
        let clock = Arc::clone(&chassis.clock);
        let fake = BillFake::new(chassis.clone(), world, options);
        let described = fake.describe("http://127.0.0.1:9102");
        let dev_key = described["bill"]["dev_key"].as_str().unwrap().to_owned();
        let faults = Arc::clone(&chassis.faults);
        Self {
            fake,
            faults,
            chassis,
            clock,
            dev_key,
            session: String::new(),
        }
    }

    /// The body of a sign-in.
    pub fn credentials(&self) -> Value {
        let described = self.fake.describe("http://127.0.0.1:9102");
        json!({"username": described["bill"]["username"], "password": described["bill"]["password"],
            "organizationId": described["organization"], "devKey": described["bill"]["dev_key"]})
    }

    pub async fn login(&mut self) {
        let credentials = self.credentials();
        let answer = self.post("/v3/login", credentials).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.session = answer.body["sessionId"].as_str().unwrap().to_owned();
    }

    pub async fn login_as(&mut self, name: &str, value: &str) {
        let mut credentials = self.credentials();
        credentials["username"] = json!(name);
        credentials["password"] = json!(value);
        let answer = self.post("/v3/login", credentials).await;
        self.session = answer.body["sessionId"].as_str().unwrap().to_owned();
    }

    pub fn wait_minutes(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
        self.fake.clock_moved();
    }

    async fn send(&self, method: &str, path: &str, key: Option<&str>, body: String) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("devKey", &self.dev_key)
            .header("sessionId", &self.session);
        if let Some(key) = key {
            request = request.header("X-Idempotent-Key", key);
        }
        let router = Arc::clone(&self.fake).router();
        Self::answer(router, request.body(Body::from(body)).unwrap()).await
    }

    /// A `GET` through the chassis, which injects faults.
    pub async fn dressed(&self, path: &str) -> Answer {
        let request = Request::get(format!("/connect{path}"))
            .header("devKey", &self.dev_key)
            .header("sessionId", &self.session)
            .body(Body::empty())
            .unwrap();
        let router = Arc::clone(&self.fake).router();
        Self::answer(dress(&self.chassis, "bill", router), request).await
    }

    async fn answer(router: axum::Router, request: Request<Body>) -> Answer {
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let refused = answer.extensions().get::<Refused>().is_some();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer {
            status,
            text,
            body,
            refused,
        }
    }

    pub async fn raw(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, &format!("/connect{path}"), None, body.to_owned())
            .await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.raw("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.raw("POST", path, &body.to_string()).await
    }

    pub async fn post_empty(&self, path: &str) -> Answer {
        self.raw("POST", path, "").await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.raw("PUT", path, &body.to_string()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.raw("PATCH", path, &body.to_string()).await
    }

    pub async fn events(&self, method: &str, path: &str, key: Option<&str>, body: Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(method, &format!("/connect-events{path}"), key, body)
            .await
    }

    pub async fn new_vendor(&self, name: &str) -> String {
        let vendor = json!({"name": name, "accountType": "BUSINESS", "address": {"line1": "1 Main",
            "city": "Reno", "zipOrPostalCode": "89501", "country": "US"}});
        let made = self.post("/v3/vendors", vendor).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.body["id"].as_str().unwrap().to_owned()
    }

    pub async fn new_bill(&self, vendor: &str, number: &str, amount: &str) -> String {
        let made = self
            .post("/v3/bills", bill_body(vendor, number, amount))
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.body["id"].as_str().unwrap().to_owned()
    }

    pub async fn bank(&self) -> String {
        let banks = self.get("/v3/funding-accounts/banks").await;
        banks.results()[0]["id"].as_str().unwrap().to_owned()
    }

    /// A payment's body for a bill made for it.
    pub async fn payment_of_a_new_bill(&self, amount: &str) -> Value {
        let vendor = self.new_vendor("Paid Co").await;
        let id = self.new_bill(&vendor, "PAY-1", amount).await;
        let amount: Value = serde_json::from_str(amount).unwrap();
        json!({"vendorId": vendor, "billId": id, "amount": amount,
            "fundingAccount": {"type": "BANK_ACCOUNT", "id": self.bank().await},
            "processingOptions": {"requestPayFaster": false}})
    }
}
