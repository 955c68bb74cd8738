//! What is asked and what comes of odd answers, over a scripted transport.

use std::sync::Arc;

use serde_json::{Value, json};
use tieout_domain::subledger::{Basis, Subledger};
use tieout_domain::{Fault, Lost, RemoteId};

use crate::testing::{Stage, refusal, tokens};
use crate::tests::{connect, profile};

fn reader(stage: &Stage) -> Arc<dyn Subledger> {
    profile(stage);
    connect(stage, tokens()).subledger.unwrap()
}

fn payables() -> [RemoteId; 1] {
    [RemoteId::new("111")]
}

fn item(id: &str, amount: &str) -> Value {
    json!({"id": id, "type": "VendBill", "account": "111", "tranid": "INV-7", "currency": "1",
        "party": "12", "partyname": "Acme", "trandate": "2026-05-31", "periodend": "2026-05-31",
        "amount": amount, "openamount": "-60", "asked": "2026-06-12 03:00:00"})
}

/// What a first page asks before: how far the account's transactions reach.
fn newest(stage: &Stage) {
    stage.script.rows(&json!([{"newest": "3900"}]));
}

async fn refused(stage: &Stage, rows: Value) -> String {
    let reader = reader(stage);
    newest(stage);
    stage.script.rows(&rows);
    let until = "2026-05-31".parse().unwrap();
    let fault = reader
        .open_items(&payables(), until, Basis::Period, None)
        .await
        .unwrap_err();
    assert!(matches!(fault, Fault::Drift { .. }), "{fault}");
    fault.to_string()
}

#[tokio::test]
async fn one_row_that_cannot_be_read_is_drift_that_names_transaction_and_field() {
    let rows = json!([item("4001", "-100"), item("4002", "12 USD")]);
    let told = refused(&Stage::new(), rows).await;
    assert!(told.contains("4002") && told.contains("amount"), "{told}");

    let mut bare = item("4003", "-100");
    bare.as_object_mut().unwrap().remove("openamount");
    let told = refused(&Stage::new(), json!([bare])).await;
    assert!(
        told.contains("4003") && told.contains("openamount"),
        "{told}"
    );
}

#[tokio::test]
async fn a_row_that_comes_twice_is_drift() {
    let rows = json!([item("4001", "-100"), item("4001", "-100")]);
    let told = refused(&Stage::new(), rows).await;
    assert!(told.contains("4001"), "{told}");
}

#[tokio::test]
async fn the_evidence_is_the_query_as_sent_and_the_time_as_told() {
    let stage = Stage::new();
    let reader = reader(&stage);
    newest(&stage);
    stage.script.rows(&json!([item("4001", "-100")]));
    let until = "2026-05-31".parse().unwrap();
    let told = reader
        .open_items(&payables(), until, Basis::Day, None)
        .await
        .unwrap();
    let (_, _, body) = stage.script.asked().pop().unwrap();
    let sent: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(sent["q"], json!(told.asked.query));
    assert_eq!(told.asked.server_time, "2026-06-12 03:00:00");
    assert!(told.asked.query.contains("tl.subsidiary = 3"));
    assert!(told.asked.query.contains("tal.accountingbook = 1"));
    assert_eq!(told.rows[0].open.to_string(), "-60");
    assert!(told.next.is_none());
}

#[tokio::test]
async fn an_account_without_books_is_asked_without_them_from_then_on() {
    let stage = Stage::new();
    let reader = reader(&stage);
    let refusal = json!({"title": "Bad Request", "status": 400, "o:errorDetails": [{"detail":
        "Search error occurred: Field 'accountingbook' for record 'transactionaccountingline' was not found.",
        "o:errorCode": "INVALID_PARAMETER"}]});
    stage.script.answer(400, &refusal.to_string());
    let sum = json!([{"account": "111", "currency": "1", "amount": "-60", "base": "-60", "lines": "3",
        "asked": "2026-06-12 03:00:00"}]);
    stage.script.rows(&sum);
    stage.script.rows(&sum);
    let until = "2026-05-31".parse().unwrap();
    for _ in 0..2 {
        let told = reader
            .balances(&payables(), until, Basis::Period)
            .await
            .unwrap();
        assert!(!told.asked.query.contains("accountingbook"));
        assert_eq!(told.rows[0].lines, 3);
    }
    assert!(stage.script.used_up());
}

#[tokio::test]
async fn a_failure_without_a_name_never_drops_the_book_or_the_currency() {
    let stage = Stage::new();
    let reader = reader(&stage);
    let vague = json!({"title": "Bad Request", "status": 400, "o:errorDetails": [{"detail":
        "Invalid or unsupported search", "o:errorCode": "INVALID_PARAMETER"}]});
    for _ in 0..3 {
        stage.script.answer(400, &vague.to_string());
    }
    let until = "2026-05-31".parse().unwrap();
    let fault = reader
        .balances(&payables(), until, Basis::Period)
        .await
        .unwrap_err();
    assert!(matches!(fault, Fault::Drift { .. }), "{fault}");
    for (_, _, body) in stage.script.asked().iter().skip(2) {
        assert!(
            body.contains("accountingbook = 1") && body.contains("t.currency"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_time_out_while_a_column_is_sought_hides_none() {
    let stage = Stage::new();
    let reader = reader(&stage);
    let sum = json!([{"account": "111", "currency": "1", "amount": "-60", "base": "-60", "lines": "3",
        "asked": "2026-06-12 03:00:00"}]);
    // Without the clock it works, and whether it works with it is not told.
    stage.script.answer(400, &refusal("Declined."));
    stage.script.rows(&sum);
    for _ in 0..4 {
        stage.script.lose(Lost::Unknown("timed out".to_owned()));
    }
    let until = "2026-05-31".parse().unwrap();
    let balances = async || reader.balances(&payables(), until, Basis::Period).await;
    assert!(balances().await.is_err());
    stage.script.rows(&sum);
    let told = balances().await.unwrap();
    assert!(told.asked.query.contains("CURRENT_TIMESTAMP"));
    assert!(stage.script.used_up());
}
