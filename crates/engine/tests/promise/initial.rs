//! The initial sync in stages (scenario 170): what is new first, then all history, and nothing twice.

use tieout_domain::Document;
use tieout_domain::port::Action;
use tieout_engine::{RunOptions, initial_sync, plan};

use crate::stage::{Effect, Stage, bill};

fn dated(id: &str, date: &str) -> (String, Document) {
    let (id, mut document) = bill(id, "10");
    if let Document::Bill(bill) = &mut document {
        bill.date = date.parse().unwrap();
    }
    (id, document)
}

/// Four documents; today is 2026-06-12.
fn fill(stage: &Stage) {
    for (id, date) in [
        ("a 2019", "2019-03-05"),
        ("b 2025", "2025-06-11"),
        ("c 2026", "2026-06-01"),
        ("d 2024", "2024-06-11"),
    ] {
        stage.ledger.put(dated(id, date));
    }
}

/// What was made on the platform, in the order in which it was.
fn made(stage: &Stage) -> Vec<String> {
    let ids = stage.platform.ids();
    ids.iter().map(|id| stage.platform.memo(id)).collect()
}

#[tokio::test]
async fn s170_the_last_twelve_months_come_first_and_then_all_history_newest_first() {
    let stage = Stage::in_stages().await;
    fill(&stage);
    let report = stage.try_sync().await;
    assert_eq!(
        made(&stage),
        ["for c 2026", "for b 2025", "for d 2024", "for a 2019"]
    );
    let initial = report.initial.unwrap();
    assert_eq!(initial.as_str(), "connected");
    assert_eq!((initial.looked_at_recent, initial.looked_at), (Some(1), 4));
    stage.ledger.put(dated("e 2010", "2010-01-01"));
    assert_eq!(stage.try_sync().await.initial, None, "it is over");
    assert_eq!(stage.platform.calls(Action::Create), 5);
}

#[tokio::test]
async fn s170_an_initial_sync_that_was_broken_off_goes_on_where_it_was() {
    let stage = Stage::in_stages().await;
    fill(&stage);
    stage.platform.next(Effect::Denied);
    let initial = stage.try_sync().await.initial.unwrap();
    assert_eq!(
        (initial.as_str(), initial.looked_at_recent),
        ("pending", None)
    );
    assert!(made(&stage).is_empty(), "history doesn't overtake");
    stage.ledger.put(dated("f 2026", "2026-06-11"));
    for _ in 0..3 {
        stage.try_sync().await;
    }
    assert_eq!(made(&stage).len(), 5);
    // One call that was denied, and one for each document.
    assert_eq!(stage.platform.calls(Action::Create), 6);
    let initial = initial_sync(&stage.connection.store).await.unwrap();
    assert_eq!(initial.unwrap().as_str(), "connected");
}

#[tokio::test]
async fn s170_one_record_that_was_asked_for_need_not_wait_for_its_stage() {
    let stage = Stage::in_stages().await;
    fill(&stage);
    let options = RunOptions {
        only: vec!["ledger/bill/a 2019".to_owned()],
        ..RunOptions::new("only", "test")
    };
    tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap();
    assert_eq!(made(&stage), ["for a 2019"]);
}

#[tokio::test]
async fn s170_a_plan_shows_all_of_it_and_says_how_much_comes_later() {
    let stage = Stage::in_stages().await;
    fill(&stage);
    let options = RunOptions::new("plan", "test");
    let plan = plan(&stage.connection, options).await.unwrap();
    assert_eq!(plan.steps.len(), 4);
    let later = plan.later.unwrap();
    assert_eq!(
        (later.count, later.before.to_string()),
        (3, "2025-06-12".to_owned())
    );
}
