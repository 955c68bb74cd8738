//! Traces on their way to a collector on loopback.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use serde_json::Value;
use tieout::cli::Global;
use tieout::commands::sync::{self, PlanArgs, SyncArgs};
use tieout::serve::Service;
use tieout_engine::scheduler::Runs;

use crate::stage::Stage;

type Came = Arc<Mutex<Vec<Bytes>>>;

async fn collector() -> (String, Came) {
    let came = Came::default();
    let take = async |State(came): State<Came>, body: Bytes| {
        came.lock().unwrap().push(body);
        "{}"
    };
    let router = Router::new()
        .route("/v1/traces", post(take))
        .with_state(Arc::clone(&came));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, came)
}

/// The home's traces go there.
fn configure(stage: &Stage, endpoint: &str) {
    let path = stage.folder.path().join("tieout.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        format!("[server.telemetry]\nendpoint = \"{endpoint}\"\n{text}"),
    )
    .unwrap();
}

/// The spans that have come.
fn spans(came: &Came) -> Vec<Value> {
    let bodies = came.lock().unwrap().clone();
    let bodies = bodies
        .iter()
        .map(|body| serde_json::from_slice::<Value>(body).unwrap());
    let spans = bodies.flat_map(|body| {
        let spans = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans.as_array().unwrap().clone()
    });
    spans.collect()
}

/// A service that sends traces there, and one run of it.
async fn run(stage: &Stage, endpoint: &str) -> Arc<Service> {
    configure(stage, endpoint);
    let service = Service::new(stage.restarted_home().await).await.unwrap();
    tokio::spawn(Arc::clone(&service).trace(std::future::pending()));
    let connection = stage.connection.store.name().clone();
    let mark = tieout_engine::scheduler::Mark {
        trigger: "asked".to_owned(),
        ..Default::default()
    };
    service.scheduler.mark(&connection, mark);
    let runs = Arc::clone(&service);
    tokio::spawn(async move {
        runs.scheduler
            .work(runs.clone(), Duration::from_secs(1))
            .await
    });
    for _ in 0..600 {
        let ended = stage.connection.store.runs(10).await.unwrap();
        if ended.iter().any(|run| run.ended.is_some()) {
            return service;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no run has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_told_to_the_collector_and_nothing_secret_is() {
    let stage = Stage::new().await;
    let (endpoint, came) = collector().await;
    let service = run(&stage, &endpoint).await;
    let mut found = Vec::new();
    for _ in 0..200 {
        found = spans(&came);
        if found.iter().any(|span| span["name"] == "run") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let named = |name: &str| found.iter().find(|span| span["name"] == name);
    let whole = named("run").expect("the run's own span");
    let flow = named("bills").expect("a span for the flow of bills");
    assert_eq!(flow["parentSpanId"], whole["spanId"]);
    let call = named("POST /connect/v3/bills/bulk").expect("a span for the bulk call");
    assert_eq!(
        (&call["traceId"], &call["kind"]),
        (&whole["traceId"], &Value::from(3))
    );
    // Neither a secret, nor an id, nor anything of the books.
    let all: Vec<u8> = came.lock().unwrap().concat();
    let all = String::from_utf8(all).unwrap();
    let vault = stage.home.vault().await.unwrap();
    let credentials = stage.home.store.credentials();
    for row in credentials.list().await.unwrap() {
        let (_, fields) = credentials.get(&vault, &row.name).await.unwrap();
        let fields: Value =
            serde_json::from_str(secrecy::ExposeSecret::expose_secret(&fields)).unwrap();
        for value in fields.as_object().unwrap().values() {
            assert!(
                !all.contains(value.as_str().unwrap()),
                "a field of {}",
                row.name
            );
        }
    }
    let records = stage.panel.get("/control/records").await.unwrap();
    for kind in ["vendors", "bills"] {
        for record in records["bill"][kind].as_array().unwrap() {
            assert!(!all.contains(record["id"].as_str().unwrap()), "an id");
        }
    }
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_holds_nothing_up() {
    let stage = Stage::new().await;
    // Nobody listens there.
    let service = run(&stage, "http://127.0.0.1:9").await;
    let runs = stage.connection.store.runs(10).await.unwrap();
    assert!(runs.iter().any(|run| run.status != "failed"), "{runs:?}");
    let _ = service.chance();
}

/// A command of the stage's home.
fn global(stage: &Stage) -> Global {
    Global {
        home: Some(stage.folder.path().to_owned()),
        key_file: Some(stage.folder.path().join(tieout::home::KEY)),
        json: false,
        quiet: true,
        verbose: 0,
    }
}

/// The run's own span, its status told; every other span that came is of the same trace.
fn whole(came: &Came, trigger: &str) -> String {
    let all = std::mem::take(&mut *came.lock().unwrap());
    let found = spans(&Arc::new(Mutex::new(all)));
    let whole = found.iter().find(|span| span["name"] == "run");
    let whole = whole.unwrap_or_else(|| panic!("no run among {found:?}"));
    let told = |key: &str| {
        let mut told = whole["attributes"].as_array().unwrap().iter();
        let found = told.find(|one| one["key"] == key).unwrap();
        found["value"]["stringValue"].as_str().unwrap().to_owned()
    };
    assert_eq!(told("tieout.trigger"), trigger);
    assert!(found.len() > 1, "{found:?}");
    assert!(found.iter().all(|span| span["traceId"] == whole["traceId"]));
    told("tieout.status")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_told_all_of_its_run_when_it_ends() {
    let stage = Stage::new().await;
    let (endpoint, came) = collector().await;
    configure(&stage, &endpoint);
    let global = global(&stage);
    let args = SyncArgs {
        connections: Vec::new(),
        flows: Vec::new(),
        only: Vec::new(),
        plan: None,
        whole: false,
    };
    sync::sync(&global, &args).await.unwrap();
    assert_ne!(whole(&came, "command"), "failed");
    let args = PlanArgs {
        connections: Vec::new(),
        flows: Vec::new(),
        only: Vec::new(),
        out: None,
    };
    sync::plan(&global, &args).await.unwrap();
    assert_eq!(whole(&came, "plan"), "done");
    // Nobody takes them: the command ends as it would.
    configured_elsewhere(&stage, &endpoint);
    sync::plan(&global, &args).await.unwrap();
    assert!(came.lock().unwrap().is_empty());
}

/// Traces go where nobody listens.
fn configured_elsewhere(stage: &Stage, endpoint: &str) {
    let path = stage.folder.path().join("tieout.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replace(endpoint, "http://127.0.0.1:9")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_sent_when_the_service_is_told_to_stop() {
    let stage = Stage::new().await;
    let (endpoint, came) = collector().await;
    configure(&stage, &endpoint);
    let service = Service::new(stage.restarted_home().await).await.unwrap();
    // Told to stop before anything was sent, with one span waiting.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = service
        .router()
        .into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let panel = tieout::sandbox::Panel::new(&serde_json::json!({"control": url})).unwrap();
    panel.get("/api/openapi.json").await.unwrap();
    service.trace(std::future::ready(())).await;
    let found = spans(&came);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["name"], "GET /api/openapi.json");
}
