//! Drift: what has changed in a month since it was signed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tieout_domain::{Amount, RecordRef, Timestamp};
use tieout_engine::Connection;
use tieout_flows::tie_out::{Leg, OpenDocument, Report, Status};
use tieout_store::{Commit, ConnectionStore};

use super::sign_off::Signed;
use super::{Made, Scope, corrupt, make};
use crate::error::DeskError;
use crate::story::sentence;

/// What has changed since a report was signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Drift {
    /// What was signed.
    pub was: Report,
    /// Whether the books agree now.
    pub status: Status,
    /// The figures of the legs that are not what they were.
    pub figures: Vec<FigureChanged>,
    /// Documents that have not the same open any more.
    pub documents: Vec<Changed>,
}

/// A figure that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureChanged {
    /// The leg.
    pub leg: Leg,
    /// The figure's name.
    pub figure: String,
    /// As it was signed.
    pub was: Amount,
    /// As it is now.
    pub is: Amount,
}

/// A document that has not the same open any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The record.
    pub record: RecordRef,
    /// What people call it.
    pub label: String,
    /// The vendor by name; of receivables, the customer.
    pub vendor: String,
    /// What was open of it.
    pub was: Amount,
    /// What is.
    pub is: Amount,
    /// The version that the service gives it now: the time of its last change there.
    pub version: String,
    /// What tieout's own history knows of it since.
    pub since: Vec<String>,
}

impl Drift {
    /// Whether nothing has changed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.figures.is_empty() && self.documents.is_empty()
    }

    /// The drift as scripts read it.
    #[must_use]
    pub fn to_json(&self, signed: &Signed) -> Value {
        let figures: Vec<_> = self.figures.iter().map(FigureChanged::told).collect();
        let documents: Vec<_> = self.documents.iter().map(Changed::told).collect();
        json!({
            "period": signed.period, "currency": signed.currency,
            "sha256": signed.signature.sha256,
            "signed": {"by": signed.signature.who, "at": signed.signature.at},
            "status": {"was": self.was.status, "is": self.status},
            "figures": figures, "documents": documents,
        })
    }
}

impl FigureChanged {
    fn told(&self) -> Value {
        json!({"leg": self.leg, "figure": self.figure, "was": self.was, "is": self.is})
    }
}

impl Changed {
    fn told(&self) -> Value {
        json!({
            "record": self.record, "label": self.label, "vendor": self.vendor,
            "open": {"was": self.was, "is": self.is},
            "changed_there": self.version, "since": self.since,
        })
    }
}

/// Holds a report that was just made against the one that was signed.
///
/// # Errors
/// `store-corrupt` if what was signed is not there; the store's.
pub async fn drift(
    store: &ConnectionStore,
    signed: &Signed,
    now: Made,
) -> Result<Drift, DeskError> {
    let was = signed.report(store).await?;
    let before = signed.documents(store).await?;
    Ok(Drift {
        figures: figures(&was, &now.report),
        documents: documents(store, before, now.documents, signed.seq).await?,
        status: now.report.status,
        was,
    })
}

/// A look for drift, kept to be looked at again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Looked {
    /// The SHA-256 of what was signed.
    pub sha256: String,
    /// When it was looked for.
    pub at: Timestamp,
    /// What was found.
    pub drift: Drift,
}

/// Makes a signed report anew, holds it against what was signed, and keeps what it finds.
///
/// # Errors
/// As for [`make`] and [`drift`].
pub async fn look(
    connection: &Connection,
    signed: &Signed,
    id: String,
) -> Result<Looked, DeskError> {
    let scope = Scope {
        period: Some(signed.period.clone()),
        currency: Some(signed.currency.to_string()),
    };
    let now = make(connection, &scope, None, id).await?;
    let looked = Looked {
        sha256: signed.signature.sha256.clone(),
        at: connection.timer.now(),
        drift: drift(&connection.store, signed, now).await?,
    };
    keep(&connection.store, signed, &looked).await?;
    Ok(looked)
}

/// Keeps what was found in the place of the last look at the same month and currency.
///
/// # Errors
/// The store's.
pub async fn keep(
    store: &ConnectionStore,
    signed: &Signed,
    looked: &Looked,
) -> Result<(), DeskError> {
    let body = serde_json::to_string(looked).map_err(|error| corrupt(error.to_string()))?;
    let commit = Commit {
        actor: "engine".to_owned(),
        remember: vec![(kept_as(signed), body)],
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(())
}

/// What the last look at a signed report found; `None` if nobody has looked since it was signed.
///
/// # Errors
/// The store's.
pub async fn kept(store: &ConnectionStore, signed: &Signed) -> Result<Option<Looked>, DeskError> {
    let body = store.remembered(&kept_as(signed)).await?;
    let looked: Option<Looked> = body.and_then(|body| serde_json::from_str(&body).ok());
    Ok(looked.filter(|looked| looked.sha256 == signed.signature.sha256))
}

fn kept_as(signed: &Signed) -> String {
    format!("drift/{}/{}", signed.period, signed.currency)
}

/// Documents of which another amount is open now.
async fn documents(
    store: &ConnectionStore,
    before: Vec<OpenDocument>,
    now: Vec<OpenDocument>,
    seq: u64,
) -> Result<Vec<Changed>, DeskError> {
    let mut documents: BTreeMap<RecordRef, Changed> = BTreeMap::new();
    let mut put = |document: OpenDocument, is_now: bool| {
        let changed = documents
            .entry(document.record.clone())
            .or_insert_with(|| Changed {
                record: document.record,
                label: document.label,
                vendor: document.vendor,
                was: Amount::ZERO,
                is: Amount::ZERO,
                version: String::new(),
                since: Vec::new(),
            });
        let amount = if is_now {
            &mut changed.is
        } else {
            &mut changed.was
        };
        *amount = [*amount, document.open].into_iter().sum();
    };
    before.into_iter().for_each(|one| put(one, false));
    now.into_iter().for_each(|one| put(one, true));
    documents.retain(|_, changed| changed.was != changed.is);
    let mut all: Vec<Changed> = documents.into_values().collect();
    for changed in &mut all {
        let RecordRef { side, kind, id } = &changed.record;
        let known = store.known(*side, *kind, std::slice::from_ref(id)).await?;
        changed.version = known
            .get(id)
            .map(|known| known.version.clone())
            .unwrap_or_default();
        let history = store.history(&changed.record).await?;
        changed.since = history
            .iter()
            .filter(|entry| entry.seq > seq)
            .filter_map(sentence)
            .collect();
    }
    Ok(all)
}

/// The figures of the legs that are not what they were.
fn figures(was: &Report, is: &Report) -> Vec<FigureChanged> {
    let mut changed = Vec::new();
    for (was, is) in was.legs.iter().zip(&is.legs) {
        for (was_figure, is_figure) in [(&was.left, &is.left), (&was.right, &is.right)] {
            if was_figure.amount != is_figure.amount {
                changed.push(FigureChanged {
                    leg: was.leg,
                    figure: was_figure.label.clone(),
                    was: was_figure.amount,
                    is: is_figure.amount,
                });
            }
        }
    }
    changed
}
