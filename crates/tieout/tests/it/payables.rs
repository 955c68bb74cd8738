//! Accounts, dimensions, vendors, bills and credits from NetSuite to BILL.

use serde_json::json;
use tieout_domain::{Document, Kind, RecordRef, Side, State};
use tieout_engine::RunOptions;
use tieout_engine::compare::compare;

use crate::stage::{Stage, count};

#[tokio::test]
async fn s033_approved_bills_are_created_once_and_a_second_sync_writes_nothing() {
    let stage = Stage::new().await;
    let first = stage.sync().await;
    assert!(first.written > 20);
    assert!(count(&first, "bills", State::Done) > 20);
    stage.assert_no_duplicates().await;
    let comparison = compare(&stage.connection.store).await.unwrap();
    assert!(comparison.agrees(), "{comparison:#?}");
    let calls = stage.panel.get("/control/calls").await.unwrap();
    stage.panel.delete("/control/calls").await.unwrap();
    let second = stage.sync().await;
    assert_eq!(second.written, 0);
    assert_eq!(first.flows, second.flows, "{calls}");
    let sent: u64 = second.calls.values().sum();
    assert!(sent <= 30, "{:?}", second.calls);
    stage.assert_quiet().await;
}

#[tokio::test]
async fn states_add_up_to_the_population() {
    let stage = Stage::new().await;
    let report = stage.sync().await;
    let ledger = stage.records(Side::Ledger, Kind::Bill).await.len() as u64;
    let platform = stage.records(Side::Platform, Kind::Bill).await;
    let mut unlinked = 0;
    for record in platform {
        let links = stage
            .connection
            .store
            .links_to(&[record.record()])
            .await
            .unwrap();
        unlinked += u64::from(links.is_empty());
    }
    assert_eq!(report.flows["bills"].population(), ledger + unlinked);
    let vendors = stage.records(Side::Ledger, Kind::Vendor).await.len() as u64;
    assert_eq!(report.flows["vendors"].population(), vendors);
}

#[tokio::test]
async fn s238_a_plan_lists_exactly_what_sync_then_does_and_touches_nothing() {
    let stage = Stage::new().await;
    let before = stage.state().await;
    let plan = stage.plan().await;
    assert_eq!(stage.state().await, before);
    assert!(!plan.steps.is_empty());
    let options = RunOptions {
        plan: Some(plan.clone()),
        ..RunOptions::new(tieout::commands::sync::run_id(), "test")
    };
    let report = tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap();
    let writes = plan
        .steps
        .iter()
        .filter(|step| step.action != "link")
        .count() as u64;
    assert_eq!(report.written, writes);
    stage.assert_quiet().await;
}

#[tokio::test]
async fn a_plan_that_is_out_of_date_is_refused() {
    let stage = Stage::new().await;
    let plan = stage.plan().await;
    let step = plan
        .steps
        .iter()
        .rev()
        .find(|s| s.flow == "bills" && s.action == "create")
        .unwrap();
    let id = step.record.id.clone();
    stage
        .in_netsuite("vendorbill", &id, json!({"action": "void"}))
        .await;
    let options = RunOptions {
        plan: Some(plan),
        ..RunOptions::new(tieout::commands::sync::run_id(), "test")
    };
    let error = tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap_err();
    assert_eq!(error.code().as_str(), "plan-outdated");
}

#[tokio::test]
async fn s064_a_bill_deleted_in_netsuite_is_archived_in_bill() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (ledger, platform) = stage.open_pairs().await.pop().unwrap();
    stage
        .in_netsuite("vendorbill", &ledger, json!({"action": "delete"}))
        .await;
    stage.sync().await;
    let there = stage
        .record(&RecordRef::new(Side::Platform, Kind::Bill, platform))
        .await;
    let Document::Bill(bill) = there.observed.document else {
        panic!()
    };
    assert_eq!(bill.status, tieout_domain::document::BillStatus::Archived);
    stage.assert_quiet().await;
}

#[tokio::test]
async fn s057_a_changed_due_date_reaches_bill() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (ledger, platform) = stage.open_pairs().await.pop().unwrap();
    let fields = json!({"action": "edit", "fields": {"dueDate": "2030-01-31"}});
    stage.in_netsuite("vendorbill", &ledger, fields).await;
    let report = stage.sync().await;
    assert_eq!(report.written, 1);
    let there = stage
        .record(&RecordRef::new(Side::Platform, Kind::Bill, platform))
        .await;
    let Document::Bill(bill) = there.observed.document else {
        panic!()
    };
    assert_eq!(bill.due.unwrap().to_string(), "2030-01-31");
    stage.assert_quiet().await;
}

#[tokio::test]
async fn only_the_chosen_records_and_what_they_depend_on_are_synced() {
    let stage = Stage::new().await;
    let plan = stage.plan().await;
    let chosen: Vec<_> = plan
        .steps
        .iter()
        .filter(|step| step.flow == "bills" && step.action == "create")
        .take(3)
        .map(|step| step.record.to_string())
        .collect();
    let options = RunOptions {
        only: chosen.clone(),
        ..RunOptions::new(tieout::commands::sync::run_id(), "test")
    };
    tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap();
    let links = stage
        .connection
        .store
        .links_page("bills", None, 1000)
        .await
        .unwrap();
    let mut linked: Vec<_> = links.iter().map(|link| link.record.to_string()).collect();
    let mut chosen = chosen;
    linked.sort();
    chosen.sort();
    assert_eq!(linked, chosen);
}

#[tokio::test]
async fn s090_one_bad_bill_of_a_bulk_call_stops_itself_only() {
    let stage = Stage::new().await;
    // The vendor is archived behind our back: every one of its bills will be refused.
    let plan = stage.plan().await;
    let vendors = plan
        .steps
        .iter()
        .filter(|s| s.flow == "vendors" && s.action == "create")
        .count();
    assert!(vendors > 2);
    let options = RunOptions {
        flows: vec!["accounts".into(), "dimensions".into(), "vendors".into()],
        ..RunOptions::new(tieout::commands::sync::run_id(), "test")
    };
    tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap();
    stage
        .fault(
            json!({"service": "bill", "method": "POST", "path": "/v3/bills/bulk", "times": 1,
        "effect": "status", "status": 400,
        "body": [{"code": "BDC_1129", "message": "invalid parameter value"}]}),
        )
        .await;
    let report = stage.sync().await;
    assert!(count(&report, "bills", State::Done) > 20);
    stage.assert_no_duplicates().await;
    stage.assert_quiet().await;
}
