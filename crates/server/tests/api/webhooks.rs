//! What is taken, what is turned away, and that nothing comes of what isn't proven. The proof itself is the systems'
//! own; here it is a word in a header.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use http::StatusCode;
use http_body_util::BodyExt as _;
use tieout_domain::hint::{Hint, Rejected};
use tieout_domain::{Clock, ConnectionName, Kind, Timestamp};
use tieout_server::app::{App, Outside};
use tieout_server::program::Notification;
use tieout_server::webhooks::{BODY_BYTES_MAX, routes};
use tieout_store::testing::TestStore;
use tieout_store::{NewHint, Store};
use tower::ServiceExt as _;

use crate::stage::Played;

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        "2026-06-12T10:00:00Z".parse().unwrap()
    }
}

/// What came of the notifications.
#[derive(Default)]
struct Came {
    due: AtomicUsize,
    seen: Mutex<Vec<String>>,
}

/// Believes whoever says `please`, and counts what is due.
fn believer(came: &Arc<Came>) -> Played {
    let (seen, due) = (Arc::clone(came), Arc::clone(came));
    Played {
        believe: Some(Box::new(move |notification| seen.believe(notification))),
        changed: Some(Box::new(move || {
            due.due.fetch_add(1, Ordering::Relaxed);
        })),
        ..Played::default()
    }
}

impl Came {
    fn believe(&self, notification: &Notification<'_>) -> Result<Hint, Rejected> {
        let proof = notification
            .headers
            .get("proof")
            .map(|value| value.as_bytes());
        if proof != Some(b"please") && notification.secret != Some("sesame") {
            return Err(Rejected::Unsigned {
                why: "it doesn't say please",
            });
        }
        let event = String::from_utf8_lossy(notification.body).into_owned();
        if event.is_empty() {
            return Err(Rejected::Malformed {
                cause: "it is empty".to_owned(),
            });
        }
        self.seen.lock().unwrap().push(event.clone());
        Ok(Hint {
            event,
            event_type: "bill.updated".to_owned(),
            organization: "008".to_owned(),
            kind: Some(Kind::Bill),
            id: Some("00n1".into()),
            at: None,
        })
    }
}

async fn store() -> (Store, TestStore) {
    let database = TestStore::new();
    let clock = Arc::new(StandingClock);
    let store = Store::open(database.url(), clock).await.unwrap();
    (store, database)
}

struct Bench {
    router: Router,
    came: Arc<Came>,
    store: Store,
    _database: TestStore,
}

impl Bench {
    async fn new() -> Self {
        let (store, database) = store().await;
        Self::over(store, database)
    }

    fn over(store: Store, database: TestStore) -> Self {
        let came = Arc::<Came>::default();
        let app = App {
            store: store.clone(),
            program: Arc::new(believer(&came)),
            clock: Arc::new(StandingClock),
            outside: Arc::new(Outside::default()),
            counts: Arc::default(),
        };
        let router = routes(&app).with_state(app);
        Self {
            router,
            came,
            store,
            _database: database,
        }
    }

    async fn post(&self, path: &str, proof: &str, body: impl Into<Body>) -> (StatusCode, String) {
        let request = http::Request::post(path)
            .header("proof", proof)
            .body(body.into())
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    fn due(&self) -> usize {
        self.came.due.load(Ordering::Relaxed)
    }

    /// Waits until the database has taken over what was told, and as many connections as these are due.
    async fn until_due(&self, most: usize) -> usize {
        for _ in 0..500 {
            if self.due() >= most {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.due()
    }
}

const PATH: &str = "/webhooks/bill/acme-us";

#[tokio::test]
async fn s137_what_is_proven_is_kept_and_marks_its_connection_once() {
    let bench = Bench::new().await;
    for _ in 0..3 {
        let (status, body) = bench.post(PATH, "please", "event-1").await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
    }
    bench.post(PATH, "please", "event-2").await;
    assert_eq!(bench.until_due(2).await, 2, "a replay has no effect");
    let (status, _) = bench
        .post("/webhooks/netsuite/acme-us/sesame", "", "push")
        .await;
    assert_eq!((status, bench.until_due(3).await), (StatusCode::OK, 3));
    let name: ConnectionName = "acme-us".parse().unwrap();
    assert_eq!(bench.store.hinted().await.unwrap(), [name]);
}

#[tokio::test]
async fn s140_what_is_not_proven_has_no_effect_and_learns_nothing() {
    let bench = Bench::new().await;
    for path in [
        PATH,
        "/webhooks/nobody/acme-us",
        "/webhooks/bill/acme-us/guess",
    ] {
        let (status, body) = bench.post(path, "now", "event").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
        assert!(body.contains("webhook-unsigned"), "{body}");
    }
    let (status, body) = bench
        .post("/webhooks/bill/NO%20NAME", "please", "event")
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!body.contains("NO NAME"), "{body}");
    let (status, _) = bench.post(PATH, "please", "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(bench.due(), 0);
    assert!(bench.store.hinted().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused_unread_told_or_not() {
    let bench = Bench::new().await;
    let long = vec![b'x'; 10 * 1024 * 1024];
    let (status, _) = bench.post(PATH, "please", long.clone()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    // In pieces, without a length.
    let (status, body) = bench.post(PATH, "please", in_pieces(long)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{body}");
    assert!(bench.came.seen.lock().unwrap().is_empty());
    let (status, _) = bench.post(PATH, "please", vec![b'x'; BODY_BYTES_MAX]).await;
    assert_eq!(status, StatusCode::OK);
}

/// A body in pieces of 64 KiB that doesn't tell its length.
fn in_pieces(bytes: Vec<u8>) -> Body {
    let bytes = Bytes::from(bytes);
    let pieces: Vec<_> = (0..bytes.len())
        .step_by(65_536)
        .map(|at| Ok::<_, std::io::Error>(bytes.slice(at..(at + 65_536).min(bytes.len()))))
        .collect();
    Body::from_stream(futures::stream::iter(pieces))
}

#[tokio::test]
async fn who_sends_too_much_that_is_not_proven_is_told_to_wait_and_the_rest_goes_on() {
    let bench = Bench::new().await;
    let mut told_to_wait = 0;
    for number in 0..100 {
        let (status, _) = bench.post(PATH, "no", number.to_string()).await;
        told_to_wait += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(told_to_wait, 40);
    let (status, _) = bench.post(PATH, "please", "event").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn many_at_once_are_all_kept() {
    let bench = Arc::new(Bench::new().await);
    let sent = (0..2000).map(|number| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            bench
                .post(PATH, "please", format!("event-{number}"))
                .await
                .0
        })
    });
    let mut kept = 0;
    for answer in sent.collect::<Vec<_>>() {
        kept += usize::from(answer.await.unwrap() == StatusCode::OK);
    }
    assert_eq!((kept, bench.until_due(2000).await), (2000, 2000));
    let events: Vec<_> = (0..2000).map(|number| format!("event-{number}")).collect();
    let connection = bench.store.connection(&"acme-us".parse().unwrap());
    assert_eq!(
        connection.hints_known("bill", &events).await.unwrap().len(),
        2000
    );
}

#[tokio::test]
async fn what_a_killed_process_had_taken_is_taken_over_by_the_next_one() {
    let (store, database) = store().await;
    // As one that was killed between its answer and the database.
    let Some((mut log, _)) = store.hint_log().unwrap() else {
        eprintln!("skipped: the store is no file, and has no log beside it");
        return;
    };
    let hint = NewHint {
        connection: "acme-us".parse().unwrap(),
        system: "bill".to_owned(),
        event: "event-1".to_owned(),
        record: "bill 00n1".to_owned(),
        at: StandingClock.now(),
    };
    log.append(std::slice::from_ref(&hint)).unwrap();
    drop(log);
    let bench = Bench::over(store, database);
    assert_eq!(bench.until_due(1).await, 1);
    assert_eq!(bench.store.hinted().await.unwrap(), [hint.connection]);
    let (status, _) = bench.post(PATH, "please", "event-1").await;
    assert_eq!((status, bench.due()), (StatusCode::OK, 1));
}
