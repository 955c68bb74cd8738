//! The two-person rule: one person asks, another approves, and only then it is done.
//!
//! What is asked for is kept as what will be true afterwards, so that approving it needs to know nothing about it:
//! the decision and its effect are one commit. Which acts need it is decided where they are done: mappings of bank
//! and clearing accounts, replays of money. (A sign-off has its two people in itself: preparer and reviewer.)

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tieout_domain::TenantName;
use tieout_domain::code::Code;
use tieout_store::{
    Approval, ApprovalDecision, ApprovalStatus, Asked, Commit, ConnectionStore, Due, Fact, Role,
    Store, StoreError,
};

use crate::error::DeskError;

/// Who acts: the person, and through what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By<'a> {
    /// The user's name, also where a token of theirs is used: nobody approves what they asked for themselves.
    pub user: &'a str,
    /// As the history names them: `user:NAME`, `token:NAME`.
    pub actor: &'a str,
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What it means, in a sentence for who approves it.
    pub text: String,
    /// What becomes part of the history.
    pub facts: Vec<Fact>,
    /// What is looked at again then.
    pub due: Vec<Due>,
    /// Preferences that are changed with it, by key: they stand in the configuration, so whoever [approves](approve)
    /// changes them there first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub preferences: BTreeMap<String, Value>,
}

/// A request that is open or was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asked, when and why, and what became of it.
    pub approval: Approval,
    /// What for.
    pub proposal: Proposal,
}

/// Whether it takes two for a connection of this tenant: as the switch says, or, where it says nothing, as soon as two
/// could do it. Who doesn't reach the connection can't.
///
/// # Errors
/// The store's.
pub async fn needed(
    store: &Store,
    tenant: Option<&TenantName>,
    switch: Option<bool>,
) -> Result<bool, DeskError> {
    if let Some(switch) = switch {
        return Ok(switch);
    }
    let users = store.people().users().await?;
    let could = users
        .iter()
        .filter(|user| user.may(Role::Approver) && user.reach().includes(tenant));
    Ok(could.count() > 1)
}

/// Asks for something, and gives the request's id. `what` is the sort of thing (`mapping`, `replay`), `subject` the
/// thing itself: one request for it is open at a time.
///
/// # Errors
/// `approval-open` where it is asked for already; the store's.
pub async fn request(
    store: &ConnectionStore,
    (what, subject): (&str, &str),
    proposal: &Proposal,
    reason: &str,
    by: By<'_>,
) -> Result<u64, DeskError> {
    let proposal = serde_json::to_value(proposal)
        .map_err(|error| DeskError::usage(Code::new("usage"), error.to_string()))?;
    let asked = Asked {
        what: what.to_owned(),
        subject: subject.to_owned(),
        proposal,
        reason: reason.to_owned(),
    };
    Ok(store.ask_approval(&asked, by.user, by.actor).await?)
}

/// What a request asks for, if this person may approve it now. Its preferences stand in the configuration, and are
/// changed before it is approved: what can't be written there leaves the request open, and is not lost.
///
/// # Errors
/// `approval-by-asker` for who asked, `approval-closed` for what is not open; the store's.
pub async fn approvable(
    store: &ConnectionStore,
    id: u64,
    by: By<'_>,
) -> Result<Proposal, DeskError> {
    let closed = |cause: String| StoreError::ApprovalClosed { request: id, cause };
    let approval = store.approval(id).await?;
    let approval = approval.ok_or_else(|| closed("it was never made".to_owned()))?;
    if approval.status != ApprovalStatus::Open {
        return Err(closed(format!("it was {}", approval.status.as_str())).into());
    }
    if approval.asked_by == by.user {
        let user = by.user.to_owned();
        return Err(StoreError::ApprovalByAsker { user }.into());
    }
    read(&approval)
}

/// Approves a request: what it asks for becomes true with it, but for its preferences, which are changed before.
///
/// # Errors
/// As for [`approvable`].
pub async fn approve(
    store: &ConnectionStore,
    id: u64,
    reason: &str,
    by: By<'_>,
) -> Result<(), DeskError> {
    let proposal = approvable(store, id, by).await?;
    let then = Commit {
        actor: by.actor.to_owned(),
        facts: proposal.facts,
        due: proposal.due,
        ..Commit::default()
    };
    store
        .decide_approval(id, ApprovalDecision::Approved, by.user, reason, then)
        .await?;
    Ok(())
}

/// Declines a request; who asked takes it back so.
///
/// # Errors
/// `approval-closed` for what is not open; the store's.
pub async fn decline(
    store: &ConnectionStore,
    id: u64,
    reason: &str,
    by: By<'_>,
) -> Result<(), DeskError> {
    let nothing = Commit {
        actor: by.actor.to_owned(),
        ..Commit::default()
    };
    let decided = store.decide_approval(id, ApprovalDecision::Declined, by.user, reason, nothing);
    Ok(decided.await?)
}

/// What nobody has decided yet, the oldest first.
///
/// # Errors
/// The store's.
pub async fn open(store: &ConnectionStore) -> Result<Vec<Request>, DeskError> {
    store
        .open_approvals()
        .await?
        .into_iter()
        .map(opened)
        .collect()
}

/// What was decided, the newest first, at most so many.
///
/// # Errors
/// The store's.
pub async fn decided(store: &ConnectionStore, most: u32) -> Result<Vec<Request>, DeskError> {
    store
        .decided_approvals(most)
        .await?
        .into_iter()
        .map(opened)
        .collect()
}

fn opened(approval: Approval) -> Result<Request, DeskError> {
    let proposal = read(&approval)?;
    Ok(Request { approval, proposal })
}

fn read(approval: &Approval) -> Result<Proposal, DeskError> {
    serde_json::from_value(approval.proposal.clone()).map_err(|error| {
        let cause = format!("request {} can't be read: {error}", approval.id);
        DeskError::usage(Code::new("approval-closed"), cause)
    })
}
