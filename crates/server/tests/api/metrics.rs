//! What a monitor reads, and what the board and the alerts expect of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tieout_server::metrics::FAMILIES;
use tower::ServiceExt;

use crate::stage::Stage;

const BOARD: &str = include_str!("../../../../packaging/grafana.json");
const ALERTS: &str = include_str!("../../../../packaging/alerts.yaml");

async fn scraped(stage: &Stage, from: &str) -> (StatusCode, String) {
    let from: SocketAddr = from.parse().unwrap();
    let request = Request::get("/metrics")
        .extension(ConnectInfo(from))
        .body(Body::empty())
        .unwrap();
    let answer = stage.router(None).oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Every name of a metric in a text.
fn names(text: &str) -> BTreeSet<String> {
    let pattern = regex::Regex::new(r"\btieout_[a-z_]+\b").unwrap();
    pattern
        .find_iter(text)
        .map(|found| found.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn what_the_board_and_the_alerts_name_is_told() {
    let stage = Stage::new().await;
    stage.store.backed_up().await.unwrap();
    let beat = tieout_store::Beat {
        name: "east-1",
        version: "0.1.0",
        runs: 0,
        time: std::time::Duration::from_secs(60),
    };
    stage.store.beat(beat).await.unwrap();
    let (status, text) = scraped(&stage, "127.0.0.1:9").await;
    assert_eq!(status, StatusCode::OK);
    let told = names(&text);
    for name in names(BOARD).union(&names(ALERTS)) {
        assert!(told.contains(name), "{name} is not told: {text}");
    }
    for family in FAMILIES {
        assert!(told.contains(family.name), "{} is not told", family.name);
        assert!(names(BOARD).contains(family.name) || family.name == "tieout_build_info");
    }
    let line = "tieout_exceptions{connection=\"acme-us\",code=\"unmapped-account\"} 3";
    assert!(text.lines().any(|one| one == line), "{text}");
}

#[tokio::test]
async fn what_is_turned_away_is_counted_by_why() {
    let stage = Stage::new().await;
    let forged = Request::post("/webhooks/bill/acme-us").body(Body::from("{}"));
    let answer = stage.router(None).oneshot(forged.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let wrong = Request::post("/sign-in")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("name=ann&password=wrong"));
    let answer = stage.router(None).oneshot(wrong.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let (_, text) = scraped(&stage, "127.0.0.1:9").await;
    for line in [
        "# TYPE tieout_webhooks_total counter",
        "tieout_webhooks_total{outcome=\"webhook-unsigned\"} 1",
        "tieout_webhooks_total{outcome=\"taken\"} 0",
        "tieout_webhook_oldest_unheeded_seconds{connection=\"acme-us\"} 0",
        "tieout_sign_ins_refused_total{code=\"password-wrong\"} 1",
        "tieout_credentials_refused_total{system=\"bill\"} 1",
        "tieout_hourly_calls_used{system=\"bill\",key=\"6f1e\"} 7",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} in {text}");
    }
    // Nothing of a backup is told while there is none.
    assert!(!text.contains("tieout_backup"), "{text}");
}

#[tokio::test]
async fn nobody_from_elsewhere_reads_it_without_a_token() {
    let stage = Stage::new().await;
    let (status, text) = scraped(&stage, "192.0.2.7:9").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{text}");
    assert!(!text.contains("acme"));
}
