//! Traces for a collector, where `[server.telemetry]` names one: what a run did and how long each call took.
//!
//! A span says which service, which sort of call, how it ended and how long it took. No body, no header, no id, no
//! amount and no name is in one. Whatever happens to the collector happens to the traces alone: they wait in a short
//! queue, and what doesn't fit is dropped.

mod calls;
mod command;
mod export;
mod requests;
mod run;
mod span;

use std::sync::Arc;

use tieout_domain::Timer;
use tieout_kit::seams::Entropy;
use tokio::sync::mpsc;

pub use calls::Traced;
pub use command::{Traces, Watched};
pub use requests::traced;
pub use run::RunTrace;
pub use span::{Kind, Span};

/// So many spans wait to be sent; what comes beyond that is dropped.
const WAITING_MAX: usize = 4096;

/// Makes spans, and hands them to whoever [sends](Tracer::send_to) them.
pub struct Tracer {
    spans: mpsc::Sender<Span>,
    waiting: tokio::sync::Mutex<mpsc::Receiver<Span>>,
    timer: Arc<dyn Timer>,
    entropy: Arc<dyn Entropy>,
}

impl Tracer {
    /// One whose spans wait until they are sent.
    #[must_use]
    pub fn new(timer: Arc<dyn Timer>, entropy: Arc<dyn Entropy>) -> Self {
        let (spans, waiting) = mpsc::channel(WAITING_MAX);
        Self {
            spans,
            waiting: tokio::sync::Mutex::new(waiting),
            timer,
            entropy,
        }
    }

    /// Begins a span: of a trace of its own, or within another one.
    #[must_use]
    pub fn begin(&self, name: String, kind: Kind, within: Option<&Span>) -> Span {
        let trace = within.map_or_else(|| self.entropy.hex(16), |span| span.trace.clone());
        Span {
            trace,
            id: self.entropy.hex(8),
            parent: within.map(|span| span.id.clone()),
            name,
            kind,
            began: self.timer.now(),
            ended: self.timer.now(),
            told: Vec::new(),
            failed: false,
        }
    }

    /// Ends a span. Never waits.
    pub fn end(&self, mut span: Span) {
        span.ended = self.timer.now();
        // A collector that is slow costs its own traces.
        let _ = self.spans.try_send(span);
    }
}
