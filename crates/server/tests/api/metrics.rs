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
async fn nobody_from_elsewhere_reads_it_without_a_token() {
    let stage = Stage::new().await;
    let (status, text) = scraped(&stage, "192.0.2.7:9").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{text}");
    assert!(!text.contains("acme"));
}
