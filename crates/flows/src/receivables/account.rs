//! The ledger's accounts that preferences name, by number or by id.

use tieout_domain::{Kind, RemoteId, Side};

use crate::matching::account_number_key;
use crate::{Books, Need};

/// What must be loaded to find it.
pub(super) fn needs(text: &str) -> Option<Need> {
    let key = account_number_key(text)?;
    Some(Need::Matching(Side::Ledger, Kind::Account, key))
}

/// The account of this number, else of this id; `None` where the preference is empty.
pub(super) fn named(books: &Books, text: &str) -> Option<RemoteId> {
    let text = text.trim();
    let key = account_number_key(text)?;
    let found = books.matching.get(&(Side::Ledger, Kind::Account, key));
    let by_number = found.and_then(|found| found.first());
    Some(by_number.map_or_else(|| RemoteId::from(text), |it| it.id.clone()))
}
