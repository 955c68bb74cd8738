//! Pages, cursors, filters, and lists that lag.

use serde_json::{Value, json};

use crate::stage::Stage;

async fn five(stage: &Stage) -> Vec<String> {
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(stage.customer().await);
        stage.advance("1m").await;
    }
    made
}

#[tokio::test]
async fn pages_follow_each_other_by_cursors_both_ways() {
    let stage = Stage::new().await;
    let all = five(&stage).await;
    let first = stage.get("/customers?limit=2").await;
    assert_eq!(first.ids(), all[..2]);
    assert_eq!(first.body["has_next_page"], true);
    assert_eq!(first.body["has_previous_page"], false);
    let cursor = |page: &Value, name: &str| page[name].as_str().unwrap().to_owned();
    let end = cursor(&first.body, "end_cursor");
    let second = stage.get(&format!("/customers?limit=2&after={end}")).await;
    assert_eq!(second.ids(), all[2..4]);
    assert_eq!(second.body["has_previous_page"], true);
    let end = cursor(&second.body, "end_cursor");
    let last = stage.get(&format!("/customers?limit=2&after={end}")).await;
    assert_eq!(last.ids(), all[4..]);
    assert_eq!(last.body["has_next_page"], false);
    let start = cursor(&last.body, "start_cursor");
    let back = stage
        .get(&format!("/customers?limit=2&before={start}"))
        .await;
    assert_eq!(back.ids(), all[2..4]);
    let end = cursor(&last.body, "end_cursor");
    let beyond = stage.get(&format!("/customers?after={end}")).await;
    assert!(beyond.ids().is_empty());
    assert_eq!(beyond.body["end_cursor"], Value::Null);
    assert_eq!(beyond.body["start_cursor"], Value::Null);
    assert_eq!(stage.get("/customers?after=x").await.status, 400);
    assert_eq!(stage.get("/customers?limit=0").await.status, 400);
}

#[tokio::test]
async fn nothing_is_shown_twice_because_something_was_made_meanwhile() {
    for newest_first in [false, true] {
        let stage = Stage::new().await;
        stage.switch("newest_first", newest_first).await;
        let mut all = five(&stage).await;
        if newest_first {
            all.reverse();
        }
        let first = stage.get("/customers?limit=3").await;
        assert_eq!(first.ids(), all[..3]);
        let new = stage.customer().await;
        let end = first.body["end_cursor"].as_str().unwrap();
        let rest = stage.get(&format!("/customers?after={end}")).await.ids();
        let mut expected = all[3..].to_vec();
        if !newest_first {
            expected.push(new);
        }
        assert_eq!(rest, expected);
    }
}

#[tokio::test]
async fn a_page_has_a_hundred_objects_at_most() {
    let stage = Stage::new().await;
    for _ in 0..101 {
        stage.customer().await;
    }
    for path in ["/customers", "/customers?limit=500"] {
        let page = stage.get(path).await;
        assert_eq!(page.ids().len(), 100);
        assert_eq!(page.body["has_next_page"], true);
    }
}

#[tokio::test]
async fn the_place_of_a_page_is_told_beside_the_data_or_within_pagination() {
    let stage = Stage::new().await;
    five(&stage).await;
    stage.switch("paging", "nested").await;
    let page = stage.get("/customers?limit=2").await.body;
    assert!(page.get("end_cursor").is_none());
    assert_eq!(page["pagination"]["has_next_page"], true);
    assert!(page["pagination"]["end_cursor"].is_string());
}

#[tokio::test]
async fn a_range_of_creation_is_inclusive() {
    let stage = Stage::new().await;
    let all = five(&stage).await;
    let range = "created_at_start=2026-03-02T15:01:00Z&created_at_end=2026-03-02T15:03:00Z";
    assert_eq!(
        stage.get(&format!("/customers?{range}")).await.ids(),
        all[1..4]
    );
}

#[tokio::test]
async fn what_changed_since_is_a_capability() {
    let stage = Stage::new().await;
    let all = five(&stage).await;
    stage
        .patch(&format!("/customers/{}", all[1]), json!({"city": "Reno"}))
        .await;
    let since = "/customers?updated_at_start=2026-03-02T15:04:00Z";
    let changed = stage.get(since).await;
    assert_eq!(changed.ids(), [all[1].clone(), all[4].clone()]);
    assert_eq!(
        changed.body["data"][0]["updated_at"],
        "2026-03-02T15:05:00Z"
    );
    stage.switch("changed-since", false).await;
    let ignored = stage.get(since).await;
    assert_eq!(ignored.ids().len(), 5);
    assert!(ignored.body["data"][0].get("updated_at").is_none());
}

#[tokio::test]
async fn what_pays_an_invoice_changes_it() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    stage.advance("1h").await;
    stage
        .act("pay", json!({"invoice": invoice, "amount": "1"}))
        .await;
    let since = "/invoices?updated_at_start=2026-03-02T16:00:00Z";
    assert_eq!(stage.get(since).await.ids(), [invoice]);
}

#[tokio::test]
async fn invoices_are_filtered_by_customer_status_and_due_date() {
    let stage = Stage::new().await;
    let (one, two) = (stage.customer().await, stage.customer().await);
    let first = stage.invoice(&one, "1").await;
    let second = stage.invoice(&two, "2").await;
    stage.act("pay", json!({"invoice": second})).await;
    let ids = async |query: &str| stage.get(&format!("/invoices?{query}")).await.ids();
    assert_eq!(
        ids(&format!("customer_id={one}")).await,
        std::slice::from_ref(&first)
    );
    assert_eq!(ids("status=paid").await, [second]);
    assert_eq!(ids("status=open").await, [first]);
    assert_eq!(
        ids("due_date_start=2026-04-01&due_date_end=2026-04-01")
            .await
            .len(),
        2
    );
    assert!(ids("due_date_start=2026-04-02").await.is_empty());
}

#[tokio::test]
async fn lists_may_lag_behind_what_an_identifier_shows() {
    let stage = Stage::new().await;
    stage.switch("lists_lag_seconds", 30).await;
    let customer = stage.customer().await;
    assert!(stage.get("/customers").await.ids().is_empty());
    assert_eq!(
        stage.get(&format!("/customers/{customer}")).await.status,
        200
    );
    stage.advance("30s").await;
    assert_eq!(stage.get("/customers").await.ids(), [customer]);
}
