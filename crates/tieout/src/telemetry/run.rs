//! A run's own span, and one for each stretch of it: reading, a flow, confirming.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tieout_engine::Progress;

use super::{Kind, Span, Tracer};

/// A run that is traced: from the first thing that is done.
pub struct RunTrace {
    tracer: Arc<Tracer>,
    connection: String,
    trigger: String,
    whole: OnceLock<Span>,
    /// The stretch that is under way.
    stretch: Mutex<Option<Span>>,
}

impl RunTrace {
    /// Of a run of this connection.
    #[must_use]
    pub fn new(tracer: &Arc<Tracer>, connection: &str, trigger: &str) -> Arc<Self> {
        Arc::new(Self {
            tracer: Arc::clone(tracer),
            connection: connection.to_owned(),
            trigger: trigger.to_owned(),
            whole: OnceLock::new(),
            stretch: Mutex::default(),
        })
    }

    /// The run's own span, which begins now if it hasn't.
    fn whole(&self) -> &Span {
        self.whole.get_or_init(|| {
            let mut whole = self.tracer.begin("run".to_owned(), Kind::Internal, None);
            whole.tell("tieout.connection", self.connection.as_str());
            whole.tell("tieout.trigger", self.trigger.as_str());
            whole
        })
    }

    /// A span within what is under way.
    pub(super) fn within(&self, name: String, kind: Kind) -> Span {
        let stretch = self.stretch();
        let within = stretch.as_ref().unwrap_or_else(|| self.whole());
        self.tracer.begin(name, kind, Some(within))
    }

    /// A span of it has ended.
    pub(super) fn end(&self, span: Span) {
        self.tracer.end(span);
    }

    /// The run of this id has ended so.
    pub fn ended(&self, run: &str, status: &str) {
        Progress::end(self);
        let mut whole = self.whole().clone();
        whole.tell("tieout.run", run);
        whole.tell("tieout.status", status);
        if status == "failed" {
            whole.fail();
        }
        self.tracer.end(whole);
    }

    fn stretch(&self) -> MutexGuard<'_, Option<Span>> {
        self.stretch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for RunTrace {
    fn begin(&self, what: &str, _total: Option<u64>) {
        let span = self
            .tracer
            .begin(what.to_owned(), Kind::Internal, Some(self.whole()));
        let before = self.stretch().replace(span);
        if let Some(before) = before {
            self.tracer.end(before);
        }
    }

    fn advance(&self, _by: u64) {}

    fn end(&self) {
        let ended = self.stretch().take();
        if let Some(ended) = ended {
            self.tracer.end(ended);
        }
    }
}
