//! Checklist 1 to 3: the SuiteQL endpoint.

use serde_json::{Value, json};
use tieout_netsuite_fake::Options;

use crate::account::Account;

const SUITEQL: &str = "/services/rest/query/v1/suiteql";

async fn page(account: &Account, page: &str, sql: &str) -> crate::account::Answer {
    let headers = [("prefer", "transient")];
    account
        .call_with(
            "POST",
            &format!("{SUITEQL}{page}"),
            &headers,
            json!({"q": sql}),
        )
        .await
}

#[tokio::test]
async fn the_preference_is_mandatory() {
    let account = Account::new().await;
    let body = json!({"q": "SELECT id FROM vendor"});
    let answer = account.call("POST", SUITEQL, body).await;
    assert_eq!(answer.status, 400);
    assert!(answer.refusal().1.contains("Prefer"));
    assert_eq!(account.call("GET", SUITEQL, json!(null)).await.status, 405);
}

#[tokio::test]
async fn pages_have_bounds() {
    let account = Account::new().await;
    let sql = "SELECT id FROM vendor ORDER BY id";
    for bad in [
        "?limit=1001",
        "?limit=0",
        "?limit=ten",
        "?limit=10&offset=5",
        "?limit=10&offset=10000",
        "?limit=1000&offset=100000",
        "?offset=-1000",
    ] {
        let answer = page(&account, bad, sql).await;
        assert_eq!(answer.status, 400, "{bad}");
        assert_eq!(answer.refusal().0, "INVALID_PARAMETER", "{bad}");
    }
    for good in [
        "?limit=10&offset=9990",
        "?limit=1000&offset=99000",
        "?limit=7&offset=7",
    ] {
        assert_eq!(page(&account, good, sql).await.status, 200, "{good}");
    }
}

#[tokio::test]
async fn a_page_looks_like_the_services() {
    let account = Account::new().await;
    let answer = page(
        &account,
        "?limit=7&offset=7",
        "SELECT ID, email Mail FROM Vendor ORDER BY id",
    )
    .await;
    assert_eq!(answer.header("preference-applied"), Some("transient"));
    assert!(answer.header("x-n-operationid").is_some());
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .contains("type=collection")
    );
    let body = answer.json();
    assert_eq!((&body["count"], &body["offset"]), (&json!(7), &json!(7)));
    assert_eq!(body["hasMore"], true);
    let total = body["totalResults"].as_u64().unwrap();
    let rels: Vec<&str> = body["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["rel"].as_str().unwrap())
        .collect();
    assert_eq!(rels, ["previous", "first", "next", "last", "self"]);
    let last = body["links"][3]["href"].as_str().unwrap();
    let wrong = (total.div_ceil(7) - 1) / 7 * 7;
    assert!(last.ends_with(&format!("offset={wrong}")), "{last}");
    for row in body["items"].as_array().unwrap() {
        let row = row.as_object().unwrap();
        assert_eq!(row["links"], json!([]));
        assert!(row["id"].is_string());
        assert!(row.keys().all(|key| key.to_lowercase() == *key));
        assert!(
            row.values().all(|value| !value.is_null()),
            "nulls are left out"
        );
    }
    let single = page(&account, "", "SELECT COUNT(*) AS n FROM vendor")
        .await
        .json();
    assert_eq!(single["links"].as_array().unwrap().len(), 1);
    assert!(single["items"][0]["n"].is_string());
}

#[tokio::test]
async fn parameters_are_bound() {
    let account = Account::new().await;
    let headers = [("prefer", "transient")];
    let body =
        json!({"q": "SELECT acctnumber FROM account WHERE acctnumber = ?", "params": ["1000"]});
    let answer = account.call_with("POST", SUITEQL, &headers, body).await;
    assert_eq!(answer.json()["items"][0]["acctnumber"], "1000");
}

#[tokio::test]
async fn a_single_subsidiary_account_knows_no_subsidiary() {
    let account = Account::built(
        Options::default(),
        |shape| shape.one_world = false,
        |chassis| chassis,
    )
    .await;
    assert_eq!(account.described.get("subsidiary"), None);
    let answer = account
        .ask("SELECT subsidiary FROM transaction FETCH FIRST 1 ROWS ONLY")
        .await;
    assert_eq!(answer.status, 400);
    let (code, detail) = answer.refusal();
    assert_eq!(code, "INVALID_PARAMETER");
    assert!(
        detail.contains("Unknown identifier 'subsidiary'"),
        "{detail}"
    );
    assert_eq!(answer.json()["o:errorDetails"][0]["o:errorQueryParam"], "q");
    assert_eq!(
        account
            .record("GET", "subsidiary", json!(null))
            .await
            .status,
        404
    );
    let body = json!({"companyName": "Only One", "subsidiary": {"id": "1"}});
    let strict = [("x-netsuite-propertynamevalidation", "Error")];
    let path = format!("{}/vendor", crate::account::RECORDS);
    let answer = account.call_with("POST", &path, &strict, body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.refusal().0.as_str()),
        (400, "NONEXISTENT_FIELD")
    );
}

#[tokio::test]
async fn features_and_role_hide_columns_and_tables() {
    let account = Account::new().await;
    let sql = "SELECT department FROM transactionline FETCH FIRST 1 ROWS ONLY";
    assert_eq!(account.ask(sql).await.status, 200);
    account
        .person("features", json!({"DEPARTMENTS": false}))
        .await;
    let (code, detail) = account.ask(sql).await.refusal();
    assert_eq!(code, "INVALID_PARAMETER");
    assert!(detail.contains("department"), "{detail}");
    account
        .person("features", json!({"DEPARTMENTS": true}))
        .await;
    assert_eq!(account.ask(sql).await.status, 200);
    account
        .person("features", json!({"RESTWEBSERVICES": false}))
        .await;
    assert_eq!(account.ask(sql).await.status, 403);
    account
        .person("features", json!({"RESTWEBSERVICES": true}))
        .await;
    account
        .person("role", json!({"hide": {"columns": ["transaction.memo"]}}))
        .await;
    assert_eq!(
        account.ask("SELECT memo FROM transaction").await.status,
        400
    );
    account
        .person("role", json!({"permissions": {"Vendors": "none"}}))
        .await;
    let (_, detail) = account.ask("SELECT id FROM vendor").await.refusal();
    assert!(detail.contains("Record 'vendor' was not found"), "{detail}");
    account.person("role", json!({"restore": true})).await;
    assert_eq!(
        account.ask("SELECT id, memo FROM transaction").await.status,
        200
    );
}

#[tokio::test]
async fn bad_queries_are_refused() {
    let account = Account::new().await;
    for sql in [
        "SELECT id FROM vendor LIMIT 5",
        "SELECT nothing FROM vendor",
        "DELETE FROM vendor",
        "SELECT id FROM nowhere",
        "",
    ] {
        let answer = account.ask(sql).await;
        assert_eq!(answer.status, 400, "{sql}: {}", answer.text);
    }
    let headers = [("prefer", "transient")];
    for body in [
        json!([]),
        json!({}),
        json!({"q": 5}),
        json!({"q": "SELECT 1", "params": "x"}),
    ] {
        let answer = account
            .call_with("POST", SUITEQL, &headers, body.clone())
            .await;
        assert!(answer.status.as_u16() == 400, "{body}: {}", answer.text);
    }
    let answer = account
        .call_with(
            "POST",
            SUITEQL,
            &[("prefer", "transient"), ("x", "y")],
            Value::Null,
        )
        .await;
    assert_eq!(answer.status, 400);
}

/// Checklist 8: the session's zone isn't UTC, and it has daylight saving.
#[tokio::test]
async fn the_session_has_a_zone() {
    let mut account = Account::new().await;
    let now = "SELECT TO_CHAR(CURRENT_TIMESTAMP, 'YYYY-MM-DD HH24:MI') FROM DUAL";
    assert_eq!(account.value(now).await, "2026-07-15 09:00");
    account.clock.set("2026-12-15T16:00:00Z".parse().unwrap());
    account.sign_in().await;
    assert_eq!(account.value(now).await, "2026-12-15 08:00");
}
