//! Payments, charges, refunds.

use serde_json::{Value, json};

use crate::stage::{NOW, Stage};

const DAY: i64 = 86_400;

fn onto(invoice: i64, amount: &str) -> Value {
    let amount: Value = serde_json::from_str(amount).unwrap();
    json!({"type": "invoice", "invoice": invoice, "amount": amount})
}

async fn balance(stage: &Stage, invoice: i64) -> Value {
    stage.get(&format!("/invoices/{invoice}")).await.body["balance"].clone()
}

#[tokio::test]
async fn a_payment_s_defaults_and_what_is_left_of_it() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let (one, two) = (
        stage.invoice(customer, "10.10").await,
        stage.invoice(customer, "20").await,
    );
    let body = json!({"customer": customer, "amount": 40, "applied_to": [onto(one, "10.10"), onto(two, "5")]});
    let made = stage.post("/payments", body).await;
    let body = &made.body;
    assert_eq!((made.status, &body["balance"]), (201, &json!(24.9)));
    assert_eq!(
        (&body["method"], &body["source"], &body["date"]),
        (&json!("other"), &json!("keyed"), &json!(NOW))
    );
    assert_eq!(
        (&body["charge"], &body["voided"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(
        (balance(&stage, one).await, balance(&stage, two).await),
        (json!(0), json!(15))
    );
}

#[tokio::test]
async fn a_payment_may_be_nobody_s_and_is_applied_later() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "30").await;
    let made = stage
        .post(
            "/payments",
            json!({"amount": 50, "method": "wire_transfer", "source": "bank_feed"}),
        )
        .await;
    assert_eq!(
        (&made.body["customer"], &made.body["balance"]),
        (&Value::Null, &json!(50))
    );
    let path = format!("/payments/{}", made.id());
    let matched = stage
        .patch(
            &path,
            json!({"customer": customer, "applied_to": [onto(invoice, "30")]}),
        )
        .await;
    assert_eq!(
        (&matched.body["customer"], &matched.body["balance"]),
        (&json!(customer), &json!(20))
    );
    assert_eq!(balance(&stage, invoice).await, 0);
    let moved = stage
        .patch(&path, json!({"applied_to": [onto(invoice, "12.34")]}))
        .await;
    assert_eq!(
        (&moved.body["balance"], balance(&stage, invoice).await),
        (&json!(37.66), json!(17.66))
    );
}

#[tokio::test]
async fn what_can_t_be_applied_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    let (customer, other) = (stage.customer().await, stage.customer().await);
    let invoice = stage.invoice(customer, "10").await;
    let strange = stage.invoice(other, "10").await;
    let draft = stage
        .post("/invoices", json!({"customer": customer, "draft": true}))
        .await
        .id();
    for (amount, shares) in [
        (20, json!([onto(invoice, "10.01")])),
        (5, json!([onto(invoice, "6")])),
        (20, json!([onto(invoice, "6"), onto(invoice, "6")])),
        (20, json!([onto(strange, "5")])),
        (20, json!([onto(draft, "5")])),
        (20, json!([onto(99, "5")])),
        (20, json!([onto(invoice, "0")])),
        (
            20,
            json!([{"type": "applied_credit", "document_type": "invoice", "invoice": invoice, "amount": 1}]),
        ),
        (20, json!([{"type": "gift", "amount": 1}])),
    ] {
        let body = json!({"customer": customer, "amount": amount, "applied_to": shares});
        let refused = stage.post("/payments", body).await;
        assert_eq!(
            (refused.status, &refused.body["param"]),
            (400, &json!("applied_to")),
            "{shares}"
        );
    }
    assert_eq!(balance(&stage, invoice).await, 10);
    assert!(stage.get("/payments").await.ids().is_empty());
    let method = stage
        .post("/payments", json!({"amount": 1, "method": "gold"}))
        .await;
    assert_eq!(method.body["param"], "method");
}

#[tokio::test]
async fn a_refused_change_leaves_the_payment_and_its_invoice_untouched() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "10").await;
    let body = json!({"customer": customer, "amount": 10, "applied_to": [onto(invoice, "10")]});
    let payment = stage.post("/payments", body).await.id();
    stage.advance("1h").await;
    let path = format!("/payments/{payment}");
    assert_eq!(
        stage
            .patch(&path, json!({"applied_to": [onto(invoice, "11")]}))
            .await
            .status,
        400
    );
    let shown = stage.get(&format!("/invoices/{invoice}")).await.body;
    assert_eq!(
        (&shown["paid"], &shown["updated_at"]),
        (&json!(true), &json!(NOW))
    );
}

#[tokio::test]
async fn deleting_a_payment_voids_it() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "10").await;
    let pay = async || {
        let body = json!({"customer": customer, "amount": 10, "applied_to": [onto(invoice, "10")]});
        format!("/payments/{}", stage.post("/payments", body).await.id())
    };
    let path = pay().await;
    let voided = stage.delete(&path).await;
    assert_eq!((voided.status, &voided.body["voided"]), (200, &json!(true)));
    assert_eq!(balance(&stage, invoice).await, 10);
    assert_eq!(stage.get(&path).await.body["voided"], true);
    assert_eq!(stage.get("/payments?filter[voided]=1").await.ids().len(), 1);
    assert_eq!(stage.delete(&path).await.status, 400);
    assert_eq!(stage.patch(&path, json!({"notes": "x"})).await.status, 400);
    stage.switch("delete_answers_nothing", true).await;
    let gone = stage.delete(&pay().await).await;
    assert_eq!((gone.status, &*gone.text), (204, ""));
}

#[tokio::test]
async fn an_application_may_leave_updated_at_as_it_was() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "10").await;
    stage.advance("1h").await;
    let updated =
        async || stage.get(&format!("/invoices/{invoice}")).await.body["updated_at"].clone();
    stage.switch("applications_touch", false).await;
    stage
        .post(
            "/payments",
            json!({"amount": 1, "applied_to": [onto(invoice, "1")]}),
        )
        .await;
    assert_eq!(updated().await, NOW);
    stage.switch("applications_touch", true).await;
    stage
        .post(
            "/payments",
            json!({"amount": 1, "applied_to": [onto(invoice, "1")]}),
        )
        .await;
    assert_eq!(updated().await, NOW + 3600);
}

#[tokio::test]
async fn a_charge_answers_with_its_payment_and_is_refunded_in_parts() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "100").await;
    let mut body = json!({"customer": customer, "method": "credit_card", "amount": 100, "applied_to": [onto(invoice, "100")]});
    assert_eq!(
        stage.post("/charges", body.clone()).await.status,
        400,
        "no source"
    );
    body["gateway_token"] = json!("tok");
    let paid = stage.post("/charges", body).await;
    assert_eq!(
        (paid.status, &paid.body["object"]),
        (201, &json!("payment"))
    );
    let charge = &paid.body["charge"];
    assert_eq!(
        (&charge["status"], &charge["disputed"]),
        (&json!("succeeded"), &json!(false))
    );
    assert_eq!(balance(&stage, invoice).await, 0);
    let refunds = format!("/charges/{}/refunds", charge["id"]);
    stage.advance("1h").await;
    let first = stage.post(&refunds, json!({"amount": 30.5})).await;
    assert_eq!(
        (first.status, &first.body["object"], &first.body["amount"]),
        (201, &json!("refund"), &json!(30.5))
    );
    assert_eq!(
        stage.post(&refunds, json!({"amount": 70})).await.status,
        400
    );
    let path = format!("/payments/{}", paid.id());
    let part = stage.get(&path).await.body;
    assert_eq!(
        (
            &part["charge"]["amount_refunded"],
            &part["charge"]["refunded"]
        ),
        (&json!(30.5), &json!(false))
    );
    assert_eq!(part["updated_at"], NOW + 3600);
    stage.switch("refunds_touch", false).await;
    stage.advance("1h").await;
    stage.post(&refunds, json!({"amount": 69.5})).await;
    let whole = stage.get(&path).await.body;
    assert_eq!(
        (
            &whole["charge"]["refunded"],
            whole["charge"]["refunds"].as_array().unwrap().len()
        ),
        (&json!(true), 2)
    );
    assert_eq!(whole["updated_at"], NOW + 3600);
    assert_eq!(
        stage.get("/charges").await.status,
        404,
        "there is no list of charges"
    );
}

#[tokio::test]
async fn money_from_a_bank_account_is_in_flight_for_days() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "100").await;
    let body = json!({"customer": customer, "method": "ach", "amount": 100, "invoiced_token": "t", "applied_to": [onto(invoice, "100")]});
    let payment = stage.post("/charges", body).await;
    assert_eq!(payment.body["charge"]["status"], "pending");
    let shown = stage.get(&format!("/invoices/{invoice}")).await.body;
    assert_eq!(
        (&shown["status"], &shown["paid"], &shown["balance"]),
        (&json!("pending"), &json!(false), &json!(100))
    );
    stage.advance("6d").await;
    let shown = stage.get(&format!("/invoices/{invoice}")).await.body;
    assert_eq!(
        (&shown["status"], &shown["paid"]),
        (&json!("paid"), &json!(true))
    );
    let settled = stage.get(&format!("/payments/{}", payment.id())).await.body;
    assert_eq!(
        (&settled["charge"]["status"], &settled["updated_at"]),
        (&json!("succeeded"), &json!(NOW + 6 * DAY))
    );
}

#[tokio::test]
async fn a_person_pays_several_invoices_with_more_or_less_than_is_owed() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let (one, two) = (
        stage.invoice(customer, "10").await,
        stage.invoice(customer, "20").await,
    );
    let under =
        json!({"invoices": [one, two], "amount": "15", "method": "check", "reference": "1001"});
    let paid = stage.panel("invoiced/pay", under).await;
    assert_eq!(
        (&paid["source"], &paid["reference"]),
        (&json!("customer_portal"), &json!("1001"))
    );
    assert_eq!(
        (balance(&stage, one).await, balance(&stage, two).await),
        (json!(0), json!(15))
    );
    let over =
        json!({"invoices": [two], "amount": "20", "convenience_fee": "0.60", "credit": true});
    let paid = stage.panel("invoiced/pay", over).await;
    assert_eq!(
        (&paid["amount"], &paid["balance"]),
        (&json!("20.6"), &json!("0"))
    );
    let kinds: Vec<_> = paid["applied_to"]
        .as_array()
        .unwrap()
        .iter()
        .map(|share| share["type"].clone())
        .collect();
    assert_eq!(kinds, ["invoice", "credit", "convenience_fee"]);
    let credits = stage.get(&format!("/customers/{customer}/balance")).await;
    assert_eq!(credits.body["available_credits"], 5);
    let nobody = stage
        .panel(
            "invoiced/pay",
            json!({"amount": "7", "method": "wire_transfer"}),
        )
        .await;
    assert_eq!(
        (&nobody["customer"], &nobody["balance"]),
        (&Value::Null, &json!("7"))
    );
}

#[tokio::test]
async fn a_payment_is_refunded_disputed_failed_or_voided_by_hand() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(customer, "50").await;
    let pay = async |method: &str| {
        let body = json!({"invoices": [invoice], "amount": "10", "method": method});
        let paid = stage.panel("invoiced/pay", body).await;
        format!("payments/{}", paid["id"].as_str().unwrap())
    };
    let act =
        async |path: &str, body: Value| stage.panel_answer(&format!("invoiced/{path}"), body).await;
    let card = pay("credit_card").await;
    let disputed = act(&card, json!({"action": "dispute"})).await;
    assert_eq!(disputed.body["charge"]["disputed"], true);
    let keyed = pay("check").await;
    assert_eq!(act(&keyed, json!({"action": "dispute"})).await.status, 409);
    let refunded = act(&keyed, json!({"action": "refund", "amount": "4"})).await;
    assert_eq!(
        (
            &refunded.body["charge"]["gateway"],
            &refunded.body["charge"]["amount_refunded"]
        ),
        (&Value::Null, &json!("4"))
    );
    let bank = pay("ach").await;
    let failed = act(&bank, json!({"action": "fail"})).await;
    assert_eq!(
        (&failed.body["voided"], &failed.body["charge"]["status"]),
        (&json!(true), &json!("failed"))
    );
    let other = pay("ach").await;
    let cleared = act(&other, json!({"action": "clear"})).await;
    assert_eq!(cleared.body["charge"]["status"], "succeeded");
    assert_eq!(balance(&stage, invoice).await, 20);
    let voided = act(&keyed, json!({"action": "void"})).await;
    assert_eq!(voided.body["voided"], true);
    assert_eq!(balance(&stage, invoice).await, 30);
}
