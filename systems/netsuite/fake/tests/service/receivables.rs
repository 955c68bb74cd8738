//! Receivables: customers, invoices, credit memos, payments, refunds and deposits; and custom records.

use serde_json::{Value, json};
use tieout_kit::fake::Fake;

use crate::account::Account;

/// A customer, a service that is sold, and the account of its sales.
struct Sales {
    account: Account,
    customer: String,
    item: String,
}

impl Sales {
    async fn new() -> Self {
        let account = Account::new().await;
        let customer = json!({"companyName": "Example Buyer Co", "subsidiary": {"id": "1"},
            "externalId": "buyer-1"});
        let customer = account.record("POST", "customer", customer).await.id();
        let income = account.account("4000").await;
        let item =
            json!({"itemId": "Advice", "incomeAccount": income, "salesDescription": "By the hour"});
        let item = account.record("POST", "serviceSaleItem", item).await.id();
        Self {
            account,
            customer,
            item,
        }
    }

    async fn made(&self, record: &str, body: Value) -> String {
        self.account.record("POST", record, body).await.id()
    }

    async fn read(&self, path: &str) -> Value {
        self.account.record("GET", path, json!(null)).await.json()
    }

    async fn invoice(&self, amount: &str) -> String {
        self.sale("invoice", amount).await
    }

    async fn sale(&self, record: &str, amount: &str) -> String {
        let amount: f64 = amount.parse().unwrap();
        let body = json!({"entity": {"id": self.customer}, "tranDate": "2026-07-03",
            "item": {"items": [{"item": {"id": self.item}, "amount": amount}]}});
        self.made(record, body).await
    }

    async fn pay(&self, invoice: &str, cash: f64, applied: f64) -> String {
        let body = json!({"customer": {"id": self.customer}, "undepFunds": {"id": "T"}, "payment": cash,
            "tranDate": "2026-07-04", "checkNumber": "1001",
            "apply": {"items": [{"doc": {"id": invoice}, "apply": true, "amount": applied}]}});
        self.made("customerPayment", body).await
    }

    /// What a column of a transaction shows.
    async fn shown(&self, id: &str, column: &str) -> String {
        let sql = format!("SELECT t.{column} AS shown FROM transaction t WHERE t.id = {id}");
        let rows = self.account.rows(&sql).await;
        rows[0]["shown"].as_str().unwrap_or_default().to_owned()
    }

    /// The balance of an account, debit positive.
    async fn balance(&self, number: &str) -> String {
        self.account
            .value(&format!(
                "SELECT COALESCE(SUM(l.amount), 0) AS balance FROM transactionaccountingline l
                 JOIN account a ON a.id = l.account
                 WHERE a.acctnumber = '{number}' AND l.posting = 'T'"
            ))
            .await
    }
}

#[tokio::test]
async fn what_a_company_sells_ties_to_its_control_account() {
    let account = Account::built(
        Default::default(),
        |shape| {
            shape.customers = 40;
            shape.invoices = 150;
        },
        |chassis| chassis,
    )
    .await;
    let open = account
        .value(
            "SELECT SUM(COALESCE(l.amountunpaid, 0) - COALESCE(l.paymentamountunused, 0)) AS open
             FROM transactionaccountingline l JOIN transaction t ON t.id = l.transaction
             JOIN account a ON a.id = l.account
             WHERE a.accttype = 'AcctRec' AND t.posting = 'T' AND t.voided = 'F' AND t.currency = 1",
        )
        .await;
    let booked = account
        .value(
            "SELECT SUM(l.amount) AS booked FROM transactionaccountingline l
             JOIN account a ON a.id = l.account JOIN transaction t ON t.id = l.transaction
             WHERE a.accttype = 'AcctRec' AND l.posting = 'T' AND t.currency = 1",
        )
        .await;
    assert_eq!(open, booked);
    let unbalanced = account
        .rows(
            "SELECT l.transaction FROM transactionaccountingline l GROUP BY l.transaction
             HAVING SUM(l.amount) <> 0",
        )
        .await;
    assert!(unbalanced.is_empty(), "{unbalanced:?}");
    let statuses = account
        .rows(
            "SELECT t.type AS type, t.status AS status, COUNT(*) AS count FROM transaction t
             WHERE t.type IN ('CustInvc', 'CustCred', 'CustPymt') GROUP BY t.type, t.status",
        )
        .await;
    let has = |kind: &str, status: &str| {
        statuses
            .iter()
            .any(|row| row["type"] == kind && row["status"] == status)
    };
    for status in ["A", "B", "D", "E", "V"] {
        assert!(has("CustInvc", status), "invoice {status}: {statuses:?}");
    }
    for (kind, status) in [
        ("CustCred", "A"),
        ("CustCred", "B"),
        ("CustPymt", "B"),
        ("CustPymt", "C"),
    ] {
        assert!(has(kind, status), "{kind} {status}: {statuses:?}");
    }
    let state = account.fake.state();
    assert_eq!(state["invoice"]["count"], 150);
    assert_eq!(state["customer"]["count"], 40);
    let records = account.fake.records();
    assert_eq!(records["customers"].as_array().unwrap().len(), 40);
}

#[tokio::test]
async fn the_payables_of_a_world_are_the_same_with_receivables_and_without() {
    let without = Account::new().await;
    let with = Account::built(
        Default::default(),
        |shape| {
            shape.customers = 20;
            shape.invoices = 60;
        },
        |chassis| chassis,
    )
    .await;
    for sql in [
        "SELECT * FROM transaction t WHERE t.type LIKE 'Vend%' ORDER BY t.id",
        "SELECT * FROM vendor v ORDER BY v.id",
        "SELECT l.* FROM transactionline l JOIN transaction t ON t.id = l.transaction
         WHERE t.type LIKE 'Vend%' ORDER BY l.transaction, l.id FETCH FIRST 900 ROWS ONLY",
    ] {
        assert_eq!(without.rows(sql).await, with.rows(sql).await, "{sql}");
    }
}

#[tokio::test]
async fn what_a_customer_paid_beforehand_settles_an_invoice_and_moves_no_cash() {
    let sales = Sales::new().await;
    let invoice = sales.invoice("100").await;
    let body = json!({"invoices": [invoice], "amount": "30"});
    let made = sales.account.fake.control(&["depositapplication"], body);
    let made = made.await.unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(sales.shown(&id, "type").await, "DepAppl");
    assert_eq!(sales.shown(&invoice, "foreignamountunpaid").await, "70");
    assert_eq!(sales.balance("1099").await, "0");
    assert_eq!(sales.balance("2350").await, "30");
    let read = sales.read(&format!("depositApplication/{id}")).await;
    assert_eq!(read["applied"], 30.0);
    let path = format!("depositApplication/{id}");
    sales.account.record("DELETE", &path, json!(null)).await;
    assert_eq!(sales.shown(&invoice, "foreignamountunpaid").await, "100");
    let sql = "SELECT d.type AS type FROM deletedrecord d";
    assert_eq!(
        sales.account.rows(sql).await[0]["type"],
        "depositapplication"
    );
}

#[tokio::test]
async fn money_lies_in_undeposited_funds_until_a_deposit_takes_it() {
    let sales = Sales::new().await;
    let invoice = sales.invoice("100").await;
    let payment = sales.pay(&invoice, 100.0, 100.0).await;
    assert_eq!(sales.account.status(&payment).await, "B");
    assert_eq!(sales.balance("1099").await, "100");
    let read = sales.read(&format!("customerPayment/{payment}")).await;
    assert_eq!(read["undepFunds"]["id"], "T");
    assert_eq!(read["checkNumber"], "1001");

    let bank = sales.account.account("1000").await;
    let fees = sales.account.account("6900").await;
    let body = json!({"account": bank, "tranDate": "2026-07-06",
        "payment": {"items": [{"id": payment.parse::<i64>().unwrap(), "deposit": true}]},
        "other": {"items": [{"account": fees, "amount": -3.2, "memo": "fee"}]},
        "cashback": {"items": [{"account": fees, "amount": 1}]}});
    let deposit = sales.made("deposit", body.clone()).await;
    assert_eq!(sales.account.status(&payment).await, "C");
    assert_eq!(sales.balance("1099").await, "0");
    assert_eq!(sales.shown(&deposit, "foreigntotal").await, "95.8");
    let read = sales
        .read(&format!("deposit/{deposit}?expandSubResources=true"))
        .await;
    assert_eq!(read["payment"]["items"].as_array().unwrap().len(), 1);
    assert_eq!(read["other"]["items"][0]["amount"], -3.2);
    // Taken is taken: by a second deposit, by a void, and by a change of the amount.
    let again = sales.account.record("POST", "deposit", body).await;
    assert_eq!(again.status.as_u16(), 400);
    let delete = format!("customerPayment/{payment}");
    let refused = sales.account.record("DELETE", &delete, json!(null)).await;
    assert_eq!(refused.status.as_u16(), 400);

    let path = format!("deposit/{deposit}");
    sales.account.record("DELETE", &path, json!(null)).await;
    assert_eq!(sales.account.status(&payment).await, "B");
    assert_eq!(sales.balance("1099").await, "100");
}

#[tokio::test]
async fn a_refund_pays_back_a_credit_and_what_is_left_of_a_payment() {
    let sales = Sales::new().await;
    let invoice = sales.invoice("100").await;
    let payment = sales.pay(&invoice, 130.0, 100.0).await;
    let credit = sales.sale("creditMemo", "20").await;
    let refund = |amounts: [f64; 2]| {
        json!({"customer": {"id": sales.customer}, "tranDate": "2026-07-05",
        "apply": {"items": [
            {"doc": {"id": payment}, "apply": true, "amount": amounts[0]},
            {"doc": {"id": credit}, "apply": true, "amount": amounts[1]}]}})
    };
    let mut body = refund([25.0, 20.0]);
    body["account"] = sales.account.account("1000").await;
    let made = sales.made("customerRefund", body.clone()).await;
    assert_eq!(sales.shown(&made, "foreigntotal").await, "-45");
    assert_eq!(
        sales.shown(&payment, "foreignpaymentamountunused").await,
        "5"
    );
    assert_eq!(sales.account.status(&credit).await, "B");
    let read = sales
        .read(&format!("customerRefund/{made}?expandSubResources=true"))
        .await;
    assert_eq!(read["total"], 45.0);
    assert_eq!(
        read["apply"]["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["apply"] == true)
            .count(),
        2
    );
    let more = sales.account.record("POST", "customerRefund", body).await;
    assert_eq!(more.status.as_u16(), 400);
    // A payment that was paid back in part can still be applied anew, and not be deleted.
    let path = format!("customerPayment/{payment}");
    let moved = json!({"customer": {"id": sales.customer},
        "apply": {"items": [{"doc": {"id": invoice}, "apply": false}]}});
    sales.account.record("PATCH", &path, moved).await;
    assert_eq!(sales.account.unpaid(&invoice).await, "100");
    assert_eq!(
        sales.shown(&payment, "foreignpaymentamountunused").await,
        "105"
    );
    let refused = sales.account.record("DELETE", &path, json!(null)).await;
    assert_eq!(refused.status.as_u16(), 400);

    sales
        .account
        .person(&format!("customerrefund/{made}"), json!({"action": "void"}))
        .await;
    assert_eq!(sales.account.status(&made).await, "V");
    assert_eq!(
        sales.shown(&payment, "foreignpaymentamountunused").await,
        "130"
    );
    assert_eq!(sales.account.status(&credit).await, "A");
}

#[tokio::test]
async fn discounts_and_taxes_are_lines_with_items_of_their_own() {
    let sales = Sales::new().await;
    let income = sales.account.account("4000").await;
    let discount = sales
        .made(
            "discountItem",
            json!({"itemId": "Ten off", "account": income}),
        )
        .await;
    let tax = sales.account.account("2200").await;
    let tax = sales
        .made(
            "otherChargeSaleItem",
            json!({"itemId": "Tax", "incomeAccount": tax}),
        )
        .await;
    let body = json!({"entity": {"id": sales.customer}, "tranDate": "2026-07-03", "otherRefNum": "PO-9",
        "toBeEmailed": false,
        "item": {"items": [
            {"item": {"id": sales.item}, "quantity": 3, "rate": 10.5},
            {"item": {"id": discount}, "amount": -10},
            {"item": {"id": tax}, "amount": 2.15}]}});
    let invoice = sales.made("invoice", body).await;
    assert_eq!(sales.account.unpaid(&invoice).await, "23.65");
    let lines = sales.account.rows(&format!(
        "SELECT l.itemtype AS itemtype, l.quantity AS quantity, l.rate AS rate, l.foreignamount AS amount
         FROM transactionline l WHERE l.transaction = {invoice} AND l.mainline = 'F' ORDER BY l.id")).await;
    let column = |name: &str| -> Vec<String> {
        lines
            .iter()
            .map(|line| line[name].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(column("itemtype"), ["Service", "Discount", "OthCharge"]);
    assert_eq!(column("rate"), ["10.5", "-10", "2.15"]);
    assert_eq!(column("amount"), ["-31.5", "10", "-2.15"]);
}

#[tokio::test]
async fn an_invoice_waits_for_approval_and_is_voided() {
    let sales = Sales::new().await;
    let invoice = sales.invoice("50").await;
    let path = format!("invoice/{invoice}");
    let pending = json!({"approvalStatus": {"id": "1"}});
    sales.account.record("PATCH", &path, pending).await;
    assert_eq!(sales.account.status(&invoice).await, "D");
    let pay = json!({"customer": {"id": sales.customer}, "payment": 50, "tranDate": "2026-07-04",
        "apply": {"items": [{"doc": {"id": invoice}, "apply": true}]}});
    let early = sales.account.record("POST", "customerPayment", pay).await;
    assert_eq!(early.status.as_u16(), 400);
    sales
        .account
        .person(&path, json!({"action": "approve"}))
        .await;
    assert_eq!(sales.account.status(&invoice).await, "A");
    sales.account.person(&path, json!({"action": "void"})).await;
    assert_eq!(sales.account.status(&invoice).await, "V");
    assert_eq!(sales.account.unpaid(&invoice).await, "0");
}

#[tokio::test]
async fn a_person_sells_is_paid_and_merges_customers() {
    let sales = Sales::new().await;
    let person = |path: &str, body: Value| {
        let path = path.to_owned();
        let account = &sales.account;
        async move {
            account.person(&path, body).await["id"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        }
    };
    let other = person(
        "customer",
        json!({"fields": {"name": "Example Buyer Co.", "subsidiary": "1"}}),
    )
    .await;
    let invoice = person(
        "invoice",
        json!({"fields": {"customer": other, "number": "INV-1",
        "amount": "80", "date": "2026-07-02"}}),
    )
    .await;
    let payment = person(
        "customerpayment",
        json!({"invoices": [invoice], "amount": "100"}),
    )
    .await;
    assert_eq!(sales.account.status(&invoice).await, "B");
    assert_eq!(
        sales.shown(&payment, "foreignpaymentamountunused").await,
        "20"
    );
    person(
        &format!("customer/{other}"),
        json!({"action": "merge", "into": sales.customer}),
    )
    .await;
    assert_eq!(sales.shown(&invoice, "entity").await, sales.customer);
    let gone = sales
        .account
        .rows("SELECT d.recordid AS id FROM deletedrecord d WHERE d.type = 'customer'")
        .await;
    assert_eq!(gone[0]["id"], other.as_str());
    // An upsert by external id changes, and does not make a second one.
    let body = json!({"phone": "(212) 555-0100"});
    sales
        .account
        .record("PUT", "customer/eid:buyer-1", body)
        .await;
    let count = sales
        .account
        .value("SELECT COUNT(*) AS count FROM customer")
        .await;
    assert_eq!(count, "1");
}

#[tokio::test]
async fn an_invoice_is_paid() {
    let account = Account::new().await;
    let customer = json!({"companyName": "Example Buyer Co", "subsidiary": {"id": "1"},
        "email": "buyer@example.com"});
    let customer = account.record("POST", "customer", customer).await.id();
    let sales = json!({"acctName": "Sales", "acctNumber": "4999", "acctType": {"id": "Income"}});
    let sales = account.record("POST", "account", sales).await.id();
    let item = json!({"itemId": "Consulting hour", "incomeAccount": {"id": sales}});
    let item = account.record("POST", "serviceSaleItem", item).await.id();
    let invoice = json!({
        "entity": {"id": customer},
        "subsidiary": {"id": "1"},
        "tranDate": "2026-07-03",
        "item": {"items": [{"item": {"id": item}, "quantity": 2, "rate": 10.5}]},
    });
    let invoice = account.record("POST", "invoice", invoice).await.id();
    assert_eq!(account.unpaid(&invoice).await, "21");
    let payment = json!({
        "customer": {"id": customer},
        "account": account.account("1000").await,
        "payment": 30,
        "tranDate": "2026-07-04",
        "apply": {"items": [{"doc": {"id": invoice}, "line": 0, "apply": true, "amount": 21}]},
    });
    let payment = account
        .record("POST", "customerPayment", payment)
        .await
        .id();
    assert_eq!(account.status(&invoice).await, "B");
    let read = account
        .record("GET", &format!("customerPayment/{payment}"), json!(null))
        .await
        .json();
    assert_eq!(
        (&read["payment"], &read["unapplied"]),
        (&json!(30.0), &json!(9.0))
    );
    let read = account
        .record("GET", &format!("invoice/{invoice}"), json!(null))
        .await
        .json();
    assert_eq!(
        (&read["total"], &read["amountRemaining"]),
        (&json!(21.0), &json!(0.0))
    );
}

#[tokio::test]
async fn custom_records_need_a_type() {
    let account = Account::new().await;
    let answer = account
        .record("POST", "customrecord_nothing", json!({"name": "x"}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.refusal().0.as_str()),
        (404, "NONEXISTENT_ID")
    );
    for row in account.rows("SELECT scriptid FROM customrecordtype").await {
        let kind = row["scriptid"].as_str().unwrap().to_lowercase();
        let path = format!("{kind}/eid:one");
        let body = json!({"name": "Preferences", "custrecord_x": true});
        let id = account.record("PUT", &path, body).await.id();
        let read = account
            .record("GET", &format!("{kind}/{id}"), json!(null))
            .await
            .json();
        assert_eq!(read["custrecord_x"], true);
    }
}
