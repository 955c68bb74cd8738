//! Checklist 5: a write that is carried out although its caller never hears of it; sessions that end early.

use serde_json::json;
use tieout_kit::fake::{Chassis, Effect, Fake, FaultRule, dress};
use tieout_netsuite_fake::Options;

use crate::account::{Account, RECORDS};

/// An account behind the chassis, and the chassis.
async fn dressed() -> (Account, Chassis) {
    let mut kept = None;
    let mut account = Account::built(
        Options::default(),
        |_| {},
        |chassis| {
            kept = Some(chassis.clone());
            chassis
        },
    )
    .await;
    let chassis = kept.unwrap();
    account.router = dress(&chassis, account.fake.service(), account.router.clone());
    (account, chassis)
}

#[tokio::test]
async fn a_write_without_an_answer_is_found_by_its_external_id() {
    let (account, chassis) = dressed().await;
    let body = account.bill("LOST", "10").await;
    for (effect, found) in [(Effect::DropBeforeCommit, 0), (Effect::DropAfterCommit, 1)] {
        let rule = FaultRule::new("netsuite", effect)
            .method("PUT")
            .path(format!("{RECORDS}/vendorBill"))
            .times(1);
        chassis.faults.add(rule);
        let answer = account
            .record("PUT", "vendorBill/eid:lost_1", body.clone())
            .await;
        assert_ne!(
            answer.status, 204,
            "no answer that could be taken for success"
        );
        let rows = account
            .rows("SELECT id FROM transaction WHERE externalid = 'lost_1'")
            .await;
        assert_eq!(rows.len(), found);
    }
}

#[tokio::test]
async fn a_session_may_end_early() {
    let (mut account, chassis) = dressed().await;
    chassis
        .faults
        .add(FaultRule::new("netsuite", Effect::ExpireSession).times(1));
    let answer = account.record("GET", "account?limit=1", json!(null)).await;
    assert_eq!(answer.status, 401);
    account.sign_in().await;
    let answer = account.record("GET", "account?limit=1", json!(null)).await;
    assert_eq!(answer.status, 200);
}
