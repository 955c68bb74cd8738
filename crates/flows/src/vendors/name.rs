//! What a vendor is called on the platform.

use tieout_domain::document::Vendor;
use tieout_domain::{Kind, RecordRef, RemoteId, Side};

use crate::Books;
use crate::matching::normalised_name;
use crate::text::{NAME_MAX, shorten};

/// Its name, with the entity id where an older vendor of the ledger has the same name (scenario 3), with
/// the currency where it is the second counterpart (scenario 20), and cut to what fits (scenario 21).
pub(super) fn on_platform(
    record: &RecordRef,
    vendor: &Vendor,
    role: &str,
    books: &Books,
) -> String {
    let clean: String = vendor
        .name
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let number = vendor.number.trim();
    let mut name = match (clean.trim(), number) {
        ("", "") => format!("Vendor {}", record.id),
        ("", number) => number.to_owned(),
        (name, _) => name.to_owned(),
    };
    if has_older_namesake(record, vendor, books) {
        let suffix = if number.is_empty() {
            record.id.as_str()
        } else {
            number
        };
        name = format!("{name} ({suffix})");
    }
    if !role.is_empty() {
        name = format!("{name} ({role})");
    }
    shorten(&name, NAME_MAX)
}

fn has_older_namesake(record: &RecordRef, vendor: &Vendor, books: &Books) -> bool {
    let key = (Side::Ledger, Kind::Vendor, normalised_name(&vendor.name));
    let namesakes = books.matching.get(&key).map_or(&[][..], Vec::as_slice);
    !vendor.name.trim().is_empty()
        && namesakes.iter().any(|other| {
            older(&other.id, &record.id) && books.record(other).is_none_or(|seen| !seen.gone)
        })
}

/// Whether one id of a ledger was given before another: ids are numbers that grow.
pub(crate) fn older(a: &RemoteId, b: &RemoteId) -> bool {
    let order = |id: &RemoteId| (id.as_str().len(), id.as_str().to_owned());
    order(a) < order(b)
}
