//! The panel, and the world that the sandbox starts from.

use serde_json::{Value, json};

use crate::stage::{SERVICE, Stage, bill};

#[tokio::test]
async fn what_began_on_the_service_is_there_at_the_start_and_nothing_else() {
    let stage = Stage::furnished().await;
    let state = stage.shown("state").await;
    assert_eq!(state["customers"], 4);
    assert_eq!(state["invoices"]["count"], 12);
    assert_eq!(state["payments"]["count"], 0);
    let page = stage.get("/invoices").await.body["data"].clone();
    let dates: Vec<_> = page
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["created_at"].as_str().unwrap())
        .collect();
    assert!(dates.is_sorted());
    assert!(
        page[0]["invoice_number"]
            .as_str()
            .unwrap()
            .starts_with("AP-")
    );
    let empty = Stage::new().await;
    assert_eq!(empty.shown("state").await["invoices"]["count"], 0);
}

#[tokio::test]
async fn the_sandbox_says_how_it_is_reached_and_what_it_has() {
    let stage = Stage::new().await;
    let described = &stage.described;
    assert_eq!(described["environment"], "demo");
    assert_eq!(described["base_url"], stage.base);
    assert_eq!(described["capabilities"].as_array().unwrap().len(), 9);
    assert!(described[SERVICE]["client_secret"].is_string());
}

#[tokio::test]
async fn a_person_makes_edits_and_archives_on_the_dashboard() {
    let stage = Stage::new().await;
    let customer = stage.act("customers", json!({"name": "Ann"})).await;
    let id = customer["id"].as_str().unwrap();
    let invoice = stage.act("invoices", bill(id, "12.50")).await;
    assert_eq!(invoice["total"], "12.5");
    let act = format!("invoices/{}", invoice["id"].as_str().unwrap());
    stage.switch("amend-invoices", false).await;
    let edit = json!({"action": "edit", "fields": {"due_date": "2026-06-01"}});
    assert_eq!(stage.act(&act, edit).await["due_date"], "2026-06-01");
    let shown = stage.act(&act, json!({"action": "archive"})).await;
    assert_eq!(shown["status"], "archived");
    let act = format!("customers/{id}");
    let edit = json!({"action": "edit", "fields": {"name": "Ann Lee"}});
    assert_eq!(stage.act(&act, edit).await["name"], "Ann Lee");
    let shown = stage.act(&act, json!({"action": "archive"})).await;
    assert!(shown["archived_at"].is_string());
    assert_eq!(
        stage
            .refused("invoices/inv_none", json!({"action": "archive"}))
            .await
            .0,
        404
    );
    assert_eq!(stage.refused(&act, json!({"action": "merge"})).await.0, 400);
}

#[tokio::test]
async fn wrong_calls_of_the_panel_say_what_is_right() {
    let stage = Stage::new().await;
    let (status, message) = stage.refused("nothing", json!({})).await;
    assert!(status == 404 && message.contains("payouts"), "{message}");
    let (status, message) = stage.refused("switches", json!({"nothing": true})).await;
    assert!(
        status == 400 && message.contains("external-payments"),
        "{message}"
    );
    let (status, message) = stage.refused("switches", json!({"paging": "deep"})).await;
    assert!(status == 400 && message.contains("nested"), "{message}");
    let (status, _) = stage.refused("pay", json!({})).await;
    assert_eq!(status, 400);
    let (status, _) = stage.refused("refunds", json!({})).await;
    assert_eq!(status, 400);
    let (status, _) = stage
        .refused("payouts/pyt_none", json!({"status": "failed"}))
        .await;
    assert_eq!(status, 404);
    for wrong in [
        json!({}),
        json!({"amount": "0.001"}),
        json!({"amount": "1e20"}),
    ] {
        let body = json!({"transactions": [wrong]});
        assert_eq!(stage.refused("payouts", body).await.0, 400);
    }
}

#[tokio::test]
async fn switches_are_listed_and_all_of_layer_b_is_on() {
    let stage = Stage::new().await;
    let all = stage.act("switches", json!({})).await;
    for name in stage.described["capabilities"].as_array().unwrap() {
        assert_eq!(all[name.as_str().unwrap()], true, "{name}");
    }
    for (name, value) in [
        ("v1_prefix", json!(false)),
        ("retry_after", json!(false)),
        ("newest_first", json!(false)),
        ("archived_vanish", json!(false)),
        ("own_numbers", json!(true)),
        ("paging", json!("flat")),
        ("lists_lag_seconds", json!("0")),
    ] {
        assert_eq!(all[name], value, "{name}");
    }
}

#[tokio::test]
async fn the_records_hold_everything_whatever_the_switches_leave_out() {
    let stage = Stage::new().await;
    let payment = stage.paid("100").await;
    for name in [
        "balances",
        "allocations",
        "changed-since",
        "invoice-external-id",
    ] {
        stage.switch(name, false).await;
    }
    let records = stage.shown("records").await;
    assert_eq!(records["invoices"][0]["balance"], "0");
    assert_eq!(records["invoices"][0]["payments"], json!([payment]));
    assert_eq!(records["payments"][0]["allocations"][0]["amount"], "100");
    assert_eq!(records["waiting"][0]["payment_id"], payment);
    stage.act("payouts", json!({})).await;
    let records = stage.shown("records").await;
    assert_eq!(
        records["payouts"][0]["transactions"][0]["payment_id"],
        payment
    );
    assert_eq!(records["waiting"], json!([]));
    for name in ["customers", "refunds", "pdfs", "webhooks"] {
        assert!(records[name].is_array(), "{name}");
    }
    assert!(records["money"].is_object());
    assert_eq!(records["invoices"][0]["external_id"], Value::Null);
}
