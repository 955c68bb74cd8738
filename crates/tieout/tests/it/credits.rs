//! Vendor credits, and bills of nothing: s046–s051.

use serde_json::json;
use tieout_domain::{Amount, Document, Kind, RemoteId, Side};
use tieout_flows::preferences::PartlyPaid;

use crate::acts::{amount, ledger};
use crate::stage::Stage;

#[tokio::test]
async fn s046_a_bill_of_zero_is_skipped() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let account = stage.ledger_account().await;
    let lines = json!([{"account": account, "amount": 10}, {"account": account, "amount": -10}]);
    let fields = json!({"entity": vendor, "tranId": "ZERO-46", "expense": lines});
    let bill = stage.enter("vendorbill", fields).await;
    let report = stage.sync().await;
    assert_eq!(report.written, 0);
    let record = ledger(Kind::Bill, &bill);
    assert_eq!(stage.state_of("bills", &record).await, "SKIPPED(zero)");
    assert_eq!(stage.target("bills", &record).await, None);
}

#[tokio::test]
async fn s047_an_unapplied_credit_is_created_and_linked() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let credit = stage.credit(&vendor, "VC-47", 12.34).await;
    stage.sync_twice().await;
    let record = ledger(Kind::VendorCredit, &credit);
    assert_eq!(stage.state_of("vendor-credits", &record).await, "DONE");
    let there = stage.target("vendor-credits", &record).await.unwrap();
    let Document::VendorCredit(made) = stage.record(&there).await.observed.document else {
        panic!()
    };
    assert_eq!((made.total, made.open), (amount("12.34"), amount("12.34")));
    stage.assert_tied().await;
}

#[tokio::test]
async fn s048_a_credit_applied_to_a_bill_of_the_platform_before_it_was_seen_is_told() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (bill, _, vendor) = stage.an_open_bill().await;
    let apply = json!([{"doc": bill, "apply": true, "amount": 20}]);
    let fields = json!({"entity": vendor, "tranId": "VC-48", "amount": 20, "apply": apply});
    let credit = stage.enter("vendorcredit", fields).await;
    let record = ledger(Kind::VendorCredit, &credit);
    stage.sync().await;
    let state = stage.state_of("vendor-credits", &record).await;
    assert_eq!(state, "BLOCKED(credit-applied-in-ledger)");
    assert_eq!(stage.sync().await.written, 0);
    let off = json!({"apply": [{"doc": bill, "apply": false}]});
    stage.edit("vendorcredit", &credit, off).await;
    stage.sync_twice().await;
    assert_eq!(stage.state_of("vendor-credits", &record).await, "DONE");
    stage.assert_tied().await;
}

#[tokio::test]
async fn s048_of_a_credit_that_was_partly_applied_at_most_the_rest_goes() {
    let mut stage = Stage::new().await;
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let fields = json!({"entity": vendor, "tranId": "B-48", "amount": 30});
    let bill = stage.enter("vendorbill", fields).await;
    let apply = json!([{"doc": bill, "apply": true, "amount": 5}]);
    let fields = json!({"entity": vendor, "tranId": "VC-48", "amount": 20, "apply": apply});
    let credit = stage.enter("vendorcredit", fields).await;
    assert_eq!(stage.sync().await.written, 0);
    let record = ledger(Kind::VendorCredit, &credit);
    assert_eq!(
        stage.state_of("vendor-credits", &record).await,
        "SKIPPED(partly-applied)"
    );
    stage.connection.preferences.transactions.partly_paid = PartlyPaid::Balance;
    stage.decide("vendor-credits", &record, "").await;
    stage.sync_twice().await;
    let there = stage.records(Side::Platform, Kind::VendorCredit).await;
    let totals: Vec<Amount> = there
        .into_iter()
        .filter_map(|record| match record.observed.document {
            Document::VendorCredit(credit) if credit.number == "VC-48" => Some(credit.total),
            _ => None,
        })
        .collect();
    assert_eq!(totals, [amount("15")]);
    stage.assert_quiet().await;
}

/// A bill paid in BILL with a credit of that much beside cash, everything synced.
async fn paid_with_credit(credit: f64) -> (Stage, RemoteId, RemoteId, RemoteId) {
    let stage = Stage::new().await;
    stage.sync().await;
    let (bill, there, vendor) = stage.an_open_bill().await;
    let here = stage.credit(&vendor, "VC-49", credit).await;
    stage.sync().await;
    let to = stage
        .target("vendor-credits", &ledger(Kind::VendorCredit, &here))
        .await
        .unwrap();
    let body = json!({"bills": [there], "status": "PROCESSED", "method": "ACH",
        "credits": [{"id": to.id, "amount": credit}]});
    let payment = stage.pay_with(body).await;
    stage.sync_twice().await;
    (stage, bill, here, payment)
}

#[tokio::test]
async fn s049_a_credit_used_beside_cash_closes_the_bill_and_isnt_cash() {
    let (stage, bill, credit, payment) = paid_with_credit(20.25).await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    let bill = stage.ledger_bill(&bill).await;
    assert!(bill.open.is_zero());
    assert!(stage.ledger_credit(&credit).await.open.is_zero());
    let (_, posted) = stage.only_posting().await;
    assert_eq!(posted.total, bill.total.minus(amount("20.25")).unwrap());
    stage.assert_tied().await;
}

#[tokio::test]
async fn s049_s107_a_voided_payment_frees_the_credit_that_it_used() {
    let (stage, bill, credit, payment) = paid_with_credit(20.25).await;
    stage
        .move_payment(payment.as_str(), json!({"status": "VOIDED"}))
        .await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    let free = stage.ledger_credit(&credit).await;
    assert_eq!((free.open, free.applications.len()), (free.total, 0));
    let open = stage.ledger_bill(&bill).await;
    assert_eq!(open.open, open.total);
    stage.assert_tied().await;
    // What is used again is not taken off again by the payment that was undone.
    let apply = json!([{"doc": bill, "apply": true, "amount": 20.25}]);
    stage
        .edit("vendorcredit", &credit, json!({"apply": apply}))
        .await;
    stage.sync().await;
    assert!(stage.ledger_credit(&credit).await.open.is_zero());
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
}

#[tokio::test]
async fn s050_s051_a_bill_covered_by_a_credit_posts_the_application_only_and_takes_it_back() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let fields = json!({"entity": vendor, "tranId": "B-50", "amount": 30});
    let bill = stage.enter("vendorbill", fields).await;
    let credit = stage.credit(&vendor, "VC-50", 30.0).await;
    stage.sync().await;
    let there = stage
        .target("bills", &ledger(Kind::Bill, &bill))
        .await
        .unwrap();
    let to = stage
        .target("vendor-credits", &ledger(Kind::VendorCredit, &credit))
        .await
        .unwrap();
    let body = json!({"bills": [there.id], "status": "PROCESSED",
        "credits": [{"id": to.id, "amount": 30}]});
    let payment = stage.pay_with(body).await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    assert!(stage.postings().await.is_empty());
    assert!(stage.ledger_bill(&bill).await.open.is_zero());
    assert!(stage.ledger_credit(&credit).await.open.is_zero());
    stage.assert_tied().await;
    stage
        .move_payment(payment.as_str(), json!({"status": "VOIDED"}))
        .await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    assert_eq!(stage.ledger_bill(&bill).await.open, amount("30"));
    assert_eq!(stage.ledger_credit(&credit).await.open, amount("30"));
    stage.assert_tied().await;
}

#[tokio::test]
async fn s050_two_payments_without_cash_use_as_much_of_one_credit_on_one_bill() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let fields = json!({"entity": vendor, "tranId": "B-50", "amount": 100});
    let bill = stage.enter("vendorbill", fields).await;
    let credit = stage.credit(&vendor, "VC-50", 50.0).await;
    stage.sync().await;
    let there = stage.target("bills", &ledger(Kind::Bill, &bill)).await;
    let there = there.unwrap().id;
    let here = ledger(Kind::VendorCredit, &credit);
    let to = stage.target("vendor-credits", &here).await.unwrap();
    let body = json!({"bills": [there], "amount": 0, "status": "PROCESSED",
        "credits": [{"id": to.id, "amount": 20}]});
    let mut payments = Vec::new();
    for open in ["80", "60"] {
        payments.push(stage.pay_with(body.clone()).await);
        stage.sync_twice().await;
        assert_eq!(stage.ledger_bill(&bill).await.open, amount(open));
        stage.assert_tied().await;
    }
    for payment in &payments {
        assert_eq!(stage.payment_state(payment).await, "DONE");
    }
    assert_eq!(stage.ledger_credit(&credit).await.open, amount("10"));
    let voided = json!({"status": "VOIDED"});
    stage.move_payment(payments[0].as_str(), voided).await;
    stage.sync_twice().await;
    assert_eq!(stage.ledger_bill(&bill).await.open, amount("80"));
    assert_eq!(stage.ledger_credit(&credit).await.open, amount("30"));
    stage.assert_tied().await;
}

#[tokio::test]
async fn s050_s222_the_use_of_a_credit_whose_answer_is_lost_is_judged_by_the_use_itself() {
    for effect in ["drop-before-commit", "drop-after-commit"] {
        let stage = Stage::new().await;
        stage.sync().await;
        let (_, _, vendor) = stage.an_open_bill().await;
        let fields = json!({"entity": vendor, "tranId": "B-50", "amount": 30});
        let bill = stage.enter("vendorbill", fields).await;
        let credit = stage.credit(&vendor, "VC-50", 30.0).await;
        stage.sync().await;
        let there = stage.target("bills", &ledger(Kind::Bill, &bill)).await;
        let here = ledger(Kind::VendorCredit, &credit);
        let to = stage.target("vendor-credits", &here).await.unwrap();
        let body = json!({"bills": [there.unwrap().id], "status": "PROCESSED",
            "credits": [{"id": to.id, "amount": 30}]});
        let payment = stage.pay_with(body).await;
        // Of the credit itself nothing changes: what it is applied to tells whether it was written.
        let lost = json!({"service": "netsuite", "method": "PATCH", "times": 1, "effect": effect});
        stage.fault(lost).await;
        stage.sync_twice().await;
        assert_eq!(stage.payment_state(&payment).await, "DONE", "{effect}");
        let (bill, credit) = (
            stage.ledger_bill(&bill).await,
            stage.ledger_credit(&credit).await,
        );
        assert!(bill.open.is_zero() && credit.open.is_zero(), "{effect}");
        stage.assert_tied().await;
    }
}

#[tokio::test]
async fn s049_s147_a_bill_settled_by_a_credit_beside_another_paid_in_cash_is_posted_once() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let mut bills = Vec::new();
    for (number, total) in [("B-1", 30), ("B-2", 70)] {
        let fields = json!({"entity": vendor, "tranId": number, "amount": total});
        bills.push(stage.enter("vendorbill", fields).await);
    }
    let credit = stage.credit(&vendor, "VC-1", 30.0).await;
    stage.sync().await;
    let mut there = Vec::new();
    for bill in &bills {
        let target = stage.target("bills", &ledger(Kind::Bill, bill)).await;
        there.push(target.unwrap().id);
    }
    let here = ledger(Kind::VendorCredit, &credit);
    let to = stage.target("vendor-credits", &here).await.unwrap();
    let body = json!({"bills": there, "status": "PROCESSED", "method": "ACH",
        "credits": [{"id": to.id, "amount": 30}]});
    let payment = stage.pay_with(body).await;
    // The answer is lost: what was made is found under its key and taken for what it is.
    let lost = json!({"service": "netsuite", "method": "PUT", "times": 1,
        "effect": "drop-after-commit"});
    stage.fault(lost).await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    let (_, posted) = stage.only_posting().await;
    assert_eq!(posted.total, amount("70"));
    for bill in &bills {
        assert!(stage.ledger_bill(bill).await.open.is_zero());
    }
    stage.assert_tied().await;
    let voided = json!({"status": "VOIDED"});
    stage.move_payment(payment.as_str(), voided).await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    for bill in &bills {
        let bill = stage.ledger_bill(bill).await;
        assert_eq!(bill.open, bill.total);
    }
    assert_eq!(stage.ledger_credit(&credit).await.open, amount("30"));
    stage.assert_tied().await;
}
