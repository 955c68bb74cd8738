//! Mappings: proposing them. What matches what is the flows' to say, and what stands is a person's (the desk).

use tieout_domain::port::{Depth, Observed};
use tieout_domain::{Kind, RecordRef, RemoteId, Side};
use tieout_flows::matching::{Confidence, Suggestion, suggest};
use tieout_store::{ConnectionStore, Due, Fact, MapEntry, MapStatus, StoreError};

use crate::decide::maps;
use crate::join::{Meanwhile, Taken, take};
use crate::keep::{lease_time, while_held};
use crate::options::RunOptions;
use crate::pull::pull;
use crate::run::Run;
use crate::{Connection, EngineError};

/// How many records are taken out of the mirror at once.
const PAGE: u32 = 1000;

/// What people map in this connection, in the order in which it is asked about.
fn kinds(connection: &Connection) -> Vec<Kind> {
    tieout_flows::mapped(connection.flows.iter().map(AsRef::as_ref))
}

/// Reads the lists of both sides and proposes a mapping for whatever has none. With `confirm_exact`, what
/// matches one to one is confirmed, and what is missing on the platform is marked for creation where the
/// preference allows it.
///
/// # Errors
/// [`EngineError`] when a side can't be read.
pub async fn propose(
    connection: &Connection,
    confirm_exact: bool,
    run_id: &str,
) -> Result<Vec<Suggestion>, EngineError> {
    let lease = match take(
        connection,
        &[],
        Meanwhile::Refuse,
        lease_time(&connection.store),
    )
    .await?
    {
        Taken::Lease(lease) => lease,
        Taken::Joined(_) => return Err(EngineError::Busy("a run is under way".to_owned())),
    };
    let run = Run::new(connection, &RunOptions::new(run_id, "mapping"), lease);
    let proposing = Box::pin(propose_in(&run, confirm_exact));
    let result = while_held(run.lease(), connection, proposing).await;
    run.release().await?;
    result
}

async fn propose_in(run: &Run<'_>, confirm_exact: bool) -> Result<Vec<Suggestion>, EngineError> {
    let connection = run.connection;
    let kinds: Vec<_> = kinds(connection)
        .iter()
        .flat_map(|kind| [(Side::Ledger, *kind), (Side::Platform, *kind)])
        .collect();
    let unread = pull(run, &kinds, Depth::Changes).await?;
    if let Some(((side, _), fault)) = unread.into_iter().next() {
        return Err(connection.sides.failed(side, fault));
    }
    propose_read(run, confirm_exact).await
}

/// Proposes from what has been read.
pub(crate) async fn propose_read(
    run: &Run<'_>,
    confirm_exact: bool,
) -> Result<Vec<Suggestion>, EngineError> {
    let connection = run.connection;
    let known = maps(&connection.store).await?;
    let entries = connection.store.maps().await?;
    let mut all = Vec::new();
    let mut commit = run.commit();
    for kind in kinds(connection) {
        let platform = records(&connection.store, Side::Platform, kind).await?;
        let ledger_kind = if kind == Kind::FundingAccount {
            Kind::Account
        } else {
            kind
        };
        let ledger = records(&connection.store, Side::Ledger, ledger_kind).await?;
        for suggestion in suggest(kind, &ledger, &platform, &known) {
            let status = status(connection, &suggestion, confirm_exact);
            if let Some(status) = status {
                let fact = told(&suggestion, status);
                if !says_the_same(&entries, &fact) {
                    commit.facts.push(fact);
                    commit.due.extend(due(kind, &suggestion.from));
                }
            }
            all.push(suggestion);
        }
    }
    connection.store.commit(commit).await?;
    Ok(all)
}

/// What a suggestion becomes without a person looking at it.
fn status(
    connection: &Connection,
    suggestion: &Suggestion,
    confirm_exact: bool,
) -> Option<MapStatus> {
    match suggestion.confidence {
        Confidence::Exact if confirm_exact => Some(MapStatus::Confirmed),
        Confidence::Exact | Confidence::Number | Confidence::Name => Some(MapStatus::Suggested),
        Confidence::Missing => (confirm_exact
            && is_made(suggestion.kind)
            && connection.preferences.lists.create_missing)
            .then_some(MapStatus::Create),
    }
}

/// The mapping that a link of an account or dimension is.
pub(crate) fn of_link(
    record: &RecordRef,
    label: &str,
    target: &RecordRef,
    why: &str,
) -> Option<Fact> {
    is_made(record.kind).then(|| Fact::Mapped {
        kind: record.kind.as_str().to_owned(),
        from: record.id.clone(),
        to: Some(target.id.clone()),
        status: MapStatus::Confirmed,
        label_from: label.to_owned(),
        label_to: label.to_owned(),
        why: why.to_owned(),
    })
}

/// Whether a list's missing records can be made on the platform: they have a flow that does it.
fn is_made(kind: Kind) -> bool {
    kind == Kind::Account || Kind::DIMENSIONS.contains(&kind)
}

fn told(suggestion: &Suggestion, status: MapStatus) -> Fact {
    Fact::Mapped {
        kind: suggestion.kind.as_str().to_owned(),
        from: suggestion.from.clone(),
        to: suggestion.to.clone(),
        status,
        label_from: suggestion.from_label.clone(),
        label_to: suggestion.to_label.clone(),
        why: suggestion.why.clone(),
    }
}

fn says_the_same(entries: &[MapEntry], fact: &Fact) -> bool {
    let Fact::Mapped {
        kind,
        from,
        to,
        status,
        ..
    } = fact
    else {
        return false;
    };
    entries.iter().any(|entry| {
        (&entry.kind, &entry.from, &entry.to, &entry.status) == (kind, from, to, status)
    })
}

/// The list flow looks again at what was mapped. Funding accounts, items and terms have none: what waits for them is
/// woken by the mapping itself.
#[must_use]
pub fn due(kind: Kind, from: &RemoteId) -> Option<Due> {
    let flow = match kind {
        Kind::Account => "accounts",
        Kind::Department | Kind::Class | Kind::Location => "dimensions",
        _ => return None,
    };
    let record = RecordRef::new(Side::Ledger, kind, from.clone());
    Some(Due {
        flow: flow.to_owned(),
        record,
    })
}

/// All records of a kind that exist. Lists are short: hundreds, not millions.
///
/// # Errors
/// [`StoreError`] of the reads.
pub async fn records(
    store: &ConnectionStore,
    side: Side,
    kind: Kind,
) -> Result<Vec<Observed>, StoreError> {
    let mut all = Vec::new();
    let mut after: Option<RemoteId> = None;
    loop {
        let page = store.records_page(side, kind, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = Some(last.observed.id.clone());
        all.extend(
            page.into_iter()
                .filter(|record| !record.gone)
                .map(|record| record.observed),
        );
    }
}
