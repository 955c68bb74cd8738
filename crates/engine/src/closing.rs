//! The end of a run: how everything stands, said once in the history and given to the caller.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::{Fault, State};
use tieout_store::{Commit, Fact};

use crate::cost::{Sent, pace, sent_since};
use crate::error::EngineError;
use crate::report::{FlowCounts, Problem, RunReport, RunStatus};
use crate::run::Run;

/// Not being let in before being told to wait, and that before not being answered.
fn by_gravity(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by_key(|fault| match fault {
        Fault::Denied { .. } => 0,
        Fault::Later { after: Some(_), .. } => 1,
        _ => 2,
    });
    faults
}

impl Run<'_> {
    pub(crate) async fn report(
        &self,
        sent_before: &BTreeMap<String, Sent>,
        seconds: f64,
        result: Result<(), &EngineError>,
    ) -> Result<RunReport, EngineError> {
        if self.connection.holding.is_cut() {
            // Whatever else went wrong came of it.
            self.problems().clear();
            let error = EngineError::Interrupted;
            self.note(Problem {
                code: error.code(),
                cause: error.to_string(),
                side_failed: false,
            });
        } else if let Err(error) = result {
            if let EngineError::Side { fault, .. } = error {
                self.hindered_by(fault);
            }
            let side_failed = matches!(error, EngineError::Side { .. });
            self.note(Problem {
                code: error.code(),
                cause: error.to_string(),
                side_failed,
            });
        }
        let counts = self.connection.store.counts().await?;
        let flows: BTreeMap<String, FlowCounts> = self
            .connection
            .flows
            .iter()
            .map(|flow| {
                let counts = counts.get(flow.name()).copied().unwrap_or_default();
                (flow.name().to_owned(), FlowCounts::of(&counts))
            })
            .collect();
        let sent = sent_since(self.connection, sent_before);
        let calls: BTreeMap<String, u64> = (sent.iter())
            .map(|(system, sent)| (system.clone(), sent.calls))
            .collect();
        let waiting = |counts: &FlowCounts| {
            State::ALL
                .iter()
                .any(|state| state.needs_a_person() && counts.of_state(*state) > 0)
        };
        let problems = self.problems().clone();
        let status = if !problems.is_empty() {
            RunStatus::Failed
        } else if flows.values().any(waiting) {
            RunStatus::Exceptions
        } else {
            RunStatus::Done
        };
        let ended = Fact::RunEnded {
            status: status.as_str().to_owned(),
            flows: flows
                .iter()
                .map(|(flow, counts)| {
                    let counts = counts
                        .0
                        .iter()
                        .map(|(k, v)| ((*k).to_owned(), *v))
                        .collect();
                    (flow.clone(), counts)
                })
                .collect(),
            calls: calls.clone(),
            cause: problems
                .iter()
                .map(|p| p.cause.as_str())
                .collect::<Vec<_>>()
                .join("; "),
            codes: problems
                .iter()
                .map(|problem| problem.code.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        };
        let commit = Commit {
            facts: vec![ended],
            remember: pace(self.connection, &sent).await?.into_iter().collect(),
            ..self.commit()
        };
        self.connection.store.commit(commit).await?;
        Ok(RunReport {
            id: self.id.to_string(),
            connection: self.connection.store.name().to_string(),
            status,
            flows,
            calls,
            allowances: self.connection.allowances.clone(),
            seconds,
            written: self.written,
            joined: false,
            problems,
            hindered: by_gravity(std::mem::take(&mut *self.faults())),
            initial: self.initial.clone(),
            stopped: self.stopped.clone(),
        })
    }
}
