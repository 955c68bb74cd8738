//! What payments do to the books when something is unusual: s099–s149.

use serde_json::json;
use tieout_domain::{Date, Document, Kind, RemoteId, Side};
use tieout_flows::preferences::{ClosedPeriod, PostAt};

use crate::acts::{ledger, platform};
use crate::stage::Stage;

/// A synced stage with a payment of an open bill in this status.
async fn with_payment(method: &str, status: &str) -> (Stage, RemoteId, RemoteId, RemoteId) {
    let stage = Stage::new().await;
    stage.sync().await;
    let (bill, there, payment) = paid(&stage, method, status).await;
    (stage, bill, there, payment)
}

async fn paid(stage: &Stage, method: &str, status: &str) -> (RemoteId, RemoteId, RemoteId) {
    let (bill, there, _) = stage.an_open_bill().await;
    let body = json!({"bills": [there], "method": method, "status": status});
    let payment = stage.pay_with(body).await;
    (bill, there, payment)
}

/// The same, posted.
async fn posted(method: &str) -> (Stage, RemoteId, RemoteId, RemoteId) {
    let (stage, bill, there, payment) = with_payment(method, "PROCESSED").await;
    stage.sync().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    (stage, bill, there, payment)
}

impl Stage {
    async fn moves(&self, payment: &RemoteId, status: &str) {
        self.move_payment(payment.as_str(), json!({"status": status}))
            .await;
    }

    /// Sets the posting period of a day.
    async fn period(&self, day: Date, state: &str) {
        let path = format!("/control/netsuite/periods/{}", day.strftime("%b%%20%Y"));
        self.panel
            .post(&path, &json!({"state": state}).to_string())
            .await
            .unwrap();
    }

    /// Closes the posting period of a day, with or without "Allow Non-G/L Changes".
    async fn close(&self, day: Date, non_ledger_changes: bool) {
        let path = format!("/control/netsuite/periods/{}", day.strftime("%b%%20%Y"));
        let body = json!({"state": "closed", "non_ledger_changes": non_ledger_changes});
        self.panel.post(&path, &body.to_string()).await.unwrap();
    }

    async fn switch(&self, name: &str, on: bool) {
        let body = json!({name: on}).to_string();
        self.panel
            .post("/control/netsuite/switches", &body)
            .await
            .unwrap();
    }

    async fn assert_bill_closed(&self, bill: &RemoteId) {
        assert!(self.ledger_bill(bill).await.open.is_zero());
    }

    async fn assert_bill_open(&self, bill: &RemoteId) {
        let bill = self.ledger_bill(bill).await;
        assert_eq!(bill.open, bill.total);
    }
}

#[tokio::test]
async fn s099_a_check_number_that_becomes_known_later_is_patched_in() {
    let (stage, _, _, payment) = posted("CHECK").await;
    let (id, before) = stage.only_posting().await;
    stage.moves(&payment, "SENT").await;
    stage.sync_twice().await;
    let (same, after) = stage.only_posting().await;
    assert_eq!(id, same);
    assert!(after.number.starts_with("3000"), "{}", after.number);
    assert_ne!(before.number, after.number);
    assert_eq!((before.total, before.date), (after.total, after.date));
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    stage.assert_tied().await;
}

#[tokio::test]
async fn s101_a_virtual_card_is_told_with_its_last_four_digits_alone() {
    let (stage, ..) = posted("VIRTUAL_CARD").await;
    let (_, posting) = stage.only_posting().await;
    assert!(posting.memo.contains("virtual card"), "{}", posting.memo);
    let (_, last) = posting.memo.split_once("card ending ").unwrap();
    let digits: String = last.chars().take_while(char::is_ascii_digit).collect();
    assert_eq!(digits.len(), 4, "{}", posting.memo);
    stage.assert_tied().await;
}

#[tokio::test]
async fn s105_a_payment_cancelled_after_it_was_posted_is_reversed() {
    let mut stage = Stage::new().await;
    stage.sync().await;
    stage.connection.preferences.transactions.post_payments_at = PostAt::Scheduled;
    let (bill, _, payment) = paid(&stage, "ACH", "SCHEDULED").await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    stage.assert_bill_closed(&bill).await;
    stage.moves(&payment, "CANCELED").await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    stage.assert_bill_open(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s108_a_void_after_the_close_is_reversed_in_the_first_open_period() {
    let (stage, bill, _, payment) = posted("ACH").await;
    let (_, posting) = stage.only_posting().await;
    stage.close(posting.date, true).await;
    stage.moves(&payment, "VOIDED").await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    stage.assert_bill_open(&bill).await;
    let record = [platform(Kind::Payment, &payment)];
    let links = stage
        .connection
        .store
        .links("bill-payments", &record)
        .await
        .unwrap();
    let journal = links.iter().find(|link| link.role == "reversal").unwrap();
    let Some(Document::Journal(journal)) = &journal.applied else {
        panic!()
    };
    assert!(
        journal.date > posting.date.last_of_month(),
        "{}",
        journal.date
    );
    // The payment itself stands in its period as it was.
    let (_, now) = stage.only_posting().await;
    assert_eq!((now.date, now.total), (posting.date, posting.total));
    stage.assert_tied().await;
}

#[tokio::test]
async fn a_period_that_forbids_the_reversal_makes_it_a_persons_matter() {
    let (stage, bill, _, payment) = posted("ACH").await;
    let (_, posting) = stage.only_posting().await;
    stage.close(posting.date, false).await;
    stage.moves(&payment, "VOIDED").await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(
        stage.payment_state(&payment).await,
        "BLOCKED(reversal-forbidden)"
    );
    stage.assert_bill_closed(&bill).await;
    // The controller allows it, and says so here.
    stage.close(posting.date, true).await;
    stage
        .decide("bill-payments", &platform(Kind::Payment, &payment), "")
        .await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    stage.assert_bill_open(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s109_s110_a_reissue_keeps_the_posting_and_makes_no_second_one() {
    let (stage, bill, _, payment) = posted("CHECK").await;
    let (id, _) = stage.only_posting().await;
    let body = json!({"status": "VOIDED", "type": "VOID_AND_REISSUE_VCARD"});
    stage.move_payment(payment.as_str(), body).await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "NOOP(reissued)");
    stage.assert_bill_closed(&bill).await;
    let of_platform = stage.records(Side::Platform, Kind::Payment).await;
    let new = of_platform
        .iter()
        .map(|record| record.record())
        .filter(|record| record.id != payment)
        .max_by_key(|record| record.id.clone())
        .unwrap();
    stage.moves(&new.id, "PROCESSED").await;
    stage.sync_twice().await;
    let (same, now) = stage.only_posting().await;
    assert_eq!(id, same);
    assert!(now.memo.contains("virtual card"), "{}", now.memo);
    assert_eq!(stage.payment_state(&new.id).await, "DONE");
    stage.assert_bill_closed(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s113_s250_a_payment_returned_after_it_cleared_keeps_its_bill_closed() {
    let (stage, bill, _, payment) = posted("ACH").await;
    stage.moves(&payment, "CLEARED").await;
    stage.sync().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    stage.advance("168h").await;
    stage
        .moves(&payment, "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED")
        .await;
    // Other payments of the company move on in that week.
    stage.sync().await;
    assert_eq!(stage.payment_state(&payment).await, "HOLD(returned)");
    stage.assert_bill_closed(&bill).await;
    // It is decided over there: now the bill is open again.
    stage.moves(&payment, "VOIDED").await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    stage.assert_bill_open(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s116_a_failed_funding_of_a_paid_vendor_stays_posted_and_alarms() {
    let (stage, bill, _, payment) = posted("ACH").await;
    stage.moves(&payment, "FUNDING_FAILED_ACTION_NEEDED").await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(
        stage.payment_state(&payment).await,
        "BLOCKED(owed-to-platform)"
    );
    stage.assert_bill_closed(&bill).await;
    stage.assert_tied().await;
    // Seen first in this state it is posted as well: the vendor has the money.
    let (other, _, first) = paid(&stage, "ACH", "FUNDING_FAILED_ACTION_NEEDED").await;
    stage.sync_twice().await;
    assert_eq!(
        stage.payment_state(&first).await,
        "BLOCKED(owed-to-platform)"
    );
    stage.assert_bill_closed(&other).await;
}

#[tokio::test]
async fn s117_a_failed_funding_that_was_voided_reopens_the_bill() {
    let (stage, bill, _, payment) = posted("ACH").await;
    stage.moves(&payment, "FUNDING_FAILED_VOIDED").await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    stage.assert_bill_open(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s120_a_bill_that_the_ledger_has_paid_already_is_not_paid_again() {
    let (stage, bill, _, payment) = with_payment("ACH", "PROCESSED").await;
    let body = json!({"bills": [bill], "number": "CHK-77"});
    let other = stage.enter("vendorpayment", body).await;
    assert_eq!(stage.sync().await.written, 0);
    let item = stage
        .item("bill-payments", &platform(Kind::Payment, &payment))
        .await;
    assert_eq!(item.outcome.to_string(), "BLOCKED(already-paid)");
    assert!(
        item.outcome.cause.contains("CHK-77"),
        "{}",
        item.outcome.cause
    );
    let here = stage
        .state_of("bill-payments", &ledger(Kind::Payment, &other))
        .await;
    assert_eq!(here, "BLOCKED(already-paid-on-platform)");
    // Somebody voids the check in the ledger: the payment is posted.
    stage
        .in_netsuite("vendorpayment", &other, json!({"action": "void"}))
        .await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    stage.assert_tied().await;
}

#[tokio::test]
async fn s127_payments_wait_until_their_account_is_named() {
    let mut stage = Stage::new().await;
    stage.sync().await;
    let named = stage
        .connection
        .preferences
        .transactions
        .payment_account
        .take();
    let (bill, _, payment) = paid(&stage, "ACH", "PROCESSED").await;
    assert_eq!(stage.sync().await.written, 0);
    let item = stage
        .item("bill-payments", &platform(Kind::Payment, &payment))
        .await;
    assert_eq!(item.outcome.to_string(), "BLOCKED(payment-account-missing)");
    assert!(
        item.outcome.group.starts_with("payment-account-missing:"),
        "{}",
        item.outcome.group
    );
    stage.connection.preferences.transactions.payment_account = named;
    stage
        .decide("bill-payments", &platform(Kind::Payment, &payment), "")
        .await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    stage.assert_bill_closed(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s131_a_payment_of_a_closed_period_waits_for_the_controller() {
    let (stage, bill, _, payment) = with_payment("ACH", "PROCESSED").await;
    let day = stage.payment_day(&payment).await;
    stage.period(day, "closed").await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(stage.payment_state(&payment).await, "HOLD(closed-period)");
    stage.period(day, "locked").await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(stage.payment_state(&payment).await, "HOLD(locked-period)");
    // Opened again, it is posted without anybody asking for it.
    stage.period(day, "open").await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    stage.assert_bill_closed(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s131_or_goes_to_the_next_open_period_with_its_true_date_in_the_memo() {
    let (mut stage, bill, _, payment) = with_payment("ACH", "PROCESSED").await;
    stage.connection.preferences.transactions.closed_period = ClosedPeriod::NextOpen;
    let day = stage.payment_day(&payment).await;
    stage.period(day, "closed").await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    let (_, posting) = stage.only_posting().await;
    assert!(posting.date > day.last_of_month(), "{}", posting.date);
    assert!(posting.memo.contains(&day.to_string()), "{}", posting.memo);
    stage.assert_bill_closed(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s143_a_refused_posting_done_again_is_there_once_under_its_key() {
    let (stage, bill, _, payment) = with_payment("ACH", "PROCESSED").await;
    let refusal = json!({"type": "", "title": "Bad Request", "status": 400, "o:errorDetails": [
        {"detail": "Error while accessing a resource. Not today.", "o:errorCode": "USER_ERROR"}]});
    stage
        .fault(
            json!({"service": "netsuite", "method": "PUT", "times": 1, "effect": "status",
        "status": 400, "body": refusal}),
        )
        .await;
    assert_eq!(stage.sync().await.written, 0);
    let record = platform(Kind::Payment, &payment);
    assert!(stage.payment_state(&payment).await.starts_with("BLOCKED("));
    // It stays so until somebody asks for it.
    assert_eq!(stage.sync().await.written, 0);
    for _ in 0..2 {
        stage.decide("bill-payments", &record, "").await;
        stage.sync().await;
    }
    let (_, posting) = stage.only_posting().await;
    let key = posting.external_id.unwrap().to_string();
    assert!(
        key.starts_with("bill_") && key.ends_with(payment.as_str()),
        "{key}"
    );
    stage.assert_bill_closed(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s144_a_posting_that_a_person_edited_is_not_overwritten() {
    let (stage, _, there, payment) = posted("CHECK").await;
    let (id, before) = stage.only_posting().await;
    // The memo is theirs to change.
    stage
        .edit("vendorpayment", &id, json!({"memo": "seen by Ada"}))
        .await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    // Another day is another matter: nothing is written on it any more, not even a check's number.
    let day = before.date.yesterday().unwrap();
    stage
        .edit("vendorpayment", &id, json!({"tranDate": day.to_string()}))
        .await;
    stage.moves(&payment, "SENT").await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(
        stage.payment_state(&payment).await,
        "CONFLICT(edited-by-hand)"
    );
    let (_, after) = stage.only_posting().await;
    assert_eq!((after.date, after.memo.as_str()), (day, "seen by Ada"));
    assert!(stage.platform_bill(&there).await.open.is_zero());
}

#[tokio::test]
async fn s099_s144_a_check_number_is_patched_in_beside_a_persons_memo() {
    let (stage, _, _, payment) = posted("CHECK").await;
    let (id, _) = stage.only_posting().await;
    stage
        .edit("vendorpayment", &id, json!({"memo": "seen by Ada"}))
        .await;
    for status in ["SENT", "CLEARED"] {
        stage.moves(&payment, status).await;
        stage.sync_twice().await;
        let (_, now) = stage.only_posting().await;
        assert!(now.number.starts_with("3000"), "{}", now.number);
        assert_eq!(now.memo, "seen by Ada");
        assert_eq!(stage.payment_state(&payment).await, "DONE");
    }
    stage.assert_tied().await;
}

#[tokio::test]
async fn s145_a_posting_that_a_person_deleted_is_not_made_again() {
    let (stage, bill, _, payment) = posted("ACH").await;
    let (id, _) = stage.only_posting().await;
    stage
        .in_netsuite("vendorpayment", &id, json!({"action": "delete"}))
        .await;
    for _ in 0..2 {
        assert_eq!(stage.sync().await.written, 0);
        assert_eq!(
            stage.payment_state(&payment).await,
            "BLOCKED(posted-payment-deleted)"
        );
    }
    stage.assert_bill_open(&bill).await;
    assert!(stage.postings().await.is_empty());
}

#[tokio::test]
async fn s163_a_department_that_the_ledger_demands_is_the_preferences() {
    let mut stage = Stage::new().await;
    stage.sync().await;
    stage.switch("mandatory_department", true).await;
    let (bill, _, payment) = paid(&stage, "ACH", "PROCESSED").await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(
        stage.payment_state(&payment).await,
        "BLOCKED(field-missing)"
    );
    let departments = stage.records(Side::Ledger, Kind::Department).await;
    let department = &departments[0].observed;
    let miscellaneous = &mut stage.connection.preferences.miscellaneous;
    miscellaneous.default_department = department.document.label();
    stage
        .decide("bill-payments", &platform(Kind::Payment, &payment), "")
        .await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    stage.assert_bill_closed(&bill).await;
    stage.moves(&payment, "VOIDED").await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    stage.assert_bill_open(&bill).await;
    stage.assert_tied().await;
}

#[tokio::test]
async fn s123_a_check_that_is_voided_in_netsuite_voids_its_record_in_bill() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (bill, there, _) = stage.an_open_bill().await;
    let check = stage
        .enter("vendorpayment", json!({"bills": [bill], "number": "CHK-1"}))
        .await;
    stage.sync_twice().await;
    assert!(stage.platform_bill(&there).await.open.is_zero());
    stage
        .in_netsuite("vendorpayment", &check, json!({"action": "void"}))
        .await;
    stage.sync().await;
    stage.advance("72h").await;
    stage.sync().await;
    let state = stage
        .state_of("bill-payments", &ledger(Kind::Payment, &check))
        .await;
    assert_eq!(state, "REVERSED(reversed)");
    let now = stage.platform_bill(&there).await;
    assert_eq!(now.open, now.total);
    stage.assert_tied().await;
}
