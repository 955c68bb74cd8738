//! Sign-ins that are refused, each told apart; the side that works goes on.

use serde_json::json;
use tieout_engine::RunStatus;

use crate::stage::Stage;

#[tokio::test]
async fn s201_a_refused_sign_in_stops_the_connection_once_and_loses_nothing() {
    let stage = Stage::new().await;
    stage
        .panel
        .post("/control/clock", r#"{"advance":"3h"}"#)
        .await
        .unwrap();
    let body = json!({"action": "expire"}).to_string();
    stage
        .panel
        .post("/control/credentials/bill", &body)
        .await
        .unwrap();
    stage.panel.delete("/control/calls").await.unwrap();
    let other = stage.restarted().await;
    let options = tieout_engine::RunOptions::new(tieout::commands::sync::run_id(), "test");
    let report = tieout_engine::sync(&other, options).await.unwrap();
    assert_eq!(report.status, RunStatus::Failed);
    assert!(
        report.problems.iter().any(|p| p.side_failed),
        "{:?}",
        report.problems
    );
    assert_eq!(report.problems[0].code.as_str(), "wrong-password");
    let calls = stage.panel.get("/control/calls").await.unwrap();
    assert_eq!(
        calls["bill"]["by_path"]["POST /v3/login"].as_u64(),
        Some(1),
        "{calls}"
    );
    let body = json!({"action": "restore"}).to_string();
    stage
        .panel
        .post("/control/credentials/bill", &body)
        .await
        .unwrap();
    stage.sync().await;
    stage.assert_quiet().await;
}
