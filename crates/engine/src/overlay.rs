//! What a plan pretends to have done: links, records and mappings that exist only in memory, so that the
//! plan of a bill can rest on the plan of its vendor.

use std::collections::{BTreeSet, HashMap, HashSet};

use tieout_domain::{Kind, RecordRef, RemoteId, Side};
use tieout_flows::matching::match_key;
use tieout_flows::{Books, Link, Map, MapStatus, Need, Seen};

/// Things that are only pretended. Empty in a run that writes.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    records: HashMap<RecordRef, Seen>,
    links: HashMap<(String, RecordRef), Vec<Link>>,
    linked_to: HashMap<RecordRef, Vec<Link>>,
    maps: Vec<(Kind, RemoteId, RemoteId)>,
    /// What something waits for in this run, in the form of `WaitsFor`.
    pub(crate) demanded: HashSet<String>,
    /// Records to look at again although the store doesn't say so, by flow.
    pub(crate) due: HashMap<String, BTreeSet<RecordRef>>,
}

impl Overlay {
    /// Pretends a link, and that its target looks so.
    pub(crate) fn link(&mut self, link: Link, target: Option<Seen>) {
        if let Some(seen) = target {
            self.records.insert(link.target.clone(), seen);
        }
        for list in [
            self.links
                .entry((link.flow.clone(), link.record.clone()))
                .or_default(),
            self.linked_to.entry(link.target.clone()).or_default(),
        ] {
            list.retain(|other| {
                (&other.flow, &other.record, &other.role) != (&link.flow, &link.record, &link.role)
            });
            list.push(link.clone());
        }
    }

    /// Pretends that a record looks so.
    pub(crate) fn record(&mut self, record: RecordRef, seen: Seen) {
        self.records.insert(record, seen);
    }

    /// Pretends a confirmed mapping.
    pub(crate) fn map(&mut self, kind: Kind, from: RemoteId, to: RemoteId) {
        self.maps.push((kind, from, to));
    }

    /// Lays what is pretended over the books.
    pub(crate) fn lay(&self, books: &mut Books, needs: &[Need]) {
        for need in needs {
            match need {
                Need::Record(record) => {
                    if let Some(seen) = self.records.get(record) {
                        books.records.insert(record.clone(), seen.clone());
                    }
                }
                Need::Links(flow, record) => {
                    let key = ((*flow).to_owned(), record.clone());
                    if let Some(pretended) = self.links.get(&key) {
                        merge(books.links.entry(key).or_default(), pretended);
                    }
                }
                Need::LinkedTo(target) => {
                    if let Some(pretended) = self.linked_to.get(target) {
                        merge(
                            books.linked_to.entry(target.clone()).or_default(),
                            pretended,
                        );
                    }
                }
                Need::Waiting(what) => {
                    if self.demanded.contains(what) {
                        books.waiting.insert(what.clone());
                    }
                }
                Need::Matching(side, kind, key) => self.lay_matching(books, *side, *kind, key),
                Need::Marked(_)
                | Need::Keyed(..)
                | Need::MarkedBills(_)
                | Need::Outdated(_)
                | Need::Decisions(..) => {}
            }
        }
        for (kind, from, to) in &self.maps {
            let map = Map {
                to: Some(to.clone()),
                status: MapStatus::Confirmed,
            };
            books.maps.put(*kind, from.clone(), map);
        }
    }
}

impl Overlay {
    /// What is pretended to be there is a candidate like what is.
    fn lay_matching(&self, books: &mut Books, side: Side, kind: Kind, key: &str) {
        let here = self.records.iter().filter(|(record, seen)| {
            (record.side, record.kind) == (side, kind) && match_key(&seen.document) == key
        });
        let place = (side, kind, key.to_owned());
        for (record, seen) in here {
            let found = books.matching.entry(place.clone()).or_default();
            if !found.contains(record) {
                found.push(record.clone());
                found.sort();
            }
            books.records.insert(record.clone(), seen.clone());
        }
    }
}

fn merge(list: &mut Vec<Link>, pretended: &[Link]) {
    for link in pretended {
        list.retain(|other| {
            (&other.flow, &other.record, &other.role) != (&link.flow, &link.record, &link.role)
        });
        list.push(link.clone());
    }
}
