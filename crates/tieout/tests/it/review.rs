//! Ways in which something could be written twice, or be looked at never again.

use serde_json::json;
use tieout::commands::sync::run_id;
use tieout_domain::{Document, RecordRef, State};
use tieout_engine::RunOptions;

use crate::stage::{Stage, count};

/// Bills that a run would create, each of another vendor that isn't in BILL yet.
async fn bills_of_new_vendors(stage: &Stage, most: usize) -> Vec<RecordRef> {
    let plan = stage.plan().await;
    let created = |flow: &str| -> Vec<RecordRef> {
        let steps = plan.steps.iter();
        steps
            .filter(|step| step.flow == flow && step.action == "create")
            .map(|step| step.record.clone())
            .collect()
    };
    let mut vendors = created("vendors");
    let mut bills = Vec::new();
    for record in created("bills") {
        let Document::Bill(bill) = stage.record(&record).await.observed.document else {
            panic!()
        };
        let before = vendors.len();
        vendors.retain(|vendor| vendor.id != bill.vendor);
        if vendors.len() < before && bills.len() < most {
            bills.push(record);
        }
    }
    assert_eq!(bills.len(), most);
    bills
}

async fn vendors_in_bill(stage: &Stage) -> u64 {
    stage.state().await["bill"]["vendors"]["count"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn chosen_bills_of_several_vendors_make_each_vendor_once() {
    let stage = Stage::new().await;
    let before = vendors_in_bill(&stage).await;
    let bills = bills_of_new_vendors(&stage, 3).await;
    let options = RunOptions {
        only: bills.iter().map(ToString::to_string).collect(),
        ..RunOptions::new(run_id(), "test")
    };
    tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap();
    assert_eq!(vendors_in_bill(&stage).await, before + 3);
}

#[tokio::test]
async fn bills_that_a_run_of_their_flow_alone_left_waiting_are_done_by_the_next_run() {
    let stage = Stage::new().await;
    let lists = ["accounts", "dimensions", "vendors"];
    // The vendors had their turn while no bill needed them.
    for flows in [lists.as_slice(), &["bills"]] {
        let flows = flows.iter().map(ToString::to_string).collect();
        let options = RunOptions {
            flows,
            ..RunOptions::new(run_id(), "test")
        };
        tieout_engine::sync(&stage.connection, options)
            .await
            .unwrap();
    }
    let report = stage.sync().await;
    let whole = Stage::new().await.sync().await;
    assert_eq!(
        count(&report, "bills", State::Done),
        count(&whole, "bills", State::Done)
    );
    assert_eq!(report.flows["vendors"], whole.flows["vendors"]);
}

#[tokio::test]
async fn s147_what_was_found_after_its_answer_was_lost_is_counted_like_any_other() {
    let mut counts = Vec::new();
    for lost in [false, true] {
        let stage = Stage::new().await;
        stage.sync().await;
        let (_, platform) = stage.open_pairs().await.pop().unwrap();
        stage.pay(&[platform], None, "PROCESSED").await;
        if lost {
            stage
                .fault(json!({"service": "netsuite", "method": "PUT", "times": 1,
                "effect": "drop-after-commit"}))
                .await;
        }
        counts.push(stage.sync().await.flows["bill-payments"].clone());
    }
    assert_eq!(counts[0], counts[1]);
}
