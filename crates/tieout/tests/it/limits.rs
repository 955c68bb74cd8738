//! The services' caps, and sessions that end in the middle of a run.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn s213_a_session_that_ends_in_the_middle_of_a_run_is_renewed_once() {
    let stage = Stage::new().await;
    stage.panel.delete("/control/calls").await.unwrap();
    stage
        .fault(json!({"service": "bill", "path": "/v3/bills", "times": 1,
        "effect": "expire-session"}))
        .await;
    stage.sync().await;
    let calls = stage.panel.get("/control/calls").await.unwrap();
    let logins = calls["bill"]["by_path"]["POST /v3/login"]
        .as_u64()
        .unwrap_or(0);
    assert!(logins <= 2, "{calls}");
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s215_never_more_than_three_calls_at_once_and_none_refused() {
    let stage = Stage::new().await;
    stage.sync().await;
    let calls = stage.panel.get("/control/calls").await.unwrap();
    assert!(
        calls["bill"]["max_in_flight"].as_u64().unwrap() <= 3,
        "{calls}"
    );
    assert_eq!(calls["bill"]["refused"].as_u64(), Some(0), "{calls}");
    assert_eq!(calls["netsuite"]["refused"].as_u64(), Some(0), "{calls}");
}

#[tokio::test]
async fn s241_a_token_that_ends_in_the_middle_of_a_run_is_signed_anew() {
    let stage = Stage::new().await;
    stage
        .fault(
            json!({"service": "netsuite", "path": "/services/rest/query", "times": 1,
        "effect": "expire-session"}),
        )
        .await;
    stage.sync().await;
    stage.assert_quiet().await;
}

#[tokio::test]
async fn a_session_is_kept_sealed_from_run_to_run() {
    let stage = Stage::new().await;
    stage.sync().await;
    stage.panel.delete("/control/calls").await.unwrap();
    let again = stage.restarted().await;
    let options = tieout_engine::RunOptions::new(tieout::commands::sync::run_id(), "test");
    tieout_engine::sync(&again, options).await.unwrap();
    let calls = stage.panel.get("/control/calls").await.unwrap();
    assert_eq!(
        calls["bill"]["by_path"].get("POST /v3/login"),
        None,
        "{calls}"
    );
}
