//! Every cause that keeps a connection from working, produced on the sandbox: doctor names that one and no other,
//! and following its fix makes the check pass.

mod bench;
mod table;

use std::time::Duration;

use async_trait::async_trait;
use jiff::ToSpan as _;
use serde_json::json;
use tieout::assemble::Shared;
use tieout::failure::Exit;
use tieout_domain::{Clock, Timer, Timestamp};

use bench::{Bench, Found};

#[tokio::test(flavor = "multi_thread")]
async fn every_cause_is_named_and_its_fix_makes_the_check_pass() {
    prove("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s204_a_second_factor_is_told_and_never_to_be_switched_off() {
    prove("s204 ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s206_a_secret_that_was_reset_is_told_from_a_revoked_token() {
    prove("s206 ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s209_the_end_of_a_certificate_is_told_before_and_after() {
    prove("s209 ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s219_mappings_that_a_refresh_has_wiped_are_told_from_revoked_ones() {
    prove("s219 ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s220_a_sandbox_paired_with_production_is_found_in_any_configuration() {
    prove("s220 ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s249_the_platforms_own_sync_is_found() {
    prove("s249 ").await;
}

/// Goes through the rows whose names begin so.
async fn prove(number: &str) {
    let bench = Bench::new().await;
    bench.assert_well("at first").await;
    let rows = table::rows(&bench).await;
    let rows: Vec<_> = rows
        .into_iter()
        .filter(|row| row.name.starts_with(number))
        .collect();
    assert!(!rows.is_empty(), "{number}");
    for row in rows {
        bench.make(&row.trouble).await;
        let (exit, found) = bench.doctor(&[row.connection]).await;
        bench.undo(&row.trouble).await;
        // The trail tells times to the second: the next row's refusal comes later than this one's.
        bench
            .panel
            .post("/control/clock", r#"{"advance":"10s"}"#)
            .await
            .unwrap();
        let codes: Vec<_> = found.bad().map(|check| check.code.as_str()).collect();
        assert!(
            !codes.is_empty() && codes.iter().all(|code| *code == row.code),
            "{}: {found:#?}",
            row.name
        );
        let told = found
            .bad()
            .any(|check| check.cause.contains(row.word) || check.fix.contains(row.word));
        assert!(told, "{}: `{}` in {found:#?}", row.name, row.word);
        for check in found.bad() {
            assert!(!check.fix.is_empty() && !check.who.is_empty(), "{check:?}");
        }
        let expected = if row.fails { Exit::Side } else { Exit::Done };
        assert_eq!(exit, expected, "{}", row.name);
        bench.assert_well(row.name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s205_looking_for_the_cause_again_and_again_locks_nobody_out() {
    let bench = Bench::new().await;
    bench
        .set("demo-tba", "token_secret", "not-the-secret")
        .await;
    bench.panel.delete("/control/calls").await.unwrap();
    for _ in 0..6 {
        let (exit, _) = bench.doctor(&["tba"]).await;
        assert_eq!(exit, Exit::Side);
    }
    let (_, found) = bench.doctor(&["tba"]).await;
    assert_eq!(found.bad().next().unwrap().code, "sign-in-barred");
    let calls = bench.panel.get("/control/calls").await.unwrap();
    let refused = &calls["netsuite"]["by_path"]["GET /rest/tokeninfo"];
    assert_eq!(refused.as_u64(), Some(3), "{calls}");
    bench.restore("demo-tba").await;
    bench.assert_well("with the right secret").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s207_a_credential_of_several_connections_is_refused_once() {
    let bench = Bench::new().await;
    bench.append_connection("other", "demo-tba").await;
    bench
        .set("demo-tba", "token_secret", "not-the-secret")
        .await;
    bench.set("demo-bill", "password", "not-the-password").await;
    bench.panel.delete("/control/calls").await.unwrap();
    let (exit, found) = bench.doctor(&[]).await;
    assert_eq!(exit, Exit::Side);
    let calls = bench.panel.get("/control/calls").await.unwrap();
    for (service, path) in [
        ("netsuite", "GET /rest/tokeninfo"),
        ("bill", "POST /v3/login"),
    ] {
        let tried = &calls[service]["by_path"][path];
        assert_eq!(tried.as_u64(), Some(1), "{calls}");
    }
    for (connection, code) in [
        ("other", "signature-wrong"),
        ("tba", "signature-wrong"),
        ("acme-us", "wrong-password"),
    ] {
        let named = found
            .bad()
            .any(|check| check.connection == connection && check.code == code);
        assert!(named, "{connection} {code}: {found:#?}");
    }
    let well = found
        .0
        .iter()
        .any(|check| check.connection == "acme-us" && check.code == "sign-in");
    assert!(well, "the side that works is told, too: {found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_anybody_else_in_the_account_what_remains_possible_is_told() {
    let bench = Bench::new().await;
    bench.forget_witness().await;
    bench
        .set("demo-tba", "token_secret", "not-the-secret")
        .await;
    let (_, found) = bench.doctor(&["tba"]).await;
    let check = found.bad().next().unwrap();
    assert_eq!(check.code, "invalid-login");
    for word in ["consumer_key_refused", "InvalidSignature", "token_rejected"] {
        assert!(check.cause.contains(word), "{}", check.cause);
    }
    // Where the integration may ask for tokens, its own part is told apart from the token's.
    let flow = json!({"action": "authorization-flow", "on": true}).to_string();
    let path = "/control/credentials/netsuite-tba";
    bench.panel.post(path, &flow).await.unwrap();
    let (_, found) = bench.doctor(&["tba"]).await;
    let check = found.bad().next().unwrap();
    assert_eq!(check.code, "token-refused");
    assert!(
        !check.cause.contains("consumer_key_refused"),
        "{}",
        check.cause
    );
    // Somebody who may read the trail names the one cause.
    let (_, found) = bench.doctor_with(&["tba"], Some("demo-netsuite")).await;
    assert_eq!(found.bad().next().unwrap().code, "signature-wrong");
}

/// The machine's clock, off by so many seconds.
struct Off(i64);

impl Clock for Off {
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.0.seconds()
    }

    fn uptime(&self) -> Duration {
        tieout::seams::WallClock.uptime()
    }
}

#[async_trait]
impl Timer for Off {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s221_a_clock_that_is_off_is_measured_and_keeps_nobody_out() {
    let bench = Bench::new().await;
    for (seconds, side) in [(-900, "behind"), (900, "ahead of")] {
        let shared = Shared {
            timer: std::sync::Arc::new(Off(seconds)),
            ..Shared::new().unwrap()
        };
        let (exit, found) = bench.doctor_among(&shared, &["tba"], None).await;
        assert_eq!(exit, Exit::Done, "{found:#?}");
        let told: Vec<_> = found.bad().collect();
        assert_eq!(told.len(), 1, "{found:#?}");
        assert_eq!(told[0].code, "clock-skew");
        assert!(told[0].cause.contains(side), "{}", told[0].cause);
    }
    bench.assert_well("with the right time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s203_administrator_works_and_less_would_do() {
    let bench = Bench::new().await;
    let body = json!({"action": "role", "role": "administrator"}).to_string();
    let path = "/control/credentials/netsuite-m2m";
    bench.panel.post(path, &body).await.unwrap();
    let (exit, Found(checks)) = bench.doctor(&["acme-us"]).await;
    assert_eq!(exit, Exit::Done);
    let note = checks.iter().find(|check| check.code == "administrator");
    assert_eq!(note.unwrap().status, "note", "{checks:#?}");
}
