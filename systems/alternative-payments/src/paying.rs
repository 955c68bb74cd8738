//! Which invoice a payment pays, where the payment doesn't tell: it is asked for invoice by invoice, the likely ones first,
//! and what was found is never asked again (README §Payments).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tieout_domain::{Amount, Fault, RemoteId, Timestamp};
use tieout_kit::wire::{Exact, escaped};

use crate::call::Client;
use crate::invoices::INVOICES;
use crate::list::all;
use crate::payments::PAYMENTS;
use crate::wire::{id, moment, parsed, text};

/// So many of a customer's invoices are asked about for what one page shows; more will hardly be the ones.
const ASKED_MAX: usize = 100;

/// What is known of which payment pays which invoice. What was found stays true; what wasn't is looked for again by a read of
/// everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paying {
    /// The invoice of a payment.
    found: BTreeMap<RemoteId, RemoteId>,
    /// Payments whose invoice wasn't found.
    unknown: BTreeSet<RemoteId>,
}

impl Paying {
    /// The invoice that a payment pays, where it is known.
    pub(crate) fn invoice(&self, payment: &RemoteId) -> Option<&RemoteId> {
        self.found.get(payment)
    }

    /// It is known.
    pub(crate) fn note(&mut self, payment: RemoteId, invoice: RemoteId) {
        self.unknown.remove(&payment);
        self.found.insert(payment, invoice);
    }

    /// What is known from before; `anew` looks again for what wasn't found.
    pub(crate) fn take_up(&mut self, other: Self, anew: bool) {
        self.found.extend(other.found);
        if !anew {
            self.unknown.extend(other.unknown);
        }
        self.unknown
            .retain(|payment| !self.found.contains_key(payment));
    }

    /// Whether it has to be asked for.
    fn is_open(&self, payment: &RemoteId) -> bool {
        !self.found.contains_key(payment) && !self.unknown.contains(payment)
    }
}

/// A payment whose invoice is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) payment: RemoteId,
    pub(crate) customer: RemoteId,
    pub(crate) sub_total: Amount,
}

/// As much of an invoice as tells how likely it is.
#[derive(Debug, Deserialize)]
struct Candidate {
    #[serde(deserialize_with = "id")]
    id: RemoteId,
    total: Exact,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct OnlyId {
    #[serde(deserialize_with = "id")]
    id: RemoteId,
}

impl Client {
    /// Finds the invoices of these payments. What can't be found is noted as such.
    ///
    /// # Errors
    /// A [`Fault`] of a read.
    pub(crate) async fn find_invoices(
        &self,
        payments: Vec<Wanted>,
        known: &std::sync::Mutex<Paying>,
    ) -> Result<(), Fault> {
        let lock = || {
            known
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        let mut by_customer: BTreeMap<RemoteId, Vec<Wanted>> = BTreeMap::new();
        for wanted in payments {
            if lock().is_open(&wanted.payment) {
                let of_customer = by_customer.entry(wanted.customer.clone());
                of_customer.or_default().push(wanted);
            }
        }
        for (customer, wanted) in by_customer {
            let mut open: BTreeSet<RemoteId> = wanted.iter().map(|it| it.payment.clone()).collect();
            for invoice in self.likely(&customer, &wanted).await? {
                if open.is_empty() {
                    break;
                }
                for payment in self.payments_of(&invoice).await? {
                    open.remove(&payment);
                    lock().note(payment, invoice.clone());
                }
            }
            lock().unknown.extend(open);
        }
        Ok(())
    }

    /// The invoices of a customer, those first that look most like the ones that were paid.
    async fn likely(&self, customer: &RemoteId, wanted: &[Wanted]) -> Result<Vec<RemoteId>, Fault> {
        let filter = format!("customer_id={}", escaped(customer.as_str()));
        let raws = all(self, &INVOICES, &filter).await?;
        let mut invoices: Vec<Candidate> = parsed(INVOICES.noun, &raws)?;
        let amounts: BTreeSet<Amount> = wanted.iter().map(|it| it.sub_total).collect();
        invoices.sort_by_key(|invoice| {
            let other_amount = !amounts.contains(&invoice.total.0);
            let unpaid = !matches!(invoice.status.as_str(), "paid" | "processing");
            (
                other_amount,
                unpaid,
                std::cmp::Reverse(invoice.created_at),
                invoice.id.clone(),
            )
        });
        invoices.truncate(ASKED_MAX);
        Ok(invoices.into_iter().map(|invoice| invoice.id).collect())
    }

    /// The payments of an invoice: the only thing that tells which they are.
    async fn payments_of(&self, invoice: &RemoteId) -> Result<Vec<RemoteId>, Fault> {
        let filter = format!("invoice_id={}", escaped(invoice.as_str()));
        let raws = all(self, &PAYMENTS, &filter).await?;
        let payments: Vec<OnlyId> = parsed(PAYMENTS.noun, &raws)?;
        Ok(payments.into_iter().map(|payment| payment.id).collect())
    }
}
