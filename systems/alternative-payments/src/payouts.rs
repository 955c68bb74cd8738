//! Payouts: what the service received and pays out, and what each is made of (README §Payouts).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt as _;
use jiff::SignedDuration;
use jiff::civil::Date;
use serde::Deserialize;
use tieout_domain::document::{PartOf, Payout, PayoutPart, PayoutStatus};
use tieout_domain::port::Depth;
use tieout_domain::{Amount, Document, Fault, RemoteId, Timestamp};
use tieout_kit::wire::{Exact, escaped};

use crate::call::{Client, IN_FLIGHT_MAX};
use crate::fees::FeeShown;
use crate::list::{Again, Room, Shelf, all_at};
use crate::wire::{Head, currency, day, list, parsed, reference, text, utc_day};

/// Payouts.
pub(crate) const PAYOUTS: Shelf = Shelf {
    path: "/payouts",
    noun: "payout",
};

/// Payouts change while they are under way; with a month for what the filter's day may mean: the payout's, or its arrival's.
const CHANGING: SignedDuration = SignedDuration::from_hours(120 * 24);

/// Payouts, and which of them are known to have arrived.
#[derive(Debug, Default)]
pub(crate) struct Payouts {
    arrived: Mutex<BTreeSet<RemoteId>>,
}

/// A payout as the service shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(default, deserialize_with = "day")]
    arrival_date: Option<Date>,
    #[serde(default, deserialize_with = "text")]
    currency: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
    total: Exact,
    #[serde(default, deserialize_with = "list")]
    fees: Vec<FeeShown>,
}

/// A part of a payout as the service shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Transaction {
    #[serde(default, rename = "type", deserialize_with = "text")]
    sort: String,
    #[serde(default, deserialize_with = "reference")]
    payment_id: Option<RemoteId>,
    amount: Exact,
    #[serde(default, deserialize_with = "text")]
    description: String,
}

impl Transaction {
    /// What it is. A type that nobody knows keeps the service's own word.
    fn part(&self) -> Result<PayoutPart, String> {
        let payment = self.payment_id.clone();
        let of = match self.sort.as_str() {
            "payment" => {
                let missing = "a transaction of the type `payment` names no payment";
                PartOf::Payment(payment.ok_or(missing)?)
            }
            "refund" => PartOf::Refund { payment },
            "failure" => PartOf::Failure { payment },
            "chargeback" => PartOf::Chargeback { payment },
            "chargeback_reversal" => PartOf::ChargebackWon { payment },
            "dispute_fee" => PartOf::DisputeFee,
            "adjustment" => PartOf::Adjustment,
            other => PartOf::Other(other.to_owned()),
        };
        Ok(PayoutPart {
            of,
            amount: self.amount.0,
            memo: self.description.clone(),
        })
    }
}

impl Shown {
    /// Where it stands. A word that nobody knows is never taken for paid.
    fn status(&self) -> PayoutStatus {
        match self.status.as_str() {
            "succeeded" => PayoutStatus::Paid,
            "failed" => PayoutStatus::Failed,
            "canceled" => PayoutStatus::Canceled,
            "unspecified" | "creating" | "processing" | "analyzing" | "scheduled" | "approved"
            | "pending" => PayoutStatus::UnderWay,
            other => PayoutStatus::Other(other.to_owned()),
        }
    }

    /// What it is made of: its transactions, and the fees that are taken off it.
    ///
    /// # Errors
    /// Where it doesn't add up to the total.
    fn parts(&self, transactions: &[Transaction]) -> Result<Vec<PayoutPart>, String> {
        let fees = self.fees.iter().filter(|fee| !fee.is_covered());
        let fees = fees.map(|fee| {
            Ok(PayoutPart {
                of: PartOf::Fee,
                amount: -fee.amount.0,
                memo: fee.words().to_owned(),
            })
        });
        let parts: Vec<PayoutPart> = transactions
            .iter()
            .map(Transaction::part)
            .chain(fees)
            .collect::<Result<_, String>>()?;
        let sum = Amount::total(parts.iter().map(|part| part.amount))
            .map_err(|error| format!("its transactions: {error}"))?;
        if sum == self.total.0 {
            return Ok(parts);
        }
        Err(format!(
            "its transactions and fees come to {sum}, and its `total` is {}",
            self.total.0
        ))
    }
}

/// The transactions of each payout; for one that can't be read, why.
type Transactions = BTreeMap<RemoteId, Result<Vec<Transaction>, String>>;

impl Client {
    async fn transactions(
        &self,
        payout: &RemoteId,
    ) -> Result<Result<Vec<Transaction>, String>, Fault> {
        let path = format!("{}/transactions", PAYOUTS.one(payout.as_str()));
        let raws = all_at(self, &path, "transaction", "").await?;
        // One that can't be read makes its payout unreadable, and hides no other.
        Ok(parsed("transaction", &raws).map_err(|fault| fault.to_string()))
    }
}

#[async_trait]
impl Room for Payouts {
    type Shown = Shown;
    type Beside = Transactions;

    fn shelf(&self) -> &'static Shelf {
        &PAYOUTS
    }

    fn again(&self) -> Again {
        Again::Recent(CHANGING)
    }

    /// Payouts are filtered by days.
    fn made_since(&self, moment: Timestamp) -> String {
        format!("start_date={}", escaped(&utc_day(moment).to_string()))
    }

    async fn beside(
        &self,
        client: &Client,
        shown: &[(Head, Shown)],
    ) -> Result<Transactions, Fault> {
        let asked = shown.iter().map(|(head, _)| async move {
            let transactions = client.transactions(&head.id).await?;
            Ok::<_, Fault>((head.id.clone(), transactions))
        });
        let asked: Vec<_> = asked.collect();
        let mut answers = futures::stream::iter(asked).buffered(IN_FLIGHT_MAX);
        let mut transactions = Transactions::new();
        while let Some(answer) = answers.next().await {
            let (id, of_it) = answer?;
            transactions.insert(id, of_it);
        }
        Ok(transactions)
    }

    fn document(
        &self,
        _: &Client,
        head: &Head,
        shown: &Shown,
        beside: &Transactions,
    ) -> Result<Document, String> {
        let transactions = match beside.get(&head.id) {
            Some(Ok(transactions)) => transactions.as_slice(),
            Some(Err(why)) => return Err(why.clone()),
            None => return Err("its transactions were not read".to_owned()),
        };
        let payout = Payout {
            number: String::new(),
            date: shown.arrival_date.map_or_else(|| head.day(), Ok)?,
            currency: currency(&shown.currency)?,
            parts: shown.parts(transactions)?,
            total: shown.total.0,
            status: shown.status(),
        };
        if payout.status == PayoutStatus::Paid {
            let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
            arrived.insert(head.id.clone());
        }
        Ok(Document::Payout(payout))
    }

    /// What has arrived changes no more, as long as the list goes on to say so.
    fn is_settled(&self, head: &Head, shown: &Shown) -> bool {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        shown.status() == PayoutStatus::Paid && arrived.contains(&head.id)
    }

    fn take_up(&self, kept: &str, depth: Depth) {
        // A read of everything looks behind what was believed.
        if depth == Depth::Changes {
            let kept: BTreeSet<RemoteId> = serde_json::from_str(kept).unwrap_or_default();
            let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
            arrived.extend(kept);
        }
    }

    fn kept(&self) -> String {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_string(&*arrived).unwrap_or_default()
    }
}
