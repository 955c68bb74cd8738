//! Open bills that are on the platform and can't be paid there yet, by what their vendors lack (scenario 27).
//!
//! What is missing shows itself on pay day otherwise. A vendor is payable electronically, or by check where its
//! address is whole; whose bank account it is, nobody here knows (ground rule 9).

use std::collections::BTreeMap;

use tieout_domain::document::{Address, Approval, BillStatus, Vendor};
use tieout_domain::{Date, Document, Kind, Money, RecordRef, RemoteId, Side};
use tieout_store::{ConnectionStore, Mirrored};

use crate::error::DeskError;
use crate::health::sums;

/// How many records are read at once.
const PAGE: u32 = 1000;

/// A vendor whose open bills can't be paid yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpayable {
    /// The vendor on the platform.
    pub vendor: RecordRef,
    /// Its name.
    pub name: String,
    /// What is missing, in words.
    pub lacks: Vec<&'static str>,
    /// How many of its bills are open.
    pub bills: u64,
    /// How many of those wait for approval on the platform too.
    pub unapproved: u64,
    /// What is open, by currency.
    pub open: Vec<Money>,
    /// When the first is due.
    pub first_due: Option<Date>,
}

/// What is open with a vendor.
#[derive(Debug, Default)]
struct Open {
    bills: u64,
    unapproved: u64,
    amounts: Vec<Money>,
    first_due: Option<Date>,
}

/// The vendors on the platform whose open bills can't be paid yet, by name. Reads all open bills.
///
/// # Errors
/// The store's.
pub async fn unpayable(store: &ConnectionStore) -> Result<Vec<Unpayable>, DeskError> {
    let mut open: BTreeMap<RemoteId, Open> = BTreeMap::new();
    each(store, Kind::Bill, |record| add(&mut open, record)).await?;
    let mut found = Vec::new();
    each(store, Kind::Vendor, |record| {
        let Document::Vendor(vendor) = &record.observed.document else {
            return;
        };
        let lacks = lacks(vendor);
        if lacks.is_empty() {
            return;
        }
        if let Some(open) = open.remove(&record.observed.id) {
            found.push(Unpayable {
                vendor: record.record(),
                name: vendor.name.clone(),
                lacks,
                bills: open.bills,
                unapproved: open.unapproved,
                open: sums(open.amounts),
                first_due: open.first_due,
            });
        }
    })
    .await?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

async fn each(
    store: &ConnectionStore,
    kind: Kind,
    mut heed: impl FnMut(&Mirrored),
) -> Result<(), DeskError> {
    let mut after: Option<RemoteId> = None;
    loop {
        let page = store
            .records_page(Side::Platform, kind, after.as_ref(), PAGE)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.observed.id.clone());
        page.iter()
            .filter(|record| !record.gone)
            .for_each(&mut heed);
    }
}

fn add(open: &mut BTreeMap<RemoteId, Open>, record: &Mirrored) {
    let Document::Bill(bill) = &record.observed.document else {
        return;
    };
    if bill.status != BillStatus::Open || !bill.open.is_positive() {
        return;
    }
    let one = open.entry(bill.vendor.clone()).or_default();
    one.bills += 1;
    one.unapproved += u64::from(bill.approval == Approval::Pending);
    one.amounts.push(bill.open.of(bill.currency));
    one.first_due = match (one.first_due, bill.due) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

/// What a vendor lacks to be paid; nothing where one way is open.
fn lacks(vendor: &Vendor) -> Vec<&'static str> {
    if vendor.payable_electronically {
        return Vec::new();
    }
    let none = Address::default();
    let address = vendor.address.as_ref().unwrap_or(&none);
    let missing: Vec<&'static str> = [
        (&address.line1, "street"),
        (&address.city, "city"),
        (&address.zip, "postal code"),
        (&address.country, "country"),
    ]
    .into_iter()
    .filter(|(value, _)| value.trim().is_empty())
    .map(|(_, name)| name)
    .collect();
    if missing.is_empty() {
        return missing;
    }
    [vec!["bank account"], missing].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vendor(electronically: bool, address: Option<Address>) -> Vendor {
        Vendor {
            name: "Acme".to_owned(),
            number: String::new(),
            person: None,
            payee: None,
            email: String::new(),
            phone: String::new(),
            address,
            account_number: String::new(),
            currency: None,
            tax_id_last4: String::new(),
            form_1099: false,
            subsidiaries: Vec::new(),
            category: String::new(),
            inactive: false,
            login_access: false,
            self_managed: false,
            payable_electronically: electronically,
        }
    }

    #[test]
    fn s027_what_a_vendor_lacks_to_be_paid_is_named() {
        let whole = Address {
            line1: "1 Main St".to_owned(),
            city: "Springfield".to_owned(),
            zip: "01101".to_owned(),
            country: "US".to_owned(),
            ..Address::default()
        };
        assert!(lacks(&vendor(true, None)).is_empty());
        assert!(lacks(&vendor(false, Some(whole.clone()))).is_empty());
        let partly = Address {
            city: " ".to_owned(),
            country: String::new(),
            ..whole
        };
        assert_eq!(
            lacks(&vendor(false, Some(partly))),
            ["bank account", "city", "country"]
        );
        assert_eq!(
            lacks(&vendor(false, None)),
            ["bank account", "street", "city", "postal code", "country"]
        );
    }
}
