//! The two-person rule: what one person asks for and another approves. Of a connection, in its history, so that
//! a decision and what follows from it are one commit.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::AnyRow;
use tieout_domain::Timestamp;

use crate::StoreError;
use crate::chain::moment;
use crate::commit::limit;
use crate::facts::{Commit, Fact};
use crate::sql::{self, cells, count, int, json, maybe_int, maybe_text, parse, text, with};
use crate::store::ConnectionStore;

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalDecision {
    /// Another person says yes.
    Approved,
    /// Anybody says no; who asked takes it back.
    Declined,
}

impl ApprovalDecision {
    /// The word in the store and on pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
        }
    }
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalStatus {
    /// Nobody has decided.
    Open,
    /// See [`ApprovalDecision::Approved`].
    Approved,
    /// See [`ApprovalDecision::Declined`].
    Declined,
}

impl ApprovalStatus {
    /// The word in the store and on pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Declined => "declined",
        }
    }
}

impl FromStr for ApprovalStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Open, Self::Approved, Self::Declined]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no status of a request"))
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What sort of thing: `mapping`, `replay`, `sign-off`.
    pub what: String,
    /// What exactly: one request for it is open at a time.
    pub subject: String,
    /// What will be done, in the words of who does it then.
    pub proposal: Value,
    /// Why.
    pub reason: String,
}

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// Its id: the number of its entry in the connection's history.
    pub id: u64,
    /// See [`Asked::what`].
    pub what: String,
    /// See [`Asked::subject`].
    pub subject: String,
    /// See [`Asked::proposal`].
    pub proposal: Value,
    /// See [`Asked::reason`].
    pub reason: String,
    /// Who asked: a user's name.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// How it stands.
    pub status: ApprovalStatus,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why.
    pub decision_reason: Option<String>,
}

impl ConnectionStore {
    /// Asks for something that another person must approve, and returns the request's id. `user` is the person,
    /// `actor` who they act through.
    ///
    /// # Errors
    /// [`StoreError::ApprovalOpen`] where it is asked for already. Also what a database can answer.
    pub async fn ask_approval(
        &self,
        asked: &Asked,
        user: &str,
        actor: &str,
    ) -> Result<u64, StoreError> {
        let mut reader = self.store.reader().await?;
        let cells = cells![&*self.chain, asked.what.as_str(), asked.subject.as_str()];
        let open = with(sql::APPROVAL_OPEN_FOR, cells)
            .fetch_optional(&mut reader)
            .await?;
        drop(reader);
        if let Some(row) = open {
            return Err(StoreError::ApprovalOpen {
                by: read(&row)?.asked_by,
            });
        }
        let fact = Fact::ApprovalAsked {
            what: asked.what.clone(),
            subject: asked.subject.clone(),
            proposal: asked.proposal.clone(),
            user: user.to_owned(),
            reason: asked.reason.clone(),
        };
        let commit = Commit {
            actor: actor.to_owned(),
            facts: vec![fact],
            ..Commit::default()
        };
        let seqs = self.commit(commit).await?;
        Ok(seqs.first().copied().unwrap_or_default())
    }

    /// Decides a request. With it becomes true what `then` says: the facts that an approval brings about are
    /// recorded with it or not at all. Its actor is who decides.
    ///
    /// # Errors
    /// [`StoreError::ApprovalClosed`] for a request that is not open, and [`StoreError::ApprovalByAsker`] where
    /// the person who asked approves. Also what a commit can answer.
    pub async fn decide_approval(
        &self,
        request: u64,
        decision: ApprovalDecision,
        user: &str,
        reason: &str,
        mut then: Commit,
    ) -> Result<(), StoreError> {
        let approval = self.approval(request).await?;
        let closed = |cause: &str| StoreError::ApprovalClosed {
            request,
            cause: cause.to_owned(),
        };
        match &approval {
            None => return Err(closed("it was never made")),
            Some(approval) if approval.status != ApprovalStatus::Open => {
                return Err(closed(&format!("it was {}", approval.status.as_str())));
            }
            Some(approval)
                if approval.asked_by == user && decision == ApprovalDecision::Approved =>
            {
                return Err(StoreError::ApprovalByAsker {
                    user: user.to_owned(),
                });
            }
            Some(_) => {}
        }
        then.facts.insert(
            0,
            Fact::ApprovalDecided {
                request,
                decision,
                user: user.to_owned(),
                reason: reason.to_owned(),
            },
        );
        self.commit(then).await.map(drop)
    }

    /// The request of this id.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn approval(&self, request: u64) -> Result<Option<Approval>, StoreError> {
        let mut reader = self.store.reader().await?;
        let row = with(sql::APPROVAL, cells![&*self.chain, request])
            .fetch_optional(&mut reader)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The requests that nobody has decided, the oldest first.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn open_approvals(&self) -> Result<Vec<Approval>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = with(sql::APPROVALS_OPEN, cells![&*self.chain])
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The requests that were decided, the newest first, at most so many.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn decided_approvals(&self, rows: u32) -> Result<Vec<Approval>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = with(sql::APPROVALS_DECIDED, cells![&*self.chain, limit(rows)])
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<Approval, StoreError> {
    Ok(Approval {
        id: count(row, 0)?,
        what: text(row, 1)?,
        subject: text(row, 2)?,
        proposal: json(&text(row, 3)?)?,
        asked_by: text(row, 4)?,
        asked_at: moment(int(row, 5)?)?,
        reason: text(row, 6)?,
        status: parse(&text(row, 7)?)?,
        decided_by: maybe_text(row, 8)?,
        decided_at: maybe_int(row, 9)?.map(moment).transpose()?,
        decision_reason: maybe_text(row, 10)?,
    })
}
