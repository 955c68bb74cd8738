//! The sandbox's own surfaces: its SuiteQL and its control panel.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};
use tieout_domain::Lost;
use tieout_kit::fake::world::World;
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::{Chassis, Fake, FakeClock, control_router};
use tieout_kit::transport::InProcess;
use tieout_kit::{Credential, Transport};
use tieout_netsuite_fake::{NetSuiteFake, Options};

use crate::answers::first_line;
use crate::stage;

const DEADLINE: Duration = Duration::from_secs(1);

fn world() -> World {
    let mut shape = Shape::new(jiff::civil::date(2026, 6, 20));
    shape.vendors = 3;
    shape.bills = 4;
    generate(&shape)
}

/// A NetSuite account, and the header that one is signed in by.
struct Account {
    surface: InProcess,
    authorization: HeaderValue,
}

thread_local! {
    static ACCOUNT: Account = Account::open();
}

impl Account {
    fn open() -> Self {
        let options = Options {
            // Signatures are judged, and tokens end, by a clock that stands still.
            wall_clock: Arc::new(stage::start),
            ..Options::default()
        };
        let chassis = Chassis::new(FakeClock::at(stage::start()), 1);
        let fake = NetSuiteFake::new(chassis, &world(), options);
        let described = fake.describe("http://127.0.0.1:9101");
        let surface = Arc::new(Overheard {
            inner: InProcess::new(Arc::clone(&fake).router()),
            authorization: Mutex::default(),
        });
        let table = json!({"account": described["account"], "subsidiary": described["subsidiary"],
            "credential": "a", "base_url": "http://127.0.0.1:9101"});
        let credential = Credential {
            kind: "netsuite-m2m".to_owned(),
            fields: described["netsuite-m2m"].to_string().into(),
        };
        let table = table.as_object().cloned().unwrap_or_default();
        let kit = stage::kit(Arc::clone(&surface) as Arc<dyn Transport>);
        let ports = (tieout_netsuite::SYSTEM.connect)(&table, credential, kit)
            .expect("the sandbox describes itself in order");
        stage::wait_for(ports.whole.ping()).expect("the client signs in at the sandbox");
        let overheard = surface
            .authorization
            .lock()
            .expect("nothing panicked before");
        let authorization = overheard.clone().expect("a call was signed");
        Self {
            surface: InProcess::new(fake.router()),
            authorization,
        }
    }
}

/// Remembers by what header the client was signed in.
struct Overheard {
    inner: InProcess,
    authorization: Mutex<Option<HeaderValue>>,
}

#[async_trait]
impl Transport for Overheard {
    async fn send(
        &self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Result<Response<Bytes>, Lost> {
        if let Some(header) = request.headers().get(AUTHORIZATION) {
            *self.authorization.lock().expect("nothing panicked before") = Some(header.clone());
        }
        self.inner.send(request, deadline).await
    }
}

/// A query; its parameters follow, one on each line after an empty one.
pub(super) fn suiteql(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (query, parameters) = text.split_once("\n\n").unwrap_or((&text, ""));
    let parameters: Vec<&str> = parameters.lines().collect();
    let mut body = json!({ "q": query });
    if !parameters.is_empty() {
        body["params"] = json!(parameters);
    }
    let answer = ACCOUNT.with(|account| {
        let request = Request::post("http://127.0.0.1:9101/services/rest/query/v1/suiteql")
            .header("content-type", "application/json")
            .header("prefer", "transient")
            .header(AUTHORIZATION, account.authorization.clone())
            .body(Bytes::from(body.to_string()))
            .expect("the request is in order");
        stage::wait_for(account.surface.send(request, DEADLINE)).expect("the sandbox answers")
    });
    let said: Value = serde_json::from_slice(answer.body()).expect("the answer is JSON");
    match answer.status() {
        StatusCode::OK => {
            let rows = said["items"].as_array().expect("the answer holds rows");
            for row in rows {
                let row = row.as_object().expect("a row is an object");
                let shown = |(name, value): (&String, &Value)| name == "links" || value.is_string();
                assert!(row.iter().all(shown), "{row:?}");
            }
        }
        // What the service itself can't run it answers with 500 and this code.
        StatusCode::INTERNAL_SERVER_ERROR => {
            assert_eq!(
                said["o:errorDetails"][0]["o:errorCode"], "UNEXPECTED_ERROR",
                "{said}"
            );
        }
        StatusCode::BAD_REQUEST => {
            let detail = said["o:errorDetails"][0]["detail"]
                .as_str()
                .unwrap_or_default();
            assert!(!detail.trim().is_empty(), "{said}");
        }
        status => panic!("{status}: {said}"),
    }
}

/// A method and a path, then a body.
pub(super) fn control_panel(bytes: &[u8]) {
    thread_local! {
        static PANEL: std::cell::RefCell<Option<Router>> = const { std::cell::RefCell::new(None) };
    }
    let (told, body) = first_line(bytes);
    let (method, path) = told.split_once(' ').unwrap_or(("POST", &told));
    let request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:9100/control/{path}"))
        .body(Bytes::copy_from_slice(body));
    let Ok(request) = request else { return };
    let changes = request.method() != http::Method::GET;
    let router = PANEL
        .with(|panel| panel.borrow_mut().take())
        .unwrap_or_else(panel);
    let answer = stage::wait_for(InProcess::new(router.clone()).send(request, DEADLINE))
        .expect("the panel answers");
    let said: Value = serde_json::from_slice(answer.body()).expect("the answer is JSON");
    if answer.status().is_success() {
        let request = Request::get("http://127.0.0.1:9100/control/state").body(Bytes::new());
        let request = request.expect("the request is in order");
        let state = stage::wait_for(InProcess::new(router.clone()).send(request, DEADLINE));
        let state = state.expect("the panel answers");
        assert_eq!(state.status(), StatusCode::OK);
        assert!(
            !String::from_utf8_lossy(state.body()).contains("\"error\""),
            "{said}"
        );
        if changes {
            // What one input changed is no other's affair.
            return;
        }
    } else {
        assert!(
            answer.status().is_client_error(),
            "{}: {said}",
            answer.status()
        );
        let error = said["error"].as_str().unwrap_or_default();
        assert!(error.len() > 10, "the refusal says nothing: {said}");
    }
    PANEL.with(|panel| *panel.borrow_mut() = Some(router));
}

fn panel() -> Router {
    let chassis = Chassis::new(FakeClock::at(stage::start()), 1);
    let world = world();
    let fakes = tieout_systems::ALL
        .iter()
        .map(|entry| (entry.fake)(chassis.clone(), &world, 1))
        .collect();
    control_router(chassis, fakes)
}
