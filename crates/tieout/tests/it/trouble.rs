//! Slow days: maintenance, records that change while they are read, changes that are repeated.

use serde_json::{Value, json};
use tieout_domain::{Kind, Side, State};
use tieout_store::{Fact, ItemFilter};

use crate::acts::{amount, ledger};
use crate::stage::{Stage, count, options};

#[tokio::test]
async fn s218_maintenance_counts_against_no_record_and_is_caught_up_in_order() {
    let stage = Stage::new().await;
    let page = "<html><body>NetSuite is undergoing maintenance</body></html>";
    let down = json!({"service": "netsuite", "method": "POST", "path": "/services/rest/query",
        "effect": "status", "status": 503, "body": page});
    stage.fault(down.clone()).await;
    let report = stage.try_sync().await;
    assert!(
        report.problems.iter().all(|problem| problem.side_failed),
        "{:?}",
        report.problems
    );
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.code.as_str() == "maintenance")
    );
    stage.no_faults().await;
    stage.sync().await;
    let waiting = waiting(&stage).await;
    // Next, in the middle of the work: payments wait for postings, and new bills of a new vendor come.
    let (_, there) = stage.open_pairs().await.pop().unwrap();
    let payment = stage.pay(&[there], None, "PROCESSED").await.remove(0);
    let vendor = stage
        .enter(
            "vendor",
            json!({"companyName": "Late Supplies", "currency": "1"}),
        )
        .await;
    let fields = json!({"entity": vendor, "tranId": "LATE-218", "amount": 21});
    let bill = stage.enter("vendorbill", fields).await;
    let down = json!({"service": "netsuite", "method": "PUT", "effect": "status", "status": 503, "body": page});
    stage.fault(down).await;
    let down = json!({"service": "bill", "method": "POST", "path": "/v3/bills", "effect": "status",
        "status": 503, "body": page});
    stage.fault(down).await;
    stage.try_sync().await;
    assert_eq!(self::waiting(&stage).await, waiting);
    assert_eq!(
        stage.state_of("bills", &ledger(Kind::Bill, &bill)).await,
        "HOLD(settling)"
    );
    assert_eq!(
        stage.payment_state(&payment.as_str().into()).await,
        "HOLD(settling)"
    );
    stage.no_faults().await;
    let report = stage.sync().await;
    assert!(count(&report, "bill-payments", State::Done) > 0);
    assert_eq!(
        stage.state_of("bills", &ledger(Kind::Bill, &bill)).await,
        "DONE"
    );
    assert_eq!(stage.payment_state(&payment.as_str().into()).await, "DONE");
    // Vendors before bills, bills before payments.
    let entries = stage
        .connection
        .store
        .entries_after(0, 100_000)
        .await
        .unwrap();
    let of_run = entries.iter().filter(|entry| match &entry.run {
        Some(run) => run.as_str() == report.id,
        None => false,
    });
    let attempted: Vec<Kind> = of_run
        .filter_map(|entry| match &entry.fact {
            Fact::Intended { order, .. } => Some(order.document.kind()),
            _ => None,
        })
        .collect();
    let place = |kind| attempted.iter().position(|found| *found == kind);
    if let (Some(bills), Some(payments)) = (place(Kind::Bill), place(Kind::Payment)) {
        assert!(bills < payments, "{attempted:?}");
    }
    stage.assert_tied().await;
}

/// How many records wait for a person.
async fn waiting(stage: &Stage) -> usize {
    let filter = ItemFilter {
        states: State::ALL
            .into_iter()
            .filter(|state| state.needs_a_person())
            .collect(),
        ..ItemFilter::default()
    };
    stage
        .connection
        .store
        .items_page(&filter, None, 10_000)
        .await
        .unwrap()
        .len()
}

/// What a query of the ledger shows, past tieout.
async fn rows(stage: &Stage, sql: &str) -> Vec<Value> {
    let body = json!({"q": sql}).to_string();
    let answer = stage
        .panel
        .post("/control/netsuite/query", &body)
        .await
        .unwrap();
    answer["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn s232_records_that_change_while_they_are_paged_are_neither_skipped_nor_doubled() {
    let stage = Stage::with(tieout::sandbox::SandboxOptions {
        bills: Some(260),
        vendors: Some(60),
        ..options()
    })
    .await;
    stage.sync().await;
    let pairs = stage.open_pairs().await;
    // People go on while everything is read again, page by page.
    let people = async {
        for (nth, (_, there)) in pairs.iter().enumerate().take(60) {
            let fields = json!({"description": format!("looked at, {nth}")});
            let body = json!({"action": "edit", "fields": fields});
            let path = format!("/control/bill/bills/{there}");
            stage.panel.post(&path, &body.to_string()).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let whole = tieout_engine::RunOptions {
        whole: true,
        ..tieout_engine::RunOptions::new("whole", "test")
    };
    let (report, ()) = tokio::join!(tieout_engine::sync(&stage.connection, whole), people);
    assert!(report.unwrap().problems.is_empty());
    stage.sync().await;
    let state = stage.state().await;
    for (side, kind, there) in [
        (Side::Platform, Kind::Bill, &state["bill"]["bills"]),
        (Side::Platform, Kind::Vendor, &state["bill"]["vendors"]),
    ] {
        let read = stage.records(side, kind).await.len();
        let archived = if kind == Kind::Bill {
            there["archived"].as_u64().unwrap()
        } else {
            0
        };
        assert_eq!(
            read as u64,
            there["count"].as_u64().unwrap() + archived,
            "{kind}"
        );
    }
    for (nth, (_, there)) in pairs.iter().enumerate().take(60) {
        let memo = stage.platform_bill(there).await.memo;
        assert_eq!(memo, format!("looked at, {nth}"), "{there}");
    }
    stage.assert_no_duplicates().await;
}

#[tokio::test]
async fn s251_a_change_of_the_ledger_that_is_repeated_doubles_no_line_and_no_application() {
    for effect in ["drop-after-commit", "drop-before-commit"] {
        let stage = Stage::new().await;
        stage.sync().await;
        let (bill, there, _) = stage.an_open_bill().await;
        let payment = stage.pay(&[there], None, "PROCESSED").await.remove(0);
        stage.sync().await;
        let posted = stage.only_posting().await.1.total;
        stage
            .move_payment(&payment, json!({"status": "VOIDED"}))
            .await;
        // The journal entry, and the move of the application to it: each is answered only the second time.
        for method in ["PUT", "PATCH"] {
            let fault =
                json!({"service": "netsuite", "method": method, "times": 1, "effect": effect});
            stage.fault(fault).await;
        }
        stage.sync().await;
        stage.sync().await;
        assert_eq!(
            stage.payment_state(&payment.as_str().into()).await,
            "REVERSED(reversed)",
            "{effect}"
        );
        let lines = "SELECT tal.amount AS amount FROM transactionaccountingline tal JOIN transaction t \
            ON t.id = tal.transaction WHERE t.type = 'Journal'";
        assert_eq!(rows(&stage, lines).await.len(), 2, "{effect}");
        let (id, payment) = stage.only_posting().await;
        let links = format!(
            "SELECT l.foreignamount AS amount, l.previoustype AS type FROM nexttransactionlinelink l \
             WHERE l.nextdoc = {id}"
        );
        let links = rows(&stage, &links).await;
        assert_eq!(links.len(), 1, "{effect}: {links:?}");
        assert_eq!(links[0]["type"], "Journal", "{effect}");
        assert_eq!(amount(links[0]["amount"].as_str().unwrap()), posted);
        assert_eq!(payment.total, posted);
        let open = stage.ledger_bill(&bill).await;
        assert_eq!(open.open, open.total);
        stage.assert_tied().await;
    }
}
