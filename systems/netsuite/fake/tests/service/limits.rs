//! Checklist 6: the account's concurrency limit.

use std::time::Duration;

use serde_json::json;
use tieout_kit::fake::{Chassis, Fake, dress};
use tieout_netsuite_fake::{Options, Quirks};

use crate::account::{Account, RECORDS};

async fn statuses(account: &Account, calls: usize) -> Vec<u16> {
    let mut running = tokio::task::JoinSet::new();
    let path = format!("{RECORDS}/account?limit=1");
    for _ in 0..calls {
        let (router, token, path) = (account.router.clone(), account.token.clone(), path.clone());
        running.spawn(async move {
            use tower::ServiceExt;
            let request = http::Request::builder()
                .uri(path)
                .header("authorization", format!("Bearer {token}"))
                .body(axum::body::Body::empty())
                .unwrap();
            router.oneshot(request).await.unwrap().status().as_u16()
        });
    }
    let mut statuses = running.join_all().await;
    statuses.sort_unstable();
    statuses
}

fn slow(chassis: Chassis) -> Chassis {
    chassis.with_latency(Duration::from_millis(200))
}

#[tokio::test]
async fn beyond_five_at_once_calls_are_refused() {
    let account = Account::built(Options::default(), |_| {}, slow).await;
    assert_eq!(
        statuses(&account, 8).await,
        [200, 200, 200, 200, 200, 429, 429, 429]
    );
    assert_eq!(statuses(&account, 5).await, [200; 5]);
    account.person("limits", json!({"concurrency": 2})).await;
    assert_eq!(statuses(&account, 4).await, [200, 200, 429, 429]);
}

#[tokio::test]
async fn overload_may_look_like_a_failed_sign_in() {
    let quirks = Quirks {
        overload_as_401: true,
        ..Quirks::default()
    };
    let options = Options {
        quirks,
        concurrency: 1,
        ..Options::default()
    };
    let account = Account::built(options, |_| {}, slow).await;
    assert_eq!(statuses(&account, 2).await, [200, 401]);
}

#[tokio::test]
async fn refusals_are_counted_by_the_chassis() {
    let mut kept = None;
    let options = Options {
        concurrency: 1,
        ..Options::default()
    };
    let mut account = Account::built(
        options,
        |_| {},
        |chassis| {
            let chassis = slow(chassis);
            kept = Some(chassis.clone());
            chassis
        },
    )
    .await;
    let chassis = kept.unwrap();
    account.router = dress(&chassis, account.fake.service(), account.router.clone());
    statuses(&account, 3).await;
    assert_eq!(chassis.calls.of("netsuite").refused, 2);
}

#[tokio::test]
async fn only_an_administrator_sees_the_limits() {
    let account = Account::new().await;
    let path = "/services/rest/system/v1/governanceLimits";
    assert_eq!(account.call("GET", path, json!(null)).await.status, 403);
    let body = json!({"action": "role", "role": "administrator"});
    account
        .fake
        .credential("netsuite-m2m", &body)
        .unwrap()
        .unwrap();
    let answer = account.call("GET", path, json!(null)).await;
    assert_eq!(answer.json()["accountConcurrencyLimit"], 5);
}
