//! What the tests of this crate share: rows, a scripted transport, a clock that nobody waits for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use tieout_domain::{Clock, Lost, Timer, Timestamp};
use tieout_kit::governor::Governors;
use tieout_kit::seams::SystemEntropy;
use tieout_kit::{Credential, Kept, KeptError, Kit, Transport};

use crate::call::Client;
use crate::settings::Settings;
use crate::suiteql::Row;

pub(crate) fn row(fields: &[(&str, &str)]) -> Row {
    Row::of(fields)
}

/// Answers what it was told to, in that order, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Result<http::Response<Bytes>, Lost>>>,
    asked: Mutex<Vec<http::Request<Bytes>>>,
}

impl Script {
    pub(crate) fn answer(&self, status: u16, body: &str) {
        self.answer_with(status, &[], body);
    }

    pub(crate) fn answer_with(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(Bytes::from(body.to_owned())).unwrap();
        self.answers.lock().unwrap().push_back(Ok(response));
    }

    /// A page of rows.
    pub(crate) fn rows(&self, rows: &serde_json::Value) {
        let body = serde_json::json!({"items": rows, "hasMore": false});
        self.answer(200, &body.to_string());
    }

    pub(crate) fn lose(&self, lost: Lost) {
        self.answers.lock().unwrap().push_back(Err(lost));
    }

    /// Method, address and body of every request so far.
    pub(crate) fn asked(&self) -> Vec<(String, String, String)> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|request| {
                let body = String::from_utf8_lossy(request.body()).into_owned();
                (
                    request.method().to_string(),
                    request.uri().to_string(),
                    body,
                )
            })
            .collect()
    }

    pub(crate) fn header(&self, at: usize, name: &str) -> String {
        let asked = self.asked.lock().unwrap();
        let value = asked[at].headers().get(name);
        value
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    pub(crate) fn used_up(&self) -> bool {
        self.answers.lock().unwrap().is_empty()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let asked = format!(
            "{} {}",
            request.uri(),
            String::from_utf8_lossy(request.body())
        );
        self.asked.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        next.unwrap_or_else(|| panic!("no answer was prepared for {asked}"))
    }
}

/// A clock that jumps ahead when it is waited on.
pub(crate) struct Virtual(Mutex<Timestamp>);

impl Virtual {
    pub(crate) fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = Timestamp::from_second(now.as_second() + seconds).unwrap();
    }
}

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

#[async_trait]
impl Timer for Virtual {
    async fn sleep(&self, duration: Duration) {
        self.advance(i64::try_from(duration.as_secs()).unwrap().max(1));
    }
}

/// Keeps in memory what would be sealed.
#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<String, String>>);

impl Memory {
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

#[async_trait]
impl Kept for Memory {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, KeptError> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .get(name)
            .map(|value| value.clone().into()))
    }

    async fn put(
        &self,
        name: &str,
        value: &SecretString,
        _expires: Timestamp,
    ) -> Result<(), KeptError> {
        self.0
            .lock()
            .unwrap()
            .insert(name.to_owned(), value.expose_secret().to_owned());
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), KeptError> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }
}

/// Everything a connection needs, all of it scripted.
pub(crate) struct Stage {
    pub(crate) script: Arc<Script>,
    pub(crate) clock: Arc<Virtual>,
    pub(crate) kept: Arc<Memory>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            script: Arc::default(),
            clock: Arc::new(Virtual(Mutex::new("2026-06-12T10:00:00Z".parse().unwrap()))),
            kept: Arc::default(),
        }
    }

    pub(crate) fn kit(&self) -> Kit {
        Kit {
            transport: Arc::clone(&self.script) as Arc<dyn Transport>,
            timer: Arc::clone(&self.clock) as Arc<dyn Timer>,
            entropy: Arc::new(SystemEntropy),
            kept: Arc::clone(&self.kept) as Arc<dyn Kept>,
            far_clock: Arc::default(),
            governors: Arc::new(Governors::default()),
        }
    }
}

pub(crate) fn tokens() -> Credential {
    let fields = serde_json::json!({"consumer_key": "ck", "consumer_secret": "cs", "token_id": "tk",
        "token_secret": "ts"});
    Credential {
        kind: "netsuite-tba".to_owned(),
        fields: fields.to_string().into(),
    }
}

/// The client of a connection with these settings.
pub(crate) fn client(stage: &Stage, table: &serde_json::Value) -> Client {
    let settings = Settings::from_table(table.as_object().unwrap()).unwrap();
    Client::new(settings, &tokens(), stage.kit()).unwrap()
}

/// The body of a query's refusal in these words.
pub(crate) fn refusal(detail: &str) -> String {
    serde_json::json!({"title": "Bad Request", "status": 400,
        "o:errorDetails": [{"detail": detail, "o:errorCode": "INVALID_PARAMETER"}]})
    .to_string()
}

/// A private key of a test's own in PEM form.
pub(crate) fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let label = ["PRIVATE", "KEY"].join(" ");
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

pub(crate) fn certificate() -> (Credential, Vec<u8>) {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let pem = pem(pair.to_pkcs8v1().unwrap().as_ref());
    let fields = serde_json::json!({"client_id": "client", "certificate_id": "cert", "private_key_pem": pem});
    let credential = Credential {
        kind: "netsuite-m2m".to_owned(),
        fields: fields.to_string().into(),
    };
    (credential, pair.public_key().as_ref().to_vec())
}
