//! Files of bills, from NetSuite's cabinet to BILL, over sockets (scenarios 76 and 77).

use serde_json::{Value, json};
use tieout::sandbox::SandboxOptions;
use tieout_domain::{Kind, RecordRef, RemoteId, Side, State};

use crate::stage::{Stage, count, options};

/// A small company whose bills have files.
async fn stage() -> Stage {
    let small = SandboxOptions {
        vendors: Some(20),
        bills: Some(80),
        ..options()
    };
    Stage::with_files(small).await
}

async fn attach(stage: &Stage, bill: &RemoteId, name: &str, content: &str) -> RecordRef {
    let body = json!({"action": "attach", "name": name, "content": content});
    let answer = stage.in_netsuite("vendorbill", bill, body).await;
    let file = answer["file"].as_str().unwrap();
    RecordRef::new(
        Side::Ledger,
        Kind::Attachment,
        format!("{bill}-{file}").as_str(),
    )
}

/// The documents of BILL's: which bill's, name and content.
async fn documents(stage: &Stage) -> Vec<(String, String, String)> {
    let records = stage.panel.get("/control/records").await.unwrap();
    let documents = records["bill"]["documents"].as_array().unwrap().clone();
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let told = |one: &Value| (text(one, "bill"), text(one, "name"), text(one, "content"));
    documents.iter().map(told).collect()
}

#[tokio::test]
async fn s076_s077_files_follow_their_bill_once_and_what_is_replaced_follows_too() {
    let stage = stage().await;
    stage.sync().await;
    let pairs = stage.open_pairs().await;
    let (bill, copy) = &pairs[0];
    let file = attach(&stage, bill, "scan.pdf", "%PDF-1.4 one").await;
    let twin = attach(&stage, bill, "copy.pdf", "%PDF-1.4 one").await;
    attach(&stage, &pairs[1].0, "scan.pdf", "%PDF-1.4 other").await;
    let report = stage.sync().await;
    assert_eq!(count(&report, "documents", State::Done), 2);
    assert_eq!(
        stage.item("documents", &file).await.outcome.to_string(),
        "DONE"
    );
    let of_twin = stage.item("documents", &twin).await.outcome;
    assert_eq!(of_twin.to_string(), "NOOP(same-file)");
    let first = (
        copy.to_string(),
        "scan.pdf".to_owned(),
        "%PDF-1.4 one".to_owned(),
    );
    let there = documents(&stage).await;
    assert_eq!(there.len(), 2, "{there:?}");
    assert!(there.contains(&first), "{there:?}");
    stage.assert_quiet().await;
    stage.sync().await;
    assert_eq!(documents(&stage).await.len(), 2);
    // Replaced: the new one follows under a name of its own.
    let id = file.id.as_str().split_once('-').unwrap().1.to_owned();
    let body =
        json!({"action": "attach", "file": id, "name": "scan.pdf", "content": "%PDF-1.4 two"});
    stage.in_netsuite("vendorbill", bill, body).await;
    stage.sync().await;
    let there = documents(&stage).await;
    let second = (
        copy.to_string(),
        "scan (2).pdf".to_owned(),
        "%PDF-1.4 two".to_owned(),
    );
    assert!(there.len() == 3 && there.contains(&second), "{there:?}");
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s076_an_upload_without_an_answer_is_looked_for_and_never_made_twice() {
    let stage = stage().await;
    stage.sync().await;
    let (bill, _) = stage.open_pairs().await.remove(0);
    let file = attach(&stage, &bill, "scan.pdf", "%PDF-1.4 one").await;
    for effect in ["drop-after-commit", "drop-before-commit"] {
        stage
            .fault(
                json!({"service": "bill", "method": "POST", "path": "/v3/documents/bills",
                "times": 1, "effect": effect}),
            )
            .await;
    }
    for _ in 0..3 {
        stage.sync().await;
        stage.advance("10 minutes").await;
    }
    assert_eq!(
        stage.item("documents", &file).await.outcome.to_string(),
        "DONE"
    );
    assert_eq!(documents(&stage).await.len(), 1);
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s076_a_file_that_cannot_go_keeps_no_bill_and_no_other_file() {
    let stage = stage().await;
    stage.sync().await;
    let pairs = stage.open_pairs().await;
    let bill = &pairs[0].0;
    let refused = attach(&stage, bill, "odd.xyz", "odd").await;
    let words =
        r#"[{"code":"BDC_9999","message":"This type of file is not taken","severity":"ERROR"}]"#;
    stage
        .fault(
            json!({"service": "bill", "method": "POST", "path": "/v3/documents/bills",
            "times": 1, "effect": "status", "status": 400, "body": words}),
        )
        .await;
    stage.sync().await;
    let outcome = stage.item("documents", &refused).await.outcome;
    assert_eq!(outcome.to_string(), "BLOCKED(refused-there)");
    assert!(outcome.cause.contains("not taken"), "{}", outcome.cause);
    attach(&stage, &pairs[1].0, "scan.pdf", "%PDF-1.4").await;
    let report = stage.sync().await;
    assert_eq!(count(&report, "documents", State::Done), 1);
    let record = RecordRef::new(Side::Ledger, Kind::Bill, bill.clone());
    assert_eq!(
        stage.item("bills", &record).await.outcome.state,
        State::Done
    );
    assert_eq!(documents(&stage).await.len(), 1);
}

#[tokio::test]
async fn s076_without_the_script_all_else_works_and_doctor_says_so() {
    let stage = stage().await;
    stage.sync().await;
    let (bill, _) = stage.open_pairs().await.remove(0);
    attach(&stage, &bill, "scan.pdf", "%PDF-1.4").await;
    let off = json!({"deployed": false}).to_string();
    stage
        .panel
        .post("/control/netsuite/scripts", &off)
        .await
        .unwrap();
    let report = stage.sync().await;
    assert_eq!(count(&report, "documents", State::Done), 0);
    let checks = stage.connection.sides.ledger.whole.examine().await;
    let told = checks
        .iter()
        .find(|check| check.code.as_str() == "script-missing");
    let told = told.unwrap_or_else(|| panic!("{checks:#?}"));
    assert!(told.cause.contains("without the files"), "{}", told.cause);
    let on = json!({"deployed": true}).to_string();
    stage
        .panel
        .post("/control/netsuite/scripts", &on)
        .await
        .unwrap();
    let report = stage.sync().await;
    assert_eq!(count(&report, "documents", State::Done), 1);
}

#[tokio::test]
async fn s077_a_file_that_is_replaced_while_its_bill_is_closed_is_there_when_it_opens_again() {
    let stage = stage().await;
    stage.sync().await;
    let (bill, copy) = stage.open_pairs().await.remove(0);
    let file = attach(&stage, &bill, "scan.pdf", "%PDF-1.4 one").await;
    stage.sync().await;
    let check = stage.enter("vendorpayment", json!({"bills": [bill], "number": "CHK-1"}));
    let check = check.await;
    let id = file.id.as_str().split_once('-').unwrap().1;
    let body =
        json!({"action": "attach", "file": id, "name": "scan.pdf", "content": "%PDF-1.4 two"});
    stage.in_netsuite("vendorbill", &bill, body).await;
    stage.sync().await;
    stage.advance("3 hours").await;
    stage
        .in_netsuite("vendorpayment", &check, json!({"action": "void"}))
        .await;
    stage.sync().await;
    let there = documents(&stage).await;
    let second = (
        copy.to_string(),
        "scan (2).pdf".to_owned(),
        "%PDF-1.4 two".to_owned(),
    );
    assert!(there.contains(&second), "{there:?}");
    stage.assert_quiet().await;
}
