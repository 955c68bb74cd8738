//! Whether a customer is already on the other side (scenario 173): none makes it, one links it, several are for a
//! person.

use tieout_domain::document::Customer;
use tieout_domain::{Document, Kind, RecordRef, Side};

use super::{NAME, This};
use crate::Need;
use crate::matching::normalised_name;
use crate::receivables::origin;

/// What the search found.
pub(super) enum Found {
    /// Nobody resembles it.
    None,
    /// This one, and how it was recognised.
    One(RecordRef, &'static str),
    /// A person must choose, for this reason.
    Unsure(String),
}

fn key(this: &This<'_>) -> String {
    normalised_name(&this.customer.name)
}

/// Those of the same name on one side, this customer aside.
fn namesakes<'a>(this: &'a This<'_>, side: Side) -> impl Iterator<Item = &'a RecordRef> {
    let place = (side, Kind::Customer, key(this));
    let found = this.books.matching.get(&place).into_iter().flatten();
    found.filter(|it| *it != this.record)
}

pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    for side in [this.record.side, this.record.side.other()] {
        needs.push(Need::Matching(side, Kind::Customer, key(this)));
        for candidate in namesakes(this, side) {
            needs.push(Need::Record(candidate.clone()));
            needs.extend(origin::needs(NAME, candidate));
        }
    }
    needs
}

/// Whether it may still be somebody's counterpart.
fn free<'a>(this: &'a This<'_>, record: &RecordRef) -> Option<&'a Customer> {
    let seen = this.books.record(record).filter(|seen| !seen.gone)?;
    let Document::Customer(customer) = &seen.document else {
        return None;
    };
    let ours = origin::our_mark(this.books, &seen.document).is_some();
    let taken = ours || origin::counterpart(this.books, NAME, record).is_some();
    (!taken && !customer.inactive).then_some(customer)
}

pub(super) fn find(this: &This<'_>) -> Found {
    let here = this.record.side;
    let there: Vec<(&RecordRef, &Customer)> = namesakes(this, here.other())
        .filter_map(|record| Some((record, free(this, record)?)))
        .collect();
    let number = this.customer.number.trim();
    let same_number: Vec<_> = there
        .iter()
        .filter(|(_, it)| !number.is_empty() && it.number.trim() == number)
        .collect();
    if let [(record, _)] = same_number.as_slice() {
        return Found::One((*record).clone(), "name and number");
    }
    let rivals = namesakes(this, here)
        .filter(|it| free(this, it).is_some())
        .count();
    let name = &this.customer.name;
    match (there.as_slice(), rivals) {
        ([], _) => Found::None,
        ([(record, _)], 0) => Found::One((*record).clone(), "name"),
        (several, _) => Found::Unsure(format!(
            "customer {name}: {} of that name on the {}, {} more on the {}; say which is which",
            several.len(),
            here.other().as_str(),
            rivals,
            here.as_str()
        )),
    }
}
