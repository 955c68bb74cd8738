//! Payments (README §Payments). What the service took itself is read; what came in elsewhere is told it by `external`.
//! Nothing here ever charges anybody.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tieout_domain::document::{
    Charge, ChargeRefund, CustomerPayment, PaymentUse, ReceiptMethod, ReceiptStatus, UseOf,
};
use tieout_domain::port::Depth;
use tieout_domain::{Amount, Document, Fault, Key, MoneyError, RemoteId};
use tieout_kit::wire::Exact;

use crate::call::Client;
use crate::capabilities::Capability;
use crate::fees::{FeeShown, covered};
use crate::list::{Again, Room, Shelf};
use crate::paying::{Part, Paying, Wanted};
use crate::refunds::{Found, PaidBack, Refund};
use crate::wire::{Head, currency, day, id, list, reference, text, utc_day};

/// Payments.
pub(crate) const PAYMENTS: Shelf = Shelf {
    path: "/payments",
    noun: "payment",
};

/// A bank debit may be returned for sixty days; the rest is for those who are late (README §Payments).
const CHANGING: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The type and the method of what was paid another way.
pub(crate) const EXTERNAL: &str = "external";

/// Payments, and what was found out about them.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    paying: Mutex<Paying>,
    refunds: Mutex<Found>,
}

/// What is kept from read to read.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    paying: Paying,
    #[serde(default)]
    refunds: Found,
}

/// A payment as the service shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(default, deserialize_with = "reference")]
    customer_id: Option<RemoteId>,
    #[serde(default, deserialize_with = "text")]
    currency: String,
    #[serde(default, deserialize_with = "text")]
    payment_method: String,
    #[serde(default, rename = "type", deserialize_with = "text")]
    sort: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
    sub_total: Exact,
    total: Exact,
    #[serde(default, deserialize_with = "list")]
    fees: Vec<FeeShown>,
    #[serde(default)]
    allocations: Option<Vec<Allocation>>,
    #[serde(default, deserialize_with = "text")]
    external_id: String,
    #[serde(default, deserialize_with = "day")]
    paid_at: Option<Date>,
}

/// What of a payment is for which invoice.
#[derive(Debug, Deserialize)]
struct Allocation {
    #[serde(deserialize_with = "id")]
    invoice_id: RemoteId,
    amount: Exact,
}

impl Shown {
    /// Whether it tells only of money that came another way.
    fn is_external(&self) -> bool {
        self.sort == EXTERNAL || self.payment_method == EXTERNAL
    }

    fn is_refunded(&self) -> bool {
        self.status == "refunded"
    }

    /// Where it stands. What was paid back or is disputed was received first; a word that nobody knows is never taken for
    /// that.
    fn status(&self) -> ReceiptStatus {
        match self.status.as_str() {
            "pending" | "processing" => ReceiptStatus::Pending,
            "succeeded" | "refunded" | "chargeback" => ReceiptStatus::Received,
            "failed" => ReceiptStatus::Failed,
            other => ReceiptStatus::Other(other.to_owned()),
        }
    }

    fn method(&self) -> ReceiptMethod {
        match self.payment_method.as_str() {
            "card" => ReceiptMethod::Card,
            "standard_ach" => ReceiptMethod::Ach,
            "" => ReceiptMethod::Other("other".to_owned()),
            other => ReceiptMethod::Other(other.to_owned()),
        }
    }

    /// What settles invoices: what the customer paid, without the fees that came on top.
    ///
    /// # Errors
    /// Where they don't add up.
    fn settles(&self) -> Result<Amount, String> {
        let covered = covered(&self.fees).map_err(|error| format!("`fees`: {error}"))?;
        if self.sub_total.0.plus(covered) == Ok(self.total.0) {
            return Ok(self.sub_total.0);
        }
        Err(format!(
            "`total` is {}, but `sub_total` of {} and the fees that the customer covers, {covered}, don't add up to it",
            self.total.0, self.sub_total.0
        ))
    }

    /// What it is used for.
    ///
    /// # Errors
    /// Where it is to tell that itself and doesn't: without uses it would be taken for one that pays nothing.
    fn uses(&self, told: bool, found: &[Part]) -> Result<Vec<PaymentUse>, String> {
        if !told {
            let uses = found.iter().map(|part| PaymentUse {
                of: UseOf::Invoice(part.invoice.clone()),
                amount: part.amount.unwrap_or(self.sub_total.0),
            });
            return Ok(uses.collect());
        }
        let missing = "`allocations` is missing, though it is among the capabilities";
        let allocations = self.allocations.as_ref().ok_or(missing)?;
        let uses = allocations.iter().map(|part| PaymentUse {
            of: UseOf::Invoice(part.invoice_id.clone()),
            amount: part.amount.0,
        });
        Ok(uses.collect())
    }

    /// The charge behind it, with what was paid back.
    fn charge(&self, head: &Head, refund: Option<&Refund>) -> Result<Option<Charge>, String> {
        if self.is_external() {
            return Ok(None);
        }
        let refund = match (self.is_refunded(), refund) {
            (false, _) => None,
            // Money went back, and nobody could say when.
            (true, None) => return Err("it is refunded, and no refund of it is listed".to_owned()),
            (true, Some(refund)) => Some(ChargeRefund {
                id: refund.id.clone(),
                amount: self.sub_total.0,
                date: utc_day(refund.created_at.ok_or("its refund has no `created_at`")?),
                succeeded: true,
            }),
        };
        Ok(Some(Charge {
            id: head.id.clone(),
            gateway: crate::settings::NAME.to_owned(),
            refunds: refund.into_iter().collect(),
            disputed: self.status == "chargeback",
        }))
    }
}

/// What payments don't tell by themselves.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    parts: BTreeMap<RemoteId, Vec<Part>>,
    refunds: BTreeMap<RemoteId, Refund>,
}

impl Payments {
    fn paying(&self) -> MutexGuard<'_, Paying> {
        self.paying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refunds(&self) -> MutexGuard<'_, Found> {
        self.refunds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is known that all of a payment pays this invoice.
    pub(crate) fn note(&self, payment: RemoteId, invoice: RemoteId) {
        let amount = None;
        self.paying().note(payment, vec![Part { invoice, amount }]);
    }
}

#[async_trait]
impl Room for Payments {
    type Shown = Shown;
    type Beside = Beside;

    fn shelf(&self) -> &'static Shelf {
        &PAYMENTS
    }

    fn again(&self) -> Again {
        Again::Recent(CHANGING)
    }

    async fn beside(&self, client: &Client, shown: &[(Head, Shown)]) -> Result<Beside, Fault> {
        let mut beside = Beside::default();
        if !client.settings.has(Capability::Allocations) {
            let wanted = shown.iter().filter_map(|(head, shown)| {
                Some(Wanted {
                    payment: head.id.clone(),
                    customer: shown.customer_id.clone()?,
                    sub_total: shown.sub_total.0,
                    created: head.created_at,
                })
            });
            client.find_invoices(wanted.collect(), &self.paying).await?;
            let paying = self.paying();
            let known = |(head, _): &(Head, Shown)| {
                Some((head.id.clone(), paying.parts(&head.id)?.to_vec()))
            };
            beside.parts = shown.iter().filter_map(known).collect();
        }
        let refunded = shown.iter().filter(|(_, shown)| shown.is_refunded());
        let refunded = refunded.map(|(head, shown)| PaidBack {
            payment: head.id.clone(),
            customer: shown.customer_id.clone(),
            sub_total: shown.sub_total.0,
            created: head.created_at,
        });
        beside.refunds = client.refunds_of(refunded.collect(), &self.refunds).await?;
        Ok(beside)
    }

    fn document(
        &self,
        client: &Client,
        head: &Head,
        shown: &Shown,
        beside: &Beside,
    ) -> Result<Document, String> {
        let too_large = |error: MoneyError| format!("`allocations`: {error}");
        let total = shown.settles()?;
        let told = client.settings.has(Capability::Allocations);
        let found = beside.parts.get(&head.id);
        let uses = shown.uses(told, found.map_or(&[], Vec::as_slice))?;
        let used = Amount::total(uses.iter().map(|part| part.amount)).map_err(too_large)?;
        let key = Some(shown.external_id.trim()).filter(|key| !key.is_empty());
        Ok(Document::CustomerPayment(CustomerPayment {
            customer: shown.customer_id.clone(),
            number: String::new(),
            date: shown.paid_at.map_or_else(|| head.day(), Ok)?,
            currency: currency(&shown.currency)?,
            total,
            unapplied: total.minus(used).map_err(too_large)?,
            uses,
            method: shown.method(),
            status: shown.status(),
            charge: shown.charge(head, beside.refunds.get(&head.id))?,
            kept_in: None,
            receivables_account: None,
            subsidiary: None,
            period: None,
            memo: String::new(),
            marker: None,
            external_id: key.map(|key| Key::of([key])),
        }))
    }

    fn take_up(&self, kept: &str, depth: Depth) {
        let kept: Kept = serde_json::from_str(kept).unwrap_or_default();
        self.paying().take_up(kept.paying, depth == Depth::Whole);
        self.refunds().take_up(kept.refunds);
    }

    fn kept(&self) -> String {
        let kept = Kept {
            paying: self.paying().clone(),
            refunds: self.refunds().clone(),
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }
}
