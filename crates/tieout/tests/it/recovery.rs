//! Lost answers, lost processes: never twice, never lost.

use serde_json::json;
use tieout_domain::State;
use tieout_engine::compare::compare;

use crate::stage::{Stage, count};

#[tokio::test]
async fn s222_a_bulk_creation_whose_answer_was_lost_is_found_and_not_repeated() {
    let stage = Stage::new().await;
    stage
        .fault(
            json!({"service": "bill", "method": "POST", "path": "/v3/bills", "times": 1,
        "effect": "drop-after-commit"}),
        )
        .await;
    let report = stage.sync().await;
    assert!(count(&report, "bills", State::Done) > 20);
    stage.assert_no_duplicates().await;
    let comparison = compare(&stage.connection.store).await.unwrap();
    assert!(comparison.agrees(), "{comparison:#?}");
    stage.assert_quiet().await;
}

#[tokio::test]
async fn a_bulk_creation_that_never_arrived_is_sent_again_after_it_was_looked_for() {
    let stage = Stage::new().await;
    stage
        .fault(
            json!({"service": "bill", "method": "POST", "path": "/v3/bills", "times": 1,
        "effect": "drop-before-commit"}),
        )
        .await;
    let report = stage.sync().await;
    assert!(count(&report, "bills", State::Done) > 20);
    stage.assert_no_duplicates().await;
    stage.assert_quiet().await;
}

#[tokio::test]
async fn lost_vendor_creations_make_no_second_payee() {
    let stage = Stage::new().await;
    stage
        .fault(
            json!({"service": "bill", "method": "POST", "path": "/v3/vendors", "times": 2,
        "effect": "drop-after-commit"}),
        )
        .await;
    stage.sync().await;
    let state = stage.state().await;
    let count = state["bill"]["vendors"]["count"].as_u64().unwrap();
    let links = stage
        .connection
        .store
        .links_page("vendors", None, 1000)
        .await
        .unwrap();
    // Every vendor on the platform is linked, or was there before.
    assert!(
        count as usize <= links.len() + 20,
        "{count} vendors, {} links",
        links.len()
    );
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s147_s223_a_payment_whose_answer_was_lost_is_posted_once() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, platform) = stage.open_pairs().await.pop().unwrap();
    stage.pay(&[platform], None, "PROCESSED").await;
    stage
        .fault(json!({"service": "netsuite", "method": "PUT", "times": 1,
        "effect": "drop-after-commit"}))
        .await;
    stage.sync().await;
    let comparison = compare(&stage.connection.store).await.unwrap();
    assert!(comparison.agrees(), "{comparison:#?}");
    stage.assert_quiet().await;
}

#[tokio::test]
async fn everything_again_under_seeded_faults_ends_in_the_same_state() {
    let calm = Stage::new().await;
    let expected = calm.sync().await;
    let stage = Stage::new().await;
    for (service, method) in [("bill", "POST"), ("bill", "GET"), ("netsuite", "POST")] {
        for effect in [
            "drop-after-commit",
            "drop-before-commit",
            "truncate",
            "html",
        ] {
            stage
                .fault(
                    json!({"service": service, "method": method, "share": 0.05, "times": 2,
                "effect": effect}),
                )
                .await;
        }
    }
    for _ in 0..10 {
        stage.try_sync().await;
    }
    stage.no_faults().await;
    let report = stage.sync().await;
    assert_eq!(report.flows, expected.flows);
    stage.assert_no_duplicates().await;
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s245_a_second_sync_joins_the_one_that_is_running() {
    let stage = Stage::new().await;
    let other = stage.restarted().await;
    let options = || tieout_engine::RunOptions::new(tieout::commands::sync::run_id(), "test");
    let (one, two) = tokio::join!(
        tieout_engine::sync(&stage.connection, options()),
        tieout_engine::sync(&other, options()),
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.joined, two.joined);
    assert_eq!(one.id, two.id);
    assert_eq!(one.flows, two.flows);
    stage.assert_no_duplicates().await;
}

#[tokio::test]
async fn the_history_verifies_after_a_full_cycle() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, platform) = stage.open_pairs().await.pop().unwrap();
    let payment = stage.pay(&[platform], None, "PROCESSED").await.remove(0);
    stage.sync().await;
    stage
        .move_payment(&payment, json!({"status": "VOIDED"}))
        .await;
    stage.sync().await;
    let verification = stage.home.store.verify().await.unwrap();
    assert!(verification.holds(), "{:#?}", verification.faults);
}
