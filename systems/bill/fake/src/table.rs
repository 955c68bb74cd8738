//! Records in the order of their creation, with an index by the time of their last change.

use std::collections::BTreeMap;

/// A record's times and state, and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct Row<T> {
    /// When it was made, in microseconds since 1970.
    pub(crate) created: i64,
    /// When it last changed, in microseconds since 1970. No two changes share one.
    pub(crate) updated: i64,
    /// Archived.
    pub(crate) archived: bool,
    /// What it holds.
    pub(crate) body: T,
}

/// All records of a kind. Nothing is ever taken out: the service archives.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    rows: Vec<Row<T>>,
    updated: BTreeMap<i64, u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            updated: BTreeMap::new(),
        }
    }
}

impl<T> Table<T> {
    /// Adds a record and gives its place.
    pub(crate) fn push(&mut self, body: T, stamp: i64) -> u32 {
        let place = self.len();
        self.rows.push(Row {
            created: stamp,
            updated: stamp,
            archived: false,
            body,
        });
        self.updated.insert(stamp, place);
        place
    }

    /// How many records there are, archived ones included.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.rows.len()).expect("a sandbox holds less than 2^32 records of a kind")
    }

    /// The record at a place.
    pub(crate) fn get(&self, place: u32) -> Option<&Row<T>> {
        self.rows.get(place as usize)
    }

    /// The record at a place that came from this table.
    pub(crate) fn at(&self, place: u32) -> &Row<T> {
        &self.rows[place as usize]
    }

    /// The record at a place that came from this table, to change it. [`touch`](Self::touch) follows.
    pub(crate) fn at_mut(&mut self, place: u32) -> &mut Row<T> {
        &mut self.rows[place as usize]
    }

    /// The record changed.
    pub(crate) fn touch(&mut self, place: u32, stamp: i64) {
        let row = &mut self.rows[place as usize];
        self.updated.remove(&row.updated);
        row.updated = stamp;
        self.updated.insert(stamp, place);
    }

    /// Places by the time of the last change.
    pub(crate) fn by_update(&self) -> &BTreeMap<i64, u32> {
        &self.updated
    }

    /// All records in the order of their creation.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, &Row<T>)> {
        (0u32..).zip(self.rows.iter())
    }
}
