//! Checklist 5: payments, applications, journals; and the reversal that moves an application.

use serde_json::{Value, json};
use tieout_netsuite_fake::{Options, Quirks};

use crate::account::Account;

async fn payment(account: &Account, applications: Value) -> Value {
    json!({
        "entity": account.vendor().await,
        "account": account.account("1000").await,
        "apAcct": account.account("2000").await,
        "tranDate": "2026-07-12",
        "currency": {"id": "1"},
        "tranId": "5001",
        "toBePrinted": false,
        "apply": {"items": applications},
    })
}

#[tokio::test]
async fn paying_closes_the_bill_and_links_the_two() {
    let account = Account::new().await;
    let bill = account.post_bill("PAY", "100.25").await;
    let part = json!([{"doc": {"id": bill}, "apply": true, "amount": 40}]);
    let first = account
        .record("POST", "vendorPayment", payment(&account, part).await)
        .await
        .id();
    assert_eq!(account.unpaid(&bill).await, "60.25");
    assert_eq!(account.status(&bill).await, "A");
    let rest = json!([{"doc": {"id": bill}, "apply": true}]);
    let second = account
        .record("POST", "vendorPayment", payment(&account, rest).await)
        .await
        .id();
    assert_eq!(
        account.unpaid(&bill).await,
        "0",
        "no amount means all that is due"
    );
    assert_eq!(account.status(&bill).await, "B");
    let links = account
        .rows(&format!(
            "SELECT l.nextdoc payment, l.foreignamount FROM nexttransactionlinelink l \
             JOIN transaction p ON p.id = l.nextdoc WHERE l.linktype = 'Payment' \
             AND p.type = 'VendPymt' AND l.previousdoc = {bill} ORDER BY l.nextdoc"
        ))
        .await;
    let links: Vec<(String, String)> = links
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("payment"), text("foreignamount"))
        })
        .collect();
    assert_eq!(
        links,
        [
            (first.clone(), "40".to_owned()),
            (second.clone(), "60.25".to_owned())
        ]
    );
    let total = account
        .value(&format!(
            "SELECT foreigntotal FROM transaction WHERE id = {second}"
        ))
        .await;
    assert_eq!(total, "-60.25", "a payment's header total is negative");
    let read = account
        .record(
            "GET",
            &format!("vendorPayment/{second}?expandSubResources=true"),
            json!(null),
        )
        .await
        .json();
    assert_eq!(read["total"], 60.25);
    assert_eq!(read["toBePrinted"], false);
    assert_eq!(read["apply"]["items"][0]["doc"]["id"], *bill);
    account
        .record("DELETE", &format!("vendorPayment/{second}"), json!(null))
        .await;
    assert_eq!(
        account.unpaid(&bill).await,
        "60.25",
        "deleting gives the bill back"
    );
}

#[tokio::test]
async fn the_apply_list_is_an_object_of_what_can_be_paid() {
    let account = Account::new().await;
    let bill = account.post_bill("X", "100").await;
    let mut array = payment(&account, json!([])).await;
    array["apply"] = json!([{"doc": {"id": bill}, "apply": true}]);
    assert_eq!(
        account.record("POST", "vendorPayment", array).await.status,
        400
    );
    let over = json!([{"doc": {"id": bill}, "apply": true, "amount": 100.01}]);
    let over = account
        .record("POST", "vendorPayment", payment(&account, over).await)
        .await;
    assert_eq!(over.status, 400, "{}", over.text);
    let all = json!([{"doc": {"id": bill}, "apply": true, "amount": 100}]);
    account
        .record(
            "POST",
            "vendorPayment",
            payment(&account, all.clone()).await,
        )
        .await
        .id();
    let again = account
        .record("POST", "vendorPayment", payment(&account, all).await)
        .await;
    assert!(
        again
            .refusal()
            .1
            .contains("Unable to find a matching line for sub-list apply with key"),
        "{}",
        again.text
    );
    let open = account.post_bill("Y", "5").await;
    let apply = json!([{"doc": {"id": open}, "apply": true}]);
    let mut other = payment(&account, apply.clone()).await;
    other["apAcct"] = account.account("1100").await;
    assert_eq!(
        account.record("POST", "vendorPayment", other).await.status,
        400,
        "other A/P account"
    );
    let mut other = payment(&account, apply).await;
    let vendor = account.vendor().await["id"].as_str().unwrap().to_owned();
    other["entity"] = json!({"id": account.value(&format!(
        "SELECT id FROM vendor WHERE id <> {vendor} AND isinactive = 'F' ORDER BY id")).await});
    assert_eq!(
        account.record("POST", "vendorPayment", other).await.status,
        400,
        "other vendor"
    );
    assert_eq!(account.unpaid(&open).await, "5");
    let none = account
        .record("POST", "vendorPayment", payment(&account, json!([])).await)
        .await;
    assert_eq!(none.status, 400);
}

#[tokio::test]
async fn a_pending_bill_is_paid_by_nobody() {
    let account = Account::new().await;
    let mut body = account.bill("WAIT", "10").await;
    body["approvalStatus"] = json!({"id": "1"});
    let bill = account.record("POST", "vendorBill", body).await.id();
    assert_eq!(account.status(&bill).await, "D");
    let apply = json!([{"doc": {"id": bill}, "apply": true}]);
    let body = payment(&account, apply).await;
    assert_eq!(
        account
            .record("POST", "vendorPayment", body.clone())
            .await
            .status,
        400
    );
    account
        .person(&format!("vendorbill/{bill}"), json!({"action": "approve"}))
        .await;
    assert_eq!(account.status(&bill).await, "A");
    account.record("POST", "vendorPayment", body).await.id();
}

/// The reversal of a returned payment: a journal line takes the bill's place in the application.
#[tokio::test]
async fn an_application_moves_from_a_bill_to_a_journal_line() {
    let account = Account::new().await;
    let bill = account.post_bill("BACK", "75.5").await;
    let apply = json!([{"doc": {"id": bill}, "apply": true, "amount": 75.5}]);
    let paid = account
        .record("POST", "vendorPayment", payment(&account, apply).await)
        .await
        .id();
    assert_eq!(account.status(&bill).await, "B");
    let journal = json!({
        "subsidiary": {"id": "1"},
        "tranDate": "2026-07-14",
        "externalId": "bill_org_pay_rev",
        "approved": true,
        "line": {"items": [
            {"account": account.account("1000").await, "debit": 75.5},
            {"account": account.account("2000").await, "credit": 75.5, "entity": account.vendor().await},
        ]},
    });
    let journal = account
        .record("PUT", "journalEntry/eid:bill_org_pay_rev", journal)
        .await
        .id();
    let read = account
        .record(
            "GET",
            &format!("journalEntry/{journal}?expandSubResources=true"),
            json!(null),
        )
        .await
        .json();
    let line = read["line"]["items"][1]["line"].clone();
    let moved = json!({"apply": {"items": [
        {"doc": {"id": bill}, "apply": false},
        {"doc": {"id": journal}, "line": line, "apply": true, "amount": 75.5},
    ]}});
    let answer = account
        .record("PATCH", &format!("vendorPayment/{paid}"), moved)
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(account.unpaid(&bill).await, "75.5");
    assert_eq!(account.status(&bill).await, "A");
    let links = account
        .rows(&format!(
            "SELECT previousdoc FROM nexttransactionlinelink WHERE nextdoc = {paid}"
        ))
        .await;
    assert_eq!(links.len(), 1);
    assert_eq!(links[0]["previousdoc"], *journal);
}

#[tokio::test]
async fn some_accounts_refuse_to_apply_to_journals() {
    let quirks = Quirks {
        apply_to_journal_lines: false,
        ..Quirks::default()
    };
    let account = Account::with(Options {
        quirks,
        ..Options::default()
    })
    .await;
    let apply = json!([{"doc": {"id": "77"}, "line": 2, "apply": true, "amount": 1}]);
    let answer = account
        .record("POST", "vendorPayment", payment(&account, apply).await)
        .await;
    assert!(answer.refusal().1.contains("[77,2]"), "{}", answer.text);
}

#[tokio::test]
async fn a_credit_is_applied_and_taken_back() {
    let account = Account::new().await;
    let bill = account.post_bill("CR", "50").await;
    let mut credit = account.bill("CM-1", "20").await;
    credit["apply"] = json!({"items": [{"doc": {"id": bill}, "apply": true, "amount": 15}]});
    let credit = account.record("POST", "vendorCredit", credit).await.id();
    assert_eq!(account.unpaid(&bill).await, "35");
    let none = json!({"apply": {"items": [{"doc": {"id": bill}, "apply": false}]}});
    let path = format!("vendorCredit/{credit}");
    assert_eq!(account.record("PATCH", &path, none).await.status, 204);
    assert_eq!(account.unpaid(&bill).await, "50");
    let mut with_credit = payment(
        &account,
        json!([{"doc": {"id": bill}, "apply": true, "amount": 50}]),
    )
    .await;
    with_credit["credit"] =
        json!({"items": [{"doc": {"id": credit}, "apply": true, "amount": 20}]});
    let paid = account
        .record("POST", "vendorPayment", with_credit)
        .await
        .id();
    assert_eq!(account.unpaid(&bill).await, "0");
    let total = account
        .value(&format!(
            "SELECT foreigntotal FROM transaction WHERE id = {paid}"
        ))
        .await;
    assert_eq!(total, "-30");
}

#[tokio::test]
async fn a_bill_becomes_a_payment() {
    let account = Account::new().await;
    let bill = account.post_bill("TR", "12.34").await;
    let body = json!({"account": account.account("1000").await, "externalId": "tr_1"});
    let path = format!("vendorBill/{bill}/!transform/vendorPayment");
    let paid = account.record("POST", &path, body).await.id();
    assert_eq!(account.status(&bill).await, "B");
    let read = account
        .record("GET", "vendorPayment/eid:tr_1", json!(null))
        .await
        .json();
    assert_eq!(read["id"], *paid);
    assert_eq!(read["total"], 12.34);
    let confirm = account
        .record("POST", &format!("vendorPayment/{paid}/@confirm"), json!({}))
        .await;
    assert_eq!(confirm.json(), json!({"links": [], "result": true}));
    let unknown = account
        .record("POST", &format!("vendorPayment/{paid}/@explode"), json!({}))
        .await;
    assert_eq!(
        unknown.json()["o:errorCode"],
        "INVALID_URL",
        "the flat body"
    );
    assert_eq!(
        account
            .record("POST", &path.replace("vendorPayment", "invoice"), json!({}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_journal_balances_and_its_lines_have_keys() {
    let account = Account::new().await;
    let lines = |debit: f64| {
        json!({"items": [
            {"account": {"id": "1"}, "debit": debit},
            {"account": {"id": "2"}, "credit": 10},
        ]})
    };
    let mut body =
        json!({"subsidiary": {"id": "1"}, "tranDate": "2026-07-01", "line": lines(9.99)});
    for (index, number) in ["1000", "1090"].into_iter().enumerate() {
        body["line"]["items"][index]["account"] = account.account(number).await;
    }
    let answer = account.record("POST", "journalEntry", body.clone()).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    body["line"]["items"][0]["debit"] = json!(10);
    let id = account.record("POST", "journalEntry", body).await.id();
    let change = json!({"line": {"items": [{"line": 1, "memo": "first"}]}});
    assert_eq!(
        account
            .record("PATCH", &format!("journalEntry/{id}"), change)
            .await
            .status,
        204
    );
    let read = account
        .record(
            "GET",
            &format!("journalEntry/{id}?expandSubResources=true"),
            json!(null),
        )
        .await
        .json();
    assert_eq!(read["line"]["totalResults"], 2, "merged by its key");
    assert_eq!(read["line"]["items"][0]["memo"], "first");
}
