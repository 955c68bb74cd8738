//! Payments of customers on both sides: what each takes off which document, and where the two sides differ.
//!
//! Both sides tell what a payment is used for and what of it is on account, so that the two are held against each other
//! document by document; what is left over after that belongs to the documents themselves.

use std::collections::{BTreeMap, HashMap, HashSet};

use tieout_domain::document::{CustomerPayment, PaymentUse, ReceiptStatus, UseOf};
use tieout_domain::subledger::PostingKind;
use tieout_domain::{
    Amount, Date, Document as AnyDocument, Kind, RecordRef, RemoteId, Side, State,
};
use tieout_flows::receivables::payments;
use tieout_flows::tie_out::input::{Effect, EffectKind, Held, Pair, Presence};
use tieout_flows::tie_out::{Document, Flow};
use tieout_store::{Item, Link, Mirrored};

use super::books::{Documents, documents_of};
use super::evidence::Counting;
use super::gather::{Gatherer, OpenItems, PAGE, flow, plus, standing};
use super::memos::CreditUse;
use super::payments::{Payments, document};
use crate::EngineError;

/// By how much the platform takes more off each document than the ledger does; in the platform's records where it has
/// them.
#[derive(Default)]
pub(super) struct Takes(BTreeMap<RecordRef, Amount>);

impl Takes {
    pub(super) fn add(&mut self, record: RecordRef, amount: Amount) -> Result<(), EngineError> {
        let so_far = self.0.entry(record).or_default();
        *so_far = plus(*so_far, amount)?;
        Ok(())
    }

    /// The same, told as the side that counts the effect tells it.
    pub(super) fn parts(self, kind: EffectKind) -> Vec<(RecordRef, Amount)> {
        let differing = self.0.into_iter().filter(|(_, amount)| !amount.is_zero());
        differing
            .map(|(record, more)| (record, if kind.is_of_platform() { more } else { -more }))
            .collect()
    }

    /// What of it is on documents of a kind.
    pub(super) fn of(&self, kind: Kind) -> Amount {
        let of_kind = self.0.iter().filter(|(record, _)| record.kind == kind);
        of_kind.map(|(_, amount)| *amount).sum()
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.0.values().all(|amount| amount.is_zero())
    }
}

/// Where a payment stands on a side at the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// It isn't there, or it is undone.
    No,
    /// It counts.
    Counts,
    /// It is there, and counts only after the day.
    Later,
}

/// Whether a link leads to a payment of the other side that records this one: all of it, or what it pays of one invoice.
pub(super) fn is_copy(link: &Link) -> bool {
    let by_invoice = link.role.contains('.');
    (link.role.is_empty() || by_invoice) && link.target.kind == Kind::CustomerPayment
}

fn received(status: &ReceiptStatus) -> bool {
    matches!(status, ReceiptStatus::Received | ReceiptStatus::Deposited)
}

fn payment_of(mirrored: &Mirrored) -> Option<&CustomerPayment> {
    match &mirrored.observed.document {
        AnyDocument::CustomerPayment(payment) => Some(payment),
        _ => None,
    }
}

fn platform(kind: Kind, id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Platform, kind, id.clone())
}

/// What the platform takes off its documents by a part of a payment.
fn taken_off(part: &PaymentUse) -> Vec<(RecordRef, Amount)> {
    let mut taken = Vec::new();
    if let Some(invoice) = part.of.invoice() {
        taken.push((platform(Kind::Invoice, invoice), part.amount));
    }
    if let UseOf::CreditMemo { credit, .. } = &part.of {
        taken.push((platform(Kind::CreditMemo, credit), -part.amount));
    }
    taken
}

/// A page of payments, with what is known of them.
struct Known {
    items: HashMap<RecordRef, Item>,
    /// The links that begin at them.
    links: HashMap<RecordRef, Vec<Link>>,
    /// The payments at the other end, by id.
    others: HashMap<RemoteId, Mirrored>,
    /// The platform's documents by the ledger's that stand for them.
    twins: HashMap<RecordRef, RecordRef>,
}

impl Known {
    fn links(&self, record: &RecordRef) -> &[Link] {
        self.links
            .get(record)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The payment that stands for this one on the other side.
    fn counterpart(&self, record: &RecordRef) -> Option<&Mirrored> {
        let link = self.links(record).iter().find(|link| link.role.is_empty());
        self.others.get(&link?.target.id)
    }

    /// The platform's payments that record this one of the ledger: one, or one for each invoice that it pays.
    fn copies(&self, record: &RecordRef) -> impl Iterator<Item = &Mirrored> {
        let links = self.links(record).iter().filter(|link| is_copy(link));
        links.filter_map(|link| self.others.get(&link.target.id))
    }

    /// What a payment of the ledger takes off the invoices that are on the platform too.
    fn of_ledger(&self, payment: &CustomerPayment) -> Vec<(RecordRef, Amount)> {
        let uses = payment.uses.iter();
        uses.filter_map(|part| {
            let invoice = part.of.invoice()?;
            let here = RecordRef::new(Side::Ledger, Kind::Invoice, invoice.clone());
            Some((self.twins.get(&here)?.clone(), part.amount))
        })
        .collect()
    }
}

impl Gatherer<'_> {
    /// Goes through the payments of both sides; what of the ledger's open items is money on account of a payment that
    /// came from the platform is taken out of `open`.
    pub(super) async fn receipts(
        &mut self,
        open: &mut OpenItems<'_>,
    ) -> Result<Payments, EngineError> {
        let mut found = Payments {
            paid: flow("payments"),
            ..Payments::default()
        };
        let uses = self.of_platform(open, &mut found).await?;
        self.of_ledger(&mut found).await?;
        self.memo_uses(uses, &mut found).await?;
        Ok(found)
    }

    /// Gives what the platform uses credit notes for.
    async fn of_platform(
        &mut self,
        open: &mut OpenItems<'_>,
        found: &mut Payments,
    ) -> Result<Vec<CreditUse>, EngineError> {
        let store = &self.connection.store;
        let mut counting = Counting::begin(
            "payments of the platform",
            "every payment, read page by page to the end",
            self.now(),
        );
        let mut credit_uses = Vec::new();
        let mut after: Option<RemoteId> = None;
        loop {
            let page = store
                .records_page(Side::Platform, Kind::CustomerPayment, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.observed.id.clone());
            let known = self.known(Side::Platform, &page).await?;
            let records: Vec<RecordRef> = page.iter().map(Mirrored::record).collect();
            let copies = store.links_to(&records).await?;
            let copies: HashSet<RecordRef> = copies
                .into_iter()
                .filter(|link| link.flow == payments::NAME && link.record.side == Side::Ledger)
                .map(|link| link.target)
                .collect();
            for mirrored in &page {
                let Some(payment) = payment_of(mirrored) else {
                    continue;
                };
                if payment.currency != self.currency {
                    continue;
                }
                if !mirrored.gone {
                    counting.add(&mirrored.observed, payment.total);
                }
                let record = mirrored.record();
                let item = known.items.get(&record);
                let stands = self.stands_on_platform(mirrored, payment, item);
                self.take_back(mirrored, payment, stands, found)?;
                if stands == Stands::Counts {
                    credit_uses.extend(uses_of_credits(payment));
                    self.count(payment, &mut found.paid)?;
                }
                let account = match stands {
                    Stands::Counts => self.on_account(payment)?,
                    _ => Amount::ZERO,
                };
                if copies.contains(&record) {
                    // Told with the ledger's payment that it records.
                    if !account.is_zero() {
                        let pair = self.receipt_pair(mirrored, payment, None, Some(account), None);
                        found.pairs.push(pair);
                    }
                    continue;
                }
                self.received_there(mirrored, payment, (stands, account), &known, open, found)?;
            }
        }
        let extract = counting.end(self.now(), self.platform_time());
        self.extracts.push(extract);
        Ok(credit_uses)
    }

    /// What is known of a page of payments of one side.
    async fn known(&self, side: Side, page: &[Mirrored]) -> Result<Known, EngineError> {
        let store = &self.connection.store;
        let records: Vec<RecordRef> = page.iter().map(Mirrored::record).collect();
        let mut links: HashMap<RecordRef, Vec<Link>> = HashMap::new();
        let mut targets = Vec::new();
        for link in store.links(payments::NAME, &records).await? {
            if is_copy(&link) {
                targets.push(link.target.id.clone());
            }
            links.entry(link.record.clone()).or_default().push(link);
        }
        let others = store
            .records(side.other(), Kind::CustomerPayment, &targets)
            .await?;
        let ledger = page.iter().chain(others.values());
        let ledger = ledger.filter(|mirrored| mirrored.side == Side::Ledger);
        let mut invoices: Vec<RecordRef> = ledger
            .filter_map(payment_of)
            .flat_map(|payment| &payment.uses)
            .filter_map(|part| part.of.invoice())
            .map(|id| RecordRef::new(Side::Ledger, Kind::Invoice, id.clone()))
            .collect();
        invoices.sort_unstable();
        invoices.dedup();
        let [Documents { flow, .. }, _] = documents_of(self.book);
        Ok(Known {
            items: store.items(payments::NAME, &records).await?,
            links,
            others,
            twins: self.platform_twins(flow, &invoices).await?,
        })
    }

    /// What of a payment of the platform is on account there: what is unapplied or kept as the customer's credit, less
    /// what of that was used.
    fn on_account(&self, payment: &CustomerPayment) -> Result<Amount, EngineError> {
        if self.is_untold(payment) {
            return Ok(Amount::ZERO);
        }
        let mut uses = payment.uses.iter();
        uses.try_fold(payment.unapplied, |sum, part| match part.of {
            UseOf::Credit | UseOf::Estimate(_) | UseOf::Other(_) => plus(sum, part.amount),
            UseOf::KeptCredit { .. } => plus(sum, -part.amount),
            _ => Ok(sum),
        })
    }

    /// Whether a payment pays invoices that the platform doesn't tell: one without credit keeps nothing on account.
    fn is_untold(&self, payment: &CustomerPayment) -> bool {
        !self.connection.sides.platform.ways.credit_notes && payment.uses.is_empty()
    }

    fn stands_on_platform(
        &self,
        mirrored: &Mirrored,
        payment: &CustomerPayment,
        item: Option<&Item>,
    ) -> Stands {
        let there = !mirrored.gone && received(&payment.status);
        // Undone after the day that is reported on: it counted then.
        let undone_since = item
            .filter(|item| item.outcome.state == State::Reversed)
            .map(|item| self.day_of(item.since));
        match (there, payment.date <= self.day) {
            (true, true) => Stands::Counts,
            (true, false) => Stands::Later,
            (false, true) if undone_since.is_some_and(|day| day > self.day) => Stands::Counts,
            (false, _) => Stands::No,
        }
    }

    /// The platform deducts what it has received, and no longer what is undone, whatever the day.
    fn take_back(
        &self,
        mirrored: &Mirrored,
        payment: &CustomerPayment,
        stands: Stands,
        found: &mut Payments,
    ) -> Result<(), EngineError> {
        let deducted = !mirrored.gone && received(&payment.status);
        for (record, amount) in payment.uses.iter().flat_map(taken_off) {
            if deducted {
                let so_far = found.taken_off.entry(record.clone()).or_default();
                *so_far = plus(*so_far, amount)?;
            }
            let back = match (deducted, stands) {
                (true, Stands::Later) => amount,
                (false, Stands::Counts) => -amount,
                _ => continue,
            };
            let so_far = found.not_yet.entry(record).or_default();
            *so_far = plus(*so_far, back)?;
        }
        Ok(())
    }

    /// What was received in the period, as far as it pays invoices.
    fn count(&self, payment: &CustomerPayment, paid: &mut Flow) -> Result<(), EngineError> {
        if payment.date >= self.start && !payment.total.is_zero() {
            paid.platform_count += 1;
            paid.platform_amount = plus(paid.platform_amount, -payment.total)?;
        }
        Ok(())
    }

    /// A payment that the platform received, with its posting.
    fn received_there(
        &self,
        mirrored: &Mirrored,
        payment: &CustomerPayment,
        (stands, account): (Stands, Amount),
        known: &Known,
        open: &mut OpenItems<'_>,
        found: &mut Payments,
    ) -> Result<(), EngineError> {
        let record = mirrored.record();
        for link in known.links(&record) {
            if link.role.is_empty() && link.target.kind == Kind::CustomerPayment {
                found.ours.insert(link.target.id.clone(), false);
            }
        }
        let posting = known.counterpart(&record);
        let posted = posting.map_or(Stands::No, |posting| self.stands_in_ledger(posting));
        let mut more = Takes::default();
        if stands == Stands::Counts {
            for part in &payment.uses {
                // What becomes of a credit is told with the credit.
                if !matches!(part.of, UseOf::CreditMemo { .. }) {
                    for (document, amount) in taken_off(part) {
                        more.add(document, amount)?;
                    }
                }
            }
        }
        if let (Some(posting), Stands::Counts) = (posting, posted) {
            for (document, amount) in
                payment_of(posting).map_or_else(Vec::new, |it| known.of_ledger(it))
            {
                more.add(document, -amount)?;
            }
        }
        let postings = posting.and_then(|posting| open.remove(&posting.observed.id));
        let here = match &postings {
            Some(postings) => Some(self.open_of(postings)?),
            None => None,
        };
        let there = (stands == Stands::Counts).then_some(account);
        if here.is_some() || !account.is_zero() {
            let ledger = posting.zip(here);
            let pair =
                self.receipt_pair(mirrored, payment, ledger, there, known.items.get(&record));
            let own = match &pair.platform {
                Some(held) => held.record.clone(),
                None => posting.map_or(record.clone(), Mirrored::record),
            };
            more.add(own, plus(here.unwrap_or_default(), account)?)?;
            found.pairs.push(pair);
        }
        let returned = payment.charge.as_ref().is_some_and(|charge| {
            charge.disputed || charge.refunds.iter().any(|refund| refund.succeeded)
        });
        let both = (stands, posted) == (Stands::Counts, Stands::Counts);
        // The platform deducts what it has received, whatever the day.
        let untold = !mirrored.gone && received(&payment.status) && self.is_untold(payment);
        if more.is_nothing() && !untold && !(both && returned) {
            return Ok(());
        }
        let kind = match (stands, posted) {
            (Stands::Counts, Stands::No) => EffectKind::PaidOnPlatform,
            (Stands::Counts, Stands::Later) => EffectKind::PostedLater,
            (Stands::Counts, Stands::Counts) if returned => EffectKind::ReturnedToCustomer,
            (Stands::Counts, Stands::Counts) => EffectKind::AppliedOtherwise,
            (Stands::Later, _) => EffectKind::PaidLaterOnPlatform,
            (Stands::No, _) if payment.status == ReceiptStatus::Failed => {
                EffectKind::FailedOnPlatform
            }
            (Stands::No, _) => EffectKind::UndoneOnPlatform,
        };
        let item = known.items.get(&record);
        let (posting, seen) = (posting.map(document), document(mirrored));
        let documents = (posting, Some(seen));
        let mut effect = self.receipt(kind, documents, mirrored, payment.date, item, more);
        if untold {
            let customer = payment.customer.clone();
            effect.unplaced = customer.map(|customer| (customer, payment.unapplied));
        }
        found.effects.push(effect);
        Ok(())
    }

    fn stands_in_ledger(&self, mirrored: &Mirrored) -> Stands {
        match payment_of(mirrored) {
            Some(payment) if !mirrored.gone && received(&payment.status) => {
                if self.is_later(payment.date, payment.period.as_ref()) {
                    Stands::Later
                } else {
                    Stands::Counts
                }
            }
            _ => Stands::No,
        }
    }

    /// A payment's money on account, on either side.
    fn receipt_pair(
        &self,
        mirrored: &Mirrored,
        payment: &CustomerPayment,
        ledger: Option<(&Mirrored, Amount)>,
        on_platform: Option<Amount>,
        item: Option<&Item>,
    ) -> Pair {
        let held = |mirrored: &Mirrored, payment: &CustomerPayment, open: Amount| Held {
            record: mirrored.record(),
            kind: PostingKind::CustomerPayment,
            label: payment.label(),
            date: payment.date,
            due: None,
            total: -payment.total,
            open,
            presence: Presence::There,
        };
        Pair {
            ledger: ledger
                .map(|(posting, open)| held(posting, payment_of(posting).unwrap_or(payment), open)),
            platform: on_platform.map(|account| held(mirrored, payment, -account)),
            vendor: self.whose(mirrored).unwrap_or_default(),
            customer: None,
            standing: item.map(|item| standing(item, &self.connection.time_zone)),
            posted_by_us: ledger.is_some(),
            discount: Amount::ZERO,
        }
    }

    async fn of_ledger(&mut self, found: &mut Payments) -> Result<(), EngineError> {
        let store = &self.connection.store;
        let mut after: Option<RemoteId> = None;
        loop {
            let page = store
                .records_page(Side::Ledger, Kind::CustomerPayment, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.observed.id.clone());
            let page: Vec<Mirrored> = page
                .into_iter()
                .filter(|mirrored| !found.ours.contains_key(&mirrored.observed.id))
                .collect();
            let known = self.known(Side::Ledger, &page).await?;
            for mirrored in &page {
                let Some(payment) = payment_of(mirrored) else {
                    continue;
                };
                if payment.currency == self.currency {
                    found
                        .effects
                        .extend(self.received_here(mirrored, payment, &known)?);
                }
            }
        }
    }

    /// A payment that the ledger received, if the two sides don't count it alike.
    fn received_here(
        &self,
        mirrored: &Mirrored,
        payment: &CustomerPayment,
        known: &Known,
    ) -> Result<Option<Effect>, EngineError> {
        let record = mirrored.record();
        let here = self.stands_in_ledger(mirrored);
        let mut more = Takes::default();
        let there = self.recorded(known.copies(&record), &mut more)?;
        if here == Stands::Counts {
            for (document, amount) in known.of_ledger(payment) {
                more.add(document, -amount)?;
            }
        }
        if more.is_nothing() {
            return Ok(None);
        }
        let kind = match (here, there) {
            (Stands::Counts, Stands::Counts) => EffectKind::AppliedOtherwise,
            (Stands::Counts, Stands::Later) => EffectKind::PaidLaterOnPlatform,
            (Stands::Counts, Stands::No) => EffectKind::PaidInLedger,
            (Stands::Later, _) => EffectKind::PostedLater,
            (Stands::No, _) => EffectKind::PaidOnPlatform,
        };
        let item = known.items.get(&record);
        let copy = known.copies(&record).next().map(document);
        let documents = (Some(document(mirrored)), copy);
        let effect = self.receipt(kind, documents, mirrored, payment.date, item, more);
        Ok(Some(effect))
    }

    /// Where those that record something of the ledger on the platform stand; what they take off there goes into `more`.
    pub(super) fn recorded<'m>(
        &self,
        copies: impl Iterator<Item = &'m Mirrored>,
        more: &mut Takes,
    ) -> Result<Stands, EngineError> {
        let mut stands = Stands::No;
        for copy in copies.filter(|copy| !copy.gone) {
            let Some(payment) = payment_of(copy).filter(|it| received(&it.status)) else {
                continue;
            };
            if payment.date > self.day {
                if stands == Stands::No {
                    stands = Stands::Later;
                }
                continue;
            }
            stands = Stands::Counts;
            for (document, amount) in payment.uses.iter().flat_map(taken_off) {
                more.add(document, amount)?;
            }
        }
        Ok(stands)
    }

    fn receipt(
        &self,
        kind: EffectKind,
        (ledger, platform): (Option<Document>, Option<Document>),
        mirrored: &Mirrored,
        date: Date,
        item: Option<&Item>,
        more: Takes,
    ) -> Effect {
        Effect {
            kind,
            ledger,
            platform,
            vendor: self.whose(mirrored).unwrap_or_default(),
            date,
            parts: more.parts(kind),
            unplaced: None,
            supposed: Vec::new(),
            standing: item.map(|item| standing(item, &self.connection.time_zone)),
        }
    }
}

/// The credit notes that a payment of the platform uses, and the invoices that it uses them for.
fn uses_of_credits(payment: &CustomerPayment) -> impl Iterator<Item = CreditUse> + '_ {
    payment.uses.iter().filter_map(|part| match &part.of {
        UseOf::CreditMemo { credit, invoice } => Some(CreditUse {
            note: platform(Kind::CreditMemo, credit),
            invoice: platform(Kind::Invoice, invoice),
            amount: part.amount,
            date: payment.date,
        }),
        _ => None,
    })
}
