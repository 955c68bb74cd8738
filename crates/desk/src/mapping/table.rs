//! The mappings of one kind as a person looks at them: everything that can be mapped, with what stands for it.

use std::collections::HashMap;

use tieout_domain::port::Observed;
use tieout_domain::{Document, Kind, RemoteId};
use tieout_engine::mapping::records;
use tieout_store::{ConnectionStore, MapEntry, MapStatus};

use super::{ends, number};
use crate::error::DeskError;

/// An account, a dimension, a funding account, an item, or terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its id.
    pub id: RemoteId,
    /// Its number; empty where it has none.
    pub number: String,
    /// Its name, with those of its parents.
    pub name: String,
    /// Whether it is switched off or archived.
    pub inactive: bool,
}

impl Party {
    fn of(observed: Observed) -> Self {
        let (name, inactive) = match &observed.document {
            Document::Account(account) => (account.path.clone(), account.inactive),
            Document::Dimension(dimension) => (dimension.path.clone(), dimension.inactive),
            Document::FundingAccount(funding) => (funding.name.clone(), !funding.usable),
            Document::Item(item) => (item.name.clone(), item.inactive),
            Document::Terms(terms) => (terms.name.clone(), terms.inactive),
            other => (other.label(), false),
        };
        let name = if name.is_empty() {
            observed.document.label()
        } else {
            name
        };
        Self {
            id: observed.id,
            number: number(&observed.document).to_owned(),
            name,
            inactive,
        }
    }

    /// Number and name, as people say it.
    #[must_use]
    pub fn label(&self) -> String {
        if self.number.is_empty() || self.name.starts_with(&self.number) {
            self.name.clone()
        } else {
            format!("{} {}", self.number, self.name)
        }
    }
}

/// One row: what is mapped, and what is known of its mapping.
#[derive(Debug, Clone)]
pub struct Row {
    /// What is mapped.
    pub from: Party,
    /// What was said last; `None` if nothing was.
    pub entry: Option<MapEntry>,
    /// What it is mapped to, or would be.
    pub to: Option<Party>,
}

impl Row {
    /// Whether a person has to look at it: nothing was said, it is only suggested, or what was said was taken back.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(
            self.entry.as_ref().map(|entry| entry.status),
            Some(MapStatus::Confirmed | MapStatus::Create)
        )
    }
}

/// All rows of a kind in the order of their numbers and names, and everything that they may be mapped to.
///
/// # Errors
/// The store's.
pub async fn table(
    store: &ConnectionStore,
    kind: Kind,
) -> Result<(Vec<Row>, Vec<Party>), DeskError> {
    let ((from_side, from_kind), (to_side, to_kind)) = ends(kind);
    let mut targets = parties(records(store, to_side, to_kind).await?);
    let by_id: HashMap<_, _> = targets
        .iter()
        .map(|target| (target.id.clone(), target.clone()))
        .collect();
    let mut said: HashMap<_, _> = store
        .maps()
        .await?
        .into_iter()
        .filter(|entry| entry.kind == kind.as_str())
        .map(|entry| (entry.from.clone(), entry))
        .collect();
    let rows = parties(records(store, from_side, from_kind).await?)
        .into_iter()
        .map(|from| {
            let entry = said.remove(&from.id);
            let to = entry.as_ref().and_then(|entry| entry.to.as_ref());
            Row {
                to: to.and_then(|id| by_id.get(id).cloned()),
                from,
                entry,
            }
        })
        .collect();
    targets.retain(|target| !target.inactive);
    Ok((rows, targets))
}

fn parties(records: Vec<Observed>) -> Vec<Party> {
    let mut parties: Vec<_> = records.into_iter().map(Party::of).collect();
    parties.sort_by(|a, b| (&a.number, &a.name, &a.id).cmp(&(&b.number, &b.name, &b.id)));
    parties
}
