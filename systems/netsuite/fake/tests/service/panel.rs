//! What a person does at the panel.

use serde_json::json;
use tieout_kit::fake::Fake;

use crate::account::Account;

#[tokio::test]
async fn a_person_pays_voids_and_deletes() {
    let account = Account::new().await;
    let made = account
        .person(
            "vendorbill",
            json!({"fields": {"vendor": account.vendor().await["id"], "subsidiary": "1",
                "number": "BY-HAND", "amount": "42.50", "date": "2026-07-02"}}),
        )
        .await;
    let bill = made["id"].as_str().unwrap();
    assert_eq!(account.unpaid(bill).await, "42.5");
    let paid = account
        .person("vendorpayment", json!({"bills": [bill], "amount": "40"}))
        .await;
    let payment = paid["id"].as_str().unwrap();
    assert_eq!(account.unpaid(bill).await, "2.5");
    account
        .person(
            &format!("vendorpayment/{payment}"),
            json!({"action": "void"}),
        )
        .await;
    assert_eq!(account.unpaid(bill).await, "42.5");
    account
        .person(
            &format!("vendorbill/{bill}"),
            json!({"action": "edit", "fields": {"memo": "seen", "amount": 41}}),
        )
        .await;
    assert_eq!(account.unpaid(bill).await, "41");
    account
        .person(&format!("vendorbill/{bill}"), json!({"action": "delete"}))
        .await;
    let gone = account
        .fake
        .control(&["vendorbill", bill], json!({"action": "approve"}))
        .await;
    assert!(gone.is_err());
}

#[tokio::test]
async fn a_person_renames_and_inactivates() {
    let account = Account::new().await;
    let id = account.vendor().await["id"].as_str().unwrap().to_owned();
    let path = format!("vendor/{id}");
    account
        .person(
            &path,
            json!({"action": "rename", "fields": {"name": "New Name Inc"}}),
        )
        .await;
    let sql = format!("SELECT companyname FROM vendor WHERE id = {id}");
    assert_eq!(account.value(&sql).await, "New Name Inc");
    account.person(&path, json!({"action": "inactivate"})).await;
    let sql = format!("SELECT isinactive FROM vendor WHERE id = {id}");
    assert_eq!(account.value(&sql).await, "T");
}

#[tokio::test]
async fn the_panel_says_what_is_wrong() {
    let account = Account::new().await;
    for (path, body) in [
        (vec!["vendorbill", "1"], json!({})),
        (vec!["vendorbill", "99999999"], json!({"action": "approve"})),
        (vec!["nothing", "1"], json!({"action": "approve"})),
        (vec!["periods", "Jul 2026"], json!({"state": "ajar"})),
        (vec!["periods", "Jul 1999"], json!({"state": "open"})),
        (vec!["features"], json!({"FLYING": true})),
        (vec!["switches"], json!({"nothing": true})),
        (vec!["limits"], json!({"concurrency": -1})),
        (vec!["role"], json!({"permissions": {"Bills": "half"}})),
        (vec!["vendorpayment"], json!({"bills": []})),
        (vec![], json!({})),
    ] {
        let error = account.fake.control(&path, body.clone()).await.unwrap_err();
        assert!(!error.message.is_empty(), "{path:?} {body}");
    }
}

#[tokio::test]
async fn the_state_adds_up() {
    let account = Account::new().await;
    let before = account.fake.state();
    let count = before["vendorbill"]["count"].as_i64().unwrap();
    assert!(count > 100, "{before}");
    let bill = account.post_bill("SUM", "10").await;
    let after = account.fake.state();
    assert_eq!(after["vendorbill"]["count"].as_i64().unwrap(), count + 1);
    let total = |state: &serde_json::Value, place: &str| -> rust_decimal::Decimal {
        state
            .pointer(place)
            .unwrap()
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let ten = rust_decimal::Decimal::TEN;
    for place in ["/vendorbill/total", "/vendorbill/open_total", "/ap/balance"] {
        assert_eq!(total(&after, place) - total(&before, place), ten, "{place}");
    }
    account
        .person("vendorpayment", json!({"bills": [bill]}))
        .await;
    let paid = account.fake.state();
    assert_eq!(
        total(&paid, "/vendorbill/open_total"),
        total(&before, "/vendorbill/open_total")
    );
    assert_eq!(total(&paid, "/ap/balance"), total(&before, "/ap/balance"));
    assert_eq!(
        total(&paid, "/vendorpayment/total") - total(&before, "/vendorpayment/total"),
        ten
    );
}
