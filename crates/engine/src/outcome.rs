//! Outcomes: what the answer to a write says of it, of its record, and of what is known over there.

use std::collections::HashMap;

use tieout_domain::code::Code;
use tieout_domain::port::{Action, Answer, Observed, Receipt};
use tieout_domain::{Fault, Kind, Outcome, RecordRef, RemoteId, Side, State};
use tieout_store::{Commit, Due, Fact, Known};

use crate::EngineError;
use crate::apply::{Applied, Intent};
use crate::lag::written;
use crate::mapping::of_link;
use crate::pull::{READ_AGAIN, in_population, read_again, seen};
use crate::run::Run;
use crate::send::Answered;

/// Says of a file that it is another one than was seen: what was decided on is to be read again.
const FILE_CHANGED: &str = "file-changed";

/// What became of the writes, all in one commit, to be made.
pub(crate) async fn outcomes(
    run: &mut Run<'_>,
    answered: Vec<Answered>,
    applied: &mut Applied,
) -> Result<Commit, EngineError> {
    let mut commit = run.commit();
    let versions = versions_before(run, &answered).await?;
    for Answered { to, writes } in answered {
        for (write, intent, answer) in writes {
            run.connection.progress.advance(1);
            let applied_it = matches!(answer, Answer::Applied(_));
            run.imported([&intent.record], applied_it, &mut commit);
            match answer {
                Answer::Applied(receipt) => {
                    applied.records.push(intent.record.clone());
                    run.written += 1;
                    let before = versions.get(&(to.side, to.kind, receipt.id.clone()));
                    take_receipt(run, &mut commit, write, &intent, receipt, before);
                }
                Answer::Failed(fault) => {
                    if take_fault(run, &mut commit, write, &intent, fault) {
                        applied.unknown.push(intent.record);
                    }
                }
            }
        }
    }
    Ok(commit)
}

/// In which versions changed records are known that the answers to their changes don't show.
async fn versions_before(
    run: &Run<'_>,
    answered: &[Answered],
) -> Result<HashMap<(Side, Kind, RemoteId), Known>, EngineError> {
    let mut versions = HashMap::new();
    for Answered { to, writes } in answered {
        let unshown: Vec<RemoteId> = writes
            .iter()
            .filter_map(|(_, intent, answer)| match answer {
                Answer::Applied(receipt) if intent.step.action == Action::Amend => {
                    receipt.observed.is_none().then(|| receipt.id.clone())
                }
                _ => None,
            })
            .collect();
        let store = &run.connection.store;
        for (id, known) in store.known(to.side, to.kind, &unshown).await? {
            versions.insert((to.side, to.kind, id), known);
        }
    }
    Ok(versions)
}

/// A write was applied: link, mirror, mapping.
fn take_receipt(
    run: &mut Run<'_>,
    commit: &mut Commit,
    write: u64,
    intent: &Intent,
    receipt: Receipt,
    before: Option<&Known>,
) {
    let step = &intent.step;
    let target = RecordRef {
        side: step.side,
        kind: step.document.kind(),
        id: receipt.id.clone(),
    };
    commit.facts.push(Fact::Applied {
        write,
        target: target.clone(),
        adopted: receipt.adopted,
    });
    if step.action == Action::Create {
        commit.facts.extend(of_link(
            &intent.record,
            &intent.label,
            &target,
            &step.because,
        ));
    }
    match receipt.observed {
        Some(observed) => commit.records.push(seen(step.side, observed)),
        None if step.action == Action::Create => {
            // What was written, until the closing pull shows what is there.
            let observed = Observed {
                id: receipt.id,
                version: String::new(),
                created: None,
                document: step.document.clone(),
            };
            commit.records.push(seen(step.side, observed));
        }
        None if let Some(over) = before => {
            let now = run.connection.timer.uptime();
            let at = run.connection.time_there(step.side, now);
            let observed = Observed {
                id: receipt.id,
                version: written(at, over),
                created: None,
                document: step.document.clone(),
            };
            commit.records.push(seen(step.side, observed));
        }
        // The mirror still shows it as it was: look again when the closing pull has been there.
        None => run.rest_until_confirmed(intent.flow, intent.record.clone()),
    }
    commit.due.push(intent.due());
    commit.due.extend(read_again(step.side, &step.document));
    commit.due.extend(
        step.expect
            .iter()
            .flat_map(|before| read_again(step.side, before)),
    );
    if step.action == Action::Create {
        // Known from its own creation, it may come as no news with the closing pull.
        commit.due.extend(in_population(run, &target));
    }
}

/// A write was not applied, or nobody knows. Tells whether nobody knows.
fn take_fault(
    run: &mut Run<'_>,
    commit: &mut Commit,
    write: u64,
    intent: &Intent,
    fault: Fault,
) -> bool {
    let cause = fault.to_string();
    let code = fault.code();
    if intent.again.is_some() {
        // Of the second sending this tells that it failed; of the first it tells nothing.
        if let Fault::Denied { .. } | Fault::Later { after: Some(_), .. } = fault {
            run.bar(intent.step.side, fault.clone());
        }
        if let Fault::Denied { .. } | Fault::Drift { .. } = fault {
            run.problem(
                &fault,
                intent.step.side,
                matches!(fault, Fault::Denied { .. }),
            );
        }
        commit.facts.push(Fact::Unknown {
            write,
            cause: cause.clone(),
        });
        let outcome = Outcome::because(State::Hold, Code::new("settling"), cause);
        commit.facts.push(intent.stated(outcome));
        run.rest_until_settled(intent.flow, intent.record.clone());
        return false;
    }
    match &fault {
        // An answer that isn't as documented proves nothing either.
        Fault::Unknown { .. } | Fault::Drift { .. } => {
            if let Fault::Drift { .. } = fault {
                run.problem(&fault, intent.step.side, false);
            }
            commit.facts.push(Fact::Unknown {
                write,
                cause: cause.clone(),
            });
            let outcome = Outcome::because(State::Hold, Code::new("settling"), cause);
            commit.facts.push(intent.stated(outcome));
            run.rest_until_settled(intent.flow, intent.record.clone());
            true
        }
        Fault::Later { .. } | Fault::Denied { .. } => {
            commit.facts.push(Fact::Later {
                write,
                code: code.clone(),
                cause: cause.clone(),
            });
            commit
                .facts
                .push(intent.stated(Outcome::because(State::Hold, code, cause)));
            commit.due.push(intent.due());
            if fault.code().as_str() == FILE_CHANGED {
                // No list may show it any more: the ledger lists the files of open bills.
                commit.due.push(Due {
                    flow: READ_AGAIN.to_owned(),
                    record: intent.record.clone(),
                });
            }
            let denied = matches!(fault, Fault::Denied { .. });
            if denied || matches!(fault, Fault::Later { after: Some(_), .. }) {
                run.bar(intent.step.side, fault.clone());
            }
            if denied {
                run.problem(&fault, intent.step.side, true);
            }
            run.rest_until_next_run(intent.flow, intent.record.clone());
            false
        }
        Fault::Refused { field, .. } => {
            commit.facts.push(Fact::Refused {
                write,
                code: code.clone(),
                field: field.clone(),
                cause: cause.clone(),
            });
            let text = match field {
                Some(field) => format!("{} was refused at `{field}`: {cause}", intent.label),
                None => format!("{} was refused: {cause}", intent.label),
            };
            commit
                .facts
                .push(intent.stated(Outcome::because(State::Blocked, code, text)));
            commit
                .settled
                .extend(run.looked_at(intent.flow, &intent.record));
            false
        }
    }
}
