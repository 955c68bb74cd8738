//! Asking the flows: fill the books with what they need, then let them decide.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::try_join_all;
use futures::try_join;
use tieout_domain::{Document, Key, Kind, RecordRef, RemoteId, Side};
use tieout_flows::{
    Books, Flow, Link, Map, MapStatus, Maps, MarkedBill, Need, Seen, Subject, Verdict,
};
use tieout_store::{ConnectionStore, Mirrored, StoreError};

use crate::decisions::decided;
use crate::overlay::Overlay;
use crate::pull::READ_AGAIN;

/// How often a flow may ask for more after it was given what it asked for. Payments ask longest: payment,
/// bill, the bill's link, the link's record, its vendor.
const ROUNDS_MAX: usize = 8;

/// A record with what its flow decided.
pub(crate) struct Decision {
    /// The record.
    pub(crate) record: RecordRef,
    /// What people call it, what it is worth.
    pub(crate) label: String,
    pub(crate) amount: Option<tieout_domain::Money>,
    /// What is to become of it.
    pub(crate) verdict: Verdict,
}

/// Decides on a batch of records of one flow.
pub(crate) async fn decide(
    store: &ConnectionStore,
    flow: &dyn Flow,
    records: &[RecordRef],
    base: &Books,
    overlay: &Overlay,
) -> Result<Vec<Decision>, StoreError> {
    let subjects = load_records(store, records).await?;
    let mut books = base.clone();
    overlay.lay(&mut books, &[]);
    let everybody: Vec<&(RecordRef, Mirrored)> = subjects.iter().collect();
    let mut asked = everybody.clone();
    let mut rounds = 0;
    while rounds < ROUNDS_MAX {
        let all = asked.len() == everybody.len();
        let mut needs = BTreeSet::new();
        // Who lacks nothing need not be asked again until everybody lacks nothing.
        asked.retain(|(record, mirrored)| {
            let lacking = books.missing(flow.needs(&subject(record, mirrored), &books));
            let lacks = !lacking.is_empty();
            needs.extend(lacking);
            lacks
        });
        if needs.is_empty() {
            if all {
                break;
            }
            // What was loaded for others may have raised a question.
            asked.clone_from(&everybody);
            continue;
        }
        rounds += 1;
        let needs: Vec<Need> = needs.into_iter().collect();
        load(store, &mut books, &needs).await?;
        overlay.lay(&mut books, &needs);
        books.loaded.extend(needs);
    }
    Ok(subjects
        .iter()
        .map(|(record, mirrored)| Decision {
            record: record.clone(),
            label: mirrored.observed.document.label(),
            amount: mirrored.observed.document.amount(),
            verdict: flow.decide(&subject(record, mirrored), &books),
        })
        .collect())
}

fn subject<'a>(record: &'a RecordRef, mirrored: &'a Mirrored) -> Subject<'a> {
    Subject {
        record,
        observed: &mirrored.observed,
        gone: mirrored.gone,
    }
}

/// The mirror's records of these names, in their order; names that the mirror doesn't know are left out.
async fn load_records(
    store: &ConnectionStore,
    records: &[RecordRef],
) -> Result<Vec<(RecordRef, Mirrored)>, StoreError> {
    let mut found = HashMap::new();
    for ((side, kind), ids) in by_kind(records.iter()) {
        for (id, mirrored) in store.records(side, kind, &ids).await? {
            found.insert(RecordRef { side, kind, id }, mirrored);
        }
    }
    Ok(records
        .iter()
        .filter_map(|record| Some((record.clone(), found.remove(record)?)))
        .collect())
}

fn by_kind<'a>(
    records: impl Iterator<Item = &'a RecordRef>,
) -> BTreeMap<(Side, Kind), Vec<RemoteId>> {
    let mut groups: BTreeMap<(Side, Kind), Vec<RemoteId>> = BTreeMap::new();
    for record in records {
        groups
            .entry((record.side, record.kind))
            .or_default()
            .push(record.id.clone());
    }
    groups
}

/// Loads what was asked for, in as few statements as there are sorts of needs.
async fn load(
    store: &ConnectionStore,
    books: &mut Books,
    needs: &[Need],
) -> Result<(), StoreError> {
    let mut records = Vec::new();
    let mut links: BTreeMap<&str, Vec<RecordRef>> = BTreeMap::new();
    let mut targets = Vec::new();
    let mut matching: BTreeMap<(Side, Kind), Vec<String>> = BTreeMap::new();
    let mut marked = Vec::new();
    let mut keyed: BTreeMap<(Side, Kind), Vec<Key>> = BTreeMap::new();
    let mut marked_bills: BTreeMap<Side, Vec<RemoteId>> = BTreeMap::new();
    let mut waiting = Vec::new();
    let mut touched = Vec::new();
    let mut decisions: BTreeMap<&str, Vec<RecordRef>> = BTreeMap::new();
    for need in needs {
        match need {
            Need::Record(record) => records.push(record),
            Need::Links(flow, record) => links.entry(flow).or_default().push(record.clone()),
            Need::LinkedTo(target) => targets.push(target.clone()),
            Need::Matching(side, kind, key) => {
                matching
                    .entry((*side, *kind))
                    .or_default()
                    .push(key.clone());
            }
            Need::Marked(marker) => marked.push(marker.clone()),
            Need::Keyed(side, kind, key) => {
                keyed.entry((*side, *kind)).or_default().push(key.clone());
            }
            Need::MarkedBills(vendor) => {
                let vendors = marked_bills.entry(vendor.side).or_default();
                vendors.push(vendor.id.clone());
            }
            Need::Waiting(what) => waiting.push(what.clone()),
            Need::Outdated(record) => touched.push(record.clone()),
            Need::Decisions(flow, record) => {
                decisions.entry(flow).or_default().push(record.clone());
            }
        }
    }
    let account = books.connection.ledger_account.clone();
    // All at once: one is read while the rows of another become documents.
    let (
        records,
        links,
        linked_to,
        matching,
        marked,
        keyed,
        marked_bills,
        waiting,
        outdated,
        decisions,
    ) =
        try_join!(
            try_join_all(by_kind(records.into_iter()).into_iter().map(
                async |((side, kind), ids)| {
                    let found = store.records(side, kind, &ids).await?;
                    let named = |(id, mirrored)| (RecordRef { side, kind, id }, mirrored);
                    Ok::<_, StoreError>(found.into_iter().map(named).collect::<Vec<_>>())
                }
            )),
            try_join_all(
                links
                    .iter()
                    .map(|(flow, records)| store.links(flow, records))
            ),
            store.links_to(&targets),
            try_join_all(
                matching
                    .iter()
                    .map(|((side, kind), keys)| store.records_matching(*side, *kind, keys))
            ),
            store.records_marked(&marked),
            try_join_all(
                keyed
                    .iter()
                    .map(|((side, kind), keys)| store.records_keyed(*side, *kind, keys))
            ),
            try_join_all(marked_bills.iter().map(async |(side, vendors)| {
                let bills = store.marked_bills(*side, &account, vendors).await?;
                Ok((*side, bills))
            })),
            store.waiting(&waiting),
            store.due_among(READ_AGAIN, &touched),
            try_join_all(decisions.iter().map(async |(flow, records)| {
                let mut all = Vec::new();
                for (record, decision) in store.decisions(flow, records).await? {
                    all.push(((*flow).to_owned(), record, decided(store, &decision).await?));
                }
                Ok::<_, StoreError>(all)
            })),
        )?;
    for (record, mirrored) in records.into_iter().flatten() {
        books.records.insert(record, seen(mirrored));
    }
    for link in links.into_iter().flatten() {
        let key = (link.flow.clone(), link.record.clone());
        books.links.entry(key).or_default().push(flow_link(link));
    }
    for link in linked_to {
        let to = books.linked_to.entry(link.target.clone()).or_default();
        to.push(flow_link(link));
    }
    for mirrored in matching.into_iter().flatten() {
        let record = mirrored.record();
        let key = (record.side, record.kind, mirrored.match_key.clone());
        let alike = books.matching.entry(key).or_default();
        alike.push(record.clone());
        books.records.insert(record, seen(mirrored));
    }
    for mirrored in marked {
        let record = mirrored.record();
        let marker = mirrored.observed.document.marker().cloned();
        if let (Side::Platform, Some(marker)) = (record.side, marker) {
            books.marked.entry(marker).or_default().push(record.clone());
            books.records.insert(record, seen(mirrored));
        }
    }
    for mirrored in keyed.into_iter().flatten() {
        let record = mirrored.record();
        if let Some(key) = key_of(&mirrored.observed.document) {
            let key = (record.side, record.kind, key);
            books.keyed.entry(key).or_default().push(record.clone());
        }
        books.records.insert(record, seen(mirrored));
    }
    for (side, bills) in marked_bills {
        for bill in bills {
            put_marked_bill(books, side, bill);
        }
    }
    books.waiting.extend(waiting);
    books.outdated.extend(outdated);
    for (flow, record, decision) in decisions.into_iter().flatten() {
        books.decisions.insert((flow, record), decision);
    }
    Ok(())
}

/// Puts a marked bill or credit down with its vendor of this side.
fn put_marked_bill(books: &mut Books, side: Side, bill: tieout_store::MarkedBill) {
    let vendor = match side {
        Side::Ledger => &bill.ledger_vendor,
        Side::Platform => &bill.platform_vendor,
    };
    let vendor = RecordRef::new(side, Kind::Vendor, vendor.clone());
    let bill = MarkedBill {
        ledger_vendor: bill.ledger_vendor,
        ledger: bill.ledger,
        platform_vendor: bill.platform_vendor,
        platform: bill.platform,
        currency: bill.currency,
    };
    books.marked_bills.entry(vendor).or_default().push(bill);
}

/// The key under which a record was made, as the store finds it.
fn key_of(document: &Document) -> Option<Key> {
    let recorded = match document {
        Document::Payment(payment) => Some(Key::of([payment.reference.trim()])),
        _ => None,
    };
    document.external_id().cloned().or(recorded)
}

fn seen(mirrored: Mirrored) -> Seen {
    Seen {
        document: mirrored.observed.document,
        created: mirrored.observed.created,
        gone: mirrored.gone,
    }
}

fn flow_link(link: tieout_store::Link) -> Link {
    Link {
        flow: link.flow,
        record: link.record,
        role: link.role,
        target: link.target,
        key: link.key,
        applied: link.applied,
    }
}

/// The mappings as the store holds them. What is taken back is left out; what can't be read as a kind too.
pub(crate) async fn maps(store: &ConnectionStore) -> Result<Maps, StoreError> {
    let mut maps = Maps::default();
    for entry in store.maps().await? {
        let Ok(kind) = entry.kind.parse() else {
            continue;
        };
        let status = match entry.status {
            tieout_store::MapStatus::Suggested => MapStatus::Suggested,
            tieout_store::MapStatus::Confirmed => MapStatus::Confirmed,
            tieout_store::MapStatus::Create => MapStatus::Create,
            tieout_store::MapStatus::Removed => continue,
        };
        maps.put(
            kind,
            entry.from,
            Map {
                to: entry.to,
                status,
            },
        );
    }
    Ok(maps)
}
