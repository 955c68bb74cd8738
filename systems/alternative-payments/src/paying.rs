//! Which invoices a payment pays, where the payment doesn't tell: they are asked for invoice by invoice, the likely ones first,
//! and what was found is never asked again (README §Payments).

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
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
/// For so long after a payment was made, that no invoice of it is found may be the list's lag, and isn't remembered.
const YOUNG: SignedDuration = SignedDuration::from_hours(24);

/// What of a payment is for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The invoice.
    pub(crate) invoice: RemoteId,
    /// How much; `None` is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Amount>,
}

/// What is known of which payment pays which invoices. What was found stays true; what wasn't is looked for again by a read
/// of everything, and for a young payment by each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paying {
    /// The invoices of a payment.
    found: BTreeMap<RemoteId, Vec<Part>>,
    /// Payments whose invoices weren't found, though they are old enough for it.
    unknown: BTreeSet<RemoteId>,
}

impl Paying {
    /// The invoices that a payment pays, where they are known.
    pub(crate) fn parts(&self, payment: &RemoteId) -> Option<&[Part]> {
        self.found.get(payment).map(Vec::as_slice)
    }

    /// It is known.
    pub(crate) fn note(&mut self, payment: RemoteId, parts: Vec<Part>) {
        self.unknown.remove(&payment);
        self.found.insert(payment, parts);
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

/// A payment, and the invoices that it was found to pay.
#[derive(Debug, Clone)]
struct Met {
    sub_total: Amount,
    invoices: Vec<(RemoteId, Amount)>,
}

impl Met {
    /// Whether these invoices account for all of it.
    fn is_whole(&self) -> bool {
        let sum = Amount::total(self.invoices.iter().map(|(_, total)| *total));
        !self.invoices.is_empty() && sum.is_ok_and(|sum| sum >= self.sub_total)
    }

    /// What it pays, where that is certain: some or all of one invoice, or all of several.
    fn parts(&self) -> Option<Vec<Part>> {
        let part = |invoice: &RemoteId, amount| Part {
            invoice: invoice.clone(),
            amount,
        };
        match self.invoices.as_slice() {
            [(invoice, total)] if *total >= self.sub_total => Some(vec![part(invoice, None)]),
            [] | [_] => None,
            several => {
                let sum = Amount::total(several.iter().map(|(_, total)| *total));
                let all = several
                    .iter()
                    .map(|(invoice, total)| part(invoice, Some(*total)));
                (sum == Ok(self.sub_total)).then(|| all.collect())
            }
        }
    }
}

/// A payment whose invoice is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) payment: RemoteId,
    pub(crate) customer: RemoteId,
    pub(crate) sub_total: Amount,
    pub(crate) created: Option<Timestamp>,
}

impl Wanted {
    /// Whether what isn't told of it may still come.
    fn is_young(&self, now: Timestamp) -> bool {
        self.created
            .is_some_and(|created| now.duration_since(created) < YOUNG)
    }
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

/// As much of a payment as tells whether an invoice accounts for it.
#[derive(Deserialize)]
struct Payment {
    #[serde(deserialize_with = "id")]
    id: RemoteId,
    sub_total: Exact,
}

impl Client {
    /// Finds the invoices of these payments. What can't be found is noted as such, unless the payment is young.
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
        let now = self.kit.timer.now();
        let mut by_customer: BTreeMap<RemoteId, Vec<Wanted>> = BTreeMap::new();
        for wanted in payments {
            if lock().is_open(&wanted.payment) {
                let of_customer = by_customer.entry(wanted.customer.clone());
                of_customer.or_default().push(wanted);
            }
        }
        for (customer, wanted) in by_customer {
            let met = self.met(&customer, &wanted).await?;
            let mut known = lock();
            for (payment, met) in met {
                if let Some(parts) = met.parts() {
                    known.note(payment, parts);
                }
            }
            for it in wanted.into_iter().filter(|it| !it.is_young(now)) {
                if known.is_open(&it.payment) {
                    known.unknown.insert(it.payment);
                }
            }
        }
        Ok(())
    }

    /// The payments of a customer that were met on the way, until those that are wanted are accounted for.
    async fn met(
        &self,
        customer: &RemoteId,
        wanted: &[Wanted],
    ) -> Result<BTreeMap<RemoteId, Met>, Fault> {
        let mut met: BTreeMap<RemoteId, Met> = BTreeMap::new();
        for invoice in self.likely(customer, wanted).await? {
            let is_whole = |it: &Wanted| met.get(&it.payment).is_some_and(Met::is_whole);
            if wanted.iter().all(is_whole) {
                break;
            }
            for payment in self.payments_of(&invoice.id).await? {
                let of_it = met.entry(payment.id).or_insert(Met {
                    sub_total: payment.sub_total.0,
                    invoices: Vec::new(),
                });
                of_it.invoices.push((invoice.id.clone(), invoice.total.0));
            }
        }
        Ok(met)
    }

    /// The invoices of a customer, those first that look most like the ones that were paid.
    async fn likely(
        &self,
        customer: &RemoteId,
        wanted: &[Wanted],
    ) -> Result<Vec<Candidate>, Fault> {
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
        Ok(invoices)
    }

    /// The payments of an invoice: the only thing that tells which they are.
    async fn payments_of(&self, invoice: &RemoteId) -> Result<Vec<Payment>, Fault> {
        let filter = format!("invoice_id={}", escaped(invoice.as_str()));
        let raws = all(self, &PAYMENTS, &filter).await?;
        parsed(PAYMENTS.noun, &raws)
    }
}
