//! Serves a router over TCP, and can close a connection without an answer.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::Dropped;

/// How long calls in flight may take to end once the service was told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// Why a connection was closed: a fault wanted no answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on demand")]
struct Drop;

/// Answers connections until `shutdown` ends, then lets the calls in flight end.
///
/// An answer marked [`Dropped`] is not sent: its connection is closed, as by a host that vanished.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), stopped.clone()));
                }
                // Too many open files, or a peer gone already: neither is a reason to stop.
                Err(error) => {
                    tracing::debug!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    stop.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    // Small answers must not wait for the peer's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let response: Result<Response, Infallible> =
                router.oneshot(request.map(Body::new)).await;
            let Ok(response) = response;
            if response.extensions().get::<Dropped>().is_some() {
                Err(Drop)
            } else {
                Ok(response)
            }
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
    let told_to_stop = async { drop(stopped.wait_for(|stopped| *stopped).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told_to_stop => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::extract::Extension;
    use axum::response::IntoResponse;
    use axum::routing::{get, post};
    use http::StatusCode;
    use tokio::sync::oneshot;

    use super::super::{Chassis, Effect, ExpireSession, FakeClock, FaultRule, Refused, dress};
    use super::*;

    struct Bench {
        chassis: Chassis,
        written: Arc<AtomicU32>,
        base: String,
        router: Router,
        _stop: oneshot::Sender<()>,
    }

    async fn bench() -> Bench {
        let chassis = Chassis::new(FakeClock::wall(), 1);
        let written = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&written);
        let router = Router::new()
            .route(
                "/connect/v3/bills",
                post(move |body: String| async move {
                    count.fetch_add(1, Ordering::SeqCst);
                    format!("written {body}")
                }),
            )
            .route(
                "/connect/v3/busy",
                get(|| async {
                    (
                        StatusCode::UNPROCESSABLE_ENTITY,
                        Extension(Refused),
                        "BDC_1322",
                    )
                        .into_response()
                }),
            )
            .route(
                "/connect/v3/session",
                get(|expire: Option<Extension<ExpireSession>>| async move {
                    expire.is_some().to_string()
                }),
            );
        let router = dress(&chassis, "bill", router);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/connect", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = router.clone();
        tokio::spawn(serve(listener, served, async move {
            let _ = stopped.await;
        }));
        Bench {
            chassis,
            written,
            base,
            router,
            _stop: stop,
        }
    }

    impl Bench {
        async fn write(&self) -> reqwest::Result<String> {
            let client = reqwest::Client::builder().no_proxy().build()?;
            let sent = client
                .post(format!("{}/v3/bills", self.base))
                .body("bill")
                .send()
                .await?;
            sent.text().await
        }

        async fn read(&self, path: &str) -> (u16, String) {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let answer = client
                .get(format!("{}{path}", self.base))
                .send()
                .await
                .unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }
    }

    #[tokio::test]
    async fn a_call_without_faults_is_answered_and_counted() {
        let bench = bench().await;
        assert_eq!(bench.write().await.unwrap(), "written bill");
        let count = bench.chassis.calls.of("bill");
        assert_eq!(
            (count.total, count.max_in_flight, count.in_flight),
            (1, 1, 0)
        );
        assert_eq!(count.by_path["POST /v3/bills"], 1);
    }

    #[tokio::test]
    async fn a_dropped_call_sees_its_connection_closed_and_has_committed_or_not() {
        let bench = bench().await;
        for (effect, commits) in [(Effect::DropBeforeCommit, 0), (Effect::DropAfterCommit, 1)] {
            bench.written.store(0, Ordering::SeqCst);
            bench
                .chassis
                .faults
                .add(FaultRule::new("bill", effect).path("/v3/bills").times(1));
            let error = bench.write().await.unwrap_err();
            assert!(error.is_request() && !error.is_connect(), "{error:?}");
            assert_eq!(bench.written.load(Ordering::SeqCst), commits);
            assert_eq!(bench.write().await.unwrap(), "written bill");
        }
        assert_eq!(bench.chassis.calls.of("bill").total, 4);
    }

    #[tokio::test]
    async fn a_dropped_call_is_marked_for_callers_in_process() {
        let bench = bench().await;
        bench
            .chassis
            .faults
            .add(FaultRule::new("bill", Effect::DropAfterCommit));
        let request = http::Request::post("/connect/v3/bills")
            .body(Body::from("x"))
            .unwrap();
        let response = bench.router.clone().oneshot(request).await.unwrap();
        assert_eq!(
            response.extensions().get(),
            Some(&Dropped { committed: true })
        );
        assert_eq!(bench.written.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_truncated_answer_announces_the_whole_and_breaks_off_at_the_half() {
        let bench = bench().await;
        bench
            .chassis
            .faults
            .add(FaultRule::new("bill", Effect::Truncate));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut answer = client
            .post(format!("{}/v3/bills", bench.base))
            .body("bill")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.content_length(), Some("written bill".len() as u64));
        assert_eq!(answer.chunk().await.unwrap().unwrap(), "writte");
        assert!(answer.chunk().await.is_err());
        assert_eq!(bench.written.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn status_and_html_are_answered_in_the_place_of_the_fake() {
        let bench = bench().await;
        let body = Some(serde_json::json!({"error": "slow down"}));
        bench
            .chassis
            .faults
            .add(FaultRule::new("bill", Effect::Status { status: 429, body }).times(1));
        bench
            .chassis
            .faults
            .add(FaultRule::new("bill", Effect::Html(503)).times(1));
        assert_eq!(bench.write().await.unwrap(), r#"{"error":"slow down"}"#);
        assert!(bench.write().await.unwrap().contains("<html>"));
        assert_eq!(bench.written.load(Ordering::SeqCst), 0);
        assert_eq!(bench.chassis.calls.of("bill").refused, 1);
    }

    #[tokio::test]
    async fn a_marked_refusal_is_counted_whatever_its_status() {
        let bench = bench().await;
        assert_eq!(bench.read("/v3/busy").await, (422, "BDC_1322".to_owned()));
        assert_eq!(bench.chassis.calls.of("bill").refused, 1);
    }

    #[tokio::test]
    async fn an_expired_session_is_the_fakes_to_act_on() {
        let bench = bench().await;
        bench
            .chassis
            .faults
            .add(FaultRule::new("bill", Effect::ExpireSession).times(1));
        assert_eq!(bench.read("/v3/session").await.1, "true");
        assert_eq!(bench.read("/v3/session").await.1, "false");
    }

    #[tokio::test]
    async fn an_unknown_path_is_counted_too() {
        let bench = bench().await;
        assert_eq!(bench.read("/v3/nothing").await.0, 404);
        assert_eq!(bench.chassis.calls.of("bill").by_path["GET /v3/nothing"], 1);
    }

    #[tokio::test]
    async fn it_stops_when_told_to_though_a_connection_is_kept_open() {
        let router = Router::new().route("/", get(|| async { "here" }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, router, async move {
            let _ = stopped.await;
        }));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        assert_eq!(
            client
                .get(&base)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap(),
            "here"
        );
        stop.send(()).unwrap();
        served.await.unwrap();
        assert!(client.get(&base).send().await.unwrap_err().is_connect());
    }
}
