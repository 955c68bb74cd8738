//! Single calls: tokens, pace, errors, outcomes, checks.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tieout_domain::Fault;

use super::{NOBODY, PAYMENT, Reply, Seen, Stage, TOKEN, list, ok, status};

const UNAUTHORIZED: &str = r#"{"code":"unauthorized","message":"The token is over"}"#;
const TOO_MANY: &str = r#"{"code":"rate_limited","message":"Too many requests"}"#;

/// The first answers, and then the last of them again and again.
fn in_turn(replies: Vec<Reply>) -> impl Fn(&Seen) -> Reply + Send + Sync {
    let at = AtomicUsize::new(0);
    move |_| replies[at.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1)].clone()
}

#[tokio::test]
async fn a_token_is_got_once_and_kept_until_a_minute_before_its_end() {
    let mut stage = Stage::new("", |_| list(&[]));
    stage.ports.whole.ping().await.unwrap();
    stage.ports.whole.ping().await.unwrap();
    assert_eq!((stage.sign_ins(), stage.seen().len()), (1, 2));
    assert_eq!(stage.seen()[0].authorization, "Bearer token-of-now");
    let sign_in = stage.transport.seen.lock().unwrap()[0].clone();
    assert_eq!(sign_in.authorization, "Basic aWQ6aHVzaA==");
    assert_eq!(sign_in.body, "grant_type=client_credentials");
    let (name, _, expires) = stage.kept.0.lock().unwrap().clone().unwrap();
    assert!(!name.contains("hush") && name.ends_with("/token"), "{name}");
    assert_eq!(expires.as_second(), 3540);
    // The next run finds it.
    stage.next_run();
    stage.ports.whole.ping().await.unwrap();
    assert_eq!(stage.sign_ins(), 0);
}

#[tokio::test]
async fn a_token_that_ended_is_renewed_once() {
    let stage = Stage::new("", in_turn(vec![status(401, UNAUTHORIZED), list(&[])]));
    stage.ports.whole.ping().await.unwrap();
    assert_eq!((stage.sign_ins(), stage.seen().len()), (2, 2));
    let stage = Stage::new("", |_| status(401, UNAUTHORIZED));
    let fault = stage.ports.whole.ping().await.unwrap_err();
    assert_eq!(fault.code().as_str(), "api-key-refused");
    assert_eq!((stage.sign_ins(), stage.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_refused_key_is_not_tried_again_by_those_who_wait() {
    let refused = r#"{"error":"invalid_client"}"#;
    for answer in [status(401, refused), status(400, refused)] {
        let table = json!({"environment": "demo", "credential": "a"});
        let stage = Stage::of(table, move |_| answer.clone());
        for _ in 0..2 {
            let fault = stage.ports.whole.ping().await.unwrap_err();
            assert!(
                matches!(&fault, Fault::Denied { code, .. } if code.as_str() == "api-key-refused")
            );
        }
        assert_eq!((stage.sign_ins(), stage.seen().len()), (1, 0));
    }
}

#[tokio::test]
async fn never_more_than_five_calls_leave_in_any_second() {
    let stage = Stage::new("", |_| list(&[]));
    let pings: Vec<_> = (0..24).map(|_| stage.ports.whole.ping()).collect();
    for pinged in futures::future::join_all(pings).await {
        pinged.unwrap();
    }
    let mut sent: Vec<i64> = stage
        .transport
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|seen| seen.at)
        .collect();
    sent.sort_unstable();
    assert_eq!(sent.len(), 25);
    assert!(
        sent.windows(6).all(|six| six[5] - six[0] > 1000),
        "{sent:?}"
    );
}

#[tokio::test]
async fn a_call_that_came_too_soon_is_made_again() {
    let stage = Stage::new(
        "",
        in_turn(vec![
            status(429, TOO_MANY).with("retry-after", "30"),
            status(429, TOO_MANY),
            list(&[]),
        ]),
    );
    stage.ports.whole.ping().await.unwrap();
    assert_eq!(stage.seen().len(), 3);
    assert!(stage.seen()[1].at - stage.seen()[0].at >= 30_000);
    let stage = Stage::new("", |_| status(429, TOO_MANY));
    let fault = stage.ports.whole.ping().await.unwrap_err();
    assert_eq!(fault.code().as_str(), "too-many-calls");
    assert_eq!(stage.seen().len(), 7);
}

#[tokio::test]
async fn a_read_is_repeated_when_a_failure_passes_by_itself() {
    let stage = Stage::new("", in_turn(vec![status(503, ""), ok("<html>"), list(&[])]));
    stage.ports.whole.ping().await.unwrap();
    assert_eq!(stage.seen().len(), 3);
    let stage = Stage::new("", |_| status(404, NOBODY));
    assert!(stage.ports.whole.ping().await.is_err());
    assert_eq!(stage.seen().len(), 1);
}

async fn codes(stage: &Stage) -> Vec<String> {
    let checks = stage.ports.whole.examine().await;
    checks
        .iter()
        .map(|check| {
            assert!(check.code.page().is_some(), "{check:?}");
            check.code.as_str().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn every_cause_of_a_failed_check_has_its_code() {
    let no_key = || status(401, r#"{"code":"invalid_client","message":"no such key"}"#);
    let demo = json!({"environment": "demo", "credential": "a", "capabilities": "all"});
    let unknown = Stage::of(demo.clone(), move |_| no_key());
    assert_eq!(codes(&unknown).await, ["api-key-refused"]);
    let seen = unknown.transport.seen.lock().unwrap().clone();
    let hosts: Vec<&str> = seen.iter().map(|seen| seen.host.as_str()).collect();
    assert_eq!(
        hosts,
        [
            "public-api.demo.alternativepayments.io",
            "public-api.alternativepayments.io"
        ]
    );
    let other = Stage::of(demo, move |seen| match seen.host.as_str() {
        "public-api.alternativepayments.io" => ok(TOKEN),
        _ => no_key(),
    });
    assert_eq!(codes(&other).await, ["wrong-environment"]);
    // A stand-in's key is shown to nobody else.
    let table =
        json!({"environment": "demo", "credential": "a", "base_url": "http://127.0.0.1:9104"});
    let stand_in = Stage::of(table, move |_| no_key());
    assert_eq!(codes(&stand_in).await, ["api-key-refused"]);
    assert_eq!(stand_in.sign_ins(), 1);
    for (reply, code) in [
        (status(404, NOBODY), "wrong-host"),
        (ok("[]"), "wrong-host"),
        (status(301, ""), "wrong-host"),
        (ok("<html>"), "proxy"),
        (
            status(403, r#"{"code":"forbidden","message":"no"}"#),
            "permission-missing",
        ),
        (
            status(429, TOO_MANY).with("retry-after", "600"),
            "too-many-calls",
        ),
        (status(503, ""), "maintenance"),
    ] {
        let stage = Stage::new("all", move |_| reply.clone());
        assert_eq!(codes(&stage).await, [code]);
    }
}

#[tokio::test]
async fn a_check_says_what_is_done_without_a_capability() {
    let stage = Stage::new("all", |_| list(&[]));
    assert_eq!(codes(&stage).await, ["sign-in", "checked"]);
    let bare = Stage::new("balances,allocations", |_| list(&[]));
    let found = codes(&bare).await;
    assert_eq!(found[..2], ["sign-in", "checked"]);
    assert_eq!(found[2..], ["capability-off"; 7]);
    let checks = bare.ports.whole.examine().await;
    let said: Vec<&str> = checks.iter().map(|check| check.cause.as_str()).collect();
    let made_anew = said.iter().any(|cause| {
        cause.contains("`amend-invoices`") && cause.contains("archived there and made anew")
    });
    assert!(made_anew, "{said:?}");
    // What isn't there is told, before changes or amounts are missed.
    let wrong = Stage::new("all", |seen| match seen.call.as_str() {
        "GET /payments?limit=1" => list(&[PAYMENT]),
        _ => list(&[]),
    });
    assert_eq!(
        codes(&wrong).await,
        ["sign-in", "capability-missing", "checked"]
    );
    let narrow = Stage::new("all", |seen| {
        if seen.call.starts_with("GET /webhooks") {
            return status(403, r#"{"code":"forbidden","message":"no"}"#);
        }
        list(&[])
    });
    assert_eq!(codes(&narrow).await, ["sign-in", "permission-missing"]);
}
