//! Making the runs that the scheduler starts.

use std::sync::Arc;

use async_trait::async_trait;
use tieout_engine::scheduler::{Ended, Job, Runs};
use tieout_engine::{Connection, EngineError, Progress, Quiet, RunOptions, RunReport};

use tieout_kit::refusals::REFUSALS_MAX;
use tieout_store::Claim;

use super::Service;
use crate::assemble;
use crate::commands::sync::run_id;
use crate::failure::Failure;
use crate::telemetry::RunTrace;

/// Who is at work when nobody asked: the service itself.
const SERVICE: &str = "service";

#[async_trait]
impl Runs for Service {
    async fn run(&self, job: Job) -> Ended {
        if !job.only.is_empty() || job.import.is_some() {
            return self.made(job).await;
        }
        match self.claim(&job).await {
            Ok(Claim::Ours) => {}
            Ok(Claim::Done) => return Ended::Made,
            Ok(Claim::Elsewhere) => return Ended::Elsewhere,
            Err(error) => {
                tracing::error!(connection = %job.connection, code = %error.code(), "{error}");
                return Ended::Failed;
            }
        }
        let ended = self.made(job.clone()).await;
        self.end_claim(&job).await;
        ended
    }

    fn cut(&self) {
        for holding in self.runs_on().values() {
            holding.cut();
        }
    }

    fn chance(&self) -> f64 {
        self.shared.entropy.fraction()
    }
}

impl Service {
    /// One run, made here.
    async fn made(&self, job: Job) -> Ended {
        let trace = self
            .tracer
            .as_ref()
            .map(|tracer| RunTrace::new(tracer, job.connection.as_str(), &job.trigger));
        let connection = match self.connection(&job, trace.as_ref()).await {
            Ok(Some(connection)) => connection,
            // It was switched off or removed after it had become due.
            Ok(None) => return Ended::Made,
            Err(failure) => {
                tracing::error!(connection = %job.connection, code = %failure.code, "{}", failure.cause);
                return Ended::Failed;
            }
        };
        for ports in [&connection.sides.ledger, &connection.sides.platform] {
            let refusals = ports.whole.refusals().await;
            if refusals >= REFUSALS_MAX {
                let system = ports.system;
                tracing::warn!(
                    connection = %job.connection, %system, refusals,
                    "not tried: more refused sign-ins within half an hour could lock somebody out"
                );
                return Ended::Denied;
            }
        }
        let whole = job.whole;
        let looks_at_all = looks_at_all(&job, &connection);
        let options = match job.import {
            Some(import) if !self.is_pending(&job.connection, import).await => return Ended::Made,
            Some(import) => RunOptions::importing(run_id(), import),
            None => RunOptions {
                flows: job.flows,
                only: job.only,
                whole: job.whole,
                ..RunOptions::new(run_id(), job.trigger)
            },
        };
        let id = options.id.clone();
        let Ok(began) = self.home.store.time().await else {
            return Ended::Failed;
        };
        let told = options.trigger == "webhook";
        self.runs_on()
            .insert(id.clone(), Arc::clone(&connection.holding));
        let result = tieout_engine::sync(&connection, options).await;
        self.runs_on().remove(&id);
        if let Some(trace) = trace {
            let status = result.as_ref().map(|report| report.status.as_str());
            trace.ended(&id, status.unwrap_or("failed"));
        }
        log(&connection, &result);
        let ended = Ended::of(&result);
        if whole && ended == Ended::Made {
            self.look_for_drift(&connection).await;
        }
        match &result {
            // Another's run may have looked before we were told.
            Ok(report) if report.joined && told => self.told(&job.connection),
            Ok(report) if ended == Ended::Made && !report.joined && looks_at_all => {
                if let Err(error) = connection.store.heed_hints(began).await {
                    tracing::warn!(connection = %job.connection, %error, "notifications stay unheeded");
                }
            }
            _ => {}
        }
        ended
    }

    /// The connection of a job, put together; `None` if there is none to be run any more.
    async fn connection(
        &self,
        job: &Job,
        trace: Option<&Arc<RunTrace>>,
    ) -> Result<Option<Connection>, Failure> {
        let config = self.config();
        let name = &job.connection;
        let Some(config) = config.connections.get(name).filter(|config| config.enabled) else {
            return Ok(None);
        };
        let (home, vault) = (&self.home, &self.vault);
        let traced = trace.map(|trace| self.shared.traced(trace));
        let shared = traced.as_ref().unwrap_or(&self.shared);
        let progress: Arc<dyn Progress> = match trace {
            Some(trace) => Arc::<RunTrace>::clone(trace),
            None => Arc::new(Quiet),
        };
        let made = assemble::connection(home, vault, shared, name, config, progress).await?;
        let actor = job.by.clone().unwrap_or_else(|| SERVICE.to_owned());
        Ok(Some(Connection {
            actor,
            holder: format!("node {}, process {}", self.node, std::process::id()),
            ..made
        }))
    }
}

/// Whether a run decides on whatever may have changed: then, and only then, it heeds what services told.
fn looks_at_all(job: &Job, connection: &Connection) -> bool {
    let includes = |flow: &str| job.flows.iter().any(|name| name == flow);
    let mut flows = connection.flows.iter();
    job.only.is_empty()
        && job.import.is_none()
        && (job.flows.is_empty() || flows.all(|flow| includes(flow.name())))
}

/// Says how a run ended. What is in the report's words is the history's; here is one line.
fn log(connection: &Connection, result: &Result<RunReport, EngineError>) {
    let name = connection.store.name();
    match result {
        Ok(report) if report.problems.is_empty() => tracing::info!(
            connection = %name, run = report.id, status = report.status.as_str(),
            written = report.written, seconds = report.seconds, "a run has ended"
        ),
        Ok(report) => {
            for problem in &report.problems {
                tracing::warn!(
                    connection = %name, run = report.id, code = %problem.code, "{}", problem.cause
                );
            }
        }
        Err(error) => tracing::warn!(connection = %name, code = %error.code(), "{error}"),
    }
}
