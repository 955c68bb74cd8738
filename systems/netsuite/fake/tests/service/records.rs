//! Checklist 5 to 7: the record service.

use serde_json::{Value, json};
use tieout_netsuite_fake::{Options, Quirks};

use crate::account::{Account, RECORDS};

#[tokio::test]
async fn a_bill_is_created_read_and_found_by_query() {
    let account = Account::new().await;
    let answer = account
        .record("POST", "vendorBill", account.bill("INV-77", "100.25").await)
        .await;
    assert_eq!(answer.status, 204);
    assert!(answer.text.is_empty());
    let id = answer.id();
    let read = account
        .record(
            "GET",
            &format!("vendorbill/{id}?expandSubResources=true"),
            json!(null),
        )
        .await;
    assert_eq!(read.status, 200);
    assert!(read.text.contains("\"amount\":100.25"), "{}", read.text);
    let bill = read.json();
    assert_eq!(bill["tranId"], "INV-77");
    assert_eq!(bill["tranDate"], "2026-07-10");
    assert_eq!(bill["status"]["id"], "A");
    assert_eq!(bill["approvalStatus"]["id"], "2");
    assert_eq!(bill["status"]["links"], json!([]));
    assert_eq!(bill["expense"]["totalResults"], 1);
    assert!(bill["entity"]["refName"].is_string());
    assert_eq!(bill["lastModifiedDate"], "2026-07-15T16:00:00Z");
    let bare = account
        .record("GET", &format!("vendorBill/{id}"), json!(null))
        .await
        .json();
    assert!(
        bare["expense"]["links"][0]["href"]
            .as_str()
            .unwrap()
            .ends_with("/expense")
    );
    assert_eq!(account.unpaid(&id).await, "100.25");
    assert_eq!(account.status(&id).await, "A");
    let only = account
        .record(
            "GET",
            &format!("vendorBill/{id}?fields=tranId"),
            json!(null),
        )
        .await
        .json();
    assert_eq!(only.get("memo"), None);
    assert_eq!(only["tranId"], "INV-77");
}

#[tokio::test]
async fn cents_survive() {
    let account = Account::new().await;
    let id = account.post_bill("BIG", "12345678901.23").await;
    let read = account
        .record("GET", &format!("vendorBill/{id}"), json!(null))
        .await;
    assert!(
        read.text.contains("\"total\":12345678901.23"),
        "{}",
        read.text
    );
    assert_eq!(account.unpaid(&id).await, "12345678901.23");
}

#[tokio::test]
async fn an_upsert_creates_once() {
    let account = Account::new().await;
    let body = account.bill("UP-1", "10").await;
    let first = account
        .record("PUT", "vendorBill/eid:bill_1", body.clone())
        .await
        .id();
    let second = account
        .record("PUT", "vendorBill/eid:BILL_1?replace=expense", body.clone())
        .await
        .id();
    assert_eq!(first, second, "external ids are compared without case");
    assert_eq!(account.unpaid(&first).await, "10");
    assert_eq!(
        account
            .record("GET", "vendorBill/eid:bill_1", json!(null))
            .await
            .json()["id"],
        *first
    );
    account
        .person("switches", json!({"put_location": false}))
        .await;
    let quiet = account
        .record("PUT", "vendorBill/eid:bill_1?replace=expense", body.clone())
        .await;
    assert_eq!(
        (quiet.status.as_u16(), quiet.header("location")),
        (204, None)
    );
    assert_eq!(
        account.record("PUT", "vendorBill/5", body).await.status,
        400
    );
}

#[tokio::test]
async fn an_external_id_is_used_once() {
    let account = Account::new().await;
    let mut body = account.bill("A", "10").await;
    body["externalId"] = json!("twice");
    account
        .record("POST", "vendorBill", body.clone())
        .await
        .id();
    let (code, detail) = account.record("POST", "vendorBill", body).await.refusal();
    assert_eq!(
        (code.as_str(), detail.as_str()),
        ("USER_ERROR", "This record already exists")
    );
    let vendor = json!({"companyName": "Invented Twice Ltd", "subsidiary": {"id": "1"}});
    account.record("POST", "vendor", vendor.clone()).await.id();
    let (_, detail) = account.record("POST", "vendor", vendor).await.refusal();
    assert_eq!(detail, "This entity already exists.");
}

/// The default: a mistyped name is dropped, and only a header says so.
#[tokio::test]
async fn s252_a_misspelt_field_is_dropped_unless_errors_are_asked_for() {
    let account = Account::new().await;
    let mut body = account.bill("TYPO", "10").await;
    body["exchangerate"] = json!(2);
    let answer = account.record("POST", "vendorBill", body.clone()).await;
    assert_eq!(answer.status, 204);
    assert!(
        answer
            .header("x-netsuite-warning")
            .unwrap()
            .contains("exchangerate")
    );
    let path = format!("{RECORDS}/vendorBill");
    let strict = [("x-netsuite-propertynamevalidation", "Error")];
    let (code, _) = account
        .call_with("POST", &path, &strict, body.clone())
        .await
        .refusal();
    assert_eq!(code, "NONEXISTENT_FIELD");
    let silent = [("x-netsuite-propertynamevalidation", "Ignore")];
    let answer = account
        .call_with("POST", &path, &silent, body.clone())
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-netsuite-warning")),
        (204, None)
    );
    let mut body = account.bill("TYPO", "10").await;
    body["expense"]["items"][0]["dept"] = json!({"id": "1"});
    assert_eq!(
        account.call_with("POST", &path, &strict, body).await.status,
        400
    );
}

#[tokio::test]
async fn a_change_appends_to_a_list_without_a_key() {
    let account = Account::new().await;
    let id = account.post_bill("LINES", "10").await;
    let line = json!({"expense": {"items": [{"account": account.expense().await, "amount": 5}]}});
    let path = format!("vendorBill/{id}");
    assert_eq!(
        account.record("PATCH", &path, line.clone()).await.status,
        204
    );
    assert_eq!(account.unpaid(&id).await, "15", "appended");
    assert_eq!(
        account
            .record("PATCH", &format!("{path}?replace=expense"), line)
            .await
            .status,
        204
    );
    assert_eq!(account.unpaid(&id).await, "5", "replaced");
    account
        .record("PATCH", &path, json!({"memo": "kept"}))
        .await;
    let bill = account.record("GET", &path, json!(null)).await.json();
    assert_eq!(
        (&bill["memo"], &bill["tranId"]),
        (&json!("kept"), &json!("LINES"))
    );
    account.record("PATCH", &path, json!({"memo": null})).await;
    assert_eq!(
        account
            .record("GET", &path, json!(null))
            .await
            .json()
            .get("memo"),
        None
    );
}

#[tokio::test]
async fn what_is_missing_is_told_apart() {
    let account = Account::new().await;
    let entity = account.record("GET", "vendor/99999999", json!(null)).await;
    assert_eq!(
        (entity.status.as_u16(), entity.refusal().0.as_str()),
        (404, "NONEXISTENT_ID")
    );
    let transaction = account
        .record("GET", "vendorBill/99999999", json!(null))
        .await;
    assert_eq!(transaction.status, 400);
    assert_eq!(
        transaction.refusal().1,
        "Error while accessing a resource. Transaction type specified is incorrect."
    );
    let kind = account.record("GET", "file", json!(null)).await;
    assert_eq!(kind.status, 404);
    assert_eq!(kind.refusal().1, "Record type 'file' does not exist.");
    let mut body = account.bill("REF", "1").await;
    body["entity"] = json!({"id": "99999999"});
    let wrong = account.record("POST", "vendorBill", body).await;
    assert_eq!(wrong.status, 400, "{}", wrong.text);
    assert!(wrong.refusal().1.contains("99999999"));
}

#[tokio::test]
async fn closed_and_locked_periods_refuse() {
    let account = Account::new().await;
    for state in ["closed", "locked"] {
        account
            .person("periods/Jul 2026", json!({"state": state}))
            .await;
        let answer = account
            .record("POST", "vendorBill", account.bill("P", "1").await)
            .await;
        let (code, detail) = answer.refusal();
        assert_eq!(code, "USER_ERROR", "{state}");
        assert!(
            detail.contains("not within the date range of your accounting period"),
            "{detail}"
        );
    }
    account
        .person("periods/Jul 2026", json!({"state": "open"}))
        .await;
    account.post_bill("P", "1").await;
}

#[tokio::test]
async fn a_deleted_record_leaves_a_trace() {
    let account = Account::new().await;
    let id = account.post_bill("GONE", "1").await;
    assert_eq!(
        account
            .record("DELETE", &format!("vendorBill/{id}"), json!(null))
            .await
            .status,
        204
    );
    assert_eq!(
        account
            .record("GET", &format!("vendorBill/{id}"), json!(null))
            .await
            .status,
        400
    );
    let traces = account
        .rows(&format!(
            "SELECT recordid, type FROM deletedrecord WHERE recordid = {id}"
        ))
        .await;
    assert_eq!(traces.len(), 1);
}

#[tokio::test]
async fn lists_hold_ids_alone_in_no_order() {
    let account = Account::new().await;
    let answer = account
        .record("GET", "vendorBill?limit=5&offset=5", json!(null))
        .await
        .json();
    assert_eq!(answer["count"], 5);
    let items = answer["items"].as_array().unwrap();
    for item in items {
        assert_eq!(item.as_object().unwrap().len(), 2);
        let href = item["links"][0]["href"].as_str().unwrap();
        assert!(href.contains("/vendorbill/"), "{href}");
    }
    let ids: Vec<i64> = items
        .iter()
        .map(|item| item["id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(!ids.is_sorted());
    let found = account
        .record("GET", "account?q=acctNumber%20IS%20%222000%22", json!(null))
        .await
        .json();
    assert_eq!(found["totalResults"], 1);
    let unknown = account
        .record("GET", "vendor?q=nothing%20IS%20%22x%22", json!(null))
        .await;
    assert_eq!(unknown.refusal().0, "NONEXISTENT_FIELD");
    let hidden = account
        .record(
            "GET",
            "vendor?q=lastModifiedDate%20AFTER%20%221/1/2026%22",
            json!(null),
        )
        .await;
    assert_eq!(
        hidden.refusal().0,
        "NONEXISTENT_FIELD",
        "listed, yet not filterable"
    );
    let dated = account
        .record(
            "GET",
            "vendorBill?q=tranDate%20ON_OR_AFTER%20%221/1/2026%22",
            json!(null),
        )
        .await;
    assert_eq!(dated.status, 200, "{}", dated.text);
}

#[tokio::test]
async fn a_mandatory_department_is_asked_for() {
    let quirks = Quirks {
        mandatory_department: true,
        ..Quirks::default()
    };
    let account = Account::with(Options {
        quirks,
        ..Options::default()
    })
    .await;
    let mut body = account.bill("D", "1").await;
    let (_, detail) = account
        .record("POST", "vendorBill", body.clone())
        .await
        .refusal();
    assert_eq!(detail, "Please enter value(s) for: Department");
    let department = account
        .value("SELECT id FROM department WHERE isinactive = 'F' ORDER BY id")
        .await;
    body["expense"]["items"][0]["department"] = json!({"id": department});
    account.record("POST", "vendorBill", body).await.id();
}

#[tokio::test]
async fn a_vendor_has_an_address_book_with_keys() {
    let account = Account::new().await;
    let body = json!({
        "companyName": "Ädler & Söhne GmbH",
        "email": "ap@example.com",
        "subsidiary": {"id": "1"},
        "externalId": "vend_1",
        "addressBook": {"items": [{"defaultBilling": true, "addressBookAddress":
            {"addr1": "1 Main St", "city": "Springfield", "state": "IL", "zip": "62701", "country": {"id": "US"}}}]},
    });
    let id = account.record("POST", "vendor", body).await.id();
    let path = format!("vendor/{id}?expandSubResources=true");
    let vendor = account.record("GET", &path, json!(null)).await.json();
    assert_eq!(vendor["companyName"], "Ädler & Söhne GmbH");
    assert_eq!(vendor["isInactive"], false);
    let entry = &vendor["addressBook"]["items"][0];
    assert!(entry["id"].is_i64(), "a number beside string ids: {entry}");
    assert_eq!(entry["addressBookAddress"]["city"], "Springfield");
    let change = json!({"addressBook": {"items": [
        {"id": entry["id"], "addressBookAddress": {"city": "Shelbyville"}}]}});
    assert_eq!(
        account
            .record("PATCH", &format!("vendor/{id}"), change)
            .await
            .status,
        204
    );
    let vendor = account.record("GET", &path, json!(null)).await.json();
    assert_eq!(
        vendor["addressBook"]["totalResults"], 1,
        "merged by its key"
    );
    assert_eq!(
        vendor["addressBook"]["items"][0]["addressBookAddress"]["city"],
        "Shelbyville"
    );
    assert_eq!(
        vendor["addressBook"]["items"][0]["addressBookAddress"]["zip"],
        "62701"
    );
    let found = account
        .value("SELECT id FROM vendor WHERE externalid = 'vend_1'")
        .await;
    assert_eq!(found, id);
    let body = json!({"entity": {"externalId": "vend_1"}, "subsidiary": {"id": "1"}, "expense":
        {"items": [{"account": account.expense().await, "amount": 3}]}});
    account.record("POST", "vendorBill", body).await.id();
}

#[tokio::test]
async fn somebody_else_changed_it_first() {
    let account = Account::new().await;
    let id = account.post_bill("RACE", "1").await;
    account
        .person(&format!("vendorbill/{id}"), json!({"action": "conflict"}))
        .await;
    let path = format!("vendorBill/{id}");
    let (code, _) = account
        .record("PATCH", &path, json!({"memo": "x"}))
        .await
        .refusal();
    assert_eq!(code, "RCRD_HAS_BEEN_CHANGED");
    assert_eq!(
        account
            .record("PATCH", &path, json!({"memo": "x"}))
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn dimensions_accounts_and_metadata() {
    let account = Account::new().await;
    let id = account
        .record(
            "POST",
            "department",
            json!({"name": "Night shift", "parent": {"id": "1"}}),
        )
        .await
        .id();
    let full = account
        .value(&format!("SELECT fullname FROM department WHERE id = {id}"))
        .await;
    assert!(full.ends_with(" : Night shift"), "{full}");
    let account_id = account
        .record(
            "POST",
            "account",
            json!({"acctName": "Snacks", "acctNumber": "6999", "acctType": {"id": "Expense"}}),
        )
        .await
        .id();
    let read = account
        .record("GET", &format!("account/{account_id}"), json!(null))
        .await
        .json();
    assert_eq!(
        (&read["acctNumber"], &read["acctType"]["id"]),
        (&json!("6999"), &json!("Expense"))
    );
    let path = format!("{RECORDS}/metadata-catalog?select=vendorBill,vendor");
    let accept = [("accept", "application/swagger+json")];
    let catalogue = account
        .call_with("GET", &path, &accept, Value::Null)
        .await
        .json();
    assert!(
        catalogue["info"]["description"]
            .as_str()
            .unwrap()
            .contains("1234567_SB1")
    );
    assert!(catalogue["components"]["schemas"]["vendorBill"]["properties"]["entity"].is_object());
    let list = account
        .record("GET", "metadata-catalog", json!(null))
        .await
        .json();
    assert!(list["items"].as_array().unwrap().len() > 15);
}

#[tokio::test]
async fn a_read_only_role_reads_by_query_alone() {
    let account = Account::new().await;
    let body = json!({"action": "role", "role": "read-only"});
    use tieout_kit::fake::Fake;
    account
        .fake
        .credential("netsuite-m2m", &body)
        .unwrap()
        .unwrap();
    assert_eq!(account.ask("SELECT id FROM vendor").await.status, 200);
    assert_eq!(
        account.record("GET", "vendor", json!(null)).await.status,
        403,
        "records open in edit mode"
    );
}
