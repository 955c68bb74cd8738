//! Payouts of the platform that have arrived, and the ledger's deposits of them.

use std::collections::HashMap;

use tieout_domain::document::{Payout, PayoutStatus};
use tieout_domain::subledger::Book;
use tieout_domain::{Amount, Document as AnyDocument, Kind, RecordRef, RemoteId, Side};
use tieout_flows::receivables::payments;
use tieout_flows::tie_out::Document;
use tieout_flows::tie_out::input::{Deposited, Settlement};
use tieout_store::{Item, Link, Mirrored};

use super::evidence::Counting;
use super::gather::{Gatherer, PAGE, standing};
use crate::EngineError;

/// The flow that deposits payouts.
const DEPOSITS: &str = "deposits";

/// Codes of what is left out by the cut-over.
const BEFORE: &str = "before-cut-over";

/// What is linked to payouts and to the payments in them.
struct Known {
    items: HashMap<RecordRef, Item>,
    links: HashMap<RecordRef, Vec<RemoteId>>,
    deposits: HashMap<RemoteId, Mirrored>,
}

impl Gatherer<'_> {
    /// The payouts of the period, and those before it that were not deposited as they arrived; `None` where the
    /// platform pays nothing out.
    pub(super) async fn settlements(&mut self) -> Result<Option<Vec<Settlement>>, EngineError> {
        let pays_out = self.connection.sides.platform.ways.pays_out;
        if self.book != Book::Receivables || !pays_out {
            return Ok(None);
        }
        let mut counting = Counting::begin(
            "payouts of the platform",
            "every payout with its transactions, read page by page to the end",
            self.now(),
        );
        let mut found = Vec::new();
        let mut after: Option<RemoteId> = None;
        loop {
            let store = &self.connection.store;
            let page = store
                .records_page(Side::Platform, Kind::Payout, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.observed.id.clone());
            let mut arrived = Vec::new();
            for mirrored in page.iter().filter(|mirrored| !mirrored.gone) {
                let AnyDocument::Payout(payout) = &mirrored.observed.document else {
                    continue;
                };
                if payout.currency != self.currency {
                    continue;
                }
                counting.add(&mirrored.observed, payout.total);
                if payout.status == PayoutStatus::Paid && payout.date <= self.day {
                    arrived.push((mirrored.record(), payout));
                }
            }
            let known = self.deposits_of(&arrived).await?;
            for (record, payout) in arrived {
                let settlement = self.settlement(record, payout, &known);
                found.extend(settlement.filter(|one| self.concerns(one)));
            }
        }
        let extract = counting.end(self.now(), self.platform_time());
        self.extracts.push(extract);
        found.sort_by(|a, b| (a.payout.date, &a.record).cmp(&(b.payout.date, &b.record)));
        Ok(Some(found))
    }

    /// Whether the report has it: it is of the period, or was not put right before it.
    fn concerns(&self, one: &Settlement) -> bool {
        let counted = one.deposits.iter().filter(|deposit| !deposit.later);
        let deposited: Amount = counted.map(|deposit| deposit.document.amount).sum();
        one.payout.date >= self.start || deposited != one.payout.total
    }

    async fn deposits_of(&self, arrived: &[(RecordRef, &Payout)]) -> Result<Known, EngineError> {
        let store = &self.connection.store;
        let payouts: Vec<RecordRef> = arrived.iter().map(|(record, _)| record.clone()).collect();
        let payments = arrived.iter().flat_map(|(_, payout)| payout.payments());
        let mut payments: Vec<RecordRef> = payments
            .map(|(id, _)| RecordRef::new(Side::Platform, Kind::CustomerPayment, id.clone()))
            .collect();
        payments.sort_unstable();
        payments.dedup();
        let mut links: HashMap<RecordRef, Vec<RemoteId>> = HashMap::new();
        let of_payouts = store.links(DEPOSITS, &payouts).await?;
        let of_payments = store.links(payments::NAME, &payments).await?;
        let is_deposit = |link: &Link| link.target.kind == Kind::Deposit;
        for link in of_payouts.into_iter().chain(of_payments) {
            if is_deposit(&link) {
                links.entry(link.record).or_default().push(link.target.id);
            }
        }
        let mut ids: Vec<RemoteId> = links.values().flatten().cloned().collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Known {
            items: store.items(DEPOSITS, &payouts).await?,
            links,
            deposits: store.records(Side::Ledger, Kind::Deposit, &ids).await?,
        })
    }

    /// A payout with its deposits; `None` for one from before go-live.
    fn settlement(&self, record: RecordRef, payout: &Payout, known: &Known) -> Option<Settlement> {
        let item = known.items.get(&record);
        let code = item.and_then(|item| item.outcome.code.as_ref());
        if code.is_some_and(|code| code.as_str() == BEFORE) {
            return None;
        }
        let payments = payout
            .payments()
            .map(|(id, _)| RecordRef::new(Side::Platform, Kind::CustomerPayment, id.clone()));
        let mut ids: Vec<&RemoteId> = std::iter::once(record.clone())
            .chain(payments)
            .filter_map(|of| known.links.get(&of))
            .flatten()
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let deposits = ids.into_iter().filter_map(|id| known.deposits.get(id));
        Some(Settlement {
            record,
            payout: payout.clone(),
            deposits: deposits.filter_map(|it| self.deposited(it)).collect(),
            standing: item.map(|item| standing(item, &self.connection.time_zone)),
        })
    }

    /// A deposit that is there.
    fn deposited(&self, mirrored: &Mirrored) -> Option<Deposited> {
        let AnyDocument::Deposit(deposit) = &mirrored.observed.document else {
            return None;
        };
        (!mirrored.gone).then(|| Deposited {
            document: Document {
                record: mirrored.record(),
                label: deposit.number.clone(),
                amount: deposit.total,
            },
            later: self.is_later(deposit.date, deposit.period.as_ref()),
        })
    }
}
