//! The network between tieout and the services, and all that can befall a call on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::json;
use tieout_domain::Lost as Undelivered;
use tieout_kit::Transport;
use tieout_kit::fake::{Dropped, ExpireSession};
use tower::ServiceExt as _;

use crate::dice::Dice;
use crate::figures::Figures;
use crate::gate::Gate;
use crate::pace::Pace;
use crate::process::{Boundary, Lost, Process};
use crate::time::Time;

/// How bad it is.
#[derive(Debug, Clone, Copy)]
pub struct Sky {
    /// How many calls something befalls.
    pub trouble: f64,
    /// How long a request may still be on its way after its sender gave up: less than the shortest settling
    /// time, which is what that time means.
    pub late: Duration,
}

impl Sky {
    /// Nothing befalls any call.
    pub const CALM: Self = Self {
        trouble: 0.0,
        late: Duration::from_secs(1),
    };
}

/// What befalls a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// No connection is made.
    NeverLeft,
    /// The request is lost on its way.
    LostBefore,
    /// It is carried out, and the answer is lost.
    LostAfter,
    /// It is carried out long after its sender has given up.
    Late,
    /// It arrives twice. Nobody repeats what is no safe or idempotent method (RFC 9110 §9.2.2).
    Repeated,
    /// A gateway answers in the service's place, before or after the service was reached.
    Gateway(u16, bool),
    /// A page in the place of JSON, before or after the service was reached.
    Html(bool),
    /// Half an answer.
    Half,
    /// Too many calls: nothing was done.
    Limited,
    /// The service understands it and declines, for no reason that tieout could know of: nothing was done.
    Refused,
    /// The session has ended.
    SessionEnded,
}

const TROUBLES: [(Trouble, &str); 14] = [
    (Trouble::NeverLeft, "never left"),
    (Trouble::LostBefore, "lost on the way there"),
    (Trouble::LostAfter, "answer lost"),
    (Trouble::LostAfter, "answer lost"),
    (Trouble::Late, "arrived late"),
    (Trouble::Repeated, "arrived twice"),
    (Trouble::Gateway(503, false), "gateway error before"),
    (Trouble::Gateway(504, true), "gateway error after"),
    (Trouble::Html(false), "page instead, before"),
    (Trouble::Html(true), "page instead, after"),
    (Trouble::Half, "half an answer"),
    (Trouble::Limited, "limited"),
    (Trouble::Refused, "refused"),
    (Trouble::SessionEnded, "session ended"),
];

/// The services, by the host that they answer for.
pub type Hosts = BTreeMap<String, Router>;

/// The network as one process meets it.
pub struct Weather {
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) time: Arc<Time>,
    pub(crate) process: Arc<Process>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) sky: Arc<Mutex<Sky>>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) gate: Arc<Gate>,
}

impl Weather {
    fn sky(&self) -> Sky {
        *self.sky.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, request: &Request<Bytes>) -> Option<Trouble> {
        if !self.dice.chance(self.sky().trouble) {
            return None;
        }
        let (trouble, name) = *self.dice.pick(&TROUBLES)?;
        let asks = request.uri().path().ends_with("/suiteql");
        let may_repeat = asks || request.method() != Method::POST;
        if trouble == Trouble::Repeated && !may_repeat {
            return None;
        }
        self.figures.count("faults", name);
        Some(trouble)
    }

    /// What befalls a write because its process is fated so.
    fn lost_by_fate(&self, request: &Request<Bytes>) -> Option<Trouble> {
        let path = request.uri().path();
        let signs_in = path.ends_with("/token") || path.ends_with("/login");
        if request.method() == Method::GET || path.ends_with("/suiteql") || signs_in {
            return None;
        }
        Some(match self.process.sends_write()? {
            Lost::Before => Trouble::LostBefore,
            Lost::After => Trouble::LostAfter,
        })
    }

    /// Puts the request on its way: it arrives after so long, whatever becomes of its sender.
    fn carry(
        &self,
        request: Request<Bytes>,
        after: Duration,
        session_ended: bool,
    ) -> impl Future<Output = Result<Response<Bytes>, Undelivered>> + use<> {
        let host = request.uri().authority().map(ToString::to_string);
        let router = host.and_then(|host| self.hosts.get(&host).cloned());
        let (time, gate) = (Arc::clone(&self.time), Arc::clone(&self.gate));
        let on_its_way = tokio::spawn(async move {
            time.sleep(after).await;
            let Some(router) = router else {
                return Err(Undelivered::NeverLeft("there is no such host".to_owned()));
            };
            gate.while_served(answer(router, request, session_ended, &time))
                .await
        });
        async move {
            let unknown = |_| Err(Undelivered::Unknown("the connection broke".to_owned()));
            on_its_way.await.unwrap_or_else(unknown)
        }
    }

    fn moment(&self) -> Duration {
        let (least, most) = (Duration::from_millis(5), Duration::from_millis(250));
        if self.sky().trouble > 0.0 && self.dice.chance(0.02) {
            return self
                .dice
                .time(Duration::from_secs(1), Duration::from_secs(90));
        }
        self.dice.time(least, most)
    }

    async fn meet(
        &self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Result<Response<Bytes>, Undelivered> {
        let trouble = self.lost_by_fate(&request).or_else(|| self.draw(&request));
        let there = self.moment();
        let again = copy(&request);
        match trouble {
            Some(Trouble::NeverLeft) => {
                return Err(Undelivered::NeverLeft("connection refused".to_owned()));
            }
            Some(Trouble::LostBefore) => {
                self.time.sleep(deadline).await;
                return Err(Undelivered::Unknown("timed out".to_owned()));
            }
            Some(Trouble::Late) => {
                // What leaves late arrives late: the time is counted from its sending.
                let late = deadline + Duration::from_secs(1);
                let after = self.dice.time(late, self.sky().late.max(late * 2));
                drop(self.carry(request, after, false));
                self.time.sleep(deadline).await;
                return Err(Undelivered::Unknown("timed out".to_owned()));
            }
            Some(Trouble::Gateway(status, false)) => return Ok(gateway(status)),
            Some(Trouble::Html(false)) => return Ok(page()),
            Some(Trouble::Limited) => return Ok(limited()),
            Some(Trouble::Refused) => return Ok(refused(&request)),
            _ => {}
        }
        let ended = trouble == Some(Trouble::SessionEnded);
        let port = request.uri().port_u16().unwrap_or_default();
        let under_way = self.pace.is_under_way(port, self.time.now());
        let answered = self.carry(request, there, ended).await;
        drop(under_way);
        let answered = answered?;
        if trouble == Some(Trouble::Repeated) {
            drop(self.carry(again, Duration::from_millis(1), false).await);
        }
        self.time.sleep(self.moment()).await;
        Ok(match trouble {
            Some(Trouble::LostAfter) => {
                return Err(Undelivered::Unknown("connection reset".to_owned()));
            }
            Some(Trouble::Gateway(status, true)) => gateway(status),
            Some(Trouble::Html(true)) => page(),
            Some(Trouble::Half) => answered.map(|body| body.slice(..body.len() / 2)),
            _ => answered,
        })
    }
}

#[async_trait]
impl Transport for Weather {
    async fn send(
        &self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Result<Response<Bytes>, Undelivered> {
        self.process.reach(Boundary::BeforeSend).await;
        let port = request.uri().port_u16().unwrap_or_default();
        self.figures.count("calls", service_of(port));
        self.pace.leaves(port, self.time.now());
        let met = self.meet(request, deadline);
        let too_late = self.time.sleep(deadline);
        let (met, too_late) = (std::pin::pin!(met), std::pin::pin!(too_late));
        let answer = match select(met, too_late).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(Undelivered::Unknown("timed out".to_owned())),
        };
        self.process.reach(Boundary::AfterAnswer).await;
        answer
    }
}

fn service_of(port: u16) -> &'static str {
    match port {
        9101 => "netsuite",
        9102 => "bill",
        9103 => "invoiced",
        9104 => "alternative-payments",
        _ => "another",
    }
}

fn copy(request: &Request<Bytes>) -> Request<Bytes> {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

/// Has a request carried out, and dates the answer.
async fn answer(
    router: Router,
    request: Request<Bytes>,
    session_ended: bool,
    time: &Time,
) -> Result<Response<Bytes>, Undelivered> {
    let mut request = request.map(Body::from);
    if session_ended {
        request.extensions_mut().insert(ExpireSession);
    }
    let Ok(answer) = router.oneshot(request).await;
    if answer.extensions().get::<Dropped>().is_some() {
        return Err(Undelivered::Unknown("the connection was closed".to_owned()));
    }
    let (mut parts, body) = answer.into_parts();
    let body = body.collect().await;
    let body = body.map_err(|error| Undelivered::Unknown(error.to_string()))?;
    let date = time.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        parts.headers.insert(http::header::DATE, date);
    }
    Ok(Response::from_parts(parts, body.to_bytes()))
}

fn made(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut made = Response::new(body.into());
    *made.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    made.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    made
}

fn gateway(status: u16) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    made(status, "text/plain", "upstream error")
}

fn page() -> Response<Bytes> {
    made(
        StatusCode::OK,
        "text/html",
        "<html><body>Please wait</body></html>",
    )
}

fn limited() -> Response<Bytes> {
    made(StatusCode::TOO_MANY_REQUESTS, "application/json", "{}")
}

/// What a service says of what it declines, and of nothing else.
pub(crate) const DECLINED: &str = "Declined.";

/// As each service words what it declines.
fn refused(request: &Request<Bytes>) -> Response<Bytes> {
    let port = request.uri().port_u16().unwrap_or_default();
    let body = match service_of(port) {
        "netsuite" => json!({"title": "Bad Request", "status": 400,
            "o:errorDetails": [{"detail": DECLINED, "o:errorCode": "USER_ERROR"}]}),
        "bill" => json!([{"code": "BDC_1188", "message": DECLINED}]),
        "invoiced" => json!({"type": "invalid_request", "message": DECLINED}),
        _ => json!({"code": "validation_error", "message": DECLINED}),
    };
    made(
        StatusCode::BAD_REQUEST,
        "application/json",
        body.to_string(),
    )
}
