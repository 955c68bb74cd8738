//! The tie-out of receivables against the sandbox: a full cycle is TIED but for a credit memo that the ledger alone has
//! applied, and each difference is named with its document.

use serde_json::json;
use tieout_domain::subledger::Book;
use tieout_domain::{Amount, Currency, Kind, RecordRef, RemoteId, Side, State};
use tieout_flows::tie_out::{Category, Gravity, Item, Leg, Report, Status};

use super::{invoice, open_pairs, payment, pays, selling};
use crate::stage::Stage;
use crate::tie_out::{assert_closed, news};

/// A company whose invoices, payments and credit memos have gone both ways.
async fn after_a_cycle() -> Stage {
    let mut stage = Stage::selling(selling()).await;
    stage.sync().await;
    stage.reconcile().await;
    stage.sync().await;
    let pairs = open_in_dollars(&stage).await;
    pays(&stage, &pairs[0].1, None, "check").await;
    pays(&stage, &pairs[1].1, Some("0.01"), "wire_transfer").await;
    in_netsuite(&stage, &pairs[2].0).await;
    stage.sync().await;
    stage.sync().await;
    stage
}

/// People do what the first runs have left to them: nobody is reminded on Invoiced by itself, and who is inactive in
/// NetSuite and still owes something is active again.
async fn decided(stage: &Stage) {
    for customer in stage.records(Side::Platform, Kind::Customer).await {
        let path = format!("customers/{}", customer.observed.id);
        let body = json!({"action": "edit", "fields": {"chase": false, "autopay": false}});
        on_invoiced(stage, &path, body).await;
    }
    for customer in stage.records(Side::Ledger, Kind::Customer).await {
        let record = customer.record();
        let one = std::slice::from_ref(&record);
        let items = stage.connection.store.items("customers", one).await;
        let blocked = items.unwrap().remove(&record);
        if blocked.is_some_and(|item| item.outcome.state == State::Blocked) {
            let body = json!({"action": "activate"});
            stage.in_netsuite("customer", &record.id, body).await;
        }
    }
    for _ in 0..2 {
        stage.sync().await;
    }
}

/// A customer pays an invoice in NetSuite, by a check that somebody types in.
async fn in_netsuite(stage: &Stage, invoice: &RecordRef) {
    let body = json!({"invoices": [invoice.id.as_str()]}).to_string();
    let path = "/control/netsuite/customerpayment";
    stage.panel.post(path, &body).await.unwrap();
}

/// What somebody does on Invoiced.
async fn on_invoiced(stage: &Stage, path: &str, body: serde_json::Value) {
    let path = format!("/control/invoiced/{path}");
    stage.panel.post(&path, &body.to_string()).await.unwrap();
}

/// Linked invoices in dollars that are open on both sides, the ledger's first.
async fn open_in_dollars(stage: &Stage) -> Vec<(RecordRef, RecordRef)> {
    let mut pairs = Vec::new();
    for (here, there) in open_pairs(stage).await {
        let seen = stage.record(&here).await;
        if invoice(&seen.observed.document).currency == Currency::USD {
            pairs.push((here, there));
        }
    }
    pairs
}

/// What has come up since.
async fn since(stage: &Stage, before: &Report) -> Vec<(Category, Amount)> {
    news(before, &stage.closed().await)
}

async fn open(stage: &Stage, record: &RecordRef) -> Amount {
    invoice(&stage.record(record).await.observed.document).open
}

/// The item that names a record.
fn naming<'a>(report: &'a Report, record: &RecordRef) -> &'a Item {
    let names = |item: &&Item| {
        let documents = [&item.ledger, &item.platform].into_iter().flatten();
        documents.map(|one| &one.record).any(|one| one == record)
    };
    let found = report.items.iter().find(names);
    found.unwrap_or_else(|| panic!("{record} is not named: {:#?}", report.items))
}

#[tokio::test]
async fn a_full_cycle_ties_out_to_nothing_on_both_sides() {
    let stage = after_a_cycle().await;
    decided(&stage).await;
    let reports = stage.tie_out().await;
    let mut applied_here = 0;
    for report in &reports {
        assert_eq!(report.book, Book::Receivables);
        assert_closed(report);
        // A credit memo was applied in the ledger, which Invoiced is not told. Nothing else is wrong.
        let grave = report
            .items
            .iter()
            .filter(|item| matches!(item.category.gravity(), Gravity::Critical | Gravity::Error));
        let mut applied_in_ledger = 0;
        for item in grave {
            assert_eq!(item.category, Category::OneSided, "{item:#?}");
            assert!(
                item.ledger.is_some() && item.platform.is_some(),
                "{item:#?}"
            );
            assert_eq!(item.amount, Amount::ZERO, "{item:#?}");
            applied_in_ledger += 1;
        }
        let status = match applied_in_ledger {
            0 => Status::Tied,
            _ => Status::NotTied,
        };
        assert_eq!(report.status, status, "{:?}", report.reasons);
        applied_here += applied_in_ledger;
    }
    assert_eq!(applied_here, 1);
    let report = &reports[0];
    let [ledger, platform] = [Leg::Ledger, Leg::Platform].map(|leg| {
        let found = report.legs.iter().find(|one| one.leg == leg);
        found.unwrap().right.amount
    });
    assert!(
        ledger.is_positive() && platform.is_positive(),
        "{:#?}",
        report.legs
    );
    // The two payments that were posted wait for a deposit.
    let funds = report
        .legs
        .iter()
        .find(|leg| leg.leg == Leg::Clearing)
        .unwrap();
    assert!(funds.right.amount.is_positive(), "{funds:#?}");
    let text = tieout_report::text(report, 100);
    for word in [
        "Receivables tie-out",
        "for receivables",
        "Accounts Receivable",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("vendor"), "{text}");
}

#[tokio::test]
async fn money_that_one_side_has_is_named_with_its_payment() {
    let stage = after_a_cycle().await;
    let before = stage.closed().await;
    let pairs = open_in_dollars(&stage).await;
    // Received on the platform, not posted yet.
    let due = open(&stage, &pairs[0].1).await;
    pays(&stage, &pairs[0].1, None, "check").await;
    assert_eq!(since(&stage, &before).await, [(Category::InFlight, due)]);
    // And paid in NetSuite as well: by two payments.
    in_netsuite(&stage, &pairs[0].0).await;
    let report = stage.closed().await;
    let double = report
        .items
        .iter()
        .find(|item| item.category == Category::Double);
    let double = double.unwrap_or_else(|| panic!("{:#?}", report.items));
    assert!(
        double.ledger.is_some() && double.platform.is_some(),
        "{double:#?}"
    );
    assert_eq!(double.amount, Amount::ZERO);
    // The next run posts it on account, and says so.
    stage.try_sync().await;
    let report = stage.closed().await;
    assert_eq!(report.status, Status::NotTied);
    let critical = report
        .items
        .iter()
        .any(|item| item.category == Category::Double);
    assert!(critical, "{:#?}", report.items);
}

#[tokio::test]
async fn a_payment_that_fails_or_is_disputed_afterwards_is_named() {
    let stage = after_a_cycle().await;
    let pairs = open_in_dollars(&stage).await;
    pays_by_card(&stage, &pairs[0].1).await;
    pays_by_card(&stage, &pairs[1].1).await;
    stage.sync().await;
    let before = stage.closed().await;
    let payments = posted(&stage, &[&pairs[0].1, &pairs[1].1]).await;
    let due = payment(&stage.record(&payments[0]).await.observed.document).total;
    on_invoiced(
        &stage,
        &format!("payments/{}", payments[0].id),
        json!({"action": "fail"}),
    )
    .await;
    on_invoiced(
        &stage,
        &format!("payments/{}", payments[1].id),
        json!({"action": "dispute"}),
    )
    .await;
    stage.try_sync().await;
    let report = stage.closed().await;
    assert_eq!(
        news(&before, &report),
        [
            (Category::Failed, -due),
            (Category::ChargeBack, Amount::ZERO)
        ]
    );
    assert_eq!(naming(&report, &payments[0]).category, Category::Failed);
    assert_eq!(naming(&report, &payments[1]).category, Category::ChargeBack);
    assert_eq!(report.status, Status::NotTied);
}

async fn pays_by_card(stage: &Stage, invoice: &RecordRef) {
    let id: i64 = invoice.id.as_str().parse().unwrap();
    let body = json!({"invoices": [id], "method": "credit_card"});
    on_invoiced(stage, "pay", body).await;
}

/// The platform's payments of these invoices.
async fn posted(stage: &Stage, invoices: &[&RecordRef]) -> Vec<RecordRef> {
    let all = stage.records(Side::Platform, Kind::CustomerPayment).await;
    let mut found = Vec::new();
    for invoice in invoices {
        let pays = |document| {
            let uses = &payment(document).uses;
            uses.iter()
                .any(|part| part.of.invoice() == Some(&invoice.id))
        };
        let one = all.iter().find(|one| pays(&one.observed.document)).unwrap();
        found.push(one.record());
    }
    found
}

#[tokio::test]
async fn documents_that_one_side_changed_ended_or_never_had_are_named() {
    let stage = after_a_cycle().await;
    let before = stage.closed().await;
    let pairs = open_in_dollars(&stage).await;
    let due = open(&stage, &pairs[0].1).await;
    // Voided over there.
    let voided = format!("invoices/{}", pairs[0].1.id);
    on_invoiced(&stage, &voided, json!({"action": "void"})).await;
    assert_eq!(since(&stage, &before).await, [(Category::Archived, due)]);
    // Deleted in the ledger, and paid over there before it could be told.
    let gone = open(&stage, &pairs[1].1).await;
    stage
        .in_netsuite("invoice", &pairs[1].0.id, json!({"action": "void"}))
        .await;
    let report = stage.closed().await;
    let item = naming(&report, &pairs[1].1);
    assert_eq!((item.category, item.amount), (Category::Ghost, -gone));
    // Written on Invoiced, and not taken to the ledger yet.
    let customer = invoice(&stage.record(&pairs[2].1).await.observed.document)
        .customer
        .clone();
    let customer: i64 = customer.as_str().parse().unwrap();
    let body = json!({
        "customer": customer, "draft": false, "number": "INV-ALONE", "calculate_taxes": false,
        "items": [{"name": "Advice", "quantity": 1, "unit_cost": 75}],
    });
    on_invoiced(&stage, "invoices", body).await;
    let report = stage.closed().await;
    let alone = report.items.iter().find(|item| {
        let there = item.platform.as_ref();
        there.is_some_and(|one| one.label == "INV-ALONE")
    });
    let alone = alone.unwrap_or_else(|| panic!("{:#?}", report.items));
    assert_eq!(alone.amount, "-75".parse::<Amount>().unwrap());
    assert_eq!(alone.category, Category::Queue);
}

#[tokio::test]
async fn s177_an_invoice_that_changed_after_it_was_paid_is_a_late_edit() {
    let stage = after_a_cycle().await;
    let pairs = open_in_dollars(&stage).await;
    pays(&stage, &pairs[0].1, None, "check").await;
    stage.sync().await;
    let before = stage.closed().await;
    let body = json!({"action": "edit", "fields": {"lines": [
        {"item": item_of(&stage, &pairs[0].0).await, "quantity": 1, "rate": 9999, "amount": 9999},
    ]}});
    stage.in_netsuite("invoice", &pairs[0].0.id, body).await;
    stage.try_sync().await;
    let report = stage.closed().await;
    let item = naming(&report, &pairs[0].0);
    assert_eq!(
        item.category,
        Category::LateEdit,
        "{:#?}",
        news(&before, &report)
    );
}

async fn item_of(stage: &Stage, record: &RecordRef) -> String {
    let seen = stage.record(record).await;
    let line = invoice(&seen.observed.document)
        .lines
        .iter()
        .find_map(|line| line.item.clone());
    line.unwrap().to_string()
}

#[tokio::test]
async fn money_on_account_in_the_ledger_is_unapplied_and_what_it_keeps_by_itself_is_named() {
    let stage = after_a_cycle().await;
    let before = stage.closed().await;
    let pairs = open_in_dollars(&stage).await;
    let due = open(&stage, &pairs[0].1).await;
    let over = due.plus("12.34".parse().unwrap()).unwrap();
    let body = json!({"invoices": [pairs[0].0.id.as_str()], "amount": over.to_string()});
    let path = "/control/netsuite/customerpayment";
    stage.panel.post(path, &body.to_string()).await.unwrap();
    stage.sync().await;
    let report = stage.closed().await;
    let twelve: Amount = "12.34".parse().unwrap();
    let mut found = news(&before, &report);
    found.retain(|(category, _)| category.leg() == Leg::Platform);
    assert_eq!(found, [(Category::Unapplied, -twelve)]);
    let offline = news(&before, &report);
    assert!(offline.contains(&(Category::Offline, over)), "{offline:?}");
}

#[tokio::test]
async fn s178_what_a_customer_deposit_settles_is_recorded_on_invoiced_and_ties_out() {
    let stage = after_a_cycle().await;
    let before = stage.closed().await;
    let (here, there) = open_in_dollars(&stage).await.swap_remove(0);
    let due = open(&stage, &there).await;
    let body = json!({"invoices": [here.id.as_str()], "amount": "0.75"});
    let path = "/control/netsuite/depositapplication";
    let made = stage.panel.post(path, &body.to_string()).await.unwrap();
    stage.sync().await;
    let less = due.minus("0.75".parse().unwrap()).unwrap();
    assert_eq!(open(&stage, &there).await, less);
    assert_eq!(since(&stage, &before).await, []);
    // It is taken back, and with it its record there.
    let id = RemoteId::from(made["id"].as_str().unwrap());
    let body = json!({"action": "delete"});
    stage.in_netsuite("depositapplication", &id, body).await;
    stage.sync().await;
    assert_eq!(open(&stage, &there).await, due);
    assert_eq!(since(&stage, &before).await, []);
    stage.assert_quiet().await;
}

#[tokio::test]
async fn a_credit_memo_that_is_applied_in_the_ledger_alone_moves_nothing_in_total() {
    let stage = after_a_cycle().await;
    let (here, _) = open_in_dollars(&stage).await.swap_remove(0);
    let customer = invoice(&stage.record(&here).await.observed.document)
        .customer
        .clone();
    let body = json!({
        "customer": customer, "number": "CM-ONE",
        "lines": [{"item": item_of(&stage, &here).await, "quantity": 1, "rate": 1}],
    });
    let path = "/control/netsuite/creditmemo";
    let made = stage.panel.post(path, &body.to_string()).await.unwrap();
    stage.sync().await;
    let before = stage.closed().await;
    let memo = RemoteId::from(made["id"].as_str().unwrap());
    let apply = json!([{"doc": here.id, "apply": true, "amount": 1}]);
    let body = json!({"action": "edit", "fields": {"apply": apply}});
    stage.in_netsuite("creditmemo", &memo, body).await;
    assert_eq!(
        since(&stage, &before).await,
        [(Category::Credit, Amount::ZERO)]
    );
}

#[tokio::test]
async fn a_deposit_takes_its_payments_out_of_undeposited_funds() {
    let stage = after_a_cycle().await;
    let before = stage.closed().await;
    let funds = |report: &Report| {
        let leg = report.legs.iter().find(|leg| leg.leg == Leg::Clearing);
        leg.map(|leg| (leg.left.amount, leg.right.amount)).unwrap()
    };
    let links = stage
        .connection
        .store
        .links_page("payments", None, 1000)
        .await
        .unwrap();
    let posted: Vec<i64> = links
        .iter()
        .filter(|link| link.record.side == Side::Platform)
        .filter(|link| link.target.kind == Kind::CustomerPayment)
        .map(|link| link.target.id.as_str().parse().unwrap())
        .collect();
    let body = json!({
        "account": bank(&stage).await,
        "payment": {"items": posted.iter().map(|id| json!({"id": id, "deposit": true})).collect::<Vec<_>>()},
    });
    stage
        .panel
        .post("/control/netsuite/deposit", &body.to_string())
        .await
        .unwrap();
    let report = stage.closed().await;
    assert_eq!(funds(&report).1, Amount::ZERO);
    assert!(funds(&before).1.is_positive());
    let found = news(&before, &report);
    assert!(found.is_empty(), "{found:?}");
}

/// A bank account of the ledger.
async fn bank(stage: &Stage) -> String {
    use tieout_domain::Document;
    use tieout_domain::document::AccountKind;
    let accounts = stage.records(Side::Ledger, Kind::Account).await;
    let bank = accounts.iter().find(|it| match &it.observed.document {
        Document::Account(account) => account.account_kind == AccountKind::Bank && !account.summary,
        _ => false,
    });
    bank.unwrap().observed.id.to_string()
}
