//! Checklist 7: asynchronous jobs, idempotency keys, batches.

use serde_json::json;

use crate::account::{Account, RECORDS};

const KEY: &str = "7f7f36ae-5b2a-4f7f-9f0e-0c6c3b7a9d11";

#[tokio::test]
async fn a_key_is_honoured_for_asynchronous_requests_only() {
    let account = Account::new().await;
    let body = account.bill("ASYNC", "10").await;
    let path = format!("{RECORDS}/vendorBill");
    let key = [("x-netsuite-idempotency-key", KEY)];
    let first = account
        .call_with("POST", &path, &key, body.clone())
        .await
        .id();
    let second = account
        .call_with("POST", &path, &key, body.clone())
        .await
        .id();
    assert_ne!(first, second, "a synchronous write has no idempotency");
    let later = [
        ("x-netsuite-idempotency-key", KEY),
        ("prefer", "respond-async"),
    ];
    let taken = account.call_with("POST", &path, &later, body.clone()).await;
    assert_eq!(taken.status, 202);
    let job = taken.header("location").unwrap().to_owned();
    let job = job.split_once(crate::account::HOST).unwrap().1;
    assert_eq!(
        account.call("GET", job, json!(null)).await.json()["completed"],
        true
    );
    let tasks = account
        .call("GET", &format!("{job}/task"), json!(null))
        .await
        .json();
    assert_eq!(tasks["totalResults"], 1);
    let result = account
        .call("GET", &format!("{job}/task/1/result"), json!(null))
        .await;
    result.id();
    let again = account.call_with("POST", &path, &later, body).await;
    assert_eq!(again.status, 400);
    assert_eq!(again.json()["title"], "Conflict");
    assert_eq!(again.refusal().0, "IDEMPOTENCY_ERROR");
    assert!(again.header("location").unwrap().ends_with(job));
}

#[tokio::test]
async fn a_batch_is_one_job_with_a_task_for_each_record() {
    let account = Account::new().await;
    let mut items = Vec::new();
    for number in ["B1", "B2"] {
        items.push(account.bill(number, "1").await);
    }
    items.push(json!({"entity": {"id": "99999999"}}));
    let headers = [("prefer", "respond-async")];
    let bearer = format!("Bearer {}", account.token);
    let all = [
        headers[0],
        ("authorization", bearer.as_str()),
        (
            "content-type",
            "application/vnd.oracle.resource+json; type=collection",
        ),
    ];
    let body = json!({"items": items}).to_string();
    let taken = account
        .send("POST", &format!("{RECORDS}/vendorBill"), &all, body)
        .await;
    assert_eq!(taken.status, 202);
    let job = taken
        .header("location")
        .unwrap()
        .split_once(crate::account::HOST)
        .unwrap()
        .1
        .to_owned();
    for (task, status) in [(1, 204), (2, 204), (3, 400)] {
        let result = account
            .call("GET", &format!("{job}/task/{task}/result"), json!(null))
            .await;
        assert_eq!(result.status, status, "{}", result.text);
    }
}
