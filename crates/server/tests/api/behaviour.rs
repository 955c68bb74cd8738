//! What the API does.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tieout_domain::{Kind, RecordRef, Side};
use tieout_server::people::Role;

use crate::stage::{Answer, RUNS, Stage, request};

fn under(key: &str, mut request: Request<Body>) -> Request<Body> {
    let key = key.parse().unwrap();
    request.headers_mut().insert("idempotency-key", key);
    request
}

fn ignore(record: &str) -> Value {
    json!({"decision": "ignore", "records": [record], "reason": "paid by card"})
}

async fn decide(stage: &Stage, key: &str, body: Value) -> Answer {
    let asked = request(Method::POST, "connections/acme-us/decisions", Some(body));
    stage.ask(under(key, asked)).await
}

/// How many decisions the history tells of.
async fn decisions(stage: &Stage) -> usize {
    let store = stage.store.connection(&"acme-us".parse().unwrap());
    store.entries_of("decided", 0, 100).await.unwrap().len()
}

#[tokio::test]
async fn what_is_asked_twice_under_one_key_is_done_once() {
    let stage = Stage::new().await;
    let first = decide(&stage, "k-1", ignore("ledger/bill/1")).await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    let again = decide(&stage, "k-1", ignore("ledger/bill/1")).await;
    assert_eq!(again.body, first.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["content-type"], "application/json");
    assert_eq!(decisions(&stage).await, 1);
    let other = decide(&stage, "k-1", ignore("ledger/bill/2")).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.body["code"], "idempotency-key-reused");
    assert_eq!(decisions(&stage).await, 1);
    // A key is its asker's own.
    let asked = request(
        Method::POST,
        "connections/acme-us/decisions",
        Some(ignore("ledger/bill/2")),
    );
    let theirs = stage
        .ask_as(Some(Role::Operator), under("k-1", asked))
        .await;
    assert_eq!(theirs.status, StatusCode::OK, "{theirs:?}");
}

#[tokio::test]
async fn a_refusal_leaves_the_key_free() {
    let stage = Stage::new().await;
    let refused = decide(&stage, "k-2", ignore("ledger/bill/none")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mended = decide(&stage, "k-2", ignore("ledger/bill/3")).await;
    assert_eq!(mended.status, StatusCode::OK, "{mended:?}");
}

#[tokio::test]
async fn runs_are_paged_from_the_newest_to_the_oldest() {
    let stage = Stage::new().await;
    let mut seen = Vec::new();
    let mut address = "connections/acme-us/runs?limit=2".to_owned();
    loop {
        let page = stage.get(&address).await;
        let items = page.body["items"].as_array().unwrap();
        seen.extend(
            items
                .iter()
                .map(|run| run["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page.body["next"].as_str() else {
            break;
        };
        address = format!("connections/acme-us/runs?limit=2&cursor={next}");
    }
    let newest_first: Vec<_> = RUNS.iter().rev().map(|run| (*run).to_owned()).collect();
    assert_eq!(seen, newest_first);
}

#[tokio::test]
async fn states_and_entries_are_paged_without_a_gap() {
    let stage = Stage::new().await;
    for (list, of) in [("states", "record"), ("entries", "seq")] {
        let whole = stage.get(&format!("connections/acme-us/{list}")).await;
        let whole: Vec<_> = whole.body["items"].as_array().unwrap().clone();
        let mut seen = Vec::new();
        let mut address = format!("connections/acme-us/{list}?limit=1");
        loop {
            let page = stage.get(&address).await;
            seen.extend(page.body["items"].as_array().unwrap().clone());
            let Some(next) = page.body["next"].as_str() else {
                break;
            };
            address = format!("connections/acme-us/{list}?limit=1&cursor={next}");
        }
        let names = |all: &[Value]| all.iter().map(|one| one[of].clone()).collect::<Vec<_>>();
        assert_eq!(names(&seen), names(&whole), "{list}");
        assert!(seen.len() >= 4, "{list}");
    }
}

#[tokio::test]
async fn exceptions_tell_exact_money_and_the_fix() {
    let stage = Stage::new().await;
    let answer = stage.get("connections/acme-us/exceptions").await;
    let cause = &answer.body["items"][0];
    assert_eq!(cause["code"], "unmapped-account");
    assert_eq!(cause["count"], 3);
    assert_eq!(
        cause["amounts"],
        json!([{"amount": "30.3", "currency": "USD"}])
    );
    assert!(cause["fix"].as_str().unwrap().len() > 10);
}

#[tokio::test]
async fn a_decision_is_of_the_person_who_asks() {
    let stage = Stage::new().await;
    let body = json!({"decision": "retry", "group": "account:58", "reason": "mapped now"});
    let answer = stage.post("connections/acme-us/decisions", body).await;
    assert_eq!(answer.body["items"].as_array().unwrap().len(), 3);
    let store = stage.store.connection(&"acme-us".parse().unwrap());
    let entries = store.entries_of("decided", 0, 100).await.unwrap();
    assert!(entries.iter().all(|entry| entry.actor == "user:admin"));
}

#[tokio::test]
async fn preferences_are_changed_only_as_they_were_read() {
    let stage = Stage::new().await;
    let path = "connections/acme-us/preferences";
    let read = stage.get(path).await;
    let version = read.headers["etag"].clone();
    let change = |value: &str, version: &http::HeaderValue| {
        let body = json!({"values": {"transactions.partly_paid": value}});
        let mut asked = request(Method::PATCH, path, Some(body));
        asked.headers_mut().insert("if-match", version.clone());
        asked
    };
    let changed = stage.ask(change("balance", &version)).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    assert_ne!(changed.headers["etag"], version);
    let late = stage.ask(change("skip", &version)).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(late.body["code"], "version-changed");
    let odd = http::HeaderValue::from_static("{}");
    let malformed = stage.ask(change("skip", &odd)).await;
    assert_eq!(malformed.status, StatusCode::BAD_REQUEST);
    let unfit = stage.ask(change("never", &changed.headers["etag"])).await;
    assert_eq!(unfit.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(unfit.body["code"], "config-value");
}

#[tokio::test]
async fn a_run_is_asked_for_in_the_asker_s_name() {
    let stage = Stage::new().await;
    let body = json!({"flows": ["bills"], "only": ["INV-1"]});
    let answer = stage.post("connections/acme-us/runs", body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let asked = stage.program.asked.lock().unwrap();
    assert_eq!(asked[0].by, "user:admin");
    assert_eq!(asked[0].only, ["INV-1"]);
}

#[tokio::test]
async fn a_suggestion_is_confirmed_and_a_bank_s_is_not() {
    let stage = Stage::new().await;
    let path = "connections/acme-us/mappings/confirmations";
    let one = |kind: &str| json!({"mappings": [{"kind": kind, "from": "58"}]});
    let answer = stage.post(path, one("account")).await;
    assert_eq!(answer.body, json!({"confirmed": 1}));
    let bank = stage.post(path, one(Kind::FundingAccount.as_str())).await;
    assert_eq!(bank.status, StatusCode::UNPROCESSABLE_ENTITY, "{bank:?}");
}

#[tokio::test]
async fn what_a_tie_out_was_made_of_is_not_taken_for_one() {
    let stage = Stage::new().await;
    let extract = tieout_store::frozen_name("[]");
    let answer = stage
        .get(&format!("connections/acme-us/tie-outs/{extract}"))
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_record_is_found_and_its_life_told() {
    let stage = Stage::new().await;
    let found = stage.get("connections/acme-us/records?q=INV-4").await;
    let record = RecordRef::new(Side::Ledger, Kind::Bill, "4").to_string();
    assert_eq!(found.body["items"][0]["record"], record);
    let life = stage
        .get(&format!("connections/acme-us/records/{record}"))
        .await;
    assert_eq!(life.body["links"][0]["target"], "platform/bill/00n4");
    assert_eq!(life.body["address"], "https://example.com/4");
}

#[tokio::test]
async fn every_refusal_is_a_problem_with_a_code_that_has_a_page() {
    let stage = Stage::new().await;
    let post = |kind: &str, body: String| {
        Request::post("/api/v1/connections/acme-us/decisions")
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap()
    };
    let cases = [
        (
            request(Method::GET, "/api/v2/runs", None),
            404,
            "no-such-address",
        ),
        (
            request(Method::GET, "connections/none", None),
            404,
            "unknown-connection",
        ),
        (
            request(Method::DELETE, "connections", None),
            405,
            "method-not-allowed",
        ),
        (
            request(Method::GET, "connections?a=b", None),
            400,
            "request-malformed",
        ),
        (
            request(Method::GET, "connections/acme-us/runs?limit=0", None),
            400,
            "request-malformed",
        ),
        (
            request(Method::GET, "connections/acme-us/runs?cursor=x", None),
            400,
            "request-malformed",
        ),
        (
            post("application/json", "{".to_owned()),
            400,
            "request-malformed",
        ),
        (
            post("application/json", "{\"decision\": \"\\u0000\"}".to_owned()),
            400,
            "request-malformed",
        ),
        (post("text/plain", "{}".to_owned()), 415, "media-type"),
        (
            post("application/json", "9".repeat(2 << 20)),
            413,
            "request-too-large",
        ),
        (
            under("k", post("application/json", "9".repeat(2 << 20))),
            413,
            "request-too-large",
        ),
    ];
    for (asked, status, code) in cases {
        let what = format!("{} {}", asked.method(), asked.uri());
        let answer = stage.ask(asked).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {answer:?}");
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{what}"
        );
        assert_eq!(answer.body["code"], code, "{what}");
        assert_eq!(answer.body["status"], status, "{what}");
        let page = stage.get(answer.body["type"].as_str().unwrap()).await;
        assert_eq!(page.body["title"], answer.body["title"], "{what}");
        assert!(!answer.body["fix"].as_str().unwrap().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn a_side_that_gives_no_answer_is_told_as_such() {
    let stage = Stage::new().await;
    let body = json!({"only": ["unreachable"]});
    let answer = stage.post("connections/acme-us/plans", body).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.body["code"], "unreachable");
}

#[tokio::test]
async fn the_history_is_verified() {
    let stage = Stage::new().await;
    let answer = stage.get("verification").await;
    assert_eq!(answer.body["holds"], true, "{answer:?}");
}

#[tokio::test]
async fn s239_writes_are_stopped_at_once_and_go_on_for_a_reason() {
    let stage = Stage::new().await;
    let stopped = stage.post("pause", json!({})).await;
    assert_eq!(stopped.body["items"][0]["kind"], "paused", "{stopped:?}");
    assert_eq!(stopped.body["items"][0]["actor"], "user:admin");
    let refused = stage.post("resume", json!({"reason": " "})).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let all = stage.get("connections/acme-us/stops").await;
    assert_eq!(all.body["items"].as_array().unwrap().len(), 2);
    for path in ["resume", "connections/acme-us/resume"] {
        stage.post(path, json!({"reason": "done"})).await;
    }
    let none = stage.get("connections/acme-us/stops").await;
    assert_eq!(none.body, json!({"items": []}));
}

#[tokio::test]
async fn a_token_that_is_taken_back_opens_nothing_more() {
    let stage = Stage::new().await;
    let new = tieout_store::NewToken {
        name: "robot".to_owned(),
        user: "ann".to_owned(),
        scope: tieout_store::Scope::Admin,
        expires: None,
        tenants: Vec::new(),
    };
    let secret = stage
        .store
        .people()
        .make_token(&new, "user:ann")
        .await
        .unwrap();
    let shown = format!("Bearer {}", secrecy::ExposeSecret::expose_secret(&secret));
    let ask = async |path: &str| {
        let mut asked = request(Method::GET, path, None);
        asked
            .headers_mut()
            .insert("authorization", shown.parse().unwrap());
        stage.ask_as(None, asked).await
    };
    assert_eq!(ask("connections").await.status, StatusCode::OK);
    // A token does no more than its user may.
    assert_eq!(ask("users").await.status, StatusCode::FORBIDDEN);
    let left = stage
        .ask(request(Method::DELETE, "tokens/robot", None))
        .await;
    assert_eq!(left.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(ask("connections").await.status, StatusCode::UNAUTHORIZED);
}
