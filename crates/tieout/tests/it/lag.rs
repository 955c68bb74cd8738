//! Lists, searches and SuiteQL that show a change only after a while: as long as an unanswered write may take to
//! settle, which is a second here. Never twice, and no record just written is taken for deleted or edited.

use serde_json::json;
use tieout_domain::{Kind, State};
use tieout_engine::RunOptions;
use tieout_engine::compare::compare;

use crate::acts::ledger;
use crate::stage::{Stage, count};

/// The settling time of these homes.
const SETTLE_SECONDS: u32 = 1;

impl Stage {
    async fn lag(&self, seconds: u32) {
        self.in_bill("switches", json!({"lists_lag_seconds": seconds}))
            .await;
        let body = json!({"suiteql_lag_seconds": seconds}).to_string();
        self.panel
            .post("/control/netsuite/switches", &body)
            .await
            .unwrap();
    }

    /// Lets everything be shown, and brings both sides to rest.
    async fn catch_up(&self) {
        self.advance("1m").await;
        self.lag(0).await;
        self.sync().await;
        self.assert_tied().await;
    }

    /// Whatever waits for a person after a run.
    async fn for_people(&self) -> u64 {
        let report = self.sync().await;
        let flows = report.flows.values();
        flows
            .map(|counts| {
                let waiting = State::ALL.iter().filter(|state| state.needs_a_person());
                waiting.map(|state| counts.of_state(*state)).sum::<u64>()
            })
            .sum()
    }
}

#[tokio::test]
async fn creations_whose_answers_were_lost_are_made_once_though_lists_lag() {
    let calm = Stage::new().await;
    calm.sync().await;
    let expected = calm.state().await;
    let stage = Stage::new().await;
    stage.lag(SETTLE_SECONDS).await;
    for path in ["/v3/vendors", "/v3/bills", "/v3/classifications"] {
        let fault = json!({"service": "bill", "method": "POST", "path": path, "times": 3,
            "effect": "drop-after-commit"});
        stage.fault(fault).await;
    }
    let waiting = calm.for_people().await;
    stage.sync().await;
    assert_eq!(stage.for_people().await, waiting);
    stage.no_faults().await;
    stage.catch_up().await;
    let state = stage.state().await;
    for things in ["vendors", "bills", "vendor_credits", "classifications"] {
        assert_eq!(state["bill"][things], expected["bill"][things], "{things}");
    }
}

#[tokio::test]
async fn a_whole_read_that_lags_takes_nothing_for_deleted_or_edited() {
    let stage = Stage::new().await;
    stage.sync().await;
    let waiting = stage.for_people().await;
    // Far longer than this test takes: nothing that is written from here on is shown by a list.
    stage.lag(3600).await;
    let (bill, there, vendor) = stage.an_open_bill().await;
    stage
        .edit("vendorbill", &bill, json!({"memo": "seen by Ada"}))
        .await;
    let fields = json!({"entity": vendor, "tranId": "LATE-1", "amount": 12});
    let new = stage.enter("vendorbill", fields).await;
    // The ledger's news must be seen, BILL's lists stay behind.
    let body = json!({"suiteql_lag_seconds": 0}).to_string();
    stage
        .panel
        .post("/control/netsuite/switches", &body)
        .await
        .unwrap();
    assert_eq!(stage.for_people().await, waiting);
    let before = stage.state().await;
    for number in 0..2 {
        let options = RunOptions {
            whole: true,
            ..RunOptions::new(format!("whole {number}"), "test")
        };
        let report = tieout_engine::sync(&stage.connection, options)
            .await
            .unwrap();
        assert_eq!(report.written, 0);
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }
    assert_eq!(
        stage.state().await["bill"]["bills"],
        before["bill"]["bills"]
    );
    for id in [&bill, &new] {
        assert_eq!(
            stage.state_of("bills", &ledger(Kind::Bill, id)).await,
            "DONE"
        );
    }
    assert_eq!(stage.platform_bill(&there).await.memo, "seen by Ada");
    stage.catch_up().await;
}

#[tokio::test]
async fn payments_and_their_reversals_go_through_once_though_suiteql_lags() {
    let stage = Stage::new().await;
    stage.sync().await;
    let waiting = stage.for_people().await;
    stage.lag(SETTLE_SECONDS).await;
    let (bill, there, _) = stage.an_open_bill().await;
    let payment = stage.pay(&[there], None, "PROCESSED").await.remove(0);
    stage.advance("2s").await;
    let fault =
        json!({"service": "netsuite", "method": "PUT", "times": 1, "effect": "drop-after-commit"});
    stage.fault(fault).await;
    stage.sync().await;
    assert_eq!(stage.for_people().await, waiting);
    stage.advance("2s").await;
    stage.sync().await;
    stage.assert_one_posting(&bill).await;
    stage
        .move_payment(&payment, json!({"status": "VOIDED"}))
        .await;
    for _ in 0..4 {
        stage.advance("2s").await;
        assert_eq!(stage.for_people().await, waiting);
    }
    stage.catch_up().await;
    assert_eq!(
        stage.payment_state(&payment.as_str().into()).await,
        "REVERSED(reversed)"
    );
    let state = stage.state().await;
    assert_eq!(state["netsuite"]["journalentry"]["count"], 1);
    let comparison = compare(&stage.connection.store).await.unwrap();
    assert!(comparison.agrees(), "{comparison:#?}");
}

impl Stage {
    async fn assert_one_posting(&self, bill: &tieout_domain::RemoteId) {
        let postings = self.postings().await;
        let of_bill = postings.iter().filter(|(_, payment)| {
            let applied = payment.applications.iter();
            applied.map(|part| &part.document).any(|id| id == bill)
        });
        assert_eq!(of_bill.count(), 1);
    }
}

#[tokio::test]
async fn what_is_shown_after_the_mark_has_gone_past_it_is_read_all_the_same() {
    let stage = Stage::new().await;
    stage.sync().await;
    stage.lag(SETTLE_SECONDS).await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let fields = json!({"entity": vendor, "tranId": "LATE-2", "amount": 12});
    let bill = stage.enter("vendorbill", fields).await;
    // Another is shown at once, and the mark goes with it.
    stage.sync().await;
    stage.advance("3s").await;
    let report = stage.sync().await;
    assert!(count(&report, "bills", State::Done) > 0);
    assert_eq!(
        stage.state_of("bills", &ledger(Kind::Bill, &bill)).await,
        "DONE"
    );
    stage.catch_up().await;
}
