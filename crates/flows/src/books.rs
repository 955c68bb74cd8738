//! What a flow may look at.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use tieout_domain::port::{Action, Ways};
use tieout_domain::{
    Currency, Date, Document, Key, Kind, Marker, Period, RecordRef, RemoteId, Side, Timestamp,
};

use crate::{Decided, Need, Preferences};

/// The facts of a connection that don't change within a run.
#[derive(Debug, Clone)]
pub struct Connection {
    /// First part of keys made of ledger ids: `ns`.
    pub ledger_prefix: &'static str,
    /// The ledger's account id: `1234567_SB1`.
    pub ledger_account: String,
    /// First part of keys made of platform ids: `bill`.
    pub platform_prefix: &'static str,
    /// The platform's organization id.
    pub platform_account: String,
    /// The subsidiary this connection is for; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// The currency of the platform's organization.
    pub home_currency: Currency,
    /// Today, in the company's time zone.
    pub today: Date,
    /// What rules must know of the platform.
    pub ways: Ways,
    /// What the platform can't do to its records: it has no writer for the kind, or none for the action.
    pub lacks: BTreeSet<(Kind, Action)>,
}

impl Connection {
    /// The key of an event that began with a ledger record.
    #[must_use]
    pub fn ledger_key(&self, id: &RemoteId) -> Key {
        Key::of([self.ledger_prefix, &self.ledger_account, id.as_str()])
    }

    /// The key of an event that began with a platform record: `bill_<org>_<stp…>`.
    #[must_use]
    pub fn platform_key(&self, id: &RemoteId) -> Key {
        Key::of([self.platform_prefix, &self.platform_account, id.as_str()])
    }

    /// Whether a key is of an event that began on the platform.
    #[must_use]
    pub fn is_of_platform(&self, key: &Key) -> bool {
        let any = Key::of([self.platform_prefix, &self.platform_account]);
        key.as_str()
            .strip_prefix(any.as_str())
            .is_some_and(|rest| rest.starts_with('_'))
    }

    /// Whether the platform takes such a write at all.
    #[must_use]
    pub fn takes(&self, kind: Kind, action: Action) -> bool {
        !self.lacks.contains(&(kind, action))
    }

    /// The marker of a ledger document.
    #[must_use]
    pub fn marker(&self, id: &RemoteId) -> Marker {
        Marker {
            account: self.ledger_account.clone(),
            id: id.clone(),
        }
    }
}

/// A record of the mirror.
#[derive(Debug, Clone)]
pub struct Seen {
    /// As last seen.
    pub document: Document,
    /// When the system says it was made.
    pub created: Option<Timestamp>,
    /// Whether it no longer exists.
    pub gone: bool,
}

/// A bill or credit of the ledger, and what bears its mark on the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedBill {
    /// Whose it is in the ledger.
    pub ledger_vendor: RemoteId,
    /// The document.
    pub ledger: RecordRef,
    /// Whose it is on the platform.
    pub platform_vendor: RemoteId,
    /// What bears the mark.
    pub platform: RecordRef,
    /// In which currency that is.
    pub currency: Option<Currency>,
}

/// A link of a flow: which record over there stands for which here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The flow's name.
    pub flow: String,
    /// The record it starts from.
    pub record: RecordRef,
    /// The link's role; see [`Step::role`](crate::Step::role).
    pub role: String,
    /// The record it leads to.
    pub target: RecordRef,
    /// The key under which it was written or adopted.
    pub key: Option<Key>,
    /// What was last written to the target, in its terms; `None` for a link that was adopted and never
    /// written through.
    pub applied: Option<Document>,
}

/// Whether a mapping may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapStatus {
    /// Proposed; nothing uses it yet.
    Suggested,
    /// Confirmed by a person or by an exact match that a person asked for.
    Confirmed,
    /// Has no counterpart and is to be created over there.
    Create,
}

/// A mapping of an account, dimension, funding account, item or terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Where it leads; `None` while it is to be created.
    pub to: Option<RemoteId>,
    /// Whether it may be used.
    pub status: MapStatus,
}

/// All mappings of a connection.
///
/// `account`, `department`, `class`, `location`, `item` and `terms` lead from the ledger to the platform; `funding` leads
/// from the platform's funding account to the ledger's cash account.
#[derive(Debug, Clone, Default)]
pub struct Maps {
    entries: HashMap<(Kind, RemoteId), Map>,
    backward: HashMap<(Kind, RemoteId), RemoteId>,
}

impl Maps {
    /// Adds or replaces a mapping.
    pub fn put(&mut self, kind: Kind, from: RemoteId, map: Map) {
        self.remove(kind, &from);
        if let (MapStatus::Confirmed, Some(to)) = (map.status, &map.to) {
            self.backward.insert((kind, to.clone()), from.clone());
        }
        self.entries.insert((kind, from), map);
    }

    /// Removes a mapping.
    pub fn remove(&mut self, kind: Kind, from: &RemoteId) {
        if let Some(Map { to: Some(to), .. }) = self.entries.remove(&(kind, from.clone())) {
            self.backward.remove(&(kind, to));
        }
    }

    /// The mapping of a record, whatever its status.
    #[must_use]
    pub fn get(&self, kind: Kind, from: &RemoteId) -> Option<&Map> {
        self.entries.get(&(kind, from.clone()))
    }

    /// Where a record leads, if that is confirmed.
    #[must_use]
    pub fn confirmed(&self, kind: Kind, from: &RemoteId) -> Option<&RemoteId> {
        let map = self.get(kind, from)?;
        (map.status == MapStatus::Confirmed)
            .then_some(map.to.as_ref())
            .flatten()
    }

    /// What leads to a record, if that is confirmed.
    #[must_use]
    pub fn back(&self, kind: Kind, to: &RemoteId) -> Option<&RemoteId> {
        self.backward.get(&(kind, to.clone()))
    }

    /// All mappings of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (&RemoteId, &Map)> {
        self.entries
            .iter()
            .filter(move |((k, _), _)| *k == kind)
            .map(|((_, from), map)| (from, map))
    }
}

/// Everything a flow may look at: the connection, the preferences, the mappings, and what was loaded for
/// the records at hand.
#[derive(Debug, Clone)]
pub struct Books {
    /// The connection.
    pub connection: Connection,
    /// The preferences.
    pub preferences: Preferences,
    /// The mappings.
    pub maps: Maps,
    /// Posting periods of the ledger, in the order of their dates.
    pub periods: Vec<Period>,
    /// Whether the links are being rebuilt: then a pair that agrees in all is known again although money has
    /// moved on it. Nothing is written before a person has seen how much, and released the connection.
    pub recovering: bool,
    /// Whether another sync was at work before (scenario 249), which left nothing on its postings that tells whose they are.
    pub taking_over: bool,
    /// Loaded records.
    pub records: HashMap<RecordRef, Seen>,
    /// Loaded links by flow and record. A loaded record without links has an empty list.
    pub links: HashMap<(String, RecordRef), Vec<Link>>,
    /// Loaded links by target.
    pub linked_to: HashMap<RecordRef, Vec<Link>>,
    /// Loaded records by match key.
    pub matching: HashMap<(Side, Kind, String), Vec<RecordRef>>,
    /// Loaded records of the platform by the mark that they bear.
    pub marked: HashMap<Marker, Vec<RecordRef>>,
    /// Loaded records by the key under which they were made.
    pub keyed: HashMap<(Side, Kind, Key), Vec<RecordRef>>,
    /// Bills and credits whose mark is on the platform, by the vendor they were asked for.
    pub marked_bills: HashMap<RecordRef, Vec<MarkedBill>>,
    /// Which of the asked references something waits for.
    pub waiting: HashSet<String>,
    /// Which of the asked records wait to be read again.
    pub outdated: HashSet<RecordRef>,
    /// What people decided.
    pub decisions: HashMap<(String, RecordRef), Decided>,
    /// What has been loaded, so that nothing is asked for twice.
    pub loaded: HashSet<Need>,
}

impl Books {
    /// Books with nothing loaded yet.
    #[must_use]
    pub fn new(
        connection: Connection,
        preferences: Preferences,
        maps: Maps,
        periods: Vec<Period>,
    ) -> Self {
        Self {
            connection,
            preferences,
            maps,
            periods,
            recovering: false,
            taking_over: false,
            records: HashMap::new(),
            links: HashMap::new(),
            linked_to: HashMap::new(),
            matching: HashMap::new(),
            marked: HashMap::new(),
            keyed: HashMap::new(),
            marked_bills: HashMap::new(),
            waiting: HashSet::new(),
            outdated: HashSet::new(),
            decisions: HashMap::new(),
            loaded: HashSet::new(),
        }
    }

    /// A loaded record.
    #[must_use]
    pub fn record(&self, record: &RecordRef) -> Option<&Seen> {
        self.records.get(record)
    }

    /// The loaded link of a flow from a record in a role.
    #[must_use]
    pub fn link(&self, flow: &str, record: &RecordRef, role: &str) -> Option<&Link> {
        self.links_of(flow, record)
            .iter()
            .find(|link| link.role == role)
    }

    /// All loaded links of a flow from a record.
    #[must_use]
    pub fn links_of(&self, flow: &str, record: &RecordRef) -> &[Link] {
        self.links
            .get(&(flow.to_owned(), record.clone()))
            .map_or(&[], Vec::as_slice)
    }

    /// All loaded links that lead to a record.
    #[must_use]
    pub fn links_to(&self, target: &RecordRef) -> &[Link] {
        self.linked_to.get(target).map_or(&[], Vec::as_slice)
    }

    /// The one record of a side and kind that was made under a key, if it is there.
    #[must_use]
    pub fn keyed(&self, side: Side, kind: Kind, key: &Key) -> Option<&RecordRef> {
        let found = self.keyed.get(&(side, kind, key.clone()))?;
        found.first()
    }

    /// What a person decided about a record.
    #[must_use]
    pub fn decided(&self, flow: &str, record: &RecordRef) -> Option<&Decided> {
        self.decisions.get(&(flow.to_owned(), record.clone()))
    }

    /// Whether a record may have changed since it was read: a payment of it was written or undone.
    #[must_use]
    pub fn is_outdated(&self, record: &RecordRef) -> bool {
        self.outdated.contains(record)
    }

    /// The posting period that contains a day.
    #[must_use]
    pub fn period(&self, day: Date) -> Option<&Period> {
        self.periods.iter().find(|period| period.contains(day))
    }

    /// Those of the needs that have not been loaded.
    #[must_use]
    pub fn missing(&self, needs: Vec<Need>) -> Vec<Need> {
        needs
            .into_iter()
            .filter(|need| !self.loaded.contains(need))
            .collect()
    }
}
