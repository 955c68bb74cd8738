//! Signing in, limits, and what failures mean.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tieout_domain::port::{Action, Depth};
use tieout_domain::{Document, Fault, Kind};

use super::*;

const EMPTY: &str = r#"{"results":[]}"#;

#[tokio::test]
async fn s213_an_expired_session_is_renewed_by_one_caller_and_the_calls_repeated() {
    let stage = Stage::new(|seen| {
        if seen.session == "s1" {
            refusal(401, "1109")
        } else {
            ok(EMPTY)
        }
    });
    let ports = stage.ports();
    let kinds = [
        Kind::Bill,
        Kind::Vendor,
        Kind::Payment,
        Kind::Account,
        Kind::Class,
    ];
    let reads = kinds.map(|kind| {
        let reader = &ports.read[&kind];
        async move { reader.fetch(&["x".into(), "y".into()]).await.map(|_| ()) }
    });
    for result in futures::future::join_all(reads).await {
        // The list is empty, so each record is asked for alone, and its JSON has no id.
        assert!(matches!(result, Err(Fault::Drift { .. })), "{result:?}");
    }
    assert_eq!(stage.transport.sign_ins(), 2);
    assert!(stage.transport.most.load(Ordering::SeqCst) <= 3);
}

#[tokio::test]
async fn s213_a_write_refused_for_its_session_is_repeated_once() {
    let stage = Stage::new(|seen| {
        if seen.session == "s1" {
            return refusal(401, "1109");
        }
        let body = serde_json::from_str(&seen.body).unwrap();
        ok(created(&body, "00n1").to_string())
    });
    let document = Document::Bill(bill("1", vec![line("10.10", "0ca")]));
    let answers = stage.ports().write[&Kind::Bill]
        .write(&[order(Action::Create, None, document)])
        .await;
    assert_eq!(applied(&answers[0]).id.as_str(), "00n1");
    assert_eq!(stage.calls(), ["POST /v3/bills", "POST /v3/bills"]);
}

#[tokio::test]
async fn s217_a_kept_session_serves_the_next_process() {
    let stage = Stage::new(|_| ok(EMPTY));
    for _ in 0..3 {
        stage.ports().read[&Kind::Vendor]
            .page(Depth::Changes, None, None)
            .await
            .unwrap();
    }
    assert_eq!(stage.transport.sign_ins(), 1);
    let kept = stage.kept.0.lock().unwrap();
    let (name, (_, expires)) = kept.first_key_value().unwrap();
    assert!(name.starts_with("bill/008/") && !name.contains("key") && !name.contains("acme"));
    let life = expires.duration_since(stage.timer.now());
    assert!(
        life.as_secs() > 30 * 60 && life.as_secs() < 35 * 60,
        "{life}"
    );
}

#[tokio::test]
async fn s217_sign_ins_stay_under_their_own_hourly_limit() {
    let stage = Stage::new(|_| ok(EMPTY));
    for organization in 0..190 {
        let ports = stage.ports_of(&format!("008{organization}"), 100);
        ports.read[&Kind::Payment]
            .page(Depth::Changes, None, None)
            .await
            .unwrap();
    }
    let ports = stage.ports_of("008last", 100);
    let fault = ports.read[&Kind::Payment]
        .page(Depth::Changes, None, None)
        .await
        .unwrap_err();
    assert_eq!(fault.code().as_str(), "hourly-limit");
    assert_eq!(stage.transport.sign_ins(), 190);
}

/// A hundred organizations of one key, by processes that are killed before they keep a session.
#[tokio::test]
async fn s217_a_loop_of_crashes_stays_under_the_hourly_limit_and_loses_nothing() {
    let mut stage = Stage::new(|_| ok(EMPTY));
    let mut refused = Vec::new();
    for _ in 0..5 {
        stage.crash();
        refused = all_of_a_hundred(&stage).await;
    }
    assert_eq!(stage.transport.sign_ins(), 190);
    assert_eq!(refused.len(), 100);
    for fault in refused {
        assert_eq!(fault.code().as_str(), "hourly-limit");
        assert!(fault.to_string().contains("from 11:00 UTC"), "{fault}");
    }

    stage.timer.0.fetch_add(30 * 60 * 1000, Ordering::SeqCst);
    stage.restart();
    assert!(all_of_a_hundred(&stage).await.is_empty());
    // The sessions of that hour serve every later process.
    for _ in 0..5 {
        stage.restart();
        assert!(all_of_a_hundred(&stage).await.is_empty());
    }
    assert_eq!(stage.transport.sign_ins(), 190 + 100);
}

/// What a hundred connections that start at once fail with.
async fn all_of_a_hundred(stage: &Stage) -> Vec<Fault> {
    let reads = (0..100).map(|organization| async move {
        stage.ports_of(&format!("008{organization}"), 100).read[&Kind::Payment]
            .page(Depth::Changes, None, None)
            .await
            .err()
    });
    let failed = futures::future::join_all(reads).await;
    failed.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_refused_sign_in_is_not_tried_again_by_those_who_wait() {
    let stage = Stage::bare(|_| refusal(401, "1101"));
    let ports = stage.ports();
    let reads = [Kind::Bill, Kind::Vendor, Kind::Payment, Kind::Account].map(|kind| {
        let reader = &ports.read[&kind];
        async move { reader.page(Depth::Changes, None, None).await }
    });
    for result in futures::future::join_all(reads).await {
        assert_eq!(result.unwrap_err().code().as_str(), "wrong-password");
    }
    assert_eq!(stage.transport.sign_ins(), 1);
}

#[tokio::test]
async fn whatever_a_sign_in_is_refused_for_no_record_is_to_blame() {
    let stage = Stage::bare(|_| refusal(400, "1188"));
    let document = Document::Bill(bill("1", vec![line("10.10", "0ca")]));
    let answers = stage.ports().write[&Kind::Bill]
        .write(&[order(Action::Create, None, document)])
        .await;
    let Answer::Failed(fault @ Fault::Denied { .. }) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!(fault.code().as_str(), "invalid-login");
}

#[tokio::test]
async fn s214_the_hourly_limit_pauses_every_connection_of_the_key() {
    let stage = Stage::new(|_| refusal(422, "1144"));
    for organization in ["008", "009"] {
        let ports = stage.ports_of(organization, 100);
        let fault = ports.read[&Kind::Bill]
            .page(Depth::Changes, None, None)
            .await
            .unwrap_err();
        let Fault::Later { code, after, .. } = fault else {
            panic!("{fault:?}")
        };
        assert_eq!(code.as_str(), "hourly-limit");
        assert_eq!(after, Some(Duration::from_secs(30 * 60)));
    }
    assert_eq!(
        stage.calls().len(),
        1,
        "the second connection sends nothing"
    );
}

#[tokio::test]
async fn s215_too_many_calls_at_once_wait_and_try_again() {
    let refused = AtomicUsize::new(0);
    let stage = Stage::new(move |_| {
        if refused.fetch_add(1, Ordering::SeqCst) < 3 {
            refusal(422, "1322")
        } else {
            ok(EMPTY)
        }
    });
    let (first, second) = (stage.ports(), stage.ports());
    let reads = (0..6).map(|nth| {
        let reader = &if nth % 2 == 0 { &first } else { &second }.read[&Kind::Vendor];
        reader.page(Depth::Changes, None, None)
    });
    for page in futures::future::join_all(reads).await {
        assert!(page.unwrap().records.is_empty());
    }
    assert!(stage.transport.most.load(Ordering::SeqCst) <= 3);
    assert_eq!(stage.calls().len(), 9);
}

#[tokio::test]
async fn a_read_is_repeated_when_a_gateway_stumbles() {
    let calls = AtomicUsize::new(0);
    let stage = Stage::new(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Ok((502, "<html>Bad Gateway</html>".to_owned())),
        1 => dropped(),
        2 => ok(r#"{"results":[{"id":"#),
        _ => ok(EMPTY),
    });
    stage.ports().read[&Kind::Vendor]
        .page(Depth::Changes, None, None)
        .await
        .unwrap();
    assert_eq!(stage.calls().len(), 4);
}

#[tokio::test]
async fn a_check_names_the_organization_and_tells_what_is_wrong() {
    let stage = Stage::new(|seen| match seen.path.as_str() {
        "/v3/login/session" => ok(
            r#"{"organizationId":"008","userId":"006","mfaStatus":"DISABLED","mfaBypass":false}"#,
        ),
        "/v3/vendors?max=1" => ok(EMPTY),
        _ => ok(r#"{"results":[{"id":"008","name":"Acme Industries"}]}"#),
    });
    let identity = stage.ports().whole.ping().await.unwrap();
    assert_eq!(
        (identity.name.as_str(), identity.id.as_str()),
        ("Acme Industries", "008")
    );
    assert!(
        identity
            .details
            .contains(&("environment".to_owned(), "sandbox".to_owned()))
    );
    let stage = Stage::bare(|_| refusal(401, "1102"));
    let fault = stage.ports().whole.ping().await.unwrap_err();
    assert_eq!(fault.code().as_str(), "wrong-developer-key");
    assert!(!fault.to_string().contains("secret"));
}

#[tokio::test]
async fn s217_two_connections_of_one_user_share_a_session() {
    let stage = Stage::new(|_| ok(EMPTY));
    let (first, second) = (stage.ports(), stage.ports());
    first.read[&Kind::Vendor]
        .page(Depth::Changes, None, None)
        .await
        .unwrap();
    second.read[&Kind::Vendor]
        .page(Depth::Changes, None, None)
        .await
        .unwrap();
    assert_eq!(stage.transport.sign_ins(), 1);
}
