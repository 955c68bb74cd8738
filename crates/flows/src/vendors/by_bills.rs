//! A vendor whose link is lost is known again by its bills: tieout's mark on a bill of the platform names the
//! ledger's bill, and so whose vendor that is (scenarios 225 and 226). Names are compared only after that.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::document::Vendor;
use tieout_domain::{Document, Kind, RecordRef, RemoteId, Side};

use super::recognise::Found;
use super::{NAME, name, role};
use crate::matching::normalised_name;
use crate::{Books, MarkedBill, Need};

fn platform_vendor(id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Platform, Kind::Vendor, id.clone())
}

fn marked<'a>(books: &'a Books, vendor: &RecordRef) -> &'a [MarkedBill] {
    books.marked_bills.get(vendor).map_or(&[], Vec::as_slice)
}

/// What must be loaded: the vendor's marked bills, whose they are on the platform, and who else has bills there.
pub(super) fn needs(record: &RecordRef, books: &Books) -> Vec<Need> {
    let mut needs = vec![Need::MarkedBills(record.clone())];
    let payees: BTreeSet<&RemoteId> = marked(books, record)
        .iter()
        .map(|bill| &bill.platform_vendor)
        .collect();
    for payee in payees {
        let payee = platform_vendor(payee);
        let owners: BTreeSet<&RemoteId> = marked(books, &payee)
            .iter()
            .map(|bill| &bill.ledger_vendor)
            .collect();
        needs.extend(
            owners.into_iter().map(|owner| {
                Need::Record(RecordRef::new(Side::Ledger, Kind::Vendor, owner.clone()))
            }),
        );
        needs.push(Need::Record(payee.clone()));
        needs.push(Need::LinkedTo(payee.clone()));
        needs.push(Need::MarkedBills(payee));
    }
    needs
}

/// The platform's vendor that the marked bills of this one belong to. Vendors can be merged on either side and
/// bills copied, mark and all: where the bills don't agree the name decides, and where it doesn't, a person.
pub(super) fn find(record: &RecordRef, vendor: &Vendor, wanted: &str, books: &Books) -> Found {
    let home = books.connection.home_currency;
    let bills: Vec<&MarkedBill> = once(marked(books, record))
        .into_iter()
        .filter(|bill| role(Some(vendor), bill.currency.unwrap_or(home), home) == wanted)
        .collect();
    let payees: BTreeSet<&RemoteId> = bills
        .iter()
        .map(|bill| &bill.platform_vendor)
        .filter(|payee| is_free(&platform_vendor(payee), books))
        .collect();
    let named: Vec<&&RemoteId> = payees
        .iter()
        .filter(|payee| bears_its_name(record, vendor, payee, books))
        .collect();
    let one = match (payees.len(), named.as_slice()) {
        (0, _) => return Found::None,
        (1, _) => payees.first().copied(),
        (_, [one]) => Some(**one),
        _ => None,
    };
    match one {
        Some(one) if is_its_own(record, vendor, one, books) => {
            Found::One(platform_vendor(one), "its marked bills")
        }
        _ => Found::Unsure(format!(
            "marked bills of vendor {} belong to {} on the platform: link the right one",
            vendor.name,
            payees
                .iter()
                .map(|payee| described(payee, books))
                .collect::<Vec<_>>()
                .join(" and ")
        )),
    }
}

/// Without the marks that are on several documents, unless there are no others: such a bill was copied.
fn once(bills: &[MarkedBill]) -> Vec<&MarkedBill> {
    let mut copies: BTreeMap<&RecordRef, usize> = BTreeMap::new();
    for bill in bills {
        *copies.entry(&bill.ledger).or_default() += 1;
    }
    let single: Vec<&MarkedBill> = bills
        .iter()
        .filter(|bill| copies.get(&bill.ledger) == Some(&1))
        .collect();
    if single.is_empty() {
        bills.iter().collect()
    } else {
        single
    }
}

/// It is there, and no other vendor of the ledger stands for it.
fn is_free(payee: &RecordRef, books: &Books) -> bool {
    let linked = books.links_to(payee).iter().any(|link| link.flow == NAME);
    !linked && books.record(payee).is_some_and(|seen| !seen.gone)
}

/// No other vendor of the ledger has marked bills there, or they bear another name than it does.
fn is_its_own(record: &RecordRef, vendor: &Vendor, payee: &RemoteId, books: &Books) -> bool {
    let place = platform_vendor(payee);
    let rivals: BTreeSet<&RemoteId> = once(marked(books, &place))
        .into_iter()
        .map(|bill| &bill.ledger_vendor)
        .filter(|owner| **owner != record.id)
        .collect();
    rivals.is_empty()
        || bears_its_name(record, vendor, payee, books)
            && !rivals.iter().any(|rival| {
                let rival = RecordRef::new(Side::Ledger, Kind::Vendor, (*rival).clone());
                match books.record(&rival).map(|seen| &seen.document) {
                    Some(Document::Vendor(vendor)) => bears_its_name(&rival, vendor, payee, books),
                    _ => false,
                }
            })
}

fn bears_its_name(record: &RecordRef, vendor: &Vendor, payee: &RemoteId, books: &Books) -> bool {
    let Some(Document::Vendor(there)) = books
        .record(&platform_vendor(payee))
        .map(|seen| &seen.document)
    else {
        return false;
    };
    let there = normalised_name(&there.name);
    there == normalised_name(&vendor.name)
        || there == normalised_name(&name::on_platform(record, vendor, "", books))
}

fn described(payee: &RemoteId, books: &Books) -> String {
    match books
        .record(&platform_vendor(payee))
        .map(|seen| &seen.document)
    {
        Some(Document::Vendor(there)) => format!("{} ({payee})", there.name),
        _ => payee.to_string(),
    }
}
