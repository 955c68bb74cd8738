//! Connections whose work a command traces, where traces go anywhere.

use std::sync::Arc;

use tieout_engine::Connection;

use super::sync::{connections_with, run_id};
use crate::assemble::Shared;
use crate::cli::Global;
use crate::failure::Failure;
use crate::home::Home;
use crate::telemetry::{RunTrace, Traces};

/// A connection, and what traces the one piece of work that is done with it.
pub struct Traced {
    /// The connection.
    pub connection: Connection,
    trace: Option<Arc<RunTrace>>,
}

impl Traced {
    /// Does the work under a run's id, and tells of it how it ended. `status` names that.
    pub async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&Connection, String) -> T,
        status: impl FnOnce(&T) -> &'static str,
    ) -> T {
        let id = run_id();
        let done = work(&self.connection, id.clone()).await;
        if let Some(trace) = &self.trace {
            trace.ended(&id, status(&done));
        }
        done
    }
}

/// How work ended that either came to something or failed.
pub fn done_or_failed<T, E>(done: &Result<T, E>) -> &'static str {
    if done.is_ok() { "done" } else { "failed" }
}

/// The chosen connections, put together; whatever comes of the work with them, its traces are sent before this ends.
pub async fn with_traces<T>(
    global: &Global,
    home: &Home,
    (names, trigger): (&[String], &str),
    work: impl AsyncFnOnce(Vec<Traced>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let shared = Shared::new()?;
    let traces = Traces::begin(&home.config, &shared);
    let of_run = |name: &str| traces.of_run(name, trigger);
    let result = match connections_with(&shared, global, home, names, of_run).await {
        Ok(made) => {
            let traced = |(connection, trace)| Traced { connection, trace };
            work(made.into_iter().map(traced).collect()).await
        }
        Err(failure) => Err(failure),
    };
    traces.end().await;
    result
}
