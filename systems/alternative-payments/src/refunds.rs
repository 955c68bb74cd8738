//! Refunds: which of them paid which payment back (README §Refunds).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tieout_domain::{Amount, Fault, RemoteId, Timestamp};
use tieout_kit::wire::Exact;

use crate::call::Client;
use crate::capabilities::Capability;
use crate::list::{Shelf, all};
use crate::wire::{id, moment, parsed, reference};

/// Refunds.
pub(crate) const REFUNDS: Shelf = Shelf {
    path: "/refunds",
    noun: "refund",
};

/// A refund as the service shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Refund {
    #[serde(deserialize_with = "id")]
    pub(crate) id: RemoteId,
    #[serde(default, deserialize_with = "reference")]
    customer_id: Option<RemoteId>,
    #[serde(default, deserialize_with = "reference")]
    payment_id: Option<RemoteId>,
    sub_total: Exact,
    #[serde(default, deserialize_with = "moment")]
    pub(crate) created_at: Option<Timestamp>,
}

/// All refunds, once a run has asked for them.
#[derive(Debug, Default)]
pub(crate) struct Refunds(Option<Vec<Refund>>);

/// A payment that was paid back.
#[derive(Debug, Clone)]
pub(crate) struct PaidBack {
    pub(crate) payment: RemoteId,
    pub(crate) customer: Option<RemoteId>,
    pub(crate) sub_total: Amount,
    pub(crate) created: Option<Timestamp>,
}

/// Which refund was found for which payment: kept, so that it never changes afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Found(BTreeMap<RemoteId, RemoteId>);

impl Found {
    /// What was found before.
    pub(crate) fn take_up(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Finds the refund of each payment, the oldest payment first; one that was found stays.
    fn find(&mut self, mut payments: Vec<PaidBack>, refunds: &[Refund], told: bool) {
        payments.sort_by(|a, b| (a.created, &a.payment).cmp(&(b.created, &b.payment)));
        let mut refunds: Vec<&Refund> = refunds.iter().collect();
        refunds.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let mut used: BTreeSet<RemoteId> = self.0.values().cloned().collect();
        for payment in payments {
            if self.0.contains_key(&payment.payment) {
                continue;
            }
            let fits = |refund: &Refund| {
                if told {
                    return refund.payment_id.as_ref() == Some(&payment.payment);
                }
                refund.customer_id == payment.customer
                    && refund.sub_total.0 == payment.sub_total
                    && refund.created_at >= payment.created
                    && !used.contains(&refund.id)
            };
            if let Some(refund) = refunds.iter().find(|refund| fits(refund)) {
                used.insert(refund.id.clone());
                self.0.insert(payment.payment, refund.id.clone());
            }
        }
    }
}

impl Client {
    /// A run begins: what an earlier one read of refunds is forgotten.
    pub(crate) fn forget_refunds(&self) {
        if let Ok(mut refunds) = self.refunds.try_lock() {
            refunds.0 = None;
        }
    }

    /// The refund of each of these payments, as far as there is one.
    ///
    /// # Errors
    /// A [`Fault`] of the read.
    pub(crate) async fn refunds_of(
        &self,
        payments: Vec<PaidBack>,
        found: &std::sync::Mutex<Found>,
    ) -> Result<BTreeMap<RemoteId, Refund>, Fault> {
        if payments.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids: Vec<RemoteId> = payments.iter().map(|it| it.payment.clone()).collect();
        let told = self.settings.has(Capability::Allocations);
        let mut kept = self.refunds.lock().await;
        for fresh in [false, true] {
            if fresh || kept.0.is_none() {
                kept.0 = Some(self.all_refunds().await?);
            }
            let all = kept.0.as_deref().unwrap_or_default();
            let mut found = found
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            found.find(payments.clone(), all, told);
            let of = |payment: &RemoteId| {
                let refund = found.0.get(payment)?;
                let refund = all.iter().find(|it| it.id == *refund)?;
                Some((payment.clone(), refund.clone()))
            };
            let pairs: BTreeMap<_, _> = ids.iter().filter_map(of).collect();
            if pairs.len() == ids.len() || fresh {
                return Ok(pairs);
            }
        }
        Ok(BTreeMap::new())
    }

    async fn all_refunds(&self) -> Result<Vec<Refund>, Fault> {
        let raws = all(self, &REFUNDS, "").await?;
        parsed(REFUNDS.noun, &raws)
    }
}
