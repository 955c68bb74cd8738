//! The platform's own sync between the same two systems: while it may be at work, nothing goes live, because two syncs
//! make everything twice (scenario 249).

use jiff::Timestamp;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;
use tieout_domain::port::Ports;
use tieout_domain::{Clock as _, ConnectionName, Fault};
use tieout_store::Fact;

use crate::assemble::actor;
use crate::failure::Failure;
use crate::home::Home;
use crate::seams::WallClock;
use crate::trial::refusal;

/// Whether it is at work, as a check of the ledger's side.
pub async fn check(home: &Home, name: &ConnectionName, ledger: &Ports) -> Check {
    let evidence = match stopped_at(home, name).await {
        Ok(since) => ledger.whole.other_sync(since).await,
        Err(failure) => return Check::found(Status::Failed, failure.code, failure.cause),
    };
    match evidence {
        Ok(None) => Check::ok(
            Code::new("checked"),
            "nothing of BILL's own sync is at work in the account",
        ),
        Ok(Some(evidence)) => {
            Check::found(Status::Failed, Code::new("other-sync-active"), evidence)
        }
        Err(fault) => unseen(&fault),
    }
}

/// What isn't shown to us, or isn't there to be asked, holds nobody up. A question that failed for the moment has an
/// answer, and it may be yes.
fn unseen(fault: &Fault) -> Check {
    if matches!(fault, Fault::Denied { .. }) || fault.code() == Code::new("feature-off") {
        let cause = format!("whether BILL's own sync is at work can't be seen: {fault}");
        return Check::found(Status::Note, Code::new("other-sync-active"), cause);
    }
    let cause = format!(
        "the ledger could not be asked whether BILL's own sync is at work, try again: {fault}"
    );
    Check::found(Status::Failed, fault.code(), cause)
}

/// Refuses to go live while it is at work, or while the ledger can't be asked for the moment. Where that isn't shown to
/// us, says so and goes on.
///
/// # Errors
/// `other-sync-active`, with what speaks for it; the code of the question that failed.
pub async fn refuse(home: &Home, name: &ConnectionName, ledger: &Ports) -> Result<(), Failure> {
    judge(name, check(home, name, ledger).await)
}

/// Refuses to go on with what was live before where it is seen to be at work. A side that can't be asked for the moment
/// holds nobody up then, and least of all the other connections of a pause of all: it is warned of.
///
/// # Errors
/// `other-sync-active`, with what speaks for it.
pub async fn refuse_if_seen(
    home: &Home,
    name: &ConnectionName,
    ledger: &Ports,
) -> Result<(), Failure> {
    judge(name, only_if_seen(check(home, name, ledger).await))
}

fn only_if_seen(check: Check) -> Check {
    if check.status == Status::Failed && check.code != Code::new("other-sync-active") {
        return Check {
            status: Status::Note,
            ..check
        };
    }
    check
}

fn judge(name: &ConnectionName, check: Check) -> Result<(), Failure> {
    match check.status {
        Status::Failed => Err(refusal(check.code, format!("`{name}`: {}", check.cause))),
        Status::Note => {
            tracing::warn!("`{name}`: {}", check.cause);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// When a person said that it was stopped: what it made before is no sign that it is still at work.
///
/// # Errors
/// What a database can answer.
pub async fn stopped_at(home: &Home, name: &ConnectionName) -> Result<Option<Timestamp>, Failure> {
    let said = home
        .store
        .installation()
        .remembered(&remembered_as(name))
        .await?;
    Ok(said.and_then(|said| said.parse().ok()))
}

/// A person says that it is stopped, as of now.
///
/// # Errors
/// What a database can answer.
pub async fn said_stopped(home: &Home, name: &ConnectionName) -> Result<(), Failure> {
    let text = format!("`{name}`: BILL's own sync is said to be stopped");
    remember(home, name, text, Some(WallClock.now())).await
}

/// It was not: what was said of it `before` holds again.
///
/// # Errors
/// What a database can answer.
pub async fn take_back(
    home: &Home,
    name: &ConnectionName,
    before: Option<Timestamp>,
) -> Result<(), Failure> {
    let text = format!("`{name}`: BILL's own sync is still at work");
    remember(home, name, text, before).await
}

async fn remember(
    home: &Home,
    name: &ConnectionName,
    text: String,
    at: Option<Timestamp>,
) -> Result<(), Failure> {
    let at = at.map(|at| at.to_string()).unwrap_or_default();
    let facts = vec![Fact::Note { text }];
    let installation = home.store.installation();
    Ok(installation
        .remember(&actor(), facts, (remembered_as(name), at))
        .await?)
}

fn remembered_as(name: &ConnectionName) -> String {
    format!("other-sync-stopped/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    fn judged(fault: &Fault) -> Result<(), Failure> {
        judge(&"acme-us".parse().unwrap(), unseen(fault))
    }

    #[test]
    fn s249_a_question_that_failed_for_the_moment_lets_nothing_go_live() {
        let cause = || "no answer came".to_owned();
        let later = Fault::Later {
            code: Code::new("timeout"),
            cause: cause(),
            after: None,
        };
        let refused = Fault::Refused {
            code: Code::new("refused-there"),
            field: None,
            cause: cause(),
        };
        let drift = Fault::Drift {
            code: Code::new("drift"),
            cause: cause(),
        };
        for fault in [later, refused, drift] {
            let failure = judged(&fault).unwrap_err();
            assert_eq!(failure.code, fault.code());
            // What was live before may go on.
            let name = "acme-us".parse().unwrap();
            assert!(judge(&name, only_if_seen(unseen(&fault))).is_ok());
            assert_eq!(failure.exit, Exit::Refused);
            for part in ["acme-us", "BILL's own sync", "try again", "no answer came"] {
                assert!(failure.cause.contains(part), "{part}: {}", failure.cause);
            }
        }
    }

    #[test]
    fn s249_what_is_seen_at_work_keeps_all_from_going_on() {
        let code = Code::new("other-sync-active");
        let seen = || Check::found(Status::Failed, code.clone(), "made a bill yesterday");
        let name = "acme-us".parse().unwrap();
        for check in [seen(), only_if_seen(seen())] {
            assert_eq!(judge(&name, check).unwrap_err().code, code);
        }
    }

    #[test]
    fn s249_what_is_not_shown_to_us_holds_nobody_up() {
        let closed = Fault::Denied {
            code: Code::new("permission-missing"),
            cause: "the role may not".to_owned(),
        };
        let missing = Fault::Refused {
            code: Code::new("feature-off"),
            field: None,
            cause: "no such table".to_owned(),
        };
        for fault in [closed, missing] {
            assert!(judged(&fault).is_ok(), "{fault}");
            assert_eq!(unseen(&fault).status, Status::Note);
        }
    }
}
