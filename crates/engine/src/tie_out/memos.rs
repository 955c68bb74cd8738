//! Uses of credit memos: what each side takes them for, and where the two differ. The platform tells it with payments,
//! the ledger with the credit memo, and what was paid back with the refund.

use std::collections::{BTreeMap, HashMap};

use tieout_domain::document::{CreditMemo, InvoiceStatus};
use tieout_domain::{Amount, Date, Document as AnyDocument, Kind, RecordRef, RemoteId, Side};
use tieout_flows::receivables::payments::NAME;
use tieout_flows::tie_out::Document;
use tieout_flows::tie_out::input::{Effect, EffectKind};
use tieout_store::{Item, Link, Mirrored};

use super::books::documents_of;
use super::gather::{Gatherer, PAGE, plus, standing};
use super::payments::{Payments, document};
use super::receipts::{Takes, is_copy};
use crate::EngineError;

/// What credit notes of the platform are used for: how much of each for which invoice, and when last.
type Uses = HashMap<RecordRef, (BTreeMap<RecordRef, Amount>, Date)>;

/// A payment of the platform that uses a credit note for an invoice.
pub(super) struct CreditUse {
    pub(super) note: RecordRef,
    pub(super) invoice: RecordRef,
    pub(super) amount: Amount,
    pub(super) date: Date,
}

impl Gatherer<'_> {
    /// Holds the uses of credit memos against each other.
    pub(super) async fn memo_uses(
        &self,
        on_platform: Vec<CreditUse>,
        found: &mut Payments,
    ) -> Result<(), EngineError> {
        let mut uses = Uses::new();
        for it in on_platform {
            let (of_note, last) = uses.entry(it.note).or_insert((BTreeMap::new(), it.date));
            *last = it.date.max(*last);
            let so_far = of_note.entry(it.invoice).or_default();
            *so_far = plus(*so_far, it.amount)?;
        }
        let refunded = self.refunded().await?;
        let [invoices, credits] = documents_of(self.book);
        let store = &self.connection.store;
        let mut after: Option<RemoteId> = None;
        loop {
            let page = store
                .records_page(Side::Ledger, Kind::CreditMemo, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.observed.id.clone());
            let records: Vec<RecordRef> = page.iter().map(Mirrored::record).collect();
            let mut items = store.items(credits.flow, &records).await?;
            items.extend(store.items(NAME, &records).await?);
            let told = self.told_by_invoice(&records).await?;
            let notes = self.platform_twins(credits.flow, &records).await?;
            let paid = self.platform_twins(invoices.flow, &paid_by(&page)).await?;
            for (record, mirrored) in records.iter().zip(&page) {
                let AnyDocument::CreditMemo(memo) = &mirrored.observed.document else {
                    continue;
                };
                let note = notes.get(record);
                let (there, last) = note.and_then(|note| uses.remove(note)).unzip();
                if memo.currency != self.currency {
                    continue;
                }
                let mut more = Takes::default();
                self.recorded(told.get(record).into_iter().flatten(), &mut more)?;
                for (invoice, amount) in there.into_iter().flatten() {
                    more.add(invoice, amount)?;
                    if let Some(note) = note {
                        more.add(note.clone(), -amount)?;
                    }
                }
                if self.memo_counts(mirrored, memo) {
                    for part in &memo.applications {
                        let invoice = ledger(Kind::Invoice, &part.document);
                        if let Some(invoice) = paid.get(&invoice) {
                            more.add(invoice.clone(), -part.amount)?;
                        }
                        if let Some(note) = note {
                            more.add(note.clone(), part.amount)?;
                        }
                    }
                    let back = refunded.get(&mirrored.observed.id);
                    if let (Some(note), Some(back)) = (note, back) {
                        more.add(note.clone(), *back)?;
                    }
                }
                if !more.is_nothing() {
                    let effect = self.memo_use(mirrored, note, items.get(record), last, more);
                    found.effects.push(effect);
                }
            }
        }
        self.only_there(uses, found).await
    }

    /// What the platform was told of these credit memos, where it has no credit notes: a payment for each invoice.
    async fn told_by_invoice(
        &self,
        records: &[RecordRef],
    ) -> Result<HashMap<RecordRef, Vec<Mirrored>>, EngineError> {
        let store = &self.connection.store;
        let links = store.links(NAME, records).await?.into_iter();
        let links: Vec<Link> = links.filter(is_copy).collect();
        let ids: Vec<RemoteId> = links.iter().map(|link| link.target.id.clone()).collect();
        let mut payments = store
            .records(Side::Platform, Kind::CustomerPayment, &ids)
            .await?;
        let mut told: HashMap<RecordRef, Vec<Mirrored>> = HashMap::new();
        for link in links {
            let payment = payments.remove(&link.target.id);
            told.entry(link.record).or_default().extend(payment);
        }
        Ok(told)
    }

    fn memo_counts(&self, mirrored: &Mirrored, memo: &CreditMemo) -> bool {
        let stands = !matches!(
            memo.status,
            InvoiceStatus::Voided | InvoiceStatus::Rejected | InvoiceStatus::PendingApproval
        );
        stands && !mirrored.gone && !self.is_later(memo.date, memo.period.as_ref())
    }

    /// A use of a credit memo that is not the same on both sides. The credit itself has as much more left as its
    /// invoices are open for more. An application of the ledger has no day of its own but the memo's.
    fn memo_use(
        &self,
        mirrored: &Mirrored,
        note: Option<&RecordRef>,
        item: Option<&Item>,
        last_use: Option<Date>,
        more: Takes,
    ) -> Effect {
        let on_invoices = more.of(Kind::Invoice);
        let kind = if on_invoices.is_positive() {
            EffectKind::CreditOnPlatform
        } else if self.connection.sides.platform.ways.credit_notes {
            EffectKind::CreditKeptInLedger
        } else {
            EffectKind::CreditInLedger
        };
        let mut named = document(mirrored);
        named.amount = on_invoices.abs();
        let (ledger, platform) = match mirrored.side {
            Side::Ledger => {
                let note = note.map(|note| Document {
                    record: note.clone(),
                    ..named.clone()
                });
                (Some(named), note)
            }
            Side::Platform => (None, Some(named)),
        };
        let own = mirrored.observed.document.date();
        let used = last_use.filter(|_| kind == EffectKind::CreditOnPlatform);
        Effect {
            kind,
            ledger,
            platform,
            vendor: self.whose(mirrored).unwrap_or_default(),
            date: used.or(own).unwrap_or(self.day),
            parts: more.parts(kind),
            unplaced: None,
            supposed: Vec::new(),
            standing: item.map(|item| standing(item, &self.connection.time_zone)),
        }
    }

    /// Uses of credit notes that the ledger doesn't have.
    async fn only_there(&self, uses: Uses, found: &mut Payments) -> Result<(), EngineError> {
        let ids: Vec<RemoteId> = uses.keys().map(|credit| credit.id.clone()).collect();
        let store = &self.connection.store;
        let credits = store
            .records(Side::Platform, Kind::CreditMemo, &ids)
            .await?;
        let mut credits: Vec<&Mirrored> = credits.values().collect();
        credits.sort_by(|a, b| a.observed.id.cmp(&b.observed.id));
        for mirrored in credits {
            let mut more = Takes::default();
            let (there, last) = uses
                .get(&mirrored.record())
                .map(|(there, last)| (there, *last))
                .unzip();
            for (invoice, amount) in there.into_iter().flatten() {
                more.add(invoice.clone(), *amount)?;
            }
            if !more.is_nothing() {
                let effect = self.memo_use(mirrored, None, None, last, more);
                found.effects.push(effect);
            }
        }
        Ok(())
    }

    /// How much of each credit memo the ledger has paid back.
    async fn refunded(&self) -> Result<HashMap<RemoteId, Amount>, EngineError> {
        let store = &self.connection.store;
        let mut back: HashMap<RemoteId, Amount> = HashMap::new();
        let mut after: Option<RemoteId> = None;
        loop {
            let page = store
                .records_page(Side::Ledger, Kind::CustomerRefund, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(back);
            };
            after = Some(last.observed.id.clone());
            for mirrored in page.iter().filter(|mirrored| !mirrored.gone) {
                let AnyDocument::CustomerRefund(refund) = &mirrored.observed.document else {
                    continue;
                };
                if refund.voided || self.is_later(refund.date, refund.period.as_ref()) {
                    continue;
                }
                for part in &refund.applications {
                    let so_far = back.entry(part.document.clone()).or_default();
                    *so_far = plus(*so_far, part.amount)?;
                }
            }
        }
    }
}

fn ledger(kind: Kind, id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Ledger, kind, id.clone())
}

/// The invoices that credit memos of the ledger are applied to.
fn paid_by(page: &[Mirrored]) -> Vec<RecordRef> {
    let mut invoices: Vec<RecordRef> = page
        .iter()
        .filter_map(|mirrored| match &mirrored.observed.document {
            AnyDocument::CreditMemo(memo) => Some(&memo.applications),
            _ => None,
        })
        .flatten()
        .map(|part| ledger(Kind::Invoice, &part.document))
        .collect();
    invoices.sort_unstable();
    invoices.dedup();
    invoices
}
