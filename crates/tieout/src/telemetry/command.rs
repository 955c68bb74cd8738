//! The traces of a command that is over when its work is: its runs are traced as the service's are, and the last spans
//! are sent before it ends.

use std::sync::Arc;

use tieout_engine::Progress;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{RunTrace, Tracer};
use crate::assemble::Shared;
use crate::config::Config;

/// What traces the runs of a command, where traces go anywhere.
#[derive(Default)]
pub struct Traces(Option<Sending>);

struct Sending {
    tracer: Arc<Tracer>,
    /// Dropped when nothing more comes.
    over: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Traces {
    /// Sends what comes to the collector that the configuration names, if it names one.
    #[must_use]
    pub fn begin(config: &Config, shared: &Shared) -> Self {
        Self(config.telemetry.clone().map(|endpoint| {
            let (timer, entropy) = (Arc::clone(&shared.timer), Arc::clone(&shared.entropy));
            let tracer = Arc::new(Tracer::new(timer, entropy));
            let (over, told) = oneshot::channel::<()>();
            let (sender, transport) = (Arc::clone(&tracer), Arc::clone(&shared.transport));
            let task = tokio::spawn(async move {
                let over = async {
                    let _ = told.await;
                };
                sender.send_to(&endpoint, &*transport, over).await;
            });
            Sending { tracer, over, task }
        }))
    }

    /// The trace of a run of this connection.
    #[must_use]
    pub fn of_run(&self, connection: &str, trigger: &str) -> Option<Arc<RunTrace>> {
        let sending = self.0.as_ref()?;
        Some(RunTrace::new(&sending.tracer, connection, trigger))
    }

    /// Sends what is left. Takes no longer than the collector may for two answers.
    pub async fn end(self) {
        let Some(Sending { over, task, .. }) = self.0 else {
            return;
        };
        drop(over);
        // It could only have panicked; the work that it told of is done.
        let _ = task.await;
    }
}

/// Progress for whoever watches, and for the trace.
pub struct Watched {
    /// Who watches.
    pub shown: Arc<dyn Progress>,
    /// The trace.
    pub trace: Arc<RunTrace>,
}

impl Progress for Watched {
    fn begin(&self, what: &str, total: Option<u64>) {
        self.shown.begin(what, total);
        self.trace.begin(what, total);
    }

    fn advance(&self, by: u64) {
        self.shown.advance(by);
    }

    fn end(&self) {
        self.shown.end();
        Progress::end(&*self.trace);
    }
}
