//! NetSuite and Alternative Payments, both real servers of the sandbox, over sockets: invoices over and paid, payouts into
//! deposits to the cent, what stays there, and the fallbacks of an account that has been given nothing.

mod pdfs;

use serde_json::{Value, json};
use tieout::sandbox::SandboxOptions;
use tieout_domain::document::{Deposit, Invoice};
use tieout_domain::{Amount, Document, Kind, RecordRef, Side, State};
use tieout_engine::initial_sync;
use tieout_engine::tie_out::{AsOf, TieOutOptions, tie_out};
use tieout_flows::tie_out::{Leg, Report};

use crate::stage::{Stage, count, options};

/// A small company: five calls a second are little.
fn small() -> SandboxOptions {
    SandboxOptions {
        vendors: Some(2),
        bills: Some(2),
        customers: Some(10),
        invoices: Some(20),
        ..options()
    }
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn invoice(document: &Document) -> &Invoice {
    let Document::Invoice(invoice) = document else {
        panic!("{document:?} is no invoice")
    };
    invoice
}

fn deposit(document: &Document) -> &Deposit {
    let Document::Deposit(deposit) = document else {
        panic!("{document:?} is no deposit")
    };
    deposit
}

/// What somebody does on the platform.
async fn there(stage: &Stage, path: &str, body: Value) -> Value {
    let path = format!("/control/alternative-payments/{path}");
    stage.panel.post(&path, &body.to_string()).await.unwrap()
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

/// The transactions of one type that NetSuite holds.
async fn booked(stage: &Stage, sort: &str) -> Vec<Value> {
    let records = stage.panel.get("/control/records").await.unwrap();
    let mut all = records["netsuite"]["transactions"]
        .as_array()
        .unwrap()
        .clone();
    all.retain(|it| it["type"] == sort);
    all
}

/// Linked invoices that are wholly open there, the ledger's first; in dollars.
async fn open_pairs(stage: &Stage) -> Vec<(RecordRef, RecordRef)> {
    let links = stage.connection.store.links_page("invoices", None, 1000);
    let mut pairs = Vec::new();
    for link in links.await.unwrap() {
        let here = stage.record(&link.record).await;
        let it = invoice(&here.observed.document);
        if link.record.side == Side::Ledger && it.open == it.total && it.total.is_positive() {
            pairs.push((link.record, link.target));
        }
    }
    pairs
}

/// The tie-out of today.
async fn tied_out(stage: &Stage) -> Report {
    let now = stage.connection.timer.now();
    let today = now.to_zoned(stage.connection.time_zone.clone()).date();
    let options = TieOutOptions {
        as_of: AsOf::Day(today),
        id: tieout::commands::sync::run_id(),
        notes: std::collections::BTreeMap::new(),
        notices: Vec::new(),
    };
    let made = tie_out(&stage.connection, &options).await.unwrap();
    made.into_iter().next().unwrap().report
}

fn closes(report: &Report) {
    for (leg, residual) in &report.residuals {
        assert!(
            residual.is_zero(),
            "{leg:?} leaves {residual}: {:#?}",
            report.items
        );
    }
}

#[tokio::test]
async fn s170_s175_s178_s180_invoices_go_over_once_and_what_is_paid_comes_back_once() {
    let stage = Stage::paid_there(small(), "all").await;
    let report = stage.sync().await;
    assert!(
        count(&report, "invoices", State::Done) > 0,
        "{:?}",
        report.flows
    );
    let initial = initial_sync(&stage.connection.store).await.unwrap();
    assert_eq!(initial.unwrap().as_str(), "connected");
    stage.assert_quiet().await;
    // Paid there: posted once. Paid here: open for nobody there any more.
    let pairs = open_pairs(&stage).await;
    let before = booked(&stage, "CustPymt").await.len();
    paid_on_both_sides(&stage, &pairs).await;
    assert_eq!(booked(&stage, "CustPymt").await.len(), before + 2);
    let told = stage.record(&pairs[1].1).await;
    assert!(
        invoice(&told.observed.document).open.is_zero(),
        "nobody pays it twice"
    );
    stage.assert_quiet().await;
    closes(&tied_out(&stage).await);
}

/// Somebody pays the first of these invoices there and the second in NetSuite, and both have had time to be told.
async fn paid_on_both_sides(stage: &Stage, pairs: &[(RecordRef, RecordRef)]) {
    there(stage, "pay", json!({"invoice": pairs[0].1.id})).await;
    let body = json!({"invoices": [pairs[1].0.id]}).to_string();
    let path = "/control/netsuite/customerpayment";
    stage.panel.post(path, &body).await.unwrap();
    stage.sync().await;
    stage.sync().await;
}

/// A customer's invoices in NetSuite, of these amounts.
async fn billed(stage: &Stage, amounts: &[&str]) -> Vec<RecordRef> {
    let pairs = open_pairs(stage).await;
    let first = stage.record(&pairs[0].0).await;
    let first = invoice(&first.observed.document);
    let item = first
        .lines
        .iter()
        .find_map(|line| line.item.clone())
        .unwrap();
    let today = stage.connection.timer.now();
    let today = today.to_zoned(stage.connection.time_zone.clone()).date();
    let mut made = Vec::new();
    for amount in amounts {
        let amount: f64 = amount.parse().unwrap();
        let body = json!({
            "entity": {"id": first.customer}, "tranDate": today.to_string(),
            "item": {"items": [{"item": {"id": item}, "amount": amount}]},
        });
        let (path, body) = ("/control/netsuite/invoice", body.to_string());
        let answer = stage.panel.post(path, &body).await.unwrap();
        made.push(RecordRef::new(Side::Ledger, Kind::Invoice, id(&answer)));
    }
    made
}

/// What stands for an invoice of the ledger on the platform.
async fn copy_of(stage: &Stage, invoice: &RecordRef) -> RecordRef {
    let one = std::slice::from_ref(invoice);
    let links = stage.connection.store.links("invoices", one).await.unwrap();
    let link = links.into_iter().find(|link| link.role.is_empty()).unwrap();
    link.target
}

#[tokio::test]
async fn s184_s189_s190_the_golden_payout_is_one_deposit_and_the_bank_line_to_the_cent() {
    let stage = Stage::paid_there(small(), "all").await;
    stage.sync().await;
    // Two that were paid out before: one is refunded, one disputed.
    let early = billed(&stage, &["300", "1200"]).await;
    stage.sync().await;
    let mut paid = Vec::new();
    for one in &early {
        let copy = copy_of(&stage, one).await;
        let body = json!({"invoice": copy.id, "fees": "0"});
        paid.push(id(&there(&stage, "pay", body).await));
    }
    stage.sync().await;
    pays_out(&stage).await;
    stage.sync().await;
    let before = deposits(&stage).await.len();
    assert!(before >= 1);
    // Fourteen payments, 10,000.00 gross.
    let mut amounts = vec!["700"; 13];
    amounts.push("900");
    let bills = billed(&stage, &amounts).await;
    stage.sync().await;
    for (turn, one) in bills.iter().enumerate() {
        let copy = copy_of(&stage, one).await;
        let fees = if turn == 13 { "20.70" } else { "17.30" };
        there(&stage, "pay", json!({"invoice": copy.id, "fees": fees})).await;
    }
    there(&stage, "refunds", json!({"payment": paid[0]})).await;
    there(
        &stage,
        &format!("payments/{}", paid[1]),
        json!({"status": "chargeback"}),
    )
    .await;
    stage.sync().await;
    let payout = pays_out(&stage).await;
    assert_eq!(
        payout["total"].to_string().replace('"', ""),
        "8239.4",
        "{payout}"
    );
    stage.sync().await;
    stage.sync().await;

    let made = deposits(&stage).await;
    assert_eq!(made.len(), before + 1, "one deposit for one payout");
    let golden = made.iter().find(|it| it.total == amount("8239.40"));
    let golden = golden.unwrap_or_else(|| panic!("{made:#?}"));
    assert_eq!(golden.payments.len(), 14);
    let gross: Amount = golden.payments.iter().map(|part| part.amount).sum();
    assert_eq!(gross, amount("10000"));
    let off: Amount = golden.lines.iter().map(|line| line.amount).sum();
    assert_eq!(off, amount("-1760.60"));
    stage.assert_quiet().await;
    let report = tied_out(&stage).await;
    closes(&report);
    let leg = report
        .legs
        .iter()
        .find(|leg| leg.leg == Leg::Payouts)
        .unwrap();
    assert_eq!(leg.left.amount, leg.right.amount, "{:#?}", report.items);
    assert_eq!(
        leg.flows.len(),
        2,
        "each payout is a line: {:#?}",
        leg.flows
    );
}

/// All that waits is paid out, and arrives today.
async fn pays_out(stage: &Stage) -> Value {
    let payout = there(stage, "payouts", json!({})).await;
    let path = format!("payouts/{}", id(&payout));
    there(stage, &path, json!({"status": "succeeded"})).await;
    payout
}

/// The deposits of the ledger, as last seen.
async fn deposits(stage: &Stage) -> Vec<Deposit> {
    let all = stage.records(Side::Ledger, Kind::Deposit).await;
    let all = all.iter().map(|it| deposit(&it.observed.document).clone());
    all.collect()
}

#[tokio::test]
async fn s174_s185_what_began_there_stays_there_and_its_payment_is_a_deposit_of_its_own() {
    let stage = Stage::paid_there(small(), "all").await;
    stage.sync().await;
    let invoices = booked(&stage, "CustInvc").await.len();
    let customer = there(
        &stage,
        "customers",
        json!({"name": "Walk-in", "email": "w@example.com"}),
    )
    .await;
    let body = json!({
        "customer_id": id(&customer), "currency": "USD", "due_date": "2030-01-01",
        "line_items": [{"description": "Call-out", "quantity": 1, "amount": 120.0}],
    });
    let alone = there(&stage, "invoices", body).await;
    let before = deposits(&stage).await.len();
    there(&stage, "pay", json!({"invoice": id(&alone), "fees": "0"})).await;
    stage.sync().await;
    stage.sync().await;
    assert_eq!(booked(&stage, "CustInvc").await.len(), invoices);
    let made = deposits(&stage).await;
    assert_eq!(made.len(), before + 1);
    assert!(made.iter().any(|it| it.total == amount("120")), "{made:#?}");
    stage.assert_quiet().await;
    closes(&tied_out(&stage).await);
}

#[tokio::test]
async fn an_account_that_was_given_nothing_is_served_by_fallbacks_and_told_so() {
    let stage = Stage::paid_there(small(), "").await;
    for name in [
        "amend-invoices",
        "balances",
        "external-payments",
        "invoice-pdf",
        "invoice-external-id",
        "allocations",
        "changed-since",
        "webhook-bodies",
        "amend-customers",
    ] {
        there(&stage, "switches", json!({name: false})).await;
    }
    let report = stage.sync().await;
    assert!(
        count(&report, "invoices", State::Done) > 0,
        "{:?}",
        report.flows
    );
    let pairs = open_pairs(&stage).await;
    there(&stage, "pay", json!({"invoice": pairs[0].1.id})).await;
    let part = json!({"invoice": pairs[2].1.id, "amount": "0.05"});
    there(&stage, "pay", part).await;
    let body = json!({"invoices": [pairs[1].0.id]}).to_string();
    let path = "/control/netsuite/customerpayment";
    stage.panel.post(path, &body).await.unwrap();
    let before = booked(&stage, "CustPymt").await.len();
    stage.sync().await;
    stage.sync().await;
    assert_eq!(booked(&stage, "CustPymt").await.len(), before + 2);
    // What is paid here can't be paid there any more: it is archived.
    let records = stage.panel.get("/control/records").await.unwrap();
    let there = records["alternative-payments"]["invoices"]
        .as_array()
        .unwrap();
    let told = there.iter().find(|it| it["id"] == pairs[1].1.id.as_str());
    assert_eq!(told.unwrap()["status"], "archived");
    stage.assert_quiet().await;
    // What of an invoice is open there is told by its payments alone.
    closes(&tied_out(&stage).await);
}

#[tokio::test]
async fn beside_another_system_nothing_is_written_there_and_what_is_paid_comes_back() {
    let mut stage = Stage::paid_there(small(), "all").await;
    stage.sync().await;
    let pairs = open_pairs(&stage).await;
    let mode = &mut stage.connection.preferences.receivables.mode;
    *mode = tieout_flows::preferences::Mode::PaymentsOnly;
    let carried = stage.records(Side::Platform, Kind::Invoice).await.len();
    let new = billed(&stage, &["77.00"]).await;
    let before = booked(&stage, "CustPymt").await.len();
    paid_on_both_sides(&stage, &pairs).await;
    // The other system carries the new invoice, and tells there what was paid here.
    let item = stage.item("invoices", &new[0]).await;
    let code = item.outcome.code.unwrap();
    assert_eq!(code.as_str(), "payments-only");
    let invoices = stage.records(Side::Platform, Kind::Invoice).await;
    assert_eq!(invoices.len(), carried);
    let told = stage.record(&pairs[1].1).await;
    assert!(!invoice(&told.observed.document).open.is_zero());
    // What was paid there is posted here, beside the payment that was made here.
    assert_eq!(booked(&stage, "CustPymt").await.len(), before + 2);
    stage.assert_quiet().await;
}
