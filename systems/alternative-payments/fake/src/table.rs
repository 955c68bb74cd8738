//! The objects of one kind, in the order in which lists show them.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

/// What every object has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stamp {
    /// Its identifier.
    pub(crate) id: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it was last changed.
    pub(crate) updated_at: Timestamp,
}

/// An object that lists show.
pub(crate) trait Record {
    /// What its identifiers begin with.
    const PREFIX: &'static str;

    /// What every object has.
    fn stamp(&self) -> &Stamp;

    /// The same, to change it.
    fn stamp_mut(&mut self) -> &mut Stamp;

    /// Whether it is archived.
    fn is_archived(&self) -> bool {
        false
    }

    /// Its identifier.
    fn id(&self) -> &str {
        &self.stamp().id
    }

    /// Its place among its kind.
    fn place(&self) -> (Timestamp, &str) {
        (self.stamp().created_at, &self.stamp().id)
    }
}

/// Says of a struct with a field `stamp` that it is a [`Record`].
macro_rules! record {
    ($kind:ty, $prefix:literal) => {
        record!($kind, $prefix, |_| false);
    };
    ($kind:ty, $prefix:literal, $is_archived:expr) => {
        impl crate::table::Record for $kind {
            const PREFIX: &'static str = $prefix;

            fn stamp(&self) -> &crate::table::Stamp {
                &self.stamp
            }

            fn stamp_mut(&mut self) -> &mut crate::table::Stamp {
                &mut self.stamp
            }

            fn is_archived(&self) -> bool {
                let is_archived: fn(&Self) -> bool = $is_archived;
                is_archived(self)
            }
        }
    };
}
pub(crate) use record;

/// All objects of a kind, by the time they were made, then by identifier.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    rows: BTreeMap<(Timestamp, String), T>,
    made: HashMap<String, Timestamp>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            made: HashMap::new(),
        }
    }
}

impl<T: Record> Table<T> {
    /// Adds an object.
    pub(crate) fn insert(&mut self, object: T) {
        let Stamp { id, created_at, .. } = object.stamp().clone();
        self.made.insert(id.clone(), created_at);
        self.rows.insert((created_at, id), object);
    }

    /// The object with an identifier.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        let made = *self.made.get(id)?;
        self.rows.get(&(made, id.to_owned()))
    }

    /// The same, to change it.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let made = *self.made.get(id)?;
        self.rows.get_mut(&(made, id.to_owned()))
    }

    /// Takes an object away.
    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let made = self.made.remove(id)?;
        self.rows.remove(&(made, id.to_owned()))
    }

    /// All objects in their order.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}
