//! An account to test against, and the two ways of signing in, written from the documentation alone.

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use jiff::civil::date;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::{Chassis, Fake, FakeClock};
use tieout_netsuite_fake::{NetSuiteFake, Options};
use tower::ServiceExt;

pub(crate) const HOST: &str = "127.0.0.1:9101";
pub(crate) const TOKEN_PATH: &str = "/services/rest/auth/oauth2/v1/token";
pub(crate) const RECORDS: &str = "/services/rest/record/v1";
const AUDIENCE: &str =
    "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token";

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first refusal's code and sentence.
    pub(crate) fn refusal(&self) -> (String, String) {
        let body = self.json();
        let detail = &body["o:errorDetails"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&detail["o:errorCode"]), text(&detail["detail"]))
    }

    /// The id at the end of `Location`.
    pub(crate) fn id(&self) -> String {
        assert_eq!(self.status, 204, "{}", self.text);
        let location = self.header("location").expect("a Location");
        location.rsplit('/').next().unwrap().to_owned()
    }
}

pub(crate) struct Account {
    pub(crate) fake: Arc<NetSuiteFake>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) router: Router,
    pub(crate) described: Value,
    pub(crate) token: String,
}

impl Account {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::built(options, |_| {}, |chassis| chassis).await
    }

    pub(crate) async fn built(
        options: Options,
        shape_it: impl FnOnce(&mut Shape),
        dress_it: impl FnOnce(Chassis) -> Chassis,
    ) -> Self {
        let clock = FakeClock::at("2026-07-15T16:00:00Z".parse().unwrap());
        let chassis = dress_it(Chassis::new(clock, 1));
        let clock = Arc::clone(&chassis.clock);
        let mut shape = Shape::new(date(2026, 7, 15));
        shape_it(&mut shape);
        let fake = NetSuiteFake::new(chassis, &generate(&shape), options);
        let router = Arc::clone(&fake).router();
        let described = fake.describe(&format!("http://{HOST}"));
        let mut account = Self {
            fake,
            clock,
            router,
            described,
            token: String::new(),
        };
        account.sign_in().await;
        account
    }

    pub(crate) async fn sign_in(&mut self) {
        let answer = self.grant(&self.assertion(&json!({}), &json!({}))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.token = answer.json()["access_token"].as_str().unwrap().to_owned();
    }

    pub(crate) fn m2m(&self, field: &str) -> String {
        self.described["netsuite-m2m"][field]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn tba(&self, field: &str) -> String {
        self.described["netsuite-tba"][field]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A signed assertion; `header` and `claims` replace its parts.
    pub(crate) fn assertion(&self, header: &Value, claims: &Value) -> String {
        let pem = self.m2m("private_key_pem");
        let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &STANDARD.decode(text).unwrap(),
        )
        .unwrap();
        self.signed(header, claims, |message| {
            key.sign(&SystemRandom::new(), message)
                .unwrap()
                .as_ref()
                .to_vec()
        })
    }

    pub(crate) fn signed(
        &self,
        header: &Value,
        claims: &Value,
        sign: impl Fn(&[u8]) -> Vec<u8>,
    ) -> String {
        let now = Timestamp::now().as_second();
        let mut head = json!({"typ": "JWT", "alg": "ES256", "kid": self.m2m("certificate_id")});
        let mut body = json!({
            "iss": self.m2m("client_id"),
            "scope": "rest_webservices",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 300,
        });
        merge(&mut head, header);
        merge(&mut body, claims);
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&head), encode(&body));
        let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// Asks for an access token.
    pub(crate) async fn grant(&self, assertion: &str) -> Answer {
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={kind}&client_assertion={assertion}"
        );
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", TOKEN_PATH, &headers, form).await
    }

    /// A signed `Authorization` header for a request to `origin`; `change` replaces its parameters.
    pub(crate) fn signature(
        &self,
        method: &str,
        origin: &str,
        path: &str,
        change: &[(&str, &str)],
    ) -> String {
        let mut parameters: Vec<(String, String)> = [
            ("oauth_consumer_key", self.tba("consumer_key")),
            ("oauth_token", self.tba("token_id")),
            ("oauth_nonce", nonce()),
            ("oauth_timestamp", Timestamp::now().as_second().to_string()),
            ("oauth_signature_method", "HMAC-SHA256".to_owned()),
            ("oauth_version", "1.0".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (name, value) in change {
            parameters.retain(|(other, _)| other != name);
            parameters.push(((*name).to_owned(), (*value).to_owned()));
        }
        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
        let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (encode(&name), encode(&value)))
            .chain(
                parameters
                    .iter()
                    .filter(|(name, _)| name != "realm")
                    .map(|(name, value)| (encode(name), encode(value))),
            )
            .collect();
        pairs.sort();
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let base = format!(
            "{method}&{}&{}",
            encode(&format!("{origin}{bare}")),
            encode(&pairs.join("&"))
        );
        let secret = format!(
            "{}&{}",
            self.tba("consumer_secret"),
            self.tba("token_secret")
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = STANDARD.encode(hmac::sign(&key, base.as_bytes()));
        if !parameters.iter().any(|(name, _)| name == "realm") {
            parameters.push(("realm".to_owned(), "1234567_SB1".to_owned()));
        }
        parameters.push(("oauth_signature".to_owned(), signature));
        let parameters: Vec<String> = parameters
            .into_iter()
            .map(|(name, value)| format!("{name}=\"{}\"", encode(&value)))
            .collect();
        format!("OAuth {}", parameters.join(", "))
    }

    /// Sends a request as it is.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Sends JSON with the access token.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call_with(method, path, &[], body).await
    }

    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        all.extend(headers);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(method, path, &all, body).await
    }

    /// A call to the record service.
    pub(crate) async fn record(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call(method, &format!("{RECORDS}/{path}"), body).await
    }

    /// The answer of a query.
    pub(crate) async fn ask(&self, sql: &str) -> Answer {
        let headers = [("prefer", "transient")];
        let path = "/services/rest/query/v1/suiteql";
        self.call_with("POST", path, &headers, json!({"q": sql}))
            .await
    }

    /// The rows of a query.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Value> {
        let answer = self.ask(sql).await;
        assert_eq!(answer.status, 200, "{sql}: {}", answer.text);
        answer.json()["items"].as_array().unwrap().clone()
    }

    /// The one value of a query that has one.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let rows = self.rows(sql).await;
        let row = rows
            .first()
            .unwrap_or_else(|| panic!("no row: {sql}"))
            .as_object()
            .unwrap();
        let value = row.iter().find(|(name, _)| *name != "links");
        value.map_or_else(String::new, |(_, value)| value.as_str().unwrap().to_owned())
    }

    /// What a person does.
    pub(crate) async fn person(&self, path: &str, body: Value) -> Value {
        let parts: Vec<&str> = path.split('/').collect();
        self.fake.control(&parts, body).await.unwrap()
    }

    /// A vendor of the subsidiary the platform pays for, in its base currency.
    pub(crate) async fn vendor(&self) -> Value {
        json!({"id": self.value(
            "SELECT v.id FROM vendor v JOIN vendorsubsidiaryrelationship r ON r.entity = v.id \
             WHERE r.subsidiary = 1 AND r.isprimarysub = 'T' AND v.isinactive = 'F' \
             AND v.currency = 1 ORDER BY v.id FETCH FIRST 1 ROWS ONLY",
        ).await})
    }

    /// The account of that number.
    pub(crate) async fn account(&self, number: &str) -> Value {
        let sql = format!("SELECT id FROM account WHERE acctnumber = '{number}'");
        json!({"id": self.value(&sql).await})
    }

    /// Some expense account.
    pub(crate) async fn expense(&self) -> Value {
        json!({"id": self.value(
            "SELECT id FROM account WHERE accttype = 'Expense' AND issummary = 'F' \
             AND isinactive = 'F' ORDER BY id FETCH FIRST 1 ROWS ONLY",
        ).await})
    }

    /// The body of a bill of one line.
    pub(crate) async fn bill(&self, number: &str, amount: &str) -> Value {
        let amount: Value = serde_json::from_str(amount).unwrap();
        json!({
            "entity": self.vendor().await,
            "subsidiary": {"id": "1"},
            "tranId": number,
            "tranDate": "2026-07-10",
            "approvalStatus": {"id": "2"},
            "expense": {"items": [{"account": self.expense().await, "amount": amount}]},
        })
    }

    /// Posts a bill and returns its id.
    pub(crate) async fn post_bill(&self, number: &str, amount: &str) -> String {
        let body = self.bill(number, amount).await;
        self.record("POST", "vendorBill", body).await.id()
    }

    /// What is unpaid on a document.
    pub(crate) async fn unpaid(&self, id: &str) -> String {
        self.value(&format!(
            "SELECT foreignamountunpaid FROM transaction WHERE id = {id}"
        ))
        .await
    }

    /// A document's status letter.
    pub(crate) async fn status(&self, id: &str) -> String {
        self.value(&format!("SELECT status FROM transaction WHERE id = {id}"))
            .await
    }
}

fn merge(value: &mut Value, change: &Value) {
    for (name, new) in change.as_object().unwrap() {
        value[name] = new.clone();
    }
}

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
