//! Department, class and location of what is posted, where the ledger demands them (scenario 163): payments
//! of the platform have none, so that a person names them once.

use tieout_domain::{Kind, RecordRef, RemoteId, Side};

use crate::matching::normalised_name;
use crate::{Books, Need};

/// What stands on a posting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Coding {
    pub department: Option<RemoteId>,
    pub class: Option<RemoteId>,
    pub location: Option<RemoteId>,
}

fn named(kind: Kind, books: &Books) -> &str {
    let preferences = &books.preferences.miscellaneous;
    match kind {
        Kind::Department => preferences.default_department.trim(),
        Kind::Class => preferences.default_class.trim(),
        _ => preferences.default_location.trim(),
    }
}

/// What must be loaded to know them.
pub(super) fn needs(books: &Books) -> Vec<Need> {
    Kind::DIMENSIONS
        .into_iter()
        .map(|kind| (kind, named(kind, books)))
        .filter(|(_, name)| !name.is_empty())
        .flat_map(|(kind, name)| {
            let key = normalised_name(name);
            let found = books.matching.get(&(Side::Ledger, kind, key.clone()));
            let found = found.into_iter().flatten().cloned().map(Need::Record);
            found.chain([Need::Matching(Side::Ledger, kind, key)])
        })
        .collect()
}

/// The preferences' dimensions: by their full name, else by their id.
pub(super) fn of(books: &Books) -> Coding {
    let one = |kind| {
        let name = named(kind, books);
        if name.is_empty() {
            return None;
        }
        let key = (Side::Ledger, kind, normalised_name(name));
        let here = |record: &&RecordRef| books.record(record).is_some_and(|seen| !seen.gone);
        let found: Vec<_> = books
            .matching
            .get(&key)
            .into_iter()
            .flatten()
            .filter(here)
            .collect();
        match found.as_slice() {
            [one] => Some(one.id.clone()),
            _ => Some(RemoteId::from(name)),
        }
    };
    Coding {
        department: one(Kind::Department),
        class: one(Kind::Class),
        location: one(Kind::Location),
    }
}
