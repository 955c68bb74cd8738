//! Discounts, rates and other terms of a payment: s085–s164, where both sides count money differently.

use serde_json::{Value, json};
use tieout_domain::document::Bill;
use tieout_domain::{Amount, Currency, Kind, RemoteId, Side};
use tieout_flows::tie_out::{Category, Item, Leg, Report};

use crate::acts::{amount, ledger, platform};
use crate::stage::Stage;

impl Stage {
    /// The rows of a query over the ledger's books.
    async fn books(&self, query: &str) -> Vec<Value> {
        let body = json!({"q": query}).to_string();
        let path = "/control/netsuite/query";
        let answer = self.panel.post(path, &body).await.unwrap();
        answer["items"].as_array().unwrap().clone()
    }

    /// A bill of 100.00 that offers a discount, entered today and sent; its ids here and there.
    async fn with_discount(&self) -> (RemoteId, RemoteId) {
        let terms = self
            .books("SELECT t.id AS id FROM term t WHERE t.discountpercent > 0")
            .await;
        let (_, _, vendor) = self.an_open_bill().await;
        let fields = json!({
            "entity": vendor, "tranId": "EARLY-1", "amount": 100, "terms": terms[0]["id"],
        });
        let here = self.enter("vendorbill", fields).await;
        self.sync().await;
        let there = self.target("bills", &ledger(Kind::Bill, &here)).await;
        (here, there.unwrap().id)
    }

    async fn left(&self, here: &RemoteId, there: &RemoteId) -> (Amount, Amount) {
        let open = |bill: Bill| bill.open;
        (
            open(self.ledger_bill(here).await),
            open(self.platform_bill(there).await),
        )
    }

    async fn closed_report(&self, currency: Currency) -> Report {
        let reports = self.tie_out().await;
        for report in &reports {
            for leg in Leg::ALL {
                assert!(
                    report.residual(leg).is_zero(),
                    "{leg:?} {:#?}",
                    report.items
                );
            }
        }
        let mut reports = reports.into_iter();
        reports.find(|one| one.currency == currency).unwrap()
    }
}

fn only(report: &Report, category: Category) -> &Item {
    let mut found = report.items.iter().filter(|one| one.category == category);
    let first = found
        .next()
        .unwrap_or_else(|| panic!("no {category}: {:#?}", report.items));
    assert_eq!(found.next(), None);
    first
}

#[tokio::test]
async fn s085_a_payment_short_by_the_terms_discount_closes_the_bill_and_is_told() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (here, there) = stage.with_discount().await;
    let offered = stage.ledger_bill(&here).await.discount.unwrap();
    assert_eq!(offered.amount, amount("2"));
    let payment = stage
        .pay(std::slice::from_ref(&there), Some("98"), "PROCESSED")
        .await;
    stage.sync_twice().await;
    let (id, posting) = stage.only_posting().await;
    assert_eq!(posting.total, amount("98"));
    assert_eq!(posting.applications[0].discount, amount("2"));
    assert_eq!(stage.left(&here, &there).await, (Amount::ZERO, amount("2")));

    let report = stage.closed_report(Currency::USD).await;
    let item = only(&report, Category::Discount);
    assert_eq!(item.amount, amount("-2"));
    assert_eq!(
        item.ledger.as_ref().unwrap().record,
        ledger(Kind::Payment, &id)
    );
    let paid = RemoteId::from(payment[0].as_str());
    assert_eq!(
        item.platform.as_ref().unwrap().record,
        platform(Kind::Payment, &paid)
    );

    // It came back: the bill is owed in full again, without the discount.
    stage
        .move_payment(&payment[0], json!({"status": "VOIDED"}))
        .await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&paid).await, "REVERSED(reversed)");
    assert_eq!(
        stage.left(&here, &there).await,
        (amount("100"), amount("100"))
    );
    let report = stage.closed_report(Currency::USD).await;
    let left = report.items.iter().map(|item| item.category);
    assert!(!left.into_iter().any(|one| one == Category::Discount));
}

#[tokio::test]
async fn s085_a_payment_short_by_anything_else_is_partial_and_nothing_differs() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (here, there) = stage.with_discount().await;
    stage
        .pay(std::slice::from_ref(&there), Some("97.99"), "PROCESSED")
        .await;
    stage.sync_twice().await;
    let rest = amount("2.01");
    assert_eq!(stage.left(&here, &there).await, (rest, rest));
    let report = stage.closed_report(Currency::USD).await;
    assert!(
        !report
            .items
            .iter()
            .any(|one| one.category == Category::Discount)
    );
}

#[tokio::test]
async fn s085_a_discount_taken_by_a_check_of_the_ledger_is_told() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (here, there) = stage.with_discount().await;
    let check = json!({"bills": [here], "number": "CHK-85", "discount": 2});
    let check = stage.enter("vendorpayment", check).await;
    stage.sync_twice().await;
    assert_eq!(stage.left(&here, &there).await, (Amount::ZERO, amount("2")));
    let report = stage.closed_report(Currency::USD).await;
    let item = only(&report, Category::Discount);
    assert_eq!(item.amount, amount("-2"));
    assert_eq!(
        item.ledger.as_ref().unwrap().record,
        ledger(Kind::Payment, &check)
    );
}

#[tokio::test]
async fn s102_a_wire_abroad_is_paid_in_the_bills_currency_and_takes_the_dollars_that_were_taken() {
    let mut stage = Stage::new().await;
    let cad: Currency = "CAD".parse().unwrap();
    let transactions = &mut stage.connection.preferences.transactions;
    transactions.currencies.push(cad);
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let fields = json!({
        "entity": vendor, "tranId": "WIRE-1", "amount": 200, "currency": "2",
        "exchangeRate": 0.5,
    });
    let here = stage.enter("vendorbill", fields).await;
    stage.sync().await;
    let there = stage.target("bills", &ledger(Kind::Bill, &here)).await;
    let there = there.unwrap().id;
    assert_eq!(stage.platform_bill(&there).await.currency, cad);
    stage
        .pay(std::slice::from_ref(&there), None, "PROCESSED")
        .await;
    stage.sync_twice().await;
    let (id, posting) = stage.only_posting().await;
    assert_eq!((posting.currency, posting.total), (cad, amount("200")));
    assert_eq!(
        stage.left(&here, &there).await,
        (Amount::ZERO, Amount::ZERO)
    );
    let payments = stage.records(Side::Platform, Kind::Payment).await;
    let funded = payments
        .iter()
        .find_map(|one| match &one.observed.document {
            tieout_domain::Document::Payment(payment) if payment.currency == cad => payment.funded,
            _ => None,
        });
    let funded = funded.unwrap();
    assert_eq!(funded.currency, Currency::USD);
    let query = format!(
        "SELECT a.account AS account, a.amount AS amount FROM transactionaccountingline a \
         WHERE a.transaction = {id} AND a.amount <> 0 ORDER BY a.transactionline"
    );
    let rows = stage.books(&query).await;
    let base: Vec<Amount> = rows
        .iter()
        .map(|row| amount(row["amount"].as_str().unwrap()))
        .collect();
    // Cash is what was taken, the bill is relieved at its own rate, and the rest is exchange.
    let exchange: Amount = [funded.amount, amount("-100")].into_iter().sum();
    assert_eq!(base, [-funded.amount, amount("100"), exchange]);
    stage.closed_report(cad).await;
}

#[tokio::test]
async fn s102_s107_a_voided_wire_leaves_nothing_on_cash_in_base_currency() {
    let mut stage = Stage::new().await;
    let cad: Currency = "CAD".parse().unwrap();
    stage
        .connection
        .preferences
        .transactions
        .currencies
        .push(cad);
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let fields = json!({
        "entity": vendor, "tranId": "WIRE-2", "amount": 200, "currency": "2",
        "exchangeRate": 0.5,
    });
    let here = stage.enter("vendorbill", fields).await;
    stage.sync().await;
    let there = stage.target("bills", &ledger(Kind::Bill, &here)).await;
    let there = there.unwrap().id;
    // Another rate than that of the ledger's list.
    stage
        .in_bill("rates", json!({"currency": "CAD", "dollars": "0.8125"}))
        .await;
    let paid = stage
        .pay(std::slice::from_ref(&there), None, "PROCESSED")
        .await;
    stage.sync_twice().await;
    let (posting, _) = stage.only_posting().await;
    stage
        .move_payment(&paid[0], json!({"status": "VOIDED"}))
        .await;
    stage.sync_twice().await;
    let record = platform(Kind::Payment, &paid[0].as_str().into());
    let state = stage.state_of("bill-payments", &record).await;
    assert_eq!(state, "REVERSED(reversed)");
    let links = stage
        .connection
        .store
        .links("bill-payments", &[record])
        .await
        .unwrap();
    let entry = links.iter().find(|link| link.role == "reversal").unwrap();
    let query = format!(
        "SELECT a.transaction AS id, a.account AS account, a.amount AS amount \
         FROM transactionaccountingline a \
         WHERE a.transaction IN ({posting}, {}) AND a.amount <> 0",
        entry.target.id
    );
    let rows = stage.books(&query).await;
    let mut left: std::collections::BTreeMap<String, Amount> = std::collections::BTreeMap::new();
    for row in &rows {
        let of_account = left.entry(row["account"].to_string()).or_default();
        *of_account = [*of_account, amount(row["amount"].as_str().unwrap())]
            .into_iter()
            .sum();
    }
    assert!(rows.len() >= 4, "{rows:?}");
    assert!(left.values().all(|left| left.is_zero()), "{rows:?}");
    assert_eq!(
        stage.left(&here, &there).await,
        (amount("200"), amount("200"))
    );
    stage.closed_report(cad).await;
}

#[tokio::test]
async fn s148_money_that_a_vendor_refunds_is_seen_in_the_tie_out() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let credit = stage.credit(&vendor, "CM-148", 30.0).await;
    stage.sync().await;
    let accounts = stage
        .books("SELECT a.id AS id, a.acctnumber AS number FROM account a")
        .await;
    let account = |number: &str| {
        let found = accounts.iter().find(|one| one["number"] == number);
        found.unwrap()["id"].clone()
    };
    let refund = json!({"lines": [
        {"account": account("1000"), "debit": 30},
        {"account": account("2000"), "credit": 30, "entity": vendor},
    ]});
    let refund = stage.enter("journalentry", refund).await;
    stage.sync().await;
    // The money has come, and is not held against the credit yet.
    let report = stage.closed_report(Currency::USD).await;
    let of = |report: &Report, record: &tieout_domain::RecordRef| {
        let items = report.items_of(Leg::Platform).cloned();
        let mut items = items.filter(|item| {
            let sides = [&item.ledger, &item.platform].into_iter().flatten();
            sides.into_iter().any(|one| one.record == *record)
        });
        items.next()
    };
    let journal = ledger(Kind::Journal, &refund);
    let item = of(&report, &journal).unwrap();
    assert_eq!(
        (item.category, item.amount),
        (Category::Excluded, amount("30"))
    );

    let lines = stage
        .books(&format!(
            "SELECT l.id AS id FROM transactionline l WHERE l.transaction = {refund} \
             AND l.entity = {vendor}"
        ))
        .await;
    let apply = json!({"apply": {"items": [
        {"doc": {"id": refund}, "line": lines[0]["id"], "apply": true, "amount": 30},
    ]}});
    stage.edit("vendorcredit", &credit, apply).await;
    stage.sync().await;
    // Used up in the ledger by money that the platform knows nothing of.
    let report = stage.closed_report(Currency::USD).await;
    assert_eq!(of(&report, &journal), None);
    let item = of(&report, &ledger(Kind::VendorCredit, &credit)).unwrap();
    assert_eq!(
        (item.category, item.amount),
        (Category::Credit, amount("30"))
    );
}

#[tokio::test]
async fn s164_a_department_of_the_head_reaches_the_lines_on_the_platform() {
    let stage = Stage::new().await;
    stage.sync().await;
    let (bill, _, vendor) = stage.an_open_bill().await;
    let lines = stage.ledger_bill(&bill).await.lines;
    let account = lines[0].account.clone().unwrap();
    let mut mapped = None;
    for one in stage.records(Side::Ledger, Kind::Department).await {
        let record = one.record();
        mapped = mapped.or(stage.target("dimensions", &record).await.map(|_| record.id));
    }
    let department = mapped.expect("a department that is on the platform");
    let fields = json!({
        "entity": vendor, "tranId": "HEAD-1", "department": department,
        "expense": {"items": [{"account": account, "amount": 25}]},
    });
    let here = stage.enter("vendorbill", fields).await;
    stage.sync().await;
    let record = ledger(Kind::Bill, &here);
    assert_eq!(stage.state_of("bills", &record).await, "DONE");
    let there = stage.target("bills", &record).await.unwrap();
    let there = stage.bill_of(&there).await;
    let expected = stage
        .target("dimensions", &ledger(Kind::Department, &department))
        .await;
    assert_eq!(there.lines[0].department, expected.map(|record| record.id));
}
