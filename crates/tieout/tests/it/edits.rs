//! Bills that are there already, edits, archives and restores: s009, s010, s058–s068, s078–s083, s246, s253.

use serde_json::json;
use tieout_domain::document::BillStatus;
use tieout_domain::{Document, Kind, RemoteId, Side};

use crate::acts::{amount, ledger, platform};
use crate::stage::Stage;

/// A synced stage with an open bill on both sides: its ids and its vendor.
async fn with_open_bill() -> (Stage, RemoteId, RemoteId, RemoteId) {
    let stage = Stage::new().await;
    stage.sync().await;
    let (bill, there, vendor) = stage.an_open_bill().await;
    (stage, bill, there, vendor)
}

/// A bill typed in BILL by hand for the counterpart of a ledger's vendor.
async fn typed(stage: &Stage, vendor: &RemoteId, number: &str, total: f64) -> RemoteId {
    let vendor = stage
        .target("vendors", &ledger(Kind::Vendor, vendor))
        .await
        .unwrap();
    let body = json!({"vendor": vendor.id, "number": number, "amount": total});
    let made = stage.in_bill("type-in", body).await;
    RemoteId::from(made["bills"][0]["id"].as_str().unwrap())
}

async fn entered(stage: &Stage, vendor: &RemoteId, number: &str, total: f64) -> RemoteId {
    let fields = json!({"entity": vendor, "tranId": number, "amount": total});
    stage.enter("vendorbill", fields).await
}

#[tokio::test]
async fn s078_s079_a_bill_typed_in_bill_is_an_orphan_until_the_ledgers_is_adopted() {
    let (stage, _, _, vendor) = with_open_bill().await;
    let there = typed(&stage, &vendor, "HAND-1", 77.7).await;
    stage.sync().await;
    let record = platform(Kind::Bill, &there);
    assert_eq!(
        stage.state_of("bills", &record).await,
        "ORPHAN(only-on-platform)"
    );
    let count = stage.records(Side::Platform, Kind::Bill).await.len();
    let bill = entered(&stage, &vendor, "HAND-1", 77.7).await;
    stage.sync_twice().await;
    let here = ledger(Kind::Bill, &bill);
    assert_eq!(stage.target("bills", &here).await, Some(record));
    assert_eq!(stage.state_of("bills", &here).await, "DONE");
    assert_eq!(stage.records(Side::Platform, Kind::Bill).await.len(), count);
    stage.assert_tied().await;
}

#[tokio::test]
async fn s078_s121_what_settled_a_bill_is_looked_at_again_when_it_is_linked_to_its_unpaid_twin() {
    let (stage, _, _, vendor) = with_open_bill().await;
    let paid = entered(&stage, &vendor, "PAID-1", 50.0).await;
    let body = json!({"bills": [paid], "number": "CHK-1"});
    let check = stage.enter("vendorpayment", body).await;
    let credited = entered(&stage, &vendor, "CRED-1", 20.0).await;
    let apply = json!([{"doc": credited, "apply": true, "amount": 20}]);
    let fields = json!({"entity": vendor, "tranId": "VC-1", "amount": 20, "apply": apply});
    let credit = stage.enter("vendorcredit", fields).await;
    stage.sync().await;
    let (check, credit) = (
        ledger(Kind::Payment, &check),
        ledger(Kind::VendorCredit, &credit),
    );
    let states = async || {
        let check = stage.state_of("bill-payments", &check).await;
        (check, stage.state_of("vendor-credits", &credit).await)
    };
    let (of_check, of_credit) = states().await;
    assert_eq!(of_check, "SKIPPED(no-linked-bills)");
    assert_eq!(of_credit, "SKIPPED(applied-at-cut-over)");
    let twin = typed(&stage, &vendor, "HAND-8", 50.0).await;
    let other = typed(&stage, &vendor, "HAND-9", 20.0).await;
    stage.sync().await;
    for (here, there) in [(&paid, &twin), (&credited, &other)] {
        let link = format!("link {}", platform(Kind::Bill, there));
        stage
            .decide("bills", &ledger(Kind::Bill, here), &link)
            .await;
    }
    stage.sync().await;
    let (of_check, of_credit) = states().await;
    assert_eq!(of_check, "DONE");
    assert_eq!(of_credit, "BLOCKED(credit-applied-in-ledger)");
    let there = stage.platform_bill(&twin).await;
    assert_eq!(there.total, amount("50"));
    assert!(there.open.is_zero());
    assert_eq!(stage.sync().await.written, 0);
}

#[tokio::test]
async fn s078_a_typed_bill_of_another_amount_is_a_conflict_and_no_second_one_is_made() {
    let (stage, _, _, vendor) = with_open_bill().await;
    typed(&stage, &vendor, "HAND-2", 77.7).await;
    let bill = entered(&stage, &vendor, "HAND-2", 78.7).await;
    let report = stage.sync().await;
    assert_eq!(report.written, 0);
    let here = ledger(Kind::Bill, &bill);
    assert_eq!(
        stage.state_of("bills", &here).await,
        "CONFLICT(adopt-differs)"
    );
    // A person says that it is the same: the ledger's amount goes over.
    let there = stage.records(Side::Platform, Kind::Bill).await;
    let there = there
        .iter()
        .find(|record| record.observed.document.label() == "HAND-2")
        .unwrap();
    stage
        .decide("bills", &here, &format!("link {}", there.record()))
        .await;
    stage.sync_twice().await;
    assert_eq!(
        stage.platform_bill(&there.observed.id).await.total,
        amount("78.7")
    );
    stage.assert_tied().await;
}

#[tokio::test]
async fn s080_two_bills_of_the_ledger_that_match_one_are_for_a_person() {
    let (stage, _, _, vendor) = with_open_bill().await;
    typed(&stage, &vendor, "HAND-3", 77.7).await;
    let one = entered(&stage, &vendor, "HAND-3", 77.7).await;
    let two = entered(&stage, &vendor, "HAND-3", 77.7).await;
    let report = stage.sync().await;
    assert_eq!(report.written, 0);
    for bill in [&one, &two] {
        let here = ledger(Kind::Bill, bill);
        assert_eq!(
            stage.state_of("bills", &here).await,
            "BLOCKED(ambiguous-match)"
        );
        assert_eq!(stage.target("bills", &here).await, None);
    }
}

#[tokio::test]
async fn s058_an_amount_edited_while_unpaid_reaches_bill() {
    let (stage, bill, there, _) = with_open_bill().await;
    stage
        .edit("vendorbill", &bill, json!({"amount": 123.45}))
        .await;
    stage.sync_twice().await;
    let now = stage.platform_bill(&there).await;
    assert_eq!((now.total, now.open), (amount("123.45"), amount("123.45")));
    stage.assert_tied().await;
}

#[tokio::test]
async fn s059_an_amount_edited_while_a_payment_is_scheduled_is_a_conflict() {
    let (stage, bill, there, _) = with_open_bill().await;
    let before = stage.platform_bill(&there).await.total;
    let payment = stage
        .pay(std::slice::from_ref(&there), None, "SCHEDULED")
        .await
        .remove(0);
    stage
        .edit("vendorbill", &bill, json!({"amount": 123.45}))
        .await;
    let report = stage.sync().await;
    assert_eq!(report.written, 0);
    let here = ledger(Kind::Bill, &bill);
    let item = stage.item("bills", &here).await;
    assert_eq!(
        item.outcome.to_string(),
        "CONFLICT(amount-edited-while-scheduled)"
    );
    assert!(
        item.outcome.cause.contains("123.45"),
        "{}",
        item.outcome.cause
    );
    assert!(
        item.outcome.cause.contains(&before.to_string()),
        "{}",
        item.outcome.cause
    );
    // A person cancels the payment over there: the new amount goes.
    stage
        .move_payment(&payment, json!({"status": "CANCELED"}))
        .await;
    stage.sync_twice().await;
    assert_eq!(stage.platform_bill(&there).await.total, amount("123.45"));
    stage.assert_tied().await;
}

#[tokio::test]
async fn s060_an_amount_lowered_below_what_was_paid_is_an_overpayment() {
    let (stage, bill, there, _) = with_open_bill().await;
    stage
        .pay(std::slice::from_ref(&there), Some("40"), "PROCESSED")
        .await;
    stage.edit("vendorbill", &bill, json!({"amount": 30})).await;
    let report = stage.sync().await;
    assert_eq!(report.written, 0);
    let here = ledger(Kind::Bill, &bill);
    assert_eq!(
        stage.state_of("bills", &here).await,
        "BLOCKED(over-payment)"
    );
}

#[tokio::test]
async fn s063_a_new_vendor_means_archive_and_create_while_unpaid() {
    let (stage, bill, there, vendor) = with_open_bill().await;
    let other = stage.another_vendor(&vendor).await;
    stage
        .edit("vendorbill", &bill, json!({"entity": other}))
        .await;
    stage.sync_twice().await;
    assert_eq!(
        stage.platform_bill(&there).await.status,
        BillStatus::Archived
    );
    let here = ledger(Kind::Bill, &bill);
    let now = stage.target("bills", &here).await.unwrap();
    assert_ne!(now.id, there);
    let payee = stage
        .target("vendors", &ledger(Kind::Vendor, &other))
        .await
        .unwrap();
    assert_eq!(stage.bill_of(&now).await.vendor, payee.id);
    assert_eq!(stage.state_of("bills", &here).await, "DONE");
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s063_a_new_vendor_on_a_bill_with_money_on_it_is_a_persons_matter() {
    let (stage, bill, there, vendor) = with_open_bill().await;
    let other = stage.another_vendor(&vendor).await;
    stage
        .pay(std::slice::from_ref(&there), None, "SCHEDULED")
        .await;
    stage
        .edit("vendorbill", &bill, json!({"entity": other}))
        .await;
    let report = stage.sync().await;
    assert_eq!(report.written, 0);
    let here = ledger(Kind::Bill, &bill);
    assert_eq!(
        stage.state_of("bills", &here).await,
        "BLOCKED(vendor-changed)"
    );
}

#[tokio::test]
async fn s065_a_deleted_bill_with_a_payment_scheduled_is_blocked() {
    let (stage, bill, there, _) = with_open_bill().await;
    let payment = stage
        .pay(std::slice::from_ref(&there), None, "SCHEDULED")
        .await
        .remove(0);
    stage
        .in_netsuite("vendorbill", &bill, json!({"action": "delete"}))
        .await;
    let report = stage.sync().await;
    assert_eq!(report.written, 0);
    let here = ledger(Kind::Bill, &bill);
    assert_eq!(
        stage.state_of("bills", &here).await,
        "BLOCKED(paid-bill-deleted)"
    );
    stage
        .move_payment(&payment, json!({"status": "PROCESSED"}))
        .await;
    assert_eq!(stage.sync().await.written, 0);
    let payment = RemoteId::from(payment);
    assert_eq!(
        stage.payment_state(&payment).await,
        "BLOCKED(paid-bill-deleted)"
    );
}

#[tokio::test]
async fn s066_a_voided_bill_is_archived() {
    let (stage, bill, there, _) = with_open_bill().await;
    let number = stage.platform_bill(&there).await.number;
    stage
        .in_netsuite("vendorbill", &bill, json!({"action": "void"}))
        .await;
    stage.sync_twice().await;
    let now = stage.platform_bill(&there).await;
    assert_eq!((now.status, now.number), (BillStatus::Archived, number));
}

#[tokio::test]
async fn s067_s068_a_bill_archived_in_bill_is_asked_about_and_known_again_when_restored() {
    let (stage, bill, there, _) = with_open_bill().await;
    let count = stage.records(Side::Platform, Kind::Bill).await.len();
    stage
        .in_bill(&format!("bills/{there}"), json!({"action": "archive"}))
        .await;
    assert_eq!(stage.sync().await.written, 0);
    let here = ledger(Kind::Bill, &bill);
    assert_eq!(
        stage.state_of("bills", &here).await,
        "BLOCKED(archived-on-platform)"
    );
    // Somebody restores it there: the same bill.
    stage
        .in_bill(&format!("bills/{there}"), json!({"action": "restore"}))
        .await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(stage.state_of("bills", &here).await, "DONE");
    // Or says here that it shall be.
    stage
        .in_bill(&format!("bills/{there}"), json!({"action": "archive"}))
        .await;
    stage.sync().await;
    stage.decide("bills", &here, "accept").await;
    stage.sync_twice().await;
    assert_ne!(
        stage.platform_bill(&there).await.status,
        BillStatus::Archived
    );
    assert_eq!(
        stage.target("bills", &here).await,
        Some(platform(Kind::Bill, &there))
    );
    assert_eq!(stage.records(Side::Platform, Kind::Bill).await.len(), count);
    stage.assert_tied().await;
}

async fn archived(stage: &Stage, vendor: &RemoteId) -> bool {
    let there = stage
        .target("vendors", &ledger(Kind::Vendor, vendor))
        .await
        .unwrap();
    match stage.record(&there).await.observed.document {
        Document::Vendor(vendor) => vendor.inactive,
        _ => panic!(),
    }
}

#[tokio::test]
async fn s009_a_new_bill_of_a_vendor_archived_in_bill_asks_to_restore_it() {
    let (stage, _, _, vendor) = with_open_bill().await;
    let here = ledger(Kind::Vendor, &vendor);
    let there = stage.target("vendors", &here).await.unwrap();
    let vendors = stage.records(Side::Platform, Kind::Vendor).await.len();
    stage
        .in_bill(
            &format!("vendors/{}", there.id),
            json!({"action": "archive"}),
        )
        .await;
    let bill = entered(&stage, &vendor, "NEW-9", 77.7).await;
    assert_eq!(stage.sync().await.written, 0);
    assert_eq!(
        stage.state_of("vendors", &here).await,
        "BLOCKED(vendor-archived)"
    );
    let bill = ledger(Kind::Bill, &bill);
    assert_eq!(
        stage.state_of("bills", &bill).await,
        "BLOCKED(vendor-archived)"
    );
    stage.decide("vendors", &here, "accept").await;
    stage.sync_twice().await;
    assert!(!archived(&stage, &vendor).await);
    assert_eq!(stage.state_of("bills", &bill).await, "DONE");
    assert_eq!(
        stage.records(Side::Platform, Kind::Vendor).await.len(),
        vendors
    );
    stage.assert_tied().await;
}

#[tokio::test]
async fn s007_s010_an_inactive_vendor_is_archived_and_an_active_one_restored() {
    let (stage, ..) = with_open_bill().await;
    let vendor = stage
        .enter("vendor", json!({"companyName": "Seldom Used Inc"}))
        .await;
    let bill = entered(&stage, &vendor, "ONCE-1", 12.0).await;
    stage.sync().await;
    stage
        .in_netsuite("vendorbill", &bill, json!({"action": "void"}))
        .await;
    stage.sync().await;
    stage
        .in_netsuite("vendor", &vendor, json!({"action": "inactivate"}))
        .await;
    stage.sync_twice().await;
    assert!(archived(&stage, &vendor).await);
    let vendors = stage.records(Side::Platform, Kind::Vendor).await.len();
    stage
        .in_netsuite("vendor", &vendor, json!({"action": "activate"}))
        .await;
    stage.sync_twice().await;
    assert!(!archived(&stage, &vendor).await);
    assert_eq!(
        stage.records(Side::Platform, Kind::Vendor).await.len(),
        vendors
    );
    let here = ledger(Kind::Vendor, &vendor);
    // It has no address in NetSuite, and BILL took it all the same.
    assert_eq!(
        stage.state_of("vendors", &here).await,
        "DONE(not-payable-by-check)"
    );
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s027_a_vendor_without_an_address_is_made_and_its_bill_goes() {
    let (stage, ..) = with_open_bill().await;
    let vendor = stage
        .enter("vendor", json!({"companyName": "No Fixed Abode LLC"}))
        .await;
    let bill = entered(&stage, &vendor, "NFA-1", 12.0).await;
    stage.sync_twice().await;
    let item = stage.item("vendors", &ledger(Kind::Vendor, &vendor)).await;
    assert_eq!(item.outcome.to_string(), "DONE(not-payable-by-check)");
    assert!(
        item.outcome.cause.contains("street, city and postal code"),
        "{}",
        item.outcome.cause
    );
    assert_eq!(
        stage.state_of("bills", &ledger(Kind::Bill, &bill)).await,
        "DONE"
    );
    stage.assert_tied().await;
}

#[tokio::test]
async fn a_memo_of_any_script_comes_to_rest() {
    let (stage, bill, there, _) = with_open_bill().await;
    let memo = "🏔 Höhe".repeat(900).chars().take(990).collect::<String>();
    stage.edit("vendorbill", &bill, json!({"memo": memo})).await;
    stage.sync_twice().await;
    let now = stage.platform_bill(&there).await;
    assert!(now.marker.is_some());
    assert_eq!(
        stage.state_of("bills", &ledger(Kind::Bill, &bill)).await,
        "DONE"
    );
    stage.assert_tied().await;
}

#[tokio::test]
async fn a_bare_company_has_no_bill_to_send() {
    let stage = Stage::bare().await;
    stage.sync_twice().await;
    assert!(stage.records(Side::Platform, Kind::Bill).await.is_empty());
    assert!(stage.records(Side::Platform, Kind::Vendor).await.is_empty());
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s083_a_bill_dated_back_is_found_by_the_time_of_its_change() {
    let (stage, bill, there, _) = with_open_bill().await;
    stage.sync().await;
    let old = stage.ledger_bill(&bill).await.date;
    let period_start = old.first_of_month();
    let back = period_start.max(old - jiff::Span::new().days(20));
    let fields = json!({"tranDate": back, "amount": 88.25});
    stage.edit("vendorbill", &bill, fields).await;
    // An ordinary read of changes, by a mark that is far later than the bill's day.
    stage.sync_twice().await;
    assert_eq!(stage.ledger_bill(&bill).await.date, back);
    let now = stage.platform_bill(&there).await;
    assert_eq!((now.date, now.total), (back, amount("88.25")));
    stage.assert_tied().await;
}

#[tokio::test]
async fn s253_the_platforms_own_closing_date_blocks_one_bill_in_words_and_stops_nothing_else() {
    let (stage, bill, there, vendor) = with_open_bill().await;
    let before = stage.platform_bill(&there).await.total;
    let today = stage.today().await;
    let close = |day: Option<jiff::civil::Date>| json!({"books_closed": day});
    stage.in_bill("organization", close(Some(today))).await;
    stage
        .edit("vendorbill", &bill, json!({"amount": 123.45}))
        .await;
    let other = entered(&stage, &vendor, "NEW-253", 19.5).await;
    stage.sync().await;
    let here = ledger(Kind::Bill, &bill);
    let item = stage.item("bills", &here).await;
    assert_eq!(
        item.outcome.to_string(),
        "BLOCKED(platform-books-closed)",
        "{}",
        item.outcome.cause
    );
    assert!(
        item.outcome.cause.contains("books closed date"),
        "{}",
        item.outcome.cause
    );
    assert_eq!(stage.platform_bill(&there).await.total, before);
    let other = stage.state_of("bills", &ledger(Kind::Bill, &other)).await;
    assert_eq!(other, "DONE", "a new bill is no change of a closed one");
    stage.in_bill("organization", close(None)).await;
    stage.decide("bills", &here, "retry").await;
    stage.sync_twice().await;
    assert_eq!(stage.platform_bill(&there).await.total, amount("123.45"));
    stage.assert_tied().await;
}

#[tokio::test]
async fn s246_what_failed_names_the_document_both_values_the_reason_and_what_to_do() {
    let (stage, bill, there, _) = with_open_bill().await;
    let before = stage.ledger_bill(&bill).await;
    stage
        .pay(std::slice::from_ref(&there), None, "SCHEDULED")
        .await;
    stage
        .edit("vendorbill", &bill, json!({"amount": 123.45}))
        .await;
    stage.sync().await;
    let causes = tieout_desk::exceptions::causes(&stage.connection.store, false)
        .await
        .unwrap();
    let code = "amount-edited-while-scheduled";
    let cause = causes
        .iter()
        .find(|one| one.code.as_ref().is_some_and(|it| it.as_str() == code));
    let told = cause.unwrap().to_json();
    let words = told["cause"].as_str().unwrap();
    for part in [before.number.as_str(), "123.45", &before.total.to_string()] {
        assert!(words.contains(part), "{part}: {words}");
    }
    for part in ["title", "fix", "who"] {
        assert!(!told[part].as_str().unwrap().is_empty(), "{part}: {told}");
    }
}
