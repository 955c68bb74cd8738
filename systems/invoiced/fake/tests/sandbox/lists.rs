//! Pages, filters, sorting, what is shown.

use serde_json::json;

use crate::stage::{NOW, Stage};

async fn five() -> (Stage, i64, Vec<i64>) {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let mut invoices = Vec::new();
    for amount in ["10", "20", "30", "40", "50"] {
        stage.advance("10s").await;
        invoices.push(stage.invoice(customer, amount).await);
    }
    (stage, customer, invoices)
}

#[tokio::test]
async fn pages_are_linked_and_the_last_one_has_no_next() {
    let (stage, customer, invoices) = five().await;
    let path =
        format!("/invoices?per_page=2&filter[customer]={customer}&sort=updated_at%20asc,id%20asc");
    let first = stage.get(&path).await;
    assert_eq!(first.ids(), invoices[..2]);
    assert_eq!(first.header("x-total-count"), "5");
    let link = first.header("link").to_owned();
    assert_eq!(
        link.matches(',').count(),
        3,
        "a comma only between links: {link}"
    );
    assert!(first.link("self").unwrap().starts_with(&stage.base));
    let mut seen = first.ids();
    let mut next = first.link("next");
    while let Some(url) = next {
        let page = stage.get(url.strip_prefix(&stage.base).unwrap()).await;
        seen.extend(page.ids());
        next = page.link("next");
        if next.is_none() {
            assert_eq!(page.link("self"), page.link("last"));
            assert!(page.link("first").is_some());
        }
    }
    assert_eq!(seen, invoices);
}

#[tokio::test]
async fn an_empty_list_has_its_headers_too() {
    let stage = Stage::new().await;
    let empty = stage.get("/payments").await;
    assert_eq!((&*empty.text, empty.header("x-total-count")), ("[]", "0"));
    assert!(empty.link("self").is_some() && empty.link("next").is_none());
}

#[tokio::test]
async fn jumping_ahead_is_refused() {
    let (stage, _, _) = five().await;
    let jumped = stage.get("/invoices?per_page=1&page=3").await;
    assert_eq!(
        (jumped.status, &jumped.body["param"]),
        (400, &json!("page"))
    );
    for page in 1..=3 {
        assert_eq!(
            stage
                .get(&format!("/invoices?per_page=1&page={page}"))
                .await
                .status,
            200
        );
    }
    assert_eq!(stage.get("/invoices?per_page=1&page=2").await.status, 200);
}

#[tokio::test]
async fn a_page_has_a_hundred_objects_at_most() {
    let stage = Stage::new().await;
    for index in 0..101 {
        stage
            .post("/customers", json!({"name": format!("C{index}")}))
            .await;
    }
    let page = stage.get("/customers?per_page=500").await;
    assert_eq!(page.ids().len(), 100);
    assert!(page.link("next").unwrap().contains("per_page=100"));
}

#[tokio::test]
async fn the_last_page_may_name_itself_as_the_next() {
    let (stage, _, _) = five().await;
    stage.switch("next_is_self", true).await;
    let page = stage.get("/invoices").await;
    assert_eq!(page.link("next"), page.link("self"));
}

#[tokio::test]
async fn flags_are_filtered_in_every_spelling_and_brackets_may_be_encoded() {
    let (stage, customer, invoices) = five().await;
    let share = json!({"type": "invoice", "invoice": invoices[0], "amount": 10});
    stage
        .post(
            "/payments",
            json!({"customer": customer, "amount": 10, "applied_to": [share]}),
        )
        .await;
    for (query, count) in [
        ("filter[paid]=1", 1),
        ("filter[paid]=true", 1),
        ("filter%5Bpaid%5D=True", 1),
        ("filter[paid]=0", 4),
        ("filter%5Bpaid%5D=False", 4),
        ("filter[paid]=false&filter[draft]=0", 4),
        ("filter[number]=INV-0002", 1),
        ("filter[status]=not_sent", 4),
        ("filter[number]=INV-0002&filter[paid]=1", 0),
    ] {
        assert_eq!(
            stage.get(&format!("/invoices?{query}")).await.ids().len(),
            count,
            "{query}"
        );
    }
}

#[tokio::test]
async fn metadata_is_filtered_exactly_and_empty_metadata_is_a_list() {
    let stage = Stage::new().await;
    let plain = stage.post("/customers", json!({"name": "A"})).await;
    assert_eq!(plain.body["metadata"], json!([]));
    let body = json!({"name": "B", "metadata": {"netsuite_id": "17", "x": "y"}});
    let marked = stage.post("/customers", body).await;
    assert_eq!(marked.body["metadata"]["netsuite_id"], "17");
    let found = stage
        .get("/customers?metadata[netsuite_id]=17&filter[name]=B")
        .await;
    assert_eq!(found.ids(), [marked.id()]);
    assert!(
        stage
            .get("/customers?metadata[netsuite_id]=1")
            .await
            .ids()
            .is_empty()
    );
    let path = format!("/customers/{}", marked.id());
    let cleared = stage.patch(&path, json!({"metadata": {}})).await;
    assert_eq!(cleared.body["metadata"], json!([]));
}

#[tokio::test]
async fn metadata_has_ten_short_keys_with_short_values() {
    let stage = Stage::new().await;
    let eleven: serde_json::Map<_, _> = (0..11).map(|n| (n.to_string(), json!("x"))).collect();
    for metadata in [
        json!(eleven),
        json!({"k".repeat(41): "x"}),
        json!({"k": "x".repeat(256)}),
    ] {
        let refused = stage
            .post("/customers", json!({"name": "A", "metadata": metadata}))
            .await;
        assert_eq!(
            (refused.status, &refused.body["param"]),
            (400, &json!("metadata"))
        );
    }
    let most = json!({"k".repeat(40): "x".repeat(255)});
    let made = stage
        .post("/customers", json!({"name": "A", "metadata": most}))
        .await;
    assert_eq!(made.status, 201);
}

#[tokio::test]
async fn updated_after_takes_its_own_second_or_not() {
    let (stage, _, invoices) = five().await;
    let third = NOW + 30;
    let path = format!("/invoices?updated_after={third}&sort=updated_at+asc");
    assert_eq!(stage.get(&path).await.ids(), invoices[2..]);
    stage.switch("updated_after_inclusive", false).await;
    assert_eq!(stage.get(&path).await.ids(), invoices[3..]);
    let before = stage
        .get(&format!("/invoices?updated_before={third}"))
        .await;
    assert_eq!(before.ids(), invoices[..3]);
}

#[tokio::test]
async fn dates_are_filtered_on_the_document_s_own_day_inclusively() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    for date in [1000, 2000, 3000] {
        stage
            .post("/invoices", json!({"customer": customer, "date": date}))
            .await;
    }
    let found = stage.get("/invoices?start_date=2000&end_date=3000").await;
    assert_eq!(found.ids().len(), 2);
}

#[tokio::test]
async fn sorting_goes_by_several_columns_and_both_ways() {
    let (stage, _, invoices) = five().await;
    let down = stage.get("/invoices?sort=total%20desc").await;
    assert_eq!(
        down.ids(),
        invoices.iter().rev().copied().collect::<Vec<_>>()
    );
    let both = stage.get("/invoices?sort=status%20asc,total%20desc").await;
    assert_eq!(both.ids(), down.ids());
    assert_eq!(
        stage.get("/invoices?sort=total%20sideways").await.status,
        400
    );
}

#[tokio::test]
async fn expand_replaces_an_identifier_by_its_object() {
    let (stage, customer, invoices) = five().await;
    let path = format!("/invoices/{}", invoices[0]);
    assert_eq!(stage.get(&path).await.body["customer"], customer);
    let expanded = stage.get(&format!("{path}?expand=customer")).await;
    assert_eq!(expanded.body["customer"]["name"], "Acme");
    let listed = stage.get("/invoices?expand=customer").await;
    assert_eq!(listed.body[0]["customer"]["id"], customer);
}

#[tokio::test]
async fn applied_to_is_absent_unless_it_is_asked_for() {
    let (stage, customer, invoices) = five().await;
    let share = json!({"type": "invoice", "invoice": invoices[0], "amount": 10});
    let body = json!({"customer": customer, "amount": 10, "applied_to": [share]});
    let made = stage.post("/payments", body).await;
    assert!(made.body.get("applied_to").is_none());
    let path = format!("/payments/{}", made.id());
    assert!(stage.get(&path).await.body.get("applied_to").is_none());
    assert!(
        stage.get("/payments").await.body[0]
            .get("applied_to")
            .is_none()
    );
    let one = stage.get(&format!("{path}?include=applied_to")).await;
    assert_eq!(one.body["applied_to"][0]["invoice"], invoices[0]);
    let list = stage.get("/payments?include=applied_to").await;
    assert_eq!(list.body[0]["applied_to"][0]["amount"], 10);
}

#[tokio::test]
async fn lists_may_lag_the_write_while_single_objects_do_not() {
    let (stage, customer, invoices) = five().await;
    stage.switch("lists_lag_seconds", 120).await;
    let sixth = stage.invoice(customer, "60").await;
    assert_eq!(stage.get("/invoices").await.ids(), invoices);
    assert_eq!(stage.get(&format!("/invoices/{sixth}")).await.status, 200);
    stage.advance("3m").await;
    assert_eq!(stage.get("/invoices").await.ids().len(), 6);
}

#[tokio::test]
async fn customers_are_selected_by_open_balance_and_payment_source() {
    let (stage, customer, _) = five().await;
    let idle = stage.customer().await;
    let act = json!({"action": "payment-source", "type": "card"});
    stage
        .panel(&format!("invoiced/customers/{idle}"), act)
        .await;
    assert_eq!(
        stage.get("/customers?open_balance=1").await.ids(),
        [customer]
    );
    assert_eq!(
        stage.get("/customers?payment_source=true").await.ids(),
        [idle]
    );
}
