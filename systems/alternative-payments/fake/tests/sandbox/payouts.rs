//! Payouts, and where the money is.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::stage::Stage;

/// What came, less what went, is what is held; and it is nobody's word but each record's own.
async fn conserved(stage: &Stage) -> Value {
    let money = stage.shown("state").await["money"].clone();
    let of = |name: &str| money[name].as_str().unwrap().parse::<Decimal>().unwrap();
    let went = of("refunded") + of("failed") + of("charged_back") + of("fees") + of("dispute_fees");
    let held = of("received") + of("adjusted") - went - of("paid_out");
    assert_eq!(held, of("held"), "{money}");
    assert_eq!(of("held"), of("waiting") + of("on_the_way"));
    money
}

async fn transactions(stage: &Stage, payout: &str) -> Vec<Value> {
    let page = stage.get(&format!("/payouts/{payout}/transactions")).await;
    assert_eq!(page.body["has_next_page"], false);
    page.body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_waits_is_paid_out_the_next_morning_of_a_weekday_and_arrives_a_day_later() {
    let stage = Stage::new().await;
    let payment = stage.paid("100").await;
    assert!(stage.get("/payouts").await.ids().is_empty());
    conserved(&stage).await;
    stage.advance("15h").await;
    let payout = stage.get("/payouts").await.body["data"][0].clone();
    for (name, expected) in [
        ("arrival_date", json!("2026-03-04")),
        ("customer_id", Value::Null),
        (
            "fees",
            json!([{"amount": 3.2, "covered_by_customer": false, "name": "Card processing fee", "type": "method"}]),
        ),
        ("status", json!("processing")),
        ("sub_total", json!(100)),
        ("total", json!(96.8)),
        ("created_at", json!("2026-03-03T06:00:00Z")),
    ] {
        assert_eq!(payout.get(name), Some(&expected), "{name}");
    }
    let id = payout["id"].as_str().unwrap();
    let [one] = &*transactions(&stage, id).await else {
        panic!("one payment")
    };
    assert_eq!(one["type"], "payment");
    assert_eq!(one["payment_id"], payment);
    assert_eq!(one["refund_id"], Value::Null);
    assert_eq!(one["amount"], 100);
    assert_eq!(conserved(&stage).await["on_the_way"], "96.8");
    stage.advance("24h").await;
    let shown = stage.get(&format!("/payouts/{id}")).await.body;
    assert_eq!(shown["status"], "succeeded");
    assert_eq!(shown["updated_at"], "2026-03-04T06:00:00Z");
    assert_eq!(conserved(&stage).await["paid_out"], "96.8");
    stage.advance("3d").await;
    assert_eq!(stage.get("/payouts").await.ids().len(), 1, "nothing waits");
}

#[tokio::test]
async fn there_is_no_payout_at_a_week_end_and_a_leap_of_the_clock_passes_every_morning() {
    let stage = Stage::new().await;
    stage.advance("4d").await;
    stage.paid("100").await;
    stage.advance("10d").await;
    let all = stage.get("/payouts").await.body["data"].clone();
    assert_eq!(
        all[0]["created_at"], "2026-03-09T06:00:00Z",
        "paid on Friday"
    );
    assert_eq!(all[0]["arrival_date"], "2026-03-10");
    assert_eq!(all[0]["status"], "succeeded");
    assert_eq!(all.as_array().unwrap().len(), 1);
}

/// The example of the books: 10,000.00 of 14 payments − 245.60 of fees − a refund of 300.00 − a chargeback of 1,200.00
/// − 15.00 for the dispute = 8,239.40.
#[tokio::test]
async fn a_payout_is_gross_less_fees_refunds_chargebacks_and_dispute_fees() {
    let stage = Stage::new().await;
    let (refunded, disputed) = (stage.paid("300").await, stage.paid("1200").await);
    stage.advance("2d").await;
    stage.act("refunds", json!({"payment": refunded})).await;
    let act = format!("payments/{disputed}");
    stage.act(&act, json!({"status": "chargeback"})).await;
    let customer = stage.customer().await;
    for index in 0..14 {
        let (amount, fees) = if index < 13 {
            ("700", "17.20")
        } else {
            ("900", "22.00")
        };
        let invoice = stage.invoice(&customer, amount).await;
        let paid = json!({"invoice": invoice, "fees": fees});
        stage.act("pay", paid).await;
    }
    let payout = stage.act("payouts", json!({})).await;
    assert_eq!(payout["sub_total"], "10000");
    assert_eq!(payout["fees"][0]["amount"], "245.6");
    assert_eq!(payout["total"], "8239.4");
    let all = transactions(&stage, payout["id"].as_str().unwrap()).await;
    let of = |kind: &str| {
        all.iter()
            .filter(|one| one["type"] == kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("payment").len(), 14);
    assert_eq!(of("refund")[0]["amount"], -300);
    assert_eq!(of("refund")[0]["payment_id"], refunded);
    assert!(of("refund")[0]["refund_id"].is_string());
    assert_eq!(of("chargeback")[0]["amount"], -1200);
    assert_eq!(of("dispute_fee")[0]["amount"], -15);
    assert_eq!(of("dispute_fee")[0]["payment_id"], disputed);
    assert_eq!(all.len(), 17);
    conserved(&stage).await;
    stage.advance("1d").await;
    conserved(&stage).await;
}

#[tokio::test]
async fn a_failure_a_dispute_won_and_an_adjustment_are_movements_too() {
    let stage = Stage::new().await;
    let (failing, disputed) = (stage.paid("50").await, stage.paid("80").await);
    stage.advance("2d").await;
    let fail = format!("payments/{failing}");
    stage.act(&fail, json!({"status": "failed"})).await;
    let dispute = format!("payments/{disputed}");
    stage.act(&dispute, json!({"status": "chargeback"})).await;
    conserved(&stage).await;
    let (status, message) = stage.refused("payouts", json!({})).await;
    assert_eq!(status, 409, "{message}");
    assert!(message.contains("-145"), "{message}");
    stage.advance("7d").await;
    assert_eq!(
        stage.get("/payouts").await.ids().len(),
        1,
        "it goes on waiting"
    );
    stage
        .act(&dispute, json!({"status": "chargeback_won"}))
        .await;
    let adjustment = json!({"transactions": [{"amount": "100", "description": "Goodwill"}]});
    let payout = stage.act("payouts", adjustment).await;
    assert_eq!(payout["total"], "35");
    assert_eq!(payout["sub_total"], "0");
    let all = transactions(&stage, payout["id"].as_str().unwrap()).await;
    let figures: Vec<_> = all
        .iter()
        .map(|one| {
            (
                one["type"].as_str().unwrap(),
                one["amount"].as_i64().unwrap(),
            )
        })
        .collect();
    for figure in [
        ("failure", -50),
        ("chargeback", -80),
        ("dispute_fee", -15),
        ("chargeback_reversal", 80),
        ("adjustment", 100),
    ] {
        assert!(figures.contains(&figure), "{figures:?}");
    }
    assert!(all.iter().any(|one| one["description"] == "Goodwill"));
    conserved(&stage).await;
}

#[tokio::test]
async fn fees_that_the_customer_covers_are_told_and_taken_off_nothing() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    stage
        .act("pay", json!({"invoice": invoice, "covers_fees": true}))
        .await;
    stage.paid("100").await;
    let payout = stage.act("payouts", json!({})).await;
    assert_eq!(payout["total"], "196.8");
    assert_eq!(payout["fees"].as_array().unwrap().len(), 2);
    conserved(&stage).await;
}

#[tokio::test]
async fn a_payout_that_fails_gives_what_it_had_to_the_next() {
    let stage = Stage::new().await;
    stage.paid("100").await;
    let first = stage.act("payouts", json!({})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let act = format!("payouts/{first}");
    stage.act(&act, json!({"status": "analyzing"})).await;
    stage.act(&act, json!({"status": "failed"})).await;
    assert_eq!(
        stage.refused(&act, json!({"status": "succeeded"})).await.0,
        409
    );
    assert_eq!(
        transactions(&stage, &first).await.len(),
        1,
        "what it was of is still told"
    );
    assert_eq!(conserved(&stage).await["waiting"], "96.8");
    stage.advance("15h").await;
    let all = stage.get("/payouts").await;
    assert_eq!(all.ids().len(), 2);
    assert_eq!(stage.get("/payouts?status=failed").await.ids(), [first]);
    conserved(&stage).await;
}

#[tokio::test]
async fn payouts_are_filtered_by_arrival_customer_and_invoice() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    stage.act("pay", json!({"invoice": invoice})).await;
    let payout = stage.act("payouts", json!({})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ids = async |query: String| stage.get(&format!("/payouts?{query}")).await.ids();
    for (query, is_there) in [
        (format!("customer_id={customer}"), true),
        ("customer_id=cus_none".to_owned(), false),
        (format!("invoice_id={invoice}"), true),
        ("invoice_id=inv_none".to_owned(), false),
        ("start_date=2026-03-03&end_date=2026-03-03".to_owned(), true),
        ("start_date=2026-03-04".to_owned(), false),
        ("status=processing".to_owned(), true),
        ("status=succeeded".to_owned(), false),
    ] {
        let found = ids(query.clone()).await;
        assert_eq!(found.contains(&payout), is_there, "{query}");
    }
    assert_eq!(
        stage.get("/payouts/pyt_none/transactions").await.status,
        404
    );
}

#[tokio::test]
async fn the_clock_may_leap_to_the_end_of_time() {
    let stage = Stage::new().await;
    let payment = stage.paid("100").await;
    stage.advance("2d").await;
    stage.act("refunds", json!({"payment": payment})).await;
    stage
        .panel("clock", json!({"now": "9999-12-30T00:00:00Z"}))
        .await;
    assert_eq!(conserved(&stage).await["waiting"], "-100");
}
