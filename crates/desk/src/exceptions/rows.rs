//! The records of one cause, with what a person needs to decide about each.

use std::collections::{BTreeMap, HashMap};

use tieout_domain::code::Code;
use tieout_domain::{Document, Kind, Money, RecordRef, RemoteId, Side, State, WaitsFor};
use tieout_store::{ConnectionStore, Decision, Item, ItemFilter, Mirrored};

use super::Cause;
use crate::error::DeskError;
use crate::mapping;

/// One cause, as an address names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Its code.
    pub code: Option<Code>,
    /// What its records share; empty where they share the code alone.
    pub group: String,
    /// Whether those are meant that wait for something that resolves by itself.
    pub holds: bool,
}

impl Named {
    fn filter(&self) -> ItemFilter {
        ItemFilter {
            code: self.code.clone(),
            // Records without a shared cause stand alone: a group of the same code is another cause.
            group: Some(self.group.clone()),
            states: State::ALL
                .into_iter()
                .filter(|state| state.needs_a_person() || (self.holds && *state == State::Hold))
                .collect(),
            ..ItemFilter::default()
        }
    }
}

/// A record that waits.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where it stands.
    pub item: Item,
    /// Whose it is, by name; empty where nobody's.
    pub vendor: String,
    /// As it was last seen in the ledger.
    pub ledger: Option<Seen>,
    /// As it was last seen on the platform.
    pub platform: Option<Seen>,
    /// How often its writes were sent.
    pub attempts: u64,
    /// What a person has decided so far.
    pub decision: Option<Decision>,
    /// The mapping that it waits for, by kind and the id that it leads from.
    pub mapping: Option<(Kind, RemoteId)>,
}

/// A record of one side, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The record.
    pub record: RecordRef,
    /// What people call it.
    pub label: String,
    /// What it is worth.
    pub amount: Option<Money>,
    /// What of that is open.
    pub open: Option<Money>,
    /// Whether it exists no more.
    pub gone: bool,
}

impl Seen {
    /// A record in short.
    #[must_use]
    pub fn of(mirrored: &Mirrored) -> Self {
        let document = &mirrored.observed.document;
        let open = match document {
            Document::Bill(bill) => Some(bill.open.of(bill.currency)),
            Document::VendorCredit(credit) => Some(credit.open.of(credit.currency)),
            _ => None,
        };
        Self {
            record: mirrored.record(),
            label: document.label(),
            amount: document.amount(),
            open,
            gone: mirrored.gone,
        }
    }
}

/// A page of a cause's records, in the order of flow and record, after the last one seen.
///
/// # Errors
/// The store's.
pub async fn rows(
    store: &ConnectionStore,
    cause: &Named,
    after: Option<(&str, &RecordRef)>,
    most: u32,
) -> Result<Vec<Row>, DeskError> {
    let items = store.items_page(&cause.filter(), after, most).await?;
    told(store, items).await
}

/// These items, with all that is known of them.
async fn told(store: &ConnectionStore, items: Vec<Item>) -> Result<Vec<Row>, DeskError> {
    let mut by_flow: BTreeMap<&str, Vec<RecordRef>> = BTreeMap::new();
    for item in &items {
        by_flow
            .entry(&item.flow)
            .or_default()
            .push(item.record.clone());
    }
    let mut targets: HashMap<(String, RecordRef), RecordRef> = HashMap::new();
    let mut decisions: HashMap<(String, RecordRef), Decision> = HashMap::new();
    for (flow, records) in by_flow {
        for link in store.links(flow, records.as_slice()).await? {
            targets
                .entry((link.flow, link.record))
                .or_insert(link.target);
        }
        for (record, decision) in store.decisions(flow, &records).await? {
            decisions.insert((flow.to_owned(), record), decision);
        }
    }
    let own: Vec<_> = items.iter().map(|item| item.record.clone()).collect();
    let all: Vec<_> = own.iter().chain(targets.values()).cloned().collect();
    let seen = mirrored(store, &all).await?;
    let vendors: Vec<_> = seen.values().filter_map(vendor_of).collect();
    let vendors = mirrored(store, &vendors).await?;
    let attempts = store.attempts(&own).await?;
    let row = |item: Item| {
        let key = (item.flow.clone(), item.record.clone());
        let target = targets.get(&key);
        let of = |side: Side| {
            let record = [Some(&item.record), target]
                .into_iter()
                .flatten()
                .find(|record| record.side == side)?;
            seen.get(record).map(Seen::of)
        };
        let vendor = seen.get(&item.record).and_then(vendor_of);
        let vendor = vendor.and_then(|vendor| vendors.get(&vendor));
        Row {
            vendor: vendor.map_or(String::new(), |seen| seen.observed.document.label()),
            ledger: of(Side::Ledger),
            platform: of(Side::Platform),
            attempts: attempts.get(&item.record).copied().unwrap_or_default(),
            decision: decisions
                .remove(&key)
                .filter(|decision| !decision.decision.is_empty()),
            mapping: mapping_of(&item),
            item,
        }
    };
    Ok(items.into_iter().map(row).collect())
}

/// Which mapping a record waits for: what it says it waits for, or its own.
fn mapping_of(item: &Item) -> Option<(Kind, RemoteId)> {
    if let Some(WaitsFor::Map(kind, id)) = &item.outcome.waits_for {
        let kind = kind.parse().ok()?;
        // A platform's item waits for any of the ledger's to lead to it: there is no one mapping to look at.
        let leads_here = mapping::ends(kind).0.0 != item.record.side;
        let either_way = matches!(kind, Kind::Item | Kind::Terms);
        return (!(either_way && leads_here)).then(|| (kind, id.clone()));
    }
    own_mapping(&item.record)
}

/// The mapping that all records of a cause wait for, where it is one; told from the first of each flow.
///
/// # Errors
/// The store's.
pub async fn mapping(
    store: &ConnectionStore,
    cause: &Cause,
) -> Result<Option<(Kind, RemoteId)>, DeskError> {
    // Records without a shared cause wait for different things.
    if cause.group.is_empty() {
        return Ok(None);
    }
    for group in &cause.groups {
        let first = group.records.get(..1).unwrap_or_default();
        let items = store.items(&group.flow, first).await?;
        if let Some(found) = items.values().find_map(mapping_of) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The mapping that leads from this record, if it is one that leads somewhere.
fn own_mapping(record: &RecordRef) -> Option<(Kind, RemoteId)> {
    let mapped = mapping::all_kinds().contains(&record.kind);
    let from = mapping::ends(record.kind).0;
    (mapped && from == (record.side, record.kind)).then(|| (record.kind, record.id.clone()))
}

fn vendor_of(mirrored: &Mirrored) -> Option<RecordRef> {
    let vendor = mirrored.observed.document.vendor()?;
    Some(RecordRef::new(mirrored.side, Kind::Vendor, vendor.clone()))
}

/// These records as they were last seen.
async fn mirrored(
    store: &ConnectionStore,
    records: &[RecordRef],
) -> Result<HashMap<RecordRef, Mirrored>, DeskError> {
    let mut by_kind: BTreeMap<(Side, Kind), Vec<RemoteId>> = BTreeMap::new();
    for record in records {
        let ids = by_kind.entry((record.side, record.kind)).or_default();
        ids.push(record.id.clone());
    }
    let mut found = HashMap::new();
    for ((side, kind), ids) in by_kind {
        for mirrored in store.records(side, kind, &ids).await?.into_values() {
            found.insert(mirrored.record(), mirrored);
        }
    }
    Ok(found)
}

/// Records of the other side that this one may be: of its kind, found by what it is called or by the words given.
/// Those that another record is linked with already are left out.
///
/// # Errors
/// The store's.
pub async fn candidates(
    store: &ConnectionStore,
    record: &RecordRef,
    words: &str,
) -> Result<Vec<Seen>, DeskError> {
    let found = store.find(words, crate::record::FOUND_MAX).await?;
    let mut fitting: Vec<_> = found
        .into_iter()
        .filter(|(other, seen)| {
            other.side == record.side.other() && other.kind == record.kind && !seen.gone
        })
        .collect();
    let names: Vec<_> = fitting.iter().map(|(other, _)| other.clone()).collect();
    let linked = store.links_to(&names).await?;
    fitting.retain(|(other, _)| linked.iter().all(|link| link.target != *other));
    Ok(fitting.iter().map(|(_, seen)| Seen::of(seen)).collect())
}
