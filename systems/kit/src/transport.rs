//! Sending requests, and telling whether one that failed certainly never left.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tieout_domain::{Lost, Timer};
use tower::ServiceExt;

/// An answer longer than this is taken for a fault.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Sends one request, once. Redirects are not followed and nothing is repeated: one call here is at most
/// one request over there.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request and reads the whole answer within the deadline.
    ///
    /// # Errors
    /// [`Lost::NeverLeft`] when no connection was made; [`Lost::Unknown`] for everything after that.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost>;
}

/// The network.
pub struct Network {
    client: reqwest::Client,
    body_max: usize,
}

impl Network {
    /// A client that trusts the operating system's certificates.
    ///
    /// # Errors
    /// The TLS library's own words when it can't be set up.
    pub fn new() -> Result<Self, String> {
        Self::built(reqwest::Client::builder())
    }

    /// A client that connects, of all addresses that a name stands for, only to those that are allowed: for
    /// addresses that come from outside. No proxy is used, because a proxy would resolve names by itself. A host
    /// that is an address itself is never resolved, and is the caller's to check.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn within(allowed: fn(IpAddr) -> bool) -> Result<Self, String> {
        let client = reqwest::Client::builder();
        Self::built(client.no_proxy().dns_resolver(Arc::new(Only(allowed))))
    }

    fn built(client: reqwest::ClientBuilder) -> Result<Self, String> {
        let client = client
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(20))
            .user_agent(concat!("tieout/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| with_sources(&error))?;
        Ok(Self {
            client,
            body_max: BODY_BYTES_MAX,
        })
    }

    /// The same, and an answer longer than this is taken for a fault.
    #[must_use]
    pub fn with_answers_up_to(mut self, bytes: usize) -> Self {
        self.body_max = bytes;
        self
    }
}

#[async_trait]
impl Transport for Network {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let (parts, body) = request.into_parts();
        let mut outgoing = self
            .client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .timeout(deadline);
        if !body.is_empty() {
            outgoing = outgoing.body(body);
        }
        let mut answer = outgoing.send().await.map_err(|error| {
            // `is_connect` is the only sign that can be trusted: all else may have been delivered.
            if error.is_connect() || error.is_builder() {
                Lost::NeverLeft(with_sources(&error))
            } else {
                Lost::Unknown(with_sources(&error))
            }
        })?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = std::mem::take(answer.headers_mut());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| Lost::Unknown(with_sources(&error)))?
        {
            if body.len() + chunk.len() > self.body_max {
                return Err(Lost::Unknown(format!(
                    "the answer exceeds {} bytes",
                    self.body_max
                )));
            }
            body.extend_from_slice(&chunk);
        }
        response
            .body(body.into())
            .map_err(|error| Lost::Unknown(error.to_string()))
    }
}

/// An error with its causes, without the request's address (which may hold an id worth hiding).
fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    if let Some(at) = text.find(" for url (") {
        text.truncate(at);
    }
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Resolves names to the addresses that are allowed.
struct Only(fn(IpAddr) -> bool);

impl Resolve for Only {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.filter(|one| allowed(one.ip())).collect();
            if found.is_empty() {
                let cause = format!("{} leads to no address that is allowed", name.as_str());
                return Err(cause.into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// A fake in this process: no sockets, no threads.
pub struct InProcess {
    router: axum::Router,
}

impl InProcess {
    /// Sends every request to this router, whatever its host.
    #[must_use]
    pub fn new(router: axum::Router) -> Self {
        Self { router }
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let request = request.map(axum::body::Body::from);
        let Ok(answer) = self.router.clone().oneshot(request).await;
        if answer.extensions().get::<crate::fake::Dropped>().is_some() {
            return Err(Lost::Unknown(
                "the connection was closed without an answer".to_owned(),
            ));
        }
        let (parts, body) = answer.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| Lost::Unknown(error.to_string()))?;
        Ok(http::Response::from_parts(parts, body.to_bytes()))
    }
}

/// Counts every request sent, sign-ins included.
#[derive(Debug, Default)]
pub struct Meter {
    sent: AtomicU64,
    micros: AtomicU64,
}

impl Meter {
    /// Requests sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How long their answers took, one after the other.
    #[must_use]
    pub fn took(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }
}

/// A transport that counts.
pub struct Metered {
    inner: Arc<dyn Transport>,
    meter: Arc<Meter>,
    timer: Arc<dyn Timer>,
}

impl Metered {
    /// Counts on this meter.
    pub fn new(inner: Arc<dyn Transport>, meter: Arc<Meter>, timer: Arc<dyn Timer>) -> Self {
        Self {
            inner,
            meter,
            timer,
        }
    }
}

#[async_trait]
impl Transport for Metered {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        self.meter.sent.fetch_add(1, Ordering::Relaxed);
        let began = self.timer.uptime();
        let answer = self.inner.send(request, deadline).await;
        let took = self.timer.uptime().saturating_sub(began).as_micros();
        let took = u64::try_from(took).unwrap_or(u64::MAX);
        self.meter.micros.fetch_add(took, Ordering::Relaxed);
        answer
    }
}
