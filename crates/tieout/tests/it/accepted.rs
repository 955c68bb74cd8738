//! A person's yes is to the one warning that it answers.

use serde_json::json;
use tieout_desk::exceptions::{Chosen, Ruling, decide};
use tieout_domain::code::Code;
use tieout_domain::document::BillStatus;
use tieout_domain::{Kind, RecordRef, RemoteId};

use crate::acts::{amount, ledger};
use crate::stage::Stage;

/// A bill that somebody archived in BILL: its ids here and there.
async fn archived() -> (Stage, RecordRef, RemoteId) {
    let stage = Stage::new().await;
    stage.sync().await;
    let (bill, there, _) = stage.an_open_bill().await;
    let there_path = format!("bills/{there}");
    stage
        .in_bill(&there_path, json!({"action": "archive"}))
        .await;
    stage.sync().await;
    let here = ledger(Kind::Bill, &bill);
    assert_eq!(
        stage.state_of("bills", &here).await,
        "BLOCKED(archived-on-platform)"
    );
    (stage, here, there)
}

/// Somebody accepts what the record waits for, having seen this code.
async fn accept(stage: &Stage, record: &RecordRef, seen: &'static str) -> usize {
    let chosen = Chosen {
        records: vec![record.to_string()],
        seen: Some(Code::new(seen)),
        ..Chosen::default()
    };
    let store = &stage.connection.store;
    let decided = decide(store, &chosen, &Ruling::Accept, "a test's", "user:ann").await;
    decided.unwrap().len()
}

/// Somebody in BILL makes it a bill of one cent.
async fn edited(stage: &Stage, there: &RemoteId) {
    let body = json!({"action": "edit", "fields": {"amount": "0.01"}});
    stage.in_bill(&format!("bills/{there}"), body).await;
}

#[tokio::test]
async fn s067_a_bill_that_may_be_restored_asks_again_when_its_amount_is_changed() {
    let (stage, here, there) = archived().await;
    let total = stage.ledger_bill(&here.id).await.total;
    assert_eq!(accept(&stage, &here, "archived-on-platform").await, 1);
    stage.sync_twice().await;
    assert_eq!(stage.state_of("bills", &here).await, "DONE");

    edited(&stage, &there).await;
    assert_eq!(stage.sync().await.written, 0);
    let blocked = "BLOCKED(amount-changed-on-platform)";
    assert_eq!(stage.state_of("bills", &here).await, blocked);
    assert_eq!(stage.platform_bill(&there).await.total, amount("0.01"));

    // Who has seen the old warning alone has not answered this one.
    assert_eq!(accept(&stage, &here, "archived-on-platform").await, 0);
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(accept(&stage, &here, "amount-changed-on-platform").await, 1);
    stage.sync_twice().await;
    assert_eq!(stage.state_of("bills", &here).await, "DONE");
    assert_eq!(stage.platform_bill(&there).await.total, total);

    // What was accepted before stays accepted: two warnings in turn don't ask for ever.
    let store = &stage.connection.store;
    let kept = store
        .decisions("bills", std::slice::from_ref(&here))
        .await
        .unwrap();
    assert_eq!(
        kept[&here].decision,
        "accept archived-on-platform amount-changed-on-platform"
    );
}

#[tokio::test]
async fn s067_a_yes_from_before_codes_were_kept_answers_what_the_history_says_it_answered() {
    let (stage, here, there) = archived().await;
    stage.decide("bills", &here, "accept").await;
    stage.sync_twice().await;
    assert_ne!(
        stage.platform_bill(&there).await.status,
        BillStatus::Archived
    );
    edited(&stage, &there).await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(
        stage.state_of("bills", &here).await,
        "BLOCKED(amount-changed-on-platform)"
    );
    // With the next yes the old one is kept by its code.
    assert_eq!(accept(&stage, &here, "amount-changed-on-platform").await, 1);
    let store = &stage.connection.store;
    let kept = store
        .decisions("bills", std::slice::from_ref(&here))
        .await
        .unwrap();
    assert_eq!(
        kept[&here].decision,
        "accept archived-on-platform amount-changed-on-platform"
    );
}
