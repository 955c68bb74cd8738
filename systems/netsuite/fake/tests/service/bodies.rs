//! Bad bodies are refused; nothing panics.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::account::{Account, RECORDS};

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!({"id": "1"})),
        Just(json!({"externalId": "x"})),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "entity",
        "account",
        "apAcct",
        "subsidiary",
        "currency",
        "exchangeRate",
        "tranDate",
        "tranId",
        "amount",
        "apply",
        "items",
        "doc",
        "line",
        "expense",
        "item",
        "quantity",
        "rate",
        "credit",
        "debit",
        "approvalStatus",
        "externalId",
        "companyName",
        "addressBook",
        "addressBookAddress",
        "country",
        "id",
        "customer",
        "payment",
        "name",
        "parent",
    ])
    .prop_map(str::to_owned)
}

#[test]
fn no_body_makes_the_service_fail() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let account = runtime.block_on(Account::new());
    let kinds = [
        "vendorBill",
        "vendorCredit",
        "vendorPayment",
        "journalEntry",
        "vendor",
        "customer",
        "invoice",
        "customerPayment",
        "department",
        "account",
        "term",
    ];
    proptest!(ProptestConfig::with_cases(96), |(body in anything(), kind in prop::sample::select(kinds.to_vec()))| {
        for (method, path) in [("POST", kind.to_owned()), ("PUT", format!("{kind}/eid:any")), ("PATCH", format!("{kind}/1"))] {
            let answer = runtime.block_on(account.record(method, &path, body.clone()));
            prop_assert!(answer.status.as_u16() < 500, "{method} {path} {body}: {}", answer.text);
        }
    });
}

#[tokio::test]
async fn text_that_is_no_json_is_refused() {
    let account = Account::new().await;
    let bearer = format!("Bearer {}", account.token);
    let path = format!("{RECORDS}/vendorBill");
    for text in [
        "",
        "{",
        "[1",
        "\u{feff}{}",
        "null",
        "\"x\"",
        "{\"a\":1e999999}",
    ] {
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let answer = account.send("POST", &path, &headers, text).await;
        assert_eq!(answer.status, 400, "{text}: {}", answer.text);
    }
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "text/xml"),
    ];
    assert_eq!(
        account.send("POST", &path, &headers, "<a/>").await.status,
        415
    );
    assert_eq!(
        account
            .call("GET", "/services/rest/nowhere", json!(null))
            .await
            .status,
        404
    );
    assert_eq!(account.call("GET", "/", json!(null)).await.status, 404);
}
