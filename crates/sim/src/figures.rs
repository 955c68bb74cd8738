//! What happened in a world, counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts by sort and name.
#[derive(Debug, Default)]
pub struct Figures(Mutex<BTreeMap<(String, String), u64>>);

impl Figures {
    /// One more.
    pub fn count(&self, sort: &str, name: &str) {
        self.add(sort, name, 1);
    }

    /// So many more.
    pub fn add(&self, sort: &str, name: &str, more: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts
            .entry((sort.to_owned(), name.to_owned()))
            .or_default() += more;
    }

    /// Takes another world's in.
    pub fn take_in(&self, other: &Self) {
        for ((sort, name), count) in other.all() {
            self.add(&sort, &name, count);
        }
    }

    /// How often.
    #[must_use]
    pub fn of(&self, sort: &str, name: &str) -> u64 {
        let key = (sort.to_owned(), name.to_owned());
        self.all().get(&key).copied().unwrap_or_default()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeMap<(String, String), u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sorts: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
        for ((sort, name), count) in self.all() {
            sorts.entry(sort).or_default().push((name, count));
        }
        for (sort, counts) in sorts {
            let total: u64 = counts.iter().map(|(_, count)| count).sum();
            writeln!(f, "{sort}: {total}")?;
            for (name, count) in counts {
                writeln!(f, "  {count:>9} {name}")?;
            }
        }
        Ok(())
    }
}
