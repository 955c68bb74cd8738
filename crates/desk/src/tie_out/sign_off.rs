//! Sign-off: a preparer and a reviewer, who is somebody else, put their names under a report. What is signed is frozen
//! under its hash, in the history.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::code::Code;
use tieout_flows::tie_out::{OpenDocument, Report, Signature, Status};
use tieout_store::{Commit, ConnectionStore, Entry, Fact, frozen_name};

use super::{Made, Scope, corrupt};
use crate::error::DeskError;

/// What is signed.
const REPORT: &str = "tie-out";

/// As what somebody signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Who made the report and looked after its differences.
    Preparer,
    /// Somebody else, who has read it.
    Reviewer,
}

impl Role {
    /// As in the history.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preparer => "preparer",
            Self::Reviewer => "reviewer",
        }
    }
}

/// A signature as the history has it.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The entry that says so.
    pub seq: u64,
    /// Which month: `2026-06`.
    pub period: String,
    /// Which currency.
    pub currency: String,
    /// The SHA-256 of what the report was made of.
    pub extract: String,
    /// Who, when, as what.
    pub signature: Signature,
}

impl Signed {
    fn of(entry: Entry) -> Option<Self> {
        let Fact::Signed {
            report,
            period,
            currency,
            role,
            sha256,
            extract,
            comment,
            ..
        } = entry.fact
        else {
            return None;
        };
        (report == REPORT).then_some(Self {
            seq: entry.seq,
            period,
            currency,
            extract,
            signature: Signature {
                role,
                who: entry.actor,
                at: entry.at,
                comment,
                sha256,
            },
        })
    }

    /// What was signed.
    ///
    /// # Errors
    /// `store-corrupt` if it is not there; the store's.
    pub async fn report(&self, store: &ConnectionStore) -> Result<Report, DeskError> {
        thawed(store, &self.signature.sha256).await
    }

    /// What it was made of.
    ///
    /// # Errors
    /// `store-corrupt` if it is not there; the store's.
    pub async fn documents(&self, store: &ConnectionStore) -> Result<Vec<OpenDocument>, DeskError> {
        thawed(store, &self.extract).await
    }
}

async fn thawed<T: serde::de::DeserializeOwned>(
    store: &ConnectionStore,
    sha256: &str,
) -> Result<T, DeskError> {
    let body = store.frozen(sha256).await?;
    let read = body.as_deref().map(serde_json::from_str);
    match read {
        Some(Ok(read)) => Ok(read),
        Some(Err(error)) => Err(corrupt(format!("what was signed under {sha256}: {error}"))),
        None => Err(corrupt(format!(
            "what was signed under {sha256} is not there"
        ))),
    }
}

/// All signatures of tie-outs, the oldest first.
///
/// # Errors
/// The store's.
pub async fn signatures(store: &ConnectionStore) -> Result<Vec<Signed>, DeskError> {
    let entries = store.signatures().await?;
    Ok(entries.into_iter().filter_map(Signed::of).collect())
}

/// The last signature of each month and currency.
///
/// # Errors
/// The store's.
pub async fn latest(
    store: &ConnectionStore,
) -> Result<BTreeMap<(String, String), Signed>, DeskError> {
    let all = signatures(store).await?.into_iter();
    Ok(all
        .map(|one| ((one.period.clone(), one.currency.clone()), one))
        .collect())
}

/// The preparer signs a report that was just made: what is signed is what is there.
///
/// # Errors
/// `not-tied` if it must not be signed; the store's.
pub async fn prepare(
    store: &ConnectionStore,
    made: &Made,
    comment: &str,
    actor: &str,
) -> Result<Fact, DeskError> {
    let report = &made.report;
    if matches!(report.status, Status::NotTied | Status::Incomplete) {
        let cause = format!(
            "the tie-out of {} is {}: {}",
            report.period.name,
            report.status.as_str(),
            report.reasons.join("; ")
        );
        return Err(DeskError::refused(Code::new("not-tied"), cause));
    }
    let unreadable = |error: serde_json::Error| corrupt(error.to_string());
    let body = serde_json::to_string(report).map_err(unreadable)?;
    let extract = serde_json::to_string(&made.documents).map_err(unreadable)?;
    let fact = Fact::Signed {
        report: REPORT.to_owned(),
        period: made.month(),
        currency: report.currency.to_string(),
        role: Role::Preparer.as_str().to_owned(),
        status: report.status.as_str().to_owned(),
        sha256: frozen_name(&body),
        extract: frozen_name(&extract),
        comment: comment.to_owned(),
    };
    sign(store, fact, vec![body, extract], actor).await
}

/// The code of what a reviewer has not read: another report was prepared since.
pub const PREPARED_ANEW: Code = Code::new("version-changed");

/// The reviewer signs the very report that the preparer signed last; `read` is the SHA-256 of the one that he has read,
/// where that is known.
///
/// # Errors
/// `not-signed` if nobody has; `same-person` if it is the preparer again; [`PREPARED_ANEW`] if it is another one than was
/// read; the store's.
pub async fn review(
    store: &ConnectionStore,
    scope: &Scope,
    read: Option<&str>,
    comment: &str,
    actor: &str,
) -> Result<Fact, DeskError> {
    let signed = last(store, scope, Some(Role::Preparer)).await?;
    if signed.signature.who == actor {
        let cause = format!(
            "{actor} prepared the tie-out of {} and can't review it too",
            signed.period
        );
        return Err(DeskError::refused(Code::new("same-person"), cause));
    }
    if read.is_some_and(|read| read != signed.signature.sha256) {
        let cause = format!(
            "another tie-out of {} was prepared since this one was read: by {}, under {}",
            signed.period, signed.signature.who, signed.signature.sha256
        );
        return Err(DeskError::refused(PREPARED_ANEW, cause));
    }
    let report = signed.report(store).await?;
    let fact = Fact::Signed {
        report: REPORT.to_owned(),
        period: signed.period,
        currency: signed.currency,
        role: Role::Reviewer.as_str().to_owned(),
        status: report.status.as_str().to_owned(),
        sha256: signed.signature.sha256,
        extract: signed.extract,
        comment: comment.to_owned(),
    };
    sign(store, fact, Vec::new(), actor).await
}

async fn sign(
    store: &ConnectionStore,
    fact: Fact,
    frozen: Vec<String>,
    actor: &str,
) -> Result<Fact, DeskError> {
    let commit = Commit {
        actor: actor.to_owned(),
        facts: vec![fact.clone()],
        frozen,
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(fact)
}

/// The last signature of this month and currency, in this role. What was signed is never guessed: the month is
/// named, and the currency too where several were signed.
///
/// # Errors
/// `not-signed` if there is none; `usage` if it isn't clear which is meant; the store's.
pub async fn last(
    store: &ConnectionStore,
    scope: &Scope,
    role: Option<Role>,
) -> Result<Signed, DeskError> {
    let Some(period) = &scope.period else {
        let cause = "name the month that was signed with --period, as 2026-06";
        return Err(DeskError::usage(Code::new("usage"), cause));
    };
    let mut found: Vec<Signed> = signatures(store).await?;
    found.retain(|signed| {
        let currency = scope.currency.as_ref();
        signed.period == *period
            && currency.is_none_or(|code| code.eq_ignore_ascii_case(&signed.currency))
            && role.is_none_or(|role| role.as_str() == signed.signature.role)
    });
    let currencies: BTreeSet<&str> = found.iter().map(|one| one.currency.as_str()).collect();
    if currencies.len() > 1 {
        let names: Vec<&str> = currencies.into_iter().collect();
        let cause = format!(
            "{period} was signed in {}: name one with --currency",
            names.join(", ")
        );
        return Err(DeskError::usage(Code::new("usage"), cause));
    }
    found.pop().ok_or_else(|| {
        let cause = match role {
            Some(role) => format!("no tie-out of {period} was signed by a {}", role.as_str()),
            None => format!("no tie-out of {period} was signed"),
        };
        DeskError::usage(Code::new("not-signed"), cause)
    })
}

/// The report that was last signed, with its signatures.
///
/// # Errors
/// Those of [`last`].
pub async fn as_signed(store: &ConnectionStore, scope: &Scope) -> Result<Made, DeskError> {
    let signed = last(store, scope, None).await?;
    let mut report = signed.report(store).await?;
    let all = signatures(store).await?.into_iter();
    report.signatures = all
        .filter(|one| one.signature.sha256 == signed.signature.sha256)
        .map(|one| one.signature)
        .collect();
    Ok(Made {
        report,
        documents: signed.documents(store).await?,
        others: BTreeMap::new(),
    })
}
