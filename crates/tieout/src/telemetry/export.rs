//! Sends spans to the collector: OTLP over HTTP, in JSON, through the one transport that there is.

use std::time::Duration;

use bytes::Bytes;
use tieout_kit::Transport;

use super::Tracer;
use super::span::{Span, batch};

/// How often what waits is sent.
const EVERY: Duration = Duration::from_secs(2);
/// The most that is sent at once.
const TOGETHER: usize = 512;
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Tracer {
    /// Sends what waits, again and again; what is left once `over` ends is sent before this does. A collector that can't
    /// be reached is told of once, until it can.
    pub async fn send_to(
        &self,
        endpoint: &str,
        transport: &dyn Transport,
        over: impl Future<Output = ()>,
    ) {
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let mut over = std::pin::pin!(over);
        let mut is_there = true;
        loop {
            let is_over = tokio::select! {
                () = self.timer.sleep(EVERY) => false,
                () = &mut over => true,
            };
            is_there = self.send_waiting(&url, transport, is_there).await;
            if is_over {
                return;
            }
        }
    }

    /// Sends what waits until nothing is left, or the collector doesn't take it. Gives whether it does; `was_there` says
    /// whether it did before.
    async fn send_waiting(&self, url: &str, transport: &dyn Transport, was_there: bool) -> bool {
        let mut is_there = was_there;
        loop {
            let spans = self.waiting().await;
            if spans.is_empty() {
                return is_there;
            }
            let sent = send(url, transport, &spans).await;
            if let Err(why) = &sent {
                if is_there {
                    tracing::warn!("traces can't be sent, and are dropped until they can: {why}");
                }
                return false;
            }
            is_there = true;
        }
    }

    async fn waiting(&self) -> Vec<Span> {
        let mut waiting = self.waiting.lock().await;
        let mut spans = Vec::new();
        while spans.len() < TOGETHER
            && let Ok(span) = waiting.try_recv()
        {
            spans.push(span);
        }
        spans
    }
}

async fn send(url: &str, transport: &dyn Transport, spans: &[Span]) -> Result<(), String> {
    let request = http::Request::post(url)
        .header("content-type", "application/json")
        .body(Bytes::from(batch(spans)))
        .map_err(|error| error.to_string())?;
    let answer = transport.send(request, PATIENCE).await;
    match answer.map(|answer| answer.status()) {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) => Err(format!("the collector answers with {status}")),
        Err(lost) => Err(lost.to_string()),
    }
}
