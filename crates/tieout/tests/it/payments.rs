//! Payments: from BILL onto the vendor bills, and back.

use serde_json::json;
use tieout_domain::{Document, Kind, RecordRef, Side, State};
use tieout_engine::compare::compare;

use crate::stage::{Stage, count};

#[tokio::test]
async fn s093_a_processed_payment_is_posted_once_under_its_key() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (ledger, platform) = stage.open_pairs().await.pop().unwrap();
    let payment = stage.pay(&[platform], None, "PROCESSED").await.remove(0);
    stage.sync().await;
    let record = RecordRef::new(Side::Platform, Kind::Payment, payment.as_str());
    assert_eq!(
        stage.item("bill-payments", &record).await.outcome.state,
        State::Done
    );
    let organization = stage.connection.sides.platform.account.clone();
    let posted: Vec<_> = stage
        .records(Side::Ledger, Kind::Payment)
        .await
        .into_iter()
        .filter_map(|record| match record.observed.document {
            Document::Payment(payment) => payment.external_id.map(|key| key.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(posted, [format!("bill_{organization}_{payment}")]);
    let bill = stage
        .record(&RecordRef::new(Side::Ledger, Kind::Bill, ledger))
        .await;
    let Document::Bill(bill) = bill.observed.document else {
        panic!()
    };
    assert!(bill.open.is_zero());
    let again = stage.sync().await;
    assert_eq!(again.written, 0);
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s094_s095_partial_payments_leave_the_rest_open_on_both_sides() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, platform) = stage.open_pairs().await.pop().unwrap();
    for _ in 0..2 {
        stage
            .pay(std::slice::from_ref(&platform), Some("0.01"), "PROCESSED")
            .await;
        stage.sync().await;
    }
    let comparison = compare(&stage.connection.store).await.unwrap();
    assert!(comparison.agrees(), "{comparison:#?}");
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s107_a_voided_payment_is_reversed_and_its_bill_open_again() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (ledger, platform) = stage.open_pairs().await.pop().unwrap();
    let payment = stage.pay(&[platform], None, "PROCESSED").await.remove(0);
    stage.sync().await;
    stage
        .move_payment(&payment, json!({"status": "VOIDED"}))
        .await;
    stage.sync().await;
    let record = RecordRef::new(Side::Platform, Kind::Payment, payment.as_str());
    assert_eq!(
        stage.item("bill-payments", &record).await.outcome.state,
        State::Reversed
    );
    let bill = stage
        .record(&RecordRef::new(Side::Ledger, Kind::Bill, ledger))
        .await;
    let Document::Bill(bill) = bill.observed.document else {
        panic!()
    };
    assert_eq!(bill.open, bill.total);
    let comparison = compare(&stage.connection.store).await.unwrap();
    assert!(comparison.agrees(), "{comparison:#?}");
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s106_a_payment_voided_before_it_was_seen_is_never_posted() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, platform) = stage.open_pairs().await.pop().unwrap();
    let payment = stage.pay(&[platform], None, "SCHEDULED").await.remove(0);
    stage
        .move_payment(&payment, json!({"status": "VOIDED"}))
        .await;
    let report = stage.sync().await;
    assert_eq!(report.written, 0);
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s118_an_unknown_status_is_never_taken_for_paid() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, platform) = stage.open_pairs().await.pop().unwrap();
    let payment = stage
        .pay(&[platform], None, "SOMETHING_NEW")
        .await
        .remove(0);
    let report = stage.sync().await;
    let record = RecordRef::new(Side::Platform, Kind::Payment, payment.as_str());
    let item = stage.item("bill-payments", &record).await;
    assert_eq!(item.outcome.state, State::Blocked);
    assert_eq!(report.written, 0);
}

#[tokio::test]
async fn s121_s126_a_payment_made_in_netsuite_is_recorded_in_bill_and_its_echo_ignored() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (ledger, platform) = stage.open_pairs().await.pop().unwrap();
    let body = json!({"bills": [ledger]}).to_string();
    stage
        .panel
        .post("/control/netsuite/vendorpayment", &body)
        .await
        .unwrap();
    let before = stage.records(Side::Platform, Kind::Payment).await.len();
    stage.sync().await;
    let there = stage
        .record(&RecordRef::new(Side::Platform, Kind::Bill, platform))
        .await;
    let Document::Bill(bill) = there.observed.document else {
        panic!()
    };
    assert!(bill.open.is_zero());
    let payments = stage.records(Side::Platform, Kind::Payment).await;
    assert_eq!(payments.len(), before + 1);
    let again = stage.sync().await;
    assert_eq!(again.written, 0);
    assert!(
        count(&again, "bill-payments", State::Noop) >= 1,
        "{:?}",
        again.flows["bill-payments"]
    );
    stage.assert_quiet().await;
}
