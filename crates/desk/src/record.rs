//! Records: finding one by whatever a person knows of it, and everything that is known of it.

use tieout_domain::{Kind, RecordRef, Side};
use tieout_store::{ConnectionStore, Entry, Fact, Item, Link, Mirrored};

use crate::error::DeskError;

/// How many records one name may stand for.
pub const FOUND_MAX: u32 = 20;

/// The word of what is said of a mapping.
const MAPPED: &str = "mapped";

/// How many entries are read at once.
const PAGE: u32 = 1000;

/// The names of all flows there are.
#[must_use]
pub fn flow_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    // Files of bills and PDFs of invoices go by one name, in connections of either book.
    for flow in tieout_flows::all() {
        if !names.contains(&flow.name()) {
            names.push(flow.name());
        }
    }
    names
}

/// The records that a text names: SIDE/KIND/ID, an id, a number, a name or an external id, of either side.
///
/// # Errors
/// The store's.
pub async fn find(store: &ConnectionStore, text: &str) -> Result<Vec<RecordRef>, DeskError> {
    if let Ok(record) = text.parse::<RecordRef>() {
        let ids = [record.id.clone()];
        let known = store.known(record.side, record.kind, &ids).await?;
        // What was made and is never read, a reversing journal entry, is known by its link alone.
        let told = !known.is_empty()
            || !store
                .links_to(std::slice::from_ref(&record))
                .await?
                .is_empty();
        return Ok(if told { vec![record] } else { Vec::new() });
    }
    Ok(store
        .find(text, FOUND_MAX)
        .await?
        .into_iter()
        .map(|(record, _)| record)
        .collect())
}

/// Everything that is known of a record.
#[derive(Debug, Clone)]
pub struct Life {
    /// The record.
    pub record: RecordRef,
    /// As it was last seen.
    pub now: Option<Mirrored>,
    /// Where it stands, flow by flow.
    pub items: Vec<Item>,
    /// What stands for it, and what it stands for.
    pub links: Vec<Link>,
    /// Its history and its counterparts', oldest first.
    pub history: Vec<Entry>,
}

/// Tells everything that is known of a record, on both sides.
///
/// # Errors
/// The store's.
pub async fn life(store: &ConnectionStore, record: RecordRef) -> Result<Life, DeskError> {
    let one = std::slice::from_ref(&record);
    let mut links = store.links_to(one).await?;
    // A counterpart's life is told with the record that it stands for.
    let origin = links
        .first()
        .map_or_else(|| record.clone(), |link| link.record.clone());
    let mut items = Vec::new();
    for flow in flow_names() {
        items.extend(
            store
                .items(flow, std::slice::from_ref(&origin))
                .await?
                .into_values(),
        );
        links.extend(store.links(flow, std::slice::from_ref(&origin)).await?);
    }
    links.sort_by(|a, b| (&a.flow, &a.record, &a.role).cmp(&(&b.flow, &b.record, &b.role)));
    links.dedup_by(|a, b| (&a.flow, &a.record, &a.role) == (&b.flow, &b.record, &b.role));
    let mut history = store.history(&record).await?;
    if origin != record {
        history.extend(store.history(&origin).await?);
    }
    history.extend(mappings(store, &record).await?);
    history.sort_by_key(|entry| entry.seq);
    history.dedup_by_key(|entry| entry.seq);
    let ids = [record.id.clone()];
    let now = store
        .records(record.side, record.kind, &ids)
        .await?
        .remove(&record.id);
    Ok(Life {
        record,
        now,
        items,
        links,
        history,
    })
}

/// What was said of the record's mapping, and of mappings to it.
async fn mappings(store: &ConnectionStore, record: &RecordRef) -> Result<Vec<Entry>, DeskError> {
    let mut found = Vec::new();
    let lists = [Kind::Account, Kind::FundingAccount];
    if !lists.contains(&record.kind) && !Kind::DIMENSIONS.contains(&record.kind) {
        return Ok(found);
    }
    let mut after = 0;
    loop {
        let page = store.entries_of(MAPPED, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = last.seq;
        found.extend(
            page.into_iter()
                .filter(|entry| is_mapping_of(entry, record)),
        );
    }
}

/// A ledger's list is mapped to the platform's; a funding account, the platform's, to an account of the ledger.
fn is_mapping_of(entry: &Entry, record: &RecordRef) -> bool {
    let Fact::Mapped { kind, from, to, .. } = &entry.fact else {
        return false;
    };
    let funding = kind == Kind::FundingAccount.as_str();
    let (first, second) = if funding {
        (Side::Platform, Side::Ledger)
    } else {
        (Side::Ledger, Side::Platform)
    };
    let target = if funding {
        Kind::Account.as_str()
    } else {
        kind.as_str()
    };
    let is_from = record.side == first && record.kind.as_str() == kind && record.id == *from;
    let is_to = record.side == second
        && record.kind.as_str() == target
        && to.as_ref().is_some_and(|to| record.id == *to);
    is_from || is_to
}
