//! What advisories look at: the platform's payments of the period and of the weeks before, with what the mirror
//! knows of their bills and payees. Nothing is read of either side for it.

use std::collections::{BTreeMap, HashMap};

use tieout_domain::document::{Address, Payment};
use tieout_domain::{Date, Document as AnyDocument, Kind, RecordRef, RemoteId, Side};
use tieout_flows::tie_out::input::Spent;
use tieout_flows::tie_out::{Document, SAME_AMOUNT_DAYS};
use tieout_flows::vendors;

use super::gather::{Gatherer, PAGE};
use crate::EngineError;

/// Payments as they are gone through.
#[derive(Default)]
pub(super) struct Payouts {
    kept: Vec<Paid>,
    /// The first payment of each of the platform's vendors: its day, then its id.
    first: HashMap<RemoteId, (Date, RemoteId)>,
}

struct Paid {
    ledger: Option<Document>,
    platform: Document,
    vendor: RemoteId,
    date: Date,
    bills: Vec<RemoteId>,
}

impl Payouts {
    /// One that the platform counts at the end of the day; kept if it is of this day or later.
    pub(super) fn add(
        &mut self,
        record: &RecordRef,
        payment: &Payment,
        posting: Option<Document>,
        from: Date,
    ) {
        let this = (payment.date, record.id.clone());
        let first = self.first.entry(payment.vendor.clone());
        let first = first.or_insert_with(|| this.clone());
        *first = this.min(first.clone());
        if payment.date >= from {
            let bills = payment.applications.iter();
            self.kept.push(Paid {
                ledger: posting,
                platform: Document {
                    record: record.clone(),
                    label: payment.label(),
                    amount: payment.total,
                },
                vendor: payment.vendor.clone(),
                date: payment.date,
                bills: bills.map(|part| part.document.clone()).collect(),
            });
        }
    }
}

/// The ledger's vendors by address.
#[derive(Default)]
pub(super) struct Addresses(BTreeMap<String, Vec<RemoteId>>);

impl Addresses {
    /// A vendor of the ledger that is not gone.
    pub(super) fn add(&mut self, id: &RemoteId, document: &AnyDocument) {
        let AnyDocument::Vendor(vendor) = document else {
            return;
        };
        if let Some(key) = vendor.address.as_ref().and_then(address_key) {
            self.0.entry(key).or_default().push(id.clone());
        }
    }

    /// For each vendor that has its address in common with others, all of that address.
    fn shared(&self) -> HashMap<&RemoteId, &[RemoteId]> {
        let shared = self.0.values().filter(|vendors| vendors.len() > 1);
        shared
            .flat_map(|vendors| vendors.iter().map(|id| (id, vendors.as_slice())))
            .collect()
    }
}

/// An address as far as two of them are compared; `None` where street or postal code is missing.
fn address_key(address: &Address) -> Option<String> {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let (street, zip) = (plain(&address.line1), plain(&address.zip));
    let whole = !street.is_empty() && !zip.is_empty();
    whole.then(|| format!("{street} {} {zip}", plain(&address.line2)))
}

impl Gatherer<'_> {
    /// The first day whose payments advisories look back on.
    pub(super) fn payouts_from(&self) -> Date {
        let days = jiff::Span::new().days(SAME_AMOUNT_DAYS);
        self.start.checked_sub(days).unwrap_or(self.start)
    }

    /// The payments, with what the mirror knows of them.
    pub(super) async fn payouts(&self, payouts: Payouts) -> Result<Vec<Spent>, EngineError> {
        let shared = self.addresses.shared();
        let mut found = Vec::with_capacity(payouts.kept.len());
        for paid in payouts.kept.chunks(PAGE as usize) {
            let arrived = self.arrived(paid).await?;
            let payees = self.payees(paid).await?;
            found.extend(paid.iter().map(|paid| {
                let first = payouts.first.get(&paid.vendor).map(|(_, id)| id);
                let of_the_day = paid.bills.iter().filter_map(|id| arrived.get(id));
                let of_the_day = of_the_day.filter(|(day, _)| *day == paid.date);
                let none = Vec::new();
                let payees = payees.get(&paid.vendor).unwrap_or(&none);
                let others = payees.iter().filter_map(|id| shared.get(id));
                let others = others.flat_map(|all| all.iter());
                Spent {
                    ledger: paid.ledger.clone(),
                    platform: paid.platform.clone(),
                    vendor: paid.vendor.clone(),
                    vendor_name: self.party_name(Side::Platform, &paid.vendor),
                    date: paid.date,
                    is_first: first == Some(&paid.platform.record.id),
                    bills_of_the_day: of_the_day.map(|(_, number)| number.clone()).collect(),
                    shares_address_with: others
                        .filter(|id| !payees.contains(id))
                        .map(|id| self.party_name(Side::Ledger, id))
                        .collect(),
                }
            }));
        }
        Ok(found)
    }

    /// When the bills of these payments came to the platform, and their numbers.
    async fn arrived(
        &self,
        paid: &[Paid],
    ) -> Result<HashMap<RemoteId, (Date, String)>, EngineError> {
        let in_period = paid.iter().filter(|paid| paid.date >= self.start);
        let ids: Vec<RemoteId> = in_period.flat_map(|paid| paid.bills.clone()).collect();
        let store = &self.connection.store;
        let bills = store.records(Side::Platform, Kind::Bill, &ids).await?;
        Ok(bills
            .into_iter()
            .filter_map(|(id, mirrored)| {
                let day = self.day_of(mirrored.observed.created?);
                Some((id, (day, mirrored.observed.document.label())))
            })
            .collect())
    }

    /// The ledger's vendors that the paid vendors of the platform stand for.
    async fn payees(&self, paid: &[Paid]) -> Result<HashMap<RemoteId, Vec<RemoteId>>, EngineError> {
        let mut records: Vec<RecordRef> = paid
            .iter()
            .map(|paid| RecordRef::new(Side::Platform, Kind::Vendor, paid.vendor.clone()))
            .collect();
        records.sort_unstable();
        records.dedup();
        let links = self.connection.store.links_to(&records).await?;
        let mut payees: HashMap<RemoteId, Vec<RemoteId>> = HashMap::new();
        for link in links.into_iter().filter(|link| link.flow == vendors::NAME) {
            let payee = payees.entry(link.target.id).or_default();
            payee.push(link.record.id);
        }
        Ok(payees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_case_and_punctuation_and_only_where_they_are_whole() {
        let key = |line1: &str, line2: &str, zip: &str| {
            address_key(&Address {
                line1: line1.to_owned(),
                line2: line2.to_owned(),
                zip: zip.to_owned(),
                ..Address::default()
            })
        };
        let one = key("1 Main St.", "", "94105");
        assert_eq!(one, key("1 MAIN ST", "", "94105"));
        assert_ne!(one, key("1 Main St", "Suite 2", "94105"));
        assert_eq!(key("1 Main St", "", ""), None);
        assert_eq!(key("-", "", "94105"), None);
    }
}
