//! Whether a vendor is already on the platform, typed by hand (scenarios 2 and 24).

use std::collections::BTreeSet;

use tieout_domain::document::{Address, Vendor};
use tieout_domain::{Document, Kind, RecordRef, Side};

use super::{NAME, name};
use crate::matching::normalised_name;
use crate::{Books, Need};

/// What the search found.
pub(super) enum Found {
    /// Nothing resembles it.
    None,
    /// This one, and how it was recognised.
    One(RecordRef, &'static str),
    /// A person must choose, for this reason.
    Unsure(String),
}

/// The names under which its counterpart of this role is looked for: its own, and the one that tieout gives.
fn keys(record: &RecordRef, vendor: &Vendor, role: &str, books: &Books) -> Vec<String> {
    let plain = normalised_name(&vendor.name);
    let ours = normalised_name(&name::on_platform(record, vendor, "", books));
    let of_role = normalised_name(&name::on_platform(record, vendor, role, books));
    let mut keys = vec![plain, ours, of_role];
    keys.retain(|key| !key.is_empty());
    keys.dedup();
    keys
}

pub(super) fn needs(record: &RecordRef, vendor: &Vendor, books: &Books) -> Vec<Need> {
    let home = books.connection.home_currency;
    let currencies = books.preferences.transactions.currencies.iter();
    let roles = currencies.map(|currency| super::role(Some(vendor), *currency, home));
    let keys: BTreeSet<String> = roles
        .chain([String::new()])
        .flat_map(|role| keys(record, vendor, &role, books))
        .collect();
    let mut needs = Vec::new();
    for key in keys {
        let place = (Side::Platform, Kind::Vendor, key);
        let found = books.matching.get(&place).map_or(&[][..], Vec::as_slice);
        for candidate in found {
            needs.push(Need::Record(candidate.clone()));
            needs.push(Need::LinkedTo(candidate.clone()));
        }
        needs.push(Need::Matching(place.0, place.1, place.2));
    }
    needs
}

/// Looks among the platform's vendors of the same name that nobody is linked to. One is taken only if it is
/// the only one and two strong keys agree; a likeness of names alone is for a person.
pub(super) fn find(record: &RecordRef, vendor: &Vendor, role: &str, books: &Books) -> Found {
    let wanted_currency = if role.is_empty() {
        vendor.currency.unwrap_or(books.connection.home_currency)
    } else {
        role.parse().unwrap_or(books.connection.home_currency)
    };
    let mut candidates: Vec<(&RecordRef, &Vendor)> = Vec::new();
    for key in keys(record, vendor, role, books) {
        let found = books.matching.get(&(Side::Platform, Kind::Vendor, key));
        for candidate in found.map_or(&[][..], Vec::as_slice) {
            let taken = books
                .links_to(candidate)
                .iter()
                .any(|link| link.flow == NAME);
            let Some(seen) = books.record(candidate).filter(|seen| !seen.gone && !taken) else {
                continue;
            };
            let Document::Vendor(there) = &seen.document else {
                continue;
            };
            let currency_fits = there
                .currency
                .is_none_or(|currency| currency == wanted_currency);
            if currency_fits && !candidates.iter().any(|(known, _)| *known == candidate) {
                candidates.push((candidate, there));
            }
        }
    }
    match candidates.as_slice() {
        [] => Found::None,
        [(candidate, there)] if !there.inactive && agreeing(vendor, there) >= 2 => {
            Found::One((*candidate).clone(), "name and two strong keys")
        }
        several => {
            let list: Vec<String> = several
                .iter()
                .map(|(candidate, there)| {
                    let archived = if there.inactive { ", archived" } else { "" };
                    format!("{} ({}{archived})", there.name, candidate.id)
                })
                .collect();
            Found::Unsure(format!(
                "vendor {} may already be on the platform as {}: link it, or create a new one",
                vendor.name,
                list.join(" or ")
            ))
        }
    }
}

/// How many strong keys agree: tax id, account number, e-mail domain with address.
fn agreeing(a: &Vendor, b: &Vendor) -> usize {
    let same = |x: &str, y: &str| !x.trim().is_empty() && x.trim() == y.trim();
    let domain = |email: &str| {
        email
            .rsplit_once('@')
            .map(|(_, domain)| domain.trim().to_lowercase())
    };
    let domains = domain(&a.email).is_some() && domain(&a.email) == domain(&b.email);
    usize::from(same(&a.tax_id_last4, &b.tax_id_last4))
        + usize::from(same(&a.account_number, &b.account_number))
        + usize::from(domains && same_place(a.address.as_ref(), b.address.as_ref()))
}

fn same_place(a: Option<&Address>, b: Option<&Address>) -> bool {
    let (Some(a), Some(b)) = (a, b) else {
        return false;
    };
    let place = |address: &Address| {
        [
            normalised_name(&address.line1),
            normalised_name(&address.city),
            normalised_name(&address.zip),
        ]
    };
    place(a) == place(b) && !a.line1.trim().is_empty()
}
