//! The panel, and the world that the sandbox starts from.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn merged_customers_are_one_and_the_other_is_gone() {
    let stage = Stage::new().await;
    let (kept, gone) = (stage.customer().await, stage.customer().await);
    let invoice = stage.invoice(gone, "10").await;
    stage
        .post(
            "/credit_balance_adjustments",
            json!({"customer": gone, "amount": 3}),
        )
        .await;
    let act = json!({"action": "merge", "into": kept});
    stage
        .panel(&format!("invoiced/customers/{gone}"), act)
        .await;
    assert_eq!(stage.get(&format!("/customers/{gone}")).await.status, 404);
    assert_eq!(
        stage.get(&format!("/invoices/{invoice}")).await.body["customer"],
        kept
    );
    let balance = stage.get(&format!("/customers/{kept}/balance")).await;
    assert_eq!(balance.body["available_credits"], 3);
    let event = &stage.get("/events?filter[type]=customer.merged").await.body[0];
    assert_eq!(event["data"]["object"]["id"], kept);
    assert_eq!(event["data"]["previous"]["customer"]["id"], gone);
}

#[tokio::test]
async fn a_person_makes_and_edits_what_the_api_makes() {
    let stage = Stage::new().await;
    let customer = stage
        .panel(
            "invoiced/customers",
            json!({"name": "Ann", "type": "person"}),
        )
        .await;
    let id = customer["id"].as_str().unwrap();
    let line = json!([{"name": "A", "quantity": 2, "unit_cost": "12.50"}]);
    let invoice = stage
        .panel("invoiced/invoices", json!({"customer": id, "items": line}))
        .await;
    assert_eq!(
        (&invoice["total"], &invoice["number"]),
        (&json!("25"), &json!("INV-0001"))
    );
    let path = format!("invoiced/invoices/{}", invoice["id"].as_str().unwrap());
    let edit = json!({"action": "edit", "fields": {"purchase_order": "PO-1"}});
    assert_eq!(stage.panel(&path, edit).await["purchase_order"], "PO-1");
    assert_eq!(
        stage.panel(&path, json!({"action": "void"})).await["status"],
        "voided"
    );
}

#[tokio::test]
async fn the_panel_says_what_it_doesn_t_know() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    for (path, body, status) in [
        ("invoiced/nothing".to_owned(), json!({}), 404),
        (
            "invoiced/switches".to_owned(),
            json!({"nothing": true}),
            400,
        ),
        ("invoiced/customers/99".to_owned(), json!({}), 404),
        (
            format!("invoiced/customers/{customer}"),
            json!({"action": "x"}),
            400,
        ),
        ("invoiced/pay".to_owned(), json!({"method": "gold"}), 400),
        ("invoiced/pay".to_owned(), json!({"invoices": [99]}), 404),
        (
            "credentials/invoiced".to_owned(),
            json!({"action": "x"}),
            400,
        ),
    ] {
        let answer = stage.panel_answer(&path, body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(answer.body["error"].as_str().unwrap().len() > 10, "{path}");
    }
}

#[tokio::test]
async fn the_world_holds_what_began_here_and_the_state_adds_it_up() {
    let stage = Stage::furnished().await;
    let state = stage.shown("state").await;
    let invoices = stage.get("/invoices?per_page=100").await;
    assert_eq!(state["invoices"]["count"], invoices.ids().len());
    assert!(invoices.ids().len() > 10, "{state}");
    assert!(state["invoices"]["by_status"]["draft"].as_u64().unwrap() > 0);
    assert_eq!(
        (&state["messages"], &state["events"]),
        (&json!(0), &json!(0)),
        "nothing was told while it was loaded"
    );
    let again = Stage::furnished().await;
    assert_eq!(
        again.get("/invoices").await.body[0]["number"],
        invoices.body[0]["number"]
    );
    assert_eq!(again.key, stage.key, "the same seed makes the same key");
    assert_eq!(again.shown("state").await, state);
}
