//! Currencies: BILL states them on the vendor alone (README §Currencies).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tieout_domain::{Amount, Currency, Document, ExchangeRate, Fault, RemoteId};
use tieout_kit::wire::Exact;

use crate::call::Client;
use crate::list;
use crate::vendors::VENDORS;
use crate::wire::{Head, reference};

/// How long looked-up currencies are kept: a vendor's never changes.
const KEPT_HOURS: i64 = 7 * 24;

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Known {
    of: BTreeMap<RemoteId, Currency>,
    looked: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VendorCurrency {
    id: String,
    #[serde(default)]
    bill_currency: Option<String>,
}

/// The currency of a document as far as its own amounts tell: a document in dollars is funded with the
/// same amount, at a rate of one.
pub(crate) fn evident(
    amount: Option<Exact>,
    funding: Option<Exact>,
    rate: Option<Exact>,
) -> Option<Currency> {
    let one = Amount::from(rust_decimal::Decimal::ONE);
    match rate.map(|rate| rate.0).filter(|rate| !rate.is_zero()) {
        Some(rate) => (rate == one).then_some(Currency::USD),
        None => (funding.is_some() && funding == amount).then_some(Currency::USD),
    }
}

/// The rate at which a document in this currency is shown in dollars, where it is told; in dollars there is none.
pub(crate) fn rate_told(currency: Currency, rate: Option<Exact>) -> Option<ExchangeRate> {
    let rate = rate.filter(|_| currency != Currency::USD)?;
    ExchangeRate::new(rate.0, Currency::USD)
}

impl Client {
    /// Remembers a vendor's currency.
    pub(crate) fn learn_currency(&self, vendor: RemoteId, currency: Currency) {
        self.known(|known| known.of.insert(vendor, currency));
    }

    fn known<T>(&self, f: impl FnOnce(&mut Known) -> T) -> T {
        f(&mut self
            .currencies
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The currencies of these vendors: from memory, else by few calls. One that BILL doesn't tell is
    /// absent.
    pub(crate) async fn vendor_currencies(
        &self,
        vendors: BTreeSet<RemoteId>,
    ) -> Result<BTreeMap<RemoteId, Currency>, Fault> {
        let mut missing = self.unknown(&vendors);
        if !missing.is_empty() && !self.known(|known| std::mem::replace(&mut known.looked, true)) {
            self.recall().await;
            missing = self.unknown(&vendors);
        }
        if !missing.is_empty() {
            for raw in list::by_ids(self, &VENDORS, &missing).await? {
                if let Ok(vendor) = serde_json::from_str::<VendorCurrency>(raw.get())
                    && let Some(currency) = vendor.bill_currency.and_then(|code| code.parse().ok())
                {
                    self.learn_currency(vendor.id.into(), currency);
                }
            }
            self.keep_currencies().await;
        }
        Ok(self.known(|known| {
            let found = |id: RemoteId| known.of.get(&id).map(|currency| (id, *currency));
            vendors.into_iter().filter_map(found).collect()
        }))
    }

    fn unknown(&self, vendors: &BTreeSet<RemoteId>) -> Vec<RemoteId> {
        self.known(|known| {
            vendors
                .iter()
                .filter(|id| !known.of.contains_key(*id))
                .cloned()
                .collect()
        })
    }

    fn currencies_name(&self) -> String {
        format!(
            "{}-currencies",
            self.session_name.trim_end_matches("session")
        )
    }

    async fn recall(&self) {
        use secrecy::ExposeSecret as _;
        let kept = self
            .kit
            .kept
            .get(&self.currencies_name())
            .await
            .ok()
            .flatten();
        let kept = kept.and_then(|kept| {
            serde_json::from_str::<BTreeMap<RemoteId, Currency>>(kept.expose_secret()).ok()
        });
        for (id, currency) in kept.unwrap_or_default() {
            self.learn_currency(id, currency);
        }
    }

    async fn keep_currencies(&self) {
        let Ok(text) = self.known(|known| serde_json::to_string(&known.of)) else {
            return;
        };
        let now = self.kit.timer.now();
        let expires = now
            .checked_add(jiff::SignedDuration::from_hours(KEPT_HOURS))
            .unwrap_or(now);
        if let Err(error) = self
            .kit
            .kept
            .put(&self.currencies_name(), &text.into(), expires)
            .await
        {
            tracing::warn!(%error, "the vendors' currencies can't be kept");
        }
    }
}

/// A record with amounts, as BILL shows it: its currency is its vendor's, and not always evident from itself.
pub(crate) trait Valued {
    /// The currency, where its own amounts show it.
    fn evident_currency(&self) -> Option<Currency>;

    /// Its vendor's id, as shown.
    fn vendor_id(&self) -> &str;

    /// The document, in its currency; else what is wrong with it.
    fn document(&self, head: &Head, currency: Currency) -> Result<Document, String>;
}

/// The documents of these records; vendors' currencies are looked up together, and only where they must be.
pub(crate) async fn valued<S: Valued>(
    client: &Client,
    shown: &[(Head, S)],
) -> Result<Vec<Result<Document, String>>, Fault> {
    let unclear = shown
        .iter()
        .filter(|(_, shown)| shown.evident_currency().is_none());
    let vendors: BTreeSet<_> = unclear
        .filter_map(|(_, shown)| reference(shown.vendor_id()))
        .collect();
    let currencies = client.vendor_currencies(vendors).await?;
    let document = |(head, shown): &(Head, S)| {
        let vendor = shown.vendor_id();
        let of_vendor = || currencies.get(&reference(vendor)?).copied();
        let currency = shown.evident_currency().or_else(of_vendor);
        let unknown = || format!("the currency of its vendor `{vendor}` is not known");
        shown.document(head, currency.ok_or_else(unknown)?)
    };
    Ok(shown.iter().map(document).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_plainly_in_dollars_is_taken_for_dollars() {
        let exact = |text: &str| Some(Exact(text.parse().unwrap()));
        assert_eq!(
            evident(exact("5"), exact("5"), exact("1.000")),
            Some(Currency::USD)
        );
        assert_eq!(
            evident(exact("5"), exact("5.00"), None),
            Some(Currency::USD)
        );
        assert_eq!(
            evident(exact("5"), exact("5"), exact("0")),
            Some(Currency::USD)
        );
        assert_eq!(evident(exact("5"), exact("5.5"), exact("1.1")), None);
        assert_eq!(evident(exact("5"), exact("5.5"), None), None);
        assert_eq!(evident(exact("5"), None, None), None);
    }

    #[test]
    fn a_rate_is_told_of_what_is_not_in_dollars() {
        let rate = |text: &str| Some(Exact(text.parse().unwrap()));
        let cad = "CAD".parse().unwrap();
        let told = rate_told(cad, rate("0.73")).unwrap();
        assert_eq!(
            (told.rate().to_string(), told.base()),
            ("0.73".to_owned(), Currency::USD)
        );
        assert_eq!(rate_told(cad, rate("0")), None);
        assert_eq!(rate_told(cad, None), None);
        assert_eq!(rate_told(Currency::USD, rate("1")), None);
    }
}
