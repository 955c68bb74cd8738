//! Mappings: which account, dimension, funding account, item or terms stand for which, and what a person says of it.
//! What is mapped follows from the flows of the pair.

mod table;
mod touched;

use tieout_domain::code::Code;
use tieout_domain::port::Observed;
use tieout_domain::{Document, Kind, RemoteId, Side};
use tieout_engine::mapping::{due, records};
use tieout_store::{Commit, ConnectionStore, Due, Entry, Fact, MapEntry, MapStatus};

use crate::approval::Proposal;
use crate::error::DeskError;

pub use table::{Party, Row, table};
pub use touched::{Touched, TouchedBill, Use, touched, uses};

/// The word of what is said of a mapping.
const MAPPED: &str = "mapped";

/// How many entries are read at once.
const PAGE: u32 = 1000;

/// What people map for these flows, in the order in which they are asked about it.
#[must_use]
pub fn kinds(flows: &[String]) -> Vec<Kind> {
    let all = tieout_flows::all();
    let named = all.iter().map(AsRef::as_ref);
    tieout_flows::mapped(named.filter(|flow| flows.iter().any(|name| name == flow.name())))
}

/// What can be mapped in any connection.
#[must_use]
pub fn all_kinds() -> Vec<Kind> {
    tieout_flows::mapped(tieout_flows::all().iter().map(AsRef::as_ref))
}

/// The kind that a text names, of those that are mapped for these flows.
///
/// # Errors
/// `usage`, with the kinds there are.
pub fn known_kind(flows: &[String], text: &str) -> Result<Kind, DeskError> {
    let kinds = kinds(flows);
    let found = kinds.iter().find(|kind| kind.as_str() == text);
    found.copied().ok_or_else(|| {
        let known: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let cause = format!(
            "`{text}` can't be mapped here; there are {}",
            known.join(", ")
        );
        DeskError::usage(Code::new("usage"), cause)
    })
}

/// Where a mapping of this kind leads from, and where to. The ledger's lists lead to the platform's; a funding
/// account, which is the platform's, to an account of the ledger.
#[must_use]
pub fn ends(kind: Kind) -> ((Side, Kind), (Side, Kind)) {
    match kind {
        Kind::FundingAccount => ((Side::Platform, kind), (Side::Ledger, Kind::Account)),
        _ => ((Side::Ledger, kind), (Side::Platform, kind)),
    }
}

/// A mapping that a person gives, or takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<'a> {
    /// What is mapped: one of the [`kinds`].
    pub kind: Kind,
    /// Id, number or name of what is mapped.
    pub from: &'a str,
    /// Id, number or name of what it stands for; `None` takes the mapping back.
    pub to: Option<&'a str>,
    /// Why.
    pub why: &'a str,
}

/// Records a mapping that a person gives or takes back. Gives the mapping as it stands then.
///
/// # Errors
/// `unknown-record` when either isn't known; the store's.
pub async fn set(store: &ConnectionStore, said: &Said<'_>, actor: &str) -> Result<Fact, DeskError> {
    let (fact, due) = told(store, said).await?;
    let commit = Commit {
        actor: actor.to_owned(),
        facts: vec![fact.clone()],
        due,
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(fact)
}

/// Whether a mapping of this kind takes two people: it says from which account of the books money moves.
#[must_use]
pub fn takes_two(kind: Kind) -> bool {
    kind == Kind::FundingAccount
}

/// The same for another person to approve.
///
/// # Errors
/// As for [`set`].
pub async fn proposal(store: &ConnectionStore, said: &Said<'_>) -> Result<Proposal, DeskError> {
    let (fact, due) = told(store, said).await?;
    Ok(proposed(vec![fact], due))
}

/// Those suggested mappings that are wanted, for another person to approve; `None` if there is none.
///
/// # Errors
/// The store's.
pub async fn confirmation(
    store: &ConnectionStore,
    wanted: impl Fn(&MapEntry) -> bool,
) -> Result<Option<Proposal>, DeskError> {
    let (facts, due) = suggested(store, wanted).await?;
    Ok((!facts.is_empty()).then(|| proposed(facts, due)))
}

fn proposed(facts: Vec<Fact>, due: Vec<Due>) -> Proposal {
    let means = |fact: &Fact| match fact {
        Fact::Mapped {
            kind,
            label_from,
            label_to,
            ..
        } if label_to.is_empty() => {
            format!("{kind} {label_from} is mapped to nothing")
        }
        Fact::Mapped {
            kind,
            label_from,
            label_to,
            ..
        } => {
            format!("{kind} {label_from} is mapped to {label_to}")
        }
        _ => String::new(),
    };
    let text: Vec<_> = facts.iter().map(means).collect();
    Proposal {
        text: text.join("; "),
        facts,
        due,
        ..Proposal::default()
    }
}

/// What the history will say of it, and what is looked at again.
async fn told(store: &ConnectionStore, said: &Said<'_>) -> Result<(Fact, Vec<Due>), DeskError> {
    let ((from_side, from_kind), (to_side, to_kind)) = ends(said.kind);
    let (from, label_from) = named(store, from_side, from_kind, said.from).await?;
    let target = match said.to {
        Some(to) => Some(named(store, to_side, to_kind, to).await?),
        None => None,
    };
    let status = if target.is_some() {
        MapStatus::Confirmed
    } else {
        MapStatus::Removed
    };
    let (to, label_to) = target.map_or((None, String::new()), |(id, label)| (Some(id), label));
    let due = due(said.kind, &from).into_iter().collect();
    let fact = Fact::Mapped {
        kind: said.kind.as_str().to_owned(),
        from,
        to,
        status,
        label_from,
        label_to,
        why: said.why.to_owned(),
    };
    Ok((fact, due))
}

/// Confirms those suggested mappings that are wanted. Gives how many.
///
/// # Errors
/// The store's.
pub async fn confirm(
    store: &ConnectionStore,
    wanted: impl Fn(&MapEntry) -> bool,
    actor: &str,
) -> Result<usize, DeskError> {
    let (facts, due) = suggested(store, wanted).await?;
    let count = facts.len();
    if count > 0 {
        let commit = Commit {
            actor: actor.to_owned(),
            facts,
            due,
            ..Commit::default()
        };
        store.commit(commit).await?;
    }
    Ok(count)
}

async fn suggested(
    store: &ConnectionStore,
    wanted: impl Fn(&MapEntry) -> bool,
) -> Result<(Vec<Fact>, Vec<Due>), DeskError> {
    let (mut facts, mut again) = (Vec::new(), Vec::new());
    for entry in store.maps().await? {
        if entry.status != MapStatus::Suggested || !wanted(&entry) {
            continue;
        }
        if let Ok(kind) = entry.kind.parse() {
            again.extend(due(kind, &entry.from));
        }
        facts.push(Fact::Mapped {
            kind: entry.kind,
            from: entry.from,
            to: entry.to,
            status: MapStatus::Confirmed,
            label_from: entry.label_from,
            label_to: entry.label_to,
            why: entry.why,
        });
    }
    Ok((facts, again))
}

/// What was said of one mapping, the last first.
///
/// # Errors
/// The store's.
pub async fn history(
    store: &ConnectionStore,
    kind: Kind,
    from: &RemoteId,
) -> Result<Vec<Entry>, DeskError> {
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let page = store.entries_of(MAPPED, after, PAGE).await?;
        let Some(last) = page.last() else {
            found.reverse();
            return Ok(found);
        };
        after = last.seq;
        found.extend(page.into_iter().filter(|entry| {
            matches!(&entry.fact, Fact::Mapped { kind: of, from: id, .. }
                if of == kind.as_str() && id == from)
        }));
    }
}

/// The number of an account; empty for everything else.
fn number(document: &Document) -> &str {
    match document {
        Document::Account(account) => &account.number,
        _ => "",
    }
}

/// The record of this id, number or name.
async fn named(
    store: &ConnectionStore,
    side: Side,
    kind: Kind,
    text: &str,
) -> Result<(RemoteId, String), DeskError> {
    let all = records(store, side, kind).await?;
    let fits = |observed: &&Observed| {
        let number = number(&observed.document);
        observed.id.as_str() == text
            || observed.document.label().eq_ignore_ascii_case(text)
            || (!number.is_empty() && number == text)
    };
    let unknown = |cause| DeskError::usage(Code::new("unknown-record"), cause);
    let mut found = all.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok((one.id.clone(), one.document.label())),
        (None, _) => Err(unknown(format!(
            "`{text}` is no {kind} of the {}; give its id, number or name as `tieout map list` shows it",
            side.as_str()
        ))),
        _ => Err(unknown(format!(
            "`{text}` is several {kind}s of the {}; give the id",
            side.as_str()
        ))),
    }
}
