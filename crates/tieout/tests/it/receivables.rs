//! NetSuite and Invoiced, both real servers of the sandbox, over sockets: what goes where, what is never made twice, and
//! that nothing is mailed or charged for what is imported.

mod notices;
mod tie_out;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tieout::sandbox::SandboxOptions;
use tieout_domain::document::{CustomerPayment, Invoice, InvoiceStatus};
use tieout_domain::{Amount, Document, Kind, RecordRef, Side, State};

use crate::stage::{Stage, count, options};

fn selling() -> SandboxOptions {
    SandboxOptions {
        vendors: Some(2),
        bills: Some(2),
        customers: Some(20),
        invoices: Some(60),
        ..options()
    }
}

fn invoice(document: &Document) -> &Invoice {
    let Document::Invoice(invoice) = document else {
        panic!("{document:?} is no invoice")
    };
    invoice
}

fn payment(document: &Document) -> &CustomerPayment {
    let Document::CustomerPayment(payment) = document else {
        panic!("{document:?} is no payment")
    };
    payment
}

/// The records of a service, as it holds them itself.
async fn held(stage: &Stage, service: &str, kind: &str) -> Vec<Value> {
    let records = stage.panel.get("/control/records").await.unwrap();
    records[service][kind].as_array().unwrap().clone()
}

/// The transactions of one type that NetSuite holds.
async fn booked(stage: &Stage, sort: &str) -> Vec<Value> {
    let mut all = held(stage, "netsuite", "transactions").await;
    all.retain(|it| it["type"] == sort);
    all
}

/// The invoices of Invoiced that bear our mark.
async fn imported(stage: &Stage) -> Vec<Value> {
    let mut invoices = held(stage, "invoiced", "invoices").await;
    invoices.retain(|it| !it["metadata"]["netsuite_id"].is_null());
    invoices
}

/// Pays on Invoiced as a customer would.
async fn pays(stage: &Stage, invoice: &RecordRef, amount: Option<&str>, method: &str) {
    let id: i64 = invoice.id.as_str().parse().unwrap();
    let body = json!({"invoices": [id], "amount": amount, "method": method, "processed": false});
    let path = "/control/invoiced/pay";
    stage.panel.post(path, &body.to_string()).await.unwrap();
}

/// Linked invoices that are open on both sides, the ledger's first.
async fn open_pairs(stage: &Stage) -> Vec<(RecordRef, RecordRef)> {
    let links = stage.connection.store.links_page("invoices", None, 1000);
    let mut pairs = Vec::new();
    for link in links.await.unwrap() {
        let there = stage.record(&link.target).await;
        let it = invoice(&there.observed.document);
        if link.record.side == Side::Ledger && it.open == it.total && it.total.is_positive() {
            pairs.push((link.record, link.target));
        }
    }
    pairs
}

#[tokio::test]
async fn what_is_outstanding_goes_to_invoiced_once_and_nobody_is_mailed_or_charged() {
    let stage = Stage::selling(selling()).await;
    let report = stage.sync().await;
    let done = count(&report, "invoices", State::Done);
    assert!(done >= 25, "{:?}", report.flows);
    assert_eq!(imported(&stage).await.len() as u64, done);
    // Only customers with invoices, and those that were there by name are not made again.
    assert!(count(&report, "customers", State::Skipped) > 0);
    stage.assert_quiet().await;
    // A month later the platform has still sent nothing for them, and taken nothing.
    stage.advance("40d").await;
    stage.sync().await;
    let ours: BTreeSet<String> = imported(&stage)
        .await
        .iter()
        .map(|it| it["id"].to_string().replace('"', ""))
        .collect();
    for what in ["messages", "charges"] {
        for sent in held(&stage, "invoiced", what).await {
            let about = sent["about_id"].as_str().unwrap_or_default();
            assert!(!ours.contains(about), "{sent}");
        }
    }
    assert_eq!(imported(&stage).await.len() as u64, done);
}

#[tokio::test]
async fn nothing_is_written_to_netsuite_before_it_is_switched_on_and_then_each_once() {
    let mut stage = Stage::selling(selling()).await;
    stage.sync().await;
    let before = booked(&stage, "CustInvc").await.len();
    let pairs = open_pairs(&stage).await;
    pays(&stage, &pairs[0].1, None, "check").await;
    let report = stage.sync().await;
    assert_eq!(booked(&stage, "CustInvc").await.len(), before);
    assert!(count(&report, "invoices", State::Skipped) > 0);

    stage.reconcile().await;
    let report = stage.sync().await;
    let made = booked(&stage, "CustInvc").await.len() - before;
    assert!(made > 0, "{:?}", report.flows);
    let links = stage.connection.store.links_page("invoices", None, 1000);
    let of_platform = links.await.unwrap();
    let of_platform = of_platform
        .iter()
        .filter(|link| link.record.side == Side::Platform);
    assert_eq!(of_platform.count(), made);
    stage.sync().await;
    stage.assert_quiet().await;
    assert_eq!(booked(&stage, "CustInvc").await.len(), before + made);
    // To the cent, tax included.
    for link in stage
        .connection
        .store
        .links_page("invoices", None, 1000)
        .await
        .unwrap()
    {
        let here = stage.record(&link.record).await;
        let there = stage.record(&link.target).await;
        let (here, there) = (&here.observed.document, &there.observed.document);
        assert_eq!(invoice(here).total, invoice(there).total, "{}", link.record);
    }
}

#[tokio::test]
async fn what_could_not_go_to_the_ledger_is_told_by_its_number_with_reason_and_remedy() {
    let mut stage = Stage::selling(selling()).await;
    stage.sync().await;
    stage.reconcile().await;
    stage.connection.preferences.receivables.tax_item.clear();
    stage.try_sync().await;
    let store = &stage.connection.store;
    let causes = tieout_desk::exceptions::causes(store, false).await.unwrap();
    let code = "tax-item-missing";
    let cause = causes
        .iter()
        .find(|one| one.code.as_ref().is_some_and(|it| it.as_str() == code));
    let told = cause.unwrap().to_json();
    for part in ["title", "fix", "who"] {
        assert!(!told[part].as_str().unwrap().is_empty(), "{part}: {told}");
    }
    let mut named = 0;
    for mirrored in stage.records(Side::Platform, Kind::Invoice).await {
        let record = mirrored.record();
        let one = std::slice::from_ref(&record);
        let items = store.items("invoices", one).await.unwrap();
        let outcome = items.get(&record).map(|item| &item.outcome);
        let Some(outcome) =
            outcome.filter(|it| it.code.as_ref().is_some_and(|it| it.as_str() == code))
        else {
            continue;
        };
        let number = &invoice(&mirrored.observed.document).number;
        assert!(outcome.cause.contains(number.as_str()), "{}", outcome.cause);
        named += 1;
    }
    assert!(named > 0, "{told}");
}

#[tokio::test]
async fn a_payment_on_invoiced_closes_the_ledger_s_invoice_in_undeposited_funds() {
    let mut stage = Stage::selling(selling()).await;
    stage.sync().await;
    let pairs = open_pairs(&stage).await;
    stage.reconcile().await;
    stage.sync().await;
    pays(&stage, &pairs[0].1, None, "check").await;
    pays(&stage, &pairs[1].1, Some("0.01"), "wire_transfer").await;
    stage.sync().await;
    let paid = stage.record(&pairs[0].0).await;
    assert_eq!(invoice(&paid.observed.document).status, InvoiceStatus::Paid);
    let partly = stage.record(&pairs[1].0).await;
    let partly = invoice(&partly.observed.document);
    assert_eq!(partly.total.minus(partly.open), "0.01".parse::<Amount>());
    let links = stage
        .connection
        .store
        .links_page("payments", None, 1000)
        .await
        .unwrap();
    let posted: Vec<_> = links
        .iter()
        .filter(|it| it.record.side == Side::Platform)
        .collect();
    assert_eq!(posted.len(), 2);
    for link in posted {
        let there = stage.record(&link.target).await;
        let key = payment(&there.observed.document)
            .external_id
            .clone()
            .unwrap();
        assert!(key.as_str().contains("customer-payment"), "{key}");
    }
    stage.assert_quiet().await;
}

#[tokio::test]
async fn a_payment_in_netsuite_is_recorded_on_invoiced_and_taken_back_with_it() {
    let mut stage = Stage::selling(selling()).await;
    stage.sync().await;
    stage.reconcile().await;
    stage.sync().await;
    let (here, there) = open_pairs(&stage).await.swap_remove(0);
    let body = json!({"invoices": [here.id.as_str()]}).to_string();
    let path = "/control/netsuite/customerpayment";
    stage.panel.post(path, &body).await.unwrap();
    stage.sync().await;
    let copy = stage.record(&there).await;
    assert_eq!(invoice(&copy.observed.document).status, InvoiceStatus::Paid);
    stage.assert_quiet().await;
}

#[tokio::test]
async fn lost_answers_of_both_sides_make_nothing_twice() {
    let mut stage = Stage::selling(selling()).await;
    for (service, path) in [
        ("invoiced", "/customers"),
        ("invoiced", "/invoices"),
        ("invoiced", "/payments"),
        ("netsuite", "/services/rest/record/v1/customerPayment"),
        ("netsuite", "/services/rest/record/v1/invoice"),
    ] {
        stage
            .fault(json!({
                "service": service, "method": "POST", "path": path, "share": 0.3, "times": 20,
                "effect": "drop-after-commit",
            }))
            .await;
    }
    stage.try_sync().await;
    stage.reconcile().await;
    for (_, there) in open_pairs(&stage).await.iter().take(6) {
        pays(&stage, there, None, "check").await;
    }
    stage.try_sync().await;
    stage.no_faults().await;
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        stage.try_sync().await;
    }
    stage.assert_quiet().await;
    let marks: Vec<String> = imported(&stage)
        .await
        .iter()
        .map(|it| it["metadata"]["netsuite_id"].to_string())
        .collect();
    let unique: BTreeSet<_> = marks.iter().collect();
    assert_eq!(unique.len(), marks.len(), "an invoice is there twice");
    for sort in ["CustPymt", "CustInvc"] {
        let all = booked(&stage, sort).await;
        let keys: Vec<_> = all
            .iter()
            .filter_map(|it| it["external_id"].as_str())
            .collect();
        let unique: BTreeSet<_> = keys.iter().collect();
        assert!(!keys.is_empty());
        assert_eq!(unique.len(), keys.len(), "{sort} is there twice");
    }
}

/// A process that dies leaves customers half made, and invoices that have not said yet that they wait for them.
#[tokio::test]
async fn s222_a_run_that_died_while_it_made_customers_is_finished_by_the_next() {
    let mut stage = Stage::selling(selling()).await;
    stage.sync().await;
    stage.reconcile().await;
    stage
        .fault(json!({
            "service": "netsuite", "method": "PUT", "path": "/services/rest/record/v1/customer",
            "effect": "latency", "latency": "30 seconds",
        }))
        .await;
    let dies = async {
        while held_back(&stage).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        report = stage.try_sync() => panic!("it got through: {report:?}"),
        () = dies => {}
    }
    stage.no_faults().await;
    let report = stage.sync().await;
    assert!(count(&report, "customers", State::Done) > 0);
    assert_eq!(count(&report, "customers", State::Hold), 0);
    stage.assert_quiet().await;
}

/// How many creations of customers NetSuite was sent.
async fn held_back(stage: &Stage) -> u64 {
    let calls = stage.panel.get("/control/calls").await.unwrap();
    let paths = calls["netsuite"]["by_path"].as_object().unwrap();
    let made = paths
        .iter()
        .filter(|(path, _)| path.starts_with("PUT /services/rest/record/v1/customer/"));
    made.filter_map(|(_, count)| count.as_u64()).sum()
}

#[tokio::test]
async fn an_import_costs_what_its_writes_and_pages_cost() {
    let stage = Stage::selling(SandboxOptions {
        customers: Some(60),
        invoices: Some(300),
        ..selling()
    })
    .await;
    let report = stage.sync().await;
    let writes = report.written;
    let calls = report.calls["invoiced"];
    assert!(writes > 100, "{writes}");
    // Single writes, and a page for each hundred records of each list, read before and after.
    assert!(
        calls <= writes + writes / 10 + 24,
        "{calls} calls for {writes} writes"
    );
}
