//! All objects of a kind, found by identifier and by what filters ask for most.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::json::Json;
use crate::kind::Kind;

/// The first identifier of every kind: those of different kinds coincide, which a client must bear.
const FIRST: i64 = 1001;

/// All objects of a kind. Fields whose name starts with `_` are the sandbox's own and never shown.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    kind: Kind,
    rows: BTreeMap<i64, Json>,
    index: HashMap<String, BTreeSet<i64>>,
    next: i64,
    /// The last number that was given by itself.
    pub(crate) numbered: u32,
}

impl Table {
    /// None yet.
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            rows: BTreeMap::new(),
            index: HashMap::new(),
            next: FIRST,
            numbered: 0,
        }
    }

    /// Adds an object and gives its place, which is its identifier unless the kind's are texts.
    pub(crate) fn push(&mut self, mut fields: Json) -> i64 {
        let place = self.next;
        self.next += 1;
        if let Json::Object(all) = &mut fields {
            if !self.kind.is_named() {
                all.insert(0, ("id".into(), place.into()));
            }
            all.insert(1, ("object".into(), self.kind.object().into()));
        }
        self.enter(place, &fields);
        self.rows.insert(place, fields);
        place
    }

    /// Puts an object in the place of what it was.
    pub(crate) fn replace(&mut self, place: i64, fields: Json) {
        self.leave(place);
        self.enter(place, &fields);
        self.rows.insert(place, fields);
    }

    /// Takes an object away.
    pub(crate) fn remove(&mut self, place: i64) -> Option<Json> {
        self.leave(place);
        self.rows.remove(&place)
    }

    /// The object at a place.
    pub(crate) fn get(&self, place: i64) -> Option<&Json> {
        self.rows.get(&place)
    }

    /// The place of an identifier.
    pub(crate) fn find(&self, id: &str) -> Option<i64> {
        if self.kind.is_named() {
            let found = self.index.get(&format!("id={id}"))?;
            return found.first().copied();
        }
        let place = id.parse().ok()?;
        self.rows.contains_key(&place).then_some(place)
    }

    /// The places of the objects with this value, for `number`, `customer` and `metadata.KEY`.
    pub(crate) fn having(&self, field: &str, value: &str) -> BTreeSet<i64> {
        let key = format!("{field}={value}");
        self.index.get(&key).cloned().unwrap_or_default()
    }

    /// All objects in the order of their making.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = (i64, &Json)> {
        self.rows.iter().map(|(place, fields)| (*place, fields))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    fn enter(&mut self, place: i64, fields: &Json) {
        for key in keys(fields) {
            self.index.entry(key).or_default().insert(place);
        }
    }

    fn leave(&mut self, place: i64) {
        let Some(fields) = self.rows.get(&place) else {
            return;
        };
        for key in keys(fields) {
            if let Some(places) = self.index.get_mut(&key) {
                places.remove(&place);
                if places.is_empty() {
                    self.index.remove(&key);
                }
            }
        }
    }
}

fn keys(fields: &Json) -> Vec<String> {
    let mut keys = Vec::new();
    for name in ["id", "number", "customer"] {
        if let Some(value) = fields.get(name).and_then(plain) {
            keys.push(format!("{name}={value}"));
        }
    }
    if let Some(Json::Object(metadata)) = fields.get("metadata") {
        for (key, value) in metadata {
            if let Some(value) = plain(value) {
                keys.push(format!("metadata.{key}={value}"));
            }
        }
    }
    keys
}

/// A text's or a number's own text.
pub(crate) fn plain(value: &Json) -> Option<&str> {
    match value {
        Json::Text(text) | Json::Number(text) => Some(text),
        _ => None,
    }
}
