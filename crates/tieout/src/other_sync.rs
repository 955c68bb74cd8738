//! The platform's own sync between the same two systems: while it may be at work, nothing goes live, because two syncs
//! make everything twice (scenario 249).

use jiff::Timestamp;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;
use tieout_domain::port::Ports;
use tieout_domain::{Clock as _, ConnectionName};
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
        Err(fault) => {
            let cause = format!("whether BILL's own sync is at work can't be seen: {fault}");
            Check::found(Status::Note, Code::new("other-sync-active"), cause)
        }
    }
}

/// Refuses to go live while it is at work. Where that can't be seen, says so and goes on.
///
/// # Errors
/// `other-sync-active`, with what speaks for it.
pub async fn refuse(home: &Home, name: &ConnectionName, ledger: &Ports) -> Result<(), Failure> {
    let check = check(home, name, ledger).await;
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
